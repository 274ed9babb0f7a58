// SPDX-License-Identifier: Apache-2.0
#include "net/ws/session.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/connection_harness.hpp"

// Longer than most, and one file because each case is a short conversation with the same session.
namespace sub0::net::testing {
namespace {

TEST(Session, AnswersInTheDocumentedForm) {
  // spec S-112
  TestServer server(socketOptions());
  SocketClient client(server.port(), "/ws?uid=user_12345");
  client.call("echo", "balance_check", R"({"a":[1,2]})");
  EXPECT_EQ(client.text(), R"({"uid":"user_12345","action":"balance_check","data":{"a":[1,2]}})");
}

TEST(Session, AConnectionWithoutUidGetsNull) {
  // spec S-110 S-112
  TestServer server(socketOptions());
  for (const char* target : {"/ws", "/ws?uid=", "/ws?other=1"}) {
    SocketClient client(server.port(), target);
    client.call("echo", "a", "1");
    EXPECT_EQ(client.text(), R"({"uid":null,"action":"a","data":1})") << target;
  }
}

TEST(Session, UidIsPercentDecodedAndWrittenAsJson) {
  // spec S-110
  TestServer server(socketOptions());
  SocketClient client(server.port(), "/ws?uid=a%22%20b%C3%A9");
  client.call("who", "a", "{}");
  EXPECT_NE(client.text().find(R"({"uid":"a\" bé","action")"), std::string::npos);
}

TEST(Session, EnvelopeIsReadByTheLetter) {
  // spec S-111 S-118 S-112, Q-61
  TestServer server(socketOptions());
  SocketClient client(server.port());
  const std::pair<const char*, const char*> rows[] = {
      {R"({"resource":"echo"})", R"({"uid":null,"action":null,"data":{}})"},
      {R"({"resource":"echo","action":"a","payload":7,"more":[]})",
       R"({"uid":null,"action":"a","data":7})"},
      {R"({"resource":"echo","payload":1,"id":"x"})",
       R"({"uid":null,"action":null,"data":1,"id":"x"})"},
      {R"({"resource":"echo","payload":1,"id":5})",
       R"({"uid":null,"action":null,"data":1,"id":5})"},
  };
  for (const auto& [message, expected] : rows) {
    client.say(message);
    EXPECT_EQ(client.text(), expected) << message;
  }
  for (const char* message :
       {"", "{", "[]", "7", "\"x\"", R"({"resource":"echo","resource":"echo"})",
        R"({"resource":"echo","action":1})", R"({"resource":"echo","id":{}})",
        R"({"resource":"echo","payload":{"a":tru}})", R"({"resource":"echo","payload":"\q"})",
        R"({"resource":"echo"} x)"}) {
    client.say(message);
    const std::string answer = client.text();
    EXPECT_EQ(answer.find(R"({"uid":null,"action":null,"data":null,"success":false,"message":)"),
              0U)
        << message << " → " << answer;
    EXPECT_NE(answer.find(R"("error":{"code":"bad_request","details":[]},"status":400})"),
              std::string::npos)
        << answer;
  }
  client.say(R"({"action":"a","id":9,"payload":{}})");
  const std::string missing = client.text();
  EXPECT_NE(missing.find(R"("action":"a","data":null,"success":false)"), std::string::npos);
  EXPECT_NE(missing.find(R"("status":400,"id":9})"), std::string::npos) << missing;
  client.call("nobody", "a", "{}");
  EXPECT_NE(client.text().find(R"("code":"not_found")"), std::string::npos);
}

TEST(Session, RepliesWithoutIdComeInTheOrderOfTheRequests) {
  // spec S-114
  TestServer server(socketOptions());
  SocketClient client(server.port());
  client.call("hold", "first", "1");
  client.call("echo", "second", "2");
  client.call("hold", "third", "3");
  client.call("release-last", "fourth", "4");  // ends the third
  client.call("release", "fifth", "5");        // ends the first
  for (const char* action : {"first", "second", "third", "fourth", "fifth"}) {
    EXPECT_NE(client.text().find(std::string("\"action\":\"") + action), std::string::npos)
        << action;
  }
}

TEST(Session, RepliesWithIdComeAsTheyAreDone) {
  // spec S-114
  TestServer server(socketOptions());
  SocketClient client(server.port());
  client.call("hold", "first", "1");
  client.call("echo", "second", "2", "22");
  client.call("hold", "third", "3", "33");
  client.call("release-last", "fourth", "4", "44");
  client.call("release", "fifth", "5");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"second","data":2,"id":22})");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"third","data":3,"id":33})");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"fourth","data":true,"id":44})");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"first","data":1})");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"fifth","data":true})");
}

