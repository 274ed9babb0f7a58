// SPDX-License-Identifier: Apache-2.0
#include "auth/key.hpp"

#include <array>

#include "auth/key_material.hpp"

namespace sub0::auth {
namespace {

constexpr std::array<std::string_view, 6> kNames{"HS256", "HS384", "HS512",
                                                 "RS256", "ES256", "v4.local"};

Result<SharedMaterial> materialOf(Algorithm algorithm, std::string_view text) {
  switch (algorithm) {
    case Algorithm::kHs256:
    case Algorithm::kHs384:
    case Algorithm::kHs512:
      return makeHmacKey(algorithm, text);
    case Algorithm::kRs256:
    case Algorithm::kEs256:
      return makeKeyPair(algorithm, text);
    case Algorithm::kV4Local:
      return makePasetoKey(text);
  }
  return makeError(Code::kInternal);
}

}  // namespace

std::string_view nameOf(Algorithm algorithm) { return kNames[static_cast<std::size_t>(algorithm)]; }

std::optional<Algorithm> algorithmOf(std::string_view name) {
  for (std::size_t index = 0; index < kNames.size(); ++index) {
    if (kNames[index] == name) return static_cast<Algorithm>(index);
  }
  return std::nullopt;
}

Key::Key(Algorithm algorithm, std::shared_ptr<const KeyMaterial> material)
    : algorithm_(algorithm), material_(std::move(material)) {}

Result<Key> Key::create(Algorithm algorithm, std::string_view text) {
  if (text.empty()) return makeError(Code::kValidationFailed, "the encryption_key is empty");
  auto material = materialOf(algorithm, text);
  if (!material) return material.error();
  return Key(algorithm, std::move(*material));
}

bool Key::canIssue() const { return material_->canIssue(); }

std::uint64_t Key::fingerprint() const { return material_->fingerprint(); }

Result<std::string> Key::sign(std::string_view signing_input) const {
  return material_->sign(signing_input);
}

bool Key::accepts(std::string_view signing_input, std::string_view signature) const {
  return material_->accepts(signing_input, signature);
}

Result<std::string> Key::seal(std::string_view text, const KeyNonce& nonce) const {
  return material_->seal(text, nonce);
}

std::optional<std::string> Key::open(std::string_view token) const {
  return material_->open(token);
}

}  // namespace sub0::auth
