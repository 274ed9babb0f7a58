// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auth/key.hpp"
#include "call/composed_name.hpp"
#include "dialect/model.hpp"
#include "dialect/parameter.hpp"
#include "dialect/project.hpp"
#include "plugin/preparation.hpp"
#include "plugin/registry.hpp"

namespace sub0::call {

/// An action or effect as its plugin compiled it, with its inputs as the dialect compiled them.
struct PreparedStep {
  plugin::PreparedAction prepared;
  std::vector<dialect::Parameter>
      inputs;               // in the order of sub0_run.inputs; of an effect from input 1 on
  bool allows_raw = false;  // `$PAYLOAD` may come in as text
};

/// `cacheable`, compiled (S-93).
struct CachePlan {
  std::optional<ComposedName> key;  // none: nothing is kept
  bool reads = true;                // false: only written
  std::int64_t duration_ns = 0;
  std::vector<ComposedName> invalidations;
};

/// `rate_limit`, compiled (S-94).
struct RatePlan {
  dialect::Parameter identifier;
  std::optional<ComposedName> composed;  // instead, where it is more than one accessor
  std::int64_t limit = 1;
  std::int64_t window_ns = 0;
  bool needs_claims = false;  // so its gate is behind that of the token
  bool needs_payload = false;
};

struct PlanAction {
  const dialect::Actionable* model = nullptr;
  std::optional<CachePlan> cache;
  bool starts_specially = false;  // in the background, or by a look into the cache
  bool has_sequel = false;        // effects, or something for the cache
  PreparedStep run;
  std::vector<PreparedStep> effects;      // in the order of their keys
  bool is_extracted = false;              // somebody reads into its result: JSON columns are parsed
  bool has_hashes = false;                // passwords are hashed or compared for it (S-95)
  std::vector<std::size_t> hashed_first;  // actions whose hashes must be there when it begins
  std::size_t hash_count = 0;             // how many these are
};

/// What is done next: the validation of a `no_op` action, or an action.
struct PlanStep {
  std::size_t action = 0;
  bool is_validation = false;
};

/// `invalidate_tokenize` (S-74).
struct RevocationPlan {
  dialect::Template tokens;
  std::int64_t expires_after_s = 0;
  PreparedStep add;  // a statement of the host's: adds one token to the durable list
};

/// One resource, compiled: everything that a call does is settled here, at load. Immutable, any
/// thread. OWNERSHIP: points into the Project, which its PlanSet keeps alive.
struct Plan {
  const dialect::Resource* resource = nullptr;
  std::size_t index = 0;            // among the plans of its PlanSet
  std::vector<PlanAction> actions;  // as in the resource
  std::vector<PlanStep>
      steps;  // in the order of execution (S-20): dependencies before who needs them
  std::optional<auth::Key> key;        // of tokenize
  std::optional<PreparedStep> commit;  // of a transaction: the plugin that takes part
  std::optional<RevocationPlan> revocation;
  std::optional<CachePlan> cache;
  std::optional<RatePlan> rate;
  bool is_parallel = false;       // its actions run side by side (S-20)
  bool is_guarded = false;        // by a token or a rate limit, or it revokes tokens
  bool begins_specially = false;  // in the background, or by a look into the cache
  bool ends_specially = false;    // by a commit, a revocation, or with something for the cache
  bool drops_many = false;  // its invalidate_cache_keys may name as many keys as a client likes
  bool validates_behind_cache = false;  // and not before: what is cached needs no validation (S-10)
  dialect::Needs needs;                 // of all inputs together
  bool parses_payload = false;          // some input or validation wants it as a tree
  bool validates_first = false;         // some validation is done before anything runs (S-10)
  bool reads_payload = false;           // at all
  bool reads_only = false;              // every action is known to read only: GET is allowed (S-50)
  bool has_hashes = false;              // some action has
  bool borrows = false;  // all handlers end in run: inputs may borrow from the message

  /// The resource that the action was written in: another one's runs in its calls too (S-86).
  const dialect::Resource& homeOf(const PlanAction& action) const {
    return action.model->home == nullptr ? *resource : *action.model->home;
  }
};

/// Compiles one resource. False: `problems` has the reasons.
bool compilePlan(const dialect::Project& project, const dialect::Resource& resource,
                 const plugin::Registry& registry, Plan& plan, dialect::Problems& problems);

/// The part of compilePlan that is about `cacheable` and `rate_limit` (S-93, S-94). REQUIRES:
/// actions and needs are compiled, what follows from the needs is not settled yet.
bool compileControls(const dialect::Project& project, Plan& plan, dialect::Problems& problems);

/// The part of compilePlan that is about results which never have a row (S-25, S-41, S-71,
/// S-87).
void warnOfNoRows(const Plan& plan, dialect::Problems& problems);

/// The order of execution: array order, each action's dependencies first, no_op actions only if
/// needed, each once.
std::vector<PlanStep> orderOfExecution(const dialect::Resource& resource);

}  // namespace sub0::call
