// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/token_issuer.hpp"
#include "call/calls.hpp"
#include "json/writer.hpp"
#include "store/local_cache.hpp"
#include "store/local_rate_limits.hpp"
#include "sub0/broadcast.h"
#include "sub0/call.h"
#include "tests/unit/dialect/memory_files.hpp"
#include "tests/unit/plugin/rig.hpp"

// What the tests of calls stand on: one loop with a clock that the test moves, a transport that
// writes down what is delivered and broadcast in one list, and a plugin with mode STEP (key `step`)
// and effect `after`, whose runs are functions that the test names: {"name": "a", "input":
// <template>}. Without a function, a run ends at once with its input.
namespace sub0::call::test {

/// An action of mode STEP; `input` is a template, `more` further members.
inline std::string stepWith(int id, const std::string& name, const std::string& input,
                            const std::string& more = "") {
  return R"({"id": )" + std::to_string(id) + R"(, "mode": "STEP", "step": {"name": ")" + name +
         R"(", "input": )" + input + "}" + (more.empty() ? "" : ", " + more) + "}";
}

using dialect::resourceText;
using Lines = std::vector<std::string>;  // of Transport's log

class ScriptPlugin {
 public:
  using Run = std::function<void(const sub0_run&)>;

  ScriptPlugin() {
    current() = this;
    fill(mode_, SUB0_MODE, "STEP", "step");
    fill(effect_, SUB0_EFFECT, "after", "after");
    descriptor.struct_size = sizeof descriptor;
    descriptor.abi_minor = SUB0_ABI_MINOR;
    descriptor.id = json::toView("test.script");
    descriptor.version = json::toView("1.0.0");
    descriptor.handler_count = 2;
    descriptor.handlers = handlers_;
    descriptor.create = [](const sub0_host* given, const sub0_value*, void** self) -> int32_t {
      current()->host = given;
      *self = current();
      const auto* calls =
          static_cast<const sub0_call*>(given->extension(given, SUB0_CALL_EXTENSION));
      if (current()->takes_part) {
        EXPECT_EQ(calls->set_hooks(given, &kHooks, *self), SUB0_OK);
      }
      return SUB0_OK;
    };
    descriptor.start = [](void*) -> int32_t { return SUB0_OK; };
    descriptor.stop = [](void*, uint64_t) {};
    descriptor.destroy = [](void*) {};
    descriptor.extension = [](void*, const char*) -> const void* { return nullptr; };
  }
  ScriptPlugin(const ScriptPlugin&) = delete;
  ScriptPlugin& operator=(const ScriptPlugin&) = delete;

  void complete(sub0_ticket ticket, const std::string& json) const {
    const json::Value value = dialect::valueOf(json);
    host->complete(host, ticket, &value);
  }
  void fail(sub0_ticket ticket, Code code, std::string_view client = {}) const {
    const sub0_error error{
        sizeof(sub0_error), static_cast<int32_t>(code), {}, json::toView(client)};
    host->fail(host, ticket, &error);
  }
  int32_t broadcast(sub0_ticket ticket, std::uint32_t type, const std::string& action,
                    const json::Value* to, std::uint64_t* recipients = nullptr) const {
    const auto* table =
        static_cast<const sub0_broadcast*>(host->extension(host, SUB0_BROADCAST_EXTENSION));
    const std::string text = "data of " + action;
    const json::Value data = json::text(text);
    sub0_broadcast_message message{};
    message.struct_size = sizeof message;
    message.type = type;
    message.action = json::toView(action);
    message.to = to;
    message.data = &data;
    return table->send(host, ticket, &message, recipients);
  }

  void setModeFlags(std::uint32_t flags) { mode_.flags = flags; }

  std::map<std::string, Run> runs;
  std::map<std::string, int> released;  // actions, by their names
  std::vector<sub0_ticket> cancelled;
  bool reads_only = true;
  bool waits = false;
  bool takes_part = true;                  // in transactions
  Run on_commit;                           // empty: completes
  std::vector<std::uint64_t> rolled_back;  // ids of calls
  sub0_plugin descriptor{};
  const sub0_host* host = nullptr;

