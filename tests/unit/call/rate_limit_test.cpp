// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

// spec S-94, S-10: the gate that counts calls.
namespace sub0::call::test::rate_limit_test {
namespace {

std::string limit(const std::string& identifier, int calls = 1) {
  return R"("rate_limit": {"limit": )" + std::to_string(calls) + R"(, "identifier": )" +
         identifier + R"(, "expires_after": 10}, )";
}

std::string resource(const std::string& more, const std::string& of_action = "",
                     const std::string& id = "r") {
  return R"({"id": ")" + id + R"(", "resource": "route-)" + id + R"(", )" + more +
         R"("actionables": [{"id": 1, "mode": "STEP", )" + of_action +
         R"("step": {"name": "a", "input": "ran"}}]})";
}

const std::string kSecured =
    R"("tokenize": {"type": "JWT", "encryption_key": "$ENV.KEY"}, )"
    R"("protected": {"provide_as": "x-access-token", "extract_claims": ["id"]}, )";
const std::string kRan = "200 \"ran\"";
const std::string kRefused = "429 rate_limited -";

// spec S-94: fixed window from the first call; Retry-After is what is left of it, at least 1 s
TEST(RateLimit, RefusesUntilTheWindowHasEnded) {
  CallRig rig(resource(limit(R"("$HEADER.ip")", 2)));
  Request request = rig.request("r");
  request.peer_address = "10.0.0.1";
  rig.dispatch(request);
  rig.pass(4000);
  rig.dispatch(request);
  rig.dispatch(request);
  EXPECT_EQ(rig.transport.log, (Lines{kRan, kRan, kRefused}));
  EXPECT_EQ(rig.transport.retry_after_s, 6);
  EXPECT_EQ(rig.transport.messages.back(), "too many calls; try again in 6 s");
  rig.pass(5999);
  rig.dispatch(request);
  EXPECT_EQ(rig.transport.retry_after_s, 1);
  request.peer_address = "10.0.0.2";
  rig.dispatch(request);
  request.peer_address = "10.0.0.1";
  rig.pass(1);
  rig.dispatch(request);
  EXPECT_EQ(rig.transport.log, (Lines{kRan, kRan, kRefused, kRefused, kRan, kRan}));
}

// spec S-94: who has one IPv6 address has 2^64 of them: the network counts, in longer texts too
TEST(RateLimit, Ipv6CountsByItsNetworkOf64Bits) {
  for (const std::string identifier : {R"("$HEADER.ip")", R"("from $HEADER.ip")"}) {
    CallRig rig(resource(limit(identifier)));
    Request request = rig.request("r");
    for (const char* address : {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1",
                                "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"}) {
      request.peer_address = address;
      rig.dispatch(request);
    }
    EXPECT_EQ(rig.transport.log, (Lines{kRan, kRefused, kRan, kRan, kRefused, kRan})) << identifier;
  }
}

// spec S-94: what actions get is the address itself
TEST(RateLimit, ActionsGetTheWholeAddress) {
  CallRig rig(
      R"({"id": "r", "resource": "route-r", )" + limit(R"("$HEADER.ip")") +
      R"("actionables": [{"id": 1, "mode": "STEP", "step": {"name": "a", "input": "$HEADER.ip"}}]})");
  Request request = rig.request("r");
  request.peer_address = "2001:db8:1:2::1";
  rig.dispatch(request);
  EXPECT_EQ(rig.transport.log, (Lines{"200 \"2001:db8:1:2::1\""}));
}

// spec S-94: resources count for themselves, and their windows outlive a reload
TEST(RateLimit, WindowsAreOfOneResourceAndOutliveAReload) {
  const std::string both =
      "[" + resource(limit(R"("all")"), "", "r") + "," + resource(limit(R"("all")"), "", "s") + "]";
  CallRig rig(both);
  rig.dispatch(rig.request("r"));
  rig.dispatch(rig.request("s"));
  rig.calls->setPlans(rig.compile(both));
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{kRan, kRan, kRefused}));
}

// spec S-94, S-63: a bare word is a payload field; a missing value is one identifier of all
TEST(RateLimit, BareWordNamesAPayloadField) {
  CallRig rig(resource(limit(R"("email")"),
                       R"("payload_validation": [{"field": {"email": {"type": "STRING"}}}], )"));
  rig.dispatch(rig.request("r", R"({"email": "a"})"));
  rig.dispatch(rig.request("r", R"({"email": "b"})"));
  rig.dispatch(rig.request("r", R"({"email": "a"})"));
  rig.dispatch(rig.request("r", R"({"email": null})"));
  rig.dispatch(rig.request("r", "{}"));
  EXPECT_EQ(rig.transport.log, (Lines{kRan, kRan, kRefused, "400 validation_failed -", kRefused}));
}

