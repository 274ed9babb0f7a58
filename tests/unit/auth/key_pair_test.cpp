// SPDX-License-Identifier: Apache-2.0
// Keys of RS256 and ES256: what is taken, what is refused, and which signatures hold. The tokens
// around them are asymmetric_token_test.cpp.
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/auth/key_pairs.hpp"
#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth::key_pair_test {
namespace {

/// The private and the public half of a new key, in PEM.
struct Halves {
  std::string private_pem;
  std::string public_pem;
};

Halves pemOf(EVP_PKEY* key) {
  Halves made;
  for (const bool is_private : {true, false}) {
    BIO* out = BIO_new(BIO_s_mem());
    if (is_private) {
      PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    } else {
      PEM_write_bio_PUBKEY(out, key);
    }
    char* text = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(out, &text));
    (is_private ? made.private_pem : made.public_pem).assign(text, size);
    BIO_free(out);
  }
  EVP_PKEY_free(key);
  return made;
}

Halves rsaOf(std::size_t bits) { return pemOf(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits)); }
Halves ecOf(const char* curve) { return pemOf(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)); }

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

/// What create() says; "taken" if nothing.
std::string verdict(Algorithm algorithm, const std::string& pem) {
  const auto key = Key::create(algorithm, pem);
  return key ? "taken" : key.error().message;
}

TEST(KeyPair, AlgorithmsAreKnownByTheirExactNames) {  // spec S-70
  EXPECT_EQ(algorithmOf("RS256"), Algorithm::kRs256);
  EXPECT_EQ(algorithmOf("ES256"), Algorithm::kEs256);
  EXPECT_EQ(nameOf(Algorithm::kRs256), "RS256");
  EXPECT_EQ(nameOf(Algorithm::kEs256), "ES256");
  for (const char* name :
       {"rs256", "RS384", "RS512", "PS256", "ES384", "ES512", "ES256K", "EdDSA"}) {
    EXPECT_EQ(algorithmOf(name), std::nullopt) << name;
  }
}

TEST(KeyPair, EveryFormOfAPrivateKeySignsWhatItsPublicHalfTakes) {  // spec S-70
  const std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const std::vector<std::pair<Algorithm, std::string>> privates = {
      {Algorithm::kRs256, kRsaPrivate},
      {Algorithm::kRs256, replaced(kRsaPrivate, "\n", "\r\n")},
      {Algorithm::kRs256, replaced(kRsaPrivate, "\n", "\\n")},
      {Algorithm::kRs256, "a remark before\n" + kRsaPrivate + "and behind"},
      {Algorithm::kEs256, kEcPrivate},
      {Algorithm::kEs256, kEcPrivateSec1},
      {Algorithm::kEs256, parameters + kEcPrivateSec1},
      {Algorithm::kEs256, replaced(parameters + kEcPrivateSec1, "\n", "\\r\\n")}};
  const std::vector<std::pair<Algorithm, std::string>> publics = {
      {Algorithm::kRs256, kRsaPublic},
      {Algorithm::kRs256, kRsaPublicPkcs1},
      {Algorithm::kRs256, replaced(kRsaPublic, "\n", "\\n")},
      {Algorithm::kEs256, kEcPublic},
      {Algorithm::kEs256, replaced(kEcPublic, "\n", "\r\n")}};
  for (const auto& [algorithm, private_pem] : privates) {
    ASSERT_EQ(verdict(algorithm, private_pem), "taken") << private_pem;
    const Key key = keyOf(algorithm, private_pem);
    EXPECT_TRUE(key.canIssue());
    const std::string signature = key.sign("input").value();
    EXPECT_TRUE(key.accepts("input", signature));
    for (const auto& [other, public_pem] : publics) {
      ASSERT_EQ(verdict(other, public_pem), "taken") << public_pem;
      EXPECT_EQ(keyOf(other, public_pem).accepts("input", signature), other == algorithm);
      EXPECT_FALSE(keyOf(other, public_pem).accepts("inpuT", signature));
    }
  }
}

