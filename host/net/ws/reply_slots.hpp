// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace sub0::net::ws {

/// The cold part of a session: calls that are under way or whose reply is held back (S-114),
/// messages that wait, the ping to be answered last. Exists while it holds something. A slot is
/// ordered when its message had no `id`: then its reply goes out after those of all ordered slots
/// before it. One thread.
class ReplySlots {
 public:
  struct Slot {
    bool is_ordered = true;
    bool is_done = false;
    std::string held;  // frames: the reply and the broadcasts behind it
  };

  bool empty() const { return head_ == slots_.size() && waiting.empty() && !has_ping; }
  bool hasSlots() const { return head_ != slots_.size(); }
  /// From the oldest slot that is open to the newest: what one slow call makes us remember.
  std::size_t span() const { return slots_.size() - head_; }
  static constexpr std::size_t kMaxSpan = 4096;

  /// Adds slot `number`. REQUIRES: numbers follow one another while there are slots.
  void open(std::uint64_t number, bool is_ordered) {
    if (!hasSlots()) first_ = number;
    assert(number == first_ + slots_.size() - head_);
    slots_.emplace_back().is_ordered = is_ordered;
  }

  /// The slot, or null when its reply has gone out.
  Slot* find(std::uint64_t number) {
    if (number < first_ || number - first_ >= slots_.size() - head_) return nullptr;
    Slot& slot = slots_[head_ + (number - first_)];
    return slot.is_done && slot.held.empty() ? nullptr : &slot;
  }

  /// Whether an ordered slot before `number` has not gone out.
  bool isHeldBack(std::uint64_t number) {
    skipGone();
    return ordered_ < head_ + (number - first_);
  }

  /// Hands the texts that may go out now to `release`, in order, and forgets what has gone.
  template <typename Release>
  void releaseHeld(Release release) {
    for (skipGone(); ordered_ < slots_.size() && slots_[ordered_].is_done; skipGone()) {
      Slot& slot = slots_[ordered_];
      held_bytes -= slot.held.size();
      release(slot.held);
      slot.held = std::string();
    }
    while (head_ < slots_.size() && isGone(slots_[head_])) {
      ++head_;
      ++first_;
    }
    compact();
  }

  std::size_t held_bytes = 0;
  std::deque<std::string> waiting;  // messages, each with 64 bytes behind it
  std::size_t waiting_bytes = 0;
  bool has_ping = false;
  std::string ping;  // payload of the latest one not yet answered

 private:
  static constexpr std::size_t kWorthSlots = 64;
  static bool isGone(const Slot& slot) { return slot.is_done && slot.held.empty(); }
  /// Moves the cursor on; each slot is passed once.
  void skipGone() {
    ordered_ = std::max(ordered_, head_);
    while (ordered_ < slots_.size() && (!slots_[ordered_].is_ordered || isGone(slots_[ordered_]))) {
      ++ordered_;
    }
  }
  void compact() {
    if (head_ == slots_.size()) {
      slots_.clear();
      head_ = ordered_ = 0;
    } else if (head_ >= kWorthSlots) {
      slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(head_));
      ordered_ -= std::min(ordered_, head_);
      head_ = 0;
    }
  }

  std::vector<Slot> slots_;
  std::size_t head_ = 0;
  std::size_t ordered_ = 0;  // the first ordered slot whose reply has not gone out
  std::uint64_t first_ = 0;  // number of slots_[head_]
};

}  // namespace sub0::net::ws
