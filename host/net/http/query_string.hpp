// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The part of a target behind '?': `name=value` pairs parted by '&'. Pure functions.
namespace sub0::net::http {

using QueryParameters = std::vector<std::pair<std::string, std::string>>;

/// Names and values decoded once ('+' is a blank); order and repetitions kept; a pair without '='
/// has an empty value; empty pairs are skipped. nullopt: bad escape, NUL, or invalid UTF-8 (answer
/// 400).
std::optional<QueryParameters> parseQuery(std::string_view query);

/// The uid of a handshake (S-110): percent-decoded ('+' stays), at most 256 bytes, UTF-8 without
/// control characters. Empty: none was given. nullopt: bad, or given twice (answer 400).
std::optional<std::string> parseUid(std::string_view query);

}  // namespace sub0::net::http
