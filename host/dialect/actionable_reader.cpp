// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "dialect/keys.hpp"
#include "dialect/resource_reader.hpp"
#include "dialect/suggest.hpp"

namespace sub0::dialect {

namespace {

// The key that the dialect declares for `mode`, whoever offers it; null if it names no such mode.
const KeyDeclaration* findDeclaredMode(std::string_view mode) {
  const ObjectDeclaration& keys = actionableDeclaration();
  const auto* const found = std::find_if(
      keys.begin(), keys.end(), [&](const KeyDeclaration& key) { return key.mode == mode; });
  return found == keys.end() ? nullptr : found;
}

bool isDeclaredEffect(std::string_view name) {
  const KeyDeclaration* const key = actionableDeclaration().find(name);
  return key != nullptr && key->is_effect;
}

bool isDeclaredModeKey(std::string_view name) {
  const KeyDeclaration* const key = actionableDeclaration().find(name);
  return key != nullptr && !key->mode.empty();
}

const ModeDeclaration* findOffered(const LoadOptions& options, std::string_view mode) {
  const auto found = std::find_if(options.modes.begin(), options.modes.end(),
                                  [&](const ModeDeclaration& one) { return one.mode == mode; });
  return found == options.modes.end() ? nullptr : &*found;
}

bool isOfferedEffect(const LoadOptions& options, std::string_view key) {
  return std::any_of(options.effects.begin(), options.effects.end(),
                     [&](const EffectDeclaration& one) { return one.key == key; });
}

bool isModeKey(const LoadOptions& options, std::string_view key) {
  return isDeclaredModeKey(key) ||
         std::any_of(options.modes.begin(), options.modes.end(),
                     [&](const ModeDeclaration& one) { return one.config_key == key; });
}

std::string withHint(std::string message, const LoadOptions& options) {
  if (!options.plugin_hint.empty()) message += "; " + options.plugin_hint;
  return message;
}

// " (its "http" is at line 3, column 7)" where the key of the mode is there.
std::string placeOfKey(const Actionable& action, std::string_view key, const Resource& resource) {
  if (json::find(*action.source, key) == nullptr) return {};
  const Place place = resource.file->atKey(action.pointer + "/" + std::string(key));
  return " (its \"" + std::string(key) + "\" is at line " + std::to_string(place.position.line) +
         ", column " + std::to_string(place.position.column) + ")";
}

// Nobody offers the mode: says who needs it, where its configuration stands, what there is instead.
void reportMode(const Actionable& action, const Resource& resource, const ReadContext& context) {
  std::vector<std::string_view> candidates;
  std::string offered;
  for (const ModeDeclaration& one : context.options.modes) {
    candidates.push_back(one.mode);
    offered += (offered.empty() ? "" : ", ") + one.mode;
  }
  for (const KeyDeclaration& key : actionableDeclaration()) {
    if (!key.mode.empty()) candidates.push_back(key.mode);
  }
  std::string message = "resource \"" + resource.id + "\" needs mode \"" + action.mode + "\"";
  const KeyDeclaration* const declared = findDeclaredMode(action.mode);
  if (declared != nullptr) message += placeOfKey(action, declared->name, resource);
  message += ", which no loaded plugin offers";
  if (declared != nullptr && declared->is_of_later_plugin) {
    message += "; a later version will";
  }
  if (!offered.empty()) message += "; there are " + offered;
  std::string suggestion = suggest(action.mode, candidates);
  if (suggestion == action.mode) suggestion.clear();
  context.problems.error(action.mode_place, "S-40", withHint(std::move(message), context.options),
                         std::move(suggestion));
}

void readMode(Actionable& action, const Resource& resource, const ReadContext& context) {
  action.mode = textOf(*action.source, "mode");
  action.mode_place = {resource.file, action.pointer + "/mode"};
  if (action.mode.empty()) return;  // reported by its declaration
  const ModeDeclaration* offered = findOffered(context.options, action.mode);
  if (offered == nullptr) {
    reportMode(action, resource, context);
    return;
  }
  action.config_key = offered->config_key;
  action.config = json::find(*action.source, action.config_key);
  if (action.config == nullptr && !action.config_key.empty()) {
    const KeyDeclaration* const key = actionableDeclaration().find(action.config_key);
    context.problems.error(resource.file->at(action.pointer), key == nullptr ? "S-40" : key->rule,
                           "mode " + action.mode + " needs \"" + action.config_key + "\"" +
                               (key == nullptr ? "" : ": " + std::string(key->text)));
  }
}

void readEffects(Actionable& action, const Resource& resource, const ReadContext& context) {
  for (std::size_t i = 0; i < action.source->count; ++i) {
    const json::Member& member = action.source->as.members[i];
    const std::string key(json::toText(member.key));
    std::string pointer = action.pointer;
    json::appendPointerSegment(pointer, key);
    if (isOfferedEffect(context.options, key)) {
      action.effects.emplace_back(key, &member.value);
    } else if (isDeclaredEffect(key)) {
      context.problems.error(resource.file->atKey(pointer), "S-40",
                             withHint("resource \"" + resource.id + "\" needs \"" + key +
                                          "\", which no loaded plugin offers",
                                      context.options));
    } else if (!action.config_key.empty() && key != action.config_key &&
               !json::isNull(member.value) && isModeKey(context.options, key)) {
      context.problems.strictWarning(context.options.strict, resource.file->atKey(pointer), "S-2",
                                     "\"" + key + "\" does nothing in mode " + action.mode);
    }
  }
}

// S-90: those of the resource are each action's, but of a transaction the whole is done again.
void readRetries(Actionable& action, const Resource& resource, const ReadContext& context) {
  const std::uint32_t own = smallNumberOf(*action.source, "retries");
  if (own > 0 && resource.transaction) {
    context.problems.error(resource.file->at(action.pointer + "/retries"), "S-90",
                           "an action of a transaction is not tried again alone: the database has "
                           "undone what came before it; write \"retries\" on the resource");
  } else if (!resource.transaction) {
    action.retries = json::find(*action.source, "retries") == nullptr ? resource.retries : own;
  }
}

// S-91: nobody waits for it, so nothing can be made of its result.
void readBackground(Actionable& action, const Resource& resource, const ReadContext& context) {
  action.run_in_background = boolOf(*action.source, "run_in_background");
  if (!action.run_in_background) return;
  const auto refuse = [&](std::string_view key, std::string_view why) {
    context.problems.error(resource.file->at(action.pointer + "/" + std::string(key)), "S-91",
                           "an action that runs in the background " + std::string(why));
  };
  if (action.must_return_value) {
    refuse("must_return_value", "has no result that could be asked for");
  }
  if (action.main_returnable) refuse("main_returnable", "never is the result of a call");
  if (smallNumberOf(*action.source, "retries") > 0) {
    refuse("retries", "is tried once; to try again, let the whole resource run in the background");
  }
  action.retries = 0;
}

}  // namespace

Actionable readActionable(const json::Value& source, const std::string& pointer,
                          const Resource& resource, const ReadContext& context) {
  const std::size_t errors_before = context.problems.errorCount();
  Actionable action;
  action.source = &source;
  action.pointer = pointer;
  action.place = {resource.file, pointer};

  std::vector<std::string> plugin_keys;
  for (const ModeDeclaration& one : context.options.modes) plugin_keys.push_back(one.config_key);
  for (const EffectDeclaration& one : context.options.effects) plugin_keys.push_back(one.key);
  const KeyCheck check{*resource.file, context.problems, context.options.strict, &plugin_keys};
  (void)checkObject(source, actionableDeclaration(), pointer, check);

  const json::Value* id = json::find(source, "id");
  if (id != nullptr && id->type == SUB0_INT) action.id = id->as.i;
  action.bypass_payload_validation = boolOf(source, "bypass_payload_validation");
  action.no_op = boolOf(source, "no_op");
  action.must_return_value = boolOf(source, "must_return_value");
  action.main_returnable = boolOf(source, "main_returnable");
  readRetries(action, resource, context);
  readBackground(action, resource, context);
  readCacheable(action, resource, context);
  action.returnables = textsOf(source, "returnables");
  readMode(action, resource, context);
  readEffects(action, resource, context);
  readHashables(action, resource, context);
  const json::Value* validation = json::find(source, "payload_validation");
  if (validation != nullptr) {
    action.validation = Validation::compile(*validation, pointer + "/payload_validation",
                                            *resource.file, context.problems);
  }
  action.is_sound = context.problems.errorCount() == errors_before;
  return action;
}

}  // namespace sub0::dialect
