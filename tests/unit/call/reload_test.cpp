// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "call/plan_sets.hpp"
#include "tests/unit/call/call_rig.hpp"

// What a reload does to calls: PlanSets decides how long a set lives, Calls which set a call
// follows.
namespace sub0::call::test {
namespace {

/// A resource `r` whose two actions are named: the second replies with its name.
std::string twoSteps(const std::string& first, const std::string& second) {
  return R"({"id": "r", "resource": "r", "actionables": [
    {"id": 1, "mode": "STEP", "step": {"name": ")" +
         first + R"("}},
    {"id": 2, "mode": "STEP", "step": {"name": ")" +
         second + R"(", "input": {"is": ")" + second + R"("}}}]})";
}

/// The rig's calls follow `sets`, as those of a process do.
class ReloadRig : public CallRig {
 public:
  explicit ReloadRig(const std::string& resources) : CallRig(resources) {
    sets.add(std::exchange(plans, nullptr));
    script.runs["slow"] = [this](const sub0_run& run) { slow.push_back(run.ticket); };
  }
  ~ReloadRig() {
    calls.reset();
    sets.clear();
  }

  void reload(const std::string& resources) {
    sets.add(compile(resources));
    rig.loop.post([this, next = sets.current()] { calls->setPlans(next); });
    turn();
  }
  std::size_t oldSets() {
    sets.collect();
    return sets.oldCount();
  }

  PlanSets sets;
  std::vector<sub0_ticket> slow;  // runs of actions of that name, which wait
};

// Q-91: no call is lost
TEST(Reload, ACallUnderWayEndsOnTheSetThatItBeganWith) {
  ReloadRig rig(twoSteps("slow", "old"));
  rig.dispatch(rig.request("r"));
  rig.reload(twoSteps("quick", "new"));
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, Lines{R"(200 {"is":"new"})"});
  EXPECT_EQ(rig.oldSets(), 1u);
  EXPECT_EQ(rig.script.released["old"], 0);

  rig.script.complete(rig.slow.at(0), "1");
  rig.turn();
  EXPECT_EQ(rig.transport.log, (Lines{R"(200 {"is":"new"})", R"(200 {"is":"old"})"}));
  EXPECT_EQ(rig.oldSets(), 0u);
  EXPECT_EQ(rig.script.released["old"], 1);
  EXPECT_EQ(rig.script.released["slow"], 1);
  EXPECT_EQ(rig.script.released["new"], 0);
}

TEST(Reload, ASetThatNobodyFollowsIsFreedAtOnce) {
  ReloadRig rig(twoSteps("a", "b"));
  rig.dispatch(rig.request("r"));
  for (int i = 1; i <= 100; ++i) {
    rig.reload(twoSteps("a", "b"));
    EXPECT_EQ(rig.oldSets(), 0u);
    EXPECT_EQ(rig.script.released["a"], i);
  }
}

TEST(Reload, ARemovedResourceIsNotFoundAnyMore) {
  ReloadRig rig(twoSteps("slow", "old"));
  rig.dispatch(rig.request("r"));
  rig.reload("[]");
  rig.dispatch(rig.request("r"));
  rig.script.complete(rig.slow.at(0), "1");
  rig.turn();
  EXPECT_EQ(rig.transport.log, (Lines{"404 not_found -", R"(200 {"is":"old"})"}));
}

// A run that was given up at its deadline may still use what its plan prepared.
TEST(Reload, AGivenUpRunKeepsItsSetUntilItsPluginLetsGo) {
  ReloadRig rig(twoSteps("slow", "old"));
  rig.dispatch(rig.request("r"));
  rig.reload(twoSteps("a", "new"));
  rig.pass(1001);
  EXPECT_EQ(rig.transport.log, Lines{"504 timeout -"});
  EXPECT_EQ(rig.oldSets(), 1u);
  rig.script.complete(rig.slow.at(0), "1");
  rig.turn();
  EXPECT_EQ(rig.oldSets(), 0u);
  EXPECT_EQ(rig.script.released["slow"], 1);
}

TEST(Reload, SetsMayEndInAnyOrder) {
  ReloadRig rig(twoSteps("slow", "first"));
  rig.dispatch(rig.request("r"));
  rig.reload(twoSteps("slow", "second"));
  rig.dispatch(rig.request("r"));
  rig.reload(twoSteps("slow", "third"));
  rig.dispatch(rig.request("r"));
  ASSERT_EQ(rig.oldSets(), 2u);
  EXPECT_FALSE(rig.sets.hasRoom());
  for (const std::size_t each : {1U, 0U, 2U}) {
    rig.script.complete(rig.slow.at(each), "1");
    rig.turn();
  }
  EXPECT_EQ(rig.transport.log,
            (Lines{R"(200 {"is":"second"})", R"(200 {"is":"first"})", R"(200 {"is":"third"})"}));
  EXPECT_EQ(rig.oldSets(), 0u);
}

// S-115: what a call holds back belongs to the set that it began with
TEST(Reload, EffectsOfAnOldCallComeFromItsSet) {
  ReloadRig rig(R"({"id": "r", "resource": "r", "actionables": [
    {"id": 1, "mode": "STEP", "step": {"name": "slow"}, "after": {"name": "told"}}]})");
  int told = 0;
  rig.script.runs["told"] = [&](const sub0_run& run) {
    EXPECT_EQ(rig.script.released["told"], 0);
    ++told;
    rig.script.complete(run.ticket, "1");
  };
  rig.dispatch(rig.request("r"));
  rig.reload(twoSteps("a", "b"));
  EXPECT_EQ(rig.oldSets(), 1u);
  rig.script.complete(rig.slow.at(0), "1");
  rig.turn();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(rig.oldSets(), 0u);
  EXPECT_EQ(rig.script.released["told"], 1);
}

// Q-91: at most two old sets are alive, further wishes are one
TEST(PlanSets, AReloadWaitsForRoomAndWishesMerge) {
  ReloadRig rig(twoSteps("slow", "a"));
  EXPECT_FALSE(rig.sets.takeRequest());
  for (int i = 0; i < 2; ++i) {
    rig.dispatch(rig.request("r"));
    rig.sets.request();
    ASSERT_TRUE(rig.sets.takeRequest());
    rig.reload(twoSteps("slow", "a"));
  }
  for (int i = 0; i < 5; ++i) {
    rig.sets.request();
    EXPECT_FALSE(rig.sets.takeRequest());
  }
  rig.script.complete(rig.slow.at(0), "1");
  rig.turn();
  EXPECT_TRUE(rig.sets.takeRequest());
  EXPECT_FALSE(rig.sets.takeRequest());
  rig.script.complete(rig.slow.at(1), "1");
  rig.turn();
}

}  // namespace
}  // namespace sub0::call::test
