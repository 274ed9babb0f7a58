// SPDX-License-Identifier: Apache-2.0
// Tokens on connections that stay open, on a clock that the test moves.
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

namespace sub0::call::test {
namespace {

const char* const kResources = R"([
  {"id": "secured", "resource": "secured",
   "tokenize": {"type": "JWT", "encryption_key": "$ENV.KEY"}, "protected": {},
   "actionables": [{"id": 1, "mode": "STEP", "step": {"name": "a", "input": "$PROTECTED.id"}}]},
  {"id": "open", "resource": "open",
   "actionables": [{"id": 1, "mode": "STEP", "step": {"name": "a", "input": "open"}}]}])";

/// An open socket with the token of its handshake, and what it remembers of tokens.
class TokensInTime : public ::testing::Test {
 protected:
  explicit TokensInTime(std::int64_t leeway_s = 0) {
    Options options;
    options.token_leeway_s = leeway_s;
    rig.calls =
        std::make_unique<Calls>(rig.rig.loop, rig.rig.tickets, rig.transport, rig.plans, options);
  }
  /// The reply of a call of the connection at that time.
  std::string reply(const std::string& resource, std::int64_t wall_ms) {
    rig.rig.io.wall_ms = wall_ms;
    Request request = rig.socketRequest(resource, "", "");
    request.token_scheme = "Authorization";
    request.token = token;
    request.verified_tokens = &remembered;
    rig.dispatch(request);
    return rig.transport.log.back();
  }

  CallRig rig{kResources};
  std::string token = rig.token(R"({"id": 7})");  // iat 0, exp 1000
  VerifiedTokens remembered;
};

// Q-48: protected calls are refused from that second on, by a code of their own; others go on
TEST_F(TokensInTime, AnExpiredTokenIsRefusedFromItsSecondOnOpenConnections) {
  EXPECT_EQ(reply("secured", 0), "200 7");
  EXPECT_EQ(reply("secured", 999'000), "200 7");
  EXPECT_EQ(reply("secured", 999'999), "200 7");
  EXPECT_EQ(reply("secured", 1'000'000), "401 token_expired -");
  EXPECT_EQ(reply("open", 1'000'000), R"(200 "open")");
  EXPECT_EQ(reply("secured", 1'001'000), "401 token_expired -");
  EXPECT_EQ(reply("open", 1'001'000), R"(200 "open")");
}

// Q-48: the same where the token was never looked at before
TEST_F(TokensInTime, ATokenThatExpiredUnusedIsRefused) {
  EXPECT_EQ(reply("secured", 1'000'000), "401 token_expired -");
  EXPECT_EQ(reply("secured", 999'999), "200 7");
}

// Q-48, Q-95: what is remembered holds no time of its own: a clock that is set back counts
TEST_F(TokensInTime, WhatIsRememberedIsMeasuredByTheClockOfNow) {
  EXPECT_EQ(reply("secured", 999'999), "200 7");
  EXPECT_EQ(reply("secured", 1'000'000), "401 token_expired -");
  EXPECT_EQ(reply("secured", 500'000), "200 7");
}

// Q-48: a call that has begun ends, even where its token expires meanwhile
TEST_F(TokensInTime, ACallUnderWayOutlivesItsToken) {
  sub0_ticket waiting = 0;
  rig.script.runs["a"] = [&](const sub0_run& run) { waiting = run.ticket; };
  rig.rig.io.wall_ms = 999'999;
  Request request = rig.socketRequest("secured", "", "");
  request.token_scheme = "Authorization";
  request.token = token;
  request.verified_tokens = &remembered;
  rig.dispatch(request);
  rig.rig.io.wall_ms = 1'000'001;
  rig.script.complete(waiting, "\"done\"");
  rig.turn();
  EXPECT_EQ(rig.transport.log, Lines{R"(200 "done")"});
}

// Q-42: nbf on an open connection: refused before, and the refusal is not remembered
TEST_F(TokensInTime, ATokenOfTheFutureIsTakenOnceItsTimeHasCome) {
  const auto key = auth::Key::create(auth::Algorithm::kHs256, CallRig::kSecret);
  token = *auth::issueToken(*key, dialect::valueOf(R"({"id": 8, "nbf": 500})"), 0, 1000);
  EXPECT_EQ(reply("secured", 499'999), "401 token_invalid -");
  EXPECT_EQ(reply("secured", 500'000), "200 8");
}

class TokensWithLeeway : public TokensInTime {
 protected:
  TokensWithLeeway() : TokensInTime(5) {}
};

// Q-42: leeway as set, for remembered tokens as for new ones
TEST_F(TokensWithLeeway, TheLeewayOfTheSettingCounts) {
  EXPECT_EQ(reply("secured", 1'004'999), "200 7");
  EXPECT_EQ(reply("secured", 1'004'999), "200 7");
  EXPECT_EQ(reply("secured", 1'005'000), "401 token_expired -");
  remembered.clear();
  EXPECT_EQ(reply("secured", 1'005'000), "401 token_expired -");
}

}  // namespace
}  // namespace sub0::call::test
