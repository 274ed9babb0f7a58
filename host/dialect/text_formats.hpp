// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

// Whether a text has the form that a type of payload_validation asks for (S-80, S-81). Pure
// functions, one pass each, nothing allocated.
namespace sub0::dialect {

/// S-81: one `@`, a dotted domain, not under `.test` or `.localhost`.
bool isEmail(std::string_view text);

/// A JSON number and nothing else, and none so large that no double comes near, as in JSON (S-81).
bool isNumberText(std::string_view text);

/// `date-time` of RFC 3339: a day that exists, hours up to 23, minutes up to 59, seconds up to 60
/// (a leap second) with any fraction, and a zone, `Z` or ±hh:mm.
bool isDateTime(std::string_view text);

/// Hex digits of either case, 8-4-4-4-12; any version.
bool isUuid(std::string_view text);

}  // namespace sub0::dialect
