// SPDX-License-Identifier: Apache-2.0
#include "plugin/ticket_table.hpp"

#include <algorithm>
#include <cassert>
#include <thread>

#include "plugin/crash_report.hpp"
#include "plugin/slot.hpp"

namespace sub0::plugin {
namespace {

constexpr std::size_t kKeptArenaBytes = std::size_t{64} << 10;
constexpr std::uint32_t kSampleEvery = 16;

}  // namespace

TicketTable::TicketTable(loop::Loop& loop, loop::Pool* pool, TicketLimits limits)
    : loop_(loop), pool_(pool), limits_(limits) {
  assert(loop.index() < kMaxLoops);
}

TicketTable::~TicketTable() {
  // Letters of slots that are still in the mailbox must not outlive them.
  loop_.mailbox().drain();
  for (std::uint32_t chunk = 0; chunk < chunk_count_; ++chunk) {
    Slot* slots = chunks_[chunk].load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < kChunkSlots; ++i) {
      if (slots[i].has_blob) releaseBlob(slots[i]);
    }
    delete[] slots;
  }
}

bool TicketTable::addChunk() {
  if (chunk_count_ == kMaxChunks) return false;
  auto* slots = new Slot[kChunkSlots];
  for (std::uint32_t i = kChunkSlots; i-- > 0;) {
    Slot& slot = slots[i];
    slot.table = this;
    slot.index = chunk_count_ * kChunkSlots + i;
    slot.task.slot = slot.letter.slot = &slot;
    slot.state.store(static_cast<std::uint64_t>(limits_.first_generation) << 32 | kClaimed,
                     std::memory_order_relaxed);
    slot.next_free = free_;
    free_ = &slot;
  }
  chunks_[chunk_count_++].store(slots, std::memory_order_release);
  return true;
}

sub0_ticket TicketTable::open(RunOwner& owner, const PreparedAction& action, Arena& arena) {
  assert(action.handler != nullptr);
  if (free_ == nullptr && !addChunk()) {
    action.handler->counters.refused_busy.fetch_add(1, std::memory_order_relaxed);
    return 0;
  }
  Slot& slot = *free_;
  free_ = slot.next_free;
  ++open_count_;
  slot.owner = &owner;
  slot.action = &action;
  slot.arena = &arena;
  slot.run = nullptr;
  slot.handler.store(action.handler, std::memory_order_relaxed);
  const std::uint64_t generation = slot.state.load(std::memory_order_relaxed) >> 32;
  slot.state.store(generation << 32 | kReturned, std::memory_order_release);
  return slot.ticket();
}

void TicketTable::releaseBlob(const Slot& slot) {
  const Handler& handler = *slot.handler.load(std::memory_order_relaxed);
  const CallSite& site = slot.action != nullptr ? *slot.action->site : handler.site;
  callPlugin(site, "release of a result", 0, &mark_, [&] { slot.blob.release(slot.blob.owner); });
}

void TicketTable::recycle(Slot& slot) {
  assert(slot.owner != nullptr);
  if (slot.is_abandoned) {
    Handler& handler = *slot.handler.load(std::memory_order_relaxed);
    handler.counters.abandoned.fetch_sub(1, std::memory_order_relaxed);
  }
  if (slot.has_blob) releaseBlob(slot);
  if (slot.uses_own_arena) {
    slot.own_arena->reset();
    if (slot.own_arena->capacity() > kKeptArenaBytes) slot.own_arena.reset();
  }
  slot.outcome = Outcome{};
  slot.owner = nullptr;
  slot.has_blob = slot.uses_own_arena = slot.is_told = slot.is_owner_free = false;
  slot.is_abandoned = slot.is_waiting = slot.holds_running = false;
  --open_count_;
  const auto generation =
      static_cast<std::uint32_t>(slot.state.load(std::memory_order_relaxed) >> 32);
  if (generation == UINT32_MAX) {  // retired: its tickets must not come round again
    slot.state.store(kClaimed | kClosed, std::memory_order_release);
    return;
  }
  slot.state.store((static_cast<std::uint64_t>(generation) + 1) << 32 | kClaimed,
                   std::memory_order_release);
  slot.next_free = free_;
  free_ = &slot;
}

