// SPDX-License-Identifier: Apache-2.0
#include "plugin/ticket_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "plugin/watchdog.hpp"
#include "tests/unit/plugin/rig.hpp"

// Longer than most: one file because all cases turn the same scripted rig.
namespace sub0::plugin {
namespace {

using test::Rig;
using test::ScriptedPlugin;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A started rig with one scripted plugin and one action of it.
struct Scripted {
  explicit Scripted(std::uint32_t flags = 0, std::uint32_t max_running = 0,
                    TicketLimits limits = {}, std::uint16_t placement = SUB0_PLACE_LOOP)
      : plugin("test.scripted", "SCRIPT", flags, max_running), rig(limits) {
    plugin.handler.placement = placement;
    EXPECT_TRUE(rig.registry.add(&plugin.descriptor));
    EXPECT_TRUE(rig.start());
    action = rig.prepared("SCRIPT");
  }
  TicketTable& tickets() { return rig.tickets; }
  HandlerCounters& counters() { return action->handler->counters; }
  /// Turns until `is_done`: what another thread does takes as long as it takes.
  template <typename Condition>
  void turnUntil(Condition is_done) {
    while (!is_done()) {
      rig.loop.turn(0);
      std::this_thread::yield();
    }
  }

  ScriptedPlugin plugin;
  Rig rig;
  PreparedAction* action = nullptr;
};

TEST(TicketTable, EndWithinRunIsThereWhenRunReturns) {
  Scripted s;
  s.plugin.on_run = [&](const sub0_run& run) {
    EXPECT_EQ(s.plugin.complete(run.ticket, json::text("hello")), SUB0_OK);
  };
  const sub0_run& run = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(run), RunState::kSettled);
  EXPECT_TRUE(s.tickets().isSettled(run.ticket));
  EXPECT_EQ(json::chars(s.tickets().outcome(run.ticket).value), "hello");
  EXPECT_TRUE(s.tickets().close(run.ticket));
  s.rig.loop.turn(0);
  EXPECT_THAT(s.rig.owner.settled, IsEmpty());  // the caller looked itself
  EXPECT_EQ(s.tickets().openCount(), 0U);
  EXPECT_EQ(s.counters().runs(), 1U);
}

TEST(TicketTable, ResultIsCopiedBeforeCompleteReturns) {
  Scripted s;
  s.plugin.on_run = [&](const sub0_run& run) {
    std::string text = "short-lived";
    const json::Value item = json::text(text);
    s.plugin.complete(run.ticket, json::array(&item, 1));
    text.assign("overwritten");
  };
  const sub0_run& run = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(run), RunState::kSettled);
  const Outcome outcome = s.tickets().outcome(run.ticket);
  EXPECT_TRUE(outcome.is_in_arena);
  EXPECT_TRUE(s.tickets().close(run.ticket));
  EXPECT_EQ(json::toText({outcome.value.as.items[0].as.text, outcome.value.as.items[0].count}),
            "short-lived");
}

TEST(TicketTable, InputThatIsHandedBackIsNotCopied) {
  Scripted s(SUB0_ACCEPTS_RAW);
  s.plugin.on_run = [&](const sub0_run& run) { s.plugin.complete(run.ticket, run.inputs[0]); };
  const std::string payload = R"({"a":1})";
  const sub0_run& run = s.rig.newRun(*s.action, {json::raw(payload)});
  ASSERT_EQ(s.tickets().run(run), RunState::kSettled);
  EXPECT_EQ(s.tickets().outcome(run.ticket).value.as.text, payload.data());
  EXPECT_TRUE(s.tickets().close(run.ticket));
}

TEST(TicketTable, FailureCarriesCodeAndBothTexts) {
  Scripted s;
  s.plugin.on_run = [&](const sub0_run& run) {
    EXPECT_EQ(s.plugin.fail(run.ticket, SUB0_NOT_FOUND, "no such thing"), SUB0_OK);
  };
  const sub0_run& run = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(run), RunState::kSettled);
  const Outcome& outcome = s.tickets().outcome(run.ticket);
  EXPECT_EQ(outcome.code, Code::kNotFound);
  EXPECT_EQ(outcome.client_message, "no such thing");
  EXPECT_EQ(outcome.log_message, "for the log");
  EXPECT_EQ(s.counters().failures.load(), 1U);
  s.tickets().close(run.ticket);
}

