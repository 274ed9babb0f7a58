// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/hashed_call.hpp"

// `hashables` and `verify_hashables` in a call.
namespace sub0::call::test {
namespace {

// spec S-95
TEST_F(HashedCall, TheActionWaitsForTheHashWhichTakesTheFieldsPlace) {
  for (const char* how : {kBcrypt, kArgon2}) {
    make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes(how))));
    call(R"({"email":"x","password":"secret"})");
    EXPECT_EQ(rig->transport.log, Lines{});
    EXPECT_EQ(rig->calls->openCount(), 1u);
    EXPECT_EQ(rig->hash(), 1);
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_TRUE(matches(texts[0], "secret")) << texts[0];
    EXPECT_EQ(rig->transport.log, (Lines{"a", "200 null"}));
    EXPECT_EQ(rig->calls->openCount(), 0u);
  }
}

// spec S-95
TEST_F(HashedCall, WhereverTheActionReadsThePayloadTheHashStands) {
  make(resourceText(stepWith(
      1, "a", R"({"whole": "$PAYLOAD", "in": "p: $PAYLOAD.password!", "all": "$PAYLOAD|"})",
      hashes())));
  replyTo(R"({"n":1,"password":"secret","password":"secret"})");
  EXPECT_EQ(inputs[0].find("secret"), std::string::npos) << inputs[0];
  EXPECT_NE(inputs[0].find(R"("n":1)"), std::string::npos) << inputs[0];
  std::size_t count = 0;
  for (std::size_t at = 0; (at = inputs[0].find("$2b$04$", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 3u) << inputs[0];
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD")", hashes())));
  replyTo(R"({"password":"secret"})");
  EXPECT_EQ(inputs[0].find("secret"), std::string::npos) << inputs[0];
}

// spec S-95
TEST_F(HashedCall, OtherActionsSeeWhatTheClientSent) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes()) + "," +
                    stepWith(2, "b", R"({"x": "$PAYLOAD.password", "all": "$PAYLOAD"})")));
  EXPECT_EQ(replyTo(R"({"password":"secret"})"),
            R"(200 {"x":"secret","all":{"password":"secret"}})");
  EXPECT_EQ(inputs[0].find("secret"), std::string::npos);
}

TEST_F(HashedCall, EachActionAndEachFieldHasItsOwnHash) {
  make(resourceText(stepWith(1, "a", R"({"p": "$PAYLOAD.password", "q": "$PAYLOAD.pin"})",
                             R"("hashables": [{"property": "password", )" + std::string(kBcrypt) +
                                 R"(}, {"property": "pin", )" + kArgon2 + "}]") +
                    "," + stepWith(2, "b", R"("$PAYLOAD.password")", hashes())));
  replyTo(R"({"pin":"1234","password":"secret"})");
  const json::Value first = dialect::valueOf(inputs[0]);
  const auto p = json::chars(*json::find(first, "p"));
  EXPECT_TRUE(matches(p, "secret"));
  EXPECT_TRUE(matches(json::chars(*json::find(first, "q")), "1234"));
  EXPECT_TRUE(matches(texts.at(0), "secret"));
  EXPECT_NE(texts[0], p);
}

// spec S-95
TEST_F(HashedCall, ThereIsNoHashOfNothing) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes())));
  for (const char* payload : {"{}", R"({"password":null})", "[1]", "7", ""}) {
    EXPECT_EQ(replyTo(payload), "200 null") << payload;
    EXPECT_EQ(hashed, 0);
  }
  replyTo(R"({"password":""})");
  EXPECT_EQ(inputs.back().substr(0, 8), "\"$2b$04$");
}

TEST_F(HashedCall, WhatCannotBeHashedIsRefusedBeforeAnythingRuns) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes())));
  for (const std::string& value : Lines{"7", "true", "[\"x\"]", "{\"a\":1}", "\"a\\u0000b\"",
                                        "\"" + std::string(73, 'x') + "\""}) {
    EXPECT_EQ(replyTo(R"({"password":)" + value + "}"), "400 validation_failed -") << value;
    EXPECT_EQ(hashed, 0);
  }
  EXPECT_EQ(rig->transport.messages.front(), "password must be a string");
  EXPECT_EQ(rig->transport.details, Lines{"password must have at most 72 bytes"});
  EXPECT_TRUE(inputs.empty());
  // S-81: lengths count the password
  make(resourceText(stepWith(
      1, "a", R"("$PAYLOAD.password")",
      hashes() +
          R"(, "payload_validation": [{"field": {"password": {"type": "STRING"}}, "max_length": 8}])")));
  EXPECT_EQ(replyTo(R"({"password":"nine char"})"), "400 validation_failed -");
  EXPECT_EQ(replyTo(R"({"password":"eight ch"})"), "200 null");
  EXPECT_EQ(inputs.back().substr(0, 8), "\"$2b$04$");
}

