// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "host_port.hpp"

namespace sub0::query {

// What an error of SQLite means for a caller: constraints get the wording of spec S-52, everything
// else is `action_failed` without SQL, paths or names. Pure, any thread.
Failure sqliteFailure(int extended_code, std::string_view message, std::string_view sql,
                      std::size_t result_limit_bytes);

}  // namespace sub0::query
