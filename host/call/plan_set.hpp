// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "call/plan.hpp"
#include "call/request.hpp"
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
                                                dialect::Problems& problems);

  const Plan* find(std::string_view route_or_id) const {
    const auto found = by_name_.find(route_or_id);
    return found == by_name_.end() ? nullptr : found->second;
  }
  const std::vector<std::unique_ptr<Plan>>& plans() const { return plans_; }
  const dialect::Project& project() const { return *project_; }
  /// The table of each model of the project (S-101), in their order.
  const std::vector<dialect::TableChoice>& tables() const { return tables_; }

  const std::vector<std::string>& tokenSchemes() const override { return token_schemes_; }
  const std::vector<std::string>& keptHeaders() const override { return kept_headers_; }

 private:
  PlanSet() = default;
  void collectNames();
  void chooseTables(dialect::Problems& problems);

  std::shared_ptr<const dialect::Project> project_;
  std::vector<std::unique_ptr<Plan>> plans_;
  std::unordered_map<std::string_view, const Plan*> by_name_;
  std::vector<dialect::TableChoice> tables_;
  std::vector<std::string> token_schemes_;
  std::vector<std::string> kept_headers_;
};

}  // namespace sub0::call
