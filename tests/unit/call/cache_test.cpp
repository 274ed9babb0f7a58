// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

// spec S-93: `cacheable`, on actions and on resources.
namespace sub0::call::test::cache_test {
namespace {

std::string step(int id, const std::string& name, const std::string& more = "",
                 const std::string& input = R"("$PAYLOAD.v")") {
  return R"({"id": )" + std::to_string(id) + R"(, "mode": "STEP", )" +
         (more.empty() ? "" : more + ", ") + R"("step": {"name": ")" + name + R"(", "input": )" +
         input + "}}";
}

std::string resource(const std::string& actions, const std::string& more = "",
                     const std::string& id = "r") {
  return R"({"id": ")" + id + R"(", "resource": "route-)" + id + R"(", )" +
         (more.empty() ? "" : more + ", ") + R"("actionables": [)" + actions + "]}";
}

std::string cached(const std::string& key, const std::string& more = "") {
  return R"("cacheable": {"cache_key": ")" + key + R"(", "duration": 10)" +
         (more.empty() ? "" : ", " + more) + "}";
}

std::string dropping(const std::string& keys) {
  return R"("cacheable": {"invalidate_cache_keys": )" + keys + "}";
}

/// Counts runs of `a` and `b`; those of `held` end by hand.
class CacheTest : public testing::Test {
 protected:
  void make(const std::string& text) {
    rig = std::make_unique<CallRig>(text);
    rig->script.runs["a"] = [this](const sub0_run& run) { ++runs, echo(run); };
    rig->script.runs["b"] = [this](const sub0_run& run) { echo(run); };
    rig->script.runs["held"] = [this](const sub0_run& run) { tickets.push_back(run.ticket); };
    rig->script.runs["failing"] = [this](const sub0_run& run) {
      ++runs;
      rig->script.fail(run.ticket, Code::kActionFailed);
    };
  }
  void echo(const sub0_run& run) {
    if (run.input_count == 0) {
      rig->script.complete(run.ticket, std::to_string(runs));
    } else {
      rig->script.host->complete(rig->script.host, run.ticket, &run.inputs[0]);
    }
  }
  void call(const std::string& payload = "{}", const std::string& id = "r") {
    rig->dispatch(rig->request(id, payload));
  }
  void complete(std::size_t index, const std::string& json) {
    rig->script.complete(tickets[index], json);
    rig->turn();
    rig->turn();
  }
  const Lines& log() const { return rig->transport.log; }

