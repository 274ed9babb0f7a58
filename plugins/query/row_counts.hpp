// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/plugin.h>

#include <cstdint>
#include <vector>

#include "sql_tokens.hpp"

namespace sub0::query {

// How many rows a statement asks for, and how many it leaves out: what stands behind LIMIT, OFFSET
// and FETCH FIRST. To PostgreSQL null is no limit there, and leaves out none; the other databases
// have to be told (sqlite_rewrite, mysql_rewrite), and what clients send must be a row count on
// all. Judged on tokens, at load. spec S-30
struct RowCountClause {
  std::size_t keyword = 0;  // the token before it: LIMIT, OFFSET, FIRST, or a comma
  std::size_t begin = 0;    // its tokens
  std::size_t end = 0;
  bool is_offset = false;
  std::uint32_t parameter = 0;  // of `$n` or `$n::bigint` by itself, else 0
};

std::vector<RowCountClause> rowCountsOf(const TokenList& list);

// A parameter that is such a count: its place among the statement's inputs.
struct RowCount {
  std::uint32_t place = 0;
  bool is_offset = false;
};

// Of each $n, or of each ? where the database knows no numbers, that is a row count.
std::vector<RowCount> rowCountParameters(const TokenList& list);

// Whether a value is a decimal such as 2.00, and what is left of it: databases take it as a row
// count without the fraction alone.
bool hasZeroFraction(const sub0_value& value);
sub0_value withoutZeroFraction(sub0_value value);

// Whether a value is one: null, or a whole number from 0 on, as a number or as text.
bool isRowCount(const sub0_value& value);

}  // namespace sub0::query