TEST(Session, AnErrorReplyWaitsInItsSlotToo) {
  // spec S-114 S-112
  TestServer server(socketOptions());
  SocketClient client(server.port());
  client.call("hold", "first", "1");
  client.say("{broken");
  client.call("release", "third", "3");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"first","data":1})");
  EXPECT_NE(client.text().find(R"("status":400)"), std::string::npos);
  EXPECT_NE(client.text().find(R"("action":"third")"), std::string::npos);
}

TEST(Session, AtMost32CallsAreUnderWayAndPingsAreAnsweredMeanwhile) {
  // spec S-114, Q-38
  TestServer server(socketOptions());
  SocketClient client(server.port());
  for (int i = 0; i < 32; ++i) client.call("hold", "a", std::to_string(i), std::to_string(i));
  client.call("echo", "late", "99", "99");
  client.send(maskedFrame(0x89, "hello"));
  const Frame pong = client.frame();  // the echo has not been dispatched
  EXPECT_EQ(pong.opcode, 10);
  EXPECT_EQ(pong.payload, "hello");
  server.onLoop(0, [&] {
    TestDispatcher& dispatcher = *server.dispatchers[0];
    EXPECT_EQ(dispatcher.held.size(), 32U);
    // One of them ends, and the waiting message is dispatched.
    const auto held = dispatcher.held.front();
    dispatcher.held.pop_front();
    call::Reply reply;
    reply.id_json = held.id;
    held.port->deliver(held.sender, reply);
  });
  EXPECT_EQ(client.text(), R"({"uid":null,"action":null,"data":null,"id":0})");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"late","data":99,"id":99})");
}

TEST(Session, EmptyMessagesThatWaitStopTheReadingToo) {
  // Q-38
  TestServer server(socketOptions());
  SocketClient client(server.port());
  for (int i = 0; i < 32; ++i) client.call("hold", "a", "1", std::to_string(i));
  constexpr int kMessages = 12'000;
  std::string all;
  for (int i = 0; i < kMessages; ++i) all += textFrame("");
  client.send(all);
  EXPECT_TRUE(server.waitUntil([&](const Totals&) {
    bool is_reading = true;
    server.onLoop(0, [&] {
      auto& held = server.dispatchers[0]->held;
      if (held.size() == 32) is_reading = server.connection(0, held[0].sender)->isReading();
    });
    return !is_reading;
  }));
  server.onLoop(0, [&] {
    for (int i = 0; i < 32; ++i) server.dispatchers[0]->releaseHeld();
  });
  for (int i = 0; i < 32; ++i) client.text();
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_NE(client.text().find(R"("status":400)"), std::string::npos) << i;
  }
}

TEST(Session, OneSlowCallLetsOnly4096OthersPass) {
  // spec S-114
  TestServer server(socketOptions());
  SocketClient client(server.port());
  client.call("hold", "slow", "0", "0");
  for (int i = 1; i < 4096; ++i) {
    client.call("echo", "a", "1", "1");
    ASSERT_EQ(client.text(), R"({"uid":null,"action":"a","data":1,"id":1})") << i;
  }
  client.call("echo", "late", "2", "2");
  client.send(maskedFrame(0x89, ""));
  EXPECT_EQ(client.frame().opcode, 10) << "the message waits, the ping does not";
  server.onLoop(0, [&] { server.dispatchers[0]->releaseHeld(); });
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"slow","data":0,"id":0})");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"late","data":2,"id":2})");
}