RunState TicketTable::run(const sub0_run& run, bool is_let_through) {
  Slot* slot = find(run.ticket);
  assert(slot != nullptr && slot->run == nullptr && "a ticket from open(), run once");
  slot->run = &run;
  Handler& handler = *slot->action->handler;
  if (handler.counters.abandoned.load(std::memory_order_relaxed) >= kMaxAbandoned) {
    handler.counters.refused_unavailable.fetch_add(1, std::memory_order_relaxed);
    settleOnLoop(*slot, Code::kUnavailable, "too many runs of this handler were never ended");
    return RunState::kSettled;
  }
  if (handler.table->max_running != 0 && !is_let_through && !enterRunning(*slot)) {
    return slot->is_waiting ? RunState::kPending : RunState::kSettled;
  }
  return begin(*slot);
}

inline RunState TicketTable::begin(Slot& slot) {
  // A call may go on while plugins stop: after `stop` no run comes any more.
  if (slot.action->handler->plugin->life.load(std::memory_order_relaxed) >= Life::kStopping) {
    slot.action->handler->counters.refused_unavailable.fetch_add(1, std::memory_order_relaxed);
    settleOnLoop(slot, Code::kUnavailable, "the plugin has stopped");
    if (slot.holds_running) leaveRunning(*slot.action->handler);
    return RunState::kSettled;
  }
  slot.action->handler->counters.runs_of_loop[loop_.index()].add();
  const std::uint64_t generation = slot.state.load(std::memory_order_relaxed) & ~0xffffffffULL;
  if (slot.action->placement == Placement::kLoop) {
    slot.state.store(generation | kStarted, std::memory_order_release);
    return runOnLoop(slot);
  }
  slot.state.store(generation, std::memory_order_release);
  if (pool_ != nullptr && pool_->submit([&slot] { slot.table->runInPool(slot); })) {
    return RunState::kPending;
  }
  slot.state.store(generation | kReturned, std::memory_order_release);
  if (pool_ != nullptr) {
    slot.action->handler->counters.refused_busy.fetch_add(1, std::memory_order_relaxed);
  }
  settleOnLoop(slot, pool_ != nullptr ? Code::kBusy : Code::kUnavailable, "no room in the pool");
  if (slot.holds_running) leaveRunning(*slot.action->handler);
  return RunState::kSettled;
}

inline bool TicketTable::callRun(Slot& slot, RunningMark* mark) {
  const PreparedAction& action = *slot.action;
  return callPlugin(*action.site, "run", slot.run->ticket, mark,
                    [&] { action.handler->table->run(action.action, slot.run); });
}

inline RunState TicketTable::runOnLoop(Slot& slot) {
  Handler& handler = *slot.action->handler;
  // A clock read costs as much as a small run: those that end at once are sampled, and the watchdog
  // sees the others that hold the loop.
  const bool is_measured = !handler.completesInRun() || ++sample_ % kSampleEvery == 0;
  const std::int64_t started_ns = is_measured ? loop_.io().monotonicNs() : 0;
  const bool has_returned = callRun(slot, &mark_);
  if (is_measured) {
    noteDuration(*slot.action->site, "run", loop_.io().monotonicNs() - started_ns, mark_);
  }
  if (!has_returned) settleOnLoop(slot, Code::kInternal, "the plugin threw an exception");
  std::uint64_t state = slot.state.load(std::memory_order_acquire);
  if ((state & kEnded) == 0 && handler.completesInRun()) {
    handler.counters.broken_promises.fetch_add(1, std::memory_order_relaxed);
    logFault(*slot.action->site, "run returned without the end that COMPLETES_IN_RUN promises");
    settleOnLoop(slot, Code::kInternal, "the plugin did not end its run");
    // Another thread may be in the middle of ending it, within our code: the inputs end with us.
    while (((state = slot.state.load(std::memory_order_acquire)) & kEnded) == 0) {
      std::this_thread::yield();
    }
  }
  if ((state & (kEnded | kQueued)) == kEnded) {
    slot.state.store(state | kReturned, std::memory_order_release);  // nobody else is left
  } else {
    state = slot.state.fetch_or(kReturned, std::memory_order_acq_rel);
  }
  if ((state & kEnded) == 0) return RunState::kPending;
  if (slot.holds_running) leaveRunning(handler);
  slot.is_told = true;
  return RunState::kSettled;
}

