// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>

#include "base/log.hpp"
#include "tests/unit/net/connection_harness.hpp"

// Every deadline of a connection, a millisecond before and behind it, on a clock that the test
// moves. A timer never fires early and at most a millisecond late.
namespace sub0::net::testing {
namespace {

constexpr const char* kHealth = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

class Deadlines : public ::testing::Test {
 protected:
  static std::int64_t ms(std::uint64_t value) { return static_cast<std::int64_t>(value); }

  void start() {
    server.reset();
    options.log_closed = true;  // so that bytes that came are counted
    log::setSink([](std::string_view) {});
    server = std::make_unique<TestServer>(options, 1, Readiness{}, &clock);
  }
  void TearDown() override {
    server.reset();
    log::setSink(nullptr);
  }

  std::uint64_t open() { return server->server.totals().open_connections; }

  /// Connections that the server has begun to end, whether they are gone or not.
  std::uint64_t ended() {
    const auto closed = server->server.totals().closed;
    return std::accumulate(closed.begin(), closed.end(), std::uint64_t{0});
  }

  /// Waits until the server has read `bytes` of its only connection.
  void expectRead(std::uint64_t bytes) {
    EXPECT_TRUE(server->waitUntil([&](const Totals&) {
      std::uint64_t read_bytes = 0;
      server->onLoop(0, [&] {
        server->server.services(0).connections.forEach(
            [&](Connection& connection) { read_bytes = connection.record()->bytes_in; });
      });
      return read_bytes == bytes;
    }));
  }
  void expectGone(CloseReason reason) {
    EXPECT_TRUE(server->waitUntil([&](const Totals& totals) {
      return totals.open_connections == 0 && totals.closedBy(reason) == 1;
    })) << closeReasonName(reason);
  }
  /// Nothing happens up to a millisecond before `deadline_ms`, and it does by a millisecond behind.
  void passDeadline(std::uint64_t deadline_ms) {
    const std::uint64_t ended_before = ended();
    server->advance(ms(deadline_ms) - 1);
    EXPECT_EQ(open(), 1U) << "too early";
    EXPECT_EQ(ended(), ended_before) << "too early";
    server->advance(2);
  }

