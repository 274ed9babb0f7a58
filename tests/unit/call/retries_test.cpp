// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

// spec S-90: `retries` inside the call.
namespace sub0::call::test::retries_test {
namespace {

std::string step(int id, const std::string& name, const std::string& more = "") {
  return stepWith(id, name, R"("$GENERATOR.UUID")", more);
}

const std::string kThree = R"("retries": 3)";

/// `a` fails with `code` as often as `failures` says, then succeeds.
class Retries : public testing::Test {
 protected:
  void make(const std::string& text) {
    rig = std::make_unique<CallRig>(text);
    rig->script.runs["a"] = [this](const sub0_run& run) {
      rig->transport.log.push_back("a");
      inputs.emplace_back(json::chars(run.inputs[0]));
      calls.push_back(run.call_id);
      if (failures-- > 0) {
        rig->script.fail(run.ticket, code);
      } else {
        rig->script.complete(run.ticket, "1");
      }
    };
    rig->script.runs["b"] = [this](const sub0_run& run) {
      rig->transport.log.push_back("b");
      rig->script.complete(run.ticket, "2");
    };
    rig->script.on_commit = [this](const sub0_run& run) {
      rig->transport.log.push_back("commit");
      if (commit_failures-- > 0) {
        rig->script.fail(run.ticket, code);
      } else {
        rig->script.complete(run.ticket, "null");
      }
    };
  }
  /// Through all pauses that fit into a call.
  void passAll() {
    for (int i = 0; i < 100; ++i) rig->pass(10);
  }

