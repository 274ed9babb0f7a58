// SPDX-License-Identifier: Apache-2.0
// Each bad plugin that loads, and exactly what becomes of its runs and callbacks.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "base/text.hpp"
#include "plugin/watchdog.hpp"
#include "tests/bad-plugins/bad_plugins_rig.hpp"
#include "tests/bad-plugins/bad_results.h"
#include "tests/bad-plugins/ends_late.h"
#include "tests/bad-plugins/forges_tickets.h"

namespace sub0::plugin {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

//
TEST_F(BadRuns, ThrowInPrepareIsAnErrorOfThatPlugin) {
  put("throws_in_prepare");
  put("good");
  load(rig_.registry);
  ASSERT_TRUE(rig_.start());
  EXPECT_EQ(rig_.prepared("THROWS_IN_PREPARE"), nullptr);
  ASSERT_THAT(rig_.problems, SizeIs(1));
  EXPECT_THAT(rig_.problems[0].message,
              HasSubstr("internal fault in plugin test.throws-in-prepare"));
  EXPECT_THAT(logged, AllOf(HasSubstr("boom in prepare"), HasSubstr("THROWS_IN_PREPARE")));
  EXPECT_NE(rig_.prepared("GOOD"), nullptr);
}

//
TEST_F(BadRuns, ThrowInRunFailsTheRunAsInternal) {
  const sub0_run& run = runOnce("throws_in_run", "THROWS_IN_RUN", RunState::kSettled);
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).code, Code::kInternal);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
  EXPECT_EQ(counters().exceptions.load(), 1U);
  EXPECT_THAT(logged, AllOf(HasSubstr("test.throws-in-run"), HasSubstr("THROWS_IN_RUN"),
                            HasSubstr("test-resource")));
}

//
TEST_F(BadRuns, RunThatNobodyEndsIsGivenUpAndCounted) {
  const sub0_run& run = runOnce("never_ends", "NEVER", RunState::kPending);
  rig_.loop.turn(0);
  EXPECT_FALSE(rig_.tickets.isSettled(run.ticket));
  EXPECT_FALSE(rig_.tickets.abandon(run.ticket));  // its inputs must live on
  EXPECT_EQ(counters().never_ended.load(), 1U);
  EXPECT_EQ(counters().abandoned.load(), 1);
  EXPECT_THAT(logged, HasSubstr("test.never-ends"));
}

//
TEST_F(BadRuns, SecondEndIsStaleAndTheFirstCounts) {
  const sub0_run& run = runOnce("ends_twice", "TWICE", RunState::kSettled);
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).value.as.i, 1);
  EXPECT_EQ(counters().double_ends.load(), 1U);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
}

//
TEST_F(BadRuns, EndFromAThreadComesByTheMailbox) {
  const sub0_run& run = runOnce("ends_late", "LATE", RunState::kPending);
  const auto* late =
      static_cast<const ends_late*>(rig_.registry.extension(ENDS_LATE_EXTENSION).table);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->end_from_thread(), SUB0_OK);
  EXPECT_THAT(rig_.owner.settled, IsEmpty());
  rig_.loop.turn(0);
  ASSERT_THAT(rig_.owner.settled, SizeIs(1));
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).value.as.i, 7);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
}

//
TEST_F(BadRuns, EndAfterTheDeadlineIsStaleAndFreesTheRun) {
  const sub0_run& run = runOnce("ends_late", "LATE", RunState::kPending);
  EXPECT_FALSE(rig_.tickets.abandon(run.ticket));
  const auto* late =
      static_cast<const ends_late*>(rig_.registry.extension(ENDS_LATE_EXTENSION).table);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->end_from_thread(), SUB0_STALE_TICKET);
  rig_.loop.turn(0);
  EXPECT_THAT(rig_.owner.settled, IsEmpty());
  EXPECT_EQ(rig_.owner.freed, std::vector<sub0_ticket>{run.ticket});
  EXPECT_EQ(counters().late_ends.load(), 1U);
  EXPECT_EQ(counters().abandoned.load(), 0);
  EXPECT_EQ(late->end_from_thread(), SUB0_STALE_TICKET);
  EXPECT_EQ(rig_.tickets.openCount(), 0U);
}

//
TEST_F(BadRuns, BrokenPromiseToEndInRunFailsTheRun) {
  const sub0_run& run = runOnce("breaks_promise", "PROMISE", RunState::kSettled);
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).code, Code::kInternal);
  EXPECT_EQ(counters().broken_promises.load(), 1U);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
}

