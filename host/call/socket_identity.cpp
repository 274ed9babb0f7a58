// SPDX-License-Identifier: Apache-2.0
#include "call/socket_identity.hpp"

#include <algorithm>
#include <optional>

#include "auth/token_verifier.hpp"
#include "call/request_token.hpp"

namespace sub0::call {
namespace {

constexpr std::size_t kMaxUidBytes = 256;

bool isControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// S-88: number 101 is uid "101". Nullopt: what no uid can be (S-110).
std::optional<std::string> toUid(const json::Value* claim) {
  if (claim == nullptr) return std::nullopt;
  std::string uid;
  if (json::isText(*claim)) {
    uid = json::chars(*claim);
  } else if (claim->type == SUB0_INT) {
    uid = std::to_string(claim->as.i);
  } else if (claim->type == SUB0_NUMBER) {
    uid = std::string(json::chars(*claim));
  }
  const bool is_one =
      !uid.empty() && uid.size() <= kMaxUidBytes && std::none_of(uid.begin(), uid.end(), isControl);
  return is_one ? std::optional(std::move(uid)) : std::nullopt;
}

}  // namespace

/// A resource that only issues tokens says nothing of how they come: as S-73 takes them.
std::string_view SocketIdentity::tokenOfHandshake(const Request& handshake) const {
  const auto& protection = plan_.resource->protection;
  if (protection) return tokenOf(handshake, protection->provide_as);
  if (!handshake.token.empty()) return handshake.token;
  for (const char* const name : {"x-access-token", "Authorization"}) {
    const std::string_view token = tokenOf(handshake, name);
    if (!token.empty()) return token;
  }
  return {};
}

Result<std::string> SocketIdentity::uidOf(const Request& handshake, std::int64_t now_s) const {
  const std::string_view token = tokenOfHandshake(handshake);
  if (token.empty()) {
    if (handshake.uid.empty()) return std::string();
    return makeError(Code::kForbidden, "the uid comes from a token, and none was sent");
  }
  Arena arena;
  const auto claims = auth::verifyRemembered(*plan_.key, token, now_s, nullptr, arena,
                                             options_.token_leeway_s, options_.revoked_tokens);
  if (!claims) return claims.error();
  auto uid = toUid(json::find(*claims, options_.uid_claim));
  if (!uid) {
    return makeError(Code::kTokenInvalid,
                     "the token has no claim " + options_.uid_claim + " that can be a uid");
  }
  if (!handshake.uid.empty() && handshake.uid != *uid) {
    return makeError(Code::kForbidden, "the uid is not that of the token");
  }
  return std::move(*uid);
}

}  // namespace sub0::call
