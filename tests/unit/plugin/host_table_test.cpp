// SPDX-License-Identifier: Apache-2.0
#include "plugin/host_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "base/log.hpp"
#include "sub0/pool.h"
#include "tests/unit/plugin/rig.hpp"

namespace sub0::plugin {
namespace {

using test::Rig;
using test::ScriptedPlugin;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A plugin with hooks on a rig, and the tables that it sees.
struct Wired {
  Wired() {
    hooks.struct_size = sizeof hooks;
    hooks.loop_start = [](void* user, uint32_t) { static_cast<Wired*>(user)->said += "start "; };
    hooks.loop_stop = [](void* user, uint32_t) { static_cast<Wired*>(user)->said += "stop "; };
    hooks.end_of_turn = [](void* user, uint32_t) {
      auto& self = *static_cast<Wired*>(user);
      self.said += "end ";
      if (self.on_end) self.on_end();
    };
    plugin.on_create = [this](const sub0_value&) {
      loops =
          static_cast<const sub0_loop*>(plugin.host->extension(plugin.host, SUB0_LOOP_EXTENSION));
      pool =
          static_cast<const sub0_pool*>(plugin.host->extension(plugin.host, SUB0_POOL_EXTENSION));
      broadcast = static_cast<const sub0_broadcast*>(
          plugin.host->extension(plugin.host, SUB0_BROADCAST_EXTENSION));
      EXPECT_EQ(loops->count(plugin.host), 1U);
      EXPECT_EQ(loops->current(plugin.host), -1);
      EXPECT_EQ(loops->set_hooks(plugin.host, nullptr, nullptr), SUB0_INVALID_ARGUMENT);
      EXPECT_EQ(loops->set_hooks(plugin.host, &hooks, this), SUB0_OK);
      EXPECT_EQ(loops->set_hooks(plugin.host, &hooks, this), SUB0_WRONG_STATE);
      return SUB0_OK;
    };
    EXPECT_TRUE(rig.registry.add(&plugin.descriptor));
    EXPECT_TRUE(rig.start());
  }
  /// Calls on the loop's thread, within a turn.
  void onLoop(std::function<void()> call) {
    rig.loop.post(std::move(call));
    rig.loop.turn(0);
  }