//
TEST_F(BadRuns, CreateThatFailsHalfwayIsDestroyed) {
  put("create_fails");
  load(rig_.registry);
  EXPECT_FALSE(rig_.start());
  EXPECT_TRUE(rig_.registry.hasErrors());
  EXPECT_THAT(rig_.registry.problems().back().message,
              HasSubstr("test.create-fails could not be created: no disk [unavailable"));
  EXPECT_THAT(logged, AllOf(Not(HasSubstr("no disk")), HasSubstr("destroyed")));  // told once
}

//
TEST_F(BadRuns, ThrowInCreateOrStartIsTheReasonOfTheReport) {
  put("throws_in_create");
  load(rig_.registry);
  EXPECT_FALSE(rig_.start());
  EXPECT_THAT(
      rig_.registry.problems().back().message,
      HasSubstr("test.throws-in-create could not be created: create threw: boom in create"));
  EXPECT_THAT(logged, Not(HasSubstr("boom")));  // told once

  test::Rig other;
  put("throws_in_start");
  other.registry.loadFile(folder_ + "/throws_in_start.so", {folder_, true});
  EXPECT_FALSE(other.start());
  EXPECT_THAT(other.registry.problems().back().message,
              HasSubstr("test.throws-in-start could not be started: start threw: boom in start"));
}

//
TEST_F(BadRuns, ThrowInAnyCallbackIsCaughtCountedAndNamed) {
  put("throws_in_callbacks");
  put("good");
  load(rig_.registry);
  ASSERT_TRUE(rig_.start());
  rig_.io.clock_ns += 10'000'000;  // the timer's
  rig_.loop.turn(0);
  Handler& handler = *rig_.registry.findMode("THROWS");
  PreparedAction& action = *rig_.prepared("THROWS");
  sub0_run& cancelled = rig_.newRun(action);
  EXPECT_EQ(rig_.tickets.run(cancelled), RunState::kPending);
  rig_.tickets.cancel(cancelled.ticket);
  sub0_run& run = rig_.newRun(action);
  ASSERT_EQ(rig_.tickets.run(run), RunState::kSettled);
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).code, Code::kOk);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
  EXPECT_EQ(handler.counters.exceptions.load(), 2U);  // cancel, release of a result
  action.release();
  EXPECT_EQ(handler.counters.exceptions.load(), 3U);
  EXPECT_EQ(rig_.registry.extension("test.none/1").table, nullptr);

  sub0_run& good = rig_.newRun(*rig_.prepared("GOOD"));  // the others go on
  EXPECT_EQ(rig_.tickets.run(good), RunState::kSettled);
  EXPECT_TRUE(rig_.tickets.close(good.ticket));

  rig_.pool.reset();  // its work has been done
  rig_.registry.stopAll(0);
  rig_.loop.post([&] { rig_.host.stopLoop(0, rig_.registry); });
  rig_.loop.turn(0);
  rig_.registry.destroyAll();
  for (const char* place :
       {"loop_start", "timer", "post", "end_of_turn", "pool", "cancel", "release of a result",
        "release", "extension", "stop", "loop_stop", "destroy"}) {
    EXPECT_THAT(logged, HasSubstr("threw: boom in " + std::string(place))) << place;
  }
  for (const FaultCounts& counts : rig_.registry.faultCounts()) {
    if (counts.plugin != "test.throws-in-callbacks") continue;
    EXPECT_EQ(counts.exceptions, counts.handler == "callbacks" ? 10U : 3U) << counts.handler;
  }
}

//
TEST_F(BadRuns, ResultsThatAreNoneFailTheirRunsAndAreGivenBack) {
  const sub0_run* run = &runOnce("bad_results", "BAD_RESULTS", RunState::kSettled);
  const auto* table =
      static_cast<const bad_results*>(rig_.registry.extension(BAD_RESULTS_EXTENSION).table);
  ASSERT_NE(table, nullptr);
  int faults = 0;
  while (table->next >= 0) {
    ++faults;
    EXPECT_EQ(table->status, SUB0_INVALID_ARGUMENT) << table->next;
    EXPECT_EQ(rig_.tickets.outcome(run->ticket).code, Code::kInternal) << table->next;
    EXPECT_TRUE(rig_.tickets.close(run->ticket));
    run = &rig_.newRun(rig_.actions.back());
    ASSERT_EQ(rig_.tickets.run(*run), RunState::kSettled);
  }
  EXPECT_EQ(faults, 19);
  EXPECT_EQ(rig_.tickets.outcome(run->ticket).code, Code::kOk);  // the last one is fine
  EXPECT_TRUE(rig_.tickets.close(run->ticket));
  EXPECT_EQ(counters().bad_results.load(), 19U);
  EXPECT_EQ(counters().failures.load(), 19U);
  EXPECT_EQ(table->released, 2);  // of the two blobs that had a release
  EXPECT_EQ(rig_.tickets.openCount(), 0U);
  EXPECT_THAT(logged, AllOf(HasSubstr("test.bad-results"), HasSubstr("BAD_RESULTS"),
                            HasSubstr("test-resource")));
}

