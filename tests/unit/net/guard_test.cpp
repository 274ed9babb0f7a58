// SPDX-License-Identifier: Apache-2.0
#include "net/guard.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/log.hpp"

namespace sub0::net::guard_test {
namespace {

constexpr std::uint64_t kSeed = 42;
constexpr std::int64_t kSecondNs = 1'000'000'000;

std::string g_written;

class CapturedLog {
 public:
  CapturedLog() {
    g_written.clear();
    log::setSink([](std::string_view line) { g_written.append(line).append("\n"); });
  }
  ~CapturedLog() { log::setSink(nullptr); }
};

std::size_t countOf(std::string_view word) {
  std::size_t count = 0;
  for (auto at = g_written.find(word); at != std::string::npos; at = g_written.find(word, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Guard, CountsEveryRefusalAndWritesALineASecondForEachReason) {
  // counted by reason, logged once a second at the most
  const CapturedLog log;
  const Options options;
  Guard guard(options, kSeed);
  Counters counters;
  for (int i = 0; i < 1000; ++i) {
    guard.refused(counters, Refusal::kConnections, "192.0.2.1", kSecondNs);
    guard.refused(counters, Refusal::kOrigin, "192.0.2.1", kSecondNs);
  }
  guard.refused(counters, Refusal::kConnections, "192.0.2.1", 2 * kSecondNs - 1);
  EXPECT_EQ(countOf("SUB0_CONNECTION_LIMIT"), 1U) << g_written;
  EXPECT_EQ(countOf("ALLOWED_ORIGINS"), 1U) << g_written;
  guard.refused(counters, Refusal::kConnections, "192.0.2.7", 2 * kSecondNs);
  EXPECT_EQ(countOf("SUB0_CONNECTION_LIMIT"), 2U) << g_written;
  EXPECT_NE(g_written.find("192.0.2.7"), std::string::npos);
  Totals totals;
  totals.add(counters);
  EXPECT_EQ(totals.refusedBy(Refusal::kConnections), 1002U);
  EXPECT_EQ(totals.refusedBy(Refusal::kOrigin), 1000U);
}

TEST(Guard, ProxiesAndUnlimitedAddressesAreNotCounted) {
  //
  Options options;
  options.trusted_proxies = *http::TrustedProxies::parse("10.0.0.0/8");
  options.unlimited_addresses = *AddressRanges::parse("127.0.0.0/8,::1");
  const Guard guard(options, kSeed);
  for (const char* address : {"10.1.2.3", "127.0.0.1", "::1", "::ffff:127.0.0.1", "", "x"}) {
    EXPECT_EQ(guard.countedKey(address), 0U) << address;
  }
  for (const char* address : {"11.1.2.3", "128.0.0.1", "::2", "2001:db8::1"}) {
    EXPECT_EQ(guard.countedKey(address), addressKey(address)) << address;
  }
}

TEST(Budget, IsGivenOutToItsLastByte) {
  // limit - 1, limit, limit + 1
  Budget budget(1000);
  EXPECT_FALSE(budget.reserve(1001));
  EXPECT_TRUE(budget.reserve(999));
  EXPECT_FALSE(budget.reserve(2));
  EXPECT_TRUE(budget.reserve(1));
  EXPECT_FALSE(budget.reserve(1));
  budget.release(1000);
  EXPECT_TRUE(budget.reserve(1000));
  EXPECT_EQ(budget.usedBytes(), 1000U);
}

TEST(Counters, EveryNameIsThereOnce) {
  std::string names = " ";
  const auto add = [&names](std::string_view name) {
    EXPECT_FALSE(name.empty());
    EXPECT_EQ(names.find(" " + std::string(name) + " "), std::string::npos) << name;
    names.append(name).append(" ");
  };
  for (const CounterRow& row : counterTable()) add(row.name);
  names = " ";
  for (std::size_t i = 0; i < kCloseReasons; ++i) add(closeReasonName(CloseReason(i)));
  names = " ";
  for (std::size_t i = 0; i < kRefusals; ++i) add(refusalName(Refusal(i)));
}

TEST(Counters, TotalsAddEveryRow) {
  Counters counters;
  std::uint64_t next = 1;
  for (const CounterRow& row : counterTable()) (counters.*row.count).add(next++);
  Totals totals;
  totals.add(counters);
  totals.add(counters);
  next = 1;
  for (const CounterRow& row : counterTable()) EXPECT_EQ(totals.*row.total, 2 * next++) << row.name;
}

}  // namespace
}  // namespace sub0::net::guard_test
