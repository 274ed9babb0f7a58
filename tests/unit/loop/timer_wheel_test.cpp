// SPDX-License-Identifier: Apache-2.0
#include "loop/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace sub0::loop {
namespace {

constexpr std::int64_t kMs = 1'000'000;

class RecordingTimer final : public Timer {
 public:
  void onTimer() override {
    ++fired;
    if (restart_on != nullptr) restart_on->start(*this, restart_delay_ms);
  }
  int fired = 0;
  TimerWheel* restart_on = nullptr;
  std::int64_t restart_delay_ms = 0;
};

TEST(TimerWheel, FiresNeverEarlyAndAtMostTwoTicksLate) {
  for (const std::int64_t delay_ms :
       {0, 1, 2, 255, 256, 257, 1000, 65'535, 65'536, 65'537, 1'000'000}) {
    TimerWheel wheel(7 * kMs + 999'999);
    RecordingTimer timer;
    wheel.start(timer, delay_ms);
    wheel.advance((7 + delay_ms) * kMs + 999'998);
    EXPECT_EQ(timer.fired, 0) << delay_ms;
    wheel.advance((7 + delay_ms + 1) * kMs + 999'999);
    EXPECT_EQ(timer.fired, 1) << delay_ms;
    EXPECT_FALSE(timer.isRunning());
  }
}

TEST(TimerWheel, WakesInTimeForEveryTimer) {
  // Only what untilNextNs() asks for is waited: every timer must still fire at its tick.
  std::mt19937 random(4711);  // a fixed seed of a test
  for (int round = 0; round < 200; ++round) {
    std::int64_t now = static_cast<std::int64_t>(random() % 100'000) * kMs;
    TimerWheel wheel(now);
    std::vector<std::unique_ptr<RecordingTimer>> timers;
    std::vector<std::int64_t> due;
    for (int i = 0; i < 5; ++i) {
      timers.push_back(std::make_unique<RecordingTimer>());
      const std::int64_t delay = static_cast<std::int64_t>(random() % (i == 0 ? 200'000 : 2'000));
      wheel.start(*timers.back(), delay);
      due.push_back(now + (delay + 1) * kMs);
    }
    for (int step = 0; step < 5'000; ++step) {
      const std::int64_t wait = wheel.untilNextNs(now);
      if (wait < 0) break;
      now += wait;
      wheel.advance(now);
      for (std::size_t i = 0; i < due.size(); ++i) {
        EXPECT_EQ(timers[i]->fired, now >= due[i] ? 1 : 0) << "round " << round << " timer " << i;
      }
    }
    for (const auto& timer : timers) EXPECT_EQ(timer->fired, 1);
  }
}

TEST(TimerWheel, StoppedTimerDoesNotFireAndAsksForNoWake) {
  TimerWheel wheel(0);
  RecordingTimer near;
  RecordingTimer far;
  wheel.start(near, 10);
  wheel.start(far, 10'000);
  near.stop();
  far.stop();
  EXPECT_EQ(wheel.untilNextNs(0), -1);
  wheel.advance(20'000 * kMs);
  EXPECT_EQ(near.fired + far.fired, 0);
}

TEST(TimerWheel, MayBeRestartedWhileItFires) {
  TimerWheel wheel(0);
  RecordingTimer timer;
  timer.restart_on = &wheel;
  timer.restart_delay_ms = 0;
  wheel.start(timer, 0);
  wheel.advance(5 * kMs);
  EXPECT_EQ(timer.fired, 5);
  EXPECT_TRUE(timer.isRunning());
}

TEST(TimerWheel, RestartMovesTheDeadline) {
  TimerWheel wheel(0);
  RecordingTimer timer;
  wheel.start(timer, 5);
  wheel.start(timer, 500);
  wheel.advance(400 * kMs);
  EXPECT_EQ(timer.fired, 0);
  wheel.advance(501 * kMs);
  EXPECT_EQ(timer.fired, 1);
}

TEST(TimerWheel, DestroyedTimerIsForgotten) {
  TimerWheel wheel(0);
  {
    RecordingTimer timer;
    wheel.start(timer, 5);
  }
  wheel.advance(100 * kMs);
  EXPECT_EQ(wheel.untilNextNs(100 * kMs), -1);
}

}  // namespace
}  // namespace sub0::loop