void TicketTable::runInPool(Slot& slot) {
  giveCrashStack();
  Handler& handler = *slot.action->handler;
  const std::uint64_t before = slot.state.fetch_or(kStarted, std::memory_order_acq_rel);
  if ((before & kClosed) != 0) {
    settleInPool(slot, Code::kTimeout, {});
  } else if (!callRun(slot, nullptr)) {
    settleInPool(slot, Code::kInternal, "the plugin threw an exception");
  } else if (handler.completesInRun() &&
             (slot.state.load(std::memory_order_acquire) & kClaimed) == 0) {
    handler.counters.broken_promises.fetch_add(1, std::memory_order_relaxed);
    logFault(*slot.action->site, "run returned without the end that COMPLETES_IN_RUN promises");
    settleInPool(slot, Code::kInternal, "the plugin did not end its run");
  }
  setReturned(slot);
}

void TicketTable::setReturned(Slot& slot) {
  // Once the slot is over and the loop knows, it may be gone: take what is needed before.
  Handler& handler = *slot.action->handler;
  const bool holds_running = slot.holds_running;
  std::uint64_t state = slot.state.load(std::memory_order_acquire);
  std::uint64_t next = 0;
  bool must_queue = false;
  do {
    must_queue = (state & (kEnded | kQueued)) == kEnded;
    next = state | kReturned | (must_queue ? kQueued : 0);
  } while (!slot.state.compare_exchange_weak(state, next, std::memory_order_acq_rel,
                                             std::memory_order_acquire));
  if ((state & kEnded) != 0 && holds_running) leaveRunning(handler);
  if (must_queue) queue(slot);
}

bool TicketTable::enterRunning(Slot& slot) {
  Handler& handler = *slot.action->handler;
  bool is_full = false;
  {
    const std::lock_guard lock(handler.waiting_mutex);
    std::atomic<std::int64_t>& running = handler.counters.running;
    if (running.load(std::memory_order_relaxed) < std::int64_t{handler.table->max_running}) {
      running.fetch_add(1, std::memory_order_relaxed);
      slot.holds_running = true;
      return true;
    }
    is_full = handler.waiting.size() >= kMaxWaiting;
    if (!is_full) handler.waiting.push_back(&slot);
  }
  slot.is_waiting = !is_full;
  if (is_full) {
    handler.counters.refused_busy.fetch_add(1, std::memory_order_relaxed);
    settleOnLoop(slot, Code::kBusy, "too many runs of this handler wait already");
  }
  return false;
}

