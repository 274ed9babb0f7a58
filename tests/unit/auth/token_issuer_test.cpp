// SPDX-License-Identifier: Apache-2.0
#include "auth/token_issuer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "auth/token_verifier.hpp"
#include "json/writer.hpp"
#include "tests/unit/auth/signed_token.hpp"
#include "tests/unit/loop/idle_io.hpp"

namespace sub0::auth {
namespace {

std::string partOf(const std::string& token, std::size_t part) {
  return text::base64UrlDecode(text::split(token, ".")[part]).value();
}

TEST(TokenIssuer, HeaderAndClaimsAreCompactAndKeepTheirTypes) {  // spec S-70, spec S-71
  const json::Value roles[] = {json::text("a"), json::null()};
  const json::Member members[] = {{json::toView("id"), json::text("user_12345")},
                                  {json::toView("exp"), json::integer(1)},
                                  {json::toView("n"), json::integer(INT64_MIN)},
                                  {json::toView("digits"), json::number("12345678901234567890.10")},
                                  {json::toView("iat"), json::text("x")},
                                  {json::toView("d"), json::real(0.5)},
                                  {json::toView("roles"), json::array(roles, 2)},
                                  {json::toView("raw"), json::raw("{\"a\":1}")}};
  const auto token =
      issueToken(keyOf(Algorithm::kHs512), json::object(members, 8), 1'700'000'000, 1'700'086'400);
  ASSERT_TRUE(token);
  EXPECT_EQ(partOf(*token, 0), R"({"alg":"HS512","typ":"JWT"})");
  EXPECT_EQ(partOf(*token, 1),
            R"({"id":"user_12345","n":-9223372036854775808,"digits":12345678901234567890.10,)"
            R"("d":0.5,"roles":["a",null],"raw":{"a":1},"iat":1700000000,"exp":1700086400})");
}

TEST(TokenIssuer, TokensEqualThoseOfAnIndependentImplementation) {  // spec S-70
  const json::Member members[] = {{json::toView("id"), json::text("user_12345")},
                                  {json::toView("big"), json::number("18446744073709551615")}};
  const auto token =
      issueToken(keyOf(Algorithm::kHs256), json::object(members, 2), 1'700'000'000, 1'700'086'400);
  EXPECT_EQ(*token,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
            "eyJpZCI6InVzZXJfMTIzNDUiLCJiaWciOjE4NDQ2NzQ0MDczNzA5NTUxNjE1LCJpYXQiOjE3MDAwMDAwMDAs"
            "ImV4cCI6MTcwMDA4NjQwMH0.amp_HZNv-Qu1baXW_gswq4LZZizHusnBWDDxQn8aosc");
}

TEST(TokenIssuer, WhatIsIssuedIsVerifiedUntilItExpires) {  // spec S-70, spec S-72
  const json::Member member{json::toView("id"), json::integer(7)};
  for (const Key& key : keysOfAllAlgorithms()) {
    const auto token = issueToken(key, json::object(&member, 1), 1'000, 1'010);
    Arena arena;
    const auto verified = verifyToken(key, *token, 1'009, arena);
    ASSERT_TRUE(verified);
    EXPECT_EQ(json::toString(verified->claims), R"({"id":7,"iat":1000,"exp":1010})");
    EXPECT_EQ(verified->exp_seconds, 1'010);
    EXPECT_EQ(verifyToken(key, *token, 1'010, arena).error().code, Code::kTokenExpired);
  }
}

TEST(TokenIssuer, ClaimsThatAreNoObjectOrTooLargeAreRefused) {
  const Key key = keyOf(Algorithm::kHs256);
  EXPECT_FALSE(issueToken(key, json::text("a"), 1, 2));
  const auto issue = [&](std::size_t bytes) {
    const std::string large(bytes, 'a');
    const json::Member member{json::toView("a"), json::text(large)};
    return issueToken(key, json::object(&member, 1), 1, 2);
  };
  EXPECT_EQ(issue(6'500).error().code, Code::kResultTooLarge);
  std::size_t bytes = 6'500;
  while (bytes > 0 && !issue(bytes)) --bytes;
  EXPECT_LE(issue(bytes)->size(), kMaxHeaderValueBytes - std::string_view("Bearer ").size());
  EXPECT_GT(issue(bytes)->size(), kMaxHeaderValueBytes - 132);
}

TEST(TokenIssuer, AllDigitsOfAClaimComeBack) {  // spec S-32, spec S-88
  const std::string claims =
      R"("id":18446744073709551616,"n":12345678901234567890.1234567890123,"d":0.1,)"
      R"("raw":[12345678901234567890123,-0.12345678901234567891])";
  const json::Member members[] = {
      {json::toView("id"), json::number("18446744073709551616")},
      {json::toView("n"), json::number("12345678901234567890.1234567890123")},
      {json::toView("d"), json::real(0.1)},
      {json::toView("raw"), json::raw("[12345678901234567890123,-0.12345678901234567891]")}};
  for (const Key& key : keysOfAllAlgorithms()) {
    const auto token = issueToken(key, json::object(members, 4), 1'000, 1'010);
    Arena arena;
    const auto verified = verifyToken(key, *token, 1'009, arena);
    ASSERT_TRUE(verified);
    EXPECT_EQ(json::toString(verified->claims), "{" + claims + R"(,"iat":1000,"exp":1010})");
    EXPECT_EQ(json::find(verified->claims, "d")->type, SUB0_DOUBLE);
  }
}

TEST(TokenIssuer, NoTokenIsMadeThatTheVerifierRefuses) {  // spec S-71
  const std::string huge = "1" + std::string(400, '0') + ".5";
  const std::string deep = std::string(256, '[') + "1" + std::string(256, ']');
  const json::Member bad[] = {{json::toView("keys"), json::raw(R"({"a":1,"a":2})")},
                              {json::toView("real"), json::raw("[1e400]")},
                              {json::toView("huge"), json::number(huge)},
                              {json::toView("deep"), json::raw(deep)},
                              {json::toView("nbf"), json::text("soon")}};
  std::vector<Key> keys = keysOfAllAlgorithms();
  keys.push_back(keyOf(Algorithm::kV4Local, kSecret.substr(0, 32)));
  loop::test::IdleIo io;
  for (const Key& key : keys) {
    for (const json::Member& member : bad) {
      const json::Member members[] = {{json::toView("id"), json::integer(1)}, member};
      const auto token = issueToken(key, json::object(members, 2), 1'000, 1'010, &io);
      ASSERT_FALSE(token) << json::toText(member.key);
      EXPECT_EQ(token.error().code, Code::kActionFailed);
      const std::string quoted = "\"" + std::string(json::toText(member.key)) + "\"";
      EXPECT_NE(token.error().log.find(quoted), std::string::npos) << token.error().log;
    }
  }
}

}  // namespace
}  // namespace sub0::auth
