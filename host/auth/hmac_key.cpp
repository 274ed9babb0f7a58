// SPDX-License-Identifier: Apache-2.0
#include <Poco/Crypto/DigestEngine.h>
#include <Poco/Exception.h>
#include <Poco/HMACEngine.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>

#include "auth/key_material.hpp"

namespace sub0::auth {
namespace {

// In the order of Algorithm.
constexpr std::array<const char*, 3> kDigests{"SHA256", "SHA384", "SHA512"};

constexpr const char* digestOf(Algorithm algorithm) {
  return kDigests[static_cast<std::size_t>(algorithm)];
}

/// Poco's HMAC wants digest engines that know their sizes at compile time.
template <Algorithm kAlgorithm, int kBlockBytes, int kDigestBytes>
class Sha2 : public Poco::Crypto::DigestEngine {
 public:
  // Poco reads these names. NOLINTNEXTLINE(readability-identifier-naming)
  enum { BLOCK_SIZE = kBlockBytes, DIGEST_SIZE = kDigestBytes };
  Sha2() : DigestEngine(digestOf(kAlgorithm)) {}
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
MacContext keyedContext(Algorithm algorithm, std::string_view secret) {
  const std::unique_ptr<EVP_MAC, MacDeleter> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacContext context(EVP_MAC_CTX_new(mac.get()));
  std::string digest = digestOf(algorithm);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const auto* bytes = reinterpret_cast<const unsigned char*>(secret.data());
  if (context == nullptr || EVP_MAC_init(context.get(), bytes, secret.size(), parameters) != 1) {
    return nullptr;
  }
  return context;
}

class HmacKey final : public KeyMaterial {
 public:
  HmacKey(Algorithm algorithm, std::string_view secret)
      : algorithm_(algorithm), secret_(secret), context_(keyedContext(algorithm, secret)) {}
  HmacKey(const HmacKey&) = delete;
  HmacKey& operator=(const HmacKey&) = delete;
  ~HmacKey() override { OPENSSL_cleanse(secret_.data(), secret_.size()); }

  /// False where OpenSSL fails.
  bool prepare() {
    unsigned char mac[EVP_MAX_MD_SIZE] = {};
    if (context_ == nullptr || hmac("sub0 key fingerprint", mac) == 0) return false;
    std::memcpy(&fingerprint_, mac, sizeof fingerprint_);
    return true;
  }

  std::uint64_t fingerprint() const override { return fingerprint_; }

  Result<std::string> sign(std::string_view signing_input) const override {
    try {
      switch (algorithm_) {
        case Algorithm::kHs256:
          return pocoHmac<Sha2<Algorithm::kHs256, 64, 32>>(secret_, signing_input);
        case Algorithm::kHs384:
          return pocoHmac<Sha2<Algorithm::kHs384, 128, 48>>(secret_, signing_input);
        case Algorithm::kHs512:
          return pocoHmac<Sha2<Algorithm::kHs512, 128, 64>>(secret_, signing_input);
        default:
          break;
      }
    } catch (const Poco::Exception& exception) {
      return makeError(Code::kInternal, {}, std::string("signing failed: ") + exception.what());
    }
    return makeError(Code::kInternal);
  }

  bool accepts(std::string_view signing_input, std::string_view signature) const override {
    unsigned char expected[EVP_MAX_MD_SIZE];
    const std::size_t size = hmac(signing_input, expected);
    if (size == 0 || signature.size() != size) return false;
    return CRYPTO_memcmp(expected, signature.data(), size) == 0;
  }

 private:
  /// The HMAC of `message` in `out`; 0 bytes where OpenSSL fails.
  std::size_t hmac(std::string_view message, unsigned char (&out)[EVP_MAX_MD_SIZE]) const {
    const MacContext copy(EVP_MAC_CTX_dup(context_.get()));
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    if (copy == nullptr || EVP_MAC_update(copy.get(), bytes, message.size()) != 1 ||
        EVP_MAC_final(copy.get(), out, &size, sizeof out) != 1) {
      return 0;
    }
    return size;
  }

  Algorithm algorithm_;
  std::string secret_;
  MacContext context_;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace

Result<SharedMaterial> makeHmacKey(Algorithm algorithm, std::string_view secret) {
  if (secret.find("-----BEGIN ") != std::string_view::npos) {
    return makeError(Code::kValidationFailed,
                     "the encryption_key is a PEM key, but " + std::string(nameOf(algorithm)) +
                         " needs a secret text: whoever has the public half could sign");
  }
  auto key = std::make_shared<HmacKey>(algorithm, secret);
  if (!key->prepare()) {
    return makeError(Code::kInternal, "OpenSSL cannot compute an HMAC with the encryption_key");
  }
  return SharedMaterial(std::move(key));
}

}  // namespace sub0::auth
