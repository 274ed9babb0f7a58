// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "sql_analysis.hpp"

namespace sub0::query {

// The words of a statement that can be names of columns, as they are written, each once: PostgreSQL
// reads userId as userid, so that a column "userId" is not meant by it. Left out is what the
// statement itself gives that name: aliases, and columns of queries in WITH and FROM. For a
// statement that defines something nothing is said. Pure, any thread. spec S-100
std::vector<std::string> foldedNames(const TokenList& list, const Analysis& analysis);

}  // namespace sub0::query
