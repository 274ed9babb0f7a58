// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#define sub0_plugin_v0 fake_host_test_entry
#include <sub0/plugin.hpp>
#include <sub0/testing/fake_host.hpp>

namespace {

using sub0::Literal;
using sub0::Tree;
using sub0::testing::End;
using sub0::testing::FakeHost;

// A driver in small: uses everything of sub0.loop/1 and sub0.pool/1.
struct Driver {
  explicit Driver(sub0::Host given)
      : host(given),
        loop(given.extension<sub0_loop>(SUB0_LOOP_EXTENSION)),
        pool(given.extension<sub0_pool>(SUB0_POOL_EXTENSION)) {
    loop->set_hooks(host.raw(), &hooks, this);
    host.extension<sub0_call>(SUB0_CALL_EXTENSION)->set_hooks(host.raw(), &call_hooks, this);
  }
  static void commit(void* user, const sub0_run* run) {
    of(user).trace += "commit-" + std::to_string(run->call_id) + " ";
    const sub0_value nothing{};
    of(user).host.raw()->complete(of(user).host.raw(), run->ticket, &nothing);
  }
  static void rollback(void* user, uint64_t call_id) {
    of(user).trace += "rollback-" + std::to_string(call_id) + " ";
  }
  static const sub0_call_hooks call_hooks;
  static Driver& of(void* user) { return *static_cast<Driver*>(user); }
  static void loopStart(void* user, uint32_t) { of(user).trace += "start "; }
  static void loopStop(void* user, uint32_t) { *of(user).at_end += "stop "; }
  static void endOfTurn(void* user, uint32_t) {
    of(user).trace += "end-of-turn ";
    if (of(user).waiting) of(user).waiting->complete("batched");
    of(user).waiting.reset();
  }
  static const sub0_loop_hooks hooks;
  const void* extension(const char*) { return this; }

  sub0::Host host;
  const sub0_loop* loop;
  const sub0_pool* pool;
  std::string trace;
  std::string* at_end = &trace;
  std::unique_ptr<sub0::Run> waiting;
};

const sub0_loop_hooks Driver::hooks = {sizeof(sub0_loop_hooks), 0, &Driver::loopStart,
                                       &Driver::loopStop, &Driver::endOfTurn};

const sub0_call_hooks Driver::call_hooks = {sizeof(sub0_call_hooks), 0, &Driver::commit,
                                            &Driver::rollback};

struct Work final : sub0::Handler<Work> {
  static constexpr auto mode = "WORK", key = "work";
  Work(sub0::Preparation& p, Driver& driver) : driver_(driver), how_(p.config().asText()) {}
  void run(sub0::Run run) {
    if (how_ == "batch") {
      driver_.waiting = std::make_unique<sub0::Run>(std::move(run));
      driver_.loop->request_end_of_turn(driver_.host.raw());
    } else {
      auto kept = std::make_unique<sub0::Run>(std::move(run));
      driver_.pool->submit(driver_.host.raw(), &Work::work, kept.release());
    }
  }
  static void work(void* user) {
    std::unique_ptr<sub0::Run> run(static_cast<sub0::Run*>(user));
    run->complete("pooled");
  }
  Driver& driver_;
  std::string how_;
};

}  // namespace

SUB0_PLUGIN_WITH(Driver, "org.example.driver", "1.0.0", Work)