void TicketTable::leaveRunning(Handler& handler) {
  Slot* next = nullptr;
  {
    const std::lock_guard lock(handler.waiting_mutex);
    if (handler.waiting.empty()) {
      handler.counters.running.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    next = handler.waiting.front();
    handler.waiting.pop_front();
    next->holds_running = true;  // the place goes over to it
    next->state.fetch_or(kGranted | kQueued, std::memory_order_acq_rel);
  }
  next->table->queue(*next);
}

bool TicketTable::stopWaiting(Slot& slot) {
  Handler& handler = *slot.action->handler;
  const std::lock_guard lock(handler.waiting_mutex);
  const auto found = std::find(handler.waiting.begin(), handler.waiting.end(), &slot);
  if (found == handler.waiting.end()) return false;  // granted just now, its letter is under way
  handler.waiting.erase(found);
  return true;
}

void TicketTable::onGranted(Slot& slot) {
  slot.is_waiting = false;
  if (slot.is_owner_free) {
    leaveRunning(*slot.handler.load(std::memory_order_relaxed));
    recycle(slot);
    return;
  }
  if (begin(slot) == RunState::kPending) return;
  slot.is_told = true;
  slot.owner->onSettled(slot.ticket());
}

void TicketTable::queue(Slot& slot) {
  if (loop::Loop::current() == &loop_) {
    loop_.schedule(loop::Phase::kReady, slot.task);
  } else {
    loop_.send(slot.letter);
  }
}

void TicketTable::onReady(Slot& slot) {
  const std::uint64_t state =
      slot.state.fetch_and(~(kQueued | kGranted), std::memory_order_acq_rel);
  assert((state & kQueued) != 0);
  if ((state & kGranted) != 0) {
    onGranted(slot);
  } else if ((state & kClosed) != 0) {
    if ((state & kOver) != kOver) return;  // the other half is still to come
    RunOwner* const owner = slot.is_owner_free ? nullptr : slot.owner;
    const sub0_ticket ticket = slot.ticket();
    recycle(slot);
    if (owner != nullptr) owner->onFreed(ticket);
  } else if ((state & kEnded) != 0 && !slot.is_told) {
    slot.is_told = true;
    slot.owner->onSettled(slot.ticket());
  }
}

bool TicketTable::isSettled(sub0_ticket ticket) const {
  const Slot* slot = find(ticket);
  return slot != nullptr && (slot->state.load(std::memory_order_acquire) & kEnded) != 0;
}

const Outcome& TicketTable::outcome(sub0_ticket ticket) const {
  const Slot* slot = find(ticket);
  assert(slot != nullptr && (slot->state.load(std::memory_order_acquire) & kEnded) != 0);
  return slot->outcome;
}

bool TicketTable::close(sub0_ticket ticket) {
  Slot* slot = find(ticket);
  assert(slot != nullptr && !slot->is_owner_free);
  return slot == nullptr || closeSlot(*slot);
}

inline bool TicketTable::closeSlot(Slot& slot) {
  const std::uint64_t seen = slot.state.load(std::memory_order_acquire);
  if ((seen & (kOver | kQueued)) == kOver || slot.run == nullptr) {
    recycle(slot);
    return true;
  }
  if (slot.is_waiting) {
    const bool is_removed = stopWaiting(slot);
    slot.state.fetch_or(kClaimed | kEnded | kClosed, std::memory_order_acq_rel);
    slot.freeOwner();
    if (is_removed) recycle(slot);
    return true;
  }
  const std::uint64_t state = slot.state.fetch_or(kClosed, std::memory_order_acq_rel);
  if ((state & kOver) == kOver) {
    slot.freeOwner();
    return true;
  }
  slot.is_abandoned = true;
  slot.action->handler->counters.abandoned.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void TicketTable::cancel(sub0_ticket ticket) {
  Slot* slot = find(ticket);
  if (slot == nullptr || slot->run == nullptr) return;
  const std::uint64_t state = slot->state.load(std::memory_order_acquire);
  if ((state & kEnded) != 0 || (state & kStarted) == 0) return;
  Handler& handler = *slot->action->handler;
  callPlugin(*slot->action->site, "cancel", 0, &mark_,
             [&] { handler.table->cancel(slot->action->action, ticket); });
}

bool TicketTable::abandon(sub0_ticket ticket) {
  Slot* slot = find(ticket);
  assert(slot != nullptr);
  if (slot == nullptr) return true;
  const std::uint64_t state = slot->state.load(std::memory_order_acquire);
  if ((state & (kEnded | kStarted)) == kStarted) {
    Handler& handler = *slot->action->handler;
    handler.counters.never_ended.fetch_add(1, std::memory_order_relaxed);
    logFault(*slot->action->site, "a run was not ended before its deadline");
    cancel(ticket);
  }
  return closeSlot(*slot);
}

RunOwner* TicketTable::owner(sub0_ticket ticket) const {
  const Slot* slot = find(ticket);
  const bool is_open =
      slot != nullptr && (slot->state.load(std::memory_order_acquire) & kClosed) == 0;
  return is_open ? slot->owner : nullptr;
}

Handler* TicketTable::handler(sub0_ticket ticket) const {
  const Slot* slot = find(ticket);
  const bool is_open = slot != nullptr && slot->owner != nullptr;
  return is_open ? slot->handler.load(std::memory_order_relaxed) : nullptr;
}

}  // namespace sub0::plugin
