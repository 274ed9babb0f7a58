// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "base/log.hpp"
#include "tests/unit/call/call_rig.hpp"

// spec S-20: `parallel`.
namespace sub0::call::test::parallel_test {
namespace {

std::string step(int id, const std::string& name, const std::string& more = "") {
  return R"({"id": )" + std::to_string(id) + R"(, "mode": "STEP", )" +
         (more.empty() ? "" : more + ", ") + R"("step": {"name": ")" + name +
         R"(", "input": "$PAYLOAD.v"}})";
}

std::string needs(const std::string& ids, const std::string& extract = "") {
  return R"("depends_on": [{"resource_id": "self", "action_ids": [)" + ids + "]" +
         (extract.empty()
              ? ""
              : R"(, "extract_response_for": [{"extract": ")" + extract + R"(", "for": "v"}])") +
         "}]";
}

std::string resource(const std::string& actions, const std::string& more = "",
                     const std::string& id = "r") {
  return R"({"id": ")" + id + R"(", "resource": "route-)" + id + R"(", "parallel": true, )" +
         (more.empty() ? "" : more + ", ") + R"("actionables": [)" + actions + "]}";
}

const std::string kAfter = R"("after": {"name": "effect"})";

/// Runs of a, b, c, d wait until they are ended by hand; those of `now` and effects end at once.
class Parallel : public testing::Test {
 protected:
  void make(const std::string& resources) {
    rig = std::make_unique<CallRig>(resources);
    for (const char* name : {"a", "b", "c", "d"}) {
      rig->script.runs[name] = [this, name](const sub0_run& run) {
        begun += name;
        inputs[name] = json::toString(run.inputs[0]);
        tickets[name].push_back(run.ticket);
      };
    }
    rig->script.runs["effect"] = [this](const sub0_run& run) {
      rig->transport.log.push_back("effect " + json::toString(run.inputs[0]));
      rig->script.complete(run.ticket, "null");
    };
  }
  void call(const std::string& id = "r") {
    Request request = rig->request(id, R"({"v": 0})");
    request.sender.connection = next_connection++;
    rig->dispatch(request);
  }
  void end(const std::string& name, const std::string& json, std::size_t index = 0) {
    rig->script.complete(tickets.at(name).at(index), json);
    rig->turn();
  }
  void failRun(const std::string& name, std::size_t index = 0) {
    rig->script.fail(tickets.at(name).at(index), Code::kActionFailed);
    rig->turn();
  }
  const Lines& log() const { return rig->transport.log; }

  std::unique_ptr<CallRig> rig;
  std::string begun;
  std::map<std::string, std::string> inputs;
  std::map<std::string, std::vector<sub0_ticket>> tickets;
  std::uint64_t next_connection = 7;
};

