// SPDX-License-Identifier: Apache-2.0
#include "net/admissions.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sub0::net::admissions_test {
namespace {

constexpr std::uint64_t kSeed = 42;

Options noLimits() {
  Options options;
  options.max_connections = options.max_address_connections = 0;
  options.max_pending = options.max_address_pending = 0;
  return options;
}

/// Lets `count` connections of `key` in, or says which was refused and why.
std::vector<Admissions::Ticket> enter(Admissions& admissions, AddressKey key, std::size_t count) {
  std::vector<Admissions::Ticket> tickets(count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(admissions.enter(key, tickets[i]), std::nullopt) << i;
  }
  return tickets;
}

void expectRefused(Admissions& admissions, AddressKey key, Refusal why) {
  Admissions::Ticket ticket;
  EXPECT_EQ(admissions.enter(key, ticket), why);
  EXPECT_FALSE(ticket.is_counted);
}

TEST(Admissions, AsManyConnectionsInAllAsTheLimitSays) {
  // limit - 1, limit, limit + 1
  Options options = noLimits();
  options.max_connections = 3;
  Admissions admissions(options, kSeed);
  auto tickets = enter(admissions, addressKey("10.0.0.1"), 2);
  auto third = enter(admissions, addressKey("10.0.0.2"), 1);
  expectRefused(admissions, addressKey("10.0.0.3"), Refusal::kConnections);
  expectRefused(admissions, 0, Refusal::kConnections);
  admissions.leave(third[0]);
  third = enter(admissions, addressKey("10.0.0.3"), 1);
  expectRefused(admissions, addressKey("10.0.0.4"), Refusal::kConnections);
  EXPECT_EQ(admissions.connections(), 3U);
}

TEST(Admissions, AsManyConnectionsOfAnAddressAsTheLimitSays) {
  // limit - 1, limit, limit + 1; others are not concerned
  Options options = noLimits();
  options.max_address_connections = 2;
  Admissions admissions(options, kSeed);
  auto tickets = enter(admissions, addressKey("2001:db8::1"), 1);
  auto second = enter(admissions, addressKey("2001:db8::2"), 1);
  expectRefused(admissions, addressKey("2001:db8::3"), Refusal::kAddressConnections);
  enter(admissions, addressKey("2001:db8:0:1::1"), 2);
  enter(admissions, 0, 10);  // without a limit
  for (auto& ticket : tickets) admissions.establish(ticket);
  expectRefused(admissions, addressKey("2001:db8::3"), Refusal::kAddressConnections);
  admissions.leave(tickets[0]);
  enter(admissions, addressKey("2001:db8::3"), 1);
}

TEST(Admissions, PendingOnesHaveLimitsOfTheirOwn) {
  // before authentication
  Options options = noLimits();
  options.max_pending = 4;
  options.max_address_pending = 2;
  Admissions admissions(options, kSeed);
  auto first = enter(admissions, addressKey("10.0.0.1"), 2);
  expectRefused(admissions, addressKey("10.0.0.1"), Refusal::kAddressPending);
  auto second = enter(admissions, addressKey("10.0.0.2"), 2);
  expectRefused(admissions, addressKey("10.0.0.3"), Refusal::kPending);
  admissions.establish(first[0]);
  admissions.establish(first[0]);  // once
  EXPECT_EQ(admissions.pending(), 3U);
  auto third = enter(admissions, addressKey("10.0.0.1"), 1);
  expectRefused(admissions, addressKey("10.0.0.1"), Refusal::kPending);
  admissions.leave(second[0]);  // still pending
  EXPECT_EQ(admissions.pending(), 3U);
  expectRefused(admissions, addressKey("10.0.0.1"), Refusal::kAddressPending);
}

TEST(Admissions, ASocketBehindAProxyIsCountedForItsClient) {
  //
  Options options = noLimits();
  options.max_address_connections = 1;
  Admissions admissions(options, kSeed);
  auto tickets = enter(admissions, 0, 3);
  for (auto& ticket : tickets) admissions.establish(ticket);
  EXPECT_TRUE(admissions.countFor(addressKey("10.0.0.1"), tickets[0]));
  EXPECT_FALSE(admissions.countFor(addressKey("10.0.0.1"), tickets[1]));
  EXPECT_TRUE(admissions.countFor(addressKey("10.0.0.2"), tickets[2]));
  admissions.leave(tickets[0]);
  EXPECT_TRUE(admissions.countFor(addressKey("10.0.0.1"), tickets[1]));
}

TEST(Admissions, NothingIsLeftOfThoseWhoWent) {
  // the table holds those alone that are there
  Options options = noLimits();
  options.max_address_connections = 1;
  Admissions admissions(options, kSeed);
  for (int wave = 0; wave < 10; ++wave) {
    std::vector<Admissions::Ticket> tickets(2000);
    for (std::size_t i = 0; i < tickets.size(); ++i) {
      const std::string address = "10." + std::to_string(wave) + "." + std::to_string(i / 250) +
                                  "." + std::to_string(i % 250);
      EXPECT_EQ(admissions.enter(addressKey(address), tickets[i]), std::nullopt);
      if (i % 2 == 0) admissions.establish(tickets[i]);
    }
    EXPECT_EQ(admissions.addresses(), tickets.size());
    for (auto& ticket : tickets) admissions.leave(ticket);
    EXPECT_EQ(admissions.addresses(), 0U);
    EXPECT_EQ(admissions.connections(), 0U);
    EXPECT_EQ(admissions.pending(), 0U);
  }
}

TEST(Admissions, ARefusedConnectionLeavesNothing) {
  Options options = noLimits();
  options.max_connections = 5;
  options.max_address_pending = 1;
  Admissions admissions(options, kSeed);
  auto tickets = enter(admissions, addressKey("10.0.0.1"), 1);
  for (int i = 0; i < 20; ++i) {
    expectRefused(admissions, addressKey("10.0.0.1"), Refusal::kAddressPending);
  }
  EXPECT_EQ(admissions.connections(), 1U);
  EXPECT_EQ(admissions.pending(), 1U);
  EXPECT_EQ(admissions.addresses(), 1U);
  Admissions::Ticket never;
  admissions.leave(never);
  EXPECT_EQ(admissions.connections(), 1U);
}

TEST(Admissions, TheLimitHoldsAcrossThreads) {
  Options options = noLimits();
  options.max_connections = 100;
  options.max_address_connections = 40;
  Admissions admissions(options, kSeed);
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        Admissions::Ticket ticket;
        const bool is_in = !admissions.enter(addressKey("10.0.0.1"), ticket);
        if (!is_in) continue;
        EXPECT_LE(++admitted, 40);
        admissions.establish(ticket);
        --admitted;
        admissions.leave(ticket);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admissions.connections(), 0U);
  EXPECT_EQ(admissions.addresses(), 0U);
}

}  // namespace
}  // namespace sub0::net::admissions_test
