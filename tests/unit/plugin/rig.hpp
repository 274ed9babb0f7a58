// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "loop/loop.hpp"
#include "loop/pool.hpp"
#include "plugin/host_table.hpp"
#include "plugin/preparation.hpp"
#include "plugin/registry.hpp"
#include "plugin/ticket_table.hpp"
#include "tests/unit/loop/idle_io.hpp"

// What the tests of the wall stand on: a loop with a clock that only the test moves, an owner that
// writes down what it is told, a plugin made of functions, and all of it wired as the host does.
namespace sub0::plugin::test {

class FakeIo final : public loop::test::IdleIo {
 public:
  std::atomic<std::int64_t> clock_ns{1'000'000'000};
  std::atomic<std::int64_t> wall_ms{0};
  std::vector<loop::IoEvent> events;  // of the next wait
  std::uint64_t watched_token = 0;    // of the last watch
  std::uint32_t watched_interest = 0;

  std::span<const loop::IoEvent> wait(std::int64_t) override {
    handed_ = std::move(events);
    events.clear();
    return handed_;
  }
  bool watch(int descriptor, std::uint32_t interest, std::uint64_t token) override {
    watched_token = token;
    watched_interest = interest;
    return descriptor != 999;
  }
  bool rewatch(int, std::uint32_t interest, std::uint64_t) override {
    watched_interest = interest;
    return true;
  }
  void unwatch(int) override { watched_interest = 0; }
  std::int64_t monotonicNs() override { return clock_ns.load(); }
  std::int64_t wallMs() override { return wall_ms.load(); }

 private:
  std::vector<loop::IoEvent> handed_;
};

struct Owner final : RunOwner {
  std::vector<sub0_ticket> settled, freed;
  std::function<void(sub0_ticket)> on_settled;
  void onSettled(sub0_ticket ticket) override {
    settled.push_back(ticket);
    if (on_settled) on_settled(ticket);
  }
  void onFreed(sub0_ticket ticket) override { freed.push_back(ticket); }
};

/// A plugin with one handler, in process; its functions may be replaced at any time before they
/// run.
class ScriptedPlugin {
 public:
  explicit ScriptedPlugin(std::string id = "test.scripted", std::string mode = "SCRIPT",
                          std::uint32_t flags = 0, std::uint32_t max_running = 0)
      : id_(std::move(id)), mode_(std::move(mode)) {
    handler.struct_size = sizeof handler;
    handler.kind = SUB0_MODE;
    handler.placement = SUB0_PLACE_LOOP;
    handler.max_running = max_running;
    handler.flags = flags;
    handler.name = json::toView(mode_);
    handler.config_key = json::toView(mode_);
    handler.prepare = [](void* self, sub0_preparation* p, const sub0_value* config,
                         void** action) -> int32_t {
      auto& plugin = *static_cast<ScriptedPlugin*>(self);
      *action = self;
      return plugin.on_prepare ? plugin.on_prepare(p, config) : SUB0_OK;
    };
    handler.run = [](void* action, const sub0_run* run) {
      static_cast<ScriptedPlugin*>(action)->on_run(*run);
    };
    handler.cancel = [](void* action, sub0_ticket ticket) {
      auto& plugin = *static_cast<ScriptedPlugin*>(action);
      plugin.cancelled.push_back(ticket);
      if (plugin.on_cancel) plugin.on_cancel(ticket);
    };
    handler.release = [](void* action) { ++static_cast<ScriptedPlugin*>(action)->released; };
    descriptor.struct_size = sizeof descriptor;
    descriptor.abi_minor = SUB0_ABI_MINOR;
    descriptor.id = json::toView(id_);
    descriptor.version = json::toView("1.0.0");
    descriptor.handler_count = 1;
    descriptor.handlers = &handlers_;
    // create has no self yet: the plugin under construction stands in a variable of this thread.
    descriptor.create = [](const sub0_host* given, const sub0_value* settings,
                           void** self) -> int32_t {
      ScriptedPlugin& plugin = *creating();
      plugin.host = given;
      *self = &plugin;
      return plugin.on_create ? plugin.on_create(*settings) : SUB0_OK;
    };
    descriptor.start = [](void* self) -> int32_t {
      auto& plugin = *static_cast<ScriptedPlugin*>(self);
      plugin.life += "start ";
      return plugin.on_start ? plugin.on_start() : SUB0_OK;
    };
    descriptor.stop = [](void* self, uint64_t) {
      static_cast<ScriptedPlugin*>(self)->life += "stop ";
    };
    descriptor.destroy = [](void* self) { static_cast<ScriptedPlugin*>(self)->life += "destroy "; };
    descriptor.extension = [](void* self, const char* name) -> const void* {
      return std::string(name) == "test.table/1" ? self : nullptr;
    };
    creating() = this;
  }
  ScriptedPlugin(const ScriptedPlugin&) = delete;
  ScriptedPlugin& operator=(const ScriptedPlugin&) = delete;

