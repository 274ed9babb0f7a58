// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/time_units.hpp"
#include "call/plan.hpp"
#include "dialect/accessor.hpp"

namespace sub0::call {
namespace {

class ControlCompiler {
 public:
  ControlCompiler(const dialect::Project& project, Plan& plan, dialect::Problems& problems)
      : project_(project), plan_(plan), problems_(problems), needs_of_actions_(plan.needs) {}

  bool compile() {
    const std::size_t errors_before = problems_.errorCount();
    for (PlanAction& action : plan_.actions) compileAction(action);
    compileResource();
    compileRateLimit();
    compileParallel();
    plan_.is_guarded = plan_.resource->protection || plan_.rate || plan_.revocation;
    return problems_.errorCount() == errors_before;
  }

 private:
  /// Its plugin is a database's, and it does more than read.
  static bool writes(const PlanAction& action) {
    const plugin::PreparedAction& prepared = action.run.prepared;
    return prepared.handler != nullptr && prepared.handler->plugin->call_hooks != nullptr &&
           !prepared.reads_only;
  }

  void compileAction(PlanAction& action) {
    const dialect::Actionable& model = *action.model;
    if (model.cacheable) {
      const auto context = project_.contextOf(model, problems_);
      action.cache = compileCache(*model.cacheable, context, needsOfResult(action));
      if (!model.hashables.empty() && action.cache->key) {
        refuseKey(*context.file, *model.cacheable,
                  "the result of an action with hashables cannot be kept: others would read the "
                  "hash out of it");
      }
      if (action.cache->key && action.cache->reads && writes(action)) {
        problems_.warning(context.file->at(model.cacheable->key.pointer), "S-93",
                          "what is found under this key is not executed: the statement, which "
                          "writes, has an effect in the first call alone; take cacheable away, or "
                          "give it \"read_from_cache\": false");
      }
    }
    action.starts_specially = action.cache || model.run_in_background;
    action.has_sequel = action.cache || !action.effects.empty();
  }

  /// What it depends on: its inputs, and those of the actions whose results go into them.
  dialect::Needs needsOfResult(const PlanAction& action) const {
    dialect::Needs needs;
    std::vector<bool> is_seen(plan_.actions.size(), false);
    std::vector<const PlanAction*> open{&action};
    while (!open.empty()) {
      const PlanAction& next = *open.back();
      open.pop_back();
      for (const auto& input : next.run.inputs) needs.merge(input.needs());
      for (const auto& dependency : next.model->depends_on) {
        if (dependency.extractions.empty()) continue;
        for (const std::size_t source : dependency.actions) {
          if (!is_seen[source]) open.push_back(&plan_.actions[source]);
          is_seen[source] = true;
        }
      }
    }
    return needs;
  }

  void compileResource() {
    const dialect::Resource& resource = *plan_.resource;
    if (resource.cacheable) {
      const auto context = project_.contextOf(resource, problems_);
      plan_.cache = compileCache(*resource.cacheable, context, needs_of_actions_);
      if (plan_.cache->key && plan_.cache->reads) warnOfWhatIsNotDone();
      if (plan_.cache->key) refuseWhatMustBeDone();
      plan_.drops_many =
          std::any_of(plan_.cache->invalidations.begin(), plan_.cache->invalidations.end(),
                      [](const ComposedName& name) { return name.mayBeSeveral(); });
    }
    const bool looks = plan_.cache && plan_.cache->key;
    plan_.begins_specially = looks || resource.run_in_background || plan_.drops_many;
    plan_.validates_behind_cache = looks && plan_.validates_first;
    plan_.validates_first = plan_.validates_first && !looks;
  }

  CachePlan compileCache(const dialect::Cacheable& model, const dialect::CompileContext& context,
                         const dialect::Needs& needs_of_cached) {
    CachePlan cache;
    cache.reads = model.reads;
    cache.duration_ns = model.duration_s * kNsPerSecond;
    if (model.key.value != nullptr && json::isText(*model.key.value)) {
      cache.key = compileName(model.key, context);
      warnOfKey(*cache.key, *context.file, model.key.pointer, needs_of_cached);
    }
    for (const auto& placed : model.invalidations) {
      if (json::isText(*placed.value)) {
        cache.invalidations.push_back(compileName(placed, context));
      }
    }
    plan_.ends_specially = true;
    plan_.borrows = false;  // it may wait for another call's result, and the reply with it
    return cache;
  }

  ComposedName compileName(const dialect::PlacedValue& placed,
                           const dialect::CompileContext& context) {
    auto compiled = ComposedName::compile(*placed.value, placed.pointer, context);
    addNeeds(compiled.needs());
    return compiled;
  }

  void addNeeds(const dialect::Needs& needs) {
    plan_.needs.merge(needs);
    if (needs.payloadParsed(false)) plan_.parses_payload = true;
  }

  /// Whose result it is must not be the client's word alone.
  void warnOfKey(const ComposedName& key, const dialect::SourceFile& file,
                 const std::string& pointer, const dialect::Needs& needs_of_cached) {
    const dialect::Needs& needs = key.needs();
    if (needs.generators || needs.datetime) {
      problems_.warning(file.at(pointer), "S-93",
                        "this key is another one in every call: nothing is ever found under it");
    }
    const bool is_protected = plan_.resource->protection.has_value();
    if (needs.claims || (needs.connection && !is_protected)) return;
    const std::string advice = is_protected ? "add $PROTECTED.id to it"
                                            : "protect the resource, and add $PROTECTED.id to it";
    const auto warn = [&](const std::string& message) {
      problems_.warning(file.at(pointer), "S-93", message + advice);
    };
    if (needs.connection) {
      warn(
          "this key tells connections apart, not callers: over HTTP there is no uid, a proxy's "
          "connection is of many, and on a socket the client may choose the uid; ");
      return;
    }
    const bool is_chosen = needs.payload_fields || needs.payload_whole || !needs.headers.empty();
    const bool is_of_caller =
        needs_of_cached.claims || needs_of_cached.connection || needs_of_cached.payload_id;
    if (is_chosen && (is_protected || needs_of_cached.payload_id)) {
      warn(
          "the client alone chooses this key: whoever sends what another one sent gets that one's "
          "result; ");
    } else if (key.isConstant() && is_of_caller) {
      warn(
          "the result depends on who calls, and this key does not: all callers get that of the "
          "first; ");
    }
  }