//
TEST_F(BadRuns, ErrorsThatAreNoneFailTheirRunsAsInternal) {
  const sub0_run* run = &runOnce("bad_errors", "BAD_ERRORS", RunState::kSettled);
  const auto* table =
      static_cast<const bad_results*>(rig_.registry.extension(BAD_RESULTS_EXTENSION).table);
  ASSERT_NE(table, nullptr);
  int faults = 0;
  while (table->next >= 0) {
    ++faults;
    EXPECT_EQ(table->status, SUB0_INVALID_ARGUMENT) << table->next;
    EXPECT_EQ(rig_.tickets.outcome(run->ticket).code, Code::kInternal) << table->next;
    EXPECT_TRUE(rig_.tickets.close(run->ticket));
    run = &rig_.newRun(rig_.actions.back());
    ASSERT_EQ(rig_.tickets.run(*run), RunState::kSettled);
  }
  EXPECT_EQ(faults, 8);
  EXPECT_EQ(table->status, SUB0_OK);
  EXPECT_EQ(rig_.tickets.outcome(run->ticket).code, Code::kNotFound);
  const std::string_view told = rig_.tickets.outcome(run->ticket).client_message;
  EXPECT_TRUE(text::isUtf8(told)) << told;
  EXPECT_TRUE(rig_.tickets.close(run->ticket));
}

//
TEST_F(BadRuns, ForgedTicketsAreStaleAndTheRunsThatTheyMeanGoOn) {
  put("never_ends");
  const sub0_run& own = runOnce("forges_tickets", "FORGE", RunState::kPending);
  const auto* forger =
      static_cast<const forges_tickets*>(rig_.registry.extension(FORGES_TICKETS_EXTENSION).table);
  ASSERT_NE(forger, nullptr);
  sub0_run& others = rig_.newRun(*rig_.prepared("NEVER"));
  ASSERT_EQ(rig_.tickets.run(others), RunState::kPending);
  sub0_run& not_begun = rig_.newRun(rig_.actions.front());  // of the forger itself
  std::uint64_t stale = 0;
  for (const sub0_ticket ticket :
       {others.ticket, not_begun.ticket, sub0_ticket{0}, own.ticket + 1, own.ticket - 1,
        own.ticket ^ sub0_ticket{1} << 40, own.ticket | sub0_ticket{1} << 56, UINT64_MAX}) {
    EXPECT_EQ(forger->end(ticket), SUB0_STALE_TICKET) << ticket;
    EXPECT_EQ(forger->fail(ticket), SUB0_STALE_TICKET) << ticket;
    EXPECT_EQ(forger->end_with_blob(ticket), SUB0_STALE_TICKET) << ticket;
    EXPECT_EQ(rig_.registry.faultCounts()[1].stale_ends, stale += 3) << ticket;
  }
  EXPECT_EQ(*forger->released, 0);
  rig_.loop.turn(0);
  EXPECT_EQ(*forger->released, 8);  // each refused blob came back
  EXPECT_THAT(rig_.owner.settled, IsEmpty());
  EXPECT_FALSE(rig_.tickets.isSettled(others.ticket));
  EXPECT_FALSE(rig_.tickets.isSettled(not_begun.ticket));
  EXPECT_EQ(rig_.tickets.run(not_begun), RunState::kPending);
  EXPECT_EQ(forger->end(not_begun.ticket), SUB0_OK);  // now it is a run of its
  EXPECT_EQ(forger->end(own.ticket), SUB0_OK);
  rig_.loop.turn(0);
  EXPECT_THAT(rig_.owner.settled, SizeIs(2));
}

