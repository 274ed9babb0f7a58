// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

// The key of a resource's `tokenize` (S-70): an algorithm and its secret, fixed together, so that
// no token can choose. Immutable and shared: copies are cheap, any thread may use one. The
// secret is wiped with the last copy, and never part of a message. RS256, ES256 and PASETO
// will become further algorithms with key material of their own.
namespace sub0::auth {

enum class Algorithm : std::uint8_t { kHs256, kHs384, kHs512 };

/// The name in tokens ("HS256").
std::string_view nameOf(Algorithm algorithm);

/// By exact name; nullopt where it is not known (yet).
std::optional<Algorithm> algorithmOf(std::string_view name);

class Key {
 public:
  /// ERRORS: kValidationFailed (an empty secret; a PEM key, which is public with HMAC, Q-41).
  static Result<Key> create(Algorithm algorithm, std::string_view secret);

  Algorithm algorithm() const;

  /// Equal for equal keys and else almost surely different; says nothing about the secret.
  std::uint64_t fingerprint() const;

  /// The signature of `signing_input` (header.payload) by Poco's engines. ERRORS: kInternal.
  Result<std::string> sign(std::string_view signing_input) const;

  /// Whether `signature` is that of `signing_input`; compares in constant time.
  bool accepts(std::string_view signing_input, std::string_view signature) const;

 private:
  struct Material;
  explicit Key(std::shared_ptr<const Material> material);
  std::shared_ptr<const Material> material_;
};

}  // namespace sub0::auth
