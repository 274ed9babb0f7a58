// SPDX-License-Identifier: Apache-2.0
#include "net/ws/hub.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/connection_harness.hpp"

namespace sub0::net::testing {
namespace {

constexpr const char* kUpdate = R"({"action":"update","data":{"n":1}})";

class HubOnLoops : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Loops, HubOnLoops, ::testing::Values(1, 3));

TEST_P(HubOnLoops, AllReachesEveryConnectionAndTheSenderBehindItsReply) {
  // spec S-115 S-116
  TestServer server(socketOptions(), GetParam());
  auto clients = clientsOnEachLoop(server, GetParam(), "/ws?uid=u");
  const auto total = server.server.totals().open_sockets;
  clients[0]->call("notify", "n", R"({"data":{"n":1}})");
  EXPECT_EQ(clients[0]->text(), R"({"uid":"u","action":"n","data":)" + std::to_string(total) + "}");
  for (auto& client : clients) EXPECT_EQ(client->text(), kUpdate);
  // Exactly two messages for the caller: what comes next is the next reply.
  clients[0]->call("echo", "e", "1");
  EXPECT_EQ(clients[0]->text(), R"({"uid":"u","action":"e","data":1})");
}

TEST_P(HubOnLoops, SingleReachesAllConnectionsOfTheUidOnAnyLoop) {
  // spec S-115, Q-52
  TestServer server(socketOptions(), GetParam());
  auto receivers = clientsOnEachLoop(server, GetParam(), "/ws?uid=receiver");
  SocketClient stranger(server.port(), "/ws?uid=stranger");
  SocketClient caller(server.port(), "/ws?uid=caller");
  caller.call("notify", "n", R"({"to":"receiver","data":{"n":1}})");
  const std::string reply = caller.text();
  EXPECT_EQ(reply.substr(0, 35), R"({"uid":"caller","action":"n","data")") << reply;
  EXPECT_EQ(std::stoul(reply.substr(36)), server.countOf("receiver"));
  for (auto& receiver : receivers) EXPECT_EQ(receiver->text(), kUpdate);
  stranger.call("echo", "e", "1");
  EXPECT_EQ(stranger.text(), R"({"uid":"stranger","action":"e","data":1})");
  caller.call("echo", "e", "1");
  EXPECT_EQ(caller.text(), R"({"uid":"caller","action":"e","data":1})");
}

TEST_P(HubOnLoops, BulkReachesEachConnectionOnceHoweverOftenItsUidIsNamed) {
  // spec S-115, Q-51
  TestServer server(socketOptions(), GetParam());
  auto ones = clientsOnEachLoop(server, GetParam(), "/ws?uid=one");
  auto twos = clientsOnEachLoop(server, GetParam(), "/ws?uid=two");
  SocketClient three(server.port(), "/ws?uid=three");
  three.call("notify", "n",
             R"({"to":["one","two","one","nobody","three","three"],"data":{"n":1}})");
  const std::string reply = three.text();
  EXPECT_EQ(std::stoul(reply.substr(35)), server.countOf("one") + server.countOf("two") + 1)
      << reply;
  EXPECT_EQ(three.text(), kUpdate);
  for (auto& list : {&ones, &twos}) {
    for (auto& client : *list) {
      EXPECT_EQ(client->text(), kUpdate);
      client->call("echo", "e", "1");
      EXPECT_NE(client->text().find(R"("action":"e")"), std::string::npos);
    }
  }
  three.call("echo", "e", "1");
  EXPECT_EQ(three.text(), R"({"uid":"three","action":"e","data":1})");
}

TEST_P(HubOnLoops, ExcludeSenderLeavesOutTheCallersConnectionAlone) {
  // spec S-115
  TestServer server(socketOptions(), GetParam());
  auto others = clientsOnEachLoop(server, GetParam(), "/ws?uid=u");
  SocketClient caller(server.port(), "/ws?uid=u");
  const auto total = server.countOf("u");
  for (const char* payload :
       {R"({"exclude":true,"data":{"n":1}})", R"({"to":"u","exclude":true,"data":{"n":1}})"}) {
    caller.call("notify", "n", payload);
    EXPECT_EQ(caller.text(),
              R"({"uid":"u","action":"n","data":)" + std::to_string(total - 1) + "}");
    caller.call("echo", "e", "1");
    EXPECT_EQ(caller.text(), R"({"uid":"u","action":"e","data":1})");
    for (auto& other : others) EXPECT_EQ(other->text(), kUpdate);
  }
}

TEST_P(HubOnLoops, AnHttpCallBroadcastsToo) {
  // spec S-115
  TestServer server(socketOptions(), GetParam());
  auto receivers = clientsOnEachLoop(server, GetParam(), "/ws?uid=r");
  Client caller(server.port());
  const std::string body = R"({"to":"r","data":{"n":1}})";
  caller.send("POST /notify HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  const std::string response = caller.response();
  EXPECT_NE(response.find("\"data\":" + std::to_string(server.countOf("r")) + "}"),
            std::string::npos)
      << response;
  for (auto& receiver : receivers) EXPECT_EQ(receiver->text(), kUpdate);
}

TEST_P(HubOnLoops, OnTheSendersConnectionABroadcastWaitsInItsReplysSlot) {
  // spec S-116 S-114
  TestServer server(socketOptions(), GetParam());
  auto others = clientsOnEachLoop(server, GetParam(), "/ws");
  SocketClient caller(server.port());
  caller.call("hold", "first", "1");
  caller.call("hold-notify", "second", R"({"data":{"n":1}})");
  caller.call("release-last", "third", "3");
  // The others have it although the caller's reply is held back behind the first.
  for (auto& other : others) EXPECT_EQ(other->text(), kUpdate);
  caller.call("release", "fourth", "4");
  EXPECT_EQ(caller.text(), R"({"uid":null,"action":"first","data":1})");
  EXPECT_EQ(caller.text().substr(0, 30), R"({"uid":null,"action":"second",)");
  EXPECT_EQ(caller.text(), kUpdate);
  EXPECT_EQ(caller.text(), R"({"uid":null,"action":"third","data":true})");
  EXPECT_EQ(caller.text(), R"({"uid":null,"action":"fourth","data":true})");
}

TEST_P(HubOnLoops, RepliesThatWaitedForACallComeBehindItsBroadcasts) {
  // spec S-116 S-114
  TestServer server(socketOptions(), GetParam());
  SocketClient caller(server.port());
  caller.call("hold-notify", "first", R"({"data":{"n":1}})");
  caller.call("echo", "second", "2");
  caller.call("release", "third", "3");
  EXPECT_EQ(caller.text().substr(0, 29), R"({"uid":null,"action":"first",)");
  EXPECT_EQ(caller.text(), kUpdate);
  EXPECT_EQ(caller.text(), R"({"uid":null,"action":"second","data":2})");
  EXPECT_EQ(caller.text(), R"({"uid":null,"action":"third","data":true})");
}

TEST_P(HubOnLoops, BroadcastsOfALargeMessageShareTheBytesAndKeepTheOrder) {
  // spec S-116
  TestServer server(socketOptions(), GetParam());
  auto clients = clientsOnEachLoop(server, GetParam(), "/ws?uid=u");
  for (int i = 0; i < 40; ++i) {
    const std::string data = R"({"n":)" + std::to_string(i) + R"(,"pad":")" +
                             std::string(static_cast<std::size_t>(i * 100), 'p') + "\"}";
    clients[0]->call("notify", "n", R"({"data":)" + data + "}");
    EXPECT_NE(clients[0]->text().find("\"action\":\"n\""), std::string::npos);
    for (auto& client : clients) {
      ASSERT_EQ(client->text(), R"({"action":"update","data":)" + data + "}");
    }
  }
}

TEST_P(HubOnLoops, ClosedConnectionsAreNoLongerCounted) {
  // spec S-38
  TestServer server(socketOptions(), GetParam());
  SocketClient caller(server.port(), "/ws?uid=c");
  { auto leaving = clientsOnEachLoop(server, GetParam(), "/ws?uid=gone"); }
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_sockets == 1; }));
  caller.call("notify", "n", R"({"to":"gone","data":1})");
  EXPECT_EQ(caller.text(), R"({"uid":"c","action":"n","data":0})");
  caller.call("notify", "n", R"({"data":1})");
  EXPECT_EQ(caller.text(), R"({"uid":"c","action":"n","data":1})");
  EXPECT_EQ(caller.text(), R"({"action":"update","data":1})");
}

