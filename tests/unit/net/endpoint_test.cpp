// SPDX-License-Identifier: Apache-2.0
#include "net/http/endpoint.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/connection_harness.hpp"

namespace sub0::net::testing {
namespace {

std::string request(std::string_view line, std::string_view body = {},
                    std::string_view extra = {}) {
  std::string out = std::string(line) + " HTTP/1.1\r\nHost: x\r\n" + std::string(extra);
  if (!body.empty()) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return out + "\r\n" + std::string(body);
}

std::string bodyOf(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}

TEST(Endpoint, SuccessAndFailureHaveTheDocumentedBodies) {
  // spec S-51 S-52 S-50
  TestServer server;
  Client client(server.port());
  client.send(request("POST /echo", R"({"a":1})"));
  std::string answer = client.response();
  EXPECT_EQ(answer.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_TRUE(has(answer, "Content-Type: application/json\r\n"));
  EXPECT_EQ(bodyOf(answer), R"({"success":true,"message":"Operation Successful","data":{"a":1}})");
  client.send(request("POST /nobody", "{}"));
  answer = client.response();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 404");
  EXPECT_TRUE(has(bodyOf(answer), R"({"success":false,"message":")"));
  EXPECT_TRUE(has(bodyOf(answer), R"(,"data":null,"error":{"code":"not_found","details":[]}})"));
  client.send(request("POST /limited", "{}"));
  answer = client.response();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 429");
  EXPECT_TRUE(has(answer, "Retry-After: 7\r\n"));
}

TEST(Endpoint, UnknownPathsAndMethodsAreRefused) {
  // Q-19, spec S-50
  TestServer server;
  Client client(server.port());
  client.send(request("GET /"));
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 404");
  for (const char* method : {"PUT", "DELETE", "PATCH", "TRACE", "post"}) {
    client.send(request(std::string(method) + " /echo"));
    const std::string answer = client.response();
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 405") << method;
    EXPECT_TRUE(has(answer, "Allow: GET, HEAD, POST, OPTIONS\r\n")) << answer;
  }
  client.send(request("POST /healthz", "x"));
  EXPECT_TRUE(has(client.response(), "Allow: GET, HEAD\r\n"));
}

TEST(Endpoint, AllowedMethodsAreASetting) {
  // spec S-50
  Options options;
  options.allowed_methods = "post | Delete";
  TestServer server(options);
  Client client(server.port());
  client.send(request("DELETE /who"));
  EXPECT_TRUE(has(client.response(), R"("method":"DELETE")"));
  client.send(request("GET /who"));
  EXPECT_TRUE(has(client.response(), "Allow: POST, DELETE, OPTIONS\r\n"));
}

TEST(Endpoint, PathQueryAndHeadersReachTheCallDecodedOnce) {
  // spec S-50 S-61, Q-12
  TestServer server;
  Client client(server.port());
  client.send(
      request("GET /%77ho?a=1%202&b=x%2By&a=3", {}, "x-trace: tt\r\nContent-Type: text/plain\r\n"));
  const std::string answer = client.response();
  EXPECT_TRUE(has(answer, R"("query":"a=1 2;b=x+y;a=3;")")) << answer;
  EXPECT_TRUE(has(answer, R"("trace":"tt","method":"GET","type":"text/plain")")) << answer;
  EXPECT_TRUE(has(answer, R"("ip":"127.0.0.1")"));
  client.send(request("GET /who?a=%zz"));
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 400");
  client.send(request("GET /%2577ho"));
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 404");
}

TEST(Endpoint, ForwardedAddressCountsBehindATrustedProxyAlone) {
  // Q-84, spec S-61
  const std::string forwarded = "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n";
  TestServer plain;
  Client first(plain.port());
  first.send(request("GET /who", {}, forwarded));
  EXPECT_TRUE(has(first.response(), R"("ip":"127.0.0.1")"));
  Options options = socketOptions();
  options.trusted_proxies = *http::TrustedProxies::parse("127.0.0.0/8");
  TestServer behind(options);
  Client second(behind.port());
  second.send(request("GET /who", {}, forwarded));
  EXPECT_TRUE(has(second.response(), R"("ip":"198.51.100.7")"));
  SocketClient socket(behind.port(), "/ws", forwarded);
  socket.call("who", "w", "{}");
  EXPECT_TRUE(has(socket.text(), R"("ip":"198.51.100.7")"));
}

TEST(Endpoint, OptionsIsAnsweredBeforeEverything) {
  // spec S-54
  Options options;
  options.allowed_methods = "POST";
  Readiness readiness;
  readiness.is_ready = [] { return false; };
  TestServer server(options, 1, readiness);
  Client client(server.port());
  client.send(request("OPTIONS /anything", {},
                      "Origin: https://a.example\r\n"
                      "Access-Control-Request-Headers: x-access-token, content-type\r\n"));
  const std::string answer = client.response(false);
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 204");
  EXPECT_TRUE(has(answer, "Access-Control-Allow-Origin: *\r\n"));
  EXPECT_TRUE(has(answer, "Access-Control-Allow-Headers: x-access-token, content-type\r\n"));
  EXPECT_TRUE(has(answer, "Access-Control-Allow-Methods: POST, OPTIONS\r\n"));
  EXPECT_EQ(answer.find("Access-Control-Allow-Origin"),
            answer.rfind("Access-Control-Allow-Origin"));
}

TEST(Endpoint, EveryReplyCarriesTheCorsHeaders) {
  // spec S-54
  Options options;
  options.cors = *http::CorsPolicy::parse("good.example|https://b.example");
  TestServer server(options);
  Client client(server.port());
  for (const char* line : {"GET /healthz", "GET /nobody", "PUT /x", "GET /ws", "POST /echo"}) {
    client.send(request(line, {}, "Origin: https://good.example\r\n"));
    EXPECT_TRUE(has(client.response(), "Access-Control-Allow-Origin: https://good.example\r\n"))
        << line;
    client.send(request(line, {}, "Origin: https://evil.example\r\n"));
    EXPECT_FALSE(has(client.response(), "Access-Control-Allow-Origin")) << line;
  }
  client.send("BROKEN\r\n\r\n");
  EXPECT_TRUE(has(client.response(), "Vary: Origin\r\n"));
}

TEST(Endpoint, HealthAndReadinessAnswerInAnyState) {
  std::atomic<bool> is_ready{false};
  std::atomic<bool> is_database_away{true};
  Readiness readiness;
  readiness.is_ready = [&] { return is_ready.load(); };
  readiness.reason = [&] { return std::string(is_database_away ? "database away" : ""); };
  TestServer server({}, 1, readiness);
  Client client(server.port());
  client.send(request("GET /healthz"));
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 200");
  client.send(request("GET /readyz"));
  std::string answer = client.response();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503");
  EXPECT_TRUE(has(answer, R"("message":"database away")"));
  client.send(request("POST /echo", "1"));
  answer = client.response();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503");
  EXPECT_TRUE(has(answer, R"("code":"unavailable")"));
  is_ready = true;
  client.send(request("GET /readyz"));
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 503") << "calls are taken, the reason stays";
  is_database_away = false;
  client.send(request("GET /readyz"));
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 200");
  client.send(request("POST /echo", "1"));
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 200");
}

TEST(Endpoint, HeadIsGetWithoutABody) {
  // spec S-50
  TestServer server;
  Client client(server.port());
  client.send(request("HEAD /who") + request("GET /healthz"));
  const std::string answer = client.response(false);
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 200");
  EXPECT_TRUE(has(answer, "Content-Length: "));
  EXPECT_TRUE(has(client.response(), "alive"));
}

TEST(Endpoint, HundredPipelinedRequestsAreAnsweredInOrder) {
  // Q-13
  TestServer server;
  Client client(server.port());
  std::string all;
  for (int i = 0; i < 100; ++i) all += request("POST /echo", std::to_string(i));
  client.send(all);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(has(client.response(), "\"data\":" + std::to_string(i) + "}")) << i;
  }
}

TEST(Endpoint, PipelinedRequestsWaitForTheCallBeforeThem) {
  // Q-13
  TestServer server(socketOptions());
  Client client(server.port());
  client.send(request("POST /hold", "1") + request("POST /echo", "2") + upgradeRequest() +
              textFrame(SocketClient::envelope("echo", "a", "3")));
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.http_requests == 1; }));
  Client other(server.port());
  other.send(request("POST /release", "{}"));
  EXPECT_TRUE(has(other.response(), "true"));
  EXPECT_TRUE(has(client.response(), "\"data\":1}"));
  EXPECT_TRUE(has(client.response(), "\"data\":2}"));
  EXPECT_EQ(client.response(false).substr(0, 12), "HTTP/1.1 101");
  const std::string reply = R"({"uid":null,"action":"a","data":3})";
  EXPECT_EQ(client.take(2 + reply.size()).substr(2), reply);
}

