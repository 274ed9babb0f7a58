// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Times of the claims of PASETO: a `date-time` of RFC 3339, where JWT has a number of seconds.
// Pure.
namespace sub0::auth {

/// The first whole second at or behind `text`, since 1970; nullopt for anything but a date-time
/// with its zone. A leap second is the second behind it.
std::optional<std::int64_t> parseDateTime(std::string_view text);

/// "2026-01-31T12:00:00+00:00"; nullopt beyond the years 0 to 9999.
std::optional<std::string> formatDateTime(std::int64_t seconds);

}  // namespace sub0::auth
