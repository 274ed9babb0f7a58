// SPDX-License-Identifier: Apache-2.0
#include "auth/token_verifier.hpp"

#include <array>
#include <limits>
#include <string>

#include "auth/token_claims.hpp"
#include "auth/token_issuer.hpp"
#include "base/text.hpp"

namespace sub0::auth {
namespace {

constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

Error invalid(const char* reason) { return makeError(Code::kTokenInvalid, {}, reason); }

/// The three parts of a compact JWT, none of them empty.
std::optional<std::array<std::string_view, 3>> splitParts(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::array<std::string_view, 3> parts{token.substr(0, first),
                                              token.substr(first + 1, second - first - 1),
                                              token.substr(second + 1)};
  for (const auto part : parts) {
    if (part.empty()) return std::nullopt;
  }
  return parts;  // a further dot is no base64url
}

std::optional<json::Value> readEncodedObject(std::string_view encoded, Arena& arena) {
  const auto decoded = text::base64UrlDecode(encoded);
  return decoded ? readTokenObject(*decoded, arena) : std::nullopt;
}

std::int64_t later(std::int64_t seconds, std::int64_t by_seconds) {
  return seconds > kForEver - by_seconds ? kForEver : seconds + by_seconds;
}

Result<Done> checkHeader(const Key& key, std::string_view encoded, Arena& arena) {
  const auto header = readEncodedObject(encoded, arena);
  if (!header) return invalid("the header is no JSON object");
  const json::Value* algorithm = json::find(*header, "alg");
  if (algorithm == nullptr || !json::isText(*algorithm) ||
      json::chars(*algorithm) != nameOf(key.algorithm())) {
    return invalid("the algorithm is not that of the resource");
  }
  if (json::find(*header, "crit") != nullptr) return invalid("an unknown critical extension");
  return Done{};
}

Result<VerifiedToken> checkTimes(const json::Value& claims, Algorithm algorithm,
                                 std::int64_t now_seconds, std::int64_t leeway_seconds) {
  VerifiedToken verified{claims, std::nullopt};
  for (const char* name : {"nbf", "iat"}) {
    const json::Value* time = json::find(claims, name);
    if (time == nullptr) continue;
    const auto seconds = timeOfClaim(algorithm, *time);
    if (!seconds) return invalid("nbf or iat is no time");
    if (later(now_seconds, leeway_seconds) < *seconds) {
      return invalid("nbf or iat lies in the future");
    }
  }
  const json::Value* expiry = json::find(claims, "exp");
  if (expiry == nullptr) return verified;
  const auto seconds = timeOfClaim(algorithm, *expiry);
  if (!seconds) return invalid("exp is no time");
  verified.exp_seconds = later(*seconds, leeway_seconds);
  if (now_seconds >= *verified.exp_seconds) return makeError(Code::kTokenExpired);
  return verified;
}

Result<VerifiedToken> verifyPaseto(const Key& key, std::string_view token, std::int64_t now_seconds,
                                   Arena& arena, std::int64_t leeway_seconds) {
  const auto text = key.open(token);
  if (!text) return invalid("no token of PASETO that this key sealed");
  const auto claims = readTokenObject(*text, arena);
  if (!claims) return invalid("the claims are no JSON object");
  return checkTimes(*claims, key.algorithm(), now_seconds, leeway_seconds);
}

}  // namespace

bool mayBeOf(const Key& key, std::string_view token) {
  if (token.size() > kMaxTokenBytes) return false;
  constexpr std::string_view kPaseto = "v4.local.";
  if (key.algorithm() == Algorithm::kV4Local) return token.substr(0, kPaseto.size()) == kPaseto;
  const auto parts = splitParts(token);
  Arena arena;
  return parts && checkHeader(key, (*parts)[0], arena);
}

Result<VerifiedToken> verifyToken(const Key& key, std::string_view token, std::int64_t now_seconds,
                                  Arena& arena, std::int64_t leeway_seconds) {
  if (token.size() > kMaxTokenBytes) return invalid("more than 16 KiB");
  if (key.algorithm() == Algorithm::kV4Local) {
    return verifyPaseto(key, token, now_seconds, arena, leeway_seconds);
  }
  const auto parts = splitParts(token);
  if (!parts) return invalid("not three parts");
  const auto signature = text::base64UrlDecode((*parts)[2]);
  if (!signature) return invalid("the signature is no base64url");
  const std::string_view signing_input =
      token.substr(0, (*parts)[0].size() + 1 + (*parts)[1].size());
  if (!key.accepts(signing_input, *signature)) return invalid("the signature does not hold");
  auto header = checkHeader(key, (*parts)[0], arena);
  if (!header) return header.error();
  const auto claims = readEncodedObject((*parts)[1], arena);
  if (!claims) return invalid("the claims are no JSON object");
  return checkTimes(*claims, key.algorithm(), now_seconds, leeway_seconds);
}

Result<json::Value> verifyRemembered(const Key& key, std::string_view token,
                                     std::int64_t now_seconds, TokenMemory memory, Arena& arena,
                                     std::int64_t leeway_seconds, const RevokedTokens* revoked) {
  VerifiedTokenCache* const cache = memory.cache;
  const auto* known =
      cache == nullptr ? nullptr : cache->find(key.fingerprint(), token, memory.token_lasts);
  if (known == nullptr) {
    const auto verified = verifyToken(key, token, now_seconds, arena, leeway_seconds);
    if (!verified) return verified.error();
    if (cache == nullptr) {
      std::uint64_t seen = 0;
      auto usable = revoked == nullptr ? Result<Done>(Done{}) : revoked->check(key, token, &seen);
      if (!usable) return std::move(usable.error());
      return verified->claims;
    }
    known = &cache->remember(key.fingerprint(), token, verified->claims, verified->exp_seconds,
                             memory.token_lasts);
  }
  if (known->exp_seconds && now_seconds >= *known->exp_seconds) {
    return makeError(Code::kTokenExpired);
  }
  if (revoked != nullptr) {
    auto usable = revoked->check(key, token, &known->revocations_seen);
    if (!usable) return std::move(usable.error());
  }
  return known->claims;
}

}  // namespace sub0::auth