TEST(KeyPair, TheCurveMayBeGivenByItsNumbers) {  // spec S-70
  EXPECT_EQ(verdict(Algorithm::kEs256, kEcExplicit), "taken");
  const Key key = keyOf(Algorithm::kEs256, kEcExplicit);
  EXPECT_TRUE(key.accepts("input", key.sign("input").value()));
}

TEST(KeyPair, APublicKeyVerifiesAndCannotSign) {  // spec S-71
  for (const auto& [algorithm, pem] :
       {std::pair{Algorithm::kRs256, kRsaPublic}, std::pair{Algorithm::kEs256, kEcPublic}}) {
    const Key key = keyOf(algorithm, pem);
    EXPECT_FALSE(key.canIssue());
    EXPECT_FALSE(key.sign("input"));
  }
  EXPECT_TRUE(keyOf(Algorithm::kHs256).canIssue());
}

// a key of another kind than the algorithm's
TEST(KeyPair, AnotherKindOfKeyIsRefused) {
  const Halves edwards = pemOf(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const Halves p384 = ecOf("P-384");
  const Halves koblitz = ecOf("secp256k1");
  const std::vector<std::pair<std::string, const char*>> for_rsa = {{kEcPrivate, "EC"},
                                                                    {kEcPublic, "EC"},
                                                                    {edwards.public_pem, "ED25519"},
                                                                    {kRsaPssPublic, "RSA-PSS"}};
  for (const auto& [pem, type] : for_rsa) {
    EXPECT_EQ(verdict(Algorithm::kRs256, pem),
              std::string("RS256 needs a key of type RSA, and this is one of type ") + type);
  }
  const std::vector<std::pair<std::string, const char*>> for_ec = {
      {kRsaPrivate, "of type RSA"},           {kRsaPublic, "of type RSA"},
      {kRsaPssPublic, "of type RSA-PSS"},     {edwards.private_pem, "of type ED25519"},
      {p384.private_pem, "is on secp384r1"},  {p384.public_pem, "is on secp384r1"},
      {koblitz.public_pem, "is on secp256k1"}};
  for (const auto& [pem, reason] : for_ec) {
    const std::string said = verdict(Algorithm::kEs256, pem);
    EXPECT_EQ(said.rfind("ES256 needs a key", 0), 0u) << said;
    EXPECT_NE(said.find(reason), std::string::npos) << said;
  }
}

TEST(KeyPair, ASmallOrEnormousRsaKeyIsRefused) {  // spec S-70
  const Halves small = rsaOf(1024);
  for (const auto& pem : {small.private_pem, small.public_pem}) {
    EXPECT_EQ(verdict(Algorithm::kRs256, pem),
              "the RSA key has 1024 bits; RS256 wants 2048 to 8192");
  }
  EXPECT_NE(verdict(Algorithm::kRs256, rsaOf(2040).public_pem), "taken");
  EXPECT_EQ(verdict(Algorithm::kRs256, rsaOf(2048).public_pem), "taken");
  EXPECT_EQ(verdict(Algorithm::kRs256, kRsa9000Public),
            "the RSA key has 9000 bits; RS256 wants 2048 to 8192");
}

/// The published RSA key with another exponent.
std::string rsaPublicWithExponent(unsigned exponent) {
  BIO* in = BIO_new_mem_buf(kRsaPublic.data(), static_cast<int>(kRsaPublic.size()));
  EVP_PKEY* known = PEM_read_bio_PUBKEY(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  BIGNUM* modulus = nullptr;
  EVP_PKEY_get_bn_param(known, OSSL_PKEY_PARAM_RSA_N, &modulus);
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
  OSSL_PARAM_BLD_push_uint(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters), 1);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, made);
  char* text = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(out, &text));
  const std::string pem(text, size);
  BIO_free(out);
  EVP_PKEY_free(made);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_free(modulus);
  EVP_PKEY_free(known);
  return pem;
}

