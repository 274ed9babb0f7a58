// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect/problem.hpp"
#include "dialect/table_model.hpp"

// Which table a model means (S-101): projects disagree, so what their SQL uses decides. Pure
// functions, control thread. What tables SQL uses, the plugin that owns the SQL says.
namespace sub0::dialect {

/// A table that an action uses, by the name that the database knows it by.
struct TableUse {
  std::string table;
  Spot place;
};

/// The table of one model.
struct TableChoice {
  std::string table;
  bool is_used = false;  // some action uses it, or _names.json says so
};

/// The name, the name without leading underscores, and the English plurals of both; each once.
std::vector<std::string> tableCandidates(std::string_view model);

/// The English plurals of the last word of a name: inquiry → inquiries, user_address →
/// user_addresses, person → people, index → indexes and indices.
std::vector<std::string> pluralsOf(std::string_view name);

/// A letter or underscore, then letters, digits and underscores; at most 63 bytes, which is what
/// PostgreSQL keeps of a name.
bool isIdentifier(std::string_view name);

/// One choice for each model. Several candidates used, and two models of one table, are errors.
std::vector<TableChoice> chooseTables(const std::vector<TableModel>& models,
                                      const std::vector<TableUse>& uses, Problems& problems);

}  // namespace sub0::dialect
