// SPDX-License-Identifier: Apache-2.0
#include "net/server.hpp"

#include <gtest/gtest.h>

#include <mutex>

#include "base/log.hpp"
#include "net/http/refused_connection.hpp"
#include "tests/unit/net/connection_harness.hpp"

// Limits of connections, seen by clients on real sockets: one server, several addresses of the
// loopback network.
namespace sub0::net::testing {
namespace {

std::string health() { return "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"; }

/// Whether the server answers a request on this connection.
bool isServed(Client& client) {
  client.send(health());
  return client.response().substr(0, 12) == "HTTP/1.1 200";
}

void expectOpen(TestServer& server, std::uint64_t count) {
  EXPECT_TRUE(
      server.waitUntil([&](const Totals& totals) { return totals.open_connections == count; }));
}

TEST(Server, OneConnectionOverTheLimitGets503) {
  // Q-83: limit - 1, limit, limit + 1
  for (const std::size_t loops : {1U, 3U}) {
    Options options = socketOptions();
    options.max_connections = 3;
    TestServer server(options, loops);
    auto first = std::make_unique<Client>(server.port());
    Client second(server.port());
    SocketClient third(server.port());
    EXPECT_TRUE(isServed(*first));
    EXPECT_TRUE(isServed(second));
    Client fourth(server.port());
    const std::string answer = fourth.readToEnd();
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503") << answer;
    EXPECT_TRUE(has(answer, "Connection: close\r\n"));
    EXPECT_TRUE(has(answer, "Retry-After: 1\r\n"));
    EXPECT_TRUE(has(answer, R"("code":"busy")"));
    EXPECT_TRUE(has(answer, "Access-Control-Allow-Origin: *\r\n"));
    Client handshake(server.port());
    handshake.send(upgradeRequest());
    EXPECT_EQ(handshake.readToEnd().substr(0, 12), "HTTP/1.1 503");
    first.reset();
    EXPECT_TRUE(server.waitUntil(
        [&](const Totals&) { return server.server.guard().admissions.connections() == 2; }));
    Client fifth(server.port());
    EXPECT_TRUE(isServed(fifth));
    EXPECT_EQ(server.server.totals().refusedBy(Refusal::kConnections), 2U);
    EXPECT_EQ(server.server.totals().refusedBy(Refusal::kAddressConnections), 0U);
  }
}

TEST(Server, OneConnectionOverItsAddressesLimitGets429AndOthersAreServed) {
  // Q-83: limit - 1, limit, limit + 1
  Options options = socketOptions();
  options.max_address_connections = 2;
  TestServer server(options);
  Client first(server.port(), "127.0.0.2");
  Client second(server.port(), "127.0.0.2");
  EXPECT_TRUE(isServed(first));
  EXPECT_TRUE(isServed(second));
  Client third(server.port(), "127.0.0.2");
  const std::string answer = third.readToEnd();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 429") << answer;
  EXPECT_TRUE(has(answer, R"("code":"rate_limited")"));
  Client other(server.port(), "127.0.0.3");
  EXPECT_TRUE(isServed(other));
  EXPECT_TRUE(isServed(first));
  EXPECT_EQ(server.server.totals().refusedBy(Refusal::kAddressConnections), 1U);
  EXPECT_TRUE(server.waitUntil(
      [](const Totals& totals) { return totals.closedBy(CloseReason::kRefused) == 1; }));
}

TEST(Server, BeforeAWholeRequestFewerAreAllowed) {
  // Q-83: before authentication; a request or a handshake ends that
  Options options = socketOptions();
  options.max_address_pending = 2;
  TestServer server(options);
  Client first(server.port(), "127.0.0.2");
  Client second(server.port(), "127.0.0.2");
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.accepted == 2; }));
  Client third(server.port(), "127.0.0.2");
  EXPECT_EQ(third.readToEnd().substr(0, 12), "HTTP/1.1 429");
  EXPECT_EQ(server.server.totals().refusedBy(Refusal::kAddressPending), 1U);
  second.send("GET /healthz HTTP/1.1\r\n");  // half a head changes nothing
  Client fourth(server.port(), "127.0.0.2");
  EXPECT_EQ(fourth.readToEnd().substr(0, 12), "HTTP/1.1 429");
  EXPECT_TRUE(isServed(first));
  Client fifth(server.port(), "127.0.0.2");
  EXPECT_TRUE(isServed(fifth));
  fifth.send(upgradeRequest());
  EXPECT_EQ(fifth.response(false).substr(0, 12), "HTTP/1.1 101");
  Client sixth(server.port(), "127.0.0.2");
  EXPECT_TRUE(isServed(sixth));
}