 private:
  struct Action {
    ScriptPlugin* plugin;
    std::string name;
    std::uint32_t input;
    bool has_input;
  };
  static ScriptPlugin*& current() {
    static thread_local ScriptPlugin* plugin = nullptr;
    return plugin;
  }

  static void fill(sub0_handler& handler, std::uint16_t kind, std::string_view name,
                   std::string_view key) {
    handler.struct_size = sizeof handler;
    handler.kind = kind;
    handler.placement = SUB0_PLACE_LOOP;
    handler.name = json::toView(name);
    handler.config_key = json::toView(key);
    handler.prepare = prepare;
    handler.run = [](void* action, const sub0_run* run) {
      execute(*static_cast<Action*>(action), *run);
    };
    handler.cancel = [](void* action, sub0_ticket ticket) {
      static_cast<Action*>(action)->plugin->cancelled.push_back(ticket);
    };
    handler.release = [](void* raw) {
      const std::unique_ptr<Action> action(static_cast<Action*>(raw));
      ++action->plugin->released[action->name];
    };
  }

  static int32_t prepare(void* self, sub0_preparation* p, const sub0_value* config, void** action) {
    auto made = std::make_unique<Action>();
    made->plugin = static_cast<ScriptPlugin*>(self);
    made->name = json::chars(*json::find(*config, "name"));
    made->has_input = json::find(*config, "input") != nullptr;
    if (made->has_input) {
      const sub0_text_view pointer = json::toView("/input");
      made->input = static_cast<std::uint32_t>(p->input(p, &pointer, SUB0_RULE_TEMPLATE));
    }
    const sub0_text_view fact = json::toView("reads_only");
    const sub0_value value = json::boolean(made->plugin->reads_only);
    p->fact(p, &fact, &value);
    const sub0_text_view waits_fact = json::toView("waits");
    const sub0_value waits_value = json::boolean(made->plugin->waits);
    p->fact(p, &waits_fact, &waits_value);
    *action = made.release();
    return SUB0_OK;
  }

  static void execute(const Action& action, const sub0_run& run) {
    const auto found = action.plugin->runs.find(action.name);
    if (found != action.plugin->runs.end()) {
      found->second(run);
      return;
    }
    const json::Value null = json::null();
    action.plugin->host->complete(action.plugin->host, run.ticket,
                                  action.has_input ? &run.inputs[action.input] : &null);
  }

  static void commit(void* self, const sub0_run* run) {
    ScriptPlugin& plugin = *static_cast<ScriptPlugin*>(self);
    const json::Value null = json::null();
    if (plugin.on_commit) {
      plugin.on_commit(*run);
    } else {
      plugin.host->complete(plugin.host, run->ticket, &null);
    }
  }
  static void rollback(void* self, std::uint64_t call_id) {
    static_cast<ScriptPlugin*>(self)->rolled_back.push_back(call_id);
  }
  static constexpr sub0_call_hooks kHooks{sizeof(sub0_call_hooks), 0, commit, rollback};

  sub0_handler mode_{}, effect_{};
  const sub0_handler* handlers_[2] = {&mode_, &effect_};
};

/// Writes down replies and broadcasts, in the order in which they come.
class Transport final : public ReplyPort, public BroadcastPort {
 public:
  void deliver(const Sender&, const Reply& reply) override {
    std::string line = std::to_string(reply.status);
    if (reply.code != Code::kOk) line += " " + std::string(codeInfo(reply.code).name);
    line += " " + (reply.data == nullptr ? "-" : json::toString(*reply.data));
    log.push_back(line);
    messages.emplace_back(reply.message);
    details.assign(reply.details.begin(), reply.details.end());
    allow = reply.allow;
    retry_after_s = reply.retry_after_s;
  }
  std::uint64_t count(const Broadcast&, const Sender&) override { return recipients; }
  void send(const Broadcast& broadcast, const Sender&) override {
    std::string line = "broadcast " + std::string(broadcast.action) + " to";
    if (broadcast.audience == Audience::kAll) line += " all";
    for (const auto uid : broadcast.uids) line += " " + std::string(uid);
    log.push_back(line);
    broadcast_data.push_back(broadcast.data == nullptr ? "-" : json::toString(*broadcast.data));
  }

