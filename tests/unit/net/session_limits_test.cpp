// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "net/ws/session.hpp"
#include "tests/unit/net/connection_harness.hpp"

// What one connection may do: how fast it sends, how much waits for it, how often its tokens are
// bad.
namespace sub0::net::testing {
namespace {

std::string guardedRequest() {
  return "POST /guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
}

TEST(SessionLimits, ASecondsWorthOfMessagesAtOnceAndNotOneMore) {
  // Q-83: limit - 1, limit, limit + 1
  ManualClock clock;
  Options options = socketOptions();
  options.message_rate = 10;
  TestServer server(options, 1, {}, &clock);
  const std::string message = textFrame(SocketClient::envelope("echo", "a", "1"));
  const auto repeat = [](std::string_view text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  for (const int count : {9, 10}) {
    SocketClient client(server.port());
    client.send(repeat(message, count));
    for (int i = 0; i < count; ++i) EXPECT_NE(client.text(), "") << count;
  }
  SocketClient fast(server.port());
  fast.send(repeat(message, 11));
  for (int i = 0; i < 10; ++i) EXPECT_NE(fast.text(), "");
  const Frame last = fast.frame();
  EXPECT_EQ(last.closeCode(), 1008);
  EXPECT_TRUE(has(last.payload, "SUB0_MESSAGE_RATE"));
  EXPECT_EQ(server.server.totals().refusedBy(Refusal::kMessageRate), 1U);
  SocketClient pinging(server.port());
  pinging.send(repeat(maskedFrame(0x89, ""), 11));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pinging.frame().opcode, 10);
  EXPECT_EQ(pinging.frame().closeCode(), 1008) << "pings count";
  SocketClient steady(server.port());
  steady.send(repeat(message, 10));
  for (int i = 0; i < 10; ++i) EXPECT_NE(steady.text(), "");
  for (int i = 0; i < 10; ++i) {
    server.advance(100);
    steady.send(message);
    EXPECT_NE(steady.text(), "") << i;
  }
  steady.send(message);
  EXPECT_EQ(steady.frame().closeCode(), 1008);
}

TEST(SessionLimits, WaitingInputStopsTheReadingAtItsLimit) {
  // Q-38: limit - 1, limit: pings are answered up to there
  const std::size_t cost = loop::Loop::kSpareBytes + sizeof(std::string);
  for (const std::size_t missing : {1U, 0U}) {
    TestServer server(socketOptions());
    SocketClient client(server.port());
    const std::size_t limit = server.server.options().max_waiting_bytes;
    for (int i = 0; i < 32; ++i) client.call("hold", "a", "1", std::to_string(i));
    client.send(textFrame(std::string(limit - cost - missing, ' ')) + maskedFrame(0x89, "p"));
    EXPECT_EQ(client.frame().payload, "p") << "in the same read as what fills the room";
    bool is_reading = false;
    server.onLoop(0, [&] {
      is_reading = server.connection(0, server.dispatchers[0]->held[0].sender)->isReading();
    });
    EXPECT_EQ(is_reading, missing > 0);
    server.onLoop(0, [&] {
      for (int i = 0; i < 32; ++i) server.dispatchers[0]->releaseHeld();
    });
    for (int i = 0; i < 32; ++i) EXPECT_NE(client.text(), "");
    EXPECT_TRUE(has(client.text(), R"("status":400)"));
    client.send(maskedFrame(0x89, "q"));
    EXPECT_EQ(client.frame().payload, "q") << "reading goes on";
  }
}

TEST(SessionLimits, TenThousandMessagesInOneGoHoldUpNobodyElse) {
  // Q-36
  TestServer server(socketOptions());
  SocketClient busy(server.port());
  SocketClient other(server.port());
  constexpr int kMessages = 10'000;
  std::string all;
  for (int i = 0; i < kMessages; ++i) {
    all += textFrame(SocketClient::envelope("echo", "a", std::to_string(i)));
  }
  std::thread sender([&] { busy.send(all); });
  for (int i = 0; i < 20; ++i) {  // while nobody reads what the busy one gets
    other.call("echo", "o", std::to_string(i));
    EXPECT_EQ(other.text(), R"({"uid":null,"action":"o","data":)" + std::to_string(i) + "}");
  }
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_EQ(busy.text(), R"({"uid":null,"action":"a","data":)" + std::to_string(i) + "}");
  }
  sender.join();
}

TEST(SessionLimits, AMessageInTenThousandSegmentsIsOneMessage) {
  // Q-36
  TestServer server(socketOptions());
  SocketClient slow(server.port());
  SocketClient other(server.port());
  const std::string payload = "\"" + std::string(10'000, 'p') + "\"";
  const std::string bytes = textFrame(SocketClient::envelope("echo", "a", payload));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    slow.send(std::string_view(bytes).substr(i, 1));
    if (i % 1000 != 0) continue;
    other.call("echo", "o", "1");
    EXPECT_EQ(other.text(), R"({"uid":null,"action":"o","data":1})");
  }
  EXPECT_EQ(slow.text(), R"({"uid":null,"action":"a","data":)" + payload + "}");
  EXPECT_EQ(server.server.totals().messages, 12U);
}

TEST(SessionLimits, AmongManyReadersTheSlowOneAloneIsClosed) {
  // Q-81, Q-53: the others get every message, the slow one a part without a gap and then 1008
  Options options = socketOptions();
  options.ping_interval_ms = 0;
  TestServer server(options, 2);
  SocketClient slow(server.port());
  std::vector<std::unique_ptr<SocketClient>> readers;
  for (int i = 0; i < 50; ++i) readers.push_back(std::make_unique<SocketClient>(server.port()));
  SocketClient sender(server.port(), "/ws?uid=sender");
  const std::string filler = std::string(65'536, 'd');
  int sent = 0;
  while (server.server.totals().open_sockets == readers.size() + 2 && sent < 2'000) {
    const std::string data = "[" + std::to_string(sent++) + ",\"" + filler + "\"]";
    sender.call("notify", "n", R"({"data":)" + data + R"(,"exclude":true})");
    ASSERT_NE(sender.text(), "");
    for (auto& reader : readers) {
      ASSERT_EQ(reader->text(), R"({"action":"update","data":)" + data + "}") << sent;
    }
  }
  EXPECT_LT(sent, 2'000) << "the slow one is never closed";
  int heard = 0;
  for (Frame frame = slow.frame();; frame = slow.frame()) {
    if (frame.opcode != 1) {
      EXPECT_EQ(frame.closeCode(), 1008);
      break;
    }
    ASSERT_EQ(frame.payload.substr(0, 30),
              (R"({"action":"update","data":[)" + std::to_string(heard++) + ",\"" + filler)
                  .substr(0, 30));
  }
  EXPECT_GT(heard, 10);
  const Totals totals = server.server.totals();
  EXPECT_EQ(totals.refusedBy(Refusal::kUnsent), 1U);
  EXPECT_EQ(totals.open_sockets, readers.size() + 1);
}

TEST(SessionLimits, BadTokensOfAnAddressAreAnsweredLater) {
  // Q-49: limit - 1, limit, limit + 1; good tokens and other addresses are not concerned
  ManualClock clock;
  Options options = socketOptions();
  options.bad_tokens_per_second = 10;
  options.bad_token_burst = 2;
  TestServer server(options, 1, {}, &clock);
  Client first(server.port(), "127.0.0.2");
  for (int i = 0; i < 2; ++i) {
    first.send(guardedRequest());
    EXPECT_EQ(first.response().substr(0, 12), "HTTP/1.1 401") << i;
  }
  first.send(guardedRequest());
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.delayed_replies == 1; }));
  Client same(server.port(), "127.0.0.2");
  same.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(same.response().substr(0, 12), "HTTP/1.1 200");
  Client other(server.port(), "127.0.0.3");
  other.send(guardedRequest());
  EXPECT_EQ(other.response().substr(0, 12), "HTTP/1.1 401");
  const std::uint64_t replies = server.server.totals().replies;
  server.advance(99);
  EXPECT_EQ(server.server.totals().replies, replies);
  server.advance(2);
  const std::string answer = first.response();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 401");
  EXPECT_TRUE(has(answer, R"("code":"token_invalid")")) << answer;
  first.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(first.response().substr(0, 12), "HTTP/1.1 200") << "the connection goes on";
}

