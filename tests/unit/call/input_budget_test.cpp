// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

// What calls keep of their requests counts against the budget for input until their ends.
namespace sub0::call::test {
namespace {

class InputBudget : public ::testing::Test {
 protected:
  void limitTo(std::size_t limit_bytes) {
    budget = std::make_unique<Budget>(limit_bytes);
    Options options;
    options.deadline_ms = 1000;
    options.input_budget = budget.get();
    rig.calls =
        std::make_unique<Calls>(rig.rig.loop, rig.rig.tickets, rig.transport, rig.plans, options);
    rig.rig.host.setBroadcastSink(0, rig.calls.get());
    rig.script.runs["waits"] = [this](const sub0_run& run) { waiting.push_back(run.ticket); };
  }
  void call(std::size_t payload_bytes) {
    rig.dispatch(rig.request("r", R"({"text": ")" + std::string(payload_bytes, 'x') + R"("})"));
  }
  void end(std::size_t index) {
    rig.script.complete(waiting[index], "1");
    rig.turn();
  }

  CallRig rig{R"({"id": "r", "resource": "r", "actionables": [)" +
              stepWith(1, "waits", R"("$PAYLOAD.text")") + "]}"};
  std::unique_ptr<Budget> budget;
  std::vector<sub0_ticket> waiting;
};

TEST_F(InputBudget, APayloadIsCountedUntilItsCallEnds) {
  limitTo(1'000'000);
  for (int i = 0; i < 2; ++i) {  // the second one on the memory of the first
    call(300'000);
    EXPECT_GE(budget->usedBytes(), 300'000U);
    end(static_cast<std::size_t>(i));
    EXPECT_EQ(budget->usedBytes(), 0U);
  }
  EXPECT_EQ(rig.transport.log, (std::vector<std::string>{"200 1", "200 1"}));
}

TEST_F(InputBudget, ACallWhosePayloadItDoesNotHaveIsBusy) {
  limitTo(2'000'000);  // a payload is kept as text and as values
  call(600'000);
  call(600'000);
  EXPECT_EQ(waiting.size(), 1U) << "no action of the second one was run";
  ASSERT_EQ(rig.transport.log, std::vector<std::string>{"503 busy -"});
  EXPECT_NE(rig.transport.messages[0].find("SUB0_INPUT_BUDGET_BYTES"), std::string::npos);
  end(0);
  call(600'000);
  EXPECT_EQ(waiting.size(), 2U);
  end(1);
  EXPECT_EQ(budget->usedBytes(), 0U);
}

TEST_F(InputBudget, SmallPayloadsDoNotTouchIt) {
  limitTo(1);
  call(3'000);
  EXPECT_EQ(budget->usedBytes(), 0U);
  end(0);
  EXPECT_EQ(rig.transport.log, std::vector<std::string>{"200 1"});
}

TEST_F(InputBudget, ACallThatWasGivenUpCountsUntilItsRunHasEnded) {
  limitTo(1'000'000);
  call(300'000);
  rig.pass(1'001);
  EXPECT_EQ(rig.transport.log, std::vector<std::string>{"504 timeout -"});
  EXPECT_GE(budget->usedBytes(), 300'000U) << "the plugin may still read it";
  end(0);
  EXPECT_EQ(budget->usedBytes(), 0U);
}

}  // namespace
}  // namespace sub0::call::test