// spec S-95
TEST_F(HashedCall, ANewHashDoesNotLeaveTheCallAndMayBeExtracted) {
  make(resourceText(
      stepWith(1, "a", R"({"id": 1, "password": "$PAYLOAD.password"})",
               hashes() + R"(, "main_returnable": true, "after": {"name": "effect"})") +
      "," +
      stepWith(
          2, "b", R"("$PAYLOAD.hash")",
          R"("depends_on": [{"resource_id": "self", "action_ids": [1], "extract_response_for": [{"extract": "password", "for": "hash"}]}])")));
  call(R"({"password":"secret"})");
  EXPECT_EQ(rig->hash(), 1);
  EXPECT_EQ(rig->transport.log, (Lines{"a", "b", R"(200 {"id":1})", "effect"}));
  EXPECT_TRUE(matches(json::chars(dialect::valueOf(inputs[1])), "secret"));
  EXPECT_EQ(inputs[2], R"({"id":1})");
}

// spec S-86
TEST_F(HashedCall, AnotherResourcesActionHashesToo) {
  make("[" +
       resourceText(stepWith(1, "b", R"("$PAYLOAD.password")",
                             R"("depends_on": [{"resource_id": "s", "action_ids": [1]}])")) +
       R"(, {"id": "s", "resource": "s", "actionables": [)" +
       stepWith(1, "a", R"("$PAYLOAD.password")", hashes()) + "]}]");
  EXPECT_EQ(replyTo(R"({"password":"secret"})"), R"(200 "secret")");
  EXPECT_EQ(hashed, 1);
  EXPECT_EQ(inputs[0].substr(0, 8), "\"$2b$04$");
}

class Comparison : public HashedCall {
 protected:
  void makeSignIn(const std::string& algorithm = "BCRYPT", const std::string& more = "") {
    make(resourceText(stepWith(1, "a", R"("x")", verifies(algorithm) + more)));
  }
};

// spec S-95
TEST_F(Comparison, TheRightPasswordGivesTheRowWithoutItsHash) {
  for (const auto algorithm : {HashAlgorithm::kBcrypt, HashAlgorithm::kArgon2}) {
    makeSignIn(algorithm == HashAlgorithm::kBcrypt ? "BCRYPT" : "ARGON2");
    rows = R"({"id":7,"password":")" + stored(algorithm, "secret") + R"("})";
    call(R"({"password":"secret"})");
    EXPECT_EQ(rig->transport.log, Lines{"a"});
    EXPECT_EQ(rig->hash(), 1);
    EXPECT_EQ(rig->transport.log, (Lines{"a", R"(200 {"id":7})"}));
    EXPECT_EQ(replyTo(R"({"password":"Secret"})"), "401 hash_mismatch -");
    EXPECT_EQ(replyTo(R"({"password":""})"), "401 hash_mismatch -");
  }
}

TEST_F(Comparison, OfSeveralRowsTheFirstCountsAndAllLoseTheColumn) {
  makeSignIn();
  const std::string mine = stored(HashAlgorithm::kBcrypt, "mine");
  const std::string other = stored(HashAlgorithm::kBcrypt, "other");
  rows = R"([{"password":")" + mine + R"(","n":1},{"n":2,"password":")" + other + R"("}])";
  EXPECT_EQ(replyTo(R"({"password":"mine"})"), R"(200 [{"n":1},{"n":2}])");
  EXPECT_EQ(replyTo(R"({"password":"other"})"), "401 hash_mismatch -");
}

// spec S-95
TEST_F(Comparison, WithoutARowTheResultIsNullAndTakesAsLong) {
  makeSignIn();
  for (const char* none : {"null", "[]"}) {
    rows = none;
    EXPECT_EQ(replyTo(R"({"password":"secret"})"), "200 " + rows);
    EXPECT_EQ(hashed, 1);
  }
  rows = "null";
  makeSignIn("BCRYPT", R"(, "must_return_value": true)");
  EXPECT_EQ(replyTo(R"({"password":"secret"})"), "500 no_value -");
  EXPECT_EQ(hashed, 1);
}