  ManualClock clock;
  Options options = socketOptions();
  std::unique_ptr<TestServer> server;
};

TEST_F(Deadlines, AHeadThatTricklesIsGivenUpAtItsTotalDeadline) {
  // Q-1
  start();
  Client client(server->port());
  const std::string head = "GET ";
  for (std::size_t i = 0; i < 2; ++i) {
    client.send(head.substr(i, 1));
    expectRead(i + 1);
    if (i == 0) server->advance(5'000);
  }
  server->advance(4'999);
  EXPECT_EQ(server->server.totals().refusedBy(Refusal::kSlowHead), 0U);
  server->advance(2);
  EXPECT_EQ(client.readToEnd().substr(0, 12), "HTTP/1.1 408");
  EXPECT_EQ(server->server.totals().refusedBy(Refusal::kSlowHead), 1U);
  client.socket().close();
  expectGone(CloseReason::kDeadline);
}

TEST_F(Deadlines, WhoSaysNothingIsClosedAtTheHeadDeadline) {
  // Q-1
  start();
  Client client(server->port());
  EXPECT_TRUE(server->waitUntil([](const Totals& totals) { return totals.accepted == 1; }));
  passDeadline(options.head_deadline_ms);
  EXPECT_EQ(client.readToEnd(), "");
  EXPECT_EQ(server->server.totals().refusedBy(Refusal::kSlowHead), 1U);
  client.socket().close();
  expectGone(CloseReason::kDeadline);
}

TEST_F(Deadlines, ABodyHasADeadlineInAllHoweverFastItComes) {
  // Q-2
  options.body_min_rate = 0;
  start();
  Client client(server->port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
  client.send(head + std::string(900'000, ' '));
  expectRead(head.size() + 900'000);
  passDeadline(options.body_deadline_ms);
  EXPECT_EQ(client.readToEnd().substr(0, 12), "HTTP/1.1 408");
  EXPECT_EQ(server->server.totals().refusedBy(Refusal::kSlowBody), 1U);
  client.socket().close();
  expectGone(CloseReason::kDeadline);
}

TEST_F(Deadlines, ABodySlowerThanTheMinimumRateIsGivenUp) {
  // Q-2: limit - 1, limit, limit + 1 bytes in the window, which ends a millisecond late
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
  const std::uint64_t window_ms = options.body_rate_window_ms;
  options.body_min_rate = 1'000;
  for (const std::uint64_t come : {window_ms, window_ms + 1, window_ms + 2}) {
    SCOPED_TRACE(come);
    start();
    Client client(server->port());
    client.send(head + std::string(come, ' '));
    expectRead(head.size() + come);
    server->advance(ms(window_ms) - 1);
    EXPECT_EQ(server->server.totals().refusedBy(Refusal::kSlowBody), 0U);
    server->advance(2);
    const bool is_slow = come < window_ms + 1;
    EXPECT_EQ(server->server.totals().refusedBy(Refusal::kSlowBody), is_slow ? 1U : 0U);
    if (!is_slow) server->advance(ms(window_ms) + 1);  // nothing came in that
    EXPECT_EQ(client.readToEnd().substr(0, 12), "HTTP/1.1 408");
  }
}

TEST_F(Deadlines, ABodyAtTheMinimumRateIsTaken) {
  // Q-2
  options.body_deadline_ms = 100'000;
  start();
  Client client(server->port());
  const std::size_t piece = options.body_min_rate * options.body_rate_window_ms / 1000 + 10;
  const std::string body = "\"" + std::string(piece * 6, 'x') + "\"";
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n";
  client.send(head);
  for (std::size_t sent = 0; sent < body.size(); sent += piece) {
    client.send(std::string_view(body).substr(sent, piece));
    expectRead(head.size() + std::min(sent + piece, body.size()));
    if (sent + piece < body.size()) server->advance(ms(options.body_rate_window_ms));
  }
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 200");
}

TEST_F(Deadlines, AnIdleConnectionIsKeptAsLongAsTheSettingSays) {
  // Q-4
  start();
  Client client(server->port());
  client.send(kHealth);
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 200");
  passDeadline(options.keep_alive_ms);
  EXPECT_EQ(client.readToEnd(), "");
  EXPECT_EQ(server->server.totals().refusedBy(Refusal::kSlowHead), 0U) << "that is no fault";
  client.socket().close();
  expectGone(CloseReason::kDeadline);
}

TEST_F(Deadlines, AConnectionIsIdleFromTheEndOfAReplyThatTookLong) {
  // Q-4: also where so little is unsent that the connection goes on reading
  options.soft_unsent_bytes = 100'000'000;
  start();
  Client client(server->port());
  client.send("POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n{\"size\":30000000}");
  EXPECT_TRUE(server->waitUntil([](const Totals& totals) { return totals.replies == 1; }));
  server->advance(ms(options.keep_alive_ms) / 3);  // the stall deadline is at half of it
  EXPECT_GT(client.response().size(), 30'000'000U);
  passDeadline(options.keep_alive_ms);
  EXPECT_EQ(client.readToEnd(), "");
  client.socket().close();
  expectGone(CloseReason::kDeadline);
}

TEST_F(Deadlines, APeerThatTakesNothingIsClosedAtTheStallDeadline) {
  // Q-3
  options.ping_interval_ms = 0;
  start();
  SocketClient client(server->port());
  client.call("big", "a", R"({"size":30000000})");
  EXPECT_TRUE(server->waitUntil([](const Totals& totals) { return totals.replies == 1; }));
  server->advance(0);  // what the kernel takes is out
  EXPECT_GT(server->server.guard().unsent_budget.usedBytes(), 0U);
  passDeadline(options.stall_deadline_ms);
  expectGone(CloseReason::kSlowReader);
  EXPECT_EQ(server->server.totals().refusedBy(Refusal::kUnsent), 1U);
  EXPECT_EQ(server->server.guard().unsent_budget.usedBytes(), 0U) << "the budget is given back";
}

TEST_F(Deadlines, APeerThatAnswersNoPingIsClosed) {
  // Q-33: ping every 25 s, a tenth more or less, 10 s to answer
  start();
  SocketClient client(server->port());
  const std::int64_t tenth_ms = ms(options.ping_interval_ms) / 10;
  server->advance(ms(options.ping_interval_ms) - tenth_ms - 1);
  client.call("echo", "a", "1");
  EXPECT_NE(client.text(), "") << "no ping yet";
  server->advance(2 * tenth_ms + 2);
  EXPECT_EQ(client.frame().opcode, 9);
  passDeadline(options.pong_deadline_ms);
  expectGone(CloseReason::kNoPong);
}

TEST_F(Deadlines, APongKeepsTheConnection) {
  // Q-33
  start();
  SocketClient client(server->port());
  for (int i = 0; i < 5; ++i) {
    server->advance(ms(options.ping_interval_ms) * 11 / 10 + 1);
    EXPECT_EQ(client.frame().opcode, 9) << i;
    client.send(maskedFrame(0x8A, ""));
    client.call("echo", "a", "1");
    EXPECT_NE(client.text(), "");
    server->advance(ms(options.pong_deadline_ms) + 1);
    EXPECT_EQ(open(), 1U) << i;
  }
}

TEST_F(Deadlines, APeerThatDoesNotAnswerACloseIsGoneAfterTwoSeconds) {
  // Q-33: TCP is closed within 2 s
  start();
  SocketClient client(server->port());
  client.send(maskedFrame(0x82, "binary"));
  EXPECT_EQ(client.frame().closeCode(), 1003);
  passDeadline(options.close_deadline_ms);
  expectGone(CloseReason::kUnsupported);
}

TEST_F(Deadlines, DataBehindAClosePutsNothingOff) {
  // Q-33
  start();
  SocketClient client(server->port());
  client.send(maskedFrame(0x88, "\x03\xE8") + textFrame("late"));
  EXPECT_EQ(client.frame().closeCode(), 1000);
  server->advance(ms(options.close_deadline_ms) - 1);
  client.send(textFrame("later"));
  EXPECT_EQ(open(), 1U);
  server->advance(2);
  expectGone(CloseReason::kPeer);
  EXPECT_EQ(server->server.totals().messages, 0U);
}

TEST_F(Deadlines, HalfAHeaderAndSilenceIsThePongsMatter) {
  // Q-32: 1 to 13 bytes of a frame, then nothing
  const std::string frame = maskedFrame(0x81, std::string(70'000, 'x'));
  for (std::size_t size = 1; size <= 13; ++size) {
    SCOPED_TRACE(size);
    start();
    SocketClient client(server->port());
    client.send(frame.substr(0, size));
    expectRead(upgradeRequest().size() + size);
    server->advance(ms(options.ping_interval_ms) * 11 / 10 + 1);
    EXPECT_EQ(client.frame().opcode, 9);
    passDeadline(options.pong_deadline_ms);
    expectGone(CloseReason::kNoPong);
  }
}

TEST_F(Deadlines, NoTimerIsLeftOfConnectionsThatHaveGone) {
  // Q-82
  start();
  {
    std::vector<std::unique_ptr<SocketClient>> sockets;
    for (int i = 0; i < 50; ++i) sockets.push_back(std::make_unique<SocketClient>(server->port()));
    Client silent(server->port());
    Client idle(server->port());
    idle.send(kHealth);
    idle.response();
  }
  EXPECT_TRUE(server->waitUntil([](const Totals& totals) { return totals.open_connections == 0; }));
  const Totals before = server->server.totals();
  server->advance(4'000'000);  // a timer of a freed connection would fire into nothing
  EXPECT_EQ(server->server.totals().closed, before.closed);
}

}  // namespace
}  // namespace sub0::net::testing
