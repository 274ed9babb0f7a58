// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql_rewriter.hpp"

namespace sub0::query {

// Resources write PostgreSQL's SQL; MariaDB and MySQL read much of it once their session is set to
// quote as the standard does. Here `$n` becomes `?` (placeholderOrder says which), `x::type` a
// CAST, now() and CURRENT_TIMESTAMP get milliseconds. What these databases have no words for is an
// error that names it and its place. Pure, any thread. spec S-30
Rewritten rewriteForMysql(const TokenList& list);

// A warning for each form that MySQL has as PostgreSQL does, and MariaDB has not: which of both it
// is shows when it connects.
std::vector<std::string> doubtsOfMariadb(const TokenList& list);

// The rewriting for a database of which nothing is known: `$n` and `x::type` alone.
Rewritten rewriteForOdbc(const TokenList& list);

// The numbers of the parameters in the order in which they stand: `$2, $1, $2` is 2, 1, 2.
std::vector<std::uint32_t> placeholderOrder(const TokenList& list);

}  // namespace sub0::query
