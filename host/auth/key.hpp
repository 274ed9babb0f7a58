// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

// The key of a resource's `tokenize` (S-70): an algorithm and its secret or key pair, fixed
// together, so that no token can choose. Parsed once, at load; immutable and shared: copies
// are cheap, any thread may use one. The secret is wiped with the last copy, and never part of a
// message. JWTs are signed and checked, tokens of PASETO sealed and opened; the other pair
// of functions refuses.
namespace sub0::auth {

enum class Algorithm : std::uint8_t { kHs256, kHs384, kHs512, kRs256, kEs256, kV4Local };

/// Makes a token of PASETO unlike all others; from a source that nobody can foresee.
using KeyNonce = std::array<unsigned char, 32>;

/// The name in tokens ("HS256", "v4.local").
std::string_view nameOf(Algorithm algorithm);

/// By exact name; nullopt where it is not known (yet).
std::optional<Algorithm> algorithmOf(std::string_view name);

class KeyMaterial;

class Key {
 public:
  /// `text` is the secret of HS256, HS384 and HS512; for PASETO a key of 32 bytes, as it stands, in
  /// hexadecimal digits, base64 or as PASERK (k4.local.); for RS256 and ES256 a PEM key: the
  /// private one, or the public one, which can only verify. Instead of a line's end it may have
  /// `\n`, as environments have that hold single lines. ERRORS: kValidationFailed: an empty text; a
  /// PEM key as secret, which is public; no PEM key, one of another kind, or one too small;
  /// no key of 32 bytes.
  static Result<Key> create(Algorithm algorithm, std::string_view text);

  Algorithm algorithm() const { return algorithm_; }

  /// False for a public key: it verifies tokens and cannot make any.
  bool canIssue() const;

  /// Equal for equal keys, and for the halves of a pair; else almost surely different. Says nothing
  /// about the secret.
  std::uint64_t fingerprint() const;

  /// The signature of `signing_input` (header.payload), as the last part of a JWT holds it (RFC
  /// 7518). ERRORS: kInternal.
  Result<std::string> sign(std::string_view signing_input) const;

  /// Whether `signature` is that of `signing_input`; an HMAC is compared in constant time.
  bool accepts(std::string_view signing_input, std::string_view signature) const;

  /// A whole token of PASETO that holds `text`. ERRORS: kInternal.
  Result<std::string> seal(std::string_view text, const KeyNonce& nonce) const;

  /// The text of a token that was sealed with this key; nullopt for everything else.
  std::optional<std::string> open(std::string_view token) const;

 private:
  Key(Algorithm algorithm, std::shared_ptr<const KeyMaterial> material);
  Algorithm algorithm_;
  std::shared_ptr<const KeyMaterial> material_;
};

}  // namespace sub0::auth
