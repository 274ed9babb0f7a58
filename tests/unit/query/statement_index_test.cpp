// SPDX-License-Identifier: Apache-2.0
#include "statement_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace sub0::query::statement_index_test {
namespace {

std::string text(int number) { return "SELECT " + std::to_string(number); }

TEST(StatementIndex, TheSameTextHasTheSameNumberAsLongAsOneStatementHasIt) {
  StatementIndex index;
  const StatementNumber first = index.of("SELECT 1");
  const StatementNumber other = index.of("SELECT 2");
  EXPECT_NE(*first, *other);
  StatementNumber again = index.of("SELECT 1");
  EXPECT_EQ(first, again);
  again.reset();
  EXPECT_EQ(index.of("SELECT 1"), first);
}

//
TEST(StatementIndex, TextsThatAreNoMoreAreForgottenAndTheirNumbersNeverUsedAgain) {
  StatementIndex index;
  const StatementNumber kept = index.of("kept");
  std::uint32_t last = *kept;
  for (int i = 0; i < 10'000; ++i) {
    const StatementNumber number = index.of(text(i % 1000));
    EXPECT_GT(*number, last);
    last = *number;
    ASSERT_LE(index.size(), 64u);
  }
  EXPECT_EQ(index.of("kept"), kept);
}

TEST(StatementIndex, WhatIsInUseIsNeverForgotten) {
  StatementIndex index;
  std::vector<StatementNumber> kept;
  for (int i = 0; i < 1000; ++i) kept.push_back(index.of(text(i)));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(index.of(text(i)), kept[static_cast<std::size_t>(i)]);
  EXPECT_EQ(index.size(), 1000u);
}

//
TEST(PreparedStatements, AtMostTwiceWhatIsInUseIsKept) {
  StatementIndex index;
  PreparedStatements<int> prepared;
  std::vector<std::uint32_t> gone;
  const auto give_up = [&](std::uint32_t number, int& entry) {
    EXPECT_EQ(entry, static_cast<int>(number));
    gone.push_back(number);
  };
  std::vector<StatementNumber> kept;
  for (int i = 0; i < 100; ++i) {
    kept.push_back(index.of(text(i)));
    prepared.of(kept.back(), give_up) = static_cast<int>(*kept.back());
  }
  EXPECT_TRUE(gone.empty());
  for (int i = 100; i < 5000; ++i) {
    const StatementNumber number = index.of(text(i));
    prepared.of(number, give_up) = static_cast<int>(*number);
    ASSERT_LE(prepared.size(), 204u);
  }
  EXPECT_GT(gone.size(), 4000u);
  std::sort(gone.begin(), gone.end());
  EXPECT_EQ(std::adjacent_find(gone.begin(), gone.end()), gone.end());
  for (const StatementNumber& number : kept) {
    EXPECT_EQ(*prepared.find(number), static_cast<int>(*number));
  }
  EXPECT_EQ(prepared.find(std::make_shared<const std::uint32_t>(1000000)), nullptr);
}

}  // namespace
}  // namespace sub0::query::statement_index_test