TEST(Session, AHeldBackReplyOverTheLimitIsBusyAndTheConnectionStays) {
  // spec S-114
  TestServer server(socketOptions());
  SocketClient client(server.port());
  client.call("hold", "first", "1");
  client.call("big", "second", R"({"size":2000000})");
  client.call("release", "third", "3");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"first","data":1})");
  const std::string busy = client.text();
  EXPECT_NE(busy.find(R"("action":"second","data":null)"), std::string::npos) << busy;
  EXPECT_NE(busy.find(R"("code":"busy")"), std::string::npos) << busy;
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"third","data":true})");
}

TEST(Session, HandshakeIsOffUnlessAllowed) {
  // spec S-110
  TestServer server;
  Client client(server.port());
  client.send(upgradeRequest());
  const std::string answer = client.response();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 404");
  EXPECT_NE(answer.find("ALLOW_WEBSOCKET_CONNECTIONS"), std::string::npos);
}

TEST(Session, ForcedUidIsDemanded) {
  // spec S-110
  Options options = socketOptions();
  options.force_uid = true;
  TestServer server(options);
  for (const char* target : {"/ws", "/ws?uid="}) {
    Client client(server.port());
    client.send(upgradeRequest(target));
    EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 400") << target;
  }
  SocketClient client(server.port(), "/ws?uid=u");
}

TEST(Session, TokenAndKeptHeadersReachTheCall) {
  // spec S-73 S-61, Q-16
  TestServer server(socketOptions());
  SocketClient client(server.port(), "/ws",
                      "Sec-WebSocket-Protocol: x-access-token, secret.token\r\nX-Trace: t1\r\n");
  EXPECT_NE(client.handshake.find("Sec-WebSocket-Protocol: x-access-token\r\n"), std::string::npos);
  EXPECT_EQ(client.handshake.find("secret"), std::string::npos);
  client.call("who", "a", "{}");
  const std::string answer = client.text();
  EXPECT_NE(answer.find(R"("ip":"127.0.0.1")"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"("scheme":"x-access-token","token":"secret.token","trace":"t1")"),
            std::string::npos)
      << answer;
}

TEST(Session, ForeignOriginIsRefusedBeforeTheUpgrade) {
  // Q-17, spec S-54
  Options options = socketOptions();
  options.cors = *http::CorsPolicy::parse("https://good.example");
  TestServer server(options);
  for (const char* origin : {"https://evil.com", "null", "https://good.example.evil.com",
                             "https://good.example\r\nOrigin: https://evil.com"}) {
    Client client(server.port());
    client.send(upgradeRequest("/ws", "Origin: " + std::string(origin) + "\r\n"));
    EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 403") << origin;
  }
  SocketClient with(server.port(), "/ws", "Origin: https://good.example\r\n");
  SocketClient without(server.port());
}

TEST(Session, FrameInTheSegmentOfTheHandshakeIsHandled) {
  // Q-15 Q-13
  TestServer server(socketOptions());
  const std::string frame = textFrame(SocketClient::envelope("echo", "a", "1"));
  const std::string ping = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string all = ping + upgradeRequest() + frame;
  for (std::size_t cut = 0; cut < all.size(); cut += 7) {
    SCOPED_TRACE(cut);
    Client client(server.port());
    client.send(all.substr(0, cut));
    client.send(all.substr(cut));
    EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 200");
    EXPECT_EQ(client.response(false).substr(0, 12), "HTTP/1.1 101");
    const std::string reply = R"({"uid":null,"action":"a","data":1})";
    EXPECT_EQ(client.take(2 + reply.size()).substr(2), reply);
  }
}

