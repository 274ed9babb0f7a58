// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

// spec S-91, S-53: `run_in_background` of a resource and of an action.
namespace sub0::call::test::background_test {
namespace {

std::string step(int id, const std::string& name, const std::string& more = "") {
  return stepWith(id, name, R"("$PAYLOAD.n")", more);
}

const std::string kBehind = R"("run_in_background": true)";
const std::string kAfter = R"("after": {"name": "effect"})";

class Background : public testing::Test {
 protected:
  void make(const std::string& text) {
    rig = std::make_unique<CallRig>(text);
    for (const char* name : {"a", "b", "effect"}) {
      rig->script.runs[name] = [this, name](const sub0_run& run) {
        rig->transport.log.push_back(name);
        if (run.input_count > 0 && std::string(name) != "effect") {
          inputs.push_back(json::toString(run.inputs[0]));
        }
        tickets.push_back(run.ticket);
        if (ends) rig->script.complete(run.ticket, "7");
      };
    }
  }
  std::unique_ptr<CallRig> rig;
  Lines inputs;
  std::vector<sub0_ticket> tickets;
  bool ends = true;
};

TEST_F(Background, AResourceIsAnsweredBeforeItsActions) {
  make(resourceText(step(1, "a", kAfter) + "," + step(2, "b"), kBehind + ","));
  rig->dispatch(rig->request("r", R"({"n":5})"));
  EXPECT_EQ(rig->transport.log, (Lines{"200 null", "a", "b", "effect"}));
  EXPECT_EQ(rig->transport.messages, Lines{"Accepted"});
  EXPECT_EQ(inputs, (Lines{"5", "5"}));
  EXPECT_EQ(rig->calls->openCount(), 0u);
  EXPECT_EQ(rig->calls->counts().in_background.get(), 0u);
}

TEST_F(Background, GatesAndValidationComeFirst) {
  make(resourceText(step(1, "a", R"("payload_validation": [{"field": {"n": {"type": "NUMBER"}}}])"),
                    kBehind + ","));
  rig->dispatch(rig->request("r", R"({"n":"x"})"));
  EXPECT_EQ(rig->transport.log, Lines{"400 validation_failed -"});
  EXPECT_EQ(rig->calls->openCount(), 0u);
}

TEST_F(Background, ItGoesOnWithoutItsClientAndItsMessage) {
  make(resourceText(step(1, "a") + "," + step(2, "b"), kBehind + ","));
  ends = false;
  {
    std::string payload = R"({"n":"what the message held"})";
    const Request request = rig->request("r", payload);
    rig->dispatch(request);
    rig->calls->abandon(request.sender.connection);
  }
  EXPECT_TRUE(rig->script.cancelled.empty());
  EXPECT_EQ(rig->calls->counts().in_background.get(), 1u);
  rig->script.complete(tickets.at(0), "1");
  rig->turn();
  rig->script.complete(tickets.at(1), "2");
  rig->turn();
  EXPECT_EQ(rig->transport.log, (Lines{"200 null", "a", "b"}));
  EXPECT_EQ(inputs[1], R"("what the message held")");
  EXPECT_EQ(rig->calls->openCount(), 0u);
  EXPECT_EQ(rig->calls->counts().in_background.get(), 0u);
}

// What goes on behind the reply outlives the message, whatever the handlers promise.
TEST(BackgroundPlan, BorrowsNothingFromTheMessage) {
  for (const std::string& text :
       {resourceText(step(1, "a")), resourceText(step(1, "a"), kBehind + ","),
        resourceText(step(1, "a", kBehind)), resourceText(step(1, "a", R"("retries": 1)"))}) {
    const CallRig rig(text, true, SUB0_COMPLETES_IN_RUN);
    EXPECT_EQ(rig.plans->find("r")->borrows, text == resourceText(step(1, "a"))) << text;
  }
}

TEST_F(Background, AFailureIsNotAnsweredTwice) {
  make(resourceText(step(1, "a") + "," + step(2, "b"), kBehind + ","));
  rig->script.runs["a"] = [this](const sub0_run& run) {
    rig->script.fail(run.ticket, Code::kActionFailed);
  };
  rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log, Lines{"200 null"});
  EXPECT_EQ(rig->calls->openCount(), 0u);
  ends = false;
  make(resourceText(step(1, "a"), kBehind + ","));
  rig->dispatch(rig->request("r"));
  rig->pass(1001);  // its deadline
  EXPECT_EQ(rig->transport.log, (Lines{"200 null", "a"}));
  rig->script.complete(tickets.at(0), "1");
  rig->turn();
  EXPECT_EQ(rig->calls->openCount(), 0u);
}

TEST_F(Background, ItIsTriedAgainToo) {
  make(resourceText(step(1, "a"), kBehind + R"(, "retries": 2,)"));
  int attempts = 0;
  rig->script.runs["a"] = [&](const sub0_run& run) {
    ++attempts;
    rig->script.fail(run.ticket, Code::kBusy);
  };
  const Request request = rig->request("r");
  rig->dispatch(request);
  rig->calls->abandon(request.sender.connection);
  for (int i = 0; i < 50; ++i) rig->pass(10);
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(rig->transport.log, Lines{"200 null"});
  EXPECT_EQ(rig->calls->openCount(), 0u);
}

TEST_F(Background, ItsTransactionIsCommitted) {
  make(resourceText(step(1, "a", kAfter), kBehind + R"(, "transaction": true,)"));
  rig->script.on_commit = [this](const sub0_run& run) {
    rig->transport.log.push_back("commit");
    rig->script.complete(run.ticket, "null");
  };
  rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log, (Lines{"200 null", "a", "commit", "effect"}));
}

