// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql_tokens.hpp"

namespace sub0::query {

// The tables that a statement names, for the host, which chooses the tables of models by them (spec
// S-101). Only names in the places of tables count (FROM, JOIN, INTO, UPDATE, USING, TABLE, and the
// commas behind them), on tokens: no literals, aliases, columns, functions, nor names that WITH
// gives to a query. Pure functions, any thread.

// Each once, in the order of their coming, as the database knows them: small letters unless quoted
// on PostgreSQL, small letters always on SQLite, as they are written on MariaDB and MySQL. A schema
// other than the usual one stays before the name.
std::vector<std::string> tablesOf(const TokenList& list, std::string_view usual_schema);

// A name as the database knows it.
std::string foldedName(const TokenList& list, std::size_t index);

// Whether the token may be a name of a table, a column or an alias.
bool isName(const TokenList& list, std::size_t index);

}  // namespace sub0::query