TEST(Endpoint, ExpectationIsMetBeforeTheBodyIsSent) {
  TestServer server;
  Client client(server.port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 3\r\n\r\n");
  EXPECT_EQ(client.response(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("123");
  EXPECT_TRUE(has(client.response(), "\"data\":123}"));
}

TEST(Endpoint, BodiesOverTheLimitAreRefusedAndTheConnectionClosed) {
  // spec S-52
  Options options;
  options.max_payload_bytes = 1000;
  TestServer server(options);
  Client client(server.port());
  client.send(request("POST /echo", "\"" + std::string(998, 'x') + "\""));
  EXPECT_EQ(client.response().substr(0, 12), "HTTP/1.1 200");
  client.send(request("POST /echo", "\"" + std::string(999, 'x') + "\""));
  const std::string answer = client.readToEnd();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 413");
  EXPECT_TRUE(has(answer, R"("code":"payload_too_large")"));
  EXPECT_TRUE(has(answer, "Connection: close\r\n"));
}

TEST(Endpoint, ASmuggledRequestIsNeverExecuted) {
  // Q-5 Q-10
  TestServer server;
  for (const char* head :
       {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Bad Name: x\r\n"}) {
    Client client(server.port());
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\n" + std::string(head) + "\r\n" +
                request("POST /echo", "1"));
    const std::string answer = client.readToEnd();
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400");
    EXPECT_EQ(answer.find("HTTP/1.1", 12), std::string::npos);
  }
  EXPECT_EQ(server.server.totals().http_requests, 0U);
}

TEST(Endpoint, AClientThatHalfClosesStillGetsItsReply) {
  TestServer server;
  Client client(server.port());
  client.send(request("POST /hold", "1") + request("POST /echo", "2"));
  client.socket().shutdownSend();
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.http_requests == 1; }));
  server.onLoop(0, [&] { server.dispatchers[0]->releaseHeld(); });
  const std::string answers = client.readToEnd();
  EXPECT_TRUE(has(answers, "\"data\":1}"));
  EXPECT_TRUE(has(answers, "\"data\":2}"));
}

