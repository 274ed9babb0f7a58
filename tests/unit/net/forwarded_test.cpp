// SPDX-License-Identifier: Apache-2.0
#include "net/http/forwarded.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/http_request.hpp"

namespace sub0::net::http {
namespace {

using test::ParsedRequest;

std::string clientOf(std::string_view trusted, const std::string& peer, const std::string& lines) {
  const ParsedRequest parsed("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n");
  const auto proxies = TrustedProxies::parse(trusted);
  EXPECT_TRUE(proxies);
  return proxies ? (*proxies).clientAddress(Poco::Net::IPAddress(peer), *parsed) : "";
}

TEST(TrustedProxies, HeaderOfAnUntrustedPeerIsIgnored) {
  //
  EXPECT_EQ(clientOf("", "203.0.113.9", "X-Forwarded-For: 198.51.100.1\r\n"), "203.0.113.9");
  EXPECT_EQ(clientOf("10.0.0.0/8", "203.0.113.9", "X-Forwarded-For: 198.51.100.1\r\n"),
            "203.0.113.9");
  EXPECT_EQ(clientOf("10.0.0.0/8", "11.0.0.1", "X-Forwarded-For: 198.51.100.1\r\n"), "11.0.0.1");
}

TEST(TrustedProxies, LastUntrustedHopIsTheClient) {
  // spec S-61; Q-84
  const std::string trusted = "10.0.0.0/8, 127.0.0.1 fd00::/8|::1";
  EXPECT_EQ(clientOf(trusted, "10.1.2.3", ""), "10.1.2.3");
  EXPECT_EQ(clientOf(trusted, "10.1.2.3", "X-Forwarded-For: 198.51.100.1\r\n"), "198.51.100.1");
  EXPECT_EQ(clientOf(trusted, "127.0.0.1", "x-forwarded-for: 1.1.1.1, 198.51.100.1, 10.9.9.9\r\n"),
            "198.51.100.1");
  EXPECT_EQ(clientOf(trusted, "::1",
                     "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 198.51.100.1\r\n"
                     "X-Forwarded-For: 10.9.9.9\r\n"),
            "198.51.100.1");
  EXPECT_EQ(clientOf(trusted, "10.1.2.3", "X-Forwarded-For: 10.0.0.5, 10.0.0.6\r\n"), "10.0.0.5");
  EXPECT_EQ(clientOf(trusted, "fd00::2", "X-Forwarded-For: [2001:db8::7]:4711\r\n"), "2001:db8::7");
  EXPECT_EQ(clientOf(trusted, "10.1.2.3", "X-Forwarded-For: 198.51.100.1:4711\r\n"),
            "198.51.100.1");
}

TEST(TrustedProxies, WhatStandsBeforeAMalformedHopIsIgnored) {
  //
  for (const char* hops :
       {"1.1.1.1, unknown, 10.0.0.5", "1.1.1.1, , 10.0.0.5", "1.1.1.1, <script>, 10.0.0.5",
        "1.1.1.1, 0x7f.1, 10.0.0.5", "1.1.1.1, [::1, 10.0.0.5"}) {
    EXPECT_EQ(clientOf("10.0.0.0/8", "10.1.2.3", "X-Forwarded-For: " + std::string(hops) + "\r\n"),
              "10.0.0.5")
        << hops;
  }
}

TEST(IsOfThisMachine, TakesLoopbackAloneAndNothingThatWasPassedOn) {
  const ParsedRequest plain("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  for (const char* peer : {"127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(isOfThisMachine(peer, *plain)) << peer;
  }
  for (const char* peer :
       {"10.0.0.1", "12.7.0.1", "128.0.0.1", "::2", "fe80::1", "2001:db8::1", ""}) {
    EXPECT_FALSE(isOfThisMachine(peer, *plain)) << peer;
  }
  for (const char* line :
       {"X-Forwarded-For: 127.0.0.1", "forwarded: for=127.0.0.1", "Via: 1.1 a", "X-Real-IP: ::1",
        "Origin: null", "X-Forwarded-Proto: https", "X-Forwarded-Host: localhost"}) {
    const ParsedRequest passed_on("GET /metrics HTTP/1.1\r\nHost: a\r\n" + std::string(line) +
                                  "\r\n\r\n");
    EXPECT_FALSE(isOfThisMachine("127.0.0.1", *passed_on)) << line;
  }
}

TEST(TrustedProxies, RangesEndWhereTheySay) {
  const std::string header = "X-Forwarded-For: 198.51.100.1\r\n";
  EXPECT_EQ(clientOf("192.168.4.0/22", "192.168.7.255", header), "198.51.100.1");
  EXPECT_EQ(clientOf("192.168.4.0/22", "192.168.8.0", header), "192.168.8.0");
  EXPECT_EQ(clientOf("0.0.0.0/0", "8.8.8.8", ""), "8.8.8.8");
  EXPECT_EQ(clientOf("10.0.0.1/32", "10.0.0.2", header), "10.0.0.2");
  EXPECT_EQ(clientOf("2001:db8::/33", "2001:db8:8000::1", header), "2001:db8:8000::1");
}

TEST(TrustedProxies, MappedAddressesCountAsIpv4) {
  EXPECT_EQ(clientOf("", "::ffff:203.0.113.9", ""), "203.0.113.9");
  EXPECT_EQ(clientOf("10.0.0.0/8", "::ffff:10.0.0.1", "X-Forwarded-For: ::ffff:198.51.100.1\r\n"),
            "198.51.100.1");
}

TEST(TrustedProxies, BadEntriesAreNamed) {
  for (const char* list : {"10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/x", "host",
                           "10.0.0.0/-1", "/8"}) {
    const auto proxies = TrustedProxies::parse(list);
    ASSERT_FALSE(proxies) << list;
    EXPECT_NE(proxies.error().message.find(list), std::string::npos);
  }
}

}  // namespace
}  // namespace sub0::net::http
