// SPDX-License-Identifier: Apache-2.0
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <cstring>

#include "auth/key_material.hpp"
#include "auth/pem.hpp"

namespace sub0::auth {
namespace {

constexpr std::size_t kEs256Half = 32;  // r and s (RFC 7518 section 3.4)
constexpr std::size_t kEs256Bytes = 2 * kEs256Half;
constexpr std::size_t kDerBytes = 2 + 2 * (2 + 1 + kEs256Half);
constexpr int kLeastRsaBits = 2048;  // RFC 7518 section 3.3
constexpr int kMostRsaBits = 8192;   // beyond it a single signature stops a loop for a long time

struct Deleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter>;

/// Writes an unsigned number of 32 bytes as a DER INTEGER; returns what lies behind it.
unsigned char* appendInteger(const unsigned char* number, unsigned char* out) {
  const unsigned char* const end = number + kEs256Half;
  while (number < end - 1 && *number == 0) ++number;
  const bool is_padded = (*number & 0x80) != 0;  // else it would be negative
  const auto size = static_cast<std::size_t>(end - number);
  *out++ = 0x02;
  *out++ = static_cast<unsigned char>(size + (is_padded ? 1 : 0));
  if (is_padded) *out++ = 0;
  std::memcpy(out, number, size);
  return out + size;
}

/// r||s as OpenSSL wants it: a DER SEQUENCE of two INTEGERs. Returns its size.
std::size_t toDer(std::string_view raw, unsigned char (&der)[kDerBytes]) {
  unsigned char* end = appendInteger(toBytes(raw), der + 2);
  end = appendInteger(toBytes(raw) + kEs256Half, end);
  der[0] = 0x30;
  der[1] = static_cast<unsigned char>(end - der - 2);
  return static_cast<std::size_t>(end - der);
}

/// The other way; empty where that is no signature of ES256.
std::string toRaw(std::string_view der) {
  const unsigned char* bytes = toBytes(der);
  const std::unique_ptr<ECDSA_SIG, Deleter> signature(
      d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())));
  std::string raw(kEs256Bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  if (signature == nullptr ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kEs256Half) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kEs256Half, kEs256Half) < 0) {
    return {};
  }
  return raw;
}

class KeyPair final : public KeyMaterial {
 public:
  KeyPair(Algorithm algorithm, PemKey key)
      : is_es256_(algorithm == Algorithm::kEs256), key_(std::move(key)) {}

  /// Sets up what each call copies, and tries it; false where the key cannot be used.
  bool prepare() {
    const OpenSslErrors errors;
    verifying_ = context(&EVP_DigestVerifyInit_ex);
    if (verifying_ == nullptr || !takeFingerprint()) return false;
    if (!key_.is_private) return true;
    signing_ = context(&EVP_DigestSignInit_ex);
    if (signing_ == nullptr) return false;
    const auto tried = sign("sub0 key check");  // the halves may not belong together
    return tried && accepts("sub0 key check", *tried);
  }

  bool canIssue() const override { return signing_ != nullptr; }
  std::uint64_t fingerprint() const override { return fingerprint_; }

