// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql_analysis.hpp"

namespace sub0::query {

// `unique` of an INSERT (spec S-33): where no index keeps the columns unique, the statement itself
// looks: a value that the table has already makes it fail, with a text that tells the column. It is
// one statement still, so it needs no transaction; of two calls at the same moment an index alone
// refuses the second. Done once, at load, on tokens.
struct UniqueCheck {
  std::string sql;
  std::string table;    // as the database knows it
  std::string error;    // not empty: `unique` cannot stand there
  std::string warning;  // nothing is looked for; an index may be there still
};

// `analysis` is that of `list`. Where a column has no plain value in the statement, its value is
// the payload's field of that name: `next_parameter` is then its number, and `payload_columns` gets
// the name.
UniqueCheck withUniqueCheck(const TokenList& list, const Analysis& analysis,
                            const std::vector<std::string>& columns, std::uint32_t next_parameter,
                            std::vector<std::string>& payload_columns);

// The column of which a database's message tells that it exists already, by this check of the
// statement; empty: it was something else. Text of a client cannot pretend to be it.
std::string columnThatExists(std::string_view message, std::string_view sql);

// SQLite: the function by which a statement fails with that text.
inline constexpr const char* kExistsFunction = "sub0_already_exists";
inline constexpr const char* kExistsMark = "sub0 unique: ";

}  // namespace sub0::query
