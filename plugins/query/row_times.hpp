// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sql_analysis.hpp"

namespace sub0::query {

// What a statement becomes where the rows' times are kept for it (spec S-34). Done once, at load,
// on tokens; the text between them, comments too, stays.
struct RowTimes {
  std::string sql;
  std::string error;     // not empty: it cannot be done
  bool is_meant = true;  // false: the statement is none of those that are changed
};

// `soft_delete`: DELETE FROM t WHERE c becomes UPDATE t SET deleted_at = CURRENT_TIMESTAMP WHERE
// (c) AND deleted_at IS NULL. `analysis` is that of `list`, without errors.
RowTimes withSoftDelete(const TokenList& list, const Analysis& analysis);

// `with_timestamps`: an UPDATE, that of ON CONFLICT too, sets updated_at first; an INSERT gives
// created_at and updated_at; unless the statement does so itself.
RowTimes withTimestamps(const TokenList& list, const Analysis& analysis);

}  // namespace sub0::query