TEST(Endpoint, TheConnectionIsKeptAsTheClientAsks) {
  TestServer server;
  Client closing(server.port());
  closing.send(request("POST /echo", "1", "Connection: close\r\n"));
  EXPECT_TRUE(has(closing.readToEnd(), "Connection: close\r\n"));
  Client old(server.port());
  old.send("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.readToEnd().substr(0, 12), "HTTP/1.1 200");
}

TEST(Endpoint, DeadlinesEndSlowHeadsBodiesAndIdleConnections) {
  // Q-1 Q-2 Q-4
  Options options;
  options.head_deadline_ms = 30;
  options.body_deadline_ms = 30;
  options.keep_alive_ms = 30;
  TestServer server(options);
  Client silent(server.port());
  EXPECT_EQ(silent.readToEnd(), "");
  Client head(server.port());
  head.send("GET /heal");
  EXPECT_EQ(head.readToEnd().substr(0, 12), "HTTP/1.1 408");
  Client body(server.port());
  body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx");
  EXPECT_EQ(body.readToEnd().substr(0, 12), "HTTP/1.1 408");
  Client idle(server.port());
  idle.send(request("GET /healthz"));
  EXPECT_EQ(idle.response().substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(idle.readToEnd(), "");
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_connections == 0; }));
}