TEST(Server, PendingOnesOfAllAddressesHaveALimitToo) {
  // Q-83
  Options options;
  options.max_pending = 2;
  TestServer server(options);
  Client first(server.port(), "127.0.0.2");
  Client second(server.port(), "127.0.0.3");
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.accepted == 2; }));
  Client third(server.port(), "127.0.0.4");
  EXPECT_EQ(third.readToEnd().substr(0, 12), "HTTP/1.1 503");
  EXPECT_EQ(server.server.totals().refusedBy(Refusal::kPending), 1U);
  EXPECT_TRUE(isServed(second));
  Client fourth(server.port(), "127.0.0.4");
  EXPECT_TRUE(isServed(fourth));
}

TEST(Server, RefusedOnesDoNotPileUp) {
  // Q-83: of many that are refused and stay, few are told why and kept open
  ManualClock clock;
  Options options;
  options.max_connections = 1;
  TestServer server(options, 1, {}, &clock);
  Client first(server.port());
  EXPECT_TRUE(isServed(first));
  constexpr std::size_t kMore = 10;
  std::vector<std::unique_ptr<Client>> refused;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < http::RefusedConnection::kMaxOpen + kMore; ++i) {
    refused.push_back(std::make_unique<Client>(server.port()));
    if (refused.back()->response().substr(0, 12) == "HTTP/1.1 503") ++answered;
  }
  EXPECT_EQ(answered, http::RefusedConnection::kMaxOpen);
  expectOpen(server, answered + 1);
  server.advance(static_cast<std::int64_t>(options.close_deadline_ms) + 1);
  expectOpen(server, 1);
  EXPECT_EQ(Client(server.port()).readToEnd().substr(0, 12), "HTTP/1.1 503");
  EXPECT_TRUE(isServed(first));
}

TEST(Server, BehindATrustedProxyASocketIsCountedForItsClient) {
  // Q-83, Q-84
  Options options = socketOptions();
  options.max_address_connections = 1;
  options.trusted_proxies = *http::TrustedProxies::parse("127.0.0.1");
  TestServer server(options);
  const std::string ann = "X-Forwarded-For: 203.0.113.5\r\n";
  auto first = std::make_unique<SocketClient>(server.port(), "/ws", ann);
  Client second(server.port());
  second.send(upgradeRequest("/ws", ann));
  EXPECT_EQ(second.readToEnd().substr(0, 12), "HTTP/1.1 429");
  EXPECT_EQ(server.server.totals().refusedBy(Refusal::kAddressConnections), 1U);
  SocketClient other(server.port(), "/ws", "X-Forwarded-For: 203.0.113.6\r\n");
  Client http(server.port());  // the proxy's own connections serve many clients
  EXPECT_TRUE(isServed(http));
  first.reset();
  expectOpen(server, 2);
  SocketClient again(server.port(), "/ws", ann);
  // A peer that is no proxy cannot speak for others.
  Client liar(server.port(), "127.0.0.2");
  liar.send(upgradeRequest("/ws", "X-Forwarded-For: 203.0.113.7\r\n"));
  EXPECT_EQ(liar.response(false).substr(0, 12), "HTTP/1.1 101");
  Client second_liar(server.port(), "127.0.0.2");
  EXPECT_EQ(second_liar.readToEnd().substr(0, 12), "HTTP/1.1 429");
}