TEST(SessionLimits, BadTokensThatWouldWaitTooLongGet429) {
  // Q-49
  ManualClock clock;
  Options options;
  options.bad_tokens_per_second = 1;
  options.bad_token_burst = 1;
  TestServer server(options, 1, {}, &clock);
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send(guardedRequest());
    EXPECT_TRUE(server.waitUntil([i](const Totals& totals) { return totals.http_requests == i; }));
  }
  Client fourth(server.port());
  fourth.send(guardedRequest());
  const std::string answer = fourth.response();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 429");
  EXPECT_TRUE(has(answer, "Retry-After: 3\r\n")) << answer;
  EXPECT_TRUE(has(answer, R"("code":"rate_limited")"));
  EXPECT_EQ(server.server.totals().refusedBy(Refusal::kBadTokens), 1U);
  server.advance(2'001);
  for (auto& client : clients) EXPECT_EQ(client->response().substr(0, 12), "HTTP/1.1 401");
}

TEST(SessionLimits, AHeldBackReplyOnASocketKeepsItsPlace) {
  // Q-49, spec S-114
  ManualClock clock;
  Options options = socketOptions();
  options.bad_tokens_per_second = 1;
  options.bad_token_burst = 1;
  TestServer server(options, 1, {}, &clock);
  SocketClient client(server.port());
  client.call("guarded", "first", "1");
  EXPECT_TRUE(has(client.text(), R"("status":401)"));
  client.call("guarded", "second", "1");
  client.call("echo", "third", "3");
  client.call("echo", "free", "4", "4");
  EXPECT_TRUE(has(client.text(), R"("action":"free")"));
  server.advance(1'001);
  const std::string second = client.text();
  EXPECT_TRUE(has(second, R"("action":"second")") && has(second, R"("status":401)")) << second;
  EXPECT_TRUE(has(client.text(), R"("action":"third")"));
}

TEST(SessionLimits, AHeldBackReplyWhoseConnectionHasGoneIsDropped) {
  // Q-49, Q-82
  ManualClock clock;
  Options options;
  options.bad_tokens_per_second = 1;
  options.bad_token_burst = 1;
  TestServer server(options, 1, {}, &clock);
  {
    Client client(server.port());
    client.send(guardedRequest());
    client.response();
    client.send(guardedRequest());
    EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.delayed_replies == 1; }));
  }
  server.advance(1'001);
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_connections == 0; }));
  server.onLoop(0, [&] { EXPECT_EQ(server.server.services(0).delayed.size(), 0U); });
}

