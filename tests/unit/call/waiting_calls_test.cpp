// SPDX-License-Identifier: Apache-2.0
#include "call/waiting_calls.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

namespace sub0::call {
namespace {

struct Waiting final : WaitingCall {};

/// A connection as transports number it: slot and generation.
std::uint64_t connectionOf(std::uint64_t slot, std::uint64_t generation) {
  return generation << 32 | slot;
}

std::vector<WaitingCall*> callsOf(WaitingCalls& calls, std::uint64_t connection) {
  std::vector<WaitingCall*> found;
  calls.forEachOf(connection, [&](WaitingCall& call) { found.push_back(&call); });
  return found;
}

TEST(WaitingCalls, FindsTheCallsOfAConnectionAndNoOthers) {
  WaitingCalls calls;
  std::deque<Waiting> waiting(300);
  for (std::size_t i = 0; i < waiting.size(); ++i) calls.add(waiting[i], i % 100);
  for (std::size_t i = 0; i < 100; ++i) {
    auto found = callsOf(calls, i);
    std::vector<WaitingCall*> expected{&waiting[i], &waiting[i + 100], &waiting[i + 200]};
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(found, expected);
  }
  EXPECT_TRUE(callsOf(calls, 100).empty());
}

TEST(WaitingCalls, WhatIsRemovedIsNotFound) {
  WaitingCalls calls;
  std::deque<Waiting> waiting(100);
  for (Waiting& each : waiting) calls.add(each, 7);
  for (std::size_t i = 0; i < waiting.size(); i += 2) calls.remove(waiting[i]);
  calls.remove(waiting[0]);  // it does not wait any more: no effect
  EXPECT_EQ(calls.size(), 50u);
  EXPECT_EQ(callsOf(calls, 7).size(), 50u);
  calls.forEachOf(7, [&](WaitingCall& call) { calls.remove(call); });
  EXPECT_EQ(calls.size(), 0u);
  calls.add(waiting[0], 8);
  EXPECT_TRUE(callsOf(calls, 7).empty());
  EXPECT_EQ(callsOf(calls, 8).size(), 1u);
}

// Closing a connection costs what its own calls cost, however many others wait.
TEST(WaitingCalls, ClosingConnectionsLooksAtTheirOwnCalls) {
  constexpr std::size_t kConnections = 20'000;
  for (const std::size_t calls_each : {1U, 32U}) {
    for (const std::uint64_t generation : {1U, 1000U}) {
      WaitingCalls calls;
      std::deque<Waiting> waiting(kConnections * calls_each);
      for (std::size_t i = 0; i < waiting.size(); ++i) {
        calls.add(waiting[i], connectionOf(i % kConnections, generation));
      }
      std::size_t visited = 0, looks = 0;
      for (std::size_t slot = 0; slot < kConnections; ++slot) {
        looks += calls.forEachOf(connectionOf(slot, generation), [&](WaitingCall& call) {
          ++visited;
          calls.remove(call);
        });
      }
      EXPECT_EQ(visited, waiting.size());
      EXPECT_LE(looks, 2 * waiting.size()) << calls_each << " calls each";
    }
  }
}

}  // namespace
}  // namespace sub0::call