  std::unique_ptr<CallRig> rig;
  std::vector<sub0_ticket> tickets;
  int runs = 0;
};

// spec S-93: the action is not run again before its time is over
TEST_F(CacheTest, ActionRunsOnceUntilItsTimeIsOver) {
  make(resource(step(1, "a", cached("k"))));
  call(R"({"v": 1})");
  call(R"({"v": 2})");
  rig->pass(9999);
  call(R"({"v": 3})");
  rig->pass(1);
  call(R"({"v": 4})");
  EXPECT_EQ(log(), (Lines{"200 1", "200 1", "200 1", "200 4"}));
  EXPECT_EQ(runs, 2);
}

// spec S-93: the key is a template; 1 and "1" are one key, nothing is none
TEST_F(CacheTest, KeyIsATemplate) {
  make(resource(step(1, "a", cached("$PAYLOAD.k"))));
  for (const char* payload :
       {R"({"k": 1, "v": 1})", R"({"k": "1", "v": 2})", R"({"k": "2", "v": 3})", R"({"v": 4})",
        R"({"v": 5})", R"({"k": "", "v": 6})"}) {
    call(payload);
  }
  EXPECT_EQ(log(), (Lines{"200 1", "200 1", "200 3", "200 4", "200 5", "200 6"}));
}

// spec S-93: the four keys directly on the action mean the same, and `check` warns
TEST_F(CacheTest, KeysBesideTheModeMeanTheSame) {
  make(resource(step(1, "a", R"("cache_key": "k", "duration": 10)")));
  call(R"({"v": 1})");
  call(R"({"v": 2})");
  EXPECT_EQ(log(), (Lines{"200 1", "200 1"}));
  EXPECT_NE(rig->problems.toText().find("is a key of cacheable"), std::string::npos);
}

// spec S-93: errors and null are not cached
TEST_F(CacheTest, ErrorsAndNullAreNotCached) {
  make("[" + resource(step(1, "failing", cached("k"))) + "," +
       resource(step(1, "a", cached("n")), "", "n") + "," +
       resource(step(1, "a"), cached("c"), "c") + "]");
  call();
  call();
  EXPECT_EQ(runs, 2);
  for (const char* id : {"n", "c"}) {
    call("{}", id);
    call("{}", id);
    call(R"({"v": 1})", id);
  }
  EXPECT_EQ(runs, 8);
}

// spec S-93: read_from_cache false only writes
TEST_F(CacheTest, WriterOnlyWrites) {
  make("[" + resource(step(1, "a", cached("k"))) + "," +
       resource(step(1, "b", cached("k", R"("read_from_cache": false)")), "", "w") + "]");
  call(R"({"v": 1})");
  call(R"({"v": 2})", "w");
  call(R"({"v": 3})");
  call(R"({"v": 4})", "w");
  call(R"({"v": 5})");
  EXPECT_EQ(log(), (Lines{"200 1", "200 2", "200 2", "200 4", "200 4"}));
}

// spec S-93, S-23, S-85: the result before its returnables is kept, and what follows is as ever
TEST_F(CacheTest, WhatFollowsTheActionIsDoneWithItsCachedResult) {
  make(resource(
      step(1, "a", cached("k") + R"(, "returnables": ["x"], "after": {"name": "effect"})") + "," +
          step(2, "b",
               R"("no_op": true, "depends_on": [{"resource_id": "self", "action_ids": [1],
                            "extract_response_for": [{"extract": "y", "for": "y"}]}])",
               R"("$PAYLOAD.y")") +
          "," +
          step(3, "b",
               R"("depends_on": [{"resource_id": "self", "action_ids": [2],
                            "extract_response_for": [{"extract": "self_", "for": "z"}]}])",
               R"("$PAYLOAD.z")"),
      R"("combine_returned_results_from": [1, 3])"));
  rig->script.runs["effect"] = [this](const sub0_run& run) {
    rig->transport.log.push_back("effect " + json::toString(run.inputs[0]));
    rig->script.complete(run.ticket, "null");
  };
  call(R"({"v": {"x": 1, "y": {"deep": 2}}})");
  const Lines first = log();
  rig->transport.log.clear();
  call(R"({"v": {"x": 3, "y": {"deep": 4}}})");
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(first, (Lines{R"(200 {"x":1,"deep":2})", R"(effect {"x":1})"}));
  EXPECT_EQ(log(), first);
}

// spec S-93: who reads into a result may, whoever kept it: a payload passed on as text too
TEST_F(CacheTest, ResultKeptAsTextIsReadAsAValue) {
  make("[" + resource(step(1, "a", cached("k"), R"("$PAYLOAD")")) + "," +
       resource(step(1, "b", cached("k") + R"(, "returnables": ["x"])", R"("$PAYLOAD")"), "",
                "reader") +
       "]");
  call(R"({"x": 1, "secret": 2})");
  call(R"({"x": 3, "secret": 4})", "reader");
  EXPECT_EQ(log(), (Lines{R"(200 {"x":1,"secret":2})", R"(200 {"x":1})"}));
}

// spec S-93, S-23: of a resource the whole result, after its returnables
TEST_F(CacheTest, ResourceIsAnsweredWithoutItsActions) {
  make(resource(step(1, "a") + "," + step(2, "b"), cached("k") + R"(, "returnables": ["x"])"));
  call(R"({"v": {"x": 1, "y": 2}})");
  call(R"({"v": {"x": 3, "y": 4}})");
  EXPECT_EQ(log(), (Lines{R"(200 {"x":1})", R"(200 {"x":1})"}));
  EXPECT_EQ(runs, 1);
}

