// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/key.hpp"
#include "base/text.hpp"
#include "tests/unit/auth/key_pairs.hpp"

// Tokens with any header and payload under a good signature, as only the owner of the key could
// make them. Tests only.
namespace sub0::auth {

inline constexpr std::string_view kSecret =
    "a secret text of forty-eight bytes, and some more to make it past sixty-four";

inline Key keyOf(Algorithm algorithm, std::string_view secret = kSecret) {
  return Key::create(algorithm, secret).value();
}

/// One key of each algorithm of JWT; all of them can sign.
inline std::vector<Key> keysOfAllAlgorithms() {
  return {keyOf(Algorithm::kHs256), keyOf(Algorithm::kHs384), keyOf(Algorithm::kHs512),
          keyOf(Algorithm::kRs256, kRsaPrivate), keyOf(Algorithm::kEs256, kEcPrivate)};
}

/// `header_part` and `payload_part` as they stand in the token, signed.
inline std::string signParts(const Key& key, const std::string& header_part,
                             const std::string& payload_part) {
  const std::string signing_input = header_part + "." + payload_part;
  return signing_input + "." + text::base64UrlEncode(key.sign(signing_input).value());
}

inline std::string signedToken(const Key& key, std::string_view header, std::string_view payload) {
  return signParts(key, text::base64UrlEncode(header), text::base64UrlEncode(payload));
}

}  // namespace sub0::auth