// spec S-94: 1 and "1" are the same caller, and no accessor in a value is looked at
TEST(RateLimit, IdentifiersCompareAsText) {
  CallRig rig(resource(limit(R"("$PAYLOAD.who")")));
  rig.dispatch(rig.request("r", R"({"who": 1})"));
  rig.dispatch(rig.request("r", R"({"who": "1"})"));
  rig.dispatch(rig.request("r", R"({"who": "$ENV.KEY"})"));
  rig.dispatch(rig.request("r", R"({"who": ["$ENV.KEY"]})"));
  EXPECT_EQ(rig.transport.log, (Lines{kRan, kRefused, kRan, kRan}));
}

// spec S-94: a value cannot stand for the text between two of them; of a missing one nothing is
// left
TEST(RateLimit, ComposedIdentifiersAreAsManyAsTheirParts) {
  CallRig rig(resource(limit(R"("$PAYLOAD.a:$PAYLOAD.b")")));
  for (const char* payload :
       {R"({"a":"x","b":"y:z"})", R"({"a":"x:y","b":"z"})", R"({"a":"x"})", R"({"a":"y"})",
        R"({"a":"x","b":null})", R"({"a":"x%3Ay","b":"z"})"}) {
    rig.dispatch(rig.request("r", payload));
  }
  EXPECT_EQ(rig.transport.log, (Lines{kRan, kRan, kRan, kRan, kRefused, kRan}));
}

// spec S-10: before the token, so that guessing one is limited
TEST(RateLimit, CountsBeforeTheToken) {
  CallRig rig(resource(limit(R"("$HEADER.ip")", 2) + kSecured));
  for (int i = 0; i < 3; ++i) rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{"401 unauthorized -", "401 unauthorized -", kRefused}));
}

// spec S-10: behind the token where the identifier needs a claim: nobody uses up another's calls
TEST(RateLimit, CountsBehindTheTokenWhereTheIdentifierIsAClaim) {
  for (const char* identifier : {R"("$PROTECTED.id")", R"("user $PROTECTED.id")", R"("id")"}) {
    CallRig rig(resource(limit(identifier) + kSecured));
    const std::string first = rig.token(R"({"id": 1})");
    const std::string second = rig.token(R"({"id": 2})");
    for (const std::string& token : {std::string("forged"), first, first, second}) {
      Request request = rig.request("r", R"({"id": 7})");
      const HeaderField header{"x-access-token", token};
      request.headers = {&header, 1};
      rig.dispatch(request);
    }
    EXPECT_EQ(rig.transport.log, (Lines{"401 token_invalid -", kRan, kRefused, kRan}))
        << identifier;
  }
}

// spec S-10: maintenance and what HTTP itself refuses are not counted; validation is behind it
TEST(RateLimit, CountsWhatFailsBehindIt) {
  CallRig rig(resource(limit(R"("all")"),
                       R"("payload_validation": [{"field": {"email": {"type": "EMAIL"}}}], )"));
  Request wrong = rig.request("r", "{}");
  wrong.content_type = "text/plain";
  rig.dispatch(wrong);
  rig.dispatch(rig.request("r", "{}"));
  rig.dispatch(rig.request("r", R"({"email": "a@b.example"})"));
  EXPECT_EQ(rig.transport.log,
            (Lines{"415 unsupported_media_type -", "400 validation_failed -", kRefused}));
}

// spec S-94: on sockets as over HTTP
TEST(RateLimit, HoldsOnSockets) {
  CallRig rig(resource(limit(R"("$CONNECTION.uid")")));
  rig.dispatch(rig.socketRequest("r", "{}", "u1"));
  rig.dispatch(rig.socketRequest("r", "{}", "u2"));
  rig.dispatch(rig.socketRequest("r", "{}", "u1"));
  EXPECT_EQ(rig.transport.log, (Lines{kRan, kRan, kRefused}));
}

// spec S-94, Q-95: the wall clock has no say
TEST(RateLimit, WallClockStepsChangeNothing) {
  CallRig rig(resource(limit(R"("all")")));
  rig.dispatch(rig.request("r"));
  rig.rig.io.wall_ms = 3'600'000;
  rig.dispatch(rig.request("r"));
  rig.rig.io.wall_ms = -3'600'000;
  rig.pass(10'000);
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{kRan, kRefused, kRan}));
}

// spec S-94, S-10: what needs claims alone is counted before the payload is read
TEST(RateLimit, ClaimsAreCountedBeforeThePayloadIsRead) {
  CallRig rig(resource(limit(R"("$PROTECTED.id")") + kSecured,
                       R"("payload_validation": [{"field": {"a": {"type": "STRING"}}}], )"));
  const std::string token = rig.token(R"({"id": 1})");
  const HeaderField header{"x-access-token", token};
  Request request = rig.request("r", "{malformed");
  request.headers = {&header, 1};
  rig.dispatch(request);
  rig.dispatch(request);
  ASSERT_EQ(rig.transport.log.size(), 2U);
  EXPECT_EQ(rig.transport.log[0].substr(0, 3), "400");
  EXPECT_EQ(rig.transport.log[1], kRefused);
}

}  // namespace
}  // namespace sub0::call::test::rate_limit_test
