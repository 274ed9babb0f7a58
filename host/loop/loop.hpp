// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/count.hpp"
#include "loop/io.hpp"
#include "loop/mailbox.hpp"
#include "loop/task.hpp"
#include "loop/timer_wheel.hpp"

namespace sub0::loop {

/// Is told of readiness. OWNERSHIP: the watcher's; after unwatch() no event comes, not even one
/// already fetched.
class EventSink {
 public:
  virtual void onEvent(std::uint32_t flags) = 0;  // kReadable | kWritable | kHangup

 protected:
  ~EventSink() = default;
};

/// Slot and generation of a watch; 0 is none.
using WatchHandle = std::uint64_t;

/// When a task runs within a turn.
enum class Phase : std::uint8_t {
  kEndOfTurn,  // step 4: plugins' end-of-turn callbacks
  kReady,      // step 5: calls that can go on; repeats with step 4 while there is work, at most 8
               // rounds
  kFlush,      // once: one send per connection touched
  kReap,       // once, last: closed connections and ended calls are freed
};

/// A thread's event loop: its own Io, timers, mailbox and task lists. turn() waits, then does one
/// round of timers, mailbox, sockets, end-of-turn, ready, flush, reap and is what a thread, or a
/// test, calls. It knows no protocol. THREAD: everything is the loop's own thread, except send(),
/// post(), stop() and index().
class Loop {
 public:
  static constexpr std::size_t kReadBytes = std::size_t{64} << 10;
  static constexpr std::size_t kSpareBytes = 64;  // readable behind the buffer's end (simdjson)

  /// OWNERSHIP: `io` must outlive the loop.
  Loop(std::uint32_t index, Io& io);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  std::uint32_t index() const { return index_; }
  Io& io() { return io_; }

  /// One turn; waits at most `max_wait_ns` (negative: no limit) if nothing is ready.
  void turn(std::int64_t max_wait_ns = -1);

  /// Turns until stop(). Marks this thread as the loop's (current()).
  void run();
  /// THREAD: any.
  void stop();
  bool isStopping() const { return stopping_.load(std::memory_order_acquire); }

  /// The loop whose turn this thread is in, or null.
  static Loop* current();
  /// For a scheduler that switches between loops on one thread (simulation): says whose turn this
  /// thread is in from now on, and returns whose it was.
  static Loop* exchangeCurrent(Loop* loop);

  /// THREAD: any. Turns begun so far, and whether it waits for events: a turn that is the same and
  /// does not wait is one that lasts.
  std::uint64_t turnCount() const { return turns_.get(); }
  bool isAsleep() const { return asleep_.load(std::memory_order_relaxed); }

  /// The turn's clock.
  std::int64_t nowNs() const { return now_ns_; }

  /// ERRORS: 0 if the descriptor cannot be watched.
  WatchHandle watch(int descriptor, std::uint32_t interest, EventSink& sink);
  void rewatch(WatchHandle handle, std::uint32_t interest);
  void unwatch(WatchHandle handle);

  void startTimer(Timer& timer, std::int64_t delay_ms) { timers_.start(timer, delay_ms); }
  void schedule(Phase phase, Task& task) { lists_[static_cast<std::size_t>(phase)].push(task); }

  /// THREAD: any. Runs the letter on this loop; wakes it if it sleeps.
  void send(Letter& letter);
  Mailbox& mailbox() { return mailbox_; }
  /// Runs what has arrived, as in a turn; true if there was something. REQUIRES: the loop does not
  /// run.
  bool drainMailbox();
  /// THREAD: any. The same for a function (allocates).
  void post(std::function<void()> function);

  /// The buffer that connections read into, kReadBytes long, kSpareBytes more readable behind it.
  char* readBuffer() { return read_buffer_.get(); }

 private:
  struct Watch {
    EventSink* sink = nullptr;
    int descriptor = -1;
    std::uint32_t generation = 1;
  };
  Watch* find(WatchHandle handle);
  void dispatchEvents(std::int64_t max_wait_ns);
  void runRounds();
  std::int64_t waitNs(std::int64_t max_wait_ns) const;

  const std::uint32_t index_;
  Io& io_;
  std::int64_t now_ns_;
  TimerWheel timers_;
  Mailbox mailbox_;
  TaskList lists_[4];
  std::vector<Watch> watches_;
  std::vector<std::uint32_t> free_watches_;
  std::unique_ptr<char[]> read_buffer_;
  Count turns_;
  std::atomic<bool> asleep_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace sub0::loop