  std::vector<std::string> log, messages, details, broadcast_data;
  std::string allow;
  int retry_after_s = 0;
  std::uint64_t recipients = 3;
};

class CallRig {
 public:
  explicit CallRig(const std::string& resources, bool reads_only = true,
                   std::uint32_t mode_flags = 0, bool takes_part = true) {
    script.reads_only = reads_only;
    script.takes_part = takes_part;
    script.setModeFlags(mode_flags);
    EXPECT_TRUE(rig.registry.add(&script.descriptor));
    EXPECT_TRUE(rig.registry.createAll(
        rig.host, [](std::string_view) { return std::optional<std::string>(); }));
    plans = compile(resources);
    Options call_options;
    call_options.deadline_ms = 1000;
    call_options.max_bulk_uids = 4;
    call_options.hash_pool = &hash_pool;
    call_options.max_bcrypt_cost = 6;
    call_options.cache = &cache;
    call_options.rate_limits = &rate_limits;
    calls = std::make_unique<Calls>(rig.loop, rig.tickets, transport, plans, call_options);
    rig.host.setBroadcastSink(0, calls.get());
    EXPECT_TRUE(rig.registry.startAll());
  }
  ~CallRig() {
    calls.reset();
    plans.reset();
    while (hash_pool.runOne()) continue;
  }

  /// The plan set of a project with this one file.
  std::shared_ptr<const PlanSet> compile(const std::string& resources,
                                         bool expects_errors = false) {
    dialect::LoadOptions options;
    options.modes = {{"STEP", "step"}};
    options.effects = {{"after"}};
    options.environment = [](std::string_view name) -> std::optional<std::string> {
      return name == "KEY" ? std::optional<std::string>(kSecret) : std::nullopt;
    };
    dialect::MemoryFiles files({{"p/resources/a.json", resources}});
    project = dialect::Project::load(files, "p", options, problems);
    auto compiled = PlanSet::compile(project, rig.registry, problems);
    EXPECT_EQ(problems.hasErrors(), expects_errors) << problems.toText();
    return compiled;
  }

  /// A request whose texts live as long as the rig.
  Request request(const std::string& resource, const std::string& payload = "") {
    Request made;
    made.reply_port = &transport;
    made.sender.connection = 7;
    made.resource = keep(resource);
    made.method = "POST";
    made.content_type = "application/json";
    if (!payload.empty()) made.payload_json = keep(payload);
    return made;
  }
  Request socketRequest(const std::string& resource, const std::string& payload,
                        const std::string& uid) {
    Request made = request(resource, payload);
    made.method = made.content_type = {};
    made.sender.is_socket = true;
    made.payload_is_valid = true;
    made.uid = keep(uid);
    return made;
  }

  /// Dispatches within a turn, as a loop does.
  void dispatch(const Request& made) {
    rig.loop.post([&] { calls->dispatch(made); });
    rig.loop.turn(0);
  }
  void turn() { rig.loop.turn(0); }
  /// All hashes that are waited for, and those that these lead to. How many there were.
  int hash() {
    int count = 0;
    for (; hash_pool.runOne(); ++count) turn();
    return count;
  }
  void pass(std::int64_t ms) {
    rig.io.clock_ns += ms * 1'000'000;
    rig.loop.turn(0);
  }
  std::string token(const std::string& claims) {
    return *auth::issueToken(*auth::Key::create(auth::Algorithm::kHs256, kSecret),
                             dialect::valueOf(claims), 0, 1000);
  }
  std::string_view keep(const std::string& text) {
    texts_.push_back(std::make_unique<std::string>(text + std::string(json::kPadding, ' ')));
    return std::string_view(*texts_.back()).substr(0, text.size());
  }

  static constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";
  ScriptPlugin script;
  plugin::test::Rig rig;
  loop::Pool hash_pool{0, 3};  // has no threads: see hash()
  store::LocalCache cache{std::size_t{1} << 20};
  store::LocalRateLimits rate_limits{1000, "secret"};
  Transport transport;
  dialect::Problems problems;
  std::shared_ptr<const dialect::Project> project;
  std::shared_ptr<const PlanSet> plans;
  std::unique_ptr<Calls> calls;

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
};

}  // namespace sub0::call::test
