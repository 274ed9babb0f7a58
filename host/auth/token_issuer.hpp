// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "auth/key.hpp"
#include "json/value.hpp"

// Makes the tokens of S-71. Claims keep their JSON types and all their digits, which Poco::JWT's
// own serialiser does not do; the signature is Poco's. Pure: the time is passed in. Any thread.
namespace sub0::auth {

/// Longer tokens are neither issued nor accepted.
inline constexpr std::size_t kMaxTokenBytes = std::size_t{16} * 1024;

/// A compact JWT of `claims` (an object), with `iat` and `exp` in place of any it had. ERRORS:
/// kInternal (no object), kResultTooLarge (more than kMaxTokenBytes).
Result<std::string> issueToken(const Key& key, const json::Value& claims, std::int64_t iat_seconds,
                               std::int64_t exp_seconds);

}  // namespace sub0::auth
