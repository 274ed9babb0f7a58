// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sub0::dialect {

/// The one of `candidates` that `word` was probably meant to be, empty if none is near: the same
/// letters in another case or with other separators (`dependsOn`), a few letters wrong (`no_opp`),
/// or a part that only one candidate has (`params`).
std::string suggest(std::string_view word, const std::vector<std::string_view>& candidates);

/// `a, b, c`, as messages name what may stand somewhere.
std::string listOf(const std::vector<std::string_view>& names);

/// A name in the quotes that it has in a file.
std::string inQuotes(std::string_view name);

}  // namespace sub0::dialect
