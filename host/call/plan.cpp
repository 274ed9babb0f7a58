// SPDX-License-Identifier: Apache-2.0
#include "call/plan.hpp"

#include <algorithm>
#include <utility>

#include "dialect/keys.hpp"
#include "plugin/commits.hpp"
#include "plugin/sql_runs.hpp"
#include "sub0/sql.h"

namespace sub0::call {
namespace {

class PlanCompiler {
 public:
  PlanCompiler(const dialect::Project& project, const dialect::Resource& resource,
               const plugin::Registry& registry, Plan& plan, dialect::Problems& problems)
      : project_(project),
        resource_(resource),
        registry_(registry),
        plan_(plan),
        problems_(problems) {}

  bool compile() {
    bool is_sound = true;
    plan_.reads_only = true;
    plan_.borrows = true;
    for (const auto& model : resource_.actionables) {
      plan_.actions.emplace_back();
      plan_.actions.back().model = &model;
      is_sound = compileAction(model, plan_.actions.back()) && model.is_sound && is_sound;
      plan_.validates_first = plan_.validates_first || model.validatesFirst();
      if (!model.validation.empty() && !model.bypass_payload_validation) {
        plan_.parses_payload = true;
      }
    }
    if (resource_.invalidation) is_sound = compileRevocation() && is_sound;
    settleHashes();
    is_sound = compileControls(project_, plan_, problems_) && is_sound;
    plan_.reads_payload =
        plan_.parses_payload || plan_.needs.payload_fields || plan_.needs.payload_whole;
    markExtracted();
    warnOfNoRows(plan_, problems_);
    is_sound = (!resource_.transaction || compileTransaction()) && is_sound;
    plan_.ends_specially =
        plan_.ends_specially || resource_.transaction || plan_.revocation.has_value();
    return is_sound;
  }

 private:
  /// S-22: one plugin at most, and nobody waits for the outside while rows are locked.
  bool compileTransaction() {
    const std::size_t errors_before = problems_.errorCount();
    plugin::Plugin* member = nullptr;
    bool is_whole = true;
    for (const auto& action : plan_.actions) {
      is_whole = is_whole && action.run.prepared.handler != nullptr;
      if (action.run.prepared.handler == nullptr) continue;  // its error was told
      plugin::Plugin& owner = *action.run.prepared.handler->plugin;
      const dialect::Place place = action.model->mode_place;
      if (action.run.prepared.waits) {
        problems_.error(place, "S-22",
                        "an action that waits for the outside cannot be part of a transaction: "
                        "take it into a resource of its own, or leave transaction out");
      }
      if (owner.call_hooks == nullptr) continue;
      if (member != nullptr && member != &owner) {
        problems_.error(place, "S-22",
                        "a transaction is of one database: " + member->id +
                            " takes part already, so an action of " + owner.id + " cannot");
      }
      member = &owner;
    }
    if (member == nullptr && is_whole) {
      problems_.warning(resource_.file->at(resource_.pointer + "/transaction"), "S-22",
                        "no action of this resource takes part in transactions");
    } else if (member != nullptr) {
      plan_.commit.emplace();
      plan_.commit->prepared = plugin::commitOf(*member, resource_.id);
      plan_.borrows = false;  // a commit may end later, and the reply with it
    }
    return problems_.errorCount() == errors_before;
  }

  /// S-74: what is kept needs a database.
  bool compileRevocation() {
    const dialect::Invalidation& model = *resource_.invalidation;
    const std::size_t errors_before = problems_.errorCount();
    const auto database = registry_.extension(SUB0_SQL_EXTENSION);
    if (database.table == nullptr) {
      problems_.error(model.place, "S-74",
                      "revoked tokens are kept in a database, which no loaded plugin offers; load "
                      "query.so");
      return false;
    }
    plan_.revocation.emplace();
    plan_.revocation->expires_after_s = model.expires_after_s;
    plan_.revocation->tokens = dialect::Template::compile(
        *model.tokens, model.place.pointer + "/tokens", project_.contextOf(resource_, problems_));
    plan_.revocation->add.prepared = plugin::sqlRunOf(database, resource_.id);
    plan_.needs.merge(plan_.revocation->tokens.needs());
    if (plan_.revocation->tokens.needs().payloadParsed(false)) plan_.parses_payload = true;
    plan_.reads_only = plan_.borrows = false;
    return problems_.errorCount() == errors_before;
  }

  void markExtracted() {
    for (const auto& model : resource_.actionables) {
      for (const auto& dependency : model.depends_on) {
        if (dependency.extractions.empty()) continue;
        for (const std::size_t source : dependency.actions)
          plan_.actions[source].is_extracted = true;
      }
    }
  }

  /// S-95. In a transaction the first action that runs waits for the hashes of all: nobody holds
  /// rows, or SQLite's one writer, meanwhile.
  void settleHashes() {
    std::vector<std::size_t> all;
    PlanAction* first = nullptr;
    for (const PlanStep& step : plan_.steps) {
      if (step.is_validation) continue;
      PlanAction& action = plan_.actions[step.action];
      if (first == nullptr) first = &action;
      if (action.model->hashables.empty()) continue;
      action.hashed_first = {step.action};
      all.push_back(step.action);
    }
    if (resource_.transaction && first != nullptr) first->hashed_first = std::move(all);
    for (PlanAction& action : plan_.actions) {
      for (const std::size_t hashed : action.hashed_first) {
        action.hash_count += plan_.actions[hashed].model->hashables.size();
      }
      if (action.hash_count == 0 && action.model->verify_hashables.empty()) continue;
      action.has_hashes = plan_.has_hashes = plan_.parses_payload = true;
      action.is_extracted = true;  // its columns are looked at by name
      plan_.borrows = false;       // the pool takes its time
    }
  }