/// Returns when the server has run for a head deadline.
void waitForAHeadDeadline(TestServer& server) {
  Client silent(server.port());
  EXPECT_EQ(silent.readToEnd(), "");
}

TEST(Endpoint, AReplyBeforeTheEndIsSentWholeHoweverLongItTakes) {
  // Q-3
  Options options;
  options.close_deadline_ms = 20;
  options.head_deadline_ms = 200;
  TestServer server(options);
  Client slow(server.port());
  slow.send(request("POST /big", R"({"size":30000000})", "Connection: close\r\n"));
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.replies == 1; }));
  waitForAHeadDeadline(server);
  EXPECT_GT(slow.readToEnd().size(), 30'000'000U);
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_connections == 0; }))
      << "the close deadline begins with FIN";
}

TEST(Endpoint, AConnectionIsNotIdleWhileItsReplyIsSent) {
  // Q-4
  Options options;
  options.keep_alive_ms = 20;
  options.close_deadline_ms = 20;
  options.max_payload_bytes = 40'000'000;
  TestServer server(options);
  Client slow(server.port());
  slow.send(request("POST /hold", "\"" + std::string(30'000'000, 'x') + "\""));
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.http_requests == 1; }));
  call::Sender sender;
  server.onLoop(0, [&] {
    sender = server.dispatchers[0]->held[0].sender;
    server.dispatchers[0]->releaseHeld();
  });
  Client other(server.port());
  other.send(request("GET /healthz"));
  EXPECT_NE(other.readToEnd(), "") << "ends by its keep-alive deadline";
  server.onLoop(0, [&] {
    Connection* connection = server.connection(0, sender);
    ASSERT_NE(connection, nullptr);
    EXPECT_TRUE(connection->isOpen());
  });
  EXPECT_GT(slow.response().size(), 30'000'000U);
  EXPECT_EQ(slow.readToEnd(), "") << "then it is idle";
}

TEST(Endpoint, AfterALargeReplyTheConnectionIsIdleAgain) {
  // Q-4 Q-92
  for (const bool drains : {false, true}) {
    SCOPED_TRACE(drains);
    Options options;
    if (!drains) options.keep_alive_ms = 20;
    TestServer server(options);
    Client client(server.port());
    client.send(request("POST /big", R"({"size":30000000})"));
    EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.replies == 1; }));
    if (drains) server.server.drain(60'000);
    EXPECT_GT(client.response().size(), 30'000'000U);
    EXPECT_EQ(client.readToEnd(), "");
  }
}

TEST(Endpoint, ARefusedRequestIsNotAnsweredAsTheOneBefore) {
  // spec S-54 S-52
  Options options;
  options.cors = *http::CorsPolicy::parse("https://good.example");
  options.max_payload_bytes = 10;
  TestServer server(options);
  const std::string origin = "Origin: https://good.example\r\n";
  const std::string allowed = "Access-Control-Allow-Origin: https://good.example\r\n";
  Client client(server.port());
  client.send(request("HEAD /who", {}, origin));
  EXPECT_TRUE(has(client.response(false), allowed));
  client.send("BROKEN\r\n\r\n");
  const std::string answer = client.readToEnd();
  EXPECT_TRUE(has(answer, R"("code":"bad_request")")) << answer;
  EXPECT_FALSE(has(answer, allowed)) << answer;
  for (const char* framing :
       {"Content-Length: 11\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nb\r\n"}) {
    Client large(server.port());
    large.send("POST /echo HTTP/1.1\r\nHost: x\r\n" + origin + framing);
    const std::string refusal = large.readToEnd();
    EXPECT_EQ(refusal.substr(0, 12), "HTTP/1.1 413");
    EXPECT_TRUE(has(refusal, allowed)) << refusal;
  }
}

