// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace sub0::loop {

/// Threads that may block: name look-ups, hashes, plugins' pool work. Bounded; results come back by
/// a loop's mailbox.
class Pool {
 public:
  /// `begin` is run by each thread first.
  explicit Pool(std::size_t threads, std::size_t max_waiting = 1000,
                const std::function<void()>& begin = {});
  /// Runs what is queued, then joins.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// THREAD: any. False: `max_waiting` pieces of work wait already, or so many of this `owner` (0:
  /// of nobody) that it would have more of them than it leaves room for others. So one owner gets
  /// half of the places, the next half of the rest: nobody can fill them alone.
  bool submit(std::function<void()> work, std::uint64_t owner = 0);
  /// THREAD: any. Pieces of work that no thread has begun.
  std::size_t waitingCount() const;

  /// Runs the oldest waiting piece of work on this thread; false: none waits. For a pool without
  /// threads (simulation).
  bool runOne();
  bool hasWork();

 private:
  struct Piece {
    std::function<void()> work;
    std::uint64_t owner = 0;
  };

  void work();
  bool hasRoom(std::uint64_t owner) const;
  std::function<void()> takeNext();

  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> queue_;
  std::unordered_map<std::uint64_t, std::size_t> waiting_of_;  // by owner; none: no entry
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sub0::loop