TEST(Hub, AFullMailboxClosesTheReceiversOfThatLoopAndCounts) {
  TestServer server(socketOptions(), 3);
  auto clients = clientsOnEachLoop(server, 3, "/ws?uid=u");
  std::size_t reserved = 0;
  while (server.loop(1).mailbox().reserveBulk(1 << 20)) reserved += 1 << 20;
  while (server.loop(1).mailbox().reserveBulk(1)) ++reserved;
  clients[0]->call("notify", "n", R"({"data":{"n":1}})");
  EXPECT_NE(clients[0]->text(), "");
  EXPECT_EQ(clients[0]->text(), kUpdate);
  EXPECT_EQ(clients[2]->text(), kUpdate);
  EXPECT_EQ(clients[1]->frame().closeCode(), 1013);
  EXPECT_EQ(server.server.totalsOf(0).broadcast_overflows, 1U);
  server.loop(1).mailbox().releaseBulk(reserved);
}

TEST(Directory, CountsPerLoopAndForgetsEmptyUids) {
  ws::Directory directory(3);
  directory.add("u", 0);
  directory.add("u", 2);
  directory.add("u", 2);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> seen;
  const auto look = [&] {
    seen.clear();
    directory.forEach(
        "u", [&](std::uint32_t loop, std::uint32_t count) { seen.emplace_back(loop, count); });
    return seen;
  };
  using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  EXPECT_EQ(look(), (Pairs{{0, 1}, {2, 2}}));
  directory.remove("u", 0);
  directory.remove("u", 2);
  EXPECT_EQ(look(), (Pairs{{2, 1}}));
  directory.remove("u", 2);
  EXPECT_EQ(look(), Pairs{});
}