/// Writes down how it is drained.
class DrainedProtocol final : public Protocol {
 public:
  explicit DrainedProtocol(std::vector<std::pair<std::int64_t, std::int64_t>>& drains)
      : drains_(drains) {}
  void onInput(std::span<char>&) override {}
  std::size_t readRoomBytes() const override { return 1; }
  void onEndOfInput() override {}
  void onDeadline() override {}
  void onResume() override {}
  void deliver(std::uint64_t, const call::Reply&) override {}
  void drain(std::int64_t delay_ms, std::int64_t window_ms) override {
    drains_.emplace_back(delay_ms, window_ms);
  }
  void onClosed() override {}
  void onReaped() override {}

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>>& drains_;
};

TEST(Server, DrainLeavesNearlyTheWholeWindowToCallsUnderWay) {
  // Q-92
  std::vector<std::pair<std::int64_t, std::int64_t>> drains;
  TestServer server;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    EXPECT_TRUE(server.waitUntil([&](const Totals& totals) { return totals.accepted == i; }));
  }
  server.onLoop(0, [&] {
    server.server.services(0).connections.forEach([&](Connection& connection) {
      connection.become(std::make_unique<DrainedProtocol>(drains));
      connection.feed({});
    });
  });
  server.server.drain(10'000);
  server.onLoop(0, [] {});
  ASSERT_EQ(drains.size(), 20U);
  for (const auto& [delay_ms, window_ms] : drains) {
    EXPECT_LE(delay_ms, 5'000);
    EXPECT_EQ(window_ms, 9'500);
  }
}

TEST(Server, LettersUnderWayAreReadBeforeItGoes) {
  loop::RealIo ios[2];
  loop::Loop first(0, ios[0]);
  loop::Loop second(1, ios[1]);
  TestDispatcher dispatcher;
  const auto catalogue = std::make_shared<TestCatalogue>();
  auto server = std::make_unique<Server>(Options());
  ASSERT_TRUE(server->listen("127.0.0.1", 0));
  server->setLoops(2);
  server->addLoop(first, dispatcher, catalogue);
  server->addLoop(second, dispatcher, catalogue);
  server->start();
  int read = 0;
  second.post([&] { first.post([&] { ++read; }); });
  server.reset();
  EXPECT_EQ(read, 1);
}

TEST(Endpoint, DrainEndsIdleConnectionsAndLetsACallFinish) {
  TestServer server;
  Client idle(server.port());
  idle.send(request("GET /healthz"));
  EXPECT_NE(idle.response(), "");
  Client busy(server.port());
  busy.send(request("POST /hold", "1"));
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.http_requests == 2; }));
  server.server.drain(1000);
  EXPECT_EQ(idle.readToEnd(), "");
  server.onLoop(0, [&] { server.dispatchers[0]->releaseHeld(); });
  const std::string answer = busy.readToEnd();
  EXPECT_TRUE(has(answer, "\"data\":1}"));
  EXPECT_TRUE(has(answer, "Connection: close\r\n"));
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_connections == 0; }));
}

TEST(Endpoint, ManyPipelinedRequestsToAClientThatDoesNotReadStayBounded) {
  // Q-3
  TestServer server;
  Client client(server.port());
  std::string all;
  constexpr int kRequests = 4000;
  for (int i = 0; i < kRequests; ++i) {
    all += request("POST /echo", "\"" + std::string(2000, 'x') + "\"");
  }
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < kRequests; ++i) EXPECT_EQ(bodyOf(client.response()).size(), 2059U);
  sender.join();
}

}  // namespace
}  // namespace sub0::net::testing