TEST(Server, UnlimitedAddressesAreNotLimited) {
  // Q-83
  Options options;
  options.max_address_connections = 1;
  options.max_address_pending = 1;
  options.unlimited_addresses = *AddressRanges::parse("127.0.0.1");
  TestServer server(options);
  Client first(server.port());
  Client second(server.port());
  EXPECT_TRUE(isServed(second));
  EXPECT_TRUE(isServed(first));
}

TEST(Server, WhatIsRefusedLeavesNothingBehind) {
  // Q-82, Q-83
  Options options = socketOptions();
  options.max_connections = 20;
  TestServer server(options, 2);
  for (int wave = 0; wave < 5; ++wave) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 40; ++i) clients.push_back(std::make_unique<Client>(server.port()));
    EXPECT_TRUE(isServed(*clients[0]));
    clients.clear();
    expectOpen(server, 0);
  }
  EXPECT_EQ(server.server.guard().admissions.connections(), 0U);
  EXPECT_EQ(server.server.guard().admissions.pending(), 0U);
  EXPECT_EQ(server.server.guard().admissions.addresses(), 0U);
}

std::mutex g_mutex;
std::string g_written;

std::string written() {
  const std::lock_guard<std::mutex> lock(g_mutex);
  return g_written;
}

/// Keeps what the log says, of every thread.
class CapturedLog {
 public:
  CapturedLog() {
    const std::lock_guard<std::mutex> lock(g_mutex);
    g_written.clear();
    log::setSink([](std::string_view line) {
      const std::lock_guard<std::mutex> inner(g_mutex);
      g_written.append(line).append("\n");
    });
  }
  ~CapturedLog() { log::setSink(nullptr); }
};

TEST(Server, AClosedConnectionIsOneLineWhereThatIsWanted) {
  const CapturedLog log;
  ManualClock clock;
  Options options = socketOptions();
  options.log_closed = true;
  TestServer server(options, 1, {}, &clock);
  {
    SocketClient client(server.port());
    client.call("echo", "a", "1");
    EXPECT_NE(client.text(), "");
    server.advance(1234);
    client.send(maskedFrame(0x88, "\x0F\xA1"));  // 4001
    client.readToEnd();
  }
  expectOpen(server, 0);
  const std::string socket_line = written();
  for (const char* part : {"ws", "peer", "code_sent=4001", "code_received=4001", "lifetime_ms=1234",
                           "calls=1", "127.0.0.1"}) {
    EXPECT_TRUE(has(socket_line, part)) << part << " in " << socket_line;
  }
  {
    SocketClient client(server.port());
    client.send(maskedFrame(0x82, "binary"));
    EXPECT_EQ(client.frame().closeCode(), 1003);
  }
  expectOpen(server, 0);
  EXPECT_TRUE(has(written(), "unsupported")) << written();
  EXPECT_TRUE(has(written(), "code_sent=1003"));
  {
    Client client(server.port());
    EXPECT_TRUE(isServed(client));
  }
  expectOpen(server, 0);
  EXPECT_TRUE(has(written(), "bytes_in=" + std::to_string(health().size()))) << written();
}

TEST(Server, WithoutTheSettingNothingIsWrittenOrCounted) {
  const CapturedLog log;
  TestServer server(socketOptions());
  {
    SocketClient client(server.port());
    client.call("hold", "a", "1");
    EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.messages == 1; }));
    server.onLoop(0, [&] {
      const call::Sender sender = server.dispatchers[0]->held[0].sender;
      EXPECT_EQ(server.connection(0, sender)->record(), nullptr);
    });
  }
  expectOpen(server, 0);
  EXPECT_EQ(written(), "");
}

}  // namespace
}  // namespace sub0::net::testing