TEST_P(HubOnLoops, ANewerConnectionOfAUidReplacesTheOlderOnes) {
  // Q-52
  Options options = socketOptions();
  options.uid_policy = UidPolicy::kReplace;
  TestServer server(options, GetParam());
  SocketClient caller(server.port(), "/ws?uid=caller");
  auto older = std::make_unique<SocketClient>(server.port(), "/ws?uid=u");
  for (std::uint64_t i = 1; i <= 10; ++i) {
    auto newer = std::make_unique<SocketClient>(server.port(), "/ws?uid=u");
    EXPECT_EQ(older->frame().closeCode(), 1008);
    EXPECT_EQ(server.countOf("u"), 1U);
    caller.call("notify", "n", R"({"to":"u","data":{"n":1}})");
    EXPECT_EQ(caller.text(), R"({"uid":"caller","action":"n","data":1})");
    EXPECT_EQ(newer->text(), kUpdate);
    older->send(maskedFrame(0x88, "\x03\xF0"));
    EXPECT_EQ(older->readToEnd(), "");
    EXPECT_TRUE(server.waitUntil(
        [i](const Totals& totals) { return totals.closedBy(CloseReason::kReplaced) == i; }));
    older = std::move(newer);
  }
  SocketClient nobody(server.port());  // without a uid nobody is replaced
  SocketClient nobody_either(server.port());
  nobody.call("echo", "e", "1");
  EXPECT_EQ(nobody.text(), R"({"uid":null,"action":"e","data":1})");
}

TEST_P(HubOnLoops, OfConnectionsOfAUidThatComeAtOnceTheLastStays) {
  // Q-52: never none
  Options options = socketOptions();
  options.uid_policy = UidPolicy::kReplace;
  TestServer server(options, GetParam());
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send(upgradeRequest("/ws?uid=u"));
  }
  for (auto& client : clients) {
    EXPECT_EQ(client->response(false).substr(0, 12), "HTTP/1.1 101");
  }
  EXPECT_TRUE(server.waitUntil([&](const Totals& totals) { return totals.open_sockets == 1; }));
  EXPECT_EQ(server.countOf("u"), 1U);
}

TEST_P(HubOnLoops, AFurtherConnectionOfAUidIsRefusedUntilTheFirstHasGone) {
  // Q-52
  Options options = socketOptions();
  options.uid_policy = UidPolicy::kRefuse;
  TestServer server(options, GetParam());
  auto first = std::make_unique<SocketClient>(server.port(), "/ws?uid=u");
  for (int i = 0; i < 10; ++i) {
    Client second(server.port());
    second.send(upgradeRequest("/ws?uid=u"));
    EXPECT_EQ(second.readToEnd().substr(0, 12), "HTTP/1.1 409") << i;
  }
  EXPECT_EQ(server.server.totals().refusedBy(Refusal::kUidTaken), 10U);
  SocketClient other(server.port(), "/ws?uid=v");
  SocketClient nobody(server.port());
  SocketClient nobody_either(server.port());
  first->call("echo", "e", "1");
  EXPECT_EQ(first->text(), R"({"uid":"u","action":"e","data":1})");
  first.reset();
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_sockets == 3; }));
  SocketClient again(server.port(), "/ws?uid=u");
}

}  // namespace
}  // namespace sub0::net::testing