  sub0_loop_hooks hooks{};
  std::string said;
  std::function<void()> on_end;
  const sub0_loop* loops = nullptr;
  const sub0_pool* pool = nullptr;
  const sub0_broadcast* broadcast = nullptr;
  ScriptedPlugin plugin;
  Rig rig;
};

void append(void* said) { static_cast<std::string*>(said)->append("called "); }
void appendEvents(void* said, uint32_t events) {
  static_cast<std::string*>(said)->append("ready" + std::to_string(events) + " ");
}

TEST(HostTable, LoopHooksComeInOrderAndExtensionsByNameOnly) {
  std::string said;
  {
    Wired w;
    EXPECT_EQ(w.said, "start ");
    EXPECT_EQ(w.plugin.host->extension(w.plugin.host, "sub0.loop/99"), nullptr);
    EXPECT_EQ(w.plugin.host->extension(w.plugin.host, nullptr), nullptr);
    EXPECT_EQ(w.plugin.host->abi_minor, static_cast<uint32_t>(SUB0_ABI_MINOR));
    EXPECT_EQ(w.rig.registry.extension("test.table/1").self, &w.plugin);
    EXPECT_EQ(w.rig.registry.extension("test.none/1").table, nullptr);
    w.rig.registry.stopAll(0);
    w.onLoop([&] { w.rig.host.stopLoop(0, w.rig.registry); });
    EXPECT_EQ(w.said, "start stop ");
    EXPECT_EQ(w.loops->post(w.plugin.host, 0, append, &said), SUB0_OK);
    w.rig.loop.turn(0);
    EXPECT_THAT(said, IsEmpty());  // no callback comes any more
  }
}

TEST(HostTable, FunctionsOfTheLoopAreRefusedOnOtherThreads) {
  Wired w;
  std::uint64_t handle = 0;
  const sub0_host* host = w.plugin.host;
  EXPECT_EQ(w.loops->watch(host, 5, SUB0_READABLE, appendEvents, nullptr, &handle),
            SUB0_WRONG_STATE);
  EXPECT_EQ(w.loops->start_timer(host, 1, append, nullptr, &handle), SUB0_WRONG_STATE);
  EXPECT_EQ(w.loops->stop_timer(host, 1), SUB0_WRONG_STATE);
  EXPECT_EQ(w.loops->rewatch(host, 1, SUB0_READABLE), SUB0_WRONG_STATE);
  EXPECT_EQ(w.loops->unwatch(host, 1), SUB0_WRONG_STATE);
  EXPECT_EQ(w.loops->request_end_of_turn(host), SUB0_WRONG_STATE);
  EXPECT_EQ(w.loops->set_hooks(host, &w.hooks, nullptr), SUB0_WRONG_STATE);
  EXPECT_EQ(w.loops->post(host, 7, append, nullptr), SUB0_INVALID_ARGUMENT);
}

TEST(HostTable, WatchTellsUntilItIsEnded) {
  Wired w;
  std::string said;
  std::uint64_t handle = 0;
  const sub0_host* host = w.plugin.host;
  w.onLoop([&] {
    EXPECT_EQ(w.loops->current(host), 0);
    EXPECT_EQ(w.loops->watch(host, 999, SUB0_READABLE, appendEvents, &said, &handle),
              SUB0_INVALID_ARGUMENT);
    EXPECT_EQ(w.loops->watch(host, 5, SUB0_READABLE, appendEvents, &said, &handle), SUB0_OK);
  });
  w.rig.io.events = {{w.rig.io.watched_token, loop::kReadable}};
  w.rig.loop.turn(0);
  EXPECT_EQ(said, "ready1 ");
  w.onLoop([&] {
    EXPECT_EQ(w.loops->rewatch(host, handle, SUB0_WRITABLE), SUB0_OK);
    EXPECT_EQ(w.loops->unwatch(host, handle), SUB0_OK);
    EXPECT_EQ(w.loops->unwatch(host, handle), SUB0_STALE_TICKET);
  });
  w.rig.io.events = {{w.rig.io.watched_token, loop::kReadable}};
  w.rig.loop.turn(0);
  EXPECT_EQ(said, "ready1 ");
}

TEST(HostTable, TimerCallsBackOnceUnlessItIsStopped) {
  Wired w;
  std::string said;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  const sub0_host* host = w.plugin.host;
  w.onLoop([&] {
    EXPECT_EQ(w.loops->start_timer(host, 10, append, &said, &first), SUB0_OK);
    EXPECT_EQ(w.loops->start_timer(host, 10, append, &said, &second), SUB0_OK);
    EXPECT_EQ(w.loops->stop_timer(host, second), SUB0_OK);
    EXPECT_EQ(w.loops->stop_timer(host, second), SUB0_STALE_TICKET);
  });
  w.rig.loop.turn(0);
  EXPECT_THAT(said, IsEmpty());
  w.rig.io.clock_ns += 12'000'000;
  w.rig.loop.turn(0);
  w.rig.io.clock_ns += 12'000'000;
  w.rig.loop.turn(0);
  EXPECT_EQ(said, "called ");
  w.onLoop([&] { EXPECT_EQ(w.loops->stop_timer(host, first), SUB0_STALE_TICKET); });
}

TEST(HostTable, EndOfTurnComesOnceForEachTurnThatAskedForIt) {
  Wired w;
  const sub0_host* host = w.plugin.host;
  w.onLoop([&] {
    EXPECT_EQ(w.loops->request_end_of_turn(host), SUB0_OK);
    EXPECT_EQ(w.loops->request_end_of_turn(host), SUB0_OK);
  });
  w.rig.loop.turn(0);
  EXPECT_EQ(w.said, "start end ");
}

//
TEST(HostTable, RunEndedInEndOfTurnUnderThePluginsLockGoesOnInTheSameTurn) {
  Wired w;
  std::mutex lock;
  std::vector<sub0_ticket> batch;
  w.plugin.on_run = [&](const sub0_run& run) {
    const std::lock_guard held(lock);
    batch.push_back(run.ticket);
    EXPECT_EQ(w.loops->request_end_of_turn(w.plugin.host), SUB0_OK);
  };
  w.on_end = [&] {
    const std::lock_guard held(lock);
    for (const sub0_ticket ticket : batch) w.plugin.complete(ticket, json::null());
    batch.clear();
  };
  PreparedAction* action = w.rig.prepared("SCRIPT");
  int ended = 0;
  w.rig.owner.on_settled = [&](sub0_ticket ticket) {
    EXPECT_TRUE(w.rig.tickets.close(ticket));
    if (++ended < 10'000) w.rig.tickets.run(w.rig.newRun(*action));
  };
  w.onLoop([&] { w.rig.tickets.run(w.rig.newRun(*action)); });
  EXPECT_GT(ended, 1);  // several rounds of one turn
  while (ended < 10'000) w.rig.loop.turn(0);
  EXPECT_EQ(w.rig.tickets.openCount(), 0U);
}

TEST(HostTable, PostsOfOneThreadComeInOrder) {
  Wired w;
  static std::vector<int> order;
  order.clear();
  const auto add = [](void* number) {
    order.push_back(static_cast<int>(reinterpret_cast<std::intptr_t>(number)));
  };
  std::thread([&] {
    for (std::intptr_t i = 1; i <= 3; ++i) {
      EXPECT_EQ(w.loops->post(w.plugin.host, 0, add, reinterpret_cast<void*>(i)), SUB0_OK);
    }
  }).join();
  w.rig.loop.turn(0);
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

//
TEST(HostTable, ThrowInACallbackIsCaughtAndCounted) {
  Wired w;
  const auto boom = [](void*) { throw 1; };
  EXPECT_EQ(w.loops->post(w.plugin.host, 0, boom, nullptr), SUB0_OK);
  w.rig.loop.turn(0);
  EXPECT_EQ(w.rig.registry.plugins()[0]->callbacks.counters.exceptions.load(), 1U);
  std::atomic<bool> is_done{false};
  EXPECT_EQ(w.pool->submit(w.plugin.host, boom, nullptr), SUB0_OK);
  EXPECT_EQ(w.pool->submit(
                w.plugin.host, [](void* done) { *static_cast<std::atomic<bool>*>(done) = true; },
                &is_done),
            SUB0_OK);
  w.rig.pool.reset();  // joins
  EXPECT_TRUE(is_done);
  EXPECT_EQ(w.rig.registry.plugins()[0]->callbacks.counters.exceptions.load(), 2U);
  w.rig.host.setPool(nullptr);
  EXPECT_EQ(w.pool->submit(w.plugin.host, boom, nullptr), SUB0_UNAVAILABLE);
}

struct Sink final : BroadcastSink {
  std::vector<std::string> actions;
  int32_t send(sub0_ticket, const sub0_broadcast_message& message,
               std::uint64_t* recipients) override {
    actions.emplace_back(json::toText(message.action));
    *recipients = 3;
    return SUB0_OK;
  }
};

TEST(HostTable, BroadcastReachesTheSinkForARunUnderWayAlone) {
  Wired w;
  Sink sink;
  w.rig.host.setBroadcastSink(0, &sink);
  const json::Value data = json::integer(1);
  sub0_broadcast_message message{};
  message.struct_size = sizeof message;
  message.type = SUB0_TO_ALL;
  message.action = json::toView("event");
  message.data = &data;
  std::uint64_t recipients = 0;
  const sub0_host* host = w.plugin.host;
  w.plugin.on_run = [&](const sub0_run& run) {
    EXPECT_EQ(w.broadcast->send(host, run.ticket, &message, &recipients), SUB0_OK);
    message.type = 9;
    EXPECT_EQ(w.broadcast->send(host, run.ticket, &message, nullptr), SUB0_INVALID_ARGUMENT);
    message.type = SUB0_TO_BULK;  // without `to`
    EXPECT_EQ(w.broadcast->send(host, run.ticket, &message, nullptr), SUB0_INVALID_ARGUMENT);
    message.type = SUB0_TO_ALL;
    w.plugin.complete(run.ticket, json::null());
    EXPECT_EQ(w.broadcast->send(host, run.ticket, &message, nullptr), SUB0_STALE_TICKET);
  };
  PreparedAction* action = w.rig.prepared("SCRIPT");
  w.onLoop([&] {
    const sub0_run& run = w.rig.newRun(*action);
    w.rig.tickets.run(run);
    w.rig.tickets.close(run.ticket);
    EXPECT_EQ(w.broadcast->send(host, run.ticket, &message, nullptr), SUB0_STALE_TICKET);
  });
  EXPECT_EQ(w.broadcast->send(host, 1, &message, nullptr), SUB0_WRONG_STATE);
  EXPECT_EQ(recipients, 3U);
  EXPECT_THAT(sink.actions, ElementsAre("event"));
}

// whatever a plugin logs stands with its id and handler
TEST(HostTable, LogLineNamesPluginHandlerAndResource) {
  static std::string logged;
  logged.clear();
  Wired w;
  log::setSink([](std::string_view line) { logged += line; });
  w.plugin.on_run = [&](const sub0_run& run) {
    const sub0_text_view line = json::toView("something odd");
    w.plugin.host->log(w.plugin.host, SUB0_LOG_WARNING, &line);
    w.plugin.complete(run.ticket, json::null());
  };
  const sub0_run& run = w.rig.newRun(*w.rig.prepared("SCRIPT"));
  w.rig.tickets.run(run);
  w.rig.tickets.close(run.ticket);
  log::setSink(nullptr);
  EXPECT_THAT(logged, AllOf(HasSubstr("something odd"), HasSubstr("test.scripted"),
                            HasSubstr("SCRIPT"), HasSubstr("test-resource")));
}

TEST(HostTable, LogLineOutsideOfARunNamesAsMuchAsThereIs) {
  static std::string logged;
  logged.clear();
  log::setSink([](std::string_view line) { logged += line; });
  ScriptedPlugin plugin;
  Rig rig;
  const auto say = [&] {
    const sub0_text_view line = json::toView("hello");
    plugin.host->log(plugin.host, SUB0_LOG_INFO, &line);
    return SUB0_OK;
  };
  plugin.on_create = [&](const sub0_value&) -> int32_t { return say(); };
  plugin.on_prepare = [&](sub0_preparation*, const sub0_value*) -> int32_t { return say(); };
  EXPECT_TRUE(rig.registry.add(&plugin.descriptor));
  EXPECT_TRUE(rig.start());
  EXPECT_NE(rig.prepared("SCRIPT"), nullptr);
  log::setSink(nullptr);
  EXPECT_EQ(logged,
            "sub0: hello (plugin=test.scripted)\n"
            "sub0: hello (plugin=test.scripted, handler=SCRIPT, resource=test-resource)\n");
}

// what goes wrong while a plugin is created or started, and does not keep it from that, is a
// line each
TEST(HostTable, AnErrorThatFailsNothingIsToldOnce) {
  static std::string logged;
  logged.clear();
  log::setSink([](std::string_view line) { logged += line; });
  ScriptedPlugin plugin;
  Rig rig;
  const auto say = [&](const char* text) {
    const sub0_text_view line = json::toView(text);
    plugin.host->log(plugin.host, SUB0_LOG_ERROR, &line);
  };
  plugin.descriptor.extension = [](void*, const char*) -> const void* {
    throw std::runtime_error("boom");
  };
  plugin.on_create = [&](const sub0_value&) -> int32_t {
    say("first");
    return SUB0_OK;
  };
  plugin.on_start = [&]() -> int32_t {
    say("second");
    say("third");
    return SUB0_OK;
  };
  EXPECT_TRUE(rig.registry.add(&plugin.descriptor));
  EXPECT_TRUE(rig.start());
  say("fourth");
  log::setSink(nullptr);
  EXPECT_EQ(logged,
            "sub0: error: first (plugin=test.scripted)\n"
            "sub0: error: internal fault in plugin test.scripted: extension threw: boom "
            "(plugin=test.scripted)\n"
            "sub0: error: second (plugin=test.scripted)\n"
            "sub0: error: third (plugin=test.scripted)\n"
            "sub0: error: fourth (plugin=test.scripted)\n");
}

// whichever thread says it, and whenever
TEST(HostTable, AnErrorOfAnotherThreadIsNotLostWhereAStartEnds) {
  static std::atomic<int> lines;
  lines = 0;
  log::setSink([](std::string_view) { lines.fetch_add(1); });
  constexpr int kStarts = 200;
  constexpr int kErrors = 20;
  for (int i = 0; i < kStarts; ++i) {
    ScriptedPlugin plugin;
    Rig rig;
    std::thread thread;
    plugin.on_start = [&]() -> int32_t {
      std::atomic<bool> is_running{false};
      thread = std::thread([&plugin, &is_running] {
        const sub0_text_view line = json::toView("odd");
        is_running = true;
        for (int n = 0; n < kErrors; ++n) plugin.host->log(plugin.host, SUB0_LOG_ERROR, &line);
      });
      while (!is_running) std::this_thread::yield();
      return SUB0_OK;
    };
    ASSERT_TRUE(rig.registry.add(&plugin.descriptor));
    ASSERT_TRUE(rig.start());
    thread.join();
  }
  log::setSink(nullptr);
  EXPECT_EQ(lines.load(), kStarts * kErrors);
}

}  // namespace
}  // namespace sub0::plugin