TEST(Session, ProtocolErrorsCloseWithTheRfcsCode) {
  Options options = socketOptions();
  options.max_payload_bytes = 1000;
  TestServer server(options);
  struct Row {
    const char* what;
    std::string bytes;
    int code;
  };
  const auto header64 = [](std::uint64_t size) {
    std::string out = "\x81\xFF";
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift));
    return out;
  };
  const Row rows[] = {
      {"unmasked; Q-21", maskedFrame(0x81, "x", false), 1002},
      {"RSV1; Q-22", maskedFrame(0xC1, "x"), 1002},
      {"RSV2; Q-22", maskedFrame(0xA1, "x"), 1002},
      {"opcode 3; Q-23", maskedFrame(0x83, "x"), 1002},
      {"opcode 11; Q-23", maskedFrame(0x8B, "x"), 1002},
      {"ping of 126; Q-24", maskedFrame(0x89, std::string(126, 'x')), 1002},
      {"fragmented ping; Q-24", maskedFrame(0x09, "x"), 1002},
      {"length not shortest; Q-25", std::string("\x81\xFE\x00\x05", 4), 1002},
      {"top bit; Q-25", header64(std::uint64_t{1} << 63), 1002},
      {"declared 2^31; Q-26", header64(std::uint64_t{1} << 31), 1009},
      {"limit + 1; Q-27", maskedFrame(0x81, std::string(1001, 'x')), 1009},
      {"limit + 1 in fragments; Q-27",
       maskedFrame(0x01, std::string(600, 'x')) + maskedFrame(0x80, std::string(401, 'x')), 1009},
      {"continuation alone; Q-29", maskedFrame(0x80, "x"), 1002},
      {"message inside message; Q-29", maskedFrame(0x01, "x") + maskedFrame(0x81, "y"), 1002},
      {"invalid UTF-8; Q-30", maskedFrame(0x81, "\xED\xA0\x80"), 1007},
      {"close code 999; Q-31", maskedFrame(0x88, "\x03\xE7"), 1002},
      {"close of one byte; Q-31", maskedFrame(0x88, "x"), 1002},
      {"binary; Q-37", maskedFrame(0x82, "x"), 1003},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    SocketClient client(server.port());
    client.send(row.bytes);
    EXPECT_EQ(client.frame().closeCode(), row.code);
    EXPECT_EQ(client.readToEnd(), "");
  }
  std::string fragments = maskedFrame(0x01, "x");
  for (int i = 0; i < 1100; ++i) fragments += maskedFrame(0x00, "");
  SocketClient client(server.port());  // Q-28
  client.send(fragments);
  EXPECT_EQ(client.frame().closeCode(), 1008);
}

TEST(Session, CloseCodesAreEchoedAndTcpIsClosed) {
  // Q-31 Q-33
  TestServer server(socketOptions());
  for (const int code : {1000, 1001, 1003, 1007, 1014, 3000, 4999}) {
    SocketClient client(server.port());
    const std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    client.send(maskedFrame(0x88, payload + "bye") + textFrame("ignored"));
    EXPECT_EQ(client.frame().closeCode(), code);
    EXPECT_EQ(client.readToEnd(), "");
  }
  SocketClient client(server.port());
  client.send(maskedFrame(0x88, ""));
  EXPECT_EQ(client.frame().closeCode(), 0);
  EXPECT_EQ(client.readToEnd(), "");
}

TEST(Session, EmptyPingThenTextGivesOneEmptyPongAndTheReply) {
  // Q-39 Q-29
  TestServer server(socketOptions());
  SocketClient client(server.port());
  const std::string message = SocketClient::envelope("echo", "a", "1");
  client.send(maskedFrame(0x89, "") + maskedFrame(0x01, message.substr(0, 9)) +
              maskedFrame(0x89, "mid") + maskedFrame(0x80, message.substr(9)));
  const Frame empty = client.frame();
  EXPECT_EQ(empty.opcode, 10);
  EXPECT_EQ(empty.payload, "");
  EXPECT_EQ(client.frame().payload, "mid");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"a","data":1})");
}

