// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "tests/unit/net/connection_harness.hpp"

// What connections hold of messages and bodies that are unfinished or wait: one budget for the
// process, and a least rate for a message as for a body.
namespace sub0::net::testing {
namespace {

constexpr std::size_t kStep = std::size_t{16} << 10;  // what a connection has for nothing

class InputBudget : public ::testing::Test {
 protected:
  InputBudget() {
    options.ping_interval_ms = 0;
    options.log_closed = true;  // so that bytes that came are counted
    log::setSink([](std::string_view) {});
  }
  void TearDown() override {
    server.reset();
    log::setSink(nullptr);
  }
  void start() { server = std::make_unique<TestServer>(options, 1, Readiness{}, &clock); }
  std::size_t used() { return server->server.guard().input_budget.usedBytes(); }
  std::uint64_t refused(Refusal refusal) { return server->server.totals().refusedBy(refusal); }

  /// Waits until the budget is used so far.
  void expectUsed(std::size_t least, std::size_t most) {
    EXPECT_TRUE(server->waitUntil([&](const Totals&) { return used() >= least && used() <= most; }))
        << used();
  }
  /// Waits until `bytes` have been read behind the handshake of the only connection.
  void expectRead(std::size_t bytes) {
    EXPECT_TRUE(server->waitUntil([&](const Totals&) {
      std::size_t read_bytes = 0;
      server->onLoop(0, [&] {
        server->server.services(0).connections.forEach(
            [&](Connection& connection) { read_bytes = connection.record()->bytes_in; });
      });
      return read_bytes == upgradeRequest().size() + bytes;
    }));
  }