// Q-87: whatever a plugin hands over, the run ends, and the host goes on
TEST(TicketTable, ResultThatIsNoneFailsTheRun) {
  const char bad_utf8[] = "\xff\xfe";
  json::Value unknown{};
  unknown.type = 77;
  json::Value null_text = json::text("x");
  null_text.as.text = nullptr;
  const json::Value table[] = {
      unknown,      null_text, json::text({bad_utf8, 2}), json::raw("{\"a\":"), json::number("1e"),
      json::raw("")};
  Scripted s(0, 0, {.max_result_bytes = 100});
  for (const json::Value& value : table) {
    s.plugin.on_run = [&](const sub0_run& run) {
      EXPECT_EQ(s.plugin.complete(run.ticket, value), SUB0_INVALID_ARGUMENT);
    };
    const sub0_run& run = s.rig.newRun(*s.action);
    ASSERT_EQ(s.tickets().run(run), RunState::kSettled);
    EXPECT_EQ(s.tickets().outcome(run.ticket).code, Code::kInternal) << value.type;
    EXPECT_TRUE(s.tickets().close(run.ticket));
  }
  s.plugin.on_run = [&](const sub0_run& run) {
    const std::string long_text(101, 'x');
    EXPECT_EQ(s.plugin.complete(run.ticket, json::text(long_text)), SUB0_RESULT_TOO_LARGE);
  };
  const sub0_run& run = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(run), RunState::kSettled);
  EXPECT_EQ(s.tickets().outcome(run.ticket).code, Code::kResultTooLarge);
  EXPECT_EQ(s.tickets().outcome(run.ticket).client_message,
            "the result is too large (setting SUB0_RESULT_LIMIT)");
  EXPECT_EQ(s.counters().bad_results.load(), std::size(table) + 1);
  s.tickets().close(run.ticket);
}

TEST(TicketTable, LaterEndOnTheLoopsThreadComesByTheReadyList) {
  Scripted s;
  s.plugin.on_run = [](const sub0_run&) {};
  const sub0_run& run = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(run), RunState::kPending);
  s.rig.loop.post([&] {
    EXPECT_EQ(s.plugin.complete(run.ticket, json::integer(5)), SUB0_OK);
    EXPECT_THAT(s.rig.owner.settled, IsEmpty());  // never within the plugin's call
    EXPECT_TRUE(s.tickets().isSettled(run.ticket));
  });
  s.rig.loop.turn(0);
  ASSERT_THAT(s.rig.owner.settled, ElementsAre(run.ticket));
  EXPECT_TRUE(s.tickets().outcome(run.ticket).is_in_arena);
  EXPECT_TRUE(s.tickets().close(run.ticket));
}

TEST(TicketTable, TicketsOfOtherPluginsAndOfNobodyAreStale) {
  ScriptedPlugin plugin;
  Rig rig;
  ASSERT_TRUE(rig.registry.add(&plugin.descriptor));
  ASSERT_TRUE(rig.start());
  ScriptedPlugin second("test.second", "SECOND");
  Registry elsewhere;
  ASSERT_TRUE(elsewhere.add(&second.descriptor));
  ASSERT_TRUE(elsewhere.createAll(rig.host, [](std::string_view) { return std::nullopt; }));
  plugin.on_run = [](const sub0_run&) {};
  const sub0_run& run = rig.newRun(*rig.prepared("SCRIPT"));
  ASSERT_EQ(rig.tickets.run(run), RunState::kPending);
  EXPECT_EQ(second.complete(run.ticket, json::null()), SUB0_STALE_TICKET);
  const sub0_ticket strange[] = {0, UINT64_MAX, run.ticket + 1, run.ticket | sub0_ticket{1} << 56,
                                 run.ticket ^ sub0_ticket{1} << 40};
  for (const sub0_ticket ticket : strange) {
    EXPECT_EQ(plugin.complete(ticket, json::null()), SUB0_STALE_TICKET) << ticket;
  }
  EXPECT_FALSE(rig.tickets.isSettled(run.ticket));
  EXPECT_EQ(plugin.complete(run.ticket, json::null()), SUB0_OK);
  rig.loop.turn(0);
  rig.tickets.close(run.ticket);
  elsewhere.destroyAll();
}

