// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "auth/key.hpp"
#include "base/header_limit.hpp"
#include "json/value.hpp"
#include "loop/io.hpp"

// Makes the tokens of S-71. Claims keep their JSON types and all their digits, which Poco::JWT's
// own serialiser does not do; the signature is Poco's, OpenSSL's or libsodium's. Pure: the time is
// passed in, and randomness where the form of the token needs some. Any thread.
namespace sub0::auth {

/// Longer tokens are not accepted.
inline constexpr std::size_t kMaxTokenBytes = std::size_t{16} * 1024;

/// Longer tokens are not issued: a header brings them back, behind `Bearer `, or behind the name of
/// `provide_as` in a list of subprotocols.
inline constexpr std::size_t kMaxIssuedTokenBytes = kMaxHeaderValueBytes - 128;

/// A compact JWT, or a token of PASETO, of `claims` (an object), with `iat` and `exp` in place of
/// any it had: numbers in a JWT, texts in PASETO. `is_unique`: a JWT gets a random `jti` too, so
/// that equal claims of one second make two tokens, of which one may be revoked. ERRORS: kInternal
/// (no object; a public key; PASETO or a unique token without `random`, PASETO behind the year
/// 9999), kActionFailed (claims that verifyToken() would refuse; `log` names the first),
/// kResultTooLarge (more than kMaxIssuedTokenBytes).
Result<std::string> issueToken(const Key& key, const json::Value& claims, std::int64_t iat_seconds,
                               std::int64_t exp_seconds, loop::Io* random = nullptr,
                               bool is_unique = false);

}  // namespace sub0::auth
