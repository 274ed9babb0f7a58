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

// Whether a table of the statement has a column of that name whose declared type is an instant's,
// and none has another of it.
using IsInstantColumn =
    std::function<bool(const std::vector<std::string>& tables, const std::string& column)>;

// Of a statement in SQLite's words: the numbers, from 0, of the parameters that stand beside such
// columns, and nowhere else but in `?1 IS NULL`.
std::vector<std::uint32_t> instantParameters(std::string_view sql, const IsInstantColumn& is_one);

// Puts those that are instants with a zone into that form; false: nothing was to be done, and
// `made` is not written.
bool putInForm(const std::vector<std::uint32_t>& places, const SqliteParameters& given,
               SqliteParameters& made);

}  // namespace sub0::query
