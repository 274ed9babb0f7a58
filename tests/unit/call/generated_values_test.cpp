// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/call/call_rig.hpp"

// S-62 over the life of calls: where identifiers come from, and how long a name is known.
namespace sub0::call::test::generated_values_test {
namespace {

std::string resourceOf(const std::string& actions, const std::string& rest = "") {
  return R"({"id": "r", "resource": "r", "actionables": [)" + actions + "]" + rest + "}";
}

std::string step(int id, const std::string& input, const std::string& rest = "") {
  return R"({"id": )" + std::to_string(id) + R"(, "mode": "STEP", "step": {"name": "s)" +
         std::to_string(id) + R"(", "input": )" + input + "}" + rest + "}";
}

std::string allKinds() {
  std::string list;
  for (const std::string_view kind : dialect::kGeneratorKinds) {
    list += (list.empty() ? "[" : ",") + ("\"$GENERATOR." + std::string(kind) + "\"");
  }
  return list + "]";
}

// spec S-62: time and randomness come through the loop's port alone, so the same ones make the same
TEST(GeneratedValues, TheLoopsPortIsTheirOnlySource) {
  std::set<std::string> made;
  for (const auto& [wall_ms, first_byte] :
       {std::pair(1769860800123, 1), std::pair(1769860800123, 1), std::pair(1769860801124, 1),
        std::pair(1769860800123, 2)}) {
    CallRig rig(resourceOf(step(1, allKinds())));
    rig.rig.io.wall_ms = wall_ms;
    rig.rig.io.next_random = static_cast<std::uint8_t>(first_byte);
    rig.dispatch(rig.request("r"));
    ASSERT_EQ(rig.transport.log.size(), 1u);
    EXPECT_EQ(rig.transport.log[0].substr(0, 4), "200 ") << rig.transport.log[0];
    made.insert(rig.transport.log[0]);
  }
  EXPECT_EQ(made.size(), 3u);
}

// spec S-62: what counts goes on counting in the loop's next call
TEST(GeneratedValues, CountersAreTheLoopsAndNotTheCalls) {
  CallRig rig(resourceOf(step(1, R"(["$GENERATOR.BSON", {"generate": "BSON"}])")));
  rig.rig.io.wall_ms = 1769860800123;
  rig.dispatch(rig.request("r"));
  rig.rig.io.wall_ms += 1000;
  rig.dispatch(rig.request("r"));
  // The seed is the first that is drawn: 00 01 02 …
  const std::vector<std::string> expected{
      R"(200 ["697deec00001020304050607","697deec00001020304050608"])",
      R"(200 ["697deec10001020304050609","697deec1000102030405060a"])"};
  EXPECT_EQ(rig.transport.log, expected);
}

// spec S-62: known in later actions, in templates, in effects; and in no other call
TEST(GeneratedValues, ANameIsKnownForTheRestOfItsCallAndNoLonger) {
  const std::string made = R"({"generate": "BSON", "for": "key"})";
  const std::string depends = R"(, "depends_on": [{"resource_id": "self", "action_ids": [1],
    "extract_response_for": [{"extract": "x", "for": "x"}]}])";
  const std::string effect = R"(, "after": {"name": "after", "input": "$PAYLOAD.key"})";
  CallRig rig(resourceOf(step(1, "1") + "," + step(2, made, depends) + "," +
                         step(3, R"(["$PAYLOAD.key", "<$PAYLOAD.key>"])", effect)));
  bool has_row = true;
  rig.script.runs["s1"] = [&](const sub0_run& run) {
    rig.script.complete(run.ticket, has_row ? R"({"x": 1})" : "null");
  };
  std::vector<std::string> after;  // its first input is the action's result
  rig.script.runs["after"] = [&](const sub0_run& run) {
    after.push_back(json::toString(run.inputs[1]));
    rig.script.complete(run.ticket, "null");
  };
  rig.dispatch(rig.request("r", R"({"key": "client"})"));
  has_row = false;  // action 2 is skipped: S-63, a `for` without a value is null
  rig.dispatch(rig.request("r", R"({"key": "client"})"));
  const std::vector<std::string> expected{
      R"(200 ["000000000001020304050607","<000000000001020304050607>"])", R"(200 [null,"<>"])"};
  EXPECT_EQ(rig.transport.log, expected);
  EXPECT_EQ(after, (std::vector<std::string>{R"("000000000001020304050607")", "null"}));
}

}  // namespace
}  // namespace sub0::call::test::generated_values_test
