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

void addOnce(std::vector<auth::Key>& keys, const auth::Key& key) {
  const bool is_there = std::any_of(keys.begin(), keys.end(), [&key](const auth::Key& known) {
    return known.algorithm() == key.algorithm() && known.fingerprint() == key.fingerprint();
  });
  if (!is_there) keys.push_back(key);
}

}  // namespace

std::shared_ptr<const PlanSet> PlanSet::compile(std::shared_ptr<const dialect::Project> project,
                                                const plugin::Registry& registry,
                                                dialect::Problems& problems,
                                                const IdentityOptions& identity) {
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
  set->takeIdentity(identity, problems);
  set->warnOfNoTokens(problems);
  set->chooseTables(problems);
  set->collectUniqueFields(problems);
  for (const auto& plan : set->plans_) {
    for (const PlanAction& action : plan->actions) set->warnOfFoldedNames(action, problems);
  }
  return set;
}

/// S-117: both settings, and a resource with a key.
void PlanSet::takeIdentity(const IdentityOptions& options, dialect::Problems& problems) {
  if (options.uid_claim.empty() && options.tokenize.empty()) return;
  const auto refuse = [&problems](const std::string& message) {
    problems.error({"settings", "", {}}, "S-117", message);
  };
  if (options.uid_claim.empty()) {
    return refuse(
        "SUB0_WEBSOCKET_TOKENIZE needs SUB0_WEBSOCKET_UID_CLAIM: the claim that is the uid");
  }
  if (options.tokenize.empty()) {
    return refuse(
        "SUB0_WEBSOCKET_UID_CLAIM needs SUB0_WEBSOCKET_TOKENIZE: the id of the resource whose "
        "tokenize verifies the token");
  }
  const auto found = std::find_if(plans_.begin(), plans_.end(), [&](const auto& plan) {
    return plan->resource->id == options.tokenize;
  });
  if (found == plans_.end() || !(*found)->resource->tokenize) {
    return refuse("SUB0_WEBSOCKET_TOKENIZE=" + options.tokenize +
                  ": no resource with that id has tokenize");
  }
  if ((*found)->key) identity_.emplace(**found, options);  // else said already (S-3, S-70)
  warnOfMissingClaim(*(*found)->resource->tokenize, options, problems);
}

/// S-117, S-71: tokens may come from elsewhere, but those of this project have to have the claim.
void PlanSet::warnOfMissingClaim(const dialect::Tokenize& verifier, const IdentityOptions& options,
                                 dialect::Problems& problems) const {
  static const std::vector<std::string> kOnlyId{"id"};
  const std::string& claim = options.uid_claim;
  if (claim == "iat" || claim == "exp" || claim == "jti") return;  // in every token
  const dialect::Tokenize* issuer = nullptr;
  for (const auto& plan : plans_) {
    const dialect::Resource& resource = *plan->resource;
    if (!resource.issuesToken() || resource.tokenize->encryption_key != verifier.encryption_key) {
      continue;
    }
    const auto& claims = resource.tokenize->custom_claim_fields.value_or(kOnlyId);
    if (std::find(claims.begin(), claims.end(), claim) != claims.end()) return;
    if (issuer == nullptr || &*resource.tokenize == &verifier) issuer = &*resource.tokenize;
  }
  if (issuer == nullptr) return;
  const auto& claims = issuer->custom_claim_fields.value_or(kOnlyId);
  std::string list;
  for (const std::string& one : claims) list += (list.empty() ? "" : ", ") + one;
  problems.warning(issuer->place, "S-117",
                   "SUB0_WEBSOCKET_UID_CLAIM=" + claim +
                       ": the tokens issued here have no claim \"" + claim +
                       "\", so every socket that comes with one is refused; " +
                       (list.empty() ? "" : "set it to one of theirs (" + list + "), or ") +
                       "add \"" + claim + "\" to custom_claim_fields");
}

/// S-74: there is nothing to revoke.
void PlanSet::warnOfNoTokens(dialect::Problems& problems) const {
  const auto has_tokens = [](const auto& plan) { return plan->resource->tokenize.has_value(); };
  if (std::any_of(plans_.begin(), plans_.end(), has_tokens)) return;
  for (const auto& plan : plans_) {
    const auto& invalidation = plan->resource->invalidation;
    if (!invalidation) continue;
    problems.warning(invalidation->place, "S-74",
                     "no resource has \"tokenize\", so there are no tokens that this could revoke; "
                     "give it to the resources that issue or demand them");
  }
}

void PlanSet::warnOfOpenDoors(dialect::Problems& problems) const {
  const auto writes = [](const PlanAction& action) {
    const plugin::PreparedAction& prepared = action.run.prepared;
    return prepared.handler != nullptr && prepared.handler->plugin->call_hooks != nullptr &&
           !prepared.reads_only && !prepared.only_locks;
  };
  const auto hashes = [](const dialect::Actionable& action) { return !action.hashables.empty(); };
  for (const auto& plan : plans_) {
    const dialect::Resource& resource = *plan->resource;
    if (resource.protection || resource.issuesToken() || resource.maintenance) continue;
    // Who signs up has no token yet; who sends a webhook proves by it who they are.
    const auto& actions = resource.actionables;
    if (std::any_of(actions.begin(), actions.end(), hashes)) continue;
    const json::Value* webhook = json::find(*resource.source, "webhook");
    if (webhook != nullptr && json::isObject(*webhook)) continue;
    if (std::none_of(plan->actions.begin(), plan->actions.end(), writes)) continue;
    problems.warning(resource.place, "S-72",
                     "anybody may call resource \"" + resource.id +
                         "\", which writes: give it \"protected\", unless that is meant");
  }
}

