// SPDX-License-Identifier: Apache-2.0
#include "auth/token_issuer.hpp"

#include <array>
#include <utility>

#include "auth/date_time.hpp"
#include "auth/token_claims.hpp"
#include "base/text.hpp"
#include "json/writer.hpp"

namespace sub0::auth {
namespace {

/// `iat` and `exp` are JSON; `jti` is base64url, or empty: that of the claims stays.
std::string payloadOf(const json::Value& claims, std::string_view iat, std::string_view exp,
                      std::string_view jti = {}) {
  std::string payload = "{";
  for (std::uint32_t index = 0; index < claims.count; ++index) {
    const json::Member& claim = claims.as.members[index];
    const std::string_view name = json::toText(claim.key);
    if (name == "iat" || name == "exp" || (name == "jti" && !jti.empty())) continue;
    json::writeString(name, payload);
    payload.push_back(':');
    json::write(claim.value, payload);
    payload.push_back(',');
  }
  if (!jti.empty()) payload.append("\"jti\":\"").append(jti).append("\",");
  payload.append("\"iat\":").append(iat).append(",\"exp\":").append(exp).push_back('}');
  return payload;
}

bool isReadable(std::string_view payload) {
  Arena arena;
  return readTokenObject(payload, arena).has_value();
}

/// Claims come from rows, so also from columns of JSON, which may hold what no verifier takes. They
/// are read as it reads them.
Result<Done> checkClaims(Algorithm algorithm, const json::Value& claims, std::string_view payload) {
  const auto refuse = [](std::string_view name, const char* why) {
    return makeError(Code::kActionFailed, {}, "claim \"" + std::string(name) + "\" " + why);
  };
  const json::Value* not_before = json::find(claims, "nbf");
  if (not_before != nullptr && !timeOfClaim(algorithm, *not_before)) {
    return refuse("nbf", "is no time: the token would be refused");
  }
  if (isReadable(payload)) return Done{};
  for (std::uint32_t index = 0; index < claims.count; ++index) {
    const json::Value alone = json::object(claims.as.members + index, 1);
    if (isReadable(json::toString(alone))) continue;
    return refuse(json::toText(claims.as.members[index].key),
                  "holds JSON that no token can carry (equal keys, a number beyond 1.8e308, more "
                  "than 255 levels)");
  }
  return makeError(Code::kActionFailed, {}, "two claims have the same name");
}

Result<std::string> jwtOf(const Key& key, const json::Value& claims, std::int64_t iat_seconds,
                          std::int64_t exp_seconds, const std::string& jti) {
  const std::string payload =
      payloadOf(claims, std::to_string(iat_seconds), std::to_string(exp_seconds), jti);
  auto readable = checkClaims(key.algorithm(), claims, payload);
  if (!readable) return std::move(readable.error());
  const std::string header =
      std::string(R"({"alg":")").append(nameOf(key.algorithm())).append(R"(","typ":"JWT"})");
  std::string token = text::base64UrlEncode(header);
  token.push_back('.');
  token.append(text::base64UrlEncode(payload));
  auto signature = key.sign(token);
  if (!signature) return signature.error();
  token.push_back('.');
  token.append(text::base64UrlEncode(*signature));
  return token;
}

Result<std::string> pasetoOf(const Key& key, const json::Value& claims, std::int64_t iat_seconds,
                             std::int64_t exp_seconds, loop::Io* random) {
  const auto iat = formatDateTime(iat_seconds);
  const auto exp = formatDateTime(exp_seconds);
  if (!iat || !exp) {
    return makeError(Code::kInternal, {}, "a time of PASETO lies behind the year 9999");
  }
  if (random == nullptr) return makeError(Code::kInternal, {}, "PASETO needs randomness");
  const std::string payload = payloadOf(claims, "\"" + *iat + "\"", "\"" + *exp + "\"");
  auto readable = checkClaims(key.algorithm(), claims, payload);
  if (!readable) return std::move(readable.error());
  KeyNonce nonce{};
  random->random(reinterpret_cast<char*>(nonce.data()), nonce.size());
  return key.seal(payload, nonce);
}

}  // namespace

Result<std::string> issueToken(const Key& key, const json::Value& claims, std::int64_t iat_seconds,
                               std::int64_t exp_seconds, loop::Io* random, bool is_unique) {
  if (!json::isObject(claims)) {
    return makeError(Code::kInternal, {}, "the claims of a token must be an object");
  }
  std::string jti;
  if (is_unique && key.algorithm() != Algorithm::kV4Local) {
    if (random == nullptr) return makeError(Code::kInternal, {}, "a jti needs randomness");
    std::array<char, 16> bytes{};
    random->random(bytes.data(), bytes.size());
    jti = text::base64UrlEncode({bytes.data(), bytes.size()});
  }
  auto token = key.algorithm() == Algorithm::kV4Local
                   ? pasetoOf(key, claims, iat_seconds, exp_seconds, random)
                   : jwtOf(key, claims, iat_seconds, exp_seconds, jti);
  if (token && token->size() > kMaxIssuedTokenBytes) {
    return makeError(Code::kResultTooLarge, {},
                     "the claims make a token of " + std::to_string(token->size()) +
                         " bytes; a header carries " + std::to_string(kMaxIssuedTokenBytes));
  }
  return token;
}

}  // namespace sub0::auth
