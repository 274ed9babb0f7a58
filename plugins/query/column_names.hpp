// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sql_tokens.hpp"

namespace sub0::query {

// What PostgreSQL calls a column of the result that the statement gives no name: count(*) is
// "count", id::text is "id", 1 + 1 is "?column?". Other databases call it by its SQL, which is not
// even what the author wrote. Read from the list of the statement's own SELECT, the first of a
// UNION, or of its RETURNING; an item that is not read with certainty is left out, and so are plain
// columns, which have one name everywhere. Pure, any thread. spec S-32
struct ColumnName {
  std::size_t last;  // the item's last token
  std::string name;
};
std::vector<ColumnName> unnamedColumns(const TokenList& list);

// The statement with these names in it.
std::string withColumnNames(const TokenList& list);

// The first parameter without a cast in the rows of VALUES, or size(): on MariaDB such rows do not
// come.
std::size_t uncastInValues(const TokenList& list);

}  // namespace sub0::query