TEST(Session, MessagesBackToBackAreThreeHoweverTheyAreCut) {
  // Q-54
  TestServer server(socketOptions());
  std::string all;
  std::vector<std::string> expected;
  for (const std::size_t size : {1300U, 5000U, 200U}) {
    const std::string payload = "\"" + std::string(size, 'p') + "\"";
    all += textFrame(SocketClient::envelope("echo", "a", payload));
    expected.push_back(R"({"uid":null,"action":"a","data":)" + payload + "}");
  }
  for (std::size_t cut = 1; cut < all.size(); cut += 97) {
    SCOPED_TRACE(cut);
    SocketClient client(server.port());
    client.send(all.substr(0, cut));
    client.send(all.substr(cut));
    for (const std::string& message : expected) EXPECT_EQ(client.text(), message);
  }
}

TEST(Session, ManyMessagesInOneSegmentAreAllAnswered) {
  // Q-36
  TestServer server(socketOptions());
  SocketClient client(server.port());
  std::string all;
  constexpr int kMessages = 5000;
  for (int i = 0; i < kMessages; ++i) {
    all += textFrame(SocketClient::envelope("echo", "a", std::to_string(i)));
  }
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_EQ(client.text(), R"({"uid":null,"action":"a","data":)" + std::to_string(i) + "}");
  }
  sender.join();
  EXPECT_EQ(server.server.totals().messages, static_cast<std::uint64_t>(kMessages));
}

TEST(Session, UntilReadyCallsAreUnavailable) {
  Readiness readiness;
  readiness.is_ready = [] { return false; };
  TestServer server(socketOptions(), 1, readiness);
  SocketClient client(server.port());
  client.call("echo", "a", "1");
  const std::string answer = client.text();
  EXPECT_NE(answer.find(R"("code":"unavailable")"), std::string::npos);
  EXPECT_NE(answer.find(R"("status":503)"), std::string::npos);
}

TEST(Session, ALargeReplyToAnEmptyQueueArrivesWhole) {
  TestServer server(socketOptions());
  SocketClient client(server.port());
  client.call("big", "a", R"({"size":5000000})");
  EXPECT_EQ(client.text().size(), 5'000'000U + 35U);
  client.call("echo", "a", "1");
  EXPECT_EQ(client.text(), R"({"uid":null,"action":"a","data":1})");
}

TEST(Session, OverTheBudgetALargeReplyIsBusy) {
  Options options = socketOptions();
  options.unsent_budget_bytes = 2'000'000;
  TestServer server(options);
  SocketClient client(server.port());
  client.call("big", "a", R"({"size":3000000})", "1");
  const std::string answer = client.text();
  EXPECT_NE(answer.find(R"("code":"busy")"), std::string::npos) << answer.substr(0, 200);
  client.call("big", "a", R"({"size":1500000})", "2");
  EXPECT_EQ(client.text().substr(0, 40).find("\"data\":\"xxx"), 25U);
}

TEST(Session, ABudgetIsGivenBackOnceTheRestIsUnderTheLimit) {
  Options options = socketOptions();
  options.hard_unsent_bytes = 8'000'000;
  options.unsent_budget_bytes = 30'000'000;
  TestServer server(options);
  SocketClient first(server.port());
  first.call("hold", "h", "1", "1");
  first.call("big", "a", R"({"size":20000000})", "2");
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.replies == 1; }));
  const auto unsent_bytes = [&] {
    std::size_t bytes = 0;
    server.onLoop(0, [&] {
      bytes = server.connection(0, server.dispatchers[0]->held[0].sender)->unsentBytes();
    });
    return bytes;
  };
  while (unsent_bytes() > options.hard_unsent_bytes && first.fill()) {
  }
  SocketClient second(server.port());
  second.call("big", "a", R"({"size":20000000})", "1");
  EXPECT_EQ(second.text().size(), 20'000'000U + 42U);
}

