// SPDX-License-Identifier: Apache-2.0
#include "store/local_rate_limits.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0::store::local_rate_limits_test {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kAllowed = -1;
const RateRule kTwoInTen{"login", 2, 10 * kSecondNs};

// spec S-94: a window begins with the first call and not with a clock's round minute
TEST(LocalRateLimits, WindowIsOpenedByTheFirstCallAndEndsAllAtOnce) {
  LocalRateLimits limits(1000, "secret");
  EXPECT_EQ(limits.count(kTwoInTen, "a", 7 * kSecondNs), kAllowed);
  EXPECT_EQ(limits.count(kTwoInTen, "a", 16 * kSecondNs), kAllowed);
  EXPECT_EQ(limits.count(kTwoInTen, "a", 16 * kSecondNs), kSecondNs);
  EXPECT_EQ(limits.count(kTwoInTen, "a", 17 * kSecondNs - 1), 1);
  EXPECT_EQ(limits.count(kTwoInTen, "a", 17 * kSecondNs), kAllowed);
  EXPECT_EQ(limits.count(kTwoInTen, "a", 26 * kSecondNs), kAllowed);
  EXPECT_EQ(limits.count(kTwoInTen, "a", 26 * kSecondNs), kSecondNs);
}

// spec S-94: per resource and identifier
TEST(LocalRateLimits, ResourcesAndIdentifiersCountForThemselves) {
  LocalRateLimits limits(1000, "secret");
  const RateRule once{"a", 1, kSecondNs};
  const RateRule other{"ab", 1, kSecondNs};
  EXPECT_EQ(limits.count(once, "bc", 0), kAllowed);
  EXPECT_EQ(limits.count(other, "c", 0), kAllowed) << "a|bc is not ab|c";
  EXPECT_EQ(limits.count(other, "bc", 0), kAllowed);
  EXPECT_EQ(limits.count(once, "", 0), kAllowed);
  EXPECT_EQ(limits.count(once, "", 0), kSecondNs) << "no identifier is one of its own";
  EXPECT_EQ(limits.count(once, "bc", 0), kSecondNs);
  EXPECT_EQ(limits.totals().refused, 2U);
}

// spec S-94: a long identifier takes as much memory as a short one, and is told apart all the same
TEST(LocalRateLimits, LongIdentifiersDifferInTheirLastByte) {
  LocalRateLimits limits(1000, "secret");
  const RateRule once{"a", 1, kSecondNs};
  const std::string text(100'000, 'x');
  EXPECT_EQ(limits.count(once, text + "1", 0), kAllowed);
  EXPECT_EQ(limits.count(once, text + "2", 0), kAllowed);
  EXPECT_EQ(limits.count(once, text + "1", 0), kSecondNs);
}

// spec S-94: a million identifiers neither bloat the host nor reset anybody's window
TEST(LocalRateLimits, FloodOfIdentifiersResetsNobodysWindow) {
  constexpr std::size_t kMost = 800;
  LocalRateLimits limits(kMost, "secret");
  const RateRule once{"a", 1, 100 * kSecondNs};
  EXPECT_EQ(limits.count(once, "victim", 0), kAllowed);
  std::uint64_t allowed = 0;
  for (int i = 0; i < 50'000; ++i) {
    if (limits.count(once, std::to_string(i), kSecondNs) == kAllowed) ++allowed;
  }
  EXPECT_EQ(limits.count(once, "victim", 2 * kSecondNs), 98 * kSecondNs);
  const std::size_t bound = kMost + LocalRateLimits::kShards * LocalRateLimits::kSharedWindows;
  EXPECT_LE(limits.totals().windows, bound);
  EXPECT_LE(allowed, bound) << "who has no window of their own shares one, and its limit";
  EXPECT_GT(limits.totals().overflow, 40'000U);
}

// spec S-94: who floods one resource with identifiers takes no windows from the others
TEST(LocalRateLimits, FloodOfOneResourceLeavesTheOthersTheirPart) {
  constexpr std::size_t kMost = 8000;
  LocalRateLimits limits(kMost, "secret");
  const RateRule flooded{"flooded", 1, 100 * kSecondNs};
  for (int i = 0; i < 20'000; ++i) limits.count(flooded, std::to_string(i), 0);
  ASSERT_GT(limits.totals().overflow, 10'000U);
  const std::uint64_t overflow = limits.totals().overflow;
  for (const std::string name : {"second", "third", "fourth"}) {
    const RateRule other{name, 1, 100 * kSecondNs};
    for (int i = 0; i < 1000; ++i) {
      EXPECT_EQ(limits.count(other, std::to_string(i), kSecondNs), kAllowed) << name << i;
    }
    for (int i = 0; i < 1000; ++i) EXPECT_NE(limits.count(other, std::to_string(i), 0), kAllowed);
  }
  EXPECT_EQ(limits.totals().overflow, overflow);
  for (int i = 0; i < 20'000; ++i) limits.count(flooded, std::to_string(20'000 + i), kSecondNs);
  const std::size_t shared = LocalRateLimits::kShards * LocalRateLimits::kSharedWindows;
  EXPECT_LE(limits.totals().windows, kMost + 3000 + shared);
}

// spec S-94: what the parts of many resources may take is bounded too
TEST(LocalRateLimits, ManyFloodedResourcesStayWithinTheSumOfTheirParts) {
  constexpr std::size_t kMost = 800;
  LocalRateLimits limits(kMost, "secret");
  for (int resource = 0; resource < 20; ++resource) {
    const std::string name = "r" + std::to_string(resource);
    const RateRule rule{name, 1, kSecondNs};
    for (int i = 0; i < 2000; ++i) limits.count(rule, std::to_string(i), 0);
  }
  const std::size_t shared = LocalRateLimits::kShards * LocalRateLimits::kSharedWindows * 20;
  EXPECT_LE(limits.totals().windows, kMost * 4 + shared);
  for (int i = 0; i < 8000; ++i) {
    limits.count({"last", 1, kSecondNs}, std::to_string(i % 64), 2 * kSecondNs);
  }
  EXPECT_LE(limits.totals().windows, 128U) << "those of the last, or some that they share";
}

// spec S-94: windows that have ended make room
TEST(LocalRateLimits, EndedWindowsMakeRoomForOwnOnes) {
  constexpr std::size_t kMost = 80;
  LocalRateLimits limits(kMost, "secret");
  const RateRule once{"a", 1, kSecondNs};
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 8; ++i) {
      const std::string name = std::to_string(round) + "/" + std::to_string(i);
      EXPECT_EQ(limits.count(once, name, round * 2 * kSecondNs), kAllowed);
    }
  }
  EXPECT_EQ(limits.totals().overflow, 0U);
  EXPECT_LE(limits.totals().windows, kMost);
}

// spec S-94, Q-95: a window that nobody looked at for long is not taken up again
TEST(LocalRateLimits, WindowAmongManyThatHaveEndedBeginsAnew) {
  LocalRateLimits limits(100'000, "secret");
  const RateRule once{"a", 1, kSecondNs};
  for (int i = 0; i < 10'000; ++i) limits.count(once, std::to_string(i), i);
  EXPECT_EQ(limits.count(once, "9999", 5 * kSecondNs), kAllowed);
  EXPECT_EQ(limits.count(once, "9999", 5 * kSecondNs + 1), kSecondNs - 1);
}

}  // namespace
}  // namespace sub0::store::local_rate_limits_test
