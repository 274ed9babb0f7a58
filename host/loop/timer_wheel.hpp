// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sub0::loop {

class TimerWheel;

/// A deadline, embedded in its owner; stops itself when destroyed. One loop's thread.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual void onTimer() = 0;
  bool isRunning() const { return previous_ != nullptr; }
  void stop();

 protected:
  virtual ~Timer() { stop(); }

 private:
  friend class TimerWheel;
  Timer* next_ = nullptr;
  Timer** previous_ = nullptr;  // where the pointer to this node stands
  std::int64_t due_ms_ = 0;
};

/// All deadlines of one loop: a hierarchical wheel of 1 ms, 256 ms and 65 s slots (G. Varghese, T.
/// Lauck, 1987). Starting and stopping are O(1). A timer never fires early, and at most 1 ms late
/// in terms of the loop's clock.
class TimerWheel {
 public:
  explicit TimerWheel(std::int64_t now_ns);

  /// (Re)starts `timer` to fire once, `delay_ms` from the clock of the turn. At most about four
  /// hours; longer is clamped.
  void start(Timer& timer, std::int64_t delay_ms);

  /// Fires what is due. Timers may be started and stopped in onTimer().
  void advance(std::int64_t now_ns);

  /// Nanoseconds until advance() may have something to do; negative: nothing is running.
  std::int64_t untilNextNs(std::int64_t now_ns) const;

 private:
  static constexpr int kLevels = 3;
  static constexpr std::size_t kSlots = 256;
  void insert(Timer& timer);
  void cascade(int level);
  void fireSlot();
  bool hasTimer(std::size_t level, std::size_t slot) const;
  bool hasLaterTimer() const;

  std::array<std::array<Timer*, kSlots>, kLevels> slots_{};
  /// A bit per slot that may hold a timer; cleared when a look finds it empty.
  mutable std::array<std::array<std::uint64_t, kSlots / 64>, kLevels> occupied_{};
  std::int64_t tick_ms_;  // every slot before this one has fired
};

}  // namespace sub0::loop
