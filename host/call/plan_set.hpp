// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "call/plan.hpp"
#include "call/request.hpp"
#include "call/socket_identity.hpp"
#include "dialect/table_names.hpp"

namespace sub0::call {

/// All resources of a project, compiled; made at start and at each reload, immutable, shared by all
/// loops. It keeps the Project alive; the plugins' Registry must outlive it. Routes match exactly,
/// by route or id (S-11). Made and freed on control, since it holds what plugins prepared.
class PlanSet final : public Catalogue {
 public:
  /// Compiles every resource. Errors go to `problems`; what has none can be called.
  static std::shared_ptr<const PlanSet> compile(std::shared_ptr<const dialect::Project> project,
                                                const plugin::Registry& registry,
                                                dialect::Problems& problems,
                                                const IdentityOptions& identity = {});

  const Plan* find(std::string_view route_or_id) const {
    const auto found = by_name_.find(route_or_id);
    return found == by_name_.end() ? nullptr : found->second;
  }
  const std::vector<std::unique_ptr<Plan>>& plans() const { return plans_; }
  const dialect::Project& project() const { return *project_; }
  /// The table of each model of the project (S-101), in their order.
  const std::vector<dialect::TableChoice>& tables() const { return tables_; }
  /// The fields of each model that some action wants unique (S-33), each by itself.
  const std::vector<std::vector<std::string>>& uniqueFields() const { return unique_fields_; }

  /// The keys of all resources, each once: what a token may have been made with.
  const std::vector<auth::Key>& tokenKeys() const { return token_keys_; }
  /// Some resource revokes tokens (S-74).
  bool revokesTokens() const { return revokes_tokens_; }

  const std::vector<std::string>& tokenSchemes() const override { return token_schemes_; }
  const std::vector<std::string>& keptHeaders() const override { return kept_headers_; }
  bool takesUidFromToken() const override { return identity_.has_value(); }
  Result<std::string> uidOf(const Request& handshake, std::int64_t now_s) const override {
    return identity_->uidOf(handshake, now_s);
  }

  /// A resource sends to uids (SINGLE, BULK).
  bool sendsToUids() const;
  /// For `check`: a warning for each resource that anybody may call and that writes to a database.
  /// One that issues tokens (a sign-up) is open on purpose.
  void warnOfOpenDoors(dialect::Problems& problems) const;

 private:
  PlanSet() = default;
  void collectNames();
  void takeIdentity(const IdentityOptions& options, dialect::Problems& problems);
  void warnOfMissingClaim(const dialect::Tokenize& verifier, const IdentityOptions& options,
                          dialect::Problems& problems) const;
  void warnOfNoTokens(dialect::Problems& problems) const;
  void chooseTables(dialect::Problems& problems);
  void collectUniqueFields(dialect::Problems& problems);
  void warnOfFoldedNames(const PlanAction& action, dialect::Problems& problems) const;
  static void warnOfUnwatched(const PlanAction& action, dialect::Problems& problems);

  std::shared_ptr<const dialect::Project> project_;
  std::vector<std::unique_ptr<Plan>> plans_;
  std::unordered_map<std::string_view, const Plan*> by_name_;
  std::vector<auth::Key> token_keys_;
  bool revokes_tokens_ = false;
  std::optional<SocketIdentity> identity_;
  std::vector<dialect::TableChoice> tables_;
  std::vector<std::vector<std::string>> unique_fields_;
  std::vector<std::string> token_schemes_;
  std::vector<std::string> kept_headers_;
};

}  // namespace sub0::call
