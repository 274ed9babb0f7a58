// SPDX-License-Identifier: Apache-2.0
#include "auth/key.hpp"

#include <Poco/Crypto/DigestEngine.h>
#include <Poco/Exception.h>
#include <Poco/HMACEngine.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>

namespace sub0::auth {
namespace {

struct AlgorithmRow {
  std::string_view name;
  const char* digest;
};

constexpr std::array<AlgorithmRow, 3> kAlgorithms{{
    {"HS256", "SHA256"},
    {"HS384", "SHA384"},
    {"HS512", "SHA512"},
}};

const AlgorithmRow& rowOf(Algorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

/// Poco's HMAC wants digest engines that know their sizes at compile time.
template <Algorithm kAlgorithm, int kBlockBytes, int kDigestBytes>
class Sha2 : public Poco::Crypto::DigestEngine {
 public:
  // Poco reads these names. NOLINTNEXTLINE(readability-identifier-naming)
  enum { BLOCK_SIZE = kBlockBytes, DIGEST_SIZE = kDigestBytes };
  Sha2() : DigestEngine(kAlgorithms[static_cast<std::size_t>(kAlgorithm)].digest) {}
};

template <typename Digest>
std::string pocoHmac(std::string_view secret, std::string_view message) {
  Poco::HMACEngine<Digest> engine(secret.data(), secret.size());
  engine.update(message.data(), message.size());
  const auto& digest = engine.digest();
  return {digest.begin(), digest.end()};
}

struct MacDeleter {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, MacDeleter>;

/// A context that has taken in the key: copying it saves looking up the digest and hashing the key
/// each time. Null where OpenSSL fails.
MacContext keyedContext(const AlgorithmRow& row, std::string_view secret) {
  const std::unique_ptr<EVP_MAC, MacDeleter> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacContext context(EVP_MAC_CTX_new(mac.get()));
  std::string digest = row.digest;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const auto* bytes = reinterpret_cast<const unsigned char*>(secret.data());
  if (context == nullptr || EVP_MAC_init(context.get(), bytes, secret.size(), parameters) != 1) {
    return nullptr;
  }
  return context;
}

}  // namespace

struct Key::Material {
  Material(Algorithm chosen, std::string_view text)
      : algorithm(chosen), secret(text), context(keyedContext(rowOf(chosen), text)) {}
  Material(const Material&) = delete;
  Material& operator=(const Material&) = delete;
  ~Material() { OPENSSL_cleanse(secret.data(), secret.size()); }

  /// The HMAC of `message` in `out`; 0 bytes where OpenSSL fails.
  std::size_t hmac(std::string_view message, unsigned char (&out)[EVP_MAX_MD_SIZE]) const {
    const MacContext copy(EVP_MAC_CTX_dup(context.get()));
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    if (copy == nullptr || EVP_MAC_update(copy.get(), bytes, message.size()) != 1 ||
        EVP_MAC_final(copy.get(), out, &size, sizeof out) != 1) {
      return 0;
    }
    return size;
  }

  Algorithm algorithm;
  std::string secret;
  MacContext context;
  std::uint64_t fingerprint = 0;
};

std::string_view nameOf(Algorithm algorithm) { return rowOf(algorithm).name; }

std::optional<Algorithm> algorithmOf(std::string_view name) {
  for (std::size_t index = 0; index < kAlgorithms.size(); ++index) {
    if (kAlgorithms[index].name == name) return static_cast<Algorithm>(index);
  }
  return std::nullopt;
}

Key::Key(std::shared_ptr<const Material> material) : material_(std::move(material)) {}

Result<Key> Key::create(Algorithm algorithm, std::string_view secret) {
  if (secret.empty()) return makeError(Code::kValidationFailed, "the encryption_key is empty");
  if (secret.find("-----BEGIN ") != std::string_view::npos) {
    return makeError(Code::kValidationFailed,
                     "the encryption_key is a PEM key, but " + std::string(nameOf(algorithm)) +
                         " needs a secret text: whoever has the public half could sign");
  }
  const auto material = std::make_shared<Material>(algorithm, secret);
  unsigned char mac[EVP_MAX_MD_SIZE] = {};
  if (material->context == nullptr || material->hmac("sub0 key fingerprint", mac) == 0) {
    return makeError(Code::kInternal, "OpenSSL cannot compute an HMAC with the encryption_key");
  }
  std::memcpy(&material->fingerprint, mac, sizeof material->fingerprint);
  return Key(material);
}

Algorithm Key::algorithm() const { return material_->algorithm; }

std::uint64_t Key::fingerprint() const { return material_->fingerprint; }

Result<std::string> Key::sign(std::string_view signing_input) const {
  try {
    switch (material_->algorithm) {
      case Algorithm::kHs256:
        return pocoHmac<Sha2<Algorithm::kHs256, 64, 32>>(material_->secret, signing_input);
      case Algorithm::kHs384:
        return pocoHmac<Sha2<Algorithm::kHs384, 128, 48>>(material_->secret, signing_input);
      case Algorithm::kHs512:
        return pocoHmac<Sha2<Algorithm::kHs512, 128, 64>>(material_->secret, signing_input);
    }
  } catch (const Poco::Exception& exception) {
    return makeError(Code::kInternal, {}, std::string("signing failed: ") + exception.what());
  }
  return makeError(Code::kInternal);
}

bool Key::accepts(std::string_view signing_input, std::string_view signature) const {
  unsigned char expected[EVP_MAX_MD_SIZE];
  const std::size_t size = material_->hmac(signing_input, expected);
  if (size == 0 || signature.size() != size) return false;
  return CRYPTO_memcmp(expected, signature.data(), size) == 0;
}

}  // namespace sub0::auth