  bool compileAction(const dialect::Actionable& model, PlanAction& action) {
    plugin::Handler* mode = registry_.findMode(model.mode);
    if (mode == nullptr || model.config == nullptr) return false;  // reported by the dialect
    bool is_sound = compileStep(model, *mode, model.config_key, *model.config, action.run);
    const bool hashes = !model.hashables.empty();  // the text of the payload has the clear word
    const bool is_read = model.result_is_read || model.must_return_value;
    const bool effects_accept =
        std::all_of(model.effects.begin(), model.effects.end(), [this](const auto& effect) {
          const plugin::Handler* handler = registry_.findEffect(effect.first);
          return handler == nullptr || handler->acceptsRaw();
        });
    settleInputs(action.run, mode->acceptsRaw() && !is_read && effects_accept && !hashes);
    plan_.reads_only = plan_.reads_only && action.run.prepared.reads_only && model.effects.empty();
    for (const auto& [key, value] : model.effects) {
      plugin::Handler* effect = registry_.findEffect(key);
      if (effect == nullptr) return false;
      action.effects.emplace_back();
      is_sound = compileStep(model, *effect, key, *value, action.effects.back()) && is_sound;
      settleInputs(action.effects.back(), effect->acceptsRaw() && !hashes);
    }
    return is_sound;
  }

  /// Has the plugin compile the action, then compiles the inputs that it declared.
  bool compileStep(const dialect::Actionable& model, plugin::Handler& handler,
                   const std::string& key, const json::Value& config, PreparedStep& step) {
    const dialect::Resource& home = model.home == nullptr ? resource_ : *model.home;
    std::vector<plugin::PrepareProblem> found;
    const bool is_prepared =
        plugin::prepare(handler, config, *model.source, *home.source, step.prepared, found);
    const std::size_t known_count = problems_.all().size();
    for (const auto& problem : found) report(model, key, problem, known_count);
    if (!is_prepared) return false;
    const auto context = project_.contextOf(model, problems_);
    const std::size_t errors_before = problems_.errorCount();
    for (const auto& input : step.prepared.inputs) {
      step.inputs.push_back(compileInput(model, key, input, context));
    }
    // A run on the pool, one that waits for its turn, or for its next attempt, outlives the
    // message.
    plan_.borrows = plan_.borrows && handler.completesInRun() && model.retries == 0 &&
                    !model.run_in_background && !resource_.run_in_background &&
                    step.prepared.placement == plugin::Placement::kLoop &&
                    handler.table->max_running == 0;
    return problems_.errorCount() == errors_before;
  }

  static dialect::Parameter compileInput(const dialect::Actionable& model, const std::string& key,
                                         const plugin::InputDeclaration& input,
                                         const dialect::CompileContext& context) {
    if (input.is_text) {
      return dialect::Parameter(dialect::Template::compileText(input.text, context));
    }
    const std::string pointer = dialect::Project::pointerBelow(model, key, input.text);
    if (input.rule == plugin::InputRule::kParameter) {
      return dialect::Parameter::compile(*input.value, pointer, context);
    }
    return dialect::Parameter(dialect::Template::compile(*input.value, pointer, context));
  }

  void settleInputs(PreparedStep& step, bool allows_raw) {
    step.allows_raw = allows_raw;
    for (const auto& input : step.inputs) {
      plan_.needs.merge(input.needs());
      if (input.needs().payloadParsed(allows_raw)) plan_.parses_payload = true;
    }
  }

  void report(const dialect::Actionable& model, const std::string& key,
              const plugin::PrepareProblem& problem, std::size_t known_count) {
    const std::string pointer = dialect::Project::pointerBelow(model, key, problem.pointer);
    const dialect::Place place = model.place.file->at(pointer);
    // Its declaration said so before: plugins that check again need not be heard twice.
    if (!model.is_sound && problems_.hasErrorAt(place, known_count)) return;
    const std::string rule(dialect::ruleAt(key + problem.pointer));
    if (problem.severity == plugin::Severity::kError) {
      problems_.error(place, rule, problem.message);
    } else {
      problems_.warning(place, rule, problem.message);
    }
  }

  const dialect::Project& project_;
  const dialect::Resource& resource_;
  const plugin::Registry& registry_;
  Plan& plan_;
  dialect::Problems& problems_;
};

void visit(const dialect::Resource& resource, std::size_t index, std::vector<bool>& is_placed,
           std::vector<PlanStep>& steps) {
  if (is_placed[index]) return;
  is_placed[index] = true;
  const auto& action = resource.actionables[index];
  const bool validates = !action.validation.empty() && !action.bypass_payload_validation;
  if (validates && action.no_op) steps.push_back({index, true});
  for (const auto& dependency : action.depends_on) {
    for (const std::size_t needed : dependency.actions) visit(resource, needed, is_placed, steps);
  }
  steps.push_back({index, false});
}

}  // namespace

std::vector<PlanStep> orderOfExecution(const dialect::Resource& resource) {
  std::vector<PlanStep> steps;
  std::vector<bool> is_placed(resource.actionables.size(), false);
  for (std::size_t index = 0; index < resource.actionables.size(); ++index) {
    if (!resource.actionables[index].no_op) visit(resource, index, is_placed, steps);
  }
  return steps;
}

bool compilePlan(const dialect::Project& project, const dialect::Resource& resource,
                 const plugin::Registry& registry, Plan& plan, dialect::Problems& problems) {
  plan.resource = &resource;
  plan.steps = orderOfExecution(resource);
  return PlanCompiler(project, resource, registry, plan, problems).compile();
}

}  // namespace sub0::call