TEST(Session, DrainClosesWith1001AfterTheCallsUnderWay) {
  TestServer server(socketOptions());
  SocketClient idle(server.port());
  SocketClient busy(server.port());
  busy.call("hold", "a", "1");
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.messages == 1; }));
  server.server.drain(1);  // a window in which only the order counts: everybody at once
  EXPECT_EQ(idle.frame().closeCode(), 1001);
  idle.send(maskedFrame(0x88, "\x03\xE9"));
  EXPECT_EQ(idle.readToEnd(), "");
  EXPECT_EQ(busy.frame().closeCode(), 1001);
}

TEST(Session, DrainLetsACallUnderWayEnd) {
  TestServer server(socketOptions());
  SocketClient busy(server.port());
  busy.call("hold", "a", "1");
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.messages == 1; }));
  server.onLoop(0, [&] {
    Connection& connection = *server.connection(0, server.dispatchers[0]->held[0].sender);
    connection.protocol().drain(0, 60'000);
  });
  // The deadline of 0 ms passes in a turn of its own before the call ends.
  EXPECT_TRUE(server.waitUntil([&](const Totals&) {
    bool is_watching = true;
    server.onLoop(0, [&] {
      auto* connection = server.connection(0, server.dispatchers[0]->held[0].sender);
      is_watching = static_cast<ws::Session&>(connection->protocol()).isDraining();
    });
    return is_watching;
  }));
  server.onLoop(0, [&] { server.dispatchers[0]->releaseHeld(); });
  EXPECT_EQ(busy.text(), R"({"uid":null,"action":"a","data":1})");
  EXPECT_EQ(busy.frame().closeCode(), 1001);
}

TEST(Session, DrainSendsTheBroadcastsOfTheLastCallBefore1001) {
  // spec S-116, Q-92
  TestServer server(socketOptions());
  SocketClient busy(server.port());
  busy.call("hold", "a", "1");
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.messages == 1; }));
  server.onLoop(0, [&] {
    server.connection(0, server.dispatchers[0]->held[0].sender)->protocol().drain(0, 60'000);
  });
  EXPECT_TRUE(server.waitUntil([&](const Totals&) {
    bool is_draining = false;
    server.onLoop(0, [&] {
      auto* connection = server.connection(0, server.dispatchers[0]->held[0].sender);
      is_draining = static_cast<ws::Session&>(connection->protocol()).isDraining();
    });
    return is_draining;
  }));
  server.onLoop(0, [&] {
    const call::Sender sender = server.dispatchers[0]->held[0].sender;
    server.dispatchers[0]->releaseHeld();
    call::Broadcast broadcast;
    broadcast.action = "update";
    const json::Value data = json::integer(5);
    broadcast.data = &data;
    server.server.hub().send(broadcast, sender);
  });
  EXPECT_EQ(busy.text(), R"({"uid":null,"action":"a","data":1})");
  EXPECT_EQ(busy.text(), R"({"action":"update","data":5})");
  EXPECT_EQ(busy.frame().closeCode(), 1001);
}

TEST(Session, AVanishedPeerIsReapedByThePongDeadline) {
  // Q-33
  Options options = socketOptions();
  options.ping_interval_ms = 20;
  options.pong_deadline_ms = 20;
  TestServer server(options);
  SocketClient client(server.port());
  const Frame ping = client.frame();
  EXPECT_EQ(ping.opcode, 9);
  client.readToEnd();
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) {
    return totals.closedBy(CloseReason::kNoPong) == 1 && totals.open_connections == 0;
  }));
}

TEST(Session, CallsOfAConnectionThatHasGoneAreAbandoned) {
  TestServer server(socketOptions());
  {
    SocketClient client(server.port());
    client.call("hold", "a", "1");
    EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.messages == 1; }));
  }
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_connections == 0; }));
  EXPECT_EQ(server.dispatchers[0]->abandoned.load(), 1);
}

}  // namespace
}  // namespace sub0::net::testing
