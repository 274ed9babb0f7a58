// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/call/call_rig.hpp"

// Q-95: what lasts for a while is measured by the monotonic clock. What depends on the time of day
// (tokens, $DATETIME) follows the wall clock, see tokens_in_time_test.cpp.
namespace sub0::call::test {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

TEST(Clock, StepsOfTheWallClockMoveNoDeadline) {
  for (const std::int64_t step_ms : {-kHourMs, kHourMs}) {
    CallRig rig(R"({"id": "r", "resource": "r", "actionables": [
      {"id": 1, "mode": "STEP", "step": {"name": "slow"}}]})");
    rig.rig.io.wall_ms = 10 * kHourMs;
    std::vector<sub0_run> runs;
    rig.script.runs["slow"] = [&](const sub0_run& run) { runs.push_back(run); };
    const std::int64_t started_ns = rig.rig.io.clock_ns;
    rig.dispatch(rig.request("r"));
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0].deadline_ns, static_cast<std::uint64_t>(started_ns + 1'000'000'000));
    rig.rig.io.wall_ms += step_ms;
    rig.pass(999);
    EXPECT_TRUE(rig.transport.log.empty());
    rig.pass(2);
    EXPECT_EQ(rig.transport.log, std::vector<std::string>{"504 timeout -"});
    rig.script.complete(runs[0].ticket, "1");
    rig.turn();
    EXPECT_EQ(rig.calls->openCount(), 0u);
  }
}

}  // namespace
}  // namespace sub0::call::test
