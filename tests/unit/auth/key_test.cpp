// SPDX-License-Identifier: Apache-2.0
#include "auth/key.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth {
namespace {

TEST(Key, AlgorithmsAreKnownByTheirExactNames) {  // spec S-70
  EXPECT_EQ(algorithmOf("HS256"), Algorithm::kHs256);
  EXPECT_EQ(algorithmOf("HS384"), Algorithm::kHs384);
  EXPECT_EQ(algorithmOf("HS512"), Algorithm::kHs512);
  for (const char* name : {"", "hs256", "HS256 ", "none", "None", "RS", "ES"}) {
    EXPECT_EQ(algorithmOf(name), std::nullopt) << name;
  }
  EXPECT_EQ(nameOf(Algorithm::kHs384), "HS384");
}

TEST(Key, APemKeyIsNoHmacSecret) {
  for (const char* pem :
       {"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
        " \n-----BEGIN RSA PUBLIC KEY-----\nMIIB", "-----BEGIN CERTIFICATE-----\nMIIB"}) {
    const auto key = Key::create(Algorithm::kHs256, pem);
    ASSERT_FALSE(key) << pem;
    EXPECT_EQ(key.error().message.find("MIIB"), std::string::npos);
  }
  EXPECT_FALSE(Key::create(Algorithm::kHs256, ""));
}

TEST(Key, FingerprintsDifferByAlgorithmAndSecret) {
  const Key key = keyOf(Algorithm::kHs256, "one");
  EXPECT_EQ(key.fingerprint(), keyOf(Algorithm::kHs256, "one").fingerprint());
  EXPECT_NE(key.fingerprint(), keyOf(Algorithm::kHs256, "two").fingerprint());
  EXPECT_NE(key.fingerprint(), keyOf(Algorithm::kHs384, "one").fingerprint());
}

TEST(Key, OnlyTheWholeSignatureIsAccepted) {
  for (const auto algorithm : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512}) {
    const Key key = keyOf(algorithm);
    const std::string signature = key.sign("input").value();
    EXPECT_TRUE(key.accepts("input", signature));
    EXPECT_FALSE(key.accepts("inpuT", signature));
    EXPECT_FALSE(key.accepts("input", ""));
    EXPECT_FALSE(key.accepts("input", signature + "x"));
    EXPECT_FALSE(key.accepts("input", std::string(signature.size(), '\0')));
    EXPECT_FALSE(keyOf(algorithm, "other").accepts("input", signature));
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
      std::string flipped = signature;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_FALSE(key.accepts("input", flipped)) << bit;
    }
    for (std::size_t size = 0; size < signature.size(); ++size) {
      ASSERT_FALSE(key.accepts("input", signature.substr(0, size))) << size;
    }
  }
}

TEST(Key, PocosSignaturesAndOpenSslsAgreeForEverySecretLength) {
  for (std::size_t bytes = 1; bytes < 200; bytes += 7) {
    for (const auto algorithm : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512}) {
      const Key key = keyOf(algorithm, std::string(bytes, 'k'));
      EXPECT_TRUE(key.accepts("message", key.sign("message").value())) << bytes;
    }
  }
}

}  // namespace
}  // namespace sub0::auth
