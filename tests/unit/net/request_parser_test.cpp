// SPDX-License-Identifier: Apache-2.0
#include "net/http/request_parser.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace sub0::net::http {
namespace {

constexpr std::size_t kSpareBytes = 64;

using Events = std::vector<std::string>;

/// "POST /a?b=c [body] keep" or "400".
std::string describe(ParseEvent event, const Request& request, const ParseFailure& failure) {
  if (event == ParseEvent::kError) return std::to_string(failure.status);
  if (event == ParseEvent::kSendContinue) return "continue";
  std::string text(request.method);
  text.append(" ").append(request.path);
  if (!request.query.empty()) text.append("?").append(request.query);
  if (!request.body.empty()) {
    text.append(" [").append(request.body.begin(), request.body.end()).append("]");
  }
  return text.append(request.keep_alive ? "" : " close");
}

/// Hands `bytes` to the parser as one read; the memory is freed behind it.
void feed(RequestParser& parser, std::string_view bytes, const RequestLimits& limits,
          Events& events) {
  const std::unique_ptr<char[]> memory(new char[bytes.size() + kSpareBytes]);
  if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
  std::memset(memory.get() + bytes.size(), 'S', kSpareBytes);
  std::span<char> input(memory.get(), bytes.size());
  Request request;
  ParseFailure failure;
  while (true) {
    const ParseEvent event = parser.next(input, limits, request, failure);
    if (event == ParseEvent::kNeedMore) break;
    events.push_back(describe(event, request, failure));
    if (event == ParseEvent::kRequest) {
      volatile char behind = request.body.data()[request.body.size() + kSpareBytes - 1];
      static_cast<void>(behind);
    }
  }
  EXPECT_TRUE(input.empty());
}

Events parseInPieces(std::string_view bytes, std::size_t piece_bytes,
                     const RequestLimits& limits = {}) {
  RequestParser parser;
  Events events;
  for (std::size_t index = 0; index < bytes.size(); index += piece_bytes) {
    feed(parser, bytes.substr(index, piece_bytes), limits, events);
  }
  return events;
}

Events parseWhole(std::string_view bytes, const RequestLimits& limits = {}) {
  return parseInPieces(bytes, bytes.size() + 1, limits);
}

/// Whole, byte by byte, and cut once at every place (of long ones: at both
/// ends and at steps between): the same events. A second request behind a
/// refused one is never seen.
void expectEvents(std::string_view bytes, const Events& expected,
                  const RequestLimits& limits = {}) {
  EXPECT_EQ(parseWhole(bytes, limits), expected) << "whole";
  EXPECT_EQ(parseInPieces(bytes, 1, limits), expected) << "byte by byte";
  const std::size_t step = bytes.size() / 32 + 1;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    if (cut > 300 && bytes.size() - cut > 300 && cut % step != 0) continue;
    RequestParser parser;
    Events events;
    feed(parser, bytes.substr(0, cut), limits, events);
    feed(parser, bytes.substr(cut), limits, events);
    ASSERT_EQ(events, expected) << "cut at " << cut;
  }
}

const std::string kSmuggled = "POST /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

void expectStatus(const std::string& bytes, int status) {
  SCOPED_TRACE(bytes.substr(0, 200));
  expectEvents(bytes + kSmuggled, {std::to_string(status)});
}

std::string post(const std::string& header_lines, const std::string& body = {}) {
  return "POST /a HTTP/1.1\r\nHost: a\r\n" + header_lines + "\r\n" + body;
}

std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

std::string get(const std::string& target, const std::string& header_lines = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + header_lines + "\r\n";
}

