// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.hpp"
#include "base/error.hpp"

namespace sub0::call {

/// One text field of a form.
struct FormField {
  std::string_view name;
  std::string_view value;
};

inline constexpr std::size_t kMaxFormParts = 1'000;

/// The media type of a body that is a form (RFC 7578).
bool isFormData(std::string_view content_type);

/// The text fields of a multipart/form-data body, in order; names are decoded as browsers write
/// them
/// (%22, %0D, %0A), values are UTF-8. Borrows from `body`, or from `arena` where a name is decoded.
/// Strict (RFC 2046 section 5.1.1): every part ends at a delimiter, lines end with CRLF, nothing is
/// taken for what it is not. ERRORS: kBadRequest (malformed, a file, no UTF-8), kLimitExceeded
/// (more than kMaxFormParts).
Result<std::span<const FormField>> parseFormData(std::string_view content_type,
                                                 std::string_view body, Arena& arena);

}  // namespace sub0::call
