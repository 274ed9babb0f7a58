// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "auth/key.hpp"
#include "base/arena.hpp"
#include "json/value.hpp"

// What a token says, as the verifier reads it; the issuer reads what it is about to sign in the
// same way, so that it makes no token that is refused afterwards. Any thread.
namespace sub0::auth {

/// A JSON object without equal keys, in `arena`; its numbers keep all their digits (S-32, S-88).
std::optional<json::Value> readTokenObject(std::string_view text, Arena& arena);

/// The first whole second at or behind a time claim: a number in a JWT, a text in PASETO.
std::optional<std::int64_t> timeOfClaim(Algorithm algorithm, const json::Value& claim);

}  // namespace sub0::auth
