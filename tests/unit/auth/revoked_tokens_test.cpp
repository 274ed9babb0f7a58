// SPDX-License-Identifier: Apache-2.0
#include "auth/revoked_tokens.hpp"

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <thread>

#include "auth/paseto.hpp"
#include "auth/token_verifier.hpp"
#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth::revoked_tokens_test {
namespace {

constexpr std::string_view kClaims = R"({"id":1,"exp":100})";

std::string headerOf(const Key& key) {
  return R"({"alg":")" + std::string(nameOf(key.algorithm())) + R"("})";
}

Code codeOf(const RevokedTokens& list, const Key& key, std::string_view token,
            VerifiedTokenCache* cache = nullptr) {
  Arena arena;
  const auto claims = verifyRemembered(key, token, 50, cache, arena, 0, &list);
  return claims ? Code::kOk : claims.error().code;
}

// spec S-74
TEST(RevokedTokens, ATokenOfEveryAlgorithmIsRefusedAlsoWhereItIsRemembered) {
  for (const Key& key : keysOfAllAlgorithms()) {
    RevokedTokens list;
    VerifiedTokenCache cache;
    const std::string token = signedToken(key, headerOf(key), kClaims);
    const std::string other = signedToken(key, headerOf(key), R"({"id":2})");
    EXPECT_EQ(codeOf(list, key, token, &cache), Code::kOk);
    list.add(fingerprintOf(key, token), 100, 50);
    EXPECT_EQ(codeOf(list, key, token, &cache), Code::kTokenRevoked);
    EXPECT_EQ(codeOf(list, key, token), Code::kTokenRevoked);
    EXPECT_EQ(codeOf(list, key, other, &cache), Code::kOk);
    EXPECT_EQ(codeOf(list, key, other), Code::kOk);
  }
}

// spec S-74: what two keys say with the same words are two tokens
TEST(RevokedTokens, TheSameClaimsUnderAnotherKeyStay) {
  const Key key = keyOf(Algorithm::kHs256);
  const Key other = keyOf(Algorithm::kHs256, "another secret text of more than thirty-two bytes");
  RevokedTokens list;
  list.add(fingerprintOf(key, signedToken(key, headerOf(key), kClaims)), 100, 50);
  EXPECT_EQ(codeOf(list, other, signedToken(other, headerOf(other), kClaims)), Code::kOk);
}

/// The second form of an ECDSA signature: s is replaced by the order of the curve less s.
std::string withOtherSignature(const std::string& token) {
  constexpr std::size_t kHalf = 32;
  const std::size_t dot = token.rfind('.');
  std::string signature = text::base64UrlDecode(std::string_view(token).substr(dot + 1)).value();
  BIGNUM* order = nullptr;
  BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
  auto* half = reinterpret_cast<unsigned char*>(signature.data()) + kHalf;
  BIGNUM* s = BN_bin2bn(half, kHalf, nullptr);
  BN_sub(s, order, s);
  BN_bn2binpad(s, half, kHalf);
  BN_free(s);
  BN_free(order);
  return token.substr(0, dot + 1) + text::base64UrlEncode(signature);
}

// Q-44: nobody comes back with the same token in other letters
TEST(RevokedTokens, TheOtherFormOfAnEcdsaSignatureIsRefusedToo) {
  const Key key = keyOf(Algorithm::kEs256, kEcPrivate);
  const std::string token = signedToken(key, headerOf(key), kClaims);
  const std::string other = withOtherSignature(token);
  ASSERT_NE(other, token);
  RevokedTokens list;
  ASSERT_EQ(codeOf(list, key, other), Code::kOk) << "it verifies";
  list.add(fingerprintOf(key, token), 100, 50);
  EXPECT_EQ(codeOf(list, key, other), Code::kTokenRevoked);
}

// spec S-74
TEST(RevokedTokens, NobodyIsLetThroughWhileTheListIsNotKnown) {
  const Key key = keyOf(Algorithm::kHs256);
  const std::string token = signedToken(key, headerOf(key), kClaims);
  RevokedTokens list;
  VerifiedTokenCache cache;
  EXPECT_TRUE(list.isKnown());
  EXPECT_EQ(codeOf(list, key, token, &cache), Code::kOk);
  list.expectList();
  EXPECT_FALSE(list.isKnown());
  EXPECT_EQ(codeOf(list, key, token, &cache), Code::kUnavailable);
  list.add(fingerprintOf(key, token), 100, 50);
  EXPECT_EQ(codeOf(list, key, token, &cache), Code::kUnavailable);
  list.setKnown();
  EXPECT_EQ(codeOf(list, key, token, &cache), Code::kTokenRevoked);
  list.expectList();  // a reload: it is known already
  EXPECT_TRUE(list.isKnown());
  EXPECT_EQ(codeOf(list, key, token, &cache), Code::kTokenRevoked);
}

// spec S-74
TEST(RevokedTokens, TheLaterTimeCountsAndWhatHasExpiredIsForgotten) {
  const Key key = keyOf(Algorithm::kHs256);
  RevokedTokens list;
  const auto kept = fingerprintOf(key, "a.b.kept");
  EXPECT_FALSE(list.isRevokedUntil(kept, 1));
  list.add(kept, 5000, 0);
  EXPECT_TRUE(list.isRevokedUntil(kept, 5000));
  EXPECT_FALSE(list.isRevokedUntil(kept, 5001));
  list.add(kept, 10, 0);
  for (int i = 0; i < 3000; ++i) {
    const std::int64_t now_s = i + RevokedTokens::kKeptBeyondSeconds;
    list.add(fingerprintOf(key, "a." + std::to_string(i) + ".c"), i, now_s);
    ASSERT_LE(list.size(), 1024U);
  }
  std::uint64_t seen = 0;
  EXPECT_FALSE(list.check(key, "a.b.kept", &seen));
}

// spec S-74: hosts that share a list read the same rows again and again; that costs no token a look
TEST(RevokedTokens, WhatIsKnownAlreadyMakesNobodyLookAgain) {
  const Key key = keyOf(Algorithm::kHs256);
  RevokedTokens list;
  list.add(fingerprintOf(key, "a.b.c"), 100, 0);
  std::uint64_t seen = 0;
  ASSERT_TRUE(list.check(key, "a.good.c", &seen));
  const std::uint64_t first = seen;
  list.add(fingerprintOf(key, "a.b.c"), 100, 0);
  list.add(fingerprintOf(key, "a.b.c"), 200, 0);
  EXPECT_TRUE(list.isRevokedUntil(fingerprintOf(key, "a.b.c"), 200));
  ASSERT_TRUE(list.check(key, "a.good.c", &seen));
  EXPECT_EQ(seen, first);
  list.add(fingerprintOf(key, "a.d.c"), 100, 0);
  ASSERT_TRUE(list.check(key, "a.good.c", &seen));
  EXPECT_NE(seen, first);
}

// spec S-74
TEST(RevokedTokens, LooksAndAdditionsOnSeveralThreads) {
  const Key key = keyOf(Algorithm::kHs256);
  RevokedTokens list;
  std::atomic<bool> is_over{false};
  std::thread reader([&] {
    std::uint64_t seen = 0;
    while (!is_over.load()) (void)list.check(key, "a.b.c", &seen);
  });
  for (int i = 0; i < 2000; ++i) list.add(fingerprintOf(key, "a." + std::to_string(i)), 9, 0);
  list.add(fingerprintOf(key, "a.b.c"), 9, 0);
  is_over = true;
  reader.join();
  std::uint64_t seen = 0;
  EXPECT_FALSE(list.check(key, "a.b.c", &seen));
}

}  // namespace
}  // namespace sub0::auth::revoked_tokens_test
