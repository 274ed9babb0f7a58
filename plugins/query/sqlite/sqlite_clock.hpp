// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "sql_tokens.hpp"

namespace sub0::query {

// Instants on SQLite are texts, and compare as texts: those that columns hold, now() and $DATETIME
// are written "2026-01-31T09:30:00.000Z" (spec S-30), while SQLite's datetime() writes "2026-01-31
// 09:30:00", which is less than any of the same day. Here is what a statement is told of that, at
// load. Pure, any thread.

// A warning for each datetime() whose text is compared with another or stored.
std::vector<std::string> doubtfulInstants(const TokenList& list);

// What to write for the INTERVAL '1 hour' at token `i`: the function with its arguments.
std::string insteadOfInterval(const TokenList& list, std::size_t i);

}  // namespace sub0::query
