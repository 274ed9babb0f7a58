// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace sub0::query {

// How fast a reading statement was, shared by all loops: where it belongs. On a loop a read by key
// takes microseconds, and one that takes long holds up everybody. So a statement that was slow
// twice is executed by the reading threads from then on; a machine that was busy for a moment also
// looks slow, so one that is fast there for a while returns. THREAD: any; it is about order of
// magnitude, and two threads that count at once may lose a count.
class ReadPace {
 public:
  static constexpr std::chrono::milliseconds kSlow{1};
  static constexpr std::chrono::microseconds kFast{250};
  static constexpr std::uint32_t kSlowRuns = 2;
  static constexpr std::uint32_t kFastRuns = 64;

  bool isSlow() const { return is_slow_.load(std::memory_order_relaxed); }

  void tookOnLoop(std::chrono::nanoseconds time) {
    if (time > kSlow && slow_runs_.fetch_add(1, std::memory_order_relaxed) + 1 >= kSlowRuns) {
      moveOff();
    }
  }
  // At once: it was stopped on the loop.
  void moveOff() {
    fast_runs_.store(0, std::memory_order_relaxed);
    is_slow_.store(true, std::memory_order_relaxed);
  }
  void tookOffLoop(std::chrono::nanoseconds time) {
    if (time > kFast) {
      fast_runs_.store(0, std::memory_order_relaxed);
    } else if (fast_runs_.fetch_add(1, std::memory_order_relaxed) + 1 >= kFastRuns) {
      slow_runs_.store(0, std::memory_order_relaxed);
      is_slow_.store(false, std::memory_order_relaxed);
    }
  }

 private:
  std::atomic<bool> is_slow_{false};
  std::atomic<std::uint32_t> slow_runs_{0};
  std::atomic<std::uint32_t> fast_runs_{0};
};

}  // namespace sub0::query