TEST(SessionLimits, BehindAProxyBadTokensCountForTheClient) {
  // Q-49, Q-84
  ManualClock clock;
  Options options;
  options.bad_tokens_per_second = 1;
  options.bad_token_burst = 1;
  options.trusted_proxies = *http::TrustedProxies::parse("127.0.0.1");
  TestServer server(options, 1, {}, &clock);
  Client proxy(server.port());
  for (const char* client : {"203.0.113.1", "203.0.113.2", "203.0.113.3"}) {
    proxy.send("POST /guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-Forwarded-For: " +
               std::string(client) + "\r\n\r\n{}");
    EXPECT_EQ(proxy.response().substr(0, 12), "HTTP/1.1 401") << client;
  }
  EXPECT_EQ(server.server.totals().delayed_replies, 0U);
}

TEST(SessionLimits, DrainingLetsHeldBackRepliesGo) {
  // Q-49, Q-92
  ManualClock clock;
  Options options;
  options.bad_tokens_per_second = 1;
  options.bad_token_burst = 1;
  TestServer server(options, 1, {}, &clock);
  Client client(server.port());
  client.send(guardedRequest());
  client.response();
  client.send(guardedRequest());
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.delayed_replies == 1; }));
  server.server.drain(1'000);
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 401");
}

}  // namespace
}  // namespace sub0::net::testing
