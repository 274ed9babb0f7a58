// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/err.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/key.hpp"

// What stands behind a Key, one class for each family of algorithms; inside of `auth` alone. Made
// at load, where everything that can be parsed or prepared is; immutable, and used by any thread.
namespace sub0::auth {

class KeyMaterial {
 public:
  KeyMaterial() = default;
  KeyMaterial(const KeyMaterial&) = delete;
  KeyMaterial& operator=(const KeyMaterial&) = delete;
  virtual ~KeyMaterial() = default;

  virtual bool canIssue() const { return true; }
  virtual std::uint64_t fingerprint() const = 0;

  virtual Result<std::string> sign(std::string_view /*signing_input*/) const {
    return makeError(Code::kInternal, {}, "no key of JWT");
  }
  virtual bool accepts(std::string_view /*signing_input*/, std::string_view /*signature*/) const {
    return false;
  }
  virtual Result<std::string> seal(std::string_view /*text*/, const KeyNonce& /*nonce*/) const {
    return makeError(Code::kInternal, {}, "no key of PASETO");
  }
  virtual std::optional<std::string> open(std::string_view /*token*/) const { return std::nullopt; }
};

using SharedMaterial = std::shared_ptr<const KeyMaterial>;

inline const unsigned char* toBytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// HS256, HS384, HS512: `secret` is any text but a PEM key.
Result<SharedMaterial> makeHmacKey(Algorithm algorithm, std::string_view secret);

/// RS256, ES256: `pem` is one private or public key. ERRORS: kValidationFailed (unreadable,
/// encrypted, of another kind, too small).
Result<SharedMaterial> makeKeyPair(Algorithm algorithm, std::string_view pem);

/// PASETO v4.local. ERRORS: kValidationFailed (not 32 bytes in any of the forms).
Result<SharedMaterial> makePasetoKey(std::string_view text);

/// What OpenSSL leaves in the thread's queue of errors meanwhile goes again: the TLS of a database
/// client on the same thread would take it for its own.
class OpenSslErrors {
 public:
  OpenSslErrors() { ERR_set_mark(); }
  OpenSslErrors(const OpenSslErrors&) = delete;
  OpenSslErrors& operator=(const OpenSslErrors&) = delete;
  ~OpenSslErrors() { ERR_pop_to_mark(); }
};

}  // namespace sub0::auth
