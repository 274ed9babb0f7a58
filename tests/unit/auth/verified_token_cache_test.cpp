// SPDX-License-Identifier: Apache-2.0
#include "auth/verified_token_cache.hpp"

#include <gtest/gtest.h>

#include <string>

#include "auth/token_verifier.hpp"
#include "json/writer.hpp"
#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth::verified_token_cache_test {
namespace {

constexpr const char* kHeader = R"({"alg":"HS256"})";

TEST(VerifiedTokenCache, ATokenIsRememberedUntilItExpires) {  // spec S-73
  const Key key = keyOf(Algorithm::kHs256);
  const std::string token = signedToken(key, kHeader, R"({"id":"u1","exp":100})");
  VerifiedTokenCache cache;
  Arena arena;
  auto claims = verifyRemembered(key, token, 50, &cache, arena);
  ASSERT_TRUE(claims);
  EXPECT_EQ(json::toString(*claims), R"({"id":"u1","exp":100})");
  ASSERT_NE(cache.find(key.fingerprint(), token), nullptr);
  EXPECT_EQ(cache.find(key.fingerprint(), token)->exp_seconds, 100);
  arena.reset();
  claims = verifyRemembered(key, token, 99, &cache, arena);
  ASSERT_TRUE(claims);
  EXPECT_EQ(json::toString(*claims), R"({"id":"u1","exp":100})");
  claims = verifyRemembered(key, token, 100, &cache, arena);
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, Code::kTokenExpired);
}

TEST(VerifiedTokenCache, AnotherKeyOrTokenIsNotTheRememberedOne) {  // spec S-72
  const Key key = keyOf(Algorithm::kHs256);
  const Key other = keyOf(Algorithm::kHs256, "another secret");
  const std::string token = signedToken(key, kHeader, R"({"id":"u1"})");
  VerifiedTokenCache cache;
  Arena arena;
  ASSERT_TRUE(verifyRemembered(key, token, 1, &cache, arena));
  EXPECT_FALSE(verifyRemembered(other, token, 1, &cache, arena));
  EXPECT_FALSE(verifyRemembered(key, token + "A", 1, &cache, arena));
  EXPECT_FALSE(verifyRemembered(key, token.substr(0, token.size() - 1), 1, &cache, arena));
}

// A text that lasts is known by its place, and only if its size and key are the same; one that does
// not last is read each time.
TEST(VerifiedTokenCache, ATokenThatLastsIsKnownByItsPlace) {
  const Key key = keyOf(Algorithm::kHs256);
  const Key other = keyOf(Algorithm::kHs256, "another secret");
  std::string token = signedToken(key, kHeader, R"({"id":"u1"})");
  const std::string copy = token;
  VerifiedTokenCache lasting;
  VerifiedTokenCache passing;
  Arena arena;
  ASSERT_TRUE(verifyRemembered(key, token, 1, {&lasting, true}, arena));
  ASSERT_TRUE(verifyRemembered(key, token, 1, &passing, arena));
  token[0] = '?';  // shows that it is not read
  EXPECT_TRUE(verifyRemembered(key, token, 1, {&lasting, true}, arena));
  EXPECT_TRUE(verifyRemembered(key, copy, 1, {&lasting, true}, arena));
  EXPECT_FALSE(verifyRemembered(key, token, 1, {&lasting, false}, arena));
  EXPECT_FALSE(verifyRemembered(key, token, 1, &passing, arena));
  EXPECT_FALSE(verifyRemembered(key, token, 1, {&passing, true}, arena));
  EXPECT_FALSE(verifyRemembered(other, token, 1, {&lasting, true}, arena));
  EXPECT_FALSE(verifyRemembered(key, std::string_view(token).substr(0, token.size() - 1), 1,
                                {&lasting, true}, arena));
}

TEST(VerifiedTokenCache, RefusedTokensAreNotRemembered) {
  const Key key = keyOf(Algorithm::kHs256);
  VerifiedTokenCache cache;
  Arena arena;
  EXPECT_FALSE(verifyRemembered(key, "a.b.c", 1, &cache, arena));
  EXPECT_EQ(cache.find(key.fingerprint(), "a.b.c"), nullptr);
}

TEST(VerifiedTokenCache, TheOldestGivesWay) {
  const Key key = keyOf(Algorithm::kHs256);
  VerifiedTokenCache cache;
  Arena arena;
  const auto token = [&](std::size_t number) {
    return signedToken(key, kHeader, "{\"id\":" + std::to_string(number) + "}");
  };
  for (std::size_t number = 0; number < VerifiedTokenCache::kMaxEntries + 2; ++number) {
    ASSERT_TRUE(verifyRemembered(key, token(number), 1, &cache, arena));
  }
  EXPECT_EQ(cache.find(key.fingerprint(), token(0)), nullptr);
  EXPECT_EQ(cache.find(key.fingerprint(), token(1)), nullptr);
  for (std::size_t number = 2; number < VerifiedTokenCache::kMaxEntries + 2; ++number) {
    const auto* entry = cache.find(key.fingerprint(), token(number));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(json::find(entry->claims, "id")->as.i, static_cast<int64_t>(number));
  }
  cache.clear();
  EXPECT_EQ(cache.find(key.fingerprint(), token(2)), nullptr);
}

TEST(VerifiedTokenCache, WithoutACacheClaimsLiveInTheArena) {
  const Key key = keyOf(Algorithm::kHs256);
  Arena arena;
  const auto claims =
      verifyRemembered(key, signedToken(key, kHeader, R"({"id":1})"), 1, nullptr, arena);
  ASSERT_TRUE(claims);
  EXPECT_EQ(json::toString(*claims), R"({"id":1})");
}

TEST(VerifiedTokenCache, TakesEightBytesUntilItIsUsed) {
  EXPECT_EQ(sizeof(VerifiedTokenCache), sizeof(void*));
}

}  // namespace
}  // namespace sub0::auth::verified_token_cache_test
