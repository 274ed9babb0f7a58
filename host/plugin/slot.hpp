// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "loop/mailbox.hpp"
#include "loop/task.hpp"
#include "plugin/ticket_table.hpp"

namespace sub0::plugin {

// Bits of Slot::state; its upper half is the generation.
inline constexpr std::uint64_t kClaimed = 1;   // somebody ends it: the one compare-and-swap
inline constexpr std::uint64_t kEnded = 2;     // the outcome is there
inline constexpr std::uint64_t kReturned = 4;  // nobody is inside run()
inline constexpr std::uint64_t kQueued = 8;    // its task or letter is under way to the loop
inline constexpr std::uint64_t kClosed = 16;   // the owner is through
inline constexpr std::uint64_t kGranted = 32;  // max_running has room for it now
inline constexpr std::uint64_t kStarted = 64;  // the plugin may know the ticket
inline constexpr std::uint64_t kOver = kEnded | kReturned;

/// One run. `state` is what threads meet at; who sets kClaimed owns the outcome until it sets
/// kEnded, after that the loop does. Everything else belongs to the loop. A slot that is kQueued is
/// not freed.
struct Slot final {
  struct ReadyTask final : loop::Task {
    Slot* slot = nullptr;
    void run() override { slot->table->onReady(*slot); }
  };
  struct ReadyLetter final : loop::Letter {
    Slot* slot = nullptr;
    void run() override { slot->table->loop_.schedule(loop::Phase::kReady, slot->task); }
  };

  std::atomic<std::uint64_t> state{0};
  std::atomic<Handler*> handler{nullptr};  // enders of earlier generations may look at it
  TicketTable* table = nullptr;
  RunOwner* owner = nullptr;
  const PreparedAction* action = nullptr;  // this and the next two are the owner's, null once it is
  const sub0_run* run = nullptr;           // free: only the handler lives on
  Arena* arena = nullptr;
  Slot* next_free = nullptr;
  Outcome outcome;
  sub0_blob blob{};
  std::uint32_t index = 0;
  bool has_blob = false;
  bool uses_own_arena = false;
  bool is_told = false;              // the owner knows that it has ended
  bool is_owner_free = false;        // close() said that it is over
  bool is_abandoned = false;         // counted as such
  bool is_waiting = false;           // for max_running
  bool holds_running = false;        // counts in Handler::counters.running
  std::unique_ptr<Arena> own_arena;  // of results that come on other threads
  ReadyTask task;
  ReadyLetter letter;

  sub0_ticket ticket() const {
    const std::uint64_t generation = state.load(std::memory_order_relaxed) >> 32;
    return static_cast<sub0_ticket>(table->loop_.index()) << 56 |
           static_cast<sub0_ticket>(index) << 32 | generation;
  }
  /// The owner is told that it may go; the slot itself goes when its letter has arrived.
  void freeOwner() {
    is_owner_free = true;
    action = nullptr;
    run = nullptr;
    arena = nullptr;
  }
};

inline Slot* TicketTable::find(sub0_ticket ticket) const {
  const auto index = static_cast<std::uint32_t>(ticket >> 32) & 0xffffffU;
  if (loopOf(ticket) != loop_.index() || index >= kMaxChunks * kChunkSlots) return nullptr;
  Slot* slots = chunks_[index / kChunkSlots].load(std::memory_order_acquire);
  if (slots == nullptr) return nullptr;
  Slot& slot = slots[index % kChunkSlots];
  const std::uint64_t state = slot.state.load(std::memory_order_acquire);
  return (state >> 32) == (ticket & 0xffffffffU) ? &slot : nullptr;
}

}  // namespace sub0::plugin
