// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/revoked_tokens.hpp"
#include "base/error.hpp"
#include "call/plan.hpp"
#include "call/request.hpp"

namespace sub0::call {

/// Where the uid of a socket comes from (S-117).
struct IdentityOptions {
  std::string uid_claim;  // SUB0_WEBSOCKET_UID_CLAIM; empty: from ?uid=
  std::string tokenize;   // SUB0_WEBSOCKET_TOKENIZE: the id of a resource
  std::int64_t token_leeway_s = 0;
  const auth::RevokedTokens* revoked_tokens = nullptr;  // null: none is revoked
};

/// Takes the uid of a socket from a claim of the token that comes with its handshake. Immutable,
/// any thread.
class SocketIdentity {
 public:
  /// The resource's key verifies, its provide_as says where the token is looked for. REQUIRES: it
  /// has a key. OWNERSHIP: `plan` and the list outlive this.
  SocketIdentity(const Plan& plan, const IdentityOptions& options)
      : plan_(plan), options_(options) {}

  /// The uid; empty: no token, and no uid was asked for. ERRORS: kForbidden: a uid that is not the
  /// token's; those of auth::verifyRemembered(); kTokenInvalid: the claim cannot be a uid.
  Result<std::string> uidOf(const Request& handshake, std::int64_t now_s) const;

 private:
  std::string_view tokenOfHandshake(const Request& handshake) const;

  const Plan& plan_;
  const IdentityOptions options_;
};

}  // namespace sub0::call