TEST_F(Comparison, NothingCostsWhatTheLastStoredHashDid) {
  makeSignIn();
  EXPECT_EQ(rig->calls->hashes().usual(HashAlgorithm::kBcrypt).rounds, 12u);
  rows = R"({"password":")" + stored(HashAlgorithm::kBcrypt, "secret") + R"("})";
  replyTo(R"({"password":"secret"})");
  EXPECT_EQ(rig->calls->hashes().usual(HashAlgorithm::kBcrypt).rounds, 4u);
  EXPECT_EQ(rig->calls->hashes().usual(HashAlgorithm::kArgon2).rounds, 12u);
}

// spec S-95
TEST_F(Comparison, WhatIsNoHashOfThatAlgorithmMatchesNothing) {
  const std::string good = stored(HashAlgorithm::kBcrypt, "secret");
  for (const std::string& value :
       Lines{"\"secret\"", "\"\"", "null", "7", "\"" + good.substr(1) + "\"",
             "\"" + stored(HashAlgorithm::kArgon2, "secret") + "\"",
             "\"$2b$07" + good.substr(6) + "\"",  // more than max_bcrypt_cost
             "{\"x\":\"" + good + "\"}"}) {
    makeSignIn();
    rows = R"({"password":)" + value + "}";
    EXPECT_EQ(replyTo(R"({"password":"secret"})"), "401 hash_mismatch -") << value;
    EXPECT_EQ(hashed, 1) << value;
  }
  for (const std::string& row : Lines{"{\"id\":7}", "\"text\"", "7", "[7]"}) {
    rows = row;
    EXPECT_EQ(replyTo(R"({"password":"secret"})"), "401 hash_mismatch -") << row;
  }
}

TEST_F(Comparison, WhoSendsNoPasswordDoesNotPass) {
  makeSignIn();
  rows = R"({"id":7,"password":")" + stored(HashAlgorithm::kBcrypt, "") + R"("})";
  EXPECT_EQ(replyTo(R"({"password":""})"), R"(200 {"id":7})");
  for (const char* payload : {"{}", R"({"password":null})", "[]", ""}) {
    EXPECT_EQ(replyTo(payload), "401 hash_mismatch -") << payload;
  }
  inputs.clear();
  for (const char* payload : {R"({"password":7})", R"({"password":[""]})"}) {
    EXPECT_EQ(replyTo(payload), "400 validation_failed -") << payload;
  }
  EXPECT_TRUE(inputs.empty());
}

// spec S-95
TEST_F(Comparison, NobodyBehindItSeesTheHash) {
  make(resourceText(
      stepWith(1, "a", R"("x")", verifies() + R"(, "after": {"name": "effect"})") + "," +
      stepWith(2, "b", R"({"all": "$PAYLOAD.row", "hash": "$PAYLOAD.hash"})",
               R"("depends_on": [{"resource_id": "self", "action_ids": [1], "extract_response_for":
            [{"extract": "self_", "for": "row"}, {"extract": "password", "for": "hash"}]}])")));
  rig->script.runs["b"] = [this](const sub0_run& run) {
    inputs.push_back(json::toString(run.inputs[0]));
    rig->script.complete(run.ticket, "1");
  };
  rows = R"({"id":7,"password":")" + stored(HashAlgorithm::kBcrypt, "secret") + R"("})";
  replyTo(R"({"password":"secret"})");
  EXPECT_EQ(inputs, (Lines{R"("x")", R"({"all":{"id":7},"hash":null})", R"({"id":7})"}));
  EXPECT_EQ(rig->transport.log, (Lines{"a", "200 1", "effect"}));
  // a mismatch ends the call: no effect, no dependent
  inputs.clear();
  EXPECT_EQ(replyTo(R"({"password":"x"})"), "401 hash_mismatch -");
  EXPECT_EQ(inputs.size(), 1u);
}

