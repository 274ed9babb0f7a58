// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "json/value.hpp"
#include "loop/loop.hpp"
#include "loop/pool.hpp"
#include "plugin/faults.hpp"
#include "plugin/plugin.hpp"
#include "plugin/preparation.hpp"

namespace sub0::plugin {

/// Who waits for a run. OWNERSHIP: it, the Arena given at open(), the sub0_run and its inputs and
/// the PreparedAction must live until close() or abandon() returned true, or onFreed() came.
class RunOwner {
 public:
  /// THREAD: the loop, from its ready list. The run has ended: look at outcome(), then close(). Not
  /// called if run() returned kSettled, and not after close() or abandon().
  virtual void onSettled(sub0_ticket ticket) = 0;
  /// THREAD: the loop, from its ready list. After close() or abandon() returned false: now the
  /// plugin uses nothing of the run any more.
  virtual void onFreed(sub0_ticket ticket) = 0;

 protected:
  ~RunOwner() = default;
};

/// How a run ended. Borrowed: see outcome().
struct Outcome {
  Code code = Code::kOk;
  json::Value value{};              // null if it failed
  std::string_view client_message;  // empty: the code's wording
  std::string_view log_message;
  bool is_in_arena = false;  // lives in the owner's arena or inputs, so beyond close()
};

enum class RunState : std::uint8_t {
  kSettled,  // ended within run(): look at the outcome now
  kPending   // onSettled() will come
};

struct TicketLimits {
  std::size_t max_result_bytes = std::size_t{16} << 20;
  std::uint32_t first_generation = 1;  // tests: near the wrap
};

/// The runs of one loop. A ticket is loop, slot and generation: safe for ever, for late, double and
/// stale ends from any thread (a slot whose generation wraps is retired). An end is one
/// compare-and- swap, copies the result and queues the slot: it never calls a plugin or an owner,
/// so nothing re-enters. open → run → end in run → outcome → close takes no lock and no
/// memory. THREAD: the loop's, except end…(), which are for any thread. Does not keep deadlines:
/// the owner abandons.
///
/// A slot is freed when the run has ended, `run` has returned, the owner has closed, and no
/// notification is under way. RAW in a result is scanned for well-formedness, unless it is exactly
/// one of the run's RAW inputs (which then is not copied either): only the host makes those.
class TicketTable {
 public:
  /// OWNERSHIP: `loop` and `pool` outlive the table; the table outlives every use of its tickets.
  /// `pool` null: placement on the pool fails as unavailable.
  TicketTable(loop::Loop& loop, loop::Pool* pool, TicketLimits limits = {});
  ~TicketTable();
  TicketTable(const TicketTable&) = delete;
  TicketTable& operator=(const TicketTable&) = delete;

  /// A ticket for one run of `action`; 0: all slots are taken (answer kBusy). Results that come on
  /// this loop's thread are copied into `arena`.
  sub0_ticket open(RunOwner& owner, const PreparedAction& action, Arena& arena);

  /// Runs it, on this thread or the pool as placed, or lets it wait for max_running. REQUIRES:
  /// run.ticket is from open(), not run yet. Everything reachable from `run` lives as RunOwner
  /// says; only if the handler completes in run may inputs be borrowed until run() returns. ERRORS:
  /// are outcomes: kInternal (threw, broke its promise), kBusy, kUnavailable. `is_let_through`: it
  /// does not wait for max_running: others may hold all its places until this one has run.
  RunState run(const sub0_run& run, bool is_let_through = false);

  bool isSettled(sub0_ticket ticket) const;

  /// REQUIRES: settled. Valid until close(); what is_in_arena, as long as the arena and the inputs.
  const Outcome& outcome(sub0_ticket ticket) const;

  /// The owner is through with it. True: it is over. False: the plugin may still use the inputs,
  /// onFreed() comes. Of a run that has not ended the outcome will be dropped. A blob is released.
  bool close(sub0_ticket ticket);

  /// Gives up at the deadline: tells the plugin (cancel), counts the run as never ended, closes.
  bool abandon(sub0_ticket ticket);

  /// Tells the plugin that nobody waits any more; the run goes on. No effect once it has ended.
  void cancel(sub0_ticket ticket);

  /// Who opened it, or null if the ticket is stale or closed.
  RunOwner* owner(sub0_ticket ticket) const;
  Handler* handler(sub0_ticket ticket) const;

  /// THREAD: any. Ends a run of `plugin`; SUB0_OK, SUB0_STALE_TICKET, SUB0_INVALID_ARGUMENT (then
  /// the run ends as internal, since nothing better will come), SUB0_RESULT_TOO_LARGE (likewise).
  int32_t endWithValue(Plugin& plugin, sub0_ticket ticket, const sub0_value* copied);
  int32_t endWithBlob(Plugin& plugin, sub0_ticket ticket, const sub0_blob* taken);
  int32_t endWithError(Plugin& plugin, sub0_ticket ticket, const sub0_error* copied);

  loop::Loop& loop() { return loop_; }

  /// Slots in use, of runs that were given up too.
  std::size_t openCount() const { return open_count_; }

  static std::uint32_t loopOf(sub0_ticket ticket) {
    return static_cast<std::uint32_t>(ticket >> 56);
  }

  /// What this loop's thread executes of a plugin now; other callbacks of plugins mark it as well.
  RunningMark& mark() { return mark_; }

 private:
  friend struct Slot;
  static constexpr std::uint32_t kChunkSlots = 256;
  static constexpr std::uint32_t kMaxChunks = 4096;

  // Slots
  Slot* find(sub0_ticket ticket) const;  // its generation matches
  bool addChunk();
  void recycle(Slot& slot);
  void releaseBlob(const Slot& slot);
  // Running
  RunState begin(Slot& slot);
  RunState runOnLoop(Slot& slot);
  void runInPool(Slot& slot);
  bool callRun(Slot& slot, RunningMark* mark);
  bool enterRunning(Slot& slot);
  static void leaveRunning(Handler& handler);
  bool stopWaiting(Slot& slot);
  void onGranted(Slot& slot);
  // Ending
  Slot* claim(Plugin& plugin, sub0_ticket ticket, int32_t* status);
  Arena& resultArena(Slot& slot, bool is_within_run);
  int32_t takeValue(Slot& slot, const sub0_value* value, const sub0_blob* blob, bool is_within_run);
  void takeError(Slot& slot, Code code, std::string_view client, std::string_view log_text,
                 bool is_within_run);
  void settleOnLoop(Slot& slot, Code code, std::string_view log_text);
  void settleInPool(Slot& slot, Code code, std::string_view log_text);
  void refuseBlob(Plugin& plugin, const sub0_blob& blob);
  bool isWithinRun(sub0_ticket ticket) const;
  void publish(Slot& slot, bool is_within_run);
  void setReturned(Slot& slot);
  void queue(Slot& slot);
  // After the end, on the loop
  void onReady(Slot& slot);
  bool closeSlot(Slot& slot);

  loop::Loop& loop_;
  loop::Pool* pool_;
  const TicketLimits limits_;
  std::array<std::atomic<Slot*>, kMaxChunks> chunks_{};
  std::uint32_t chunk_count_ = 0;
  Slot* free_ = nullptr;
  std::size_t open_count_ = 0;
  std::uint32_t sample_ = 0;
  RunningMark mark_;
};

}  // namespace sub0::plugin
