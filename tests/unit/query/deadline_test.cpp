// SPDX-License-Identifier: Apache-2.0
#include "deadline.hpp"

#include <gtest/gtest.h>

namespace sub0::query {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

// spec S-52: a statement past its call's deadline is ended by the plugin, before the host has to
TEST(Deadline, TheMarginGrowsWithWhatIsLeftAndNeverTakesMoreThanHalf) {
  EXPECT_EQ(marginNs(0), 0U);
  EXPECT_EQ(marginNs(6 * kMs), 3 * kMs);
  EXPECT_EQ(marginNs(40 * kMs), 10 * kMs);
  EXPECT_EQ(marginNs(800 * kMs), 100 * kMs);
  EXPECT_EQ(marginNs(30'000 * kMs), 200 * kMs);
}

}  // namespace
}  // namespace sub0::query