// Q-87
TEST(TicketTable, SlotIsUsedAgainWithAnotherTicketAndRetiredBeforeItsGenerationWraps) {
  Scripted s(0, 0, {.first_generation = UINT32_MAX - 1});
  s.plugin.on_run = [&](const sub0_run& run) { s.plugin.complete(run.ticket, json::null()); };
  std::vector<sub0_ticket> seen;
  for (int i = 0; i < 600; ++i) {
    const sub0_run& run = s.rig.newRun(*s.action);
    seen.push_back(run.ticket);
    ASSERT_EQ(s.tickets().run(run), RunState::kSettled);
    ASSERT_TRUE(s.tickets().close(run.ticket));
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
  for (const sub0_ticket ticket : seen) {
    ASSERT_EQ(s.plugin.complete(ticket, json::null()), SUB0_STALE_TICKET);
  }
}

TEST(TicketTable, BlobIsReleasedExactlyOnceTakenOrRefused) {
  Scripted s;
  int released = 0;
  const json::Value value = json::text("owned");
  const sub0_blob blob{&value, [](void* count) { ++*static_cast<int*>(count); }, &released};
  s.plugin.on_run = [&](const sub0_run& run) {
    const sub0_host* host = s.plugin.host;
    EXPECT_EQ(host->complete_blob(host, run.ticket, &blob), SUB0_OK);
    EXPECT_EQ(host->complete_blob(host, run.ticket, &blob), SUB0_STALE_TICKET);
    EXPECT_EQ(host->complete_blob(host, UINT64_MAX, &blob), SUB0_STALE_TICKET);
    EXPECT_EQ(released, 0);  // never within the plugin's own call
  };
  const sub0_run& run = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(run), RunState::kSettled);
  EXPECT_EQ(s.tickets().outcome(run.ticket).value.as.text, value.as.text);
  s.rig.loop.turn(0);
  EXPECT_EQ(released, 2);  // the refused ones
  s.tickets().close(run.ticket);
  EXPECT_EQ(released, 3);
}

// Q-87
TEST(TicketTable, CancelComesOnceTheOwnerGivesUpAndTheEndAfterwardsFreesTheRun) {
  Scripted s;
  s.plugin.on_run = [](const sub0_run&) {};
  s.plugin.on_cancel = [&](sub0_ticket ticket) {
    EXPECT_EQ(s.plugin.fail(ticket, SUB0_TIMEOUT, ""), SUB0_OK);
  };
  const sub0_run& run = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(run), RunState::kPending);
  EXPECT_TRUE(s.tickets().abandon(run.ticket));  // ended within cancel: nothing is left
  EXPECT_THAT(s.plugin.cancelled, ElementsAre(run.ticket));
  s.rig.loop.turn(0);
  EXPECT_THAT(s.rig.owner.settled, IsEmpty());
  EXPECT_THAT(s.rig.owner.freed, IsEmpty());
  EXPECT_EQ(s.tickets().openCount(), 0U);
}