// spec S-95: one client, on however many connections, leaves others a place
TEST_F(HashedCall, NobodyFillsTheQueueAlone) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes())));
  const auto callFrom = [this](const char* address) {
    Request request = rig->request("r", R"({"password":"secret"})");
    request.peer_address = address;
    rig->dispatch(request);
  };
  for (const char* address : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) callFrom(address);
  EXPECT_EQ(rig->transport.log, Lines{"503 busy -"});
  callFrom("192.0.2.1");
  EXPECT_EQ(rig->calls->openCount(), 3u);
  EXPECT_EQ(rig->calls->counts().hashes.refused.get(), 1u);
  EXPECT_EQ(rig->hash(), 3);
  callFrom("2001:db8::1");
  EXPECT_EQ(rig->hash(), 1);
}

// spec S-95
TEST_F(HashedCall, WhenTooManyWaitTheCallIsBusy) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes())));
  for (int i = 0; i < 4; ++i) call(R"({"password":"secret"})");
  EXPECT_EQ(rig->transport.log, Lines{"503 busy -"});
  EXPECT_EQ(rig->calls->openCount(), 3u);
  EXPECT_EQ(rig->hash(), 3);
  const HashCounts& counts = rig->calls->counts().hashes;
  EXPECT_EQ(counts.refused.get(), 1u);
  EXPECT_EQ(counts.durations[0].get(), 3u);
  EXPECT_EQ(rig->calls->openCount(), 0u);
}

// spec S-95
TEST_F(HashedCall, AtTheDeadlineTheResultIsNobodysAndTheCallIsUsedAgain) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes())));
  call(R"({"password":"first"})");
  rig->pass(1100);
  EXPECT_EQ(rig->transport.log, Lines{"504 timeout -"});
  EXPECT_EQ(rig->calls->openCount(), 0u);
  call(R"({"password":"second"})");  // the same object, while the first hash is under way
  EXPECT_EQ(rig->hash(), 2);
  EXPECT_EQ(rig->transport.log.size(), 3u);
  EXPECT_TRUE(matches(texts.at(0), "second"));
  EXPECT_EQ(rig->calls->counts().hashes.abandoned.get(), 1u);
}

TEST_F(HashedCall, AClientThatHasGoneIsNotHashedFor) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes())));
  call(R"({"password":"secret"})");
  rig->calls->abandon(7);
  rig->pass(1);
  EXPECT_EQ(rig->transport.log, Lines{"503 unavailable -"});
  EXPECT_EQ(rig->hash(), 1);
  EXPECT_TRUE(inputs.empty());
  EXPECT_EQ(rig->calls->openCount(), 0u);
}

// spec S-95: behind a run that ends later, as every query on PostgreSQL does
TEST_F(HashedCall, AComparisonHasTheDeadlineOfItsCallAndEndsWithItsClient) {
  for (const bool is_gone : {false, true}) {
    make(resourceText(stepWith(1, "a", "1", verifies())));
    ends = false;
    call(R"({"password":"secret"})");
    rig->script.complete(tickets.back(), R"({"id":7,"password":")" +
                                             stored(HashAlgorithm::kBcrypt, "secret") + R"("})");
    rig->pass(1);
    ASSERT_EQ(rig->transport.log, Lines{"a"});
    if (is_gone) rig->calls->abandon(7);
    rig->pass(is_gone ? 1 : 1100);
    EXPECT_EQ(rig->transport.log, (Lines{"a", is_gone ? "503 unavailable -" : "504 timeout -"}));
    EXPECT_EQ(rig->calls->openCount(), 0u);
    EXPECT_EQ(rig->hash(), 1) << "it is thrown away";
    EXPECT_EQ(rig->transport.log.size(), 2u);
  }
}

TEST_F(HashedCall, TheHostMayEndMeanwhile) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes())));
  call(R"({"password":"secret"})");
  rig.reset();
}

// spec S-90
TEST_F(HashedCall, AnAttemptIsMadeWithTheSameHash) {
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes() + R"(, "retries": 3)")));
  failures = 2;
  call(R"({"password":"secret"})");
  EXPECT_EQ(rig->hash(), 1);
  passAll();
  EXPECT_EQ(inputs, Lines(3, inputs[0]));
  EXPECT_EQ(rig->hash(), 0);
  EXPECT_EQ(rig->transport.log.back(), "200 null");
}

