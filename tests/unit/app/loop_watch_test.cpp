// SPDX-License-Identifier: Apache-2.0
#include "app/loop_watch.hpp"

#include <gtest/gtest.h>

#include "loop/real_io.hpp"

namespace sub0::app {
namespace {

constexpr std::int64_t kMs = 1'000'000;

/// A loop between two turns looks like one in a long turn: it does not sleep.
class LoopWatchTest : public ::testing::Test {
 protected:
  std::int64_t nowMs(std::int64_t at_ms) const { return watch.blockedNowNs(0, at_ms * kMs) / kMs; }
  std::uint64_t totalMs() const { return watch.blockedNs(0) / kMs; }
  void look(std::int64_t at_ms) { watch.look(at_ms * kMs); }

  loop::RealIo io;
  loop::Loop loop{0, io};
  LoopWatch watch{{&loop}};
};

TEST_F(LoopWatchTest, ALoopThatHasNotBegunIsNotBlocked) {
  look(50);
  look(1000);
  EXPECT_EQ(nowMs(1000), 0);
  EXPECT_EQ(totalMs(), 0U);
}

TEST_F(LoopWatchTest, ATurnThatLastsIsBlockedFromItsFirstLook) {
  loop.turn(0);
  look(50);
  look(100);
  look(149);
  EXPECT_EQ(nowMs(149), 0);
  EXPECT_EQ(totalMs(), 0U);
  look(150);
  EXPECT_EQ(nowMs(150), 100);
  EXPECT_EQ(totalMs(), 100U);
  look(400);
  EXPECT_EQ(nowMs(420), 370);
  EXPECT_EQ(totalMs(), 350U);
}

TEST_F(LoopWatchTest, TheNextTurnEndsIt) {
  loop.turn(0);
  look(50);
  look(250);
  loop.turn(0);
  look(300);
  EXPECT_EQ(nowMs(5000), 0) << "one look tells nothing";
  EXPECT_EQ(totalMs(), 200U);
  look(350);
  EXPECT_EQ(nowMs(399), 0);
  look(450);
  EXPECT_EQ(totalMs(), 350U);
}

TEST_F(LoopWatchTest, LoopsThatTurnAreNeverBlocked) {
  for (int i = 1; i < 100; ++i) {
    loop.turn(0);
    look(i * 50);
  }
  EXPECT_EQ(totalMs(), 0U);
  EXPECT_EQ(watch.lookedNs(), 99 * 50 * kMs);
}

}  // namespace
}  // namespace sub0::app