  void refuseKey(const dialect::SourceFile& file, const dialect::Cacheable& cacheable,
                 std::string message) {
    problems_.error(file.at(cacheable.key.pointer), "S-93", std::move(message));
  }

  /// Behind what is answered from the cache no password is compared and no token revoked.
  void refuseWhatMustBeDone() {
    const dialect::Resource& resource = *plan_.resource;
    // Of its own ones the dialect has said so.
    const auto compares = [](const PlanAction& action) {
      return action.model->home != nullptr && !action.model->verify_hashables.empty();
    };
    if (std::any_of(plan_.actions.begin(), plan_.actions.end(), compares)) {
      refuseKey(*resource.file, *resource.cacheable,
                "a call that is answered from the cache would not compare what verify_hashables of "
                "another resource's action compares: take cache_key away");
    }
    if (resource.invalidation) {
      refuseKey(*resource.file, *resource.cacheable,
                "the result of a resource with invalidate_tokenize cannot be kept: a token is "
                "revoked by each call");
    }
  }

  void warnOfWhatIsNotDone() {
    const auto is_missed = [](const PlanAction& action) {
      return !action.effects.empty() || action.model->run_in_background || writes(action);
    };
    const auto missed = std::find_if(plan_.actions.begin(), plan_.actions.end(), is_missed);
    if (missed == plan_.actions.end()) return;
    const dialect::Resource& resource = *plan_.resource;
    problems_.warning(resource.file->at(resource.cacheable->key.pointer), "S-93",
                      "a call that is answered from the cache runs no action: what action " +
                          std::to_string(missed->model->id) +
                          " writes, broadcasts, or does in the background, does not happen then");
  }

  /// Accessors with text around them.
  static bool isComposed(const json::Value& written) {
    if (!json::isText(written)) return false;
    const std::string_view text = json::chars(written);
    const auto accessors = dialect::findAccessors(text, nullptr);
    return accessors.size() > 1 ||
           (accessors.size() == 1 && accessors[0].end - accessors[0].begin < text.size());
  }

  void compileRateLimit() {
    const auto& model = plan_.resource->rate_limit;
    if (!model || model->identifier.value == nullptr) return;
    plan_.rate.emplace();
    RatePlan& rate = *plan_.rate;
    rate.limit = model->limit;
    rate.window_ns = model->expires_after_s * kNsPerSecond;
    const auto& [written, pointer] = model->identifier;
    const auto context = project_.contextOf(*plan_.resource, problems_);
    if (isComposed(*written)) {
      rate.composed =
          ComposedName::compile(*written, pointer, context, ComposedName::Missing::kEmpty);
    } else {
      rate.identifier = dialect::Parameter::compile(*written, pointer, context);
    }
    const dialect::Needs& needs = rate.composed ? rate.composed->needs() : rate.identifier.needs();
    rate.needs_claims = needs.claims;
    rate.needs_payload = needs.payloadParsed(false);
    addNeeds(needs);
    if (needs.generators || needs.datetime) {
      problems_.warning(plan_.resource->file->at(model->identifier.pointer), "S-94",
                        "this identifier is another one in every call: nobody is ever limited");
    }
    if (json::isText(*written) && json::chars(*written) == "$CONNECTION.uid") {
      problems_.warning(plan_.resource->file->at(model->identifier.pointer), "S-94",
                        "over HTTP there is no uid, so that all calls share one window, and on a "
                        "socket the client may choose another one; count by $HEADER.ip or "
                        "$PROTECTED.id");
    }
  }

  /// S-20. A transaction is of one connection, which does one thing at a time.
  void compileParallel() {
    const dialect::Resource& resource = *plan_.resource;
    if (!resource.parallel) return;
    const auto place = [&] { return resource.file->atKey(resource.pointer + "/parallel"); };
    if (resource.transaction) {
      problems_.warning(place(), "S-20",
                        "parallel does nothing beside transaction: the actions of a transaction "
                        "run one after another");
      return;
    }
    const auto is_repeated = [](const PlanAction& action) { return action.model->retries > 0; };
    if (std::any_of(plan_.actions.begin(), plan_.actions.end(), is_repeated)) {
      problems_.error(place(), "S-40",
                      "parallel together with retries is not supported yet; take one of them away");
    }
    if (plan_.has_hashes) {
      problems_.error(place(), "S-40",
                      "parallel together with hashables or verify_hashables is not supported yet; "
                      "take one of them away");
    }
    plan_.is_parallel = plan_.begins_specially = plan_.ends_specially = true;
  }

  const dialect::Project& project_;
  Plan& plan_;
  dialect::Problems& problems_;
  const dialect::Needs needs_of_actions_;
};

}  // namespace

bool compileControls(const dialect::Project& project, Plan& plan, dialect::Problems& problems) {
  return ControlCompiler(project, plan, problems).compile();
}

}  // namespace sub0::call