// spec S-22
TEST_F(HashedCall, NoTransactionWaitsForAHash) {
  make(resourceText(
      stepWith(1, "b", R"("begin")") + "," + stepWith(2, "a", R"("$PAYLOAD.password")", hashes()),
      R"("transaction": true, "retries": 3, )"));
  call(R"({"password":"secret"})");
  EXPECT_TRUE(inputs.empty());  // `b` has not begun
  failures = 1;
  EXPECT_EQ(rig->hash(), 1);
  passAll();
  EXPECT_EQ(rig->hash(), 0);  // once, however often all is done again
  EXPECT_EQ(rig->transport.log, (Lines{"b", "b", "a", "200 null"}));
  EXPECT_TRUE(matches(texts.at(0), "secret"));
}

TEST_F(Comparison, AMismatchRollsBack) {
  make(resourceText(stepWith(1, "a", R"("x")", verifies()), R"("transaction": true, )"));
  rows = R"({"password":"none"})";
  EXPECT_EQ(replyTo(R"({"password":"secret"})"), "401 hash_mismatch -");
  EXPECT_EQ(rig->script.rolled_back.size(), 1u);
}

// spec S-91, S-53
TEST_F(HashedCall, BehindTheReplyTheHashStandsAsWell) {
  make(resourceText(
      stepWith(1, "b", "1") + "," +
      stepWith(2, "a", R"("$PAYLOAD.password")", hashes() + R"(, "run_in_background": true)")));
  call(R"({"password":"secret"})");
  EXPECT_EQ(rig->hash(), 1);
  EXPECT_EQ(rig->transport.log, (Lines{"b", "200 1", "a"}));
  EXPECT_TRUE(matches(texts.at(0), "secret"));
  make(resourceText(stepWith(1, "a", R"("$PAYLOAD.password")", hashes()),
                    R"("run_in_background": true, )"));
  call(R"({"password":"secret"})");
  EXPECT_EQ(rig->transport.log, Lines{"200 null"});
  rig->calls->abandon(7);
  EXPECT_EQ(rig->hash(), 1);
  EXPECT_EQ(rig->transport.log, (Lines{"200 null", "a"}));
  EXPECT_TRUE(matches(texts.at(0), "secret"));
  EXPECT_EQ(rig->calls->openCount(), 0u);
}

// spec S-95, S-53
TEST_F(HashedCall, WhatCannotBeHashedIsNotAccepted) {
  for (const std::string& does : {hashes(), verifies()}) {
    make(resourceText(stepWith(1, "b", "1") + "," + stepWith(2, "a", R"("x")", does),
                      R"("run_in_background": true, )"));
    EXPECT_EQ(replyTo(R"({"password":5})"), "400 validation_failed -");
    EXPECT_EQ(inputs, Lines{});
    replyTo(R"({"other":5})");
    EXPECT_EQ(rig->transport.log.at(0), "200 null");
  }
  make(resourceText(stepWith(1, "a", R"("x")", hashes()), R"("run_in_background": true, )"));
  EXPECT_EQ(replyTo(R"({"password":")" + std::string(73, 'a') + "\"}"), "400 validation_failed -");
}

// spec S-21, S-10: its own validation comes first
TEST_F(HashedCall, AnActionThatIsNeededHashesWhenItsTurnHasCome) {
  make(resourceText(
      stepWith(
          1, "a", R"("$PAYLOAD.password")",
          hashes() +
              R"(, "no_op": true, "payload_validation": [{"field": {"password": {"type": "STRING"}}, "min_length": 6}])") +
      "," +
      stepWith(
          2, "b", R"("$PAYLOAD.hash")",
          R"("depends_on": [{"resource_id": "self", "action_ids": [1], "extract_response_for": [{"extract": "self_", "for": "hash"}]}])")));
  EXPECT_EQ(replyTo(R"({"password":"short"})"), "400 validation_failed -");
  EXPECT_EQ(hashed, 0);
  replyTo(R"({"password":"secret"})");
  EXPECT_EQ(hashed, 1);
  EXPECT_TRUE(matches(texts.at(0), "secret"));
}

// spec S-87
TEST_F(HashedCall, ASkippedActionHashesNothing) {
  make(resourceText(
      stepWith(1, "b", "null") + "," +
      stepWith(
          2, "a", R"("$PAYLOAD.password")",
          hashes() +
              R"(, "depends_on": [{"resource_id": "self", "action_ids": [1], "extract_response_for": [{"extract": "id", "for": "x"}]}])")));
  EXPECT_EQ(replyTo(R"({"password":"secret"})"), "200 null");
  EXPECT_EQ(hashed, 0);
}

}  // namespace
}  // namespace sub0::call::test