TEST(RequestParser, GoodRequests) {
  expectEvents(get("/wallet"), {"GET /wallet"});
  expectEvents(get("/"), {"GET /"});
  expectEvents(get("/a/b/"), {"GET /a/b/"});
  expectEvents(get("/a?b=%20&c"), {"GET /a?b=%20&c"});
  expectEvents(get("/a?x=//../%2e"), {"GET /a?x=//../%2e"});
  expectEvents(get("/fetch%2Dbalance"), {"GET /fetch-balance"});
  expectEvents(get("/%E2%82%AC"), {"GET /\xE2\x82\xAC"});
  expectEvents(get("/%2541"), {"GET /%41"});
  expectEvents("\r\n" + get("/a"), {"GET /a"});
  expectEvents("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {"OPTIONS *"});
  expectEvents(post("Content-Length: 4\r\n", "{\"a\""), {"POST /a [{\"a\"]"});
  expectEvents(post("Content-Length: 0\r\n"), {"POST /a"});
  expectEvents(post("Content-Length: 0004\r\n", "four"), {"POST /a [four]"});
  expectEvents(post("Connection: close\r\n"), {"POST /a close"});
  expectEvents(post("Connection: x, Close\r\n"), {"POST /a close"});
  expectEvents("GET /a HTTP/1.0\r\n\r\n", {"GET /a close"});
  expectEvents("GET /a HTTP/1.0\r\nHost: b\r\nConnection: keep-alive\r\n\r\n", {"GET /a close"});
  expectEvents("BREW /a HTTP/1.1\r\nHost: a\r\n\r\n", {"BREW /a"});
}

TEST(RequestParser, HeadersAreFoundInAnyCase) {
  RequestParser parser;
  std::string bytes = get("/a", "X-One:  two\t \r\nx-one: three\r\nEmpty:\r\n");
  const std::size_t size = bytes.size();
  bytes.append(kSpareBytes, ' ');
  std::span<char> input(bytes.data(), size);
  Request request;
  ParseFailure failure;
  ASSERT_EQ(parser.next(input, {}, request, failure), ParseEvent::kRequest);
  EXPECT_EQ(request.headers.size(), 4u);
  EXPECT_EQ(request.header("X-ONE"), "two");
  EXPECT_EQ(request.countHeaders("x-one"), 2u);
  EXPECT_TRUE(request.headerHasToken("X-One", "three"));
  EXPECT_EQ(request.header("empty"), "");
  EXPECT_FALSE(request.header("none"));
  EXPECT_EQ(request.host, "a");
  EXPECT_EQ(parser.heldBytes(), 0u);
}

TEST(RequestParser, ContentLengthTogetherWithTransferEncodingIsRefused) {
  // Q-5
  expectStatus(post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400);
  expectStatus(post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"), 400);
  expectStatus(post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n"), 400);
}

TEST(RequestParser, TwoContentLengthsAreRefused) {
  // Q-6
  expectStatus(post("Content-Length: 4\r\nContent-Length: 4\r\n", "four"), 400);
  expectStatus(post("Content-Length: 4\r\nContent-Length: 5\r\n", "four"), 400);
  for (const char* value : {"4, 4", "4,5", "+4", "-4", "0x4", "4.0", "4 4", "", "four"}) {
    expectStatus(post(std::string("Content-Length: ") + value + "\r\n", "four"), 400);
  }
}

TEST(RequestParser, TransferEncodingIsChunkedAloneOrRefused) {
  // Q-7
  for (const char* line :
       {"Transfer-Encoding : chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding:", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        " Transfer-Encoding: chunked", "Transfer-Encoding:\x0B chunked"}) {
    expectStatus(post(std::string(line) + "\r\n", "0\r\n\r\n"), 400);
  }
  expectEvents(post("transfer-encoding: CHUNKED\r\n", "4\r\nfour\r\n0\r\n\r\n"),
               {"POST /a [four]"});
  expectStatus("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

TEST(RequestParser, GoodChunks) {
  // Q-8
  expectEvents(chunked("0\r\n\r\n"), {"POST /a"});
  expectEvents(chunked("4\r\nfour\r\n5\r\n five\r\n0\r\n\r\n"), {"POST /a [four five]"});
  expectEvents(chunked("0000000000000004\r\nfour\r\n0\r\n\r\n"), {"POST /a [four]"});
  expectEvents(chunked("a;name=value\r\n0123456789\r\n00\r\n\r\n"), {"POST /a [0123456789]"});
  expectEvents(chunked("A\r\n01234\r\n789\r\n0\r\n\r\n"), {"POST /a [01234\r\n789]"});
}

TEST(RequestParser, BadChunksAreNeverTakenAsTheEnd) {
  // Q-8
  for (const char* body :
       {"0x5\r\nfives\r\n0\r\n\r\n", "-1\r\n\r\n", "+5\r\nfives\r\n0\r\n\r\n", "\r\n\r\n",
        "00000000000000005\r\nfives\r\n0\r\n\r\n", "5\r\nfivesX\r\n0\r\n\r\n",
        "5\r\nfives0\r\n\r\n", "5\nfives\r\n0\r\n\r\n", "5\r\nfives\n0\r\n\r\n",
        "5 \r\nfives\r\n0\r\n\r\n", " 5\r\nfives\r\n0\r\n\r\n", "5;a\x01\r\nfives\r\n0\r\n\r\n",
        "5;a\rb\r\nfives\r\n0\r\n\r\n", "0\n\r\n", "g\r\n\r\n", ";x\r\n\r\n"}) {
    expectStatus(chunked(body), 400);
  }
  const std::string megabyte =
      chunked("5;" + std::string(1u << 20, 'x') + "\r\nfives\r\n0\r\n\r\n");
  EXPECT_EQ(parseWhole(megabyte + kSmuggled), Events{"400"});
  EXPECT_EQ(parseInPieces(megabyte + kSmuggled, 1000), Events{"400"});
  std::string long_extensions;
  for (int index = 0; index < 100; ++index) {
    long_extensions += "1;" + std::string(200, 'x') + "\r\na\r\n";
  }
  EXPECT_EQ(parseWhole(chunked(long_extensions + "0\r\n\r\n") + kSmuggled), Events{"400"});
}

TEST(RequestParser, ChunkExtensionsAreReadByTheLetterAndDropped) {
  // Q-8
  for (const char* extensions :
       {";a", ";a=b", ";a;b=c", R"(;a="b;c=\"d\"")", " ; a = b", "\t;a=\"\xFF\"", ";a=\"\""}) {
    expectEvents(chunked("5" + std::string(extensions) + "\r\nfives\r\n0;e\r\n\r\n"),
                 {"POST /a [fives]"});
  }
  for (const char* extensions : {";", ";;a", ";a=", ";=b", ";a=\"b", R"(;a="b\")", ";a=b c",
                                 ";a=\"b\"c", ";\xFF", ";a b", ";a ", " a"}) {
    expectStatus(chunked("5" + std::string(extensions) + "\r\nfives\r\n0\r\n\r\n"), 400);
  }
}

TEST(RequestParser, ChunksOverTheBodyLimitAreRefused) {
  RequestLimits limits;
  limits.max_body_bytes = 8;
  expectEvents(chunked("4\r\nfour\r\n4\r\nfour\r\n0\r\n\r\n"), {"POST /a [fourfour]"}, limits);
  expectEvents(chunked("4\r\nfour\r\n5\r\n"), {"413"}, limits);
  expectEvents(chunked("ffffffffffffffff\r\n"), {"413"}, limits);
}

TEST(RequestParser, TrailersAreNeverMerged) {
  // Q-9
  const std::string body = "4\r\nfour\r\n0\r\nContent-Length: 100\r\nHost: evil\r\n\r\n";
  expectEvents(chunked(body) + get("/next"), {"POST /a [four]", "GET /next"});
  RequestParser parser;
  std::string bytes = chunked(body);
  const std::size_t size = bytes.size();
  bytes.append(kSpareBytes, ' ');
  std::span<char> input(bytes.data(), size);
  Request request;
  ParseFailure failure;
  ASSERT_EQ(parser.next(input, {}, request, failure), ParseEvent::kRequest);
  EXPECT_EQ(request.host, "a");
  EXPECT_EQ(request.headers.size(), 2u);
  for (const char* trailer : {"no colon", " folded: x", "a b: c", "a: \x01"}) {
    expectStatus(chunked("0\r\n" + std::string(trailer) + "\r\n\r\n"), 400);
  }
  EXPECT_EQ(parseWhole(chunked("0\r\nx: " + std::string(9000, 'y') + "\r\n\r\n")), Events{"431"});
}

TEST(RequestParser, MalformedLinesAreRefused) {
  // Q-10
  for (const std::string& bytes : std::vector<std::string>{
           "GET /a HTTP/1.1\nHost: a\n\n",
           "GET /a HTTP/1.1\r\nHost: a\n\r\n",
           "GET /a HTTP/1.1\r\nHost: a\r\n\n",
           "\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n",
           get("/a", "X: a\r\n folded\r\n"),
           get("/a", "X: a\r\n\tfolded\r\n"),
           "GET /a HTTP/1.1\r\n Host: a\r\n\r\n",
           get("/a", std::string("X: a\0b\r\n", 8)),
           get("/a", std::string("X\0: a\r\n", 7)),
           get("/a", "X Y: a\r\n"),
           get("/a", "X : a\r\n"),
           get("/a", ": a\r\n"),
           get("/a", "X\r\n"),
           get("/a", "X: a\rb\r\n"),
           get("/a", "X: \x7F\r\n"),
           get("/a", "X\xC3\xA4: a\r\n"),
           "GET  /a HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /a  HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /a HTTP/1.1 \r\nHost: a\r\n\r\n",
           "GET /a\r\nHost: a\r\n\r\n",
           "GET\r\n\r\n",
           "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET\t/a\tHTTP/1.1\r\nHost: a\r\n\r\n",
           "G(T /a HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /a http/1.1\r\nHost: a\r\n\r\n",
           "GET /a HTTP/1.10\r\nHost: a\r\n\r\n",
           "GET /a HTTP/1\r\nHost: a\r\n\r\n",
           " GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
           "\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n",
           std::string("\x16\x03\x01\x02\x00\x01\x00", 7),
       }) {
    expectStatus(bytes, 400);
  }
  expectStatus("GET /a HTTP/2.0\r\nHost: a\r\n\r\n", 505);
}

TEST(RequestParser, HostIsExactlyOneAndPlain) {
  expectStatus("GET /a HTTP/1.1\r\n\r\n", 400);
  expectStatus(get("/a", "Host: a\r\n"), 400);
  for (const char* host : {"", "a b", "a,b", "u@a", "a/b", "a:port", "a:999999", "a:1:2", ":80",
                           "[::1", "[g::1]", "a#b", "a\xC3\xA4"}) {
    expectStatus("GET /a HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", 400);
  }
  for (const char* host : {"a", "a.example:8080", "127.0.0.1", "[::1]", "[::1]:80", "a_b-c"}) {
    expectEvents("GET /a HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n", {"GET /a"});
  }
}

TEST(RequestParser, TooMuchHeadIsRefused) {
  // Q-11
  std::string hundred = "Host: a\r\n";
  for (int index = 1; index < 100; ++index) hundred += "x: y\r\n";
  expectEvents("GET /a HTTP/1.1\r\n" + hundred + "\r\n", {"GET /a"});
  expectStatus("GET /a HTTP/1.1\r\n" + hundred + "x: y\r\n\r\n", 431);
  expectEvents(get("/a", "x: " + std::string(8192, 'v') + "\r\n"), {"GET /a"});
  expectStatus(get("/a", "x: " + std::string(8193, 'v') + "\r\n"), 431);
  expectStatus(get("/" + std::string(65536, 'p')), 414);
  expectEvents(get("/" + std::string(8192 - 14, 'p')), {"GET /" + std::string(8192 - 14, 'p')});
  expectStatus(get("/" + std::string(8192 - 13, 'p')), 414);
  const std::string eight = "x: " + std::string(8000, 'v') + "\r\n";
  expectStatus(get("/a", eight + eight + eight), 431);
  EXPECT_EQ(parseWhole(std::string(8194, 'G')), Events{"414"});
  EXPECT_EQ(parseInPieces("GET /a HTTP/1.1\r\nX: " + std::string(20000, 'v'), 100), Events{"431"});
}

TEST(RequestParser, OddTargetsAreRefused) {
  // Q-12
  for (const char* target :
       {"//x",   "/a//b", "/%2e%2e/x", "/%2E%2e", "/..",    "/../x",     "/a/../b",    "/./a",
        "/a/.",  "/x%00", "/x%0a",     "/x%7f",   "/a%2fb", "/%c0%af",   "/%e0%80%af", "/%ed%a0%80",
        "/%ff",  "/%",    "/%4",       "/%g0",    "/a#b",   "/\xC3\xA4", "http://a/x", "HTTP://a/x",
        "a:443", "a",     "*",         "?a",      "\x7F"}) {
    expectStatus(get(target), 400);
  }
}

TEST(RequestParser, HundredPipelinedRequestsComeInOrder) {
  // Q-13
  std::string bytes;
  Events expected;
  for (int index = 0; index < 100; ++index) {
    const std::string number = std::to_string(index);
    if (index % 3 == 0) {
      bytes += get("/r" + number);
      expected.push_back("GET /r" + number);
    } else if (index % 3 == 1) {
      bytes += "POST /r" + number + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
      expected.push_back("POST /r" + number + " [abc]");
    } else {
      bytes += "POST /r" + number +
               " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
      expected.push_back("POST /r" + number + " [x]");
    }
  }
  expectEvents(bytes, expected);
}

TEST(RequestParser, BytesBehindAnUpgradeStayInTheInput) {
  // Q-13
  const std::string head =
      get("/a") + get("/ws", "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n");
  std::string bytes = head + "\x81\x80 frames";
  const std::size_t size = bytes.size();
  bytes.append(kSpareBytes, ' ');
  RequestParser parser;
  std::span<char> input(bytes.data(), size);
  Request request;
  ParseFailure failure;
  ASSERT_EQ(parser.next(input, {}, request, failure), ParseEvent::kRequest);
  EXPECT_FALSE(request.connection_upgrade);
  ASSERT_EQ(parser.next(input, {}, request, failure), ParseEvent::kRequest);
  EXPECT_TRUE(request.connection_upgrade);
  EXPECT_EQ(std::string(input.begin(), input.end()), "\x81\x80 frames");

  for (std::size_t cut = 1; cut < head.size(); ++cut) {
    request = {};
    RequestParser other;
    std::string first = head.substr(0, cut) + std::string(kSpareBytes, ' ');
    std::string second = head.substr(cut) + "\x81\x80 frames" + std::string(kSpareBytes, ' ');
    std::span<char> part(first.data(), cut);
    while (other.next(part, {}, request, failure) != ParseEvent::kNeedMore) continue;
    part = {second.data(), second.size() - kSpareBytes};
    while (!request.connection_upgrade || request.path != "/ws") {
      ASSERT_EQ(other.next(part, {}, request, failure), ParseEvent::kRequest) << cut;
    }
    ASSERT_EQ(std::string(part.begin(), part.end()), "\x81\x80 frames") << cut;
  }
}

TEST(RequestParser, BodyOverTheLimitIsRefusedFromItsHeader) {
  RequestLimits limits;
  limits.max_body_bytes = 4;
  expectEvents(post("Content-Length: 4\r\n", "four"), {"POST /a [four]"}, limits);
  expectEvents(post("Content-Length: 5\r\n"), {"413"}, limits);
  expectEvents(post("Content-Length: 99999999999999999999\r\n"), {"413"}, limits);
  expectEvents(post("Content-Length: 5\r\nExpect: 100-continue\r\n"), {"413"}, limits);
}

TEST(RequestParser, ExpectedContinueIsAskedForOnce) {
  const std::string head = post("Content-Length: 4\r\nExpect: 100-continue\r\n");
  RequestParser parser;
  Events events;
  feed(parser, head.substr(0, 20), {}, events);
  feed(parser, head.substr(20), {}, events);
  EXPECT_EQ(events, Events{"continue"});
  feed(parser, "fo", {}, events);
  feed(parser, "ur", {}, events);
  EXPECT_EQ(events, (Events{"continue", "POST /a [four]"}));
  expectStatus(post("Content-Length: 4\r\nExpect: something\r\n", "four"), 417);
  EXPECT_EQ(parseWhole(post("Content-Length: 4\r\nExpect: 100-Continue\r\n", "four")),
            Events{"POST /a [four]"});
  EXPECT_EQ(parseWhole(post("Expect: 100-continue\r\n")), Events{"POST /a"});
}

TEST(RequestParser, PhaseTellsTheDeadline) {
  using Phase = RequestParser::Phase;
  RequestParser parser;
  Events events;
  EXPECT_EQ(parser.phase(), Phase::kIdle);
  feed(parser, "POST /a HTTP/1.1\r\nHost: a\r\nConte", {}, events);
  EXPECT_EQ(parser.phase(), Phase::kHead);
  feed(parser, "nt-Length: 4\r\n\r\nfo", {}, events);
  EXPECT_EQ(parser.phase(), Phase::kBody);
  EXPECT_GT(parser.heldBytes(), 0u);
  feed(parser, "ur", {}, events);
  EXPECT_EQ(parser.phase(), Phase::kIdle);
  EXPECT_EQ(parser.heldBytes(), 0u);
  feed(parser, "\n", {}, events);
  EXPECT_EQ(parser.phase(), Phase::kFailed);
}

TEST(RequestParser, AnEmptyLineBehindARequestIsNotYetTheNext) {
  // Q-1
  RequestParser parser;
  Events events;
  feed(parser, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", {}, events);
  feed(parser, "\r", {}, events);
  EXPECT_EQ(parser.phase(), RequestParser::Phase::kIdle);
  feed(parser, "\n", {}, events);
  EXPECT_EQ(parser.phase(), RequestParser::Phase::kIdle);
  feed(parser, "G", {}, events);
  EXPECT_EQ(parser.phase(), RequestParser::Phase::kHead);
  feed(parser, "ET /b HTTP/1.1\r\nHost: x\r\n\r\n", {}, events);
  EXPECT_EQ(events, (Events{"GET /a", "GET /b"}));
}

TEST(RequestParser, MemoryGrowsWithBytesReceivedNotDeclared) {
  // Q-2
  RequestParser parser;
  Events events;
  feed(parser, post("Content-Length: 1000000\r\n", "ten bytes."), {}, events);
  EXPECT_LT(parser.heldBytes(), 16384u);
  EXPECT_EQ(parser.phase(), RequestParser::Phase::kBody);
}

}  // namespace
}  // namespace sub0::net::http
