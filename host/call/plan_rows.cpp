// SPDX-License-Identifier: Apache-2.0
// Results that can have no row, where somebody needs one (S-25, S-41, S-71, S-87): the plugin knows
// whether its action ever has one, the dialect who reads it.
#include <algorithm>
#include <string>

#include "call/plan.hpp"

namespace sub0::call {
namespace {

/// Why it never has a row; empty: it may.
const std::string& noRowOf(const PlanAction& action) { return action.run.prepared.no_row; }

std::string nameOf(const dialect::Resource& resource, const dialect::Actionable& action) {
  const std::string id = "action " + std::to_string(action.id);
  return action.home == nullptr || action.home == &resource
             ? id
             : id + " of resource \"" + action.home->id + "\"";
}

/// Nothing can be extracted from any of the actions of one dependency.
void warnOfDependency(const Plan& plan, const dialect::Actionable& model, std::size_t index,
                      dialect::Problems& problems) {
  const dialect::Dependency& dependency = model.depends_on[index];
  if (dependency.extractions.empty() || dependency.actions.empty()) return;
  const auto has_none = [&](std::size_t source) {
    const dialect::Actionable& needed = *plan.actions[source].model;
    // What runs in the background, or must have a value, was told there.
    return !noRowOf(plan.actions[source]).empty() && !needed.run_in_background &&
           !needed.must_return_value && !needed.cacheable;
  };
  if (!std::all_of(dependency.actions.begin(), dependency.actions.end(), has_none)) return;
  const PlanAction& source = plan.actions[dependency.actions.front()];
  const std::string pointer =
      model.place.pointer + "/depends_on/" + std::to_string(index) + "/extract_response_for";
  problems.warning(
      model.place.file->at(pointer), "S-87",
      nameOf(*plan.resource, *source.model) +
          " never has a row: there is nothing to extract, so this action never runs; " +
          noRowOf(source));
}

bool isResult(const dialect::Resource& resource, std::size_t index) {
  if (!resource.combine) return resource.result_action == index;
  return std::find(resource.combine->begin(), resource.combine->end(), index) !=
         resource.combine->end();
}

/// S-41: what would have given rows because of `returnables`, and cannot.
void warnOfReturnables(const Plan& plan, std::size_t index, dialect::Problems& problems) {
  const dialect::Resource& resource = *plan.resource;
  const PlanAction& action = plan.actions[index];
  const dialect::Actionable& model = *action.model;
  const auto& keys = model.returnables ? model.returnables : resource.returnables;
  const bool is_told = model.must_return_value || model.home != nullptr || model.cacheable;
  if (is_told || noRowOf(action).empty() || !keys || keys->empty()) return;
  const bool is_reply =
      isResult(resource, index) && !model.run_in_background && !resource.run_in_background;
  const bool is_sent = !action.effects.empty();
  if (!is_reply && !is_sent) return;
  const std::string& owner = model.returnables ? model.place.pointer : resource.pointer;
  problems.warning(resource.file->at(owner + "/returnables"), "S-41",
                   "action " + std::to_string(model.id) +
                       " never has a row: these have nothing to keep, and " +
                       (is_reply && is_sent ? "the reply and the broadcast are null"
                        : is_reply          ? "the reply has null of it"
                                            : "the broadcast is null") +
                       "; " + noRowOf(action));
}

/// S-71: claims are members of an object.
void warnOfNoToken(const Plan& plan, dialect::Problems& problems) {
  const dialect::Resource& resource = *plan.resource;
  if (!resource.issuesToken() || resource.combine || !resource.result_action) return;
  const dialect::Tokenize& tokenize = *resource.tokenize;
  if (!tokenize.custom_claim_fields && !tokenize.has_property_name)
    return;  // perhaps none is meant
  const PlanAction& result = plan.actions[*resource.result_action];
  if (noRowOf(result).empty() || result.model->must_return_value || result.model->cacheable) return;
  problems.warning(tokenize.place, "S-71",
                   "no token is ever issued: " + nameOf(resource, *result.model) +
                       ", whose result has the claims, never has a row; " + noRowOf(result));
}

}  // namespace

void warnOfNoRows(const Plan& plan, dialect::Problems& problems) {
  for (std::size_t index = 0; index < plan.actions.size(); ++index) {
    const PlanAction& action = plan.actions[index];
    const dialect::Actionable& model = *action.model;
    warnOfReturnables(plan, index, problems);
    // Under a key of the cache the result of another action may lie.
    if (model.must_return_value && !noRowOf(action).empty() && !model.run_in_background &&
        !model.cacheable) {
      problems.warning(model.place.file->at(model.place.pointer + "/must_return_value"), "S-25",
                       "action " + std::to_string(model.id) +
                           " never has a row: every call fails with no_value" +
                           (plan.resource->transaction ? "; " : " when it has written; ") +
                           noRowOf(action));
    }
    const json::Value* list = json::find(*model.source, "depends_on");
    if (model.home != nullptr || list == nullptr || list->count != model.depends_on.size())
      continue;
    for (std::size_t i = 0; i < model.depends_on.size(); ++i) {
      warnOfDependency(plan, model, i, problems);
    }
  }
  warnOfNoToken(plan, problems);
}

}  // namespace sub0::call
