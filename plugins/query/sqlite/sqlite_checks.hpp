// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/table.hpp"
#include "sql_tokens.hpp"

namespace sub0::query {

// SQLite stores what it is given, whatever a column's type is. So a migration's columns have a
// CHECK that holds them to what PostgreSQL would take, types and lengths. It has a name that tells
// ours from others': "sub0 COLUMN". Columns that were made before have none, and get none until
// their type changes. Pure, any thread. spec S-100

// CONSTRAINT "sub0 title" CHECK (...), with a space before it.
std::string checkOf(const Column& column);

// The checks of a table's definition: the column of each, and its text as above, by that column's
// name even where somebody has renamed it since.
struct SqliteCheck {
  std::string column;
  std::string sql;
  std::int64_t max_length = 0;  // 0: none
};
std::vector<SqliteCheck> checksIn(const TokenList& definition);

// The index behind a check of ours that begins at `i`; `i` where none does.
std::size_t behindCheck(const TokenList& definition, std::size_t i);

// "sub0 title", as SQLite's message names it: title. Empty: it is not ours.
std::string_view columnOfCheck(std::string_view name);

}  // namespace sub0::query