// with the exponent 1 a signature is the message itself, and anybody can write it
TEST(KeyPair, AnRsaKeyWithAnExponentThatHidesNothingIsRefused) {
  EXPECT_EQ(verdict(Algorithm::kRs256, rsaPublicWithExponent(65537)), "taken");
  for (const unsigned exponent : {1U, 2U, 65536U}) {
    EXPECT_NE(
        verdict(Algorithm::kRs256, rsaPublicWithExponent(exponent)).find("do not fit together"),
        std::string::npos)
        << exponent;
  }
}

// spec S-70: what is wrong is said, without a byte of the key
TEST(KeyPair, APemThatCannotBeReadIsRefusedWithAReason) {
  const std::string cut = kEcPrivate.substr(0, 60);
  const std::string without_end = kEcPrivate.substr(0, kEcPrivate.find("-----END"));
  std::string altered = kEcPublic;
  altered[80] = altered[80] == 'A' ? 'B' : 'A';  // a point that is not on the curve
  const std::vector<std::pair<std::string, const char*>> bad = {
      {"0123456789abcdef0123456789abcdef", "must be a PEM key"},
      {"k", "must be a PEM key"},
      {kEcPrivate.substr(28), "must be a PEM key"},
      {"-----BEGIN PRIVATE KEY", "ends within its first line"},
      {"-----BEGIN PRIVATE KEY-----", "cannot be read"},
      {"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "cannot be read"},
      {"-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n", "cannot be read"},
      {cut, "cannot be read"},
      {without_end, "cannot be read"},
      {altered, "ES256"},
      {replaced(kEcPrivate, "\n", " "), "cannot be read"},
      {replaced(kEcPrivate, "PRIVATE", "PUBLIC"), "cannot be read"},
      {replaced(kEcPublic, "PUBLIC", "PRIVATE"), "cannot be read"},
      {kEcPrivate + kEcPublic, "holds 2 PEM blocks"},
      {kEcPublic + kEcPublic + kEcPublic, "holds 3 PEM blocks"},
      {kEcEncrypted, "is encrypted"},
      {kEcEncryptedOld, "is encrypted"},
      {kCertificate, "this is a certificate"},
      {replaced(kCertificate, "CERTIFICATE", "CERTIFICATE REQUEST"), "neither a PRIVATE KEY"},
      {"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
       "must be a PEM key"},
      {kEcHalvesOfTwo, "do not fit together"}};
  for (const auto& [pem, reason] : bad) {
    const auto key = Key::create(Algorithm::kEs256, pem);
    ASSERT_FALSE(key) << pem;
    EXPECT_EQ(key.error().code, Code::kValidationFailed);
    EXPECT_NE(key.error().message.find(reason), std::string::npos) << pem << '\n'
                                                                   << key.error().message;
    EXPECT_EQ(key.error().message.find("MFkw"), std::string::npos);
    EXPECT_EQ(key.error().message.find("MIGH"), std::string::npos);
  }
}

// with HMAC everybody who has the public half could sign
TEST(KeyPair, NoPemOfAnyKindIsAnHmacSecret) {
  for (const auto algorithm : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512}) {
    for (const auto& pem : {kRsaPublic, kRsaPublicPkcs1, kRsaPrivate, kEcPublic, kEcPrivate,
                            kEcPrivateSec1, kCertificate, replaced(kEcPublic, "\n", "\\n")}) {
      EXPECT_NE(verdict(algorithm, pem).find("is a PEM key, but HS"), std::string::npos) << pem;
    }
  }
}