namespace {

Driver& stateOf(FakeHost& host) {
  return *static_cast<Driver*>(const_cast<void*>(host.pluginExtension("")));
}

TEST(FakeHost, EndOfTurnEndsABatchedRun) {
  FakeHost host(fake_host_test_entry());
  auto action = host.prepare("WORK", Literal("batch"));
  const sub0_ticket ticket = action.begin();
  EXPECT_FALSE(host.end(ticket).came());
  host.turn();
  EXPECT_EQ(host.end(ticket).value.view().asText(), "batched");
  host.turn();
  EXPECT_EQ(stateOf(host).trace, "start end-of-turn ") << "only in a turn that was asked for";
  EXPECT_EQ(action.run().value.view().asText(), "batched");
}

TEST(FakeHost, ThePoolWorksLaterOrOnThreads) {
  for (bool on_threads : {false, true}) {
    sub0::testing::FakeOptions options;
    options.pool_threads = on_threads;
    FakeHost host(fake_host_test_entry(), Tree(), options);
    auto action = host.prepare("WORK", Literal("pool"));
    const sub0_ticket ticket = action.begin();
    host.joinPool();
    EXPECT_EQ(host.end(ticket).value.view().asText(), "pooled");
    EXPECT_EQ(action.run().value.view().asText(), "pooled");
  }
}

TEST(FakeHost, TimersComeWhenTheClockIsMoved) {
  FakeHost host(fake_host_test_entry());
  Driver& driver = stateOf(host);
  uint64_t first = 0, second = 0;
  const auto note = [](void* user) { static_cast<Driver*>(user)->trace += "timer "; };
  driver.trace.clear();
  driver.loop->start_timer(driver.host.raw(), 10, note, &driver, &first);
  driver.loop->start_timer(driver.host.raw(), 20, note, &driver, &second);
  host.turn();
  EXPECT_EQ(driver.trace, "");
  host.advance(10);
  host.turn();
  EXPECT_EQ(driver.trace, "timer ");
  EXPECT_EQ(driver.loop->stop_timer(driver.host.raw(), first), SUB0_STALE_TICKET);
  EXPECT_EQ(driver.loop->stop_timer(driver.host.raw(), second), SUB0_OK);
  EXPECT_EQ(host.timers(), 0U);
}

TEST(FakeHost, PostsComeInOrderAndWatchesWhenReady) {
  FakeHost host(fake_host_test_entry());
  Driver& driver = stateOf(host);
  driver.trace.clear();
  driver.loop->post(
      driver.host.raw(), 0, [](void* u) { Driver::of(u).trace += "1"; }, &driver);
  driver.loop->post(
      driver.host.raw(), 0, [](void* u) { Driver::of(u).trace += "2"; }, &driver);
  host.turn();
  EXPECT_EQ(driver.trace, "12");
  uint64_t watch = 0;
  driver.loop->watch(
      driver.host.raw(), 5, SUB0_READABLE,
      [](void* u, uint32_t events) { Driver::of(u).trace += std::to_string(events); }, &driver,
      &watch);
  EXPECT_FALSE(host.ready(5, SUB0_WRITABLE));
  EXPECT_TRUE(host.ready(5, SUB0_READABLE));
  EXPECT_EQ(driver.trace, "121");
  EXPECT_EQ(driver.loop->unwatch(driver.host.raw(), watch), SUB0_OK);
  EXPECT_FALSE(host.ready(5, SUB0_READABLE));
}

TEST(FakeHost, CommitsAndRollsBackCalls) {
  FakeHost host(fake_host_test_entry());
  const sub0_ticket ticket = host.commit(7);
  EXPECT_TRUE(host.end(ticket).came());
  EXPECT_EQ(host.end(ticket).code, SUB0_OK);
  host.rollback(8);
  EXPECT_EQ(static_cast<const Driver*>(host.pluginExtension(""))->trace,
            "start commit-7 rollback-8 ");
}

TEST(FakeHost, KnowsItsLoopsThread) {
  FakeHost host(fake_host_test_entry());
  Driver& driver = stateOf(host);
  EXPECT_EQ(driver.loop->current(driver.host.raw()), 0);
  std::thread([&] { EXPECT_EQ(driver.loop->current(driver.host.raw()), -1); }).join();
}

TEST(FakeHost, LoopStopsAfterThePlugin) {
  std::string trace;
  {
    FakeHost host(fake_host_test_entry());
    stateOf(host).at_end = &trace;
  }
  EXPECT_EQ(trace, "stop ");
}

TEST(FakeHost, AnUnknownHandlerIsAMistakeOfTheTest) {
  FakeHost host(fake_host_test_entry());
  EXPECT_THROW(host.prepare("NONE", Tree()), std::logic_error);
}

}  // namespace
