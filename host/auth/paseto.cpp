// SPDX-License-Identifier: Apache-2.0
#include "auth/paseto.hpp"

#include <sodium/crypto_generichash.h>
#include <sodium/crypto_stream_xchacha20.h>
#include <sodium/crypto_verify_32.h>
#include <sodium/utils.h>

#include <initializer_list>

#include "auth/key_material.hpp"
#include "base/text.hpp"

namespace sub0::auth {
namespace {

constexpr std::size_t kEncryptionKeyBytes = crypto_stream_xchacha20_KEYBYTES;
constexpr std::size_t kStreamNonceBytes = crypto_stream_xchacha20_NONCEBYTES;

using Tag = std::array<unsigned char, kPasetoBytes>;

void update(crypto_generichash_state& state, std::string_view bytes) {
  crypto_generichash_update(&state, toBytes(bytes), bytes.size());
}

/// A number as PAE has it: 64 bits, the lowest byte first, the highest bit 0.
void updateSize(crypto_generichash_state& state, std::size_t size) {
  std::array<unsigned char, 8> bytes{};
  for (auto& byte : bytes) {
    byte = static_cast<unsigned char>(size & 0xFF);
    size >>= 8;
  }
  bytes.back() &= 0x7F;
  crypto_generichash_update(&state, bytes.data(), bytes.size());
}

/// What both directions derive from key and nonce; wiped again.
struct Derived {
  Derived(const PasetoKeyBytes& key, std::string_view nonce) {
    derive(key, "paseto-encryption-key", nonce, encryption.data(), encryption.size());
    derive(key, "paseto-auth-key-for-aead", nonce, authentication.data(), authentication.size());
  }
  Derived(const Derived&) = delete;
  Derived& operator=(const Derived&) = delete;
  ~Derived() {
    sodium_memzero(encryption.data(), encryption.size());
    sodium_memzero(authentication.data(), authentication.size());
  }

  static void derive(const PasetoKeyBytes& key, std::string_view purpose, std::string_view nonce,
                     unsigned char* out, std::size_t size) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, key.data(), key.size(), size);
    update(state, purpose);
    update(state, nonce);
    crypto_generichash_final(&state, out, size);
    sodium_memzero(&state, sizeof state);
  }

  /// Encrypts and decrypts, which is the same.
  std::string stream(std::string_view text) const {
    std::string out(text.size(), '\0');
    crypto_stream_xchacha20_xor(reinterpret_cast<unsigned char*>(out.data()), toBytes(text),
                                text.size(), encryption.data() + kEncryptionKeyBytes,
                                encryption.data());
    return out;
  }

  /// Of the pre-authentication encoding of all that a token holds.
  Tag tag(std::initializer_list<std::string_view> pieces) const {
    crypto_generichash_state state;
    crypto_generichash_init(&state, authentication.data(), authentication.size(), kPasetoBytes);
    updateSize(state, pieces.size());
    for (const auto piece : pieces) {
      updateSize(state, piece.size());
      update(state, piece);
    }
    Tag tag{};
    crypto_generichash_final(&state, tag.data(), tag.size());
    sodium_memzero(&state, sizeof state);
    return tag;
  }

  std::array<unsigned char, kEncryptionKeyBytes + kStreamNonceBytes> encryption;
  std::array<unsigned char, kPasetoBytes> authentication;
};

}  // namespace

std::string sealV4Local(const PasetoKeyBytes& key, const PasetoNonce& nonce, std::string_view text,
                        std::string_view footer, std::string_view implicit) {
  std::string body(nonce.begin(), nonce.end());
  const Derived derived(key, body);
  const std::string encrypted = derived.stream(text);
  const Tag tag = derived.tag({kV4LocalHeader, body, encrypted, footer, implicit});
  body.append(encrypted).append(tag.begin(), tag.end());
  std::string token(kV4LocalHeader);
  token.append(text::base64UrlEncode(body));
  if (!footer.empty()) token.append(1, '.').append(text::base64UrlEncode(footer));
  return token;
}

std::optional<std::string> openV4Local(const PasetoKeyBytes& key, std::string_view token,
                                       std::string_view implicit) {
  if (token.substr(0, kV4LocalHeader.size()) != kV4LocalHeader) return std::nullopt;
  token.remove_prefix(kV4LocalHeader.size());
  const std::size_t dot = token.find('.');
  std::optional<std::string> footer = std::string();
  if (dot != std::string_view::npos) {
    footer = text::base64UrlDecode(token.substr(dot + 1));
    if (!footer || footer->empty()) return std::nullopt;  // no footer has no dot either
  }
  const auto body = text::base64UrlDecode(token.substr(0, dot));
  if (!body || body->size() < 2 * kPasetoBytes) return std::nullopt;
  const std::string_view all = *body;
  const std::string_view nonce = all.substr(0, kPasetoBytes);
  const std::string_view encrypted = all.substr(kPasetoBytes, all.size() - 2 * kPasetoBytes);
  const Derived derived(key, nonce);
  const Tag tag = derived.tag({kV4LocalHeader, nonce, encrypted, *footer, implicit});
  if (crypto_verify_32(tag.data(), toBytes(all.substr(all.size() - kPasetoBytes))) != 0) {
    return std::nullopt;
  }
  return derived.stream(encrypted);
}

}  // namespace sub0::auth