TEST(KeyPair, FingerprintsAreThoseOfThePair) {
  const Key rsa = keyOf(Algorithm::kRs256, kRsaPrivate);
  const Key ec = keyOf(Algorithm::kEs256, kEcPrivate);
  EXPECT_EQ(rsa.fingerprint(), keyOf(Algorithm::kRs256, kRsaPublicPkcs1).fingerprint());
  EXPECT_EQ(ec.fingerprint(), keyOf(Algorithm::kEs256, kEcPublic).fingerprint());
  EXPECT_NE(rsa.fingerprint(), ec.fingerprint());
  EXPECT_NE(ec.fingerprint(), keyOf(Algorithm::kEs256, ecOf("P-256").public_pem).fingerprint());
  EXPECT_NE(ec.fingerprint(), 0u);
}

//
TEST(KeyPair, OnlyTwoNumbersOf32BytesInRangeAreASignatureOfEs256) {
  const Key key = keyOf(Algorithm::kEs256, kEcPrivate);
  const std::string good = key.sign("input").value();
  ASSERT_EQ(good.size(), 64u);
  ASSERT_TRUE(key.accepts("input", good));
  const std::string r = good.substr(0, 32);
  const std::string s = good.substr(32);
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\1';
  const std::string order =  // of the group
      "\xFF\xFF\xFF\xFF" + std::string(4, '\0') + std::string(8, '\xFF') +
      "\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x51";
  const std::string most(32, '\xFF');
  for (const auto& bad :
       {zero + zero, zero + s, r + zero, one + one, one + zero, order + order, order + s, r + order,
        most + most, most + s, r + most, zero + order, order + zero, s + r}) {
    ASSERT_EQ(bad.size(), 64u);
    EXPECT_FALSE(key.accepts("input", bad));
    EXPECT_FALSE(key.accepts("", bad));
  }
  for (std::size_t size = 0; size < 64; ++size)
    EXPECT_FALSE(key.accepts("input", good.substr(0, size)));
  for (const auto& bad : {good + std::string(1, '\0'), std::string(1, '\0') + good, good + good,
                          r + std::string(1, '\0') + s, std::string(64 * 1024, 'x')}) {
    EXPECT_FALSE(key.accepts("input", bad)) << bad.size();
  }
}

// the form that OpenSSL writes by itself, for any lengths of r and s
TEST(KeyPair, ASignatureInDerIsRefused) {
  const Key key = keyOf(Algorithm::kEs256, kEcPrivate);
  BIO* in = BIO_new_mem_buf(kEcPrivate.data(), static_cast<int>(kEcPrivate.size()));
  EVP_PKEY* pair = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  ASSERT_NE(pair, nullptr);
  for (int round = 0; round < 50; ++round) {
    const std::string message = "message " + std::to_string(round);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ASSERT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, pair), 1);
    std::string der(80, '\0');
    std::size_t size = der.size();
    ASSERT_EQ(
        EVP_DigestSign(context, reinterpret_cast<unsigned char*>(der.data()), &size,
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()),
        1);
    EVP_MD_CTX_free(context);
    EXPECT_FALSE(key.accepts(message, der.substr(0, size)));
    EXPECT_FALSE(key.accepts(message, der.substr(0, 64)));
  }
  EVP_PKEY_free(pair);
}

// Small r and s: their DER is shorter, and a first bit of 1 takes a byte more.
TEST(KeyPair, SignaturesOfEs256HoldWhateverTheirFirstBytes) {
  const Key key = keyOf(Algorithm::kEs256, kEcPrivate);
  const Key verifier = keyOf(Algorithm::kEs256, kEcPublic);
  bool has_zero = false;
  bool has_high = false;
  for (int round = 0; round < 20'000 && !(has_zero && has_high && round > 300); ++round) {
    const std::string message = std::to_string(round);
    const std::string signature = key.sign(message).value();
    ASSERT_EQ(signature.size(), 64u);
    const bool is_zero = signature[0] == '\0' || signature[32] == '\0';
    has_zero |= is_zero;
    has_high |= (signature[0] & 0x80) != 0;
    ASSERT_TRUE(verifier.accepts(message, signature)) << round;
  }
  EXPECT_TRUE(has_zero);
  EXPECT_TRUE(has_high);
  EXPECT_NE(key.sign("same").value(), key.sign("same").value());
}