  std::unique_ptr<CallRig> rig;
  Code code = Code::kUnavailable;
  int failures = 0, commit_failures = 0;
  Lines inputs;
  std::vector<std::uint64_t> calls;
};

TEST_F(Retries, AnActionThatFailsForNowIsDoneAgainWithTheSameInputs) {
  for (const Code transient :
       {Code::kBusy, Code::kUnavailable, Code::kTimeout, Code::kRateLimited}) {
    code = transient;
    failures = 2;
    inputs.clear();
    make(resourceText(step(1, "a", kThree) + "," + step(2, "b")));
    rig->dispatch(rig->request("r"));
    EXPECT_EQ(rig->transport.log, Lines{"a"});  // it pauses
    EXPECT_EQ(rig->calls->openCount(), 1u);
    passAll();
    EXPECT_EQ(rig->transport.log, (Lines{"a", "a", "a", "b", "200 2"}));
    EXPECT_EQ(inputs, Lines(3, inputs[0]));
    EXPECT_EQ(rig->calls->openCount(), 0u);
  }
}

TEST_F(Retries, TheLastAttemptDecides) {
  make(resourceText(step(1, "a", R"("retries": 2)")));
  failures = 3;
  rig->dispatch(rig->request("r"));
  passAll();
  EXPECT_EQ(rig->transport.log, (Lines{"a", "a", "a", "503 unavailable -"}));
  failures = 2;
  rig->dispatch(rig->request("r"));
  passAll();
  EXPECT_EQ(rig->transport.log.back(), "200 1");
}

TEST_F(Retries, WhatWillFailAgainIsNotDoneAgain) {
  for (const Code lasting : {Code::kActionFailed, Code::kConstraint, Code::kInternal,
                             Code::kBadRequest, Code::kResultTooLarge}) {
    code = lasting;
    failures = 1;
    make(resourceText(step(1, "a", kThree)));
    rig->dispatch(rig->request("r"));
    passAll();
    EXPECT_EQ(rig->transport.log.size(), 2u) << codeInfo(lasting).name;
    failures = 0;
  }
}

TEST_F(Retries, ThereAreNoneUnlessTheyAreAskedFor) {
  failures = 1;
  make(resourceText(step(1, "a")));
  rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->transport.log, (Lines{"a", "503 unavailable -"}));
}

TEST_F(Retries, EachActionHasItsOwn) {
  make(resourceText(step(1, "a", R"("retries": 1)") + "," + step(2, "a", R"("retries": 1)")));
  int count = 0;
  rig->script.runs["a"] = [&](const sub0_run& run) {
    if (++count % 2 == 1) {
      rig->script.fail(run.ticket, code);
    } else {
      rig->script.complete(run.ticket, "3");
    }
  };
  rig->dispatch(rig->request("r"));
  passAll();
  EXPECT_EQ(count, 4);
  EXPECT_EQ(rig->transport.log, Lines{"200 3"});
}

TEST_F(Retries, ThoseOfTheResourceAreEachActionsUnlessItSaysItsOwn) {
  make(resourceText(step(1, "a") + "," + step(2, "b", R"("retries": 0)"), kThree + ","));
  failures = 1;
  rig->script.runs["b"] = [this](const sub0_run& run) { rig->script.fail(run.ticket, code); };
  rig->dispatch(rig->request("r"));
  passAll();
  EXPECT_EQ(rig->transport.log, (Lines{"a", "a", "503 unavailable -"}));
}

TEST_F(Retries, PausesGrowAndEndWithTheDeadline) {
  make(resourceText(step(1, "a", R"("retries": 10)")));
  failures = 100;
  rig->dispatch(rig->request("r"));
  rig->pass(24);
  EXPECT_EQ(rig->transport.log.size(), 1u);  // the first pause: from 25 to 50 ms
  rig->pass(27);
  EXPECT_EQ(rig->transport.log.size(), 2u);
  rig->pass(48);
  EXPECT_EQ(rig->transport.log.size(), 2u);  // the second: from 50 to 100 ms
  rig->pass(53);
  EXPECT_EQ(rig->transport.log.size(), 3u);
  passAll();
  // At most 25 + 50 + 100 + 200 + 400 ms fit into a second, and not one more.
  EXPECT_LE(rig->transport.log.size(), 7u);
  EXPECT_EQ(rig->transport.log.back(), "503 unavailable -");
}

TEST_F(Retries, ACallWhoseClientHasGoneIsNotDoneAgain) {
  make(resourceText(step(1, "a", kThree)));
  failures = 2;
  const Request request = rig->request("r");
  rig->dispatch(request);
  rig->calls->abandon(request.sender.connection);
  rig->pass(1);
  EXPECT_EQ(rig->transport.log, (Lines{"a", "503 unavailable -"}));
  EXPECT_EQ(rig->calls->openCount(), 0u);
}

TEST_F(Retries, WhatEndsLaterIsDoneAgainToo) {
  make(resourceText(step(1, "a", kThree)));
  std::vector<sub0_ticket> tickets;
  rig->script.runs["a"] = [&](const sub0_run& run) { tickets.push_back(run.ticket); };
  rig->dispatch(rig->request("r"));
  rig->script.fail(tickets.at(0), Code::kBusy);
  rig->turn();
  rig->pass(60);
  ASSERT_EQ(tickets.size(), 2u);
  rig->script.complete(tickets.at(0), "1");  // late: it is nobody's
  rig->turn();
  EXPECT_TRUE(rig->transport.log.empty());
  rig->script.complete(tickets.at(1), "4");
  rig->turn();
  EXPECT_EQ(rig->transport.log, Lines{"200 4"});
}

TEST_F(Retries, WhatAFailedAttemptBroadcastIsNotSent) {
  make(resourceText(step(1, "b") + "," + step(2, "a", kThree)));
  rig->script.runs["b"] = [this](const sub0_run& run) {
    rig->script.broadcast(run.ticket, SUB0_TO_ALL, "before", nullptr);
    rig->script.complete(run.ticket, "1");
  };
  int count = 0;
  rig->script.runs["a"] = [&](const sub0_run& run) {
    rig->script.broadcast(run.ticket, SUB0_TO_ALL, "attempt " + std::to_string(++count), nullptr);
    if (count < 3) {
      rig->script.fail(run.ticket, Code::kBusy);
    } else {
      rig->script.complete(run.ticket, "2");
    }
  };
  rig->dispatch(rig->request("r"));
  passAll();
  ASSERT_EQ(rig->transport.log.size(), 3u);
  EXPECT_EQ(rig->transport.log[0], "200 2");
  EXPECT_NE(rig->transport.log[1].find("before"), std::string::npos);
  EXPECT_NE(rig->transport.log[2].find("attempt 3"), std::string::npos);
}

// spec S-22: the database has undone all, so all is done again, as a transaction of its own
TEST_F(Retries, ATransactionIsDoneAgainAsAWhole) {
  make(resourceText(step(1, "b") + "," + step(2, "a"), R"("transaction": true, "retries": 1, )"));
  failures = 1;
  rig->dispatch(rig->request("r"));
  EXPECT_EQ(rig->script.rolled_back, std::vector<std::uint64_t>{calls.at(0)});
  passAll();
  EXPECT_EQ(rig->transport.log, (Lines{"b", "a", "b", "a", "commit", "200 1"}));
  EXPECT_NE(calls.at(0), calls.at(1));
  EXPECT_EQ(rig->script.rolled_back.size(), 1u);
}

TEST_F(Retries, ACommitThatGaveWayIsDoneAgain) {
  make(resourceText(step(1, "a"), R"("transaction": true, "retries": 1, )"));
  code = Code::kBusy;
  commit_failures = 1;
  rig->dispatch(rig->request("r"));
  passAll();
  EXPECT_EQ(rig->transport.log, (Lines{"a", "commit", "a", "commit", "200 1"}));
}

TEST_F(Retries, ACommitOfWhichNobodyKnowsIsNot) {
  make(resourceText(step(1, "a"), R"("transaction": true, "retries": 1, )"));
  code = Code::kUnavailable;
  commit_failures = 1;
  rig->dispatch(rig->request("r"));
  passAll();
  EXPECT_EQ(rig->transport.log, (Lines{"a", "commit", "503 unavailable -"}));
}

}  // namespace
}  // namespace sub0::call::test::retries_test
