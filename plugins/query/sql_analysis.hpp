// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql_tokens.hpp"

namespace sub0::query {

// What must be known of a statement before it meets a database: is it one statement of a kind that
// a resource may hold, how many parameters does it name, does it only read, may RETURNING be added.
// Judged on tokens, at load. "Reads only" is said of what the tokens prove; what a function does,
// the database itself refuses in a read-only run.
struct Analysis {
  std::vector<std::string> errors;    // empty: the statement may be used
  std::string verb;                   // SELECT, INSERT, ... behind any WITH; capitals
  std::size_t verb_index = 0;         // its token
  std::uint32_t parameter_count = 0;  // the highest $n
  bool reads_only = false;
  bool only_locks = false;    // a query that locks rows or tables, and writes nothing
  bool returns_rows = false;  // has RETURNING at its own level, or is a query
};

// Looks at a statement. spec S-30, S-35, S-50
Analysis analyse(const TokenList& list, Dialect dialect);

// The statement with RETURNING * where it is an INSERT, UPDATE or DELETE without RETURNING. spec
// S-41
std::string withReturningAll(const TokenList& list, const Analysis& analysis);

// A doubt for each text or quoted name that holds an accessor: nothing is replaced in a statement.
// spec S-30
std::vector<std::string> literalAccessors(const TokenList& list);

// Why a statement, as the database gets it, never gives a row, and what to do; empty: it may give
// one, or that is not known. `was_delete`: soft_delete made an UPDATE of it. spec S-25, S-87
std::string whyNoRow(const Analysis& analysis, Dialect dialect, bool was_delete);

}  // namespace sub0::query