TEST(KeyPair, EveryAlteredSignatureIsRefused) {
  for (const auto& [algorithm, pem] :
       {std::pair{Algorithm::kRs256, kRsaPrivate}, std::pair{Algorithm::kEs256, kEcPrivate}}) {
    const Key key = keyOf(algorithm, pem);
    const std::string good = key.sign("input").value();
    for (std::size_t bit = 0; bit < good.size() * 8; bit += 3) {
      std::string flipped = good;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_FALSE(key.accepts("input", flipped)) << bit;
    }
    for (const auto& bad :
         {std::string(), good.substr(1), good.substr(0, good.size() - 1), good + '\0',
          std::string(1, '\0') + good, good + good, std::string(good.size(), '\0'),
          std::string(good.size(), '\xFF'), std::string(good.size() - 1, '\0') + '\1'}) {
      EXPECT_FALSE(key.accepts("input", bad)) << bad.size();
    }
  }
}

// the same key pair, but another padding or hash
TEST(KeyPair, OtherSignaturesOfTheSameRsaKeyAreRefused) {
  const Key key = keyOf(Algorithm::kRs256, kRsaPublic);
  BIO* in = BIO_new_mem_buf(kRsaPrivate.data(), static_cast<int>(kRsaPrivate.size()));
  EVP_PKEY* pair = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  ASSERT_NE(pair, nullptr);
  const auto signature = [pair](const char* digest, const char* padding) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* parameters = nullptr;
    EXPECT_EQ(EVP_DigestSignInit_ex(context, &parameters, digest, nullptr, nullptr, pair, nullptr),
              1);
    EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(parameters, "rsa_padding_mode", padding), 1);
    std::string made(256, '\0');
    std::size_t size = made.size();
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(made.data()), &size,
                             reinterpret_cast<const unsigned char*>("input"), 5),
              1);
    EVP_MD_CTX_free(context);
    return made;
  };
  EXPECT_TRUE(key.accepts("input", signature("SHA256", "pkcs1")));
  EXPECT_FALSE(key.accepts("input", signature("SHA256", "pss")));
  for (const char* digest : {"SHA1", "SHA384", "SHA512", "MD5"}) {
    EXPECT_FALSE(key.accepts("input", signature(digest, "pkcs1"))) << digest;
  }
  EVP_PKEY_free(pair);
}

TEST(KeyPair, NothingIsLeftInOpenSslsListOfErrors) {
  ERR_clear_error();
  for (const auto& [algorithm, pem] :
       {std::pair{Algorithm::kRs256, kRsaPrivate}, std::pair{Algorithm::kEs256, kEcPrivate}}) {
    const Key key = keyOf(algorithm, pem);
    EXPECT_FALSE(key.accepts("input", std::string(key.sign("input").value().size(), '\0')));
    EXPECT_FALSE(Key::create(algorithm, kEcPrivate.substr(0, 80)));
    EXPECT_FALSE(Key::create(algorithm, kEcEncrypted));
  }
  EXPECT_FALSE(Key::create(Algorithm::kEs256, kEcHalvesOfTwo));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(KeyPair, ThreadsMayUseOneKeyAtOnce) {
  for (const auto& [algorithm, pem] :
       {std::pair{Algorithm::kRs256, kRsaPrivate}, std::pair{Algorithm::kEs256, kEcPrivate}}) {
    const Key key = keyOf(algorithm, pem);
    std::vector<std::thread> threads;
    std::vector<int> held(4, 0);
    for (std::size_t index = 0; index < held.size(); ++index) {
      threads.emplace_back([&key, &held, index] {
        for (int round = 0; round < 20; ++round) {
          const auto signature = key.sign(std::to_string(round));
          held[index] += signature && key.accepts(std::to_string(round), *signature) ? 1 : 0;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::count(held.begin(), held.end(), 20), 4);
  }
}

}  // namespace
}  // namespace sub0::auth::key_pair_test
