// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What people who write JSON by hand most likely meant where a file is none: the parser says what
// it expected, this says how to mend it.
namespace sub0::dialect {

/// Why `text` is not UTF-8 text at all (UTF-16, zero bytes), or empty.
std::string encodingProblem(std::string_view text);

/// Goes behind the parser's message about byte `offset` of `text`: "; write true, false or null",
/// or empty.
std::string syntaxHint(std::string_view text, std::size_t offset);

}  // namespace sub0::dialect
