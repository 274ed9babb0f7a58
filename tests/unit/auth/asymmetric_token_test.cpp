// SPDX-License-Identifier: Apache-2.0
// Tokens of RS256 and ES256. Which keys and signatures there are is key_pair_test.cpp.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "auth/token_issuer.hpp"
#include "auth/token_verifier.hpp"
#include "auth/verified_token_cache.hpp"
#include "json/writer.hpp"
#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth::asymmetric_token_test {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

// The payload of the examples of RFC 7515, appendix A.
const std::string kRfcPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
    "cnVlfQ";
const std::string kRs256Signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
    "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS"
    "jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"
    "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/// "ok <claims>", or the name of the error.
std::string verdict(const Key& key, const std::string& token, std::int64_t now = kNow) {
  Arena arena;
  const auto verified = verifyToken(key, token, now, arena);
  if (verified) return "ok " + json::toString(verified->claims);
  return std::string(codeInfo(verified.error().code).name);
}

TEST(AsymmetricToken, TheExamplesOfRfc7515AreVerified) {  // spec S-70, spec S-72
  const std::string claims =
      R"(ok {"iss":"joe","exp":1300819380,"http://example.com/is_root":true})";
  const std::string rs256 = "eyJhbGciOiJSUzI1NiJ9." + kRfcPayload + "." + kRs256Signature;
  EXPECT_EQ(verdict(keyOf(Algorithm::kRs256, kRsaPublic), rs256, 1'300'819'379), claims);
  EXPECT_EQ(verdict(keyOf(Algorithm::kRs256, kRsaPublic), rs256, 1'300'819'380), "token_expired");
  const std::string es256 =
      "eyJhbGciOiJFUzI1NiJ9." + kRfcPayload +
      ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  EXPECT_EQ(verdict(keyOf(Algorithm::kEs256, kEcPublic), es256, 1'300'819'379), claims);
  EXPECT_EQ(verdict(keyOf(Algorithm::kEs256, kEcPublic), es256, 1'300'819'380), "token_expired");
}

TEST(AsymmetricToken, ASignatureOfRs256IsThatOfTheRfc) {  // spec S-70
  const Key key = keyOf(Algorithm::kRs256, kRsaPrivate);
  EXPECT_EQ(text::base64UrlEncode(key.sign("eyJhbGciOiJSUzI1NiJ9." + kRfcPayload).value()),
            kRs256Signature);
}

// Written by PyJWT 2.6.
TEST(AsymmetricToken, TokensOfAnotherImplementationAreVerified) {  // spec S-70, spec S-72
  const std::string rs256 =
      "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6InVzZXJfMTIzNDUiLCJiaWciOjE4NDQ2NzQ0MDczNzA"
      "5NTUxNjE1LCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA4NjQwMH0.AdIongxX3LV_lZ_2pDJGTXymXKM18w1"
      "GqwgmPOKJC1tpE1jvy8OsShOl1-ROqJtvlVGKLavyqRB7PZer-BTi0DKbfNvR0dK-e5eJQFnxBPVctrfa2bQjAzE"
      "KE6xXHhvCbVPxzHnNehz0wBAbqI4LxgQohY3524aP0E0yklRGwomVXqoPCkBPNdzlAs_Y8VShlJjcbWeOsaZnSf0"
      "dzzL6dQMZjwggX2E4rm9ERFdczOa7-Ul01-gf_4FGscQ6S4V7C-nbnttf1Acv2ndUZSZi3Id06DFEGO7Kovh7kRi"
      "o6EvfW7QXMdwIVdU8_LFaAHlm_oa0vyRmdtAqVtAUoOKrsQ";
  const std::string es256 =
      "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6InVzZXJfMTIzNDUiLCJiaWciOjE4NDQ2NzQ0MDczNzA"
      "5NTUxNjE1LCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDA4NjQwMH0.ZiTEykct40zM9A3wJfb8w-tCwcXiUp0"
      "_7fbySi10zLgV1uN1Ji1seW4v_S-te9EMEiPDaoVEu-NmFLtAkbEvZg";
  const std::string expected =
      R"(ok {"id":"user_12345","big":18446744073709551615,"iat":1700000000,"exp":1700086400})";
  for (const auto& pem : {kRsaPublic, kRsaPublicPkcs1, kRsaPrivate}) {
    EXPECT_EQ(verdict(keyOf(Algorithm::kRs256, pem), rs256), expected);
    EXPECT_EQ(verdict(keyOf(Algorithm::kRs256, pem), es256), "token_invalid");
  }
  for (const auto& pem : {kEcPublic, kEcPrivate, kEcPrivateSec1}) {
    EXPECT_EQ(verdict(keyOf(Algorithm::kEs256, pem), es256), expected);
    EXPECT_EQ(verdict(keyOf(Algorithm::kEs256, pem), rs256), "token_invalid");
  }
  EXPECT_EQ(verdict(keyOf(Algorithm::kRs256, kRsaPublic), rs256, 1'700'086'400), "token_expired");
  std::string altered = rs256;
  altered[60] = altered[60] == 'A' ? 'B' : 'A';
  EXPECT_EQ(verdict(keyOf(Algorithm::kRs256, kRsaPublic), altered), "token_invalid");
}

// Q-41: signed with HMAC, and the public half of the pair as the secret
TEST(AsymmetricToken, AnHmacWithThePublicKeyIsRefused) {
  for (const auto& [algorithm, pem] :
       {std::pair{Algorithm::kRs256, kRsaPublic}, std::pair{Algorithm::kRs256, kRsaPublicPkcs1},
        std::pair{Algorithm::kEs256, kEcPublic}}) {
    const Key key = keyOf(algorithm, pem);
    // Without its first dashes, which is all that makes the secret a PEM key, and the message that
    // was signed is written by hand below: what counts is that no HMAC holds.
    const std::string secret = pem.substr(1);
    for (const auto hmac : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512}) {
      EXPECT_FALSE(Key::create(hmac, pem));
      for (const auto name : {nameOf(hmac), nameOf(algorithm)}) {
        const std::string header = R"({"alg":")" + std::string(name) + "\"}";
        EXPECT_EQ(verdict(key, signedToken(keyOf(hmac, secret), header, R"({"id":7})")),
                  "token_invalid");
      }
    }
  }
}

// Q-41, spec S-72: the signature holds, and only the header speaks of another algorithm
TEST(AsymmetricToken, TheHeaderMustNameTheAlgorithmOfTheResource) {
  for (const Key& key : keysOfAllAlgorithms()) {
    for (const Key& other : keysOfAllAlgorithms()) {
      const std::string own = R"({"alg":")" + std::string(nameOf(key.algorithm())) + "\"}";
      const std::string foreign = R"({"alg":")" + std::string(nameOf(other.algorithm())) + "\"}";
      const bool is_same = key.algorithm() == other.algorithm();
      const std::string expected = is_same ? R"(ok {"id":7})" : "token_invalid";
      EXPECT_EQ(verdict(key, signedToken(key, foreign, R"({"id":7})")), expected);
      EXPECT_EQ(verdict(key, signedToken(other, own, R"({"id":7})")), expected);
      EXPECT_EQ(verdict(key, signedToken(other, foreign, R"({"id":7})")), expected);
    }
  }
}

TEST(AsymmetricToken, AnotherPairsTokenIsRefused) {  // spec S-72
  const std::string rs256 =
      signedToken(keyOf(Algorithm::kRs256, kRsaPrivate), R"({"alg":"RS256"})", R"({"id":7})");
  const std::string es256 =
      signedToken(keyOf(Algorithm::kEs256, kEcPrivate), R"({"alg":"ES256"})", R"({"id":7})");
  EXPECT_EQ(verdict(keyOf(Algorithm::kRs256, kOtherRsaPublic), rs256), "token_invalid");
  EXPECT_EQ(verdict(keyOf(Algorithm::kEs256, kOtherEcPublic), es256), "token_invalid");
}

TEST(AsymmetricToken, APublicKeyIssuesNone) {  // spec S-71
  const json::Member member{json::toView("id"), json::integer(7)};
  for (const Key& key :
       {keyOf(Algorithm::kRs256, kRsaPublic), keyOf(Algorithm::kEs256, kEcPublic)}) {
    const auto token = issueToken(key, json::object(&member, 1), 1, 2);
    ASSERT_FALSE(token);
    EXPECT_EQ(token.error().code, Code::kInternal);
  }
}

TEST(AsymmetricToken, WhatIsIssuedSaysItsAlgorithmAndIsTakenByThePublicHalf) {  // spec S-71
  const json::Member member{json::toView("id"), json::text("u1")};
  for (const auto& [algorithm, own, half] :
       {std::tuple{Algorithm::kRs256, kRsaPrivate, kRsaPublic},
        std::tuple{Algorithm::kEs256, kEcPrivate, kEcPublic}}) {
    const auto token = issueToken(keyOf(algorithm, own), json::object(&member, 1), kNow, kNow + 60);
    ASSERT_TRUE(token);
    EXPECT_EQ(text::base64UrlDecode(text::split(*token, ".")[0]).value(),
              R"({"alg":")" + std::string(nameOf(algorithm)) + R"(","typ":"JWT"})");
    EXPECT_EQ(verdict(keyOf(algorithm, half), *token),
              R"(ok {"id":"u1","iat":1700000000,"exp":1700000060})");
    EXPECT_EQ(verdict(keyOf(algorithm, half), *token, kNow + 60), "token_expired");
  }
}

// spec S-73: what one resource verified with the private key, another knows by the public one
TEST(AsymmetricToken, TheHalvesOfAPairShareWhatIsRemembered) {
  const Key own = keyOf(Algorithm::kEs256, kEcPrivate);
  const Key half = keyOf(Algorithm::kEs256, kEcPublic);
  const std::string token = signedToken(own, R"({"alg":"ES256"})", R"({"id":7})");
  VerifiedTokenCache cache;
  Arena arena;
  ASSERT_TRUE(verifyRemembered(own, token, kNow, &cache, arena));
  EXPECT_NE(cache.find(half.fingerprint(), token), nullptr);
  EXPECT_EQ(cache.find(keyOf(Algorithm::kRs256, kRsaPublic).fingerprint(), token), nullptr);
}

}  // namespace
}  // namespace sub0::auth::asymmetric_token_test
