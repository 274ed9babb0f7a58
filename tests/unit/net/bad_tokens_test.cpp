// SPDX-License-Identifier: Apache-2.0
#include "net/bad_tokens.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0::net::bad_tokens_test {
namespace {

constexpr std::uint64_t kSeed = 42;
constexpr std::int64_t kNsPerMs = 1'000'000;

Options limitedTo(std::uint64_t rate, std::uint64_t burst) {
  Options options;
  options.bad_tokens_per_second = rate;
  options.bad_token_burst = burst;
  return options;
}

TEST(BadTokens, ABurstIsFreeAndTheNextWaits) {
  // limit - 1, limit, limit + 1
  BadTokens tokens(limitedTo(10, 5), kSeed);
  const AddressKey key = addressKey("192.0.2.1");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(tokens.note(key, 0).delay_ms, 0) << i;
  EXPECT_EQ(tokens.note(key, 0).delay_ms, 100);
  EXPECT_EQ(tokens.note(key, 0).delay_ms, 200);
  EXPECT_EQ(tokens.note(addressKey("192.0.2.2"), 0).delay_ms, 0) << "others are not concerned";
  // After a second ten have been paid for: seven and three of the burst.
  const std::int64_t later_ns = 1000 * kNsPerMs;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(tokens.note(key, later_ns).delay_ms, 0) << i;
  EXPECT_EQ(tokens.note(key, later_ns).delay_ms, 100);
}

TEST(BadTokens, WhatWouldWaitTooLongIsRefusedAndOwesNothing) {
  // a hundred at once
  BadTokens tokens(limitedTo(10, 5), kSeed);
  const AddressKey key = addressKey("2001:db8::1");
  int free = 0;
  int delayed = 0;
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    const auto verdict = tokens.note(key, 0);
    ++(verdict.is_refused ? refused : verdict.delay_ms > 0 ? delayed : free);
    EXPECT_LE(verdict.delay_ms, BadTokens::kMaxDelayMs + (verdict.is_refused ? 100 : 0));
  }
  EXPECT_EQ(free, 5);
  EXPECT_EQ(delayed, 20);
  EXPECT_EQ(refused, 75);
  EXPECT_TRUE(tokens.note(addressKey("2001:db8::ffff"), 0).is_refused) << "of the same /64";
  const auto soon = tokens.note(key, 100 * kNsPerMs);
  EXPECT_FALSE(soon.is_refused);
  EXPECT_EQ(soon.delay_ms, BadTokens::kMaxDelayMs);
}

TEST(BadTokens, ZeroIsNoLimit) {
  BadTokens tokens(limitedTo(0, 1), kSeed);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(tokens.note(addressKey("192.0.2.1"), 0).delay_ms, 0);
}

TEST(BadTokens, ManyAddressesMakeNobodySlower) {
  // the table has a fixed size; who is pushed out is forgotten, nobody gets another's debt
  BadTokens tokens(limitedTo(1, 2), kSeed);
  const AddressKey first = addressKey("10.0.0.1");
  for (int i = 0; i < 3; ++i) tokens.note(first, 0);
  for (int i = 0; i < 200'000; ++i) {
    const std::string address = "11." + std::to_string(i / 65536) + "." +
                                std::to_string(i / 256 % 256) + "." + std::to_string(i % 256);
    ASSERT_EQ(tokens.note(addressKey(address), 1).delay_ms, 0) << address;
  }
}

TEST(BadTokens, AFewOtherAddressesDoNotMakeItForget) {
  BadTokens tokens(limitedTo(1, 2), kSeed);
  const AddressKey first = addressKey("10.0.0.1");
  for (int i = 0; i < 4; ++i) tokens.note(first, 0);
  for (int i = 0; i < 256; ++i) tokens.note(addressKey("11.0.0." + std::to_string(i)), 0);
  EXPECT_GT(tokens.note(first, 0).delay_ms, 0);
}

}  // namespace
}  // namespace sub0::net::bad_tokens_test
