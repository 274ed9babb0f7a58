// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "auth/key.hpp"
#include "auth/revoked_tokens.hpp"
#include "auth/verified_token_cache.hpp"
#include "base/arena.hpp"
#include "base/error.hpp"
#include "json/value.hpp"

// Verifies the tokens of S-72 by the letter: three canonical base64url parts, a signature by the
// resource's key, the algorithm of the resource and not of the token, times in seconds
// no critical extension (Q-43; kid, jku, x5u, jwk are not looked at); or, for a resource of
// PASETO, a token of its version and purpose, its times as texts. Nothing is parsed
// before the signature holds. Pure: the time is passed in. Any thread. No message repeats a byte of
// the token.
namespace sub0::auth {

struct VerifiedToken {
  json::Value claims;                       // an object
  std::optional<std::int64_t> exp_seconds;  // invalid from then on; nullopt: valid for ever
};

/// Whether the form of `token` is that of the key's tokens, its algorithm included: what can be
/// known without the work of a signature.
bool mayBeOf(const Key& key, std::string_view token);

/// Claims go to `arena`. `leeway_seconds` for clocks that differ. A token without `exp` never
/// expires. ERRORS: kTokenExpired, kTokenInvalid (`log` says why).
Result<VerifiedToken> verifyToken(const Key& key, std::string_view token, std::int64_t now_seconds,
                                  Arena& arena, std::int64_t leeway_seconds = 0);

/// Where a verified token is remembered; null: nowhere. `token_lasts`: see VerifiedTokenCache.
struct TokenMemory {
  // NOLINTNEXTLINE(google-explicit-constructor)
  TokenMemory(VerifiedTokenCache* kept_in, bool lasts = false)
      : cache(kept_in), token_lasts(lasts) {}

  VerifiedTokenCache* cache;
  bool token_lasts;
};

/// The same by way of a cache; the claims live in it until its next use. Without: in `arena`. A
/// token of `revoked` is refused, also one that is remembered (S-74); null: none is revoked.
/// REQUIRES: one leeway and one list for one cache. ERRORS: also those of RevokedTokens::check().
Result<json::Value> verifyRemembered(const Key& key, std::string_view token,
                                     std::int64_t now_seconds, TokenMemory memory, Arena& arena,
                                     std::int64_t leeway_seconds = 0,
                                     const RevokedTokens* revoked = nullptr);

}  // namespace sub0::auth
