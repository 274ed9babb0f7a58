// SPDX-License-Identifier: Apache-2.0
#include <sodium/core.h>
#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "auth/key_material.hpp"
#include "auth/paseto.hpp"
#include "base/text.hpp"

namespace sub0::auth {
namespace {

constexpr std::string_view kPaserk = "k4.local.";
constexpr std::size_t kHexDigits = 2 * kPasetoBytes;
constexpr std::size_t kBase64Digits = 43;  // and a padding

class PasetoKey final : public KeyMaterial {
 public:
  explicit PasetoKey(std::string_view key) {
    std::copy(key.begin(), key.end(), key_.begin());
    constexpr std::string_view kPurpose = "sub0 key fingerprint";
    std::array<unsigned char, crypto_generichash_BYTES> digest{};
    crypto_generichash(digest.data(), digest.size(),
                       reinterpret_cast<const unsigned char*>(kPurpose.data()), kPurpose.size(),
                       key_.data(), key_.size());
    std::memcpy(&fingerprint_, digest.data(), sizeof fingerprint_);
  }
  PasetoKey(const PasetoKey&) = delete;
  PasetoKey& operator=(const PasetoKey&) = delete;
  ~PasetoKey() override { sodium_memzero(key_.data(), key_.size()); }

  std::uint64_t fingerprint() const override { return fingerprint_; }

  Result<std::string> seal(std::string_view text, const KeyNonce& nonce) const override {
    return sealV4Local(key_, nonce, text);
  }
  std::optional<std::string> open(std::string_view token) const override {
    return openV4Local(key_, token);
  }

 private:
  PasetoKeyBytes key_{};
  std::uint64_t fingerprint_ = 0;
};

std::optional<std::string> fromHex(std::string_view digits) {
  std::string bytes(digits.size() / 2, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const int result = sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                    digits.data(), digits.size(), nullptr, &size, &end);
  if (result != 0 || end != digits.data() + digits.size() || size != bytes.size()) {
    return std::nullopt;
  }
  return bytes;
}

/// Either alphabet, with padding or without.
std::optional<std::string> fromBase64(std::string_view digits) {
  if (digits.size() == kBase64Digits + 1 && digits.back() == '=') digits.remove_suffix(1);
  if (digits.size() != kBase64Digits) return std::nullopt;
  std::string url(digits);
  std::replace(url.begin(), url.end(), '+', '-');
  std::replace(url.begin(), url.end(), '/', '_');
  auto bytes = text::base64UrlDecode(url);
  sodium_memzero(url.data(), url.size());
  return bytes;
}

/// The lengths of the forms differ, so that none is taken for another.
std::optional<std::string> keyBytesOf(std::string_view text) {
  if (text.size() == kPasetoBytes) return std::string(text);
  if (text.size() == kHexDigits) return fromHex(text);
  if (text.size() == kPaserk.size() + kBase64Digits) {
    if (text.substr(0, kPaserk.size()) != kPaserk) return std::nullopt;
    return text::base64UrlDecode(text.substr(kPaserk.size()));
  }
  return fromBase64(text);
}

bool isOtherPaserk(std::string_view text) {
  return text.size() > 3 && text[0] == 'k' && text[1] >= '1' && text[1] <= '9' && text[2] == '.' &&
         text.substr(0, kPaserk.size()) != kPaserk;
}

}  // namespace

Result<SharedMaterial> makePasetoKey(std::string_view text) {
  if (sodium_init() < 0) return makeError(Code::kInternal, "libsodium cannot be initialised");
  auto bytes = keyBytesOf(text);
  if (!bytes) {
    if (text.find("-----BEGIN ") != std::string_view::npos) {
      return makeError(Code::kValidationFailed,
                       "v4.local needs a secret key of 32 bytes, not a PEM key");
    }
    if (isOtherPaserk(text)) {
      return makeError(Code::kValidationFailed,
                       "the encryption_key is of another version or purpose of PASETO; v4.local "
                       "takes k4.local.");
    }
    return makeError(Code::kValidationFailed,
                     "v4.local needs a key of 32 bytes: 32 characters, 64 hexadecimal digits, "
                     "base64, or k4.local.; the encryption_key has " +
                         std::to_string(text.size()) + " characters and is none of these");
  }
  auto key = std::make_shared<PasetoKey>(*bytes);
  sodium_memzero(bytes->data(), bytes->size());
  return SharedMaterial(std::move(key));
}

}  // namespace sub0::auth