// Q-87
TEST(TicketTable, HandlerWithAThousandRunsThatNobodyEndedIsUnavailable) {
  Scripted s;
  int calls = 0;
  s.plugin.on_run = [&](const sub0_run&) { ++calls; };
  for (int i = 0; i < kMaxAbandoned; ++i) {
    const sub0_run& run = s.rig.newRun(*s.action);
    ASSERT_EQ(s.tickets().run(run), RunState::kPending);
    ASSERT_FALSE(s.tickets().abandon(run.ticket));
  }
  const sub0_run& refused = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(refused), RunState::kSettled);
  EXPECT_EQ(s.tickets().outcome(refused.ticket).code, Code::kUnavailable);
  EXPECT_EQ(calls, kMaxAbandoned);  // with 999 there is room for one, with 1,000 for none
  EXPECT_EQ(s.rig.registry.faultCounts()[0].refused_unavailable, 1U);
  EXPECT_EQ(s.rig.registry.faultCounts()[0].abandoned, 1'000U);
  s.tickets().close(refused.ticket);
  // One of them ends: there is room again.
  EXPECT_EQ(s.plugin.complete(s.plugin.cancelled.front(), json::null()), SUB0_STALE_TICKET);
  s.rig.loop.turn(0);
  const sub0_run& last = s.rig.newRun(*s.action);
  EXPECT_EQ(s.tickets().run(last), RunState::kPending);
  // One that was under way may make it 1,001; then the end of one is not enough.
  const sub0_run& under_way = s.rig.newRun(*s.action);
  EXPECT_EQ(s.tickets().run(under_way), RunState::kPending);
  EXPECT_FALSE(s.tickets().abandon(last.ticket));
  EXPECT_FALSE(s.tickets().abandon(under_way.ticket));
  EXPECT_EQ(s.rig.registry.faultCounts()[0].abandoned, 1'001U);
  s.plugin.complete(last.ticket, json::null());
  s.rig.loop.turn(0);
  const sub0_run& again = s.rig.newRun(*s.action);
  EXPECT_EQ(s.tickets().run(again), RunState::kSettled);
  EXPECT_EQ(s.tickets().outcome(again.ticket).code, Code::kUnavailable);
  EXPECT_TRUE(s.tickets().close(again.ticket));
}

TEST(TicketTable, FurtherRunsThanMaxRunningWaitInOrderThenAreBusy) {
  Scripted s(0, 2);
  std::vector<sub0_ticket> started;
  s.plugin.on_run = [&](const sub0_run& run) { started.push_back(run.ticket); };
  std::vector<sub0_ticket> all;
  for (std::size_t i = 0; i < 2 + kMaxWaiting; ++i) {
    const sub0_run& run = s.rig.newRun(*s.action);
    all.push_back(run.ticket);
    ASSERT_EQ(s.tickets().run(run), RunState::kPending);
  }
  EXPECT_THAT(started, ElementsAre(all[0], all[1]));
  const sub0_run& refused = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(refused), RunState::kSettled);
  EXPECT_EQ(s.tickets().outcome(refused.ticket).code, Code::kBusy);
  s.tickets().close(refused.ticket);

  EXPECT_TRUE(s.tickets().abandon(all[2]));  // it had not begun: the plugin never hears of it
  EXPECT_THAT(s.plugin.cancelled, IsEmpty());
  EXPECT_EQ(s.plugin.complete(all[0], json::null()), SUB0_OK);
  s.rig.loop.turn(0);
  EXPECT_THAT(started, ElementsAre(all[0], all[1], all[3]));
  EXPECT_EQ(s.counters().running.load(), 2);
  // Those that wait end within run from now on; each makes room for the next.
  s.plugin.on_run = [&](const sub0_run& run) { s.plugin.complete(run.ticket, json::null()); };
  s.plugin.complete(all[1], json::null());
  s.plugin.complete(all[3], json::null());
  s.turnUntil([&] { return s.rig.owner.settled.size() == all.size() - 1; });
  for (const sub0_ticket ticket : s.rig.owner.settled) EXPECT_TRUE(s.tickets().close(ticket));
  EXPECT_EQ(s.counters().running.load(), 0);
  EXPECT_EQ(s.tickets().openCount(), 0U);
}

// A transaction goes on although all places are taken by runs that may wait for its end.
TEST(TicketTable, ARunThatIsLetThroughTakesNoPlace) {
  Scripted s(0, 1);
  std::vector<sub0_ticket> started;
  s.plugin.on_run = [&](const sub0_run& run) { started.push_back(run.ticket); };
  const sub0_run& first = s.rig.newRun(*s.action);
  const sub0_run& waiting = s.rig.newRun(*s.action);
  const sub0_run& through = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(first), RunState::kPending);
  ASSERT_EQ(s.tickets().run(waiting), RunState::kPending);
  ASSERT_EQ(s.tickets().run(through, true), RunState::kPending);
  EXPECT_THAT(started, ElementsAre(first.ticket, through.ticket));
  s.plugin.complete(through.ticket, json::null());
  s.rig.loop.turn(0);
  EXPECT_THAT(started, ElementsAre(first.ticket, through.ticket)) << "its end makes no room";
  s.plugin.complete(first.ticket, json::null());
  s.rig.loop.turn(0);
  EXPECT_THAT(started, ElementsAre(first.ticket, through.ticket, waiting.ticket));
  s.plugin.complete(waiting.ticket, json::null());
  s.turnUntil([&] { return s.rig.owner.settled.size() == 3; });
  for (const sub0_ticket ticket : s.rig.owner.settled) EXPECT_TRUE(s.tickets().close(ticket));
  EXPECT_EQ(s.counters().running.load(), 0);
}

TEST(TicketTable, RunWhoseTurnCameWhenItsOwnerLeftPassesItOn) {
  Scripted s(0, 1);
  std::vector<sub0_ticket> started;
  s.plugin.on_run = [&](const sub0_run& run) { started.push_back(run.ticket); };
  const sub0_run& first = s.rig.newRun(*s.action);
  const sub0_run& second = s.rig.newRun(*s.action);
  const sub0_run& third = s.rig.newRun(*s.action);
  for (const sub0_run* run : {&first, &second, &third}) s.tickets().run(*run);
  s.plugin.complete(first.ticket, json::null());    // grants the second, by letter
  EXPECT_TRUE(s.tickets().abandon(second.ticket));  // before the letter arrives
  s.rig.loop.turn(0);
  EXPECT_THAT(started, ElementsAre(first.ticket, third.ticket));
  EXPECT_TRUE(s.tickets().close(first.ticket));
  EXPECT_FALSE(s.tickets().abandon(third.ticket));
}