  ManualClock clock;
  Options options = socketOptions();
  std::unique_ptr<TestServer> server;
};

std::string echoOf(std::size_t size) {
  return R"({"resource":"echo","action":"a","payload":")" + std::string(size, 'x') + R"("})";
}

std::string bodyRequest(std::string_view resource, std::size_t size) {
  return "POST /" + std::string(resource) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) +
         "\r\nContent-Type: application/json\r\n\r\n";
}

TEST_F(InputBudget, SmallMessagesInPartsDoNotTouchIt) {
  options.input_budget_bytes = 1;
  start();
  SocketClient client(server->port());
  const std::string frame = maskedFrame(0x81, echoOf(kStep / 2));
  client.send(frame.substr(0, 5000));
  expectRead(5000);
  client.send(frame.substr(5000));
  EXPECT_NE(client.text(), "");
  EXPECT_EQ(refused(Refusal::kInputBudget), 0U);
}

TEST_F(InputBudget, AnUnfinishedMessageIsCountedUntilItsEnd) {
  start();
  SocketClient client(server->port());
  const std::string frame = maskedFrame(0x81, echoOf(500'000));
  client.send(frame.substr(0, 300'000));
  expectUsed(300'000 - kStep, 600'000);
  client.send(frame.substr(300'000));
  EXPECT_GT(client.text().size(), 500'000U);
  expectUsed(0, 0);
}

TEST_F(InputBudget, OfConnectionsThatVanishIsGivenBack) {
  start();
  {
    SocketClient socket(server->port());
    socket.send(maskedFrame(0x01, echoOf(200'000)));
    Client client(server->port());
    client.send(bodyRequest("echo", 900'000) + std::string(200'000, ' '));
    expectUsed(400'000 - 2 * kStep, 1'000'000);
  }
  expectUsed(0, 0);
}

TEST_F(InputBudget, AMessageThatItDoesNotHaveIsClosedBy1013) {
  options.input_budget_bytes = 300'000;
  start();
  SocketClient first(server->port());
  first.send(maskedFrame(0x01, std::string(100'000, 'x')));
  expectUsed(100'000 - kStep, 300'000);
  SocketClient second(server->port());
  second.send(maskedFrame(0x01, std::string(400'000, 'x')));
  EXPECT_EQ(second.frame().closeCode(), 1013);
  EXPECT_EQ(refused(Refusal::kInputBudget), 1U);
  EXPECT_EQ(server->server.totals().closedBy(CloseReason::kOverflow), 1U);
  SocketClient third(server->port());
  third.call("echo", "a", "1");
  EXPECT_NE(third.text(), "") << "small messages are taken";
}

TEST_F(InputBudget, ABodyThatItDoesNotHaveIsBusy) {
  options.input_budget_bytes = 300'000;
  start();
  Client client(server->port());
  client.send(bodyRequest("echo", 900'000) + std::string(400'000, ' '));
  const std::string answer = client.readToEnd();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503");
  EXPECT_NE(answer.find(R"("code":"busy")"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  EXPECT_EQ(refused(Refusal::kInputBudget), 1U);
  expectUsed(0, 0);
}

TEST_F(InputBudget, WhatWaitsBehindACallCountsAndItsReplyIsTheLast) {
  options.input_budget_bytes = 2 * kStep;
  start();
  Client client(server->port());
  client.send(bodyRequest("hold", 1) + "1" + std::string(60'000, ' '));
  EXPECT_TRUE(
      server->waitUntil([&](const Totals&) { return refused(Refusal::kInputBudget) == 1; }));
  server->onLoop(0, [&] { server->dispatchers[0]->releaseHeld(); });
  const std::string answer = client.readToEnd();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 200");
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  expectUsed(0, 0);
}

TEST_F(InputBudget, ABodyGoesOnceItsCallHasItsOwnCopy) {
  start();
  Client client(server->port());
  const std::string body = "\"" + std::string(300'000, 'x') + "\"";
  client.send(bodyRequest("hold", body.size()) + body.substr(0, 200'000));
  expectUsed(200'000 - kStep, 600'000);
  client.send(body.substr(200'000));
  expectUsed(0, 0);
  server->onLoop(0, [&] { server->dispatchers[0]->releaseHeld(); });
  EXPECT_NE(client.response().find(body), std::string::npos);
}

TEST_F(InputBudget, MessagesThatWaitCount) {
  options.max_calls_under_way = 1;
  options.max_waiting_bytes = 500'000;
  start();
  SocketClient client(server->port());
  client.call("hold", "a", "1");
  client.send(maskedFrame(0x81, echoOf(100'000)));
  expectUsed(100'000 - kStep, 110'000);
  server->onLoop(0, [&] { server->dispatchers[0]->releaseHeld(); });
  EXPECT_NE(client.text(), "");
  EXPECT_GT(client.text().size(), 100'000U);
  expectUsed(0, 0);
}

TEST_F(InputBudget, AMessageSlowerThanTheLeastRateIsClosedBy1008) {
  // limit - 1, limit, limit + 1 bytes in the window, which ends a millisecond late
  const std::uint64_t window_ms = options.body_rate_window_ms;
  options.body_min_rate = 1'000;
  for (const std::uint64_t come : {window_ms, window_ms + 1, window_ms + 2}) {
    SCOPED_TRACE(come);
    start();
    SocketClient client(server->port());
    const std::string part = maskedFrame(0x01, std::string(come, ' '));
    client.send(part);
    expectRead(part.size());
    server->advance(static_cast<std::int64_t>(window_ms) - 1);
    EXPECT_EQ(refused(Refusal::kSlowBody), 0U);
    server->advance(2);
    const bool is_slow = come < window_ms + 1;
    EXPECT_EQ(refused(Refusal::kSlowBody), is_slow ? 1U : 0U);
    if (!is_slow) server->advance(static_cast<std::int64_t>(window_ms) + 1);  // nothing came
    EXPECT_EQ(client.frame().closeCode(), 1008);
    EXPECT_EQ(server->server.totals().closedBy(CloseReason::kDeadline), 0U) << "it may answer";
    client.send(maskedFrame(0x88, "\x03\xF0"));
    EXPECT_EQ(client.readToEnd(), "");
    EXPECT_EQ(server->server.totals().closedBy(CloseReason::kDeadline), 1U);
    server.reset();
  }
}

TEST_F(InputBudget, AMessageHasADeadlineInAllAndEachHasItsOwn) {
  options.body_min_rate = 0;
  start();
  SocketClient client(server->port());
  const std::string begin = maskedFrame(0x01, R"({"resource":"echo",)");
  const std::string end = maskedFrame(0x80, R"("action":"a","payload":1})");
  client.send(begin);
  expectRead(begin.size());
  server->advance(static_cast<std::int64_t>(options.body_deadline_ms) - 1);
  client.send(end + begin);  // in time; the next one begins
  EXPECT_NE(client.text(), "");
  server->advance(static_cast<std::int64_t>(options.body_deadline_ms) - 1);
  client.send(end + begin);
  EXPECT_NE(client.text(), "") << "the time of the message before is not this one's";
  server->advance(static_cast<std::int64_t>(options.body_deadline_ms) + 1);
  EXPECT_EQ(client.frame().closeCode(), 1008);
  EXPECT_EQ(refused(Refusal::kSlowBody), 1U);
}

TEST_F(InputBudget, WhoIsNotReadIsNotSlow) {
  options.max_calls_under_way = 1;
  options.max_waiting_bytes = 1;
  start();
  SocketClient client(server->port());
  client.call("hold", "a", "1");
  const std::string begin = maskedFrame(0x01, R"({"resource":"echo",)");
  client.send(maskedFrame(0x81, echoOf(10)) + begin);
  EXPECT_TRUE(server->waitUntil([](const Totals& totals) { return totals.messages == 2; }));
  server->advance(static_cast<std::int64_t>(options.body_deadline_ms) + 1);
  client.send(maskedFrame(0x80, R"("action":"a","payload":1})"));
  server->onLoop(0, [&] { server->dispatchers[0]->releaseHeld(); });
  for (int i = 0; i < 3; ++i) EXPECT_NE(client.text(), "") << i;
  EXPECT_EQ(refused(Refusal::kSlowBody), 0U);
}

}  // namespace
}  // namespace sub0::net::testing
