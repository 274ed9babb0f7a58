// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "host_port.hpp"

namespace sub0::query {

// What an error of SQLite means for a caller: constraints get the wording of spec S-52, everything
// else is `action_failed` without SQL, paths or names. Pure, any thread. What SQLite says of a
// statement that runs may quote its values (a pattern for FTS5, a path into JSON); of constraints
// it tells names alone.
Failure sqliteFailure(int extended_code, std::string_view message, std::string_view sql,
                      std::size_t result_limit_bytes, Shown shown);

}  // namespace sub0::query