// spec S-20, S-23, S-115: results and broadcasts are in the order of the array, whoever ends first
TEST_F(Parallel, WhatNeedsNothingOfEachOtherRunsSideBySide) {
  make(resource(step(1, "a", kAfter) + "," + step(2, "b", kAfter) + "," + step(3, "c", kAfter),
                R"("combine_returned_results_from": [1, 2, 3])"));
  call();
  EXPECT_EQ(begun, "abc");
  end("c", R"({"x": 3, "c": 3})");
  end("a", R"({"x": 1, "a": 1})");
  EXPECT_TRUE(log().empty());
  end("b", R"({"x": 2, "b": 2})");
  EXPECT_EQ(log(), (Lines{R"(200 {"x":3,"a":1,"b":2,"c":3})", R"(effect {"x":1,"a":1})",
                          R"(effect {"x":2,"b":2})", R"(effect {"x":3,"c":3})"}));
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-20: an action begins once all that it depends on has ended, whatever else is under way
TEST_F(Parallel, DependentBeginsBehindWhatItNeeds) {
  make(resource(step(1, "d", needs("2", "x")) + "," + step(2, "c", needs("3, 4", "y")) + "," +
                step(3, "a") + "," + step(4, "now") + "," + step(5, "b")));
  call();
  EXPECT_EQ(begun, "ab");
  end("a", R"({"y": 5})");
  EXPECT_EQ(begun, "abc");
  EXPECT_EQ(inputs["c"], "5");
  end("c", R"({"x": 6})");
  EXPECT_EQ(begun, "abcd");
  EXPECT_EQ(inputs["d"], "6");
  EXPECT_EQ(inputs["b"], "0") << "names of one action are none of another's";
  end("d", "7");
  EXPECT_TRUE(log().empty());
  end("b", "8");
  EXPECT_EQ(log(), Lines{"200 8"}) << "the last of the array, not of the clock";
}

// spec S-20, S-22: the first failure in time ends the call; what is under way is cancelled, and
// what ends later changes nothing
TEST_F(Parallel, FirstFailureEndsTheCall) {
  make(resource(step(1, "a", kAfter) + "," + step(2, "b", kAfter) + "," + step(3, "c", kAfter) +
                "," + step(4, "d", needs("1"))));
  call();
  end("c", "3");
  failRun("b");
  EXPECT_EQ(log(), (Lines{"500 action_failed -", "effect 3"})) << "what was earned is sent";
  EXPECT_EQ(rig->script.cancelled, tickets["a"]);
  EXPECT_EQ(rig->calls->openCount(), 1U) << "its inputs are in use";
  end("a", "1");
  EXPECT_EQ(rig->calls->openCount(), 0U);
  EXPECT_EQ(begun, "abc");
  EXPECT_EQ(log().size(), 2U);
}

TEST_F(Parallel, FailureWithinTheBeginningLeavesTheRestUnbegun) {
  make(resource(step(1, "a") + "," + step(2, "refused") + "," + step(3, "c")));
  rig->script.runs["refused"] = [this](const sub0_run& run) {
    rig->script.fail(run.ticket, Code::kConstraint);
  };
  call();
  EXPECT_EQ(log(), Lines{"500 constraint -"});
  EXPECT_EQ(begun, "a");
  end("a", "1");
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-25: no row ends the call
TEST_F(Parallel, MissingValueEndsTheCall) {
  make(resource(step(1, "a") + "," + step(2, "b", R"("must_return_value": true)")));
  call();
  end("b", "null");
  EXPECT_EQ(log(), Lines{"500 no_value -"});
  EXPECT_EQ(rig->script.cancelled, tickets["a"]);
  end("a", "1");
}

// spec S-87: down the chain nothing runs; the rest does
TEST_F(Parallel, ChainBehindNoRowIsSkipped) {
  make(resource(step(1, "a") + "," + step(2, "b", needs("1", "x")) + "," +
                step(3, "c", needs("2", "x")) + "," + step(4, "d")));
  call();
  EXPECT_EQ(begun, "ad");
  end("a", "null");
  end("d", "4");
  EXPECT_EQ(begun, "ad");
  EXPECT_EQ(log(), Lines{"200 4"});
}

// spec S-10: the validation of a no_op comes before anything runs
TEST_F(Parallel, NothingRunsWhereTheValidationOfANoOpFails) {
  make(resource(step(1, "a") + "," + step(2, "b", R"("no_op": true, "payload_validation":
                                [{"field": {"w": {"type": "NUMBER"}}}])") +
                "," + step(3, "c", needs("2"))));
  call();
  EXPECT_EQ(log(), Lines{"400 validation_failed -"});
  EXPECT_EQ(begun, "");
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-52: one deadline for all
TEST_F(Parallel, DeadlineEndsAllThatIsUnderWay) {
  make(resource(step(1, "a") + "," + step(2, "b") + "," + step(3, "c", needs("1"))));
  call();
  rig->pass(600);
  end("a", "1");
  EXPECT_EQ(begun, "abc");
  rig->pass(401);
  EXPECT_EQ(log(), Lines{"504 timeout -"});
  EXPECT_EQ(rig->script.cancelled.size(), 2U);
  end("b", "2");
  EXPECT_EQ(rig->calls->openCount(), 1U);
  end("c", "3");
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

TEST_F(Parallel, ClientThatGoesCancelsAll) {
  make(resource(step(1, "a") + "," + step(2, "b")));
  call();
  rig->calls->abandon(7);
  EXPECT_EQ(rig->script.cancelled.size(), 2U);
  end("a", "1");
  end("b", "2");
  EXPECT_EQ(log(), Lines{"200 2"});
}

// Q-87: what begins after the client has gone, what waits for another call, and what comes behind
// the reply: whenever it goes, in the end nothing is left
TEST_F(Parallel, ClientThatGoesLeavesNothingBehind) {
  const std::string of_b = R"("cacheable": {"cache_key": "b", "duration": 10})";
  make("[" +
       resource(step(1, "a", kAfter) + "," + step(2, "b", of_b) + "," +
                step(3, "c", needs("1", "self_"))) +
       "," + resource(step(1, "b", of_b), "", "s") + "]");
  rig->script.runs["effect"] = [this](const sub0_run& run) {
    tickets["effect"].push_back(run.ticket);
  };
  call("s");
  call("r");
  rig->calls->abandon(8);
  EXPECT_EQ(rig->script.cancelled, tickets["a"]);
  end("a", "1");
  EXPECT_EQ(begun, "bac");
  rig->calls->abandon(8);
  EXPECT_EQ(rig->script.cancelled, (std::vector{tickets["a"][0], tickets["c"][0]}));
  end("c", "3");
  EXPECT_EQ(rig->calls->openCount(), 2U);
  end("b", "2");
  rig->turn();
  EXPECT_EQ(log(), (Lines{"200 2", "200 3"}));
  EXPECT_EQ(rig->calls->openCount(), 1U) << "the effect is under way";
  rig->calls->abandon(8);
  EXPECT_EQ(rig->script.cancelled.back(), tickets["effect"].at(0));
  end("effect", "null");
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-93: others wait for the whole result of a call whose client goes
TEST_F(Parallel, ClientThatGoesCancelsNothingThatOthersWaitFor) {
  make(resource(step(1, "a") + "," + step(2, "b"),
                R"("cacheable": {"cache_key": "k", "duration": 10})"));
  call();
  call();
  rig->calls->abandon(7);
  EXPECT_TRUE(rig->script.cancelled.empty());
  end("a", "1");
  end("b", "2");
  rig->turn();
  EXPECT_EQ(begun, "ab");
  EXPECT_EQ(log(), (Lines{"200 2", "200 2"}));
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-115: messages of runs too are in the order of the array, whenever they were sent
TEST_F(Parallel, MessagesOfRunsAreInTheOrderOfTheArray) {
  make(resource(step(1, "a") + "," + step(2, "now") + "," + step(3, "b")));
  rig->script.runs["now"] = [this](const sub0_run& run) {
    rig->script.broadcast(run.ticket, SUB0_TO_ALL, "second", nullptr);
    rig->script.complete(run.ticket, "1");
  };
  call();
  rig->rig.loop.post([this] {
    rig->script.broadcast(tickets["b"][0], SUB0_TO_ALL, "third", nullptr);
    rig->script.broadcast(tickets["a"][0], SUB0_TO_ALL, "first", nullptr);
  });
  rig->turn();
  end("b", "3");
  end("a", "1");
  EXPECT_EQ(log(), (Lines{"200 3", "broadcast first to all", "broadcast second to all",
                          "broadcast third to all"}));
}

// spec S-91: what runs in the background begins behind the reply, its own turn notwithstanding
TEST_F(Parallel, BackgroundComesBehindTheReply) {
  make(resource(step(1, "a", R"("run_in_background": true)") + "," + step(2, "b")));
  call();
  EXPECT_EQ(begun, "b");
  end("b", "2");
  EXPECT_EQ(begun, "ba");
  EXPECT_EQ(log(), Lines{"200 2"});
  end("a", "1");
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

TEST_F(Parallel, RunsThatEndAtOnceNeedNoTurn) {
  make(resource(step(1, "now") + "," + step(2, "now", needs("1")) + "," + step(3, "now")));
  for (int i = 0; i < 3; ++i) call();
  EXPECT_EQ(log(), Lines(3, "200 0"));
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-93: each of them waits for what another call works out, and works out what others want
TEST_F(Parallel, CachedActionsOfTwoCallsMeet) {
  const std::string of_a = R"("cacheable": {"cache_key": "a", "duration": 10})";
  const std::string of_b = R"("cacheable": {"cache_key": "b", "duration": 10})";
  const std::string combined = R"("combine_returned_results_from": [1, 2])";
  make("[" + resource(step(1, "a", of_a) + "," + step(2, "c"), combined) + "," +
       resource(step(1, "b", of_b) + "," + step(2, "a", of_a), combined, "s") + "]");
  call("r");
  call("s");
  call("s");
  EXPECT_EQ(begun, "acb");
  end("a", R"({"a": 1})");
  rig->turn();
  end("b", R"({"b": 2})");
  rig->turn();
  EXPECT_EQ(log(), Lines(2, R"(200 {"b":2,"a":1})"));
  end("c", R"({"c": 3})");
  EXPECT_EQ(log().back(), R"(200 {"a":1,"c":3})");
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-93: who leads fails because of another action: those that waited run for themselves
TEST_F(Parallel, FailureElsewhereHangsNobody) {
  const std::string of_a = R"("cacheable": {"cache_key": "a", "duration": 10})";
  make("[" + resource(step(1, "a", of_a) + "," + step(2, "b")) + "," +
       resource(step(1, "a", of_a), "", "s") + "]");
  call("r");
  call("s");
  call("s");
  rig->calls->abandon(8);
  failRun("b");
  rig->turn();
  EXPECT_EQ(begun, "abaa");
  end("a", "1", 1);
  end("a", "2", 2);
  end("a", "3", 0);
  EXPECT_EQ(log(), (Lines{"500 action_failed -", "200 1", "200 2"}));
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-93: a waiting action ends with its call
TEST_F(Parallel, WaitForTheCacheEndsWithTheCall) {
  const std::string of_a = R"("cacheable": {"cache_key": "a", "duration": 10})";
  make("[" + resource(step(1, "a", of_a), "", "s") + "," +
       resource(step(1, "a", of_a) + "," + step(2, "b")) + "]");
  call("s");
  call("r");
  failRun("b");
  EXPECT_EQ(log(), Lines{"500 action_failed -"});
  EXPECT_EQ(rig->calls->openCount(), 1U);
  call("r");
  rig->pass(1001);
  EXPECT_EQ(log(), (Lines{"500 action_failed -", "504 timeout -", "504 timeout -"}));
  end("a", "1");
  end("b", "2", 1);
  EXPECT_EQ(rig->calls->openCount(), 0U);
}

// spec S-93: keys are dropped behind the action that names them, not behind another one
TEST_F(Parallel, KeysAreDroppedBehindTheirOwnAction) {
  make(resource(step(1, "a", R"("cacheable": {"invalidate_cache_keys": "k"})") + "," +
                step(2, "b", R"("cacheable": {"invalidate_cache_keys": "other"})")));
  const auto put = [this] {
    rig->cache.put("ak", store::CachedValue::make(json::integer(1)), 1'000'000'000'000,
                   rig->cache.mark("ak"));
  };
  const auto isThere = [this] { return rig->cache.look("ak", 0) != nullptr; };
  put();
  call();
  end("b", "2");
  EXPECT_TRUE(isThere());
  end("a", "1");
  EXPECT_FALSE(isThere());
  put();
  call();
  failRun("b", 1);
  EXPECT_FALSE(isThere()) << "it may have been done all the same";
  end("a", "1", 1);
}

// spec S-93: who waited for a whole result and runs for itself runs side by side
TEST_F(Parallel, ResourceOfTheCacheRunsSideBySide) {
  make(resource(step(1, "a") + "," + step(2, "b"),
                R"("cacheable": {"cache_key": "k", "duration": 10})"));
  call();
  call();
  EXPECT_EQ(begun, "ab");
  failRun("b");
  rig->turn();
  EXPECT_EQ(begun, "abab");
  end("a", "1", 0);
  end("b", "2", 1);
  end("a", "1", 1);
  call();
  EXPECT_EQ(log(), (Lines{"500 action_failed -", "200 2", "200 2"}));
}

// spec S-20, S-22: a transaction is of one connection
TEST_F(Parallel, TransactionRunsOneAfterAnother) {
  make(resource(step(1, "a") + "," + step(2, "b"), R"("transaction": true)"));
  EXPECT_NE(rig->problems.toText().find("parallel does nothing beside transaction"),
            std::string::npos);
  call();
  EXPECT_EQ(begun, "a");
  end("a", "1");
  EXPECT_EQ(begun, "ab");
  end("b", "2");
  EXPECT_EQ(log(), Lines{"200 2"});
}

// spec S-20: the trace tells of each in one piece, in the order in which they ended
TEST_F(Parallel, TraceTellsOfEachInOnePiece) {
  static std::string written;
  written.clear();
  make(resource(step(1, "a") + "," + step(2, "now") + "," + step(3, "b") + "," + step(4, "c")));
  Options options;
  options.deadline_ms = 1000;
  options.trace = true;
  rig->calls =
      std::make_unique<Calls>(rig->rig.loop, rig->rig.tickets, rig->transport, rig->plans, options);
  log::configure(log::Format::kJson, log::Level::kInfo);
  log::setSink([](std::string_view line) { written.append(line); });
  call();
  rig->rig.io.clock_ns += 2'000'000;
  end("b", "3");
  rig->rig.io.clock_ns += 3'000'000;
  end("a", "1");
  rig->pass(1000);
  log::setSink(nullptr);
  log::configure(log::Format::kText, log::Level::kInfo);
  const auto entry = [](int id, const std::string& code, int us, const std::string& rows = "") {
    return R"({"id":)" + std::to_string(id) +
           R"(,"mode":"STEP","plugin":"test.script","types":["integer"],"code":")" + code +
           R"(","duration_us":)" + std::to_string(us) + rows + "}";
  };
  EXPECT_NE(written.find("[" + entry(2, "ok", 0) + "," + entry(3, "ok", 2000) + "," +
                         entry(1, "ok", 5000) + "," + entry(4, "timeout", 1'005'000) + "]"),
            std::string::npos)
      << written;
  end("c", "4");
}

// spec S-40
TEST_F(Parallel, RetriesAreRefused) {
  make(resource(step(1, "a")));
  for (const auto& text :
       {resource(step(1, "a", R"("retries": 1)")), resource(step(1, "a"), R"("retries": 1)")}) {
    rig->problems = {};
    rig->compile(text, true);
    EXPECT_NE(rig->problems.toText().find("parallel together with retries"), std::string::npos);
  }
}

}  // namespace
}  // namespace sub0::call::test::parallel_test
