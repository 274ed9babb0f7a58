// SPDX-License-Identifier: Apache-2.0
// The part of Call that goes on behind its reply (S-91): all of it where the resource runs in the
// background (S-53), else the actions that do. Nobody hears how it ends: failures are logged. It is
// not durable, and does not end with its client.
#include "base/log.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"

namespace sub0::call {
namespace {

constexpr std::uint64_t kMostInBackground = 1000;  // of a loop; the next are `busy`

}  // namespace

/// False: there are too many.
bool Call::enterBackground() {
  if (in_background_) return true;
  if (calls_.inBackground().get() >= kMostInBackground) return false;
  in_background_ = true;
  calls_.inBackground().add();
  return true;
}

void Call::leaveBackground() {
  if (!in_background_) return;
  in_background_ = false;
  calls_.inBackground().subtract();
}

void Call::holdBackground(const PlanAction& action, const json::Value* inputs) {
  auto* held = arena_.make<Held>();
  held->action = &action;
  held->effect = &action.run;
  held->inputs = inputs;
  held->is_background = true;
  held->extracted = scope_.extracted;
  held->extracted_count = scope_.extracted_count;
  (background_last_ != nullptr ? background_last_->next : background_first_) = held;
  background_last_ = held;
}

/// Its own effects come right behind it.
void Call::takeBackground(const Held& held, const plugin::Outcome& outcome) {
  const PlanAction& action = *held.action;
  if (action.effects.empty()) return;
  scope_.extracted = held.extracted;
  scope_.extracted_count = held.extracted_count;
  const auto index = static_cast<std::size_t>(&action - plan_->actions.data());
  if (plan_->has_hashes) scope_.payload = payloadOf(index);
  json::Value& result = results_[index];
  result = outcome.is_in_arena ? outcome.value : json::copy(outcome.value, arena_);
  if (action.is_extracted) result = expandRaw(result);
  holdEffects(action, withoutHashes(index));
}

/// One of them has not ended well.
void Call::endBackground(const Error& error) {
  logBackground(error);
  dropBehindBackground();
}

/// Of an effect, or of an action that runs in the background.
void Call::logEffect(const plugin::Outcome& outcome) const {
  const CodeInfo& code = codeInfo(outcome.code);
  const plugin::Handler& handler = *current_held_->effect->prepared.handler;
  const PlanAction& action = *current_held_->action;
  log::warning(current_held_->is_background ? "background_failed" : "effect_failed",
               outcome.log_message.empty() ? code.message : outcome.log_message,
               {{"code", code.name},
                {"plugin", handler.plugin->id},
                {"handler", handler.name},
                {"resource", plan_->homeOf(action).id},
                {"action", action.model->id}});
}

void Call::logBackground(const Error& error) const {
  if (!calls_.mayLog(*plan_)) return;
  log::warning("background_failed", error.clientMessage(),
               {{"code", codeInfo(error.code).name}, {"resource", plan_->resource->id}});
}

}  // namespace sub0::call
