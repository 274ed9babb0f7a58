// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/hashed_call.hpp"

// What of the hash of a password leaves a call: nothing.
namespace sub0::call::test {
namespace {

class HashSecrets : public HashedCall {};

// spec S-95: under another name, inside other values and texts, as a name, by way of a dependent
TEST_F(HashSecrets, ANewHashLeavesUnderNoName) {
  make(resourceText(
      stepWith(
          1, "a",
          R"({"pw": "$PAYLOAD.password", "n": 1, "deep": [{"in": "<$PAYLOAD.password>", "m": 2}, "$PAYLOAD.password"]})",
          hashes() + R"(, "after": {"name": "effect"})") +
          "," +
          stepWith(
              2, "b", R"(["$PAYLOAD.hash", {"x": "$PAYLOAD.hash", "clear": "$PAYLOAD.password"}])",
              R"("depends_on": [{"resource_id": "self", "action_ids": [1], "extract_response_for": [{"extract": "pw", "for": "hash"}]}])"),
      R"("combine_returned_results_from": [1, 2], )"));
  call(R"({"password":"secret"})");
  EXPECT_EQ(rig->hash(), 1);
  EXPECT_EQ(rig->transport.log,
            (Lines{"a", "b", R"(200 [{"n":1,"deep":[{"m":2},null]},null,{"clear":"secret"}])",
                   "effect"}));
  EXPECT_EQ(inputs[2], R"({"n":1,"deep":[{"m":2},null]})");
  EXPECT_NE(inputs[1].find("$2b$04$"), std::string::npos) << "inside the call it may be used";
}

// spec S-95, S-93: nor do later calls find it in the cache
TEST_F(HashSecrets, ANewHashIsInNoCache) {
  make(resourceText(
      stepWith(1, "a", R"({"pw": "$PAYLOAD.password"})", hashes()) + "," +
      stepWith(
          2, "b", R"({"x": "$PAYLOAD.hash", "n": 1})",
          R"("cacheable": {"cache_key": "k", "duration": 60}, "depends_on": [{"resource_id": "self", "action_ids": [1], "extract_response_for": [{"extract": "pw", "for": "hash"}]}])")));
  EXPECT_EQ(replyTo(R"({"password":"secret"})"), R"(200 {"n":1})");
  EXPECT_EQ(replyTo(R"({"password":"other"})"), R"(200 {"n":1})");
  EXPECT_EQ(inputs.size(), 3u) << "the second came out of the cache";
}

// spec S-95: under another name, also in rows behind the one that was compared
TEST_F(HashSecrets, AStoredHashLeavesUnderNoName) {
  make(resourceText(stepWith(1, "a", R"("x")", verifies() + R"(, "after": {"name": "effect"})")));
  const std::string first = stored(HashAlgorithm::kBcrypt, "secret");
  const std::string second = stored(HashAlgorithm::kBcrypt, "other");
  rows = R"([{"id":1,"password":")" + first + R"(","pw":")" + first + R"(","j":{"p":[")" + first +
         R"("]},"t":"{\"p\": \")" + first + R"(\"}",")" + first + R"(":1},{"id":2,"password":")" +
         second + R"(","pw":")" + second + R"(","of":")" + first + R"("},{"id":3,"password":""}])";
  const std::string left = R"([{"id":1,"j":{"p":[null]}},{"id":2},{"id":3}])";
  replyTo(R"({"password":"secret"})");
  EXPECT_EQ(rig->transport.log, (Lines{"a", "200 " + left, "effect"}));
  EXPECT_EQ(inputs.back(), left);
}

// spec S-95, S-22: what an action before it has found is not told either, whether it matches or not
TEST_F(HashSecrets, AStoredHashLeavesByNoOtherAction) {
  make(resourceText(
      stepWith(1, "b", R"("$PAYLOAD.known")", "") + "," + stepWith(2, "a", R"("x")", verifies()),
      R"("combine_returned_results_from": [1, 2], )"));
  const std::string hash = stored(HashAlgorithm::kBcrypt, "secret");
  rig->script.runs["b"] = [this, hash](const sub0_run& run) {
    rig->script.complete(run.ticket, R"({"pw":")" + hash + R"(","b":1})");
  };
  rows = R"({"id":7,"password":")" + hash + R"("})";
  EXPECT_EQ(replyTo(R"({"password":"secret"})"), R"(200 {"b":1,"id":7})");
}

}  // namespace
}  // namespace sub0::call::test
