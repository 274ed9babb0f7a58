// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql_rewriter.hpp"

namespace sub0::query {

// Resources write PostgreSQL's SQL; SQLite reads most of it. What differs in spelling is rewritten
// here, on tokens, once at load: `$n` becomes `?n` (SQLite numbers `$n` by first appearance),
// `x::type` and `CAST(x AS type)` become casts that SQLite means the same by, `now()` and
// CURRENT_TIMESTAMP become ISO-8601 text in UTC, null as a row count is no limit. What only
// PostgreSQL can do is an error that names the construct and its place. Pure, any thread. spec S-30
Rewritten rewriteForSqlite(const TokenList& list);

}  // namespace sub0::query
