// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/problem.hpp"

// `.env` files (S-3, §14): `NAME=value` lines, `export` before the name allowed, `#` comments,
// values bare (trimmed; ` #` begins a comment), in single quotes (as they are) or in double quotes
// (\n \r \t \" \\ \$). Nothing is expanded. The last of two equal names wins.
namespace sub0::dialect {

using EnvironmentValues = std::map<std::string, std::string, std::less<>>;

/// Reads a variable: nullopt if it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Parses; a line that is no assignment is a warning with its place.
EnvironmentValues parseDotEnv(std::string_view text, const std::string& file, Problems& problems);

/// The name of `.env` that `name` was probably meant to be, or empty.
std::string nearestVariable(std::string_view name, const EnvironmentValues& values);

/// The process first (`process` reads it), then `values` (S-3).
EnvironmentLookup layeredEnvironment(EnvironmentLookup process, EnvironmentValues values);

}  // namespace sub0::dialect
