// SPDX-License-Identifier: Apache-2.0
// Reads `cacheable` (S-93) and `rate_limit` (S-94), and refuses them where they could not be kept
// to. Their values are compiled with the plan.
#include <string>
#include <utility>

#include "dialect/control_declarations.hpp"
#include "dialect/resource_reader.hpp"

namespace sub0::dialect {
namespace {

std::int64_t wholeOf(const json::Value& object, std::string_view key) {
  const json::Value* value = json::find(object, key);
  return value != nullptr && value->type == SUB0_INT ? value->as.i : 1;
}

/// What the four keys of `object`, which stands at `pointer`, say.
Cacheable readKeys(const json::Value& object, const std::string& pointer) {
  Cacheable read;
  const json::Value* key = json::find(object, "cache_key");
  if (key != nullptr) read.key = {key, pointer + "/cache_key"};
  read.duration_s = wholeOf(object, "duration");
  if (json::find(object, "read_from_cache") != nullptr) {
    read.reads = boolOf(object, "read_from_cache");
  }
  const json::Value* list = json::find(object, "invalidate_cache_keys");
  const std::string here = pointer + "/invalidate_cache_keys";
  if (list != nullptr && json::isText(*list)) read.invalidations.push_back({list, here});
  if (list == nullptr || !json::isArray(*list)) return read;
  for (std::size_t i = 0; i < list->count; ++i) {
    read.invalidations.push_back({&list->as.items[i], here + "/" + std::to_string(i)});
  }
  return read;
}

std::optional<Cacheable> readObject(const json::Value& owner, const std::string& pointer) {
  const json::Value* source = json::find(owner, "cacheable");
  if (source == nullptr || !json::isObject(*source)) return std::nullopt;
  return readKeys(*source, pointer + "/cacheable");
}

}  // namespace

void readCacheable(Actionable& action, const Resource& resource, const ReadContext& context) {
  action.cacheable = readObject(*action.source, action.pointer);
  std::string direct;
  for (const KeyDeclaration& key : kOfCacheable) {
    if (direct.empty() && json::find(*action.source, key.name) != nullptr) direct = key.name;
  }
  if (!direct.empty()) {
    const Place place = resource.file->atKey(action.pointer + "/" + direct);
    if (action.cacheable) {
      context.problems.error(place, "S-93",
                             "\"" + direct + "\" stands beside \"cacheable\": put it inside");
    } else {
      context.problems.warning(place, "S-93",
                               "\"" + direct +
                                   "\" is a key of cacheable; it means the same here, but is "
                                   "better written inside \"cacheable\": {}");
      action.cacheable = readKeys(*action.source, action.pointer);
    }
  }
  if (!action.cacheable || !action.run_in_background) return;
  context.problems.error(action.place, "S-93",
                         "an action that runs in the background cannot be cacheable: nobody waits "
                         "for its result, and what it changes is not done when the call ends; let "
                         "the whole resource run in the background");
}

void readControls(Resource& resource, const ReadContext& context) {
  resource.cacheable = readObject(*resource.source, resource.pointer);
  if (resource.cacheable && resource.cacheable->key.value != nullptr) {
    const Spot place{resource.file, resource.cacheable->key.pointer};
    if (resource.run_in_background) {
      context.problems.error(place, "S-93",
                             "a resource that runs in the background answers before there is a "
                             "result: take cache_key away");
    }
    if (resource.issuesToken()) {
      context.problems.error(place, "S-93",
                             "the result of a resource that issues tokens is one caller's own and "
                             "cannot be kept for others; make an action cacheable instead");
    }
  }
  const json::Value* limit = json::find(*resource.source, "rate_limit");
  if (limit == nullptr || !json::isObject(*limit)) return;
  resource.rate_limit.emplace();
  resource.rate_limit->limit = wholeOf(*limit, "limit");
  resource.rate_limit->expires_after_s = wholeOf(*limit, "expires_after");
  const json::Value* identifier = json::find(*limit, "identifier");
  resource.rate_limit->identifier = {identifier, resource.pointer + "/rate_limit/identifier"};
}

}  // namespace sub0::dialect
