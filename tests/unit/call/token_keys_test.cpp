// SPDX-License-Identifier: Apache-2.0
// The keys of resources as a plan set makes them: what `check` says of them, with the place, and
// what they issue and take.
#include <gtest/gtest.h>

#include <algorithm>

#include "auth/token_verifier.hpp"
#include "tests/unit/auth/signed_token.hpp"
#include "tests/unit/call/call_rig.hpp"

namespace sub0::call::test::token_keys_test {
namespace {

using auth::Algorithm;

std::string quoted(const std::string& text) { return json::toString(json::text(text)); }

/// `algorithm` v4.local: PASETO.
std::string resource(const std::string& id, const std::string& algorithm, const std::string& key,
                     bool is_protected, const std::string& more = "") {
  const std::string form =
      algorithm == "v4.local" ? R"("type": "PASETO")" : R"("algorithm": ")" + algorithm + "\"";
  return R"({"id": ")" + id + R"(", "resource": ")" + id + R"(", "tokenize": {)" + form +
         R"(, "encryption_key": )" + quoted(key) + more + "}," +
         (is_protected ? R"("protected": {"provide_as": "x-token"},)" : "") +
         R"("actionables": [{"id": 1, "mode": "STEP", "step": {"name": "a",)" +
         (is_protected ? R"("input": "$PROTECTED.id"}}]})" : R"("input": {"id": "u1"}}}]})");
}

/// What loading says of such a resource: "RULE /pointer message" of the only problem, or "".
std::string problemOf(const std::string& text, bool is_wrong = true) {
  CallRig rig(resource("sound", "HS256", CallRig::kSecret, true));
  (void)rig.compile(text, is_wrong);
  if (rig.problems.empty()) return "";
  EXPECT_EQ(rig.problems.all().size(), 1u) << rig.problems.toText();
  const dialect::Problem& problem = rig.problems.all().front();
  EXPECT_EQ(problem.severity, dialect::Severity::kError);
  EXPECT_GT(problem.place.position.line, 0u);
  return problem.rule + " " + problem.place.pointer + " " + problem.message;
}

// spec S-70, Q-41: an error at the key, in the words of whoever read it
TEST(TokenKeys, AKeyThatDoesNotFitItsAlgorithmIsAnErrorWithItsPlace) {
  const std::string place = "S-70 /tokenize/encryption_key ";
  const auto expect = [&](const char* algorithm, const std::string& key, const std::string& says) {
    for (const bool is_protected : {true, false}) {
      const std::string said = problemOf(resource("r", algorithm, key, is_protected));
      EXPECT_EQ(said.rfind(place, 0), 0u) << said;
      EXPECT_NE(said.find(says), std::string::npos) << said;
    }
  };
  expect("RS256", auth::kEcPrivate, "needs a key of type RSA, and this is one of type EC");
  expect("ES256", auth::kRsaPublic, "needs a key of type EC, and this is one of type RSA");
  expect("RS256", "0123456789abcdef0123456789abcdef", "must be a PEM key");
  expect("RS256", auth::kRsa9000Public, "9000 bits");
  expect("ES256", auth::kEcPrivate.substr(0, 100), "cannot be read");
  expect("ES256", auth::kCertificate, "certificate");
  expect("v4.local", "short", "v4.local needs a key of 32 bytes");
  expect("v4.local", "0123456789abcdef0123456789abcdef0", "has 33 characters");
  expect("v4.local", auth::kEcPublic, "not a PEM key");
}

// spec S-71: a public key cannot issue
TEST(TokenKeys, AResourceThatIssuesTokensNeedsThePrivateKey) {
  const std::string says = "S-71 /tokenize/encryption_key resource \"r\" issues tokens";
  EXPECT_EQ(problemOf(resource("r", "RS256", auth::kRsaPublic, false)).rfind(says, 0), 0u);
  EXPECT_EQ(problemOf(resource("r", "ES256", auth::kEcPublic, true, R"(, "property_name": "t")"))
                .rfind(says, 0),
            0u);
  EXPECT_EQ(
      problemOf(resource("r", "ES256", auth::kEcPublic, true, R"(, "custom_claim_fields": ["id"])"))
          .rfind(says, 0),
      0u);
  EXPECT_EQ(problemOf(resource("r", "RS256", auth::kRsaPublic, true), false), "");
  EXPECT_EQ(problemOf(resource("r", "RS256", auth::kRsaPrivate, false), false), "");
}

// spec S-71, S-72: one resource issues by the private key, another takes that by the public one
TEST(TokenKeys, WhatOneResourceIssuesAnotherTakes) {
  for (const auto& [name, own, half] :
       {std::tuple{"RS256", auth::kRsaPrivate, auth::kRsaPublic},
        std::tuple{"ES256", auth::kEcPrivate, auth::kEcPublic},
        std::tuple{"v4.local", std::string(CallRig::kSecret), std::string(CallRig::kSecret)}}) {
    CallRig rig("[" + resource("in", name, own, false) + "," + resource("me", name, half, true) +
                "," + resource("hs", "HS256", CallRig::kSecret, true) + "]");
    rig.dispatch(rig.request("in"));
    const std::string reply = rig.transport.log.back();
    const std::string before = R"(200 {"id":"u1","token":")";
    ASSERT_EQ(reply.rfind(before, 0), 0u) << reply;
    const std::string token = reply.substr(before.size(), reply.size() - before.size() - 2);
    const HeaderField fields[] = {{"x-token", token}};
    for (const auto& [called, expected] :
         {std::pair{"me", R"(200 "u1")"}, std::pair{"hs", "401 token_invalid -"}}) {
      Request request = rig.request(called);
      request.headers = fields;
      rig.dispatch(request);
      EXPECT_EQ(rig.transport.log.back(), expected) << name;
    }
  }
}

}  // namespace
}  // namespace sub0::call::test::token_keys_test
