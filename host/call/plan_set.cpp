// SPDX-License-Identifier: Apache-2.0
#include "call/plan_set.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace sub0::call {
namespace {

auth::Algorithm algorithmOf(dialect::TokenAlgorithm algorithm) {
  switch (algorithm) {
    case dialect::TokenAlgorithm::kHs256:
      return auth::Algorithm::kHs256;
    case dialect::TokenAlgorithm::kHs384:
      return auth::Algorithm::kHs384;
    case dialect::TokenAlgorithm::kHs512:
      return auth::Algorithm::kHs512;
    case dialect::TokenAlgorithm::kRs256:
      return auth::Algorithm::kRs256;
    case dialect::TokenAlgorithm::kEs256:
      return auth::Algorithm::kEs256;
    case dialect::TokenAlgorithm::kV4Local:
      return auth::Algorithm::kV4Local;
  }
  return auth::Algorithm::kHs256;
}

/// S-70, S-71; what is wrong or weak about a secret the dialect has said already.
void makeKey(const dialect::Resource& resource, Plan& plan, dialect::Problems& problems) {
  const auto& tokenize = *resource.tokenize;
  if (tokenize.encryption_key.empty()) return;  // `check` without the environment (S-3)
  const dialect::Spot place{tokenize.place.file, tokenize.place.pointer + "/encryption_key"};
  auto key = auth::Key::create(algorithmOf(tokenize.algorithm), tokenize.encryption_key);
  if (!key) {
    problems.error(place, "S-70", key.error().message);
    return;
  }
  if (resource.issuesToken() && !key->canIssue()) {
    problems.error(place, "S-71",
                   "resource \"" + resource.id + "\" issues tokens, which takes the private key; " +
                       "the encryption_key is a public one, which only verifies");
    return;
  }
  plan.key = std::move(*key);
}

void addOnce(std::vector<std::string>& names, std::string_view name) {
  const bool is_there = std::any_of(names.begin(), names.end(), [name](const std::string& known) {
    return text::equalsIgnoreCase(known, name);
  });
  if (!is_there) names.emplace_back(name);
}

}  // namespace

std::shared_ptr<const PlanSet> PlanSet::compile(std::shared_ptr<const dialect::Project> project,
                                                const plugin::Registry& registry,
                                                dialect::Problems& problems) {
  std::shared_ptr<PlanSet> set(new PlanSet());
  set->project_ = std::move(project);
  for (const auto& resource : set->project_->resources()) {
    auto plan = std::make_unique<Plan>();
    plan->index = set->plans_.size();
    if (resource.tokenize) makeKey(resource, *plan, problems);
    if (compilePlan(*set->project_, resource, registry, *plan, problems)) {
      set->by_name_.emplace(resource.route, plan.get());
      if (!resource.id.empty()) set->by_name_.emplace(resource.id, plan.get());
    }
    set->plans_.push_back(std::move(plan));
  }
  set->collectNames();
  set->chooseTables(problems);
  return set;
}

void PlanSet::chooseTables(dialect::Problems& problems) {
  std::vector<dialect::TableUse> uses;
  for (const auto& plan : plans_) {
    for (const PlanAction& action : plan->actions) {
      const dialect::Actionable& model = *action.model;
      for (const std::string& table : action.run.prepared.tables) {
        uses.push_back(
            {table,
             {model.place.file, dialect::Project::pointerBelow(model, model.config_key, "")}});
      }
    }
  }
  tables_ = dialect::chooseTables(project_->models(), uses, problems);
}

void PlanSet::collectNames() {
  addOnce(token_schemes_, "x-access-token");
  addOnce(token_schemes_, "Authorization");
  for (const auto& plan : plans_) {
    if (plan->resource->protection) {
      addOnce(token_schemes_, plan->resource->protection->provide_as);
      addOnce(kept_headers_, text::toLower(plan->resource->protection->provide_as));
    }
    for (const auto& header : plan->needs.headers) addOnce(kept_headers_, header);
  }
}

}  // namespace sub0::call
