// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

// spec S-22: `transaction`, as a plugin sees it through sub0.call/1.
namespace sub0::call::test::transaction_test {
namespace {

std::string step(int id, const std::string& name, const std::string& more = "") {
  return R"({"id": )" + std::to_string(id) + R"(, "mode": "STEP", "step": {"name": ")" + name +
         R"("})" + (more.empty() ? "" : ", " + more) + "}";
}

std::string resource(const std::string& actions,
                     const std::string& more = R"("transaction": true, )") {
  return resourceText(actions, more);
}

std::string after(const std::string& name) { return R"("after": {"name": ")" + name + R"("})"; }

/// Runs `a` with an effect, then `b`; everything writes down when it came.
class Transaction : public testing::Test {
 protected:
  Transaction() {
    for (const char* name : {"a", "b", "effect"}) {
      rig.script.runs[name] = [this, name](const sub0_run& run) {
        rig.transport.log.push_back(name);
        flags.push_back(run.flags);
        calls.push_back(run.call_id);
        rig.script.complete(run.ticket, "1");
      };
    }
    rig.script.on_commit = [this](const sub0_run& run) {
      rig.transport.log.push_back("commit");
      calls.push_back(run.call_id);
      commit_ticket = run.ticket;
      if (ends_commit) rig.script.complete(run.ticket, "null");
    };
  }
  bool isOneCall() const {
    return std::all_of(calls.begin(), calls.end(),
                       [this](std::uint64_t id) { return id == calls.front(); });
  }

  CallRig rig{resource(step(1, "a", after("effect")) + "," + step(2, "b"))};
  std::vector<std::uint32_t> flags;
  std::vector<std::uint64_t> calls;
  sub0_ticket commit_ticket = 0;
  bool ends_commit = true;
};

// spec S-115: what the call earned is sent after the commit
TEST_F(Transaction, IsCommittedBeforeTheReplyAndItsEffects) {
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{"a", "b", "commit", "200 1", "effect"}));
  EXPECT_EQ(flags,
            (std::vector<std::uint32_t>{SUB0_RUN_IN_TRANSACTION, SUB0_RUN_IN_TRANSACTION, 0}));
  EXPECT_TRUE(isOneCall());
  EXPECT_TRUE(rig.script.rolled_back.empty());
  EXPECT_EQ(rig.calls->openCount(), 0u);
}

TEST_F(Transaction, TheReplyWaitsForACommitThatEndsLater) {
  ends_commit = false;
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{"a", "b", "commit"}));
  rig.script.complete(commit_ticket, "null");
  rig.turn();
  EXPECT_EQ(rig.transport.log, (Lines{"a", "b", "commit", "200 1", "effect"}));
}

TEST_F(Transaction, ACommitThatFailsFailsTheCallAndDropsItsEffects) {
  ends_commit = false;
  rig.dispatch(rig.request("r"));
  rig.script.fail(commit_ticket, Code::kActionFailed, "somebody was faster");
  rig.turn();
  EXPECT_EQ(rig.transport.log, (Lines{"a", "b", "commit", "500 action_failed -"}));
  EXPECT_EQ(rig.transport.messages, Lines{"somebody was faster"});
  EXPECT_EQ(rig.script.rolled_back, std::vector<std::uint64_t>{calls.front()});
  EXPECT_EQ(rig.calls->openCount(), 0u);
}

TEST_F(Transaction, AnActionThatFailsRollsAllBack) {
  rig.script.runs["b"] = [this](const sub0_run& run) {
    rig.script.fail(run.ticket, Code::kActionFailed);
  };
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{"a", "500 action_failed -"}));
  EXPECT_EQ(rig.script.rolled_back, std::vector<std::uint64_t>{calls.front()});
}

TEST_F(Transaction, AnActionThatIsGivenUpRollsAllBack) {
  rig.script.runs["b"] = [](const sub0_run&) {};
  rig.dispatch(rig.request("r"));
  rig.pass(1001);
  EXPECT_EQ(rig.transport.log, (Lines{"a", "504 timeout -"}));
  EXPECT_EQ(rig.script.rolled_back, std::vector<std::uint64_t>{calls.front()});
}

// Whoever waited too long for the commit is told that nobody knows; its late end changes nothing.
TEST_F(Transaction, ACommitThatIsGivenUpHasAnUnknownOutcome) {
  ends_commit = false;
  rig.dispatch(rig.request("r"));
  rig.pass(1001);
  EXPECT_EQ(rig.transport.log, (Lines{"a", "b", "commit", "504 timeout -"}));
  ASSERT_EQ(rig.transport.messages.size(), 1u);
  EXPECT_NE(rig.transport.messages[0].find("not known"), std::string::npos);
  EXPECT_EQ(rig.script.rolled_back, std::vector<std::uint64_t>{calls.front()});
  rig.script.complete(commit_ticket, "null");
  rig.turn();
  EXPECT_EQ(rig.transport.log.size(), 4u);
  EXPECT_EQ(rig.calls->openCount(), 0u);
}

TEST_F(Transaction, TheNextCallOfTheSameMemoryHasOneOfItsOwn) {
  rig.dispatch(rig.request("r"));
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, (Lines{"a", "b", "commit", "200 1", "effect",  //
                                      "a", "b", "commit", "200 1", "effect"}));
  EXPECT_FALSE(isOneCall());
}

TEST(TransactionPlan, WithoutItRunsAreOnTheirOwn) {
  CallRig rig(resource(step(1, "a") + "," + step(2, "b"), ""));
  rig.script.on_commit = [](const sub0_run&) { ADD_FAILURE(); };
  rig.script.runs["b"] = [&](const sub0_run& run) {
    EXPECT_EQ(run.flags, 0u);
    rig.script.fail(run.ticket, Code::kActionFailed);
  };
  rig.dispatch(rig.request("r"));
  EXPECT_TRUE(rig.script.rolled_back.empty());
}

// A commit may end later than the message is there, whatever its actions promise.
TEST(TransactionPlan, ItBorrowsNothingFromTheMessage) {
  for (const bool is_one : {false, true}) {
    CallRig rig(resource(step(1, "a"), is_one ? R"("transaction": true, )" : ""), true,
                SUB0_COMPLETES_IN_RUN);
    EXPECT_EQ(rig.plans->find("r")->borrows, !is_one);
  }
}

TEST(TransactionPlan, NobodyWaitsForTheOutsideInOne) {
  CallRig rig(resource(step(1, "a"), ""));
  rig.script.waits = true;
  rig.compile(resource(step(1, "a") + "," + step(2, "b")), true);
  ASSERT_EQ(rig.problems.all().size(), 2u);
  EXPECT_EQ(rig.problems.all()[1].rule, "S-22");
  EXPECT_EQ(rig.problems.all()[1].place.pointer, "/actionables/1/mode");
}

TEST(TransactionPlan, AResourceOfWhichNobodyTakesPartGetsAWarning) {
  CallRig rig(resource(step(1, "a")), true, 0, false);
  ASSERT_EQ(rig.problems.all().size(), 1u);
  EXPECT_EQ(rig.problems.all()[0].rule, "S-22");
  EXPECT_EQ(rig.problems.all()[0].place.pointer, "/transaction");
  rig.dispatch(rig.request("r"));
  EXPECT_EQ(rig.transport.log, Lines{"200 null"});
}

}  // namespace
}  // namespace sub0::call::test::transaction_test
