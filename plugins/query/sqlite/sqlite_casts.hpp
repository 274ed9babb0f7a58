// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace sub0::query {

// Of a statement in SQLite's words, for each column of its result whether that is json(...), which
// is what a cast to JSON becomes: a type that SQLite itself tells of no expression (spec S-32).
// Empty: of none, or it is not known how many columns there are (`*`). Pure, any thread.
std::vector<bool> jsonCastsOf(std::string_view sql);

}  // namespace sub0::query