// spec S-10: token, cache, validation
TEST_F(CacheTest, ResourceIsLookedUpBehindTheTokenAndBeforeValidation) {
  make(resource(step(1, "a", R"("payload_validation": [{"field": {"v": {"type": "NUMBER"}}}])"),
                cached("k") +
                    R"(, "tokenize": {"type": "JWT", "encryption_key": "$ENV.KEY"},
                         "protected": {"provide_as": "x-access-token"})"));
  const std::string token = rig->token(R"({"id": 1})");
  const HeaderField header{"x-access-token", token};
  const auto send = [&](const std::string& payload, bool has_token) {
    Request request = rig->request("r", payload);
    if (has_token) request.headers = {&header, 1};
    rig->dispatch(request);
  };
  send(R"({"v": "no number"})", true);
  send(R"({"v": 1})", true);
  send(R"({"v": "no number"})", true);
  send(R"({"v": 1})", false);
  EXPECT_EQ(log(), (Lines{"400 validation_failed -", "200 1", "200 1", "401 unauthorized -"}));
}

// spec S-93: what an action and what a resource keeps are two things, and one name drops both
TEST_F(CacheTest, KeysOfActionsAndResourcesDoNotMix) {
  make("[" + resource(step(1, "a", cached("k"))) + "," +
       resource(step(1, "a"), cached("k") + R"(, "returnables": ["x"])", "whole") + "," +
       resource(step(1, "b", dropping(R"(["k"])")), "", "drop") + "]");
  call(R"({"v": {"x": 1, "secret": 2}})");
  call(R"({"v": {"x": 3, "secret": 4}})", "whole");
  call(R"({"v": 5})");
  call(R"({"v": 6})", "drop");
  call(R"({"v": 7})");
  call(R"({"v": {"x": 8}})", "whole");
  EXPECT_EQ(log(), (Lines{R"(200 {"x":1,"secret":2})", R"(200 {"x":3})",
                          R"(200 {"x":1,"secret":2})", "200 6", "200 7", R"(200 {"x":8})"}));
}

// spec S-93: concurrent misses run once, on an action
TEST_F(CacheTest, ConcurrentMissesOfAnActionRunOnce) {
  make(resource(step(1, "held", cached("k")) + "," + step(2, "b")));
  call(R"({"v": 1})");
  call(R"({"v": 2})");
  call(R"({"v": 3})");
  ASSERT_EQ(tickets.size(), 1U);
  complete(0, "9");
  EXPECT_EQ(log(), (Lines{"200 1", "200 2", "200 3"})) << "each goes on with its own payload";
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-93: and of a resource
TEST_F(CacheTest, ConcurrentMissesOfAResourceRunOnce) {
  make(resource(step(1, "held"), cached("k")));
  for (int i = 0; i < 3; ++i) call();
  ASSERT_EQ(tickets.size(), 1U);
  complete(0, R"({"x": 1})");
  EXPECT_EQ(log(), Lines(3, R"(200 {"x":1})"));
}

// spec S-93: a null is shared by those who waited for it, and then forgotten
TEST_F(CacheTest, ConcurrentMissesShareANull) {
  make("[" + resource(step(1, "held", cached("k") + R"(, "must_return_value": true)")) + "," +
       resource(step(1, "held"), cached("c"), "c") + "]");
  for (const char* id : {"r", "r", "c", "c"}) call("{}", id);
  ASSERT_EQ(tickets.size(), 2U);
  complete(0, "null");
  complete(1, "null");
  EXPECT_EQ(log(), (Lines{"500 no_value -", "500 no_value -", "200 null", "200 null"}));
}

// spec S-93: where the one that runs fails, those that waited run for themselves
TEST_F(CacheTest, WaitersOfAFailedRunRunThemselves) {
  for (const bool whole : {false, true}) {
    tickets.clear();
    make(whole ? resource(step(1, "held"), cached("k")) : resource(step(1, "held", cached("k"))));
    for (int i = 0; i < 3; ++i) call();
    rig->script.fail(tickets[0], Code::kActionFailed);
    rig->turn();
    rig->turn();
    ASSERT_EQ(tickets.size(), 3U);
    EXPECT_EQ(log(), Lines{"500 action_failed -"});
    complete(2, "3");
    complete(1, "2");
    EXPECT_EQ(log(), (Lines{"500 action_failed -", "200 3", "200 2"}));
    call();
    EXPECT_EQ(log().back(), "200 2") << "what was written last";
  }
}

// spec S-93: one that dies at its deadline hangs nobody
TEST_F(CacheTest, WaitersOfADeadRunRunThemselves) {
  make(resource(step(1, "held", cached("k"))));
  call();
  rig->pass(600);
  call();
  rig->pass(401);
  rig->turn();
  EXPECT_EQ(log(), Lines{"504 timeout -"});
  ASSERT_EQ(tickets.size(), 2U);
  complete(1, "2");
  EXPECT_EQ(log(), (Lines{"504 timeout -", "200 2"}));
  rig->script.complete(tickets[0], "1");
  rig->turn();
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-93: who waits has a deadline of its own, and may leave
TEST_F(CacheTest, WaiterHasItsOwnDeadline) {
  make(resource(step(1, "held", cached("k"))));
  call();
  rig->pass(500);
  call();
  rig->pass(501);
  rig->turn();
  ASSERT_EQ(tickets.size(), 2U) << "the second works now, with half its time over";
  rig->pass(501);
  call();
  EXPECT_EQ(log(), (Lines{"504 timeout -", "504 timeout -"}));
  rig->script.complete(tickets[1], "1");
  rig->turn();
  complete(2, "3");
  EXPECT_EQ(log().back(), "200 3");
}

// spec S-93: it may end before that of the one that runs: retries take theirs from the call
TEST_F(CacheTest, WaiterThatIsOverLeaves) {
  make("[" + resource(step(1, "b") + "," + step(2, "held", cached("k"))) + "," +
       resource(step(1, "b") + "," + step(2, "late") + "," + step(3, "held", cached("k")), "",
                "late") +
       "]");
  sub0_ticket late = 0;
  rig->script.runs["late"] = [&](const sub0_run& run) { late = run.ticket; };
  call("{}", "late");
  rig->pass(900);
  call();
  rig->script.complete(late, "1");
  rig->turn();
  rig->pass(101);
  EXPECT_EQ(log(), Lines{"504 timeout -"});
  complete(0, "1");
  EXPECT_EQ(log(), (Lines{"504 timeout -", "200 1"}));
}

// spec S-93: a client that goes is not waited for; what others wait for goes on
TEST_F(CacheTest, ClientsGoing) {
  make(resource(step(1, "held", cached("k"))));
  call();
  Request other = rig->request("r");
  other.sender.connection = 8;
  rig->dispatch(other);
  other.sender.connection = 9;
  rig->dispatch(other);
  rig->calls->abandon(9);
  rig->pass(1);
  EXPECT_EQ(log(), Lines{"503 unavailable -"});
  rig->calls->abandon(7);
  EXPECT_TRUE(rig->script.cancelled.empty());
  complete(0, "1");
  EXPECT_EQ(log(), (Lines{"503 unavailable -", "200 1", "200 1"}));
}

// spec S-93: with retries the one that runs tries again, and the others wait
TEST_F(CacheTest, WaitersWaitForRetries) {
  make(resource(step(1, "held", cached("k") + R"(, "retries": 1)")));
  call();
  call();
  rig->script.fail(tickets[0], Code::kUnavailable);
  rig->turn();
  rig->pass(60);
  ASSERT_EQ(tickets.size(), 2U);
  complete(1, "1");
  EXPECT_EQ(log(), (Lines{"200 1", "200 1"}));
}

// spec S-93: a reload keeps what is cached
TEST_F(CacheTest, ReloadKeepsResults) {
  const std::string text = resource(step(1, "a", cached("k")));
  make(text);
  call(R"({"v": 1})");
  rig->calls->setPlans(rig->compile(text));
  call(R"({"v": 2})");
  EXPECT_EQ(log(), (Lines{"200 1", "200 1"}));
}

// spec S-93, S-91: what goes on behind the reply cannot be kept, nor can a token
TEST_F(CacheTest, WhatCannotBeKeptIsRefused) {
  make(resource(step(1, "a")));
  for (const auto& text :
       {resource(step(1, "a"), cached("k") + R"(, "run_in_background": true)"),
        resource(step(1, "a", cached("k") + R"(, "run_in_background": true)")),
        resource(step(1, "a", dropping(R"(["k"])") + R"(, "run_in_background": true)")),
        resource(step(1, "a"),
                 cached("k") + R"(, "tokenize": {"type": "JWT", "encryption_key": "$ENV.KEY"})"),
        resource(step(1, "a", R"("cache_key": "k", "duration": 1, )" + cached("k")))}) {
    rig->problems = {};
    rig->compile(text, true);
    EXPECT_NE(rig->problems.toText().find("S-93"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace sub0::call::test::cache_test