// its thread lives on when the host has stopped it; the ticket is safe for ever
TEST_F(BadRuns, EndFromAThreadAfterStopAndDestroyDoesNoHarm) {
  const sub0_run& run = runOnce("ends_late", "LATE", RunState::kPending);
  const auto* late =
      static_cast<const ends_late*>(rig_.registry.extension(ENDS_LATE_EXTENSION).table);
  ASSERT_NE(late, nullptr);
  EXPECT_FALSE(rig_.tickets.abandon(run.ticket));
  rig_.actions.clear();  // as when the host ends: the runs are given up
  rig_.registry.stopAll(0);
  rig_.loop.post([&] { rig_.host.stopLoop(0, rig_.registry); });
  rig_.loop.turn(0);
  EXPECT_EQ(late->end_from_thread(), SUB0_STALE_TICKET);
  rig_.registry.destroyAll();
  EXPECT_EQ(late->end_from_thread(), SUB0_STALE_TICKET);
  rig_.loop.turn(0);
  EXPECT_EQ(rig_.owner.freed, std::vector<sub0_ticket>{run.ticket});
  EXPECT_EQ(rig_.tickets.openCount(), 0U);
}

// the client left, its call was cancelled, the plugin ends nevertheless
TEST_F(BadRuns, EndAfterCancelCounts) {
  const sub0_run& run = runOnce("ends_late", "LATE", RunState::kPending);
  const auto* late =
      static_cast<const ends_late*>(rig_.registry.extension(ENDS_LATE_EXTENSION).table);
  ASSERT_NE(late, nullptr);
  rig_.tickets.cancel(run.ticket);
  EXPECT_EQ(late->end_from_thread(), SUB0_OK);
  rig_.loop.turn(0);
  EXPECT_EQ(rig_.owner.settled, std::vector<sub0_ticket>{run.ticket});
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
  EXPECT_EQ(rig_.tickets.openCount(), 0U);
}

//
TEST_F(BadRuns, LogLinesOfAPluginAreItsOwnWhateverItSays) {
  const sub0_run& run = runOnce("logs_badly", "LOGS", RunState::kSettled);
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
  std::istringstream lines(logged);
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    if (line.empty()) continue;
    ++count;
    EXPECT_THAT(line, HasSubstr("plugin=test.logs-badly, handler=LOGS, resource=test-resource"));
    EXPECT_THAT(line, ::testing::Not(HasSubstr("\x1b")));
  }
  EXPECT_EQ(count, 2);
}

// with a clock that only the test moves
TEST_F(BadRuns, WatchdogNamesWhoHoldsALoopAndForHowLong) {
  put("blocks_loop");
  load(rig_.registry);
  ASSERT_TRUE(rig_.start());
  const std::string fifo = folder_ + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  PreparedAction* action = rig_.prepared("BLOCK", json::text(fifo));
  ASSERT_NE(action, nullptr);
  sub0_run& run = rig_.newRun(*action);
  TicketTable* const tables[] = {&rig_.tickets};
  Watchdog watchdog(tables);
  std::thread loop([&] { rig_.tickets.run(run); });
  const int end = ::open(fifo.c_str(), O_WRONLY);  // returns once the plugin is in its run
  ASSERT_GE(end, 0);
  const auto lines = [] {
    std::size_t count = 0;
    for (std::size_t at = logged.find("holds up"); at != std::string::npos; ++count) {
      at = logged.find("holds up", at + 1);
    }
    return count;
  };
  EXPECT_EQ(watchdog.look(0), 0U);
  EXPECT_EQ(watchdog.look(99'999'999), 0U);
  EXPECT_EQ(lines(), 0U);
  EXPECT_EQ(watchdog.look(100'000'000), 1U);
  EXPECT_EQ(lines(), 1U);
  EXPECT_EQ(watchdog.look(1'099'999'999), 1U);
  EXPECT_EQ(lines(), 1U);
  EXPECT_EQ(watchdog.look(60'000'000'000), 1U);
  EXPECT_EQ(lines(), 2U);
  EXPECT_THAT(logged, AllOf(HasSubstr("plugin=test.blocks-loop, handler=BLOCK, "
                                      "resource=test-resource, loop=0, duration_ms=100)"),
                            HasSubstr("duration_ms=60000)")));
  EXPECT_EQ(rig_.registry.faultCounts()[0].over_budget, 1U);
  EXPECT_EQ(::write(end, "x", 1), 1);
  loop.join();
  ::close(end);
  EXPECT_EQ(watchdog.look(60'100'000'000), 0U);
  EXPECT_EQ(rig_.tickets.outcome(run.ticket).value.as.i, 'x');
  EXPECT_TRUE(rig_.tickets.close(run.ticket));
}

}  // namespace
}  // namespace sub0::plugin
