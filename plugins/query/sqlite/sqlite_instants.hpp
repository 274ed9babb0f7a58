// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sqlite/sqlite_values.hpp"

namespace sub0::query {

// Instants on SQLite are texts that compare as texts, and clients write one instant in many ways:
// `…T00:00:00Z`, `…T03:00:00+03:00`. A parameter that is compared with a column of instants, or is
// its value, is therefore bound in the form that columns hold (spec S-30); all others stay as they
// are. Which they are is read from the statement, once for each connection that prepares it. Pure,
// any thread.

// What a name is among the columns of a statement's tables: none of them; declared as an instant,
// or as a boolean, wherever it is one; declared as something else in one of them.
enum class ColumnOf : std::uint8_t { kNone, kInstants, kBooleans, kOthers };
using LookAtColumn =
    std::function<ColumnOf(const std::vector<std::string>& tables, const std::string& column)>;

// Of a statement in SQLite's words: the numbers, from 0, of the parameters that stand beside a
// column of instants somewhere, and nowhere beside another or as a part of a text.
std::vector<std::uint32_t> instantParameters(std::string_view sql, const LookAtColumn& look);

// The same beside a column of booleans: a form's `true` is to be the 1 that such columns hold.
std::vector<std::uint32_t> booleanParameters(std::string_view sql, const LookAtColumn& look);

// The numbers of those that stand beside no column at all, though they are compared or stored.
std::vector<std::uint32_t> parametersBesideNothing(std::string_view sql);

// Puts what is an instant with a zone into that form, and what PostgreSQL takes for a boolean into
// 1 or 0; false: nothing was to be done, and `made` is not written.
struct FormedParameters {
  std::vector<std::uint32_t> instants;
  std::vector<std::uint32_t> booleans;
};
bool putInForm(const FormedParameters& places, const SqliteParameters& given,
               SqliteParameters& made);

}  // namespace sub0::query
