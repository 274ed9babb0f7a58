// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/script_plugin.hpp"

#include <cassert>
#include <stdexcept>
#include <utility>

#include "json/value.hpp"

namespace sub0::simulation {
namespace {

ScriptPlugin* g_creating = nullptr;  // create() has no self yet

std::uint64_t wholeOf(const sub0_value* value) {
  if (value == nullptr) return 0;
  if (value->type == SUB0_INT) return static_cast<std::uint64_t>(value->as.i);
  return 0;
}

/// A row as the model has it; alive as long as this.
struct Row {
  sub0_member members[6];
  std::string last;
  sub0_value value;

  Row(std::uint64_t call, std::int64_t id, const std::vector<sub0_value>& deps,
      const std::string& pad)
      : last("k" + std::to_string(id)) {
    const auto whole = json::integer(static_cast<std::int64_t>(call));
    members[0] = {json::toView("n"), whole};
    members[1] = {json::toView("a"), json::integer(id)};
    members[2] = {json::toView("x"), json::integer(id)};
    members[3] = {json::toView("d"), json::array(deps.data(), deps.size())};
    members[4] = {json::toView("pad"), json::text(pad)};
    members[5] = {json::toView(last), json::integer(1)};
    value = json::object(members, 6);
  }
};

struct BlobOwner {
  std::string pad;
  std::vector<sub0_value> deps;
  std::unique_ptr<Row> row;
};

}  // namespace

ScriptPlugin::ScriptPlugin(World& world, Judge& judge) : world_(world), judge_(judge) {
  g_creating = this;
  fill(script_, SUB0_MODE, SUB0_PLACE_LOOP, "SCRIPT", "script", 0);
  fill(pool_, SUB0_MODE, SUB0_PLACE_POOL, "POOL", "pool", 0);
  fill(few_, SUB0_MODE, SUB0_PLACE_LOOP, "FEW", "few", 2);
  fill(effect_, SUB0_EFFECT, SUB0_PLACE_LOOP, "script_effect", "script_effect", 0);
  descriptor_.struct_size = sizeof descriptor_;
  descriptor_.abi_minor = SUB0_ABI_MINOR;
  descriptor_.id = json::toView("test.script");
  descriptor_.version = json::toView("1.0.0");
  descriptor_.handler_count = 4;
  descriptor_.handlers = handlers_;
  descriptor_.create = [](const sub0_host* host, const sub0_value*, void** self) -> int32_t {
    ScriptPlugin& plugin = *g_creating;
    plugin.host_ = host;
    plugin.loop_table_ = static_cast<const sub0_loop*>(host->extension(host, SUB0_LOOP_EXTENSION));
    plugin.pool_table_ = static_cast<const sub0_pool*>(host->extension(host, SUB0_POOL_EXTENSION));
    plugin.broadcast_table_ =
        static_cast<const sub0_broadcast*>(host->extension(host, SUB0_BROADCAST_EXTENSION));
    plugin.end_of_turn_.resize(plugin.loops().count(host));
    *self = &plugin;
    return plugin.loops().set_hooks(host, &plugin.hooks_, &plugin);
  };
  descriptor_.start = [](void*) -> int32_t { return SUB0_OK; };
  descriptor_.stop = [](void* self, uint64_t) { static_cast<ScriptPlugin*>(self)->endAll(); };
  descriptor_.destroy = [](void*) {};
  descriptor_.extension = [](void*, const char*) -> const void* { return nullptr; };
  hooks_.struct_size = sizeof hooks_;
  hooks_.loop_start = [](void*, uint32_t) {};
  hooks_.loop_stop = [](void*, uint32_t) {};
  hooks_.end_of_turn = [](void* user, uint32_t loop) {
    static_cast<ScriptPlugin*>(user)->endTurn(loop);
  };
}

ScriptPlugin::~ScriptPlugin() = default;

void ScriptPlugin::fill(sub0_handler& handler, std::uint16_t kind, std::uint16_t placement,
                        const char* name, const char* key, std::uint32_t max_running) {
  handler.struct_size = sizeof handler;
  handler.kind = kind;
  handler.placement = placement;
  handler.max_running = max_running;
  handler.name = json::toView(name);
  handler.config_key = json::toView(key);
  handler.prepare = prepare;
  handler.run = [](void* action, const sub0_run* run) {
    Action& made = *static_cast<Action*>(action);
    if (made.kind == Kind::kEffect) {
      made.plugin->runEffect(made, *run);
    } else {
      made.plugin->run(made, *run);
    }
  };
  handler.cancel = [](void* action, sub0_ticket ticket) {
    static_cast<Action*>(action)->plugin->world_.note("plugin", ticket >> 32, "is told to cancel");
  };
  handler.release = [](void* action) { delete static_cast<Action*>(action); };
}

std::int32_t ScriptPlugin::prepare(void* self, sub0_preparation* p, const sub0_value* config,
                                   void** action) {
  auto made = std::make_unique<Action>();
  made->plugin = static_cast<ScriptPlugin*>(self);
  const sub0_value* ms = json::find(*config, "ms");
  made->kind = ms != nullptr ? Kind::kEffect : Kind::kMode;
  made->effect_ms = static_cast<std::int64_t>(wholeOf(ms));
  made->index = wholeOf(json::find(*config, "index"));
  made->id = static_cast<std::int64_t>(wholeOf(json::find(*config, "a")));
  if (made->kind == Kind::kMode) {
    const sub0_text_view pointer = json::toView("/in");
    const std::int32_t input = p->input(p, &pointer, SUB0_RULE_TEMPLATE);
    made->input = static_cast<std::uint32_t>(input);
  }
  *action = made.release();
  return SUB0_OK;
}

void ScriptPlugin::run(const Action& action, const sub0_run& run) {
  const sub0_value& input = run.inputs[action.input];
  auto& pending = *pending_.emplace_back(std::make_unique<Pending>());
  pending.place = std::prev(pending_.end());
  pending.plugin = this;
  pending.ticket = run.ticket;
  pending.call = wholeOf(json::find(input, "n"));
  pending.deadline_ns = static_cast<std::int64_t>(run.deadline_ns);
  pending.how = How::parse(json::chars(*json::find(input, "how")));
  pending.id = action.id;
  pending.pad = json::chars(*json::find(input, "pad"));
  const sub0_value* deps = json::find(input, "d");
  for (std::uint32_t i = 0; i < deps->count; ++i) pending.deps.push_back(deps->as.items[i]);
  world_.note("plugin", pending.call, "runs, how", action.index, pending.how.toText());
  judge_.runStarted(pending.call, action.index, pending.deadline_ns);
  if (pending.how.ending == Ending::kThrow) {
    judge_.runThrew(pending.call);
    pending_.erase(pending.place);
    throw std::runtime_error("as the payload says");
  }
  const std::uint64_t call = pending.call;
  schedule(pending);
  world_.mayBePreempted();  // who ends it may be done before run() has returned
  if (wholeOf(json::find(input, "n")) != call) {
    world_.fail("tickets", "call " + std::to_string(call) + ": inputs went before run() returned");
  }
}

void ScriptPlugin::schedule(Pending& pending) {
  const std::int64_t delay_ns = pending.how.ms * kMs;
  switch (pending.how.ending) {
    case Ending::kNever:
      return;
    case Ending::kNow:
    case Ending::kNull:
    case Ending::kFail:
    case Ending::kTwice:
    case Ending::kThrow:
    case Ending::kBlob:
      end(pending);
      return;
    case Ending::kLater: {
      std::uint64_t timer = 0;
      const std::int32_t status = loops().start_timer(
          host_, static_cast<std::uint64_t>(pending.how.ms),
          [](void* user) {
            auto& made = *static_cast<Pending*>(user);
            made.plugin->end(made);
          },
          &pending, &timer);
      if (status != SUB0_OK) world_.fail("plugin", "start_timer failed on a loop");
      return;
    }
    case Ending::kTurn: {
      const auto loop = static_cast<std::size_t>(loops().current(host_));
      end_of_turn_[loop].push_back(&pending);
      if (loops().request_end_of_turn(host_) != SUB0_OK) {
        world_.fail("plugin", "request_end_of_turn failed on a loop");
      }
      return;
    }
    case Ending::kPool: {
      const std::int32_t status = pool_table_->submit(
          host_,
          [](void* user) {
            auto& made = *static_cast<Pending*>(user);
            made.plugin->end(made);
          },
          &pending);
      if (status != SUB0_OK) end(pending);
      return;
    }
    case Ending::kPost: {
      const auto loop = static_cast<std::uint32_t>(world_.random().below(loops().count(host_)));
      loops().post(
          host_, loop,
          [](void* user) {
            auto& made = *static_cast<Pending*>(user);
            made.plugin->end(made);
          },
          &pending);
      return;
    }
    case Ending::kThread:
    case Ending::kLate:
    case Ending::kFailLater:
      world_.at(world_.nowNs() + delay_ns, [&pending] { pending.plugin->end(pending); });
      return;
  }
}

void ScriptPlugin::endTurn(std::uint32_t loop) {
  std::vector<Pending*> ended;
  ended.swap(end_of_turn_[loop]);
  for (Pending* pending : ended) end(*pending);
}

void ScriptPlugin::end(Pending& pending) {
  // Off the list before the host hears of it: its inputs may be gone then.
  const auto place = pending.place;
  const std::unique_ptr<Pending> owned = std::move(*place);
  pending_.erase(place);
  if (owned->is_effect) {
    castLate(*owned);
    return;
  }
  complete(*owned, true);
  if (owned->how.ending != Ending::kTwice) return;
  if (owned->how.ms % 2 == 0) {
    complete(*owned, false);
    return;
  }
  auto copy = std::make_shared<Pending>();
  copy->ticket = owned->ticket;
  copy->call = owned->call;
  copy->deadline_ns = owned->deadline_ns;
  world_.at(world_.nowNs() + owned->how.ms * kMs, [this, copy] { complete(*copy, false); });
}

bool ScriptPlugin::fails(const Pending& pending) {
  const Ending ending = pending.how.ending;
  if (ending != Ending::kFail && ending != Ending::kFailLater) return false;
  const std::uint32_t failures = pending.how.failures();
  return failures == 0 || failed_[pending.call]++ < failures;
}

void ScriptPlugin::complete(const Pending& pending, bool is_first) {
  const Ending ending = pending.how.ending;
  std::int32_t status = SUB0_OK;
  if (is_first) judge_.runEnds(pending.call);
  if (fails(pending)) {
    const sub0_error error{
        sizeof(sub0_error), pending.how.code, json::toView("as the payload says"), {}};
    status = host_->fail(host_, pending.ticket, &error);
  } else if (ending == Ending::kNull) {
    const sub0_value null = json::null();
    status = host_->complete(host_, pending.ticket, &null);
  } else if (ending == Ending::kBlob && is_first) {
    auto* owner = new BlobOwner{pending.pad, pending.deps, nullptr};
    owner->row = std::make_unique<Row>(pending.call, pending.id, owner->deps, owner->pad);
    const sub0_blob blob{&owner->row->value,
                         [](void* given) { delete static_cast<BlobOwner*>(given); }, owner};
    status = host_->complete_blob(host_, pending.ticket, &blob);
  } else {
    const Row row(pending.call, pending.id, pending.deps, pending.pad);
    status = host_->complete(host_, pending.ticket, &row.value);
  }
  world_.note("plugin", pending.call, is_first ? "ends, status" : "ends again, status",
              static_cast<std::uint64_t>(status));
  judge_.runEnded(pending.call, status, pending.deadline_ns, is_first);
}

void ScriptPlugin::runEffect(const Action& action, const sub0_run& run) {
  auto& pending = *pending_.emplace_back(std::make_unique<Pending>());
  pending.place = std::prev(pending_.end());
  pending.plugin = this;
  pending.ticket = run.ticket;
  pending.call = wholeOf(json::find(run.inputs[0], "n"));
  pending.deadline_ns = static_cast<std::int64_t>(run.deadline_ns);
  pending.is_effect = true;
  pending.how.ending = Ending::kLater;
  pending.how.ms = action.effect_ms;
  world_.note("plugin", pending.call, "runs a late effect");
  schedule(pending);
}

void ScriptPlugin::castLate(const Pending& pending) {
  sub0_member member{json::toView("n"), json::integer(static_cast<std::int64_t>(pending.call))};
  const sub0_value data = json::object(&member, 1);
  sub0_broadcast_message message{};
  message.struct_size = sizeof message;
  message.type = SUB0_TO_ALL;
  message.action = json::toView("late");
  message.data = &data;
  const std::int32_t status = broadcast_table_->send(host_, pending.ticket, &message, nullptr);
  const bool is_over = world_.nowNs() >= pending.deadline_ns;
  const bool is_here = loops().current(host_) >= 0;  // endAll comes from another thread
  if (status != SUB0_OK && !is_over && is_here) {
    world_.fail("plugin", "an effect may not broadcast: " + std::to_string(status));
  }
  const sub0_value null = json::null();
  host_->complete(host_, pending.ticket, &null);
}

bool ScriptPlugin::isQuiet() const {
  for (const auto& pending : pending_) {
    if (pending->how.ending != Ending::kNever) return false;
  }
  return true;
}

void ScriptPlugin::endAll() {
  for (auto at = pending_.begin(); at != pending_.end();) {
    Pending& pending = **at++;
    if (pending.how.ending == Ending::kNever) end(pending);
  }
}

}  // namespace sub0::simulation