  Result<std::string> sign(std::string_view signing_input) const override {
    const OpenSslErrors errors;
    if (signing_ == nullptr) return makeError(Code::kInternal, {}, "a public key cannot sign");
    const DigestContext copy = copyOf(*signing_);
    std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.key.get()));
    std::string signature(size, '\0');
    if (copy == nullptr ||
        EVP_DigestSign(copy.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       toBytes(signing_input), signing_input.size()) != 1) {
      return makeError(Code::kInternal, {}, "signing failed");
    }
    signature.resize(size);
    if (is_es256_) signature = toRaw(signature);
    if (signature.empty()) return makeError(Code::kInternal, {}, "signing failed");
    return signature;
  }

  bool accepts(std::string_view signing_input, std::string_view signature) const override {
    const OpenSslErrors errors;
    if (!is_es256_) return holds(signing_input, toBytes(signature), signature.size());
    if (signature.size() != kEs256Bytes) return false;
    unsigned char der[kDerBytes];
    return holds(signing_input, der, toDer(signature, der));
  }

 private:
  using Initialise = decltype(&EVP_DigestVerifyInit_ex);

  static DigestContext copyOf(const EVP_MD_CTX& prepared) {
    DigestContext copy(EVP_MD_CTX_new());
    if (copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), &prepared) != 1) copy.reset();
    return copy;
  }

  DigestContext context(Initialise initialise) const {
    DigestContext made(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;  // belongs to `made`
    if (made == nullptr || initialise(made.get(), &parameters, "SHA256", nullptr, nullptr,
                                      key_.key.get(), nullptr) != 1) {
      return nullptr;
    }
    if (!is_es256_ && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PADDING) != 1) {
      return nullptr;
    }
    return made;
  }

  bool holds(std::string_view signing_input, const unsigned char* signature,
             std::size_t size) const {
    const DigestContext copy = copyOf(*verifying_);
    return copy != nullptr && EVP_DigestVerify(copy.get(), signature, size, toBytes(signing_input),
                                               signing_input.size()) == 1;
  }

  bool takeFingerprint() {
    // The same key may be written with its point in full or compressed.
    if (is_es256_ &&
        EVP_PKEY_set_utf8_string_param(key_.key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                       OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1) {
      return false;
    }
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key_.key.get(), &der);
    if (size <= 0) return false;
    unsigned char digest[EVP_MAX_MD_SIZE] = {};
    const bool is_done = EVP_Digest(der, static_cast<std::size_t>(size), digest, nullptr,
                                    EVP_sha256(), nullptr) == 1;
    OPENSSL_free(der);
    std::memcpy(&fingerprint_, digest, sizeof fingerprint_);
    return is_done;
  }

  bool is_es256_;
  PemKey key_;
  DigestContext verifying_;
  DigestContext signing_;  // null: a public key
  std::uint64_t fingerprint_ = 0;
};

/// What is wrong with the key for `algorithm`; empty if nothing is.
std::string faultOf(Algorithm algorithm, EVP_PKEY* key) {
  const std::string name(nameOf(algorithm));
  const char* const needed = algorithm == Algorithm::kRs256 ? "RSA" : "EC";
  if (EVP_PKEY_is_a(key, needed) != 1) {
    const char* const kind = EVP_PKEY_get0_type_name(key);
    return name + " needs a key of type " + needed + ", and this is one of type " +
           (kind == nullptr ? "unknown" : kind);
  }
  if (algorithm == Algorithm::kRs256) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits >= kLeastRsaBits && bits <= kMostRsaBits) return {};
    return "the RSA key has " + std::to_string(bits) + " bits; " + name + " wants " +
           std::to_string(kLeastRsaBits) + " to " + std::to_string(kMostRsaBits);
  }
  std::array<char, 64> curve{};
  (void)EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr);
  if (std::string_view(curve.data()) == SN_X9_62_prime256v1) return {};
  return name + " needs a key on the curve P-256 (prime256v1), and this one is on " +
         (curve[0] == '\0' ? "a curve without a name" : curve.data());
}

bool isSound(EVP_PKEY* key) {
  const std::unique_ptr<EVP_PKEY_CTX, Deleter> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

}  // namespace

Result<SharedMaterial> makeKeyPair(Algorithm algorithm, std::string_view pem) {
  const OpenSslErrors errors;
  auto read = readPemKey(pem);
  if (!read) {
    return makeError(Code::kValidationFailed,
                     std::string(nameOf(algorithm)) + ": " + read.error().message);
  }
  std::string fault = faultOf(algorithm, read->key.get());
  if (!fault.empty()) return makeError(Code::kValidationFailed, std::move(fault));
  const bool is_sound = isSound(read->key.get());
  auto key = std::make_shared<KeyPair>(algorithm, std::move(*read));
  if (!is_sound || !key->prepare()) {
    return makeError(Code::kValidationFailed,
                     std::string(nameOf(algorithm)) +
                         ": the numbers of the key do not fit together; make a new one");
  }
  return SharedMaterial(std::move(key));
}

}  // namespace sub0::auth
