// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sub0::loop {
namespace {

constexpr int kMaxRounds = 8;
thread_local Loop* t_current = nullptr;

/// Marks this thread as the loop's for the time of a turn.
class CurrentLoop {
 public:
  explicit CurrentLoop(Loop* loop) : outer_(std::exchange(t_current, loop)) {}
  ~CurrentLoop() { t_current = outer_; }
  CurrentLoop(const CurrentLoop&) = delete;
  CurrentLoop& operator=(const CurrentLoop&) = delete;

 private:
  Loop* outer_;
};

class FunctionLetter final : public Letter {
 public:
  explicit FunctionLetter(std::function<void()> function) : function_(std::move(function)) {}
  void run() override {
    const std::unique_ptr<FunctionLetter> self(this);
    function_();
  }

 private:
  std::function<void()> function_;
};

}  // namespace

Loop::Loop(std::uint32_t index, Io& io)
    : index_(index),
      io_(io),
      now_ns_(io.monotonicNs()),
      timers_(now_ns_),
      read_buffer_(std::make_unique<char[]>(kReadBytes + kSpareBytes)) {}

Loop::~Loop() {
  // Letters that nobody has read still own what they carry.
  drainMailbox();
}

bool Loop::drainMailbox() {
  const CurrentLoop current(this);
  return mailbox_.drain();
}

Loop* Loop::current() { return t_current; }

Loop* Loop::exchangeCurrent(Loop* loop) { return std::exchange(t_current, loop); }

void Loop::turn(std::int64_t max_wait_ns) {
  const CurrentLoop current(this);
  turns_.add();
  dispatchEvents(max_wait_ns);
  runRounds();
  lists_[static_cast<std::size_t>(Phase::kFlush)].runQueued();
  lists_[static_cast<std::size_t>(Phase::kReap)].runQueued();
}

void Loop::dispatchEvents(std::int64_t max_wait_ns) {
  std::int64_t wait_ns = waitNs(max_wait_ns);
  if (wait_ns != 0) {
    // Senders wake only a sleeper: say so first, then look again (a letter may have come in
    // between).
    asleep_.store(true, std::memory_order_seq_cst);
    if (!mailbox_.empty() || isStopping()) wait_ns = 0;
  }
  const auto events = io_.wait(wait_ns);
  asleep_.store(false, std::memory_order_relaxed);
  now_ns_ = io_.monotonicNs();
  timers_.advance(now_ns_);
  mailbox_.drain();
  for (const IoEvent& event : events) {
    Watch* watch = find(event.token);
    if (watch != nullptr) watch->sink->onEvent(event.flags);
  }
}

std::int64_t Loop::waitNs(std::int64_t max_wait_ns) const {
  const bool is_ready = std::any_of(std::begin(lists_), std::end(lists_),
                                    [](const TaskList& list) { return !list.empty(); });
  if (is_ready) return 0;
  const std::int64_t timer_ns = timers_.untilNextNs(now_ns_);
  if (timer_ns < 0) return max_wait_ns;
  return max_wait_ns < 0 ? timer_ns : std::min(timer_ns, max_wait_ns);
}

void Loop::runRounds() {
  TaskList& end_of_turn = lists_[static_cast<std::size_t>(Phase::kEndOfTurn)];
  TaskList& ready = lists_[static_cast<std::size_t>(Phase::kReady)];
  for (int round = 0; round < kMaxRounds; ++round) {
    const bool has_ended = end_of_turn.runQueued();
    const bool has_advanced = ready.runQueued();
    if (!has_ended && !has_advanced) return;
  }
}

void Loop::run() {
  while (!isStopping()) turn();
}

void Loop::stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  io_.wake();
}

Loop::Watch* Loop::find(WatchHandle handle) {
  const auto slot = static_cast<std::uint32_t>(handle);
  if (slot >= watches_.size()) return nullptr;
  Watch& watch = watches_[slot];
  const bool is_current = watch.generation == static_cast<std::uint32_t>(handle >> 32);
  return is_current && watch.sink != nullptr ? &watch : nullptr;
}

WatchHandle Loop::watch(int descriptor, std::uint32_t interest, EventSink& sink) {
  std::uint32_t slot = 0;
  if (free_watches_.empty()) {
    slot = static_cast<std::uint32_t>(watches_.size());
    watches_.emplace_back();
  } else {
    slot = free_watches_.back();
    free_watches_.pop_back();
  }
  Watch& watch = watches_[slot];
  const WatchHandle handle = static_cast<WatchHandle>(watch.generation) << 32 | slot;
  if (!io_.watch(descriptor, interest, handle)) {
    free_watches_.push_back(slot);
    return 0;
  }
  watch.sink = &sink;
  watch.descriptor = descriptor;
  return handle;
}

void Loop::rewatch(WatchHandle handle, std::uint32_t interest) {
  const Watch* watch = find(handle);
  assert(watch != nullptr);
  if (watch != nullptr) io_.rewatch(watch->descriptor, interest, handle);
}

void Loop::unwatch(WatchHandle handle) {
  Watch* watch = find(handle);
  if (watch == nullptr) return;
  io_.unwatch(watch->descriptor);
  watch->sink = nullptr;
  watch->descriptor = -1;
  if (++watch->generation == 0) watch->generation = 1;
  free_watches_.push_back(static_cast<std::uint32_t>(handle));
}

void Loop::send(Letter& letter) {
  // In the one order of all sequentially consistent steps either the loop's look at the mailbox
  // sees the letter, or this look sees that it sleeps.
  mailbox_.send(letter);
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false)) io_.wake();
}

void Loop::post(std::function<void()> function) { send(*new FunctionLetter(std::move(function))); }

}  // namespace sub0::loop