TEST_F(Background, NoMoreThanAThousandAtOnce) {
  make(resourceText(step(1, "a"), kBehind + ","));
  rig->script.runs["a"] = [this](const sub0_run& run) { tickets.push_back(run.ticket); };
  for (int i = 0; i < 1000; ++i) rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log, Lines(1000, "200 null"));
  rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log.back(), "503 busy -");
  rig->script.complete(tickets.at(0), "1");
  rig->turn();
  rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log.back(), "200 null");
}

TEST_F(Background, AnActionTooManyIsGivenUp) {
  make(resourceText(step(1, "a", kBehind)));
  rig->script.runs["a"] = [this](const sub0_run& run) { tickets.push_back(run.ticket); };
  for (int i = 0; i < 1001; ++i) rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log, Lines(1001, "200 null"));
  EXPECT_EQ(tickets.size(), 1000u);
  EXPECT_EQ(rig->calls->openCount(), 1000u);
}

// spec S-23: the result is that of the last action that is not in the background
TEST_F(Background, AnActionRunsBehindTheReplyWithTheInputsOfItsPlace) {
  make(resourceText(step(1, "a", kBehind + "," + kAfter) + "," + step(2, "b")));
  rig->dispatch(rig->request("r", R"({"n":5})"));
  EXPECT_EQ(rig->transport.log, (Lines{"b", "200 7", "a", "effect"}));
  EXPECT_EQ(inputs, (Lines{"5", "5"}));
  EXPECT_EQ(rig->transport.messages, Lines{""});
  EXPECT_EQ(rig->calls->counts().in_background.get(), 0u);
  make(resourceText(step(1, "a", kBehind)));
  rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log, (Lines{"200 null", "a"}));
}

// Its own effect knows what it extracted, whatever other actions have extracted since.
TEST_F(Background, ItsEffectHasTheValuesOfItsPlace) {
  const auto depends = [](int source) {
    return R"("depends_on": [{"resource_id": "self", "action_ids": [)" + std::to_string(source) +
           R"(], "extract_response_for": [{"extract": "self_", "for": "owner"}]}])";
  };
  const std::string effect = R"("after": {"name": "effect", "input": "$PAYLOAD.owner"})";
  make(resourceText(
      step(1, "a", kBehind + "," + depends(2) + "," + effect) + "," +
      step(2, "b", R"("no_op": true)") + "," +
      R"({"id": 3, "mode": "STEP", "no_op": true, "step": {"name": "c", "input": "bob"}},)" +
      step(4, "b", depends(3))));
  rig->script.runs["effect"] = [this](const sub0_run& run) {
    rig->transport.log.push_back("effect " + json::toString(run.inputs[1]));
    rig->script.complete(run.ticket, "null");
  };
  rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log.back(), "effect 7");
}

// spec S-20: what it depends on runs in the call, and its values are kept
TEST_F(Background, WhatAnActionDependsOnRunsInTheCall) {
  const std::string depends =
      R"("depends_on": [{"resource_id": "self", "action_ids": [2], "extract_response_for": [{"extract": "self_", "for": "n"}]}])";
  make(resourceText(step(1, "a", kBehind + "," + depends) + "," + step(2, "b", R"("no_op": true)") +
                    "," + step(3, "b")));
  rig->dispatch(rig->request("r", R"({"n":5})"));
  EXPECT_EQ(rig->transport.log, (Lines{"b", "b", "200 7", "a"}));
  EXPECT_EQ(inputs, (Lines{"5", "5", "7"}));
}

TEST_F(Background, EffectsOfTheCallComeBeforeIt) {
  make(resourceText(step(1, "a", kBehind) + "," + step(2, "b", kAfter)));
  ends = false;
  rig->dispatch(rig->request("r"));
  rig->script.complete(tickets.at(0), "1");
  rig->turn();
  EXPECT_EQ(rig->transport.log, (Lines{"b", "200 1", "effect"}));
  rig->script.complete(tickets.at(1), "null");
  rig->turn();
  EXPECT_EQ(rig->transport.log, (Lines{"b", "200 1", "effect", "a"}));
  rig->script.fail(tickets.at(2), Code::kInternal);
  rig->turn();
  EXPECT_EQ(rig->transport.log.size(), 4u);
  EXPECT_EQ(rig->calls->openCount(), 0u);
}

// spec S-22: what was launched before stays, unless the transaction is undone
TEST_F(Background, AFailureBehindItTakesItBackOnlyWithATransaction) {
  for (const bool is_whole : {false, true}) {
    make(resourceText(step(1, "a", kBehind) + "," + step(2, "b"),
                      is_whole ? R"("transaction": true,)" : ""));
    rig->script.runs["b"] = [this](const sub0_run& run) {
      rig->script.fail(run.ticket, Code::kActionFailed);
    };
    rig->dispatch(rig->request("r"));
    EXPECT_EQ(rig->transport.log,
              is_whole ? Lines{"500 action_failed -"} : (Lines{"500 action_failed -", "a"}));
  }
}

}  // namespace
}  // namespace sub0::call::test::background_test