TEST(TicketTable, RunOnThePoolEndsOnTheLoop) {
  Scripted s(0, 0, {}, SUB0_PLACE_POOL);
  const auto loop_thread = std::this_thread::get_id();
  s.plugin.on_run = [&](const sub0_run& run) {
    EXPECT_NE(std::this_thread::get_id(), loop_thread);
    s.plugin.complete(run.ticket, json::text("from the pool"));
  };
  const sub0_run& run = s.rig.newRun(*s.action);
  ASSERT_EQ(s.tickets().run(run), RunState::kPending);
  s.turnUntil([&] { return !s.rig.owner.settled.empty(); });
  EXPECT_EQ(json::chars(s.tickets().outcome(run.ticket).value), "from the pool");
  if (!s.tickets().close(run.ticket)) s.turnUntil([&] { return !s.rig.owner.freed.empty(); });
  s.turnUntil([&] { return s.tickets().openCount() == 0; });
}

// Q-87
TEST(TicketTable, PoolRunThatEndedButHasNotReturnedKeepsItsInputs) {
  Scripted s(0, 0, {}, SUB0_PLACE_POOL);
  std::atomic<bool> may_return{false};
  s.plugin.on_run = [&](const sub0_run& run) {
    s.plugin.complete(run.ticket, json::null());
    while (!may_return.load()) std::this_thread::yield();
    EXPECT_EQ(run.inputs[0].as.i, 42);
  };
  const sub0_run& run = s.rig.newRun(*s.action, {json::integer(42)});
  s.tickets().run(run);
  s.turnUntil([&] { return !s.rig.owner.settled.empty(); });
  EXPECT_FALSE(s.tickets().close(run.ticket));
  s.rig.loop.turn(0);
  EXPECT_THAT(s.rig.owner.freed, IsEmpty());
  may_return = true;
  s.turnUntil([&] { return !s.rig.owner.freed.empty(); });
  EXPECT_THAT(s.rig.owner.freed, ElementsAre(run.ticket));
  EXPECT_EQ(s.counters().abandoned.load(), 0);
}

// Q-87
TEST(TicketTable, ThrowOnThePoolFailsTheRun) {
  Scripted s(0, 0, {}, SUB0_PLACE_POOL);
  s.plugin.on_run = [](const sub0_run&) { throw std::runtime_error("boom"); };
  const sub0_run& run = s.rig.newRun(*s.action);
  s.tickets().run(run);
  s.turnUntil([&] { return !s.rig.owner.settled.empty(); });
  EXPECT_EQ(s.tickets().outcome(run.ticket).code, Code::kInternal);
  EXPECT_EQ(s.counters().exceptions.load(), 1U);
}