bool PlanSet::sendsToUids() const {
  const auto sends = [](const json::Value* broadcast) {
    const json::Value* type =
        broadcast == nullptr ? nullptr : json::find(*broadcast, "broadcast_type");
    return type != nullptr && json::isText(*type) && json::chars(*type) != "ALL";
  };
  return std::any_of(plans_.begin(), plans_.end(), [&](const auto& plan) {
    const auto& actions = plan->resource->actionables;
    return std::any_of(actions.begin(), actions.end(), [&](const auto& action) {
      return sends(json::find(*action.source, "broadcast")) ||
             sends(json::find(*action.source, "broadcast_websocket_message"));
    });
  });
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

/// S-100: userId without quotes is another column than "userId".
void PlanSet::warnOfFoldedNames(const PlanAction& action, dialect::Problems& problems) const {
  const plugin::PreparedAction& prepared = action.run.prepared;
  std::vector<const dialect::TableModel*> models;  // of all tables of the statement
  for (const std::string& table : prepared.tables) {
    const auto choice = std::find_if(tables_.begin(), tables_.end(),
                                     [&](const auto& one) { return one.table == table; });
    if (choice == tables_.end()) return;  // its columns are not known
    models.push_back(&project_->models()[static_cast<std::size_t>(choice - tables_.begin())]);
  }
  const auto has_column = [](const std::string& name) {
    return [&name](const dialect::TableModel* model) { return model->find(name) != nullptr; };
  };
  const dialect::Actionable& source = *action.model;
  for (const std::string& written : prepared.folded) {
    const std::string read = text::toLower(written);
    const auto& tables = prepared.tables;
    if (std::find(tables.begin(), tables.end(), read) != tables.end() ||
        std::any_of(models.begin(), models.end(), has_column(read))) {
      continue;
    }
    for (const dialect::TableModel* model : models) {
      const auto field =
          std::find_if(model->fields.begin(), model->fields.end(),
                       [&](const auto& one) { return text::equalsIgnoreCase(one.name, written); });
      if (field == model->fields.end()) continue;
      problems.warning(source.place.file->at(
                           dialect::Project::pointerBelow(source, source.config_key, "/query")),
                       "S-100",
                       "the database reads " + written + " without quotes as " + read +
                           ", and model " + model->name + " has \"" + field->name + "\": write \"" +
                           field->name + "\" in double quotes");
      break;
    }
  }
}

/// S-33: no model has the table, so no migration makes an index.
void PlanSet::warnOfUnwatched(const PlanAction& action, dialect::Problems& problems) {
  const std::string& warning = action.run.prepared.unique_unwatched;
  if (warning.empty()) return;
  const dialect::Actionable& model = *action.model;
  const std::string pointer = dialect::Project::pointerBelow(model, model.config_key, "/unique");
  problems.warning(model.place.file->at(pointer), "S-33", warning);
}

void PlanSet::collectUniqueFields(dialect::Problems& problems) {
  unique_fields_.resize(tables_.size());
  for (const auto& plan : plans_) {
    for (const PlanAction& action : plan->actions) {
      const std::vector<std::string>& unique = action.run.prepared.unique;
      const auto choice = std::find_if(tables_.begin(), tables_.end(), [&](const auto& one) {
        return !unique.empty() && text::equalsIgnoreCase(one.table, unique.front());
      });
      if (choice == tables_.end()) {
        warnOfUnwatched(action, problems);
        continue;
      }
      const auto index = static_cast<std::size_t>(choice - tables_.begin());
      const dialect::TableModel& model = project_->models()[index];
      std::vector<std::string>& fields = unique_fields_[index];
      for (std::size_t i = 1; i < unique.size(); ++i) {
        if (model.find(unique[i]) == nullptr) {
          const dialect::Actionable& source = *action.model;
          problems.error(source.place.file->at(dialect::Project::pointerBelow(
                             source, source.config_key, "/unique/" + std::to_string(i - 1))),
                         "S-33", "model " + model.name + " has no field \"" + unique[i] + "\"");
        } else if (std::find(fields.begin(), fields.end(), unique[i]) == fields.end()) {
          fields.push_back(unique[i]);
        }
      }
    }
  }
}

void PlanSet::collectNames() {
  addOnce(token_schemes_, "x-access-token");
  addOnce(token_schemes_, "Authorization");
  for (const auto& plan : plans_) {
    revokes_tokens_ = revokes_tokens_ || plan->revocation;
    if (plan->key) addOnce(token_keys_, *plan->key);
    if (plan->resource->protection) {
      addOnce(token_schemes_, plan->resource->protection->provide_as);
      addOnce(kept_headers_, text::toLower(plan->resource->protection->provide_as));
    }
    for (const auto& header : plan->needs.headers) addOnce(kept_headers_, header);
  }
}

}  // namespace sub0::call
