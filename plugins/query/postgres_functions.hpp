// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace sub0::query {

// The functions that PostgreSQL has and SQLite 3.40 has not (or means something else by). SQLite's
// own complaint cannot be had at load: there it first misses the tables, which are not there yet.
// Pure, any thread.
bool isFunctionOfPostgres(std::string_view capitals);

}  // namespace sub0::query