// Q-87: a run that holds a loop is counted and named, by itself and by the watchdog
TEST(TicketTable, RunOverTheLoopBudgetIsCounted) {
  Scripted s;
  TicketTable* const tables[] = {&s.rig.tickets};
  Watchdog watchdog(tables);
  const auto runFor = [&](std::int64_t nanoseconds) {
    s.plugin.on_run = [&, nanoseconds](const sub0_run& run) {
      s.rig.io.clock_ns += nanoseconds;
      s.plugin.complete(run.ticket, json::null());
    };
    const sub0_run& run = s.rig.newRun(*s.action);
    s.tickets().run(run);
    s.tickets().close(run.ticket);
  };
  runFor(99'000'000);
  EXPECT_EQ(s.counters().over_budget.load(), 0U);
  runFor(60'000'000'000);
  EXPECT_EQ(s.counters().over_budget.load(), 1U);
  EXPECT_EQ(watchdog.look(0), 0U);

  s.plugin.on_run = [&](const sub0_run& run) {
    EXPECT_EQ(watchdog.look(1'000), 0U);
    EXPECT_EQ(watchdog.look(99'000'000), 0U);
    EXPECT_EQ(watchdog.look(101'000'000), 1U);
    EXPECT_EQ(watchdog.look(60'000'000'000), 1U);
    s.rig.io.clock_ns += 60'000'000'000;
    s.plugin.complete(run.ticket, json::null());
  };
  const sub0_run& run = s.rig.newRun(*s.action);
  s.tickets().run(run);
  EXPECT_EQ(s.counters().over_budget.load(), 2U);  // once, not by each of the two
  EXPECT_EQ(watchdog.look(61'000'000'000), 0U);
  s.tickets().close(run.ticket);
}

// Q-97
TEST(TicketTable, ChainOfRunsEndedUnderAPluginsLockNeitherRecursesNorDeadlocks) {
  constexpr int kRuns = 10'000;
  Scripted s;
  std::mutex plugins_lock;
  std::vector<sub0_ticket> pending;
  int depth = 0;
  int deepest = 0;
  s.plugin.on_run = [&](const sub0_run& run) {
    const std::lock_guard lock(plugins_lock);
    pending.push_back(run.ticket);
  };
  int ended = 0;
  const auto startOne = [&] { s.tickets().run(s.rig.newRun(*s.action)); };
  s.rig.owner.on_settled = [&](sub0_ticket ticket) {
    deepest = std::max(deepest, ++depth);
    EXPECT_TRUE(s.tickets().close(ticket));
    if (++ended < kRuns) startOne();
    --depth;
  };
  startOne();
  while (ended < kRuns) {
    s.rig.loop.post([&] {
      const std::lock_guard lock(plugins_lock);  // a std::mutex: taken twice it would never return
      for (const sub0_ticket ticket : pending) s.plugin.complete(ticket, json::null());
      pending.clear();
    });
    s.rig.loop.turn(0);
  }
  EXPECT_EQ(deepest, 1);
  EXPECT_EQ(s.tickets().openCount(), 0U);
}

// Q-87: of many enders one counts, whatever the threads do
TEST(TicketTable, OfManyThreadsThatEndTheSameRunOneWins) {
  constexpr int kThreads = 4;
  constexpr int kRuns = 1'000;
  Scripted s;
  std::atomic<sub0_ticket> current{0};
  std::atomic<int> won{0};
  std::atomic<bool> is_over{false};
  s.plugin.on_run = [&](const sub0_run& run) { current.store(run.ticket); };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::string text = "thread " + std::to_string(i);
      while (!is_over.load()) {
        const sub0_ticket ticket = current.load();
        if (ticket == 0 || s.plugin.complete(ticket, json::text(text)) != SUB0_OK) {
          std::this_thread::yield();
          continue;
        }
        ++won;
      }
    });
  }
  for (int i = 0; i < kRuns; ++i) {
    const sub0_run& run = s.rig.newRun(*s.action);
    bool is_freed = false;
    if (s.tickets().run(run) == RunState::kPending && i % 3 == 0) {
      is_freed = s.tickets().abandon(run.ticket);  // some are given up while they are ended
      s.turnUntil([&] { return is_freed || !s.rig.owner.freed.empty(); });
    } else {
      s.turnUntil([&] { return s.tickets().isSettled(run.ticket); });
      EXPECT_EQ(json::chars(s.tickets().outcome(run.ticket).value).substr(0, 7), "thread ");
      EXPECT_TRUE(s.tickets().close(run.ticket));
    }
    s.rig.owner.freed.clear();
    s.rig.owner.settled.clear();
  }
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  s.turnUntil([&] { return s.tickets().openCount() == 0; });
  EXPECT_LE(won.load(), kRuns);
  EXPECT_GE(won.load(), kRuns * 2 / 3);
}

// Q-87: max_running holds with threads of the pool, and nothing is lost
TEST(TicketTable, MaxRunningHoldsOnThePool) {
  constexpr std::size_t kRuns = 500;
  Scripted s(0, 1, {}, SUB0_PLACE_POOL);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  s.plugin.on_run = [&](const sub0_run& run) {
    most = std::max(most.load(), ++inside);
    --inside;
    s.plugin.complete(run.ticket, json::null());
  };
  for (std::size_t i = 0; i < kRuns; ++i) s.tickets().run(s.rig.newRun(*s.action));
  s.rig.owner.on_settled = [&](sub0_ticket ticket) { s.tickets().close(ticket); };
  s.turnUntil([&] { return s.rig.owner.settled.size() == kRuns; });
  s.turnUntil([&] { return s.tickets().openCount() == 0; });
  EXPECT_EQ(most.load(), 1);
  EXPECT_EQ(s.counters().running.load(), 0);
}

}  // namespace
}  // namespace sub0::plugin
