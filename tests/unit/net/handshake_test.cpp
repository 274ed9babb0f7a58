// SPDX-License-Identifier: Apache-2.0
#include "net/ws/handshake.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/http_request.hpp"

namespace sub0::net::ws {
namespace {

using http::test::ParsedRequest;

const std::string kUpgrade = "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
const std::string kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string kVersion = "Sec-WebSocket-Version: 13\r\n";

std::string request(const std::string& lines, const std::string& start = "GET /ws HTTP/1.1") {
  return start + "\r\n" + lines + "\r\n";
}

/// A good handshake with these lines besides.
std::string goodRequest(const std::string& lines, const std::string& target = "/ws") {
  return request(kUpgrade + kKey + kVersion + lines, "GET " + target + " HTTP/1.1");
}

const std::vector<std::string> kSchemes = {"x-wallet-token"};

TEST(Handshake, SampleOfTheRfcIsAccepted) {
  const ParsedRequest parsed(goodRequest(""));
  const Handshake handshake = checkHandshake(*parsed, {});
  EXPECT_TRUE(handshake.accepted());
  std::string out;
  writeSwitchingProtocols(out, handshake, "X-More: y\r\n");
  EXPECT_EQ(out,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-More: y\r\n\r\n");
}

TEST(Handshake, LetterCaseAndListsAreAsTheRfcSays) {
  for (const char* lines :
       {"Host: a\r\nupgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n",
        "Host: a\r\nUpgrade: h2c, websocket\r\nConnection: Upgrade\r\n",
        "Host: a\r\nUpgrade: websocket\r\nConnection: keep-alive\r\nConnection: upgrade\r\n"}) {
    const ParsedRequest parsed(request(lines + kKey + kVersion));
    EXPECT_TRUE(checkHandshake(*parsed, {}).accepted()) << lines;
  }
}

TEST(Handshake, BadRequestsAreRefused) {
  //
  struct Case {
    const char* name;
    std::string bytes;
    int status;
  };
  const std::vector<Case> cases = {
      {"POST", request(kUpgrade + kKey + kVersion, "POST /ws HTTP/1.1"), 405},
      {"HEAD", request(kUpgrade + kKey + kVersion, "HEAD /ws HTTP/1.1"), 405},
      {"HTTP/1.0", request(kUpgrade + kKey + kVersion, "GET /ws HTTP/1.0"), 400},
      {"no Host",
       request("Upgrade: websocket\r\nConnection: Upgrade\r\n" + kKey + kVersion,
               "GET /ws HTTP/1.0"),
       400},
      {"no key", request(kUpgrade + kVersion), 400},
      {"two keys", request(kUpgrade + kKey + kKey + kVersion), 400},
      {"key of 15 bytes",
       request(kUpgrade + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n" + kVersion), 400},
      {"key of 17 bytes",
       request(kUpgrade + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n" + kVersion), 400},
      {"key of 18 bytes",
       request(kUpgrade + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA\r\n" + kVersion), 400},
      {"key without padding",
       request(kUpgrade + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n" + kVersion), 400},
      {"key that is no base64",
       request(kUpgrade + "Sec-WebSocket-Key: dGhlIHNhbXBs*SBub25jZQ==\r\n" + kVersion), 400},
      {"empty key", request(kUpgrade + "Sec-WebSocket-Key:\r\n" + kVersion), 400},
      {"version 8", request(kUpgrade + kKey + "Sec-WebSocket-Version: 8\r\n"), 426},
      {"two versions", request(kUpgrade + kKey + kVersion + kVersion), 426},
      {"no version", request(kUpgrade + kKey), 426},
      {"no Upgrade", request("Host: a\r\nConnection: Upgrade\r\n" + kKey + kVersion), 426},
      {"no Connection", request("Host: a\r\nUpgrade: websocket\r\n" + kKey + kVersion), 426},
      {"a body", request(kUpgrade + kKey + kVersion + "Content-Length: 1\r\n") + "x", 400},
  };
  for (const Case& test : cases) {
    const ParsedRequest parsed(test.bytes);
    const Handshake handshake = checkHandshake(*parsed, {});
    EXPECT_EQ(handshake.status, test.status) << test.name;
    EXPECT_FALSE(handshake.reason.empty()) << test.name;
    const bool names_version =
        handshake.extra_lines.find("Sec-WebSocket-Version: 13\r\n") != std::string_view::npos;
    EXPECT_EQ(names_version, test.status == 426) << test.name;
    const bool names_method = handshake.extra_lines == "Allow: GET\r\n";
    EXPECT_EQ(names_method, test.status == 405) << test.name;
  }
}

TEST(Handshake, SchemeAndTokenComeAsSubprotocols) {
  // spec S-73
  struct Case {
    const char* name;
    std::string lines;
    std::string protocol;
    std::string token;
  };
  const std::vector<Case> cases = {
      {"none", "", "", ""},
      {"documented", "Sec-WebSocket-Protocol: x-access-token, aaa.bbb.ccc\r\n", "x-access-token",
       "aaa.bbb.ccc"},
      {"a resource's own", "Sec-WebSocket-Protocol: x-wallet-token,t\r\n", "x-wallet-token", "t"},
      {"any case, as offered", "Sec-WebSocket-Protocol: X-Access-TOKEN, t\r\n", "X-Access-TOKEN",
       "t"},
      {"two lines", "Sec-WebSocket-Protocol: x-access-token\r\nSec-WebSocket-Protocol: t\r\n",
       "x-access-token", "t"},
      {"Authorization, raw", "Sec-WebSocket-Protocol: Authorization, t\r\n", "Authorization", "t"},
      {"Authorization, Bearer.", "Sec-WebSocket-Protocol: authorization, Bearer.t\r\n",
       "authorization", "t"},
      {"Bearer. behind another name", "Sec-WebSocket-Protocol: x-access-token, Bearer.t\r\n",
       "x-access-token", "Bearer.t"},
      {"name alone: no token", "Sec-WebSocket-Protocol: x-access-token\r\n", "x-access-token", ""},
      {"unknown name", "Sec-WebSocket-Protocol: chat, t\r\n", "", ""},
      {"token first is never selected", "Sec-WebSocket-Protocol: aaa.bbb.ccc, x-access-token\r\n",
       "", ""},
      {"known name not first", "Sec-WebSocket-Protocol: chat, x-access-token, t\r\n", "", ""},
  };
  for (const Case& test : cases) {
    const ParsedRequest parsed(goodRequest(test.lines));
    const Handshake handshake = checkHandshake(*parsed, {kSchemes, false});
    EXPECT_TRUE(handshake.accepted()) << test.name;
    EXPECT_EQ(handshake.protocol, test.protocol) << test.name;
    EXPECT_EQ(handshake.token, test.token) << test.name;
  }
  const ParsedRequest parsed(goodRequest("Sec-WebSocket-Protocol: x-access-token, a b\r\n"));
  EXPECT_EQ(checkHandshake(*parsed, {}).status, 400);
}

TEST(Handshake, TokenIsNeverEchoed) {
  //
  const ParsedRequest parsed(
      goodRequest("Sec-WebSocket-Protocol: x-access-token, secret.token.text\r\n"));
  const Handshake handshake = checkHandshake(*parsed, {});
  std::string out;
  writeSwitchingProtocols(out, handshake, {});
  EXPECT_NE(out.find("\r\nSec-WebSocket-Protocol: x-access-token\r\n"), out.npos);
  EXPECT_EQ(out.find("secret"), out.npos);
}

TEST(Handshake, OfferedExtensionsAreNotTaken) {
  const ParsedRequest parsed(
      goodRequest("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"));
  const Handshake handshake = checkHandshake(*parsed, {});
  EXPECT_TRUE(handshake.accepted());
  std::string out;
  writeSwitchingProtocols(out, handshake, {});
  EXPECT_EQ(out.find("Extensions"), out.npos);
}

TEST(Handshake, UidIsReadAndJudged) {
  // spec S-110
  const std::string long_uid(256, 'u');
  const std::vector<std::pair<std::string, std::string>> good = {
      {"/ws", ""},
      {"/ws?uid=", ""},
      {"/ws?uid", ""},
      {"/ws?uid=user_12345", "user_12345"},
      {"/ws?a=b&uid=user%20one&c", "user one"},
      {"/ws?uid=%2B49", "+49"},
      {"/ws?uid=+49", "+49"},
      {"/ws?uid=%E2%82%AC", "\xE2\x82\xAC"},
      {"/ws?uid=a%26b%3Dc", "a&b=c"},
      {"/ws?UID=x", ""},
      {"/ws?uid=" + long_uid, long_uid},
  };
  for (const auto& [target, uid] : good) {
    const ParsedRequest parsed(goodRequest("", target));
    const Handshake handshake = checkHandshake(*parsed, {});
    EXPECT_TRUE(handshake.accepted()) << target;
    EXPECT_EQ(handshake.uid, uid) << target;
  }
  for (const std::string& target :
       {"/ws?uid=u" + long_uid, std::string("/ws?uid=a%0Ab"), std::string("/ws?uid=%00"),
        std::string("/ws?uid=%7F"), std::string("/ws?uid=%C2%85"), std::string("/ws?uid=%FF"),
        std::string("/ws?uid=%"), std::string("/ws?uid=%4"), std::string("/ws?uid=%zz"),
        std::string("/ws?uid=a&uid=b")}) {
    const ParsedRequest parsed(goodRequest("", target));
    EXPECT_EQ(checkHandshake(*parsed, {}).status, 400) << target;
  }
}

TEST(Handshake, ForcedUidMustBeThere) {
  // spec S-110
  const HandshakeSettings forced{{}, true};
  const ParsedRequest without(goodRequest(""));
  EXPECT_EQ(checkHandshake(*without, forced).status, 400);
  const ParsedRequest empty(goodRequest("", "/ws?uid="));
  EXPECT_EQ(checkHandshake(*empty, forced).status, 400);
  const ParsedRequest with(goodRequest("", "/ws?uid=u"));
  EXPECT_TRUE(checkHandshake(*with, forced).accepted());
}

}  // namespace
}  // namespace sub0::net::ws
