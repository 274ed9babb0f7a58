// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sql_tokens.hpp"

namespace sub0::query {

// Tokens of a statement: from `begin` to before `end`.
struct TokenRange {
  std::size_t begin, end;
};

// INSERT INTO table (columns) VALUES (values), ..., as its tokens say it. Names are folded as the
// database does; what is no plain name is empty.
struct InsertValues {
  std::string table;
  TokenRange table_tokens{};
  std::vector<std::string> columns;
  std::vector<std::vector<TokenRange>> rows;  // none: without VALUES
  bool has_conflict = false;                  // INSERT OR ..., ON CONFLICT
};

// Of a statement whose INSERT is the token `verb`. Pure, any thread.
InsertValues insertValuesOf(const TokenList& list, std::size_t verb);

}  // namespace sub0::query