  int32_t complete(sub0_ticket ticket, const json::Value& value) const {
    return host->complete(host, ticket, &value);
  }
  int32_t fail(sub0_ticket ticket, int32_t code, std::string_view client) const {
    const sub0_error error{sizeof(sub0_error), code, json::toView("for the log"),
                           json::toView(client)};
    return host->fail(host, ticket, &error);
  }

  sub0_handler handler{};
  sub0_plugin descriptor{};
  const sub0_host* host = nullptr;
  std::function<int32_t(const sub0_value& settings)> on_create;
  std::function<int32_t()> on_start;
  std::function<int32_t(sub0_preparation*, const sub0_value*)> on_prepare;
  std::function<void(const sub0_run&)> on_run;
  std::function<void(sub0_ticket)> on_cancel;
  std::vector<sub0_ticket> cancelled;
  int released = 0;
  std::string life;

 private:
  static ScriptedPlugin*& creating() {
    static thread_local ScriptedPlugin* plugin = nullptr;
    return plugin;
  }
  std::string id_, mode_;
  const sub0_handler* handlers_ = &handler;
};

/// One loop and what belongs to it. start() once the plugins are in the registry.
class Rig {
 public:
  explicit Rig(TicketLimits limits = {})
      : pool(std::make_unique<loop::Pool>(2)), tickets(loop, pool.get(), limits) {
    loop::Loop* const loops[] = {&loop};
    host.setLoops(loops);
    host.setPool(pool.get());
    host.setTicketTable(0, &tickets);
  }
  ~Rig() {
    pool.reset();
    loop.turn(0);
    actions.clear();
    registry.stopAll(0);
    loop.post([this] { host.stopLoop(0, registry); });
    loop.turn(0);
    registry.destroyAll();
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  bool start() {
    const auto unset = [](std::string_view) { return std::optional<std::string>(); };
    if (!registry.createAll(host, unset) || !registry.startAll()) return false;
    loop.post([this] { host.startLoop(0, registry); });
    loop.turn(0);
    return true;
  }

  /// Prepares an action of that mode, or null.
  PreparedAction* prepared(std::string_view mode, const json::Value& config = {}) {
    Handler* handler = registry.findMode(mode);
    if (handler == nullptr) return nullptr;
    PreparedAction action;
    const json::Member id{json::toView("id"), json::text("test-resource")};
    const json::Value resource = json::object(&id, 1);
    if (!prepare(*handler, config, nothing, resource, action, problems)) return nullptr;
    return &actions.emplace_back(std::move(action));
  }

  /// A run that lives as long as the rig.
  sub0_run& newRun(const PreparedAction& action, std::vector<json::Value> inputs = {}) {
    inputs_.push_back(std::move(inputs));
    sub0_run& run = runs_.emplace_back();
    run.struct_size = sizeof run;
    run.inputs = inputs_.back().data();
    run.input_count = static_cast<std::uint32_t>(inputs_.back().size());
    run.resource = json::toView("test-resource");
    run.ticket = tickets.open(owner, action, arena);
    return run;
  }

  FakeIo io;
  loop::Loop loop{0, io};
  Arena arena;
  Registry registry;
  Owner owner;
  std::unique_ptr<loop::Pool> pool;
  TicketTable tickets;
  HostTable host;
  std::deque<PreparedAction> actions;
  std::vector<PrepareProblem> problems;
  json::Value nothing{};

 private:
  std::deque<std::vector<json::Value>> inputs_;
  std::deque<sub0_run> runs_;
};

}  // namespace sub0::plugin::test
