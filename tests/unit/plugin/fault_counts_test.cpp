// SPDX-License-Identifier: Apache-2.0
#include "plugin/fault_counts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "tests/unit/plugin/rig.hpp"

namespace sub0::plugin {
namespace {

using test::Rig;
using test::ScriptedPlugin;
using ::testing::SizeIs;

// each fault stands with its plugin and handler
TEST(FaultCounts, NamePluginAndHandlerAndCountEachFault) {
  ScriptedPlugin plugin;
  Rig rig;
  ASSERT_TRUE(rig.registry.add(&plugin.descriptor));
  ASSERT_TRUE(rig.start());
  PreparedAction* action = rig.prepared("SCRIPT");
  plugin.on_run = [&](const sub0_run& run) {
    plugin.complete(run.ticket, json::null());
    plugin.complete(run.ticket, json::null());
    plugin.complete(UINT64_MAX, json::null());
    rig.io.clock_ns += 100'000'000;
  };
  const sub0_run& run = rig.newRun(*action);
  rig.tickets.run(run);
  rig.tickets.close(run.ticket);
  plugin.on_run = [](const sub0_run&) {};
  const sub0_run& forgotten = rig.newRun(*action);
  rig.tickets.run(forgotten);
  rig.tickets.abandon(forgotten.ticket);

  std::vector<FaultCounts> counts;
  std::thread([&] { counts = rig.registry.faultCounts(); }).join();
  ASSERT_THAT(counts, SizeIs(2));
  EXPECT_EQ(counts[0].plugin, "test.scripted");
  EXPECT_EQ(counts[0].handler, "SCRIPT");
  EXPECT_EQ(counts[0].runs, 2U);
  EXPECT_EQ(counts[0].double_ends, 1U);
  EXPECT_EQ(counts[0].over_budget, 1U);
  EXPECT_EQ(counts[0].never_ended, 1U);
  EXPECT_EQ(counts[0].abandoned, 1U);
  EXPECT_EQ(counts[0].exceptions, 0U);
  EXPECT_EQ(counts[1].plugin, "test.scripted");
  EXPECT_EQ(counts[1].handler, "callbacks");
  EXPECT_EQ(counts[1].stale_ends, 1U);
}

TEST(FaultCounts, EachColumnReadsAMemberOfItsOwn) {
  FaultCounts counts;
  std::set<std::string_view> names;
  std::uint64_t next = 0;
  for (const FaultColumn& column : faultColumns()) {
    EXPECT_TRUE(names.insert(column.name).second) << column.name;
    EXPECT_FALSE(column.text.empty()) << column.name;
    EXPECT_EQ(counts.*column.member, 0U) << column.name;
    counts.*column.member = ++next;
  }
  EXPECT_EQ(counts.runs, 1U);
  EXPECT_EQ(counts.abandoned, next);
}

}  // namespace
}  // namespace sub0::plugin
