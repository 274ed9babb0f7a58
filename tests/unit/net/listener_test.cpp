// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <atomic>

#include "base/log.hpp"
#include "loop/real_io.hpp"
#include "tests/unit/net/connection_harness.hpp"

namespace sub0::net::testing {
namespace {

TEST(Listener, PortZeroTakesAFreePort) {
  Listener listener;
  ASSERT_TRUE(listener.open("127.0.0.1", 0));
  EXPECT_NE(listener.port(), 0);
  EXPECT_EQ(listener.host(), "127.0.0.1");
}

TEST(Listener, ATakenPortIsAnErrorThatNamesTheSetting) {
  Listener first;
  ASSERT_TRUE(first.open("127.0.0.1", 0));
  Listener second;
  const auto result = second.open("127.0.0.1", first.port());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find(std::to_string(first.port())), std::string::npos);
  EXPECT_NE(result.error().message.find("PORT"), std::string::npos);
}

TEST(Listener, AnUnknownHostIsAnError) {
  Listener listener;
  EXPECT_FALSE(listener.open("256.1.1.1", 0));
}

TEST(Listener, TakesIpv6InBracketsOrWithout) {
  for (const char* host : {"::1", "[::1]"}) {
    Listener listener;
    const auto result = listener.open(host, 0);
    if (!result) GTEST_SKIP() << result.error().message;
    EXPECT_EQ(listener.host(), "[::1]");
  }
}

// A reply is sent at once, not when the one before it has been acknowledged.
TEST(Listener, WhatIsAcceptedSendsSmallPiecesAtOnce) {
  Listener listener;
  ASSERT_TRUE(listener.open("127.0.0.1", 0));
  const Client client(listener.port());
  loop::RealIo io;
  loop::Accepted accepted = io.accept(listener.descriptor());
  for (int i = 0; i < 1000 && accepted.status != loop::IoStatus::kOk; ++i) {
    accepted = io.accept(listener.descriptor());
  }
  ASSERT_EQ(accepted.status, loop::IoStatus::kOk);
  int is_on = 0;
  socklen_t size = sizeof is_on;
  ::getsockopt(accepted.descriptor, IPPROTO_TCP, TCP_NODELAY, &is_on, &size);
  EXPECT_NE(is_on, 0);
  io.close(accepted.descriptor);
}

TEST(Listener, ConnectionsSpreadOverTheLoops) {
  TestServer server(socketOptions(), 3);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 240; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(clients.back()->response().substr(0, 12), "HTTP/1.1 200");
  }
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GE(server.server.totalsOf(i).open_connections, 40U) << i;
  }
  clients.clear();
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_connections == 0; }));
  EXPECT_EQ(server.server.totals().accepted, 240U);
}

std::atomic<int> g_lines{0};

TEST(Acceptor, WithoutDescriptorsItTriesOncePerPauseAndComesBack) {
  // no busy loop, one log line a second for all loops together, recovers
  g_lines = 0;
  log::setSink([](std::string_view line) {
    if (line.find("LimitNOFILE") != std::string_view::npos) ++g_lines;
  });
  ManualClock clock;
  const Options options = socketOptions();
  const auto pause_ms = static_cast<std::int64_t>(options.accept_pause_ms);
  TestServer server(options, 2, {}, &clock);
  SocketClient before(server.port());
  clock.has_descriptors = false;
  Client waiting(server.port());
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.accept_failures > 0; }));
  const auto failures = [&] { return server.server.totals().accept_failures; };
  for (std::int64_t passed_ms = 0; passed_ms < 2'000; passed_ms += pause_ms) {
    before.call("echo", "e", "1");  // others are served meanwhile
    EXPECT_NE(before.text(), "");
    server.advance(0);
    EXPECT_LE(failures(), 2 * static_cast<std::uint64_t>(passed_ms / pause_ms + 1));
    server.advance(pause_ms);
    EXPECT_LE(g_lines, passed_ms / 1'000 + 2);
  }
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.accept_failures >= 10; }));
  EXPECT_GE(g_lines, 2);
  clock.has_descriptors = true;
  server.advance(pause_ms + 1);
  waiting.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(waiting.response().substr(0, 12), "HTTP/1.1 200");
  log::setSink(nullptr);
}

}  // namespace
}  // namespace sub0::net::testing
