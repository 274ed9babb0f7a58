// SPDX-License-Identifier: Apache-2.0
// PASETO v4.local: the published test vectors, keys in every form, and what is no token of a key.
#include "auth/paseto.hpp"

#include <gtest/gtest.h>
#include <sodium/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "auth/token_issuer.hpp"
#include "auth/token_verifier.hpp"
#include "auth/verified_token_cache.hpp"
#include "json/writer.hpp"
#include "tests/unit/auth/paseto_vectors.hpp"
#include "tests/unit/auth/signed_token.hpp"
#include "tests/unit/loop/idle_io.hpp"

namespace sub0::auth::paseto_test {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
const std::string kHexKey = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f";
const std::string kBase64Key = "cHFyc3R1dnd4eXp7fH1+f4CBgoOEhYaHiImKi4yNjo8=";
const std::string kUrlKey = "cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8";

PasetoKeyBytes keyBytes() {
  PasetoKeyBytes key{};
  for (std::size_t index = 0; index < key.size(); ++index) {
    key[index] = static_cast<unsigned char>(0x70 + index);
  }
  return key;
}

PasetoNonce nonceOf(const PasetoVector& vector) {
  PasetoNonce nonce{};
  std::copy(vector.nonce.begin(), vector.nonce.end(), nonce.begin());
  return nonce;
}

/// A token with any text, as only the owner of the key could make it.
std::string sealed(const Key& key, const std::string& text) {
  static KeyNonce nonce{};
  ++nonce[0];
  return key.seal(text, nonce).value();
}

std::string verdict(const Key& key, const std::string& token, std::int64_t now = kNow,
                    std::int64_t leeway = 0) {
  Arena arena;
  const auto verified = verifyToken(key, token, now, arena, leeway);
  if (verified) return "ok " + json::toString(verified->claims);
  for (const auto part : text::split(token, ".")) {  // Q-18
    if (part.size() < 8) continue;
    EXPECT_EQ(verified.error().log.find(part), std::string::npos);
  }
  return std::string(codeInfo(verified.error().code).name);
}

class Paseto : public ::testing::Test {
 protected:
  Paseto() { EXPECT_GE(sodium_init(), 0); }
  const Key key = keyOf(Algorithm::kV4Local, kHexKey);
};

TEST_F(Paseto, ThePublishedVectorsAreSealedAndOpened) {  // spec S-70
  ASSERT_EQ(pasetoVectors().size(), 9u);
  for (const PasetoVector& vector : pasetoVectors()) {
    EXPECT_EQ(sealV4Local(keyBytes(), nonceOf(vector), vector.text, vector.footer, vector.implicit),
              vector.token)
        << vector.name;
    EXPECT_EQ(openV4Local(keyBytes(), vector.token, vector.implicit), vector.text) << vector.name;
    EXPECT_EQ(openV4Local(keyBytes(), vector.token, std::string(vector.implicit) + "x"),
              std::nullopt);
    const std::string expected = vector.implicit.empty() ? "ok " + vector.text : "token_invalid";
    EXPECT_EQ(verdict(key, vector.token, 1'640'995'199), expected) << vector.name;
    EXPECT_EQ(verdict(key, vector.token, 1'640'995'200),
              vector.implicit.empty() ? "token_expired" : "token_invalid");
  }
}

// Written by paseto-ts 2.0.7; it adds the times by itself.
TEST_F(Paseto, TokensOfAnotherImplementationAreVerified) {  // spec S-70, spec S-72
  const std::string plain =
      "v4.local.z_zbf0-7Jn5u3AHKr1S6bBev2QC4yPbU96yhgV_CZf_AwUjFJR84cjvr8zYfJp7KLV9BtktvDrw"
      "cQoKkSJICCOxm9aq5LUXmWJnddW2mcAW1e66YTKCYjIxVkXYQq8E_XyMddXJyHmc3gr1VzyprdD0gVaKztY8"
      "Mdo-n5PrY2JNqSd2BnOBaA4ZT3U9UdRw2QBdZQME";
  const std::string with_footer =
      "v4.local.72hnw-Zg39jsCy2haMIVZ9nEgEhV50GNS77s_95kyqq4yFzygf2oiY5Ie2UYQu0WRvp24Yc9nxw"
      "RTJh8aVGoIXhaiJ4KGb9uEVJBH1Si8mfay7QFEqd4IQkM92I6sd6xidpwn1WojAGZkfM1xld0L_1xLVXejV7"
      "ITvz2mZUltbfdM9Mdg-6llCU9LzgQubmipNjcahc.eyJraWQiOiJhIn0";
  for (const auto& token : {plain, with_footer}) {
    EXPECT_EQ(verdict(key, token, 4'070'908'799).rfind(R"(ok {"id":"user_12345","exp":"2099-)", 0),
              0u);
    EXPECT_EQ(verdict(key, token, 4'070'908'800), "token_expired");
    EXPECT_EQ(verdict(key, token, 1), "token_invalid");  // iat
  }
}

TEST_F(Paseto, AKeyMayBeWrittenInEveryForm) {  // spec S-70
  const std::string token = sealed(key, R"({"id":7})");
  std::string upper = kHexKey;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 0x20) : c; });
  const auto bytes = keyBytes();
  for (const std::string& text :
       {kHexKey, upper, kBase64Key, kBase64Key.substr(0, 43), kUrlKey, kUrlKey + "=",
        "k4.local." + kUrlKey, std::string(bytes.begin(), bytes.end())}) {
    const auto made = Key::create(Algorithm::kV4Local, text);
    ASSERT_TRUE(made) << text;
    EXPECT_EQ(made->fingerprint(), key.fingerprint()) << text;
    EXPECT_EQ(verdict(*made, token), R"(ok {"id":7})") << text;
  }
  const Key other = keyOf(Algorithm::kV4Local, "0123456789abcdef0123456789abcdef");
  EXPECT_NE(other.fingerprint(), key.fingerprint());
  EXPECT_EQ(verdict(other, token), "token_invalid");
}

// spec S-70, Q-47: what has no 32 bytes, and keys of other versions and purposes
TEST_F(Paseto, WhatIsNoKeyOf32BytesIsRefusedWithAReason) {
  const std::vector<std::pair<std::string, const char*>> bad = {
      {"short", "32 bytes"},
      {std::string(31, 'k'), "32 bytes"},
      {std::string(33, 'k'), "32 bytes"},
      {kHexKey.substr(1), "32 bytes"},
      {kHexKey + "0", "32 bytes"},
      {"g" + kHexKey.substr(1), "32 bytes"},
      {kHexKey.substr(0, 31) + ":" + kHexKey.substr(32), "32 bytes"},
      {kBase64Key + "=", "32 bytes"},
      {kBase64Key.substr(0, 42), "32 bytes"},
      {kBase64Key.substr(0, 42) + "==", "32 bytes"},
      {kUrlKey.substr(0, 42) + "9", "32 bytes"},  // its unused bits are not 0
      {"k4.local." + kBase64Key.substr(0, 43), "32 bytes"},
      {"k4.local." + kUrlKey + "=", "32 bytes"},
      {"K4.local." + kUrlKey, "32 bytes"},
      {"k3.local." + kUrlKey, "another version or purpose"},
      {"k2.local." + kUrlKey, "another version or purpose"},
      {"k4.public." + kUrlKey, "another version or purpose"},
      {"k4.local-wrap.pie." + kUrlKey, "another version or purpose"},
      {"k4.lid." + kUrlKey + "A", "another version or purpose"},
      {kEcPublic, "not a PEM key"},
      {kRsaPrivate, "not a PEM key"}};
  for (const auto& [text, reason] : bad) {
    const auto made = Key::create(Algorithm::kV4Local, text);
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error().code, Code::kValidationFailed);
    EXPECT_NE(made.error().message.find(reason), std::string::npos) << made.error().message;
    EXPECT_EQ(made.error().message.find("cHFyc3R1"), std::string::npos);  // Q-18
    EXPECT_EQ(made.error().message.find("70717273"), std::string::npos);
  }
}

TEST_F(Paseto, OneOfTheOtherFamilyOfAlgorithmsRefuses) {  // Q-41
  EXPECT_TRUE(key.canIssue());
  EXPECT_FALSE(key.sign("input"));
  EXPECT_FALSE(key.accepts("input", ""));
  EXPECT_FALSE(key.accepts("input", std::string(32, '\0')));
  for (const Key& other : keysOfAllAlgorithms()) {
    EXPECT_FALSE(other.seal("{}", KeyNonce{}));
    EXPECT_EQ(other.open(sealed(key, "{}")), std::nullopt);
    EXPECT_EQ(verdict(other, sealed(key, R"({"id":7})")), "token_invalid");
    const std::string header = R"({"alg":")" + std::string(nameOf(other.algorithm())) + "\"}";
    EXPECT_EQ(verdict(key, signedToken(other, header, R"({"id":7})")), "token_invalid");
  }
  // The same 32 bytes as the secret of an HMAC.
  const auto bytes = keyBytes();
  const Key hmac =
      keyOf(Algorithm::kHs256, std::string_view(reinterpret_cast<const char*>(bytes.data()), 32));
  for (const char* header : {R"({"alg":"v4.local"})", R"({"alg":"HS256"})"}) {
    EXPECT_EQ(verdict(key, signedToken(hmac, header, R"({"id":7})")), "token_invalid");
  }
}

TEST_F(Paseto, AnotherVersionOrPurposeIsRefused) {  // Q-47
  const std::string body = sealed(key, R"({"id":7})").substr(9);
  ASSERT_EQ(verdict(key, "v4.local." + body), R"(ok {"id":7})");
  for (const char* header :
       {"v1.local.", "v2.local.", "v3.local.", "v5.local.", "v4.public.", "v4.Local.", "V4.local.",
        "v4.local", "v4..", ".", "", "v4.local..", " v4.local.", "v4local.", "v4.local. ",
        "v04.local.", "v4.local-pw.", "k4.local.", "v4.loca1."}) {
    EXPECT_EQ(verdict(key, header + body), "token_invalid") << header;
  }
}

TEST_F(Paseto, TheFooterIsPartOfWhatIsAuthentic) {  // Q-47
  const std::string text = R"({"id":7})";
  const std::string with = sealV4Local(keyBytes(), PasetoNonce{}, text, "footer");
  const std::string without = sealV4Local(keyBytes(), PasetoNonce{}, text);
  const std::size_t dot = with.rfind('.');
  ASSERT_EQ(verdict(key, with), "ok " + text);
  ASSERT_EQ(verdict(key, without), "ok " + text);
  for (const std::string& bad :
       {with.substr(0, dot), with.substr(0, dot + 1), with + ".", with + "=", with + ".Zm9v",
        with.substr(0, dot + 1) + text::base64UrlEncode("Footer"),
        with.substr(0, dot + 1) + text::base64UrlEncode("footer "), with.substr(0, dot + 1) + "*",
        with.substr(0, dot) + ".." + with.substr(dot + 1), without + ".", without + ".Zm9v",
        without + "." + text::base64UrlEncode("footer")}) {
    EXPECT_EQ(verdict(key, bad), "token_invalid") << bad;
  }
  // Key hints are not looked at.
  EXPECT_EQ(verdict(key, sealV4Local(keyBytes(), PasetoNonce{}, text,
                                     R"({"kid":"/etc/passwd","wpk":"k4.local-pw.x"})")),
            "ok " + text);
}

TEST_F(Paseto, EveryChangedCharacterAndLengthIsNoticed) {  // Q-40, Q-46, Q-47
  const std::string good = sealed(key, R"({"id":"user_12345"})");
  for (std::size_t index = 0; index < good.size(); ++index) {
    for (const char c : {'A', 'B', '-', '.', '=', '\0', ' ', '+'}) {
      if (good[index] == c) continue;
      std::string changed = good;
      changed[index] = c;
      ASSERT_EQ(verdict(key, changed), "token_invalid") << index << c;
    }
    ASSERT_EQ(verdict(key, good.substr(0, index)), "token_invalid") << index;
    ASSERT_EQ(verdict(key, good.substr(0, index) + good.substr(index + 1)), "token_invalid");
  }
  for (const char* more : {"A", "AA", "AAAA", "=", "==", ".", " ", "\n"}) {
    EXPECT_EQ(verdict(key, good + more), "token_invalid") << more;
  }
  // Without any text, and shorter than nonce and tag.
  for (std::size_t size = 0; size < 80; ++size) {
    EXPECT_EQ(verdict(key, "v4.local." + text::base64UrlEncode(std::string(size, '\0'))),
              "token_invalid");
  }
  EXPECT_EQ(key.open(sealed(key, "")), "");
}

TEST_F(Paseto, ClaimsAreAnObjectWithoutEqualKeys) {  // Q-40
  for (const char* text : {"", "7", "[]", "null", R"("a")", R"({"id":7,"id":7})", R"({"id":7}x)",
                           R"({"id":7)", "\xEF\xBB\xBF{}", R"({"a":1e400})", R"({'a':1})"}) {
    EXPECT_EQ(verdict(key, sealed(key, text)), "token_invalid") << text;
  }
  EXPECT_EQ(verdict(key, sealed(key, "{}")), "ok {}");
}

// Q-42: times are texts with a zone, and hold to the second
TEST_F(Paseto, TimesAreDateTimesAndHold) {
  const std::vector<std::pair<std::string, const char*>> rows = {
      {R"({"exp":"2023-11-14T22:13:21Z"})", "ok"},
      {R"({"exp":"2023-11-14T22:13:20Z"})", "token_expired"},
      {R"({"exp":"2023-11-14T22:13:20.001Z"})", "ok"},
      {R"({"exp":"2023-11-14T22:13:20.000Z"})", "token_expired"},
      {R"({"exp":"2023-11-15T00:13:21+02:00"})", "ok"},
      {R"({"exp":"2023-11-15T00:13:20+02:00"})", "token_expired"},
      {R"({"exp":"0000-01-01T00:00:00Z"})", "token_expired"},
      {R"({"exp":"9999-12-31T23:59:59Z"})", "ok"},
      {R"({"exp":1800000000})", "token_invalid"},
      {R"({"exp":"1800000000"})", "token_invalid"},
      {R"({"exp":null})", "token_invalid"},
      {R"({"exp":""})", "token_invalid"},
      {R"({"exp":["2099-01-01T00:00:00Z"]})", "token_invalid"},
      {R"({"exp":"2099-01-01"})", "token_invalid"},
      {R"({"exp":"2099-01-01T00:00:00"})", "token_invalid"},
      {R"({"exp":"2099-02-30T00:00:00Z"})", "token_invalid"},
      {R"({"nbf":"2023-11-14T22:13:20Z"})", "ok"},
      {R"({"nbf":"2023-11-14T22:13:20.5Z"})", "token_invalid"},
      {R"({"nbf":"2023-11-14T22:13:21Z"})", "token_invalid"},
      {R"({"nbf":1})", "token_invalid"},
      {R"({"iat":"2023-11-14T22:13:20Z"})", "ok"},
      {R"({"iat":"2023-11-14T22:13:21Z"})", "token_invalid"},
      {R"({"iat":1})", "token_invalid"},
      {R"({"id":7})", "ok"}};
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(verdict(key, sealed(key, text)).substr(0, 13).substr(0, std::string(expected).size()),
              expected)
        << text;
  }
  EXPECT_EQ(
      verdict(key, sealed(key, R"({"exp":"2023-11-14T22:13:20Z"})"), kNow + 4, 5).substr(0, 2),
      "ok");
  EXPECT_EQ(verdict(key, sealed(key, R"({"exp":"2023-11-14T22:13:20Z"})"), kNow + 5, 5),
            "token_expired");
}

TEST_F(Paseto, WhatIsIssuedIsVerifiedUntilItExpires) {  // spec S-70, spec S-71, spec S-72
  loop::test::IdleIo io;
  const json::Member members[] = {{json::toView("id"), json::integer(7)},
                                  {json::toView("exp"), json::integer(1)},
                                  {json::toView("big"), json::number("18446744073709551615")}};
  const auto token = issueToken(key, json::object(members, 3), kNow, kNow + 10, &io);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->rfind("v4.local.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", 0), 0u) << *token;
  const char* const claims =
      R"({"id":7,"big":18446744073709551615,"iat":"2023-11-14T22:13:20+00:00",)"
      R"("exp":"2023-11-14T22:13:30+00:00"})";
  EXPECT_EQ(key.open(*token), claims);
  EXPECT_EQ(verdict(key, *token), std::string("ok ") + claims);
  EXPECT_EQ(verdict(key, *token, kNow + 10), "token_expired");
  EXPECT_NE(*issueToken(key, json::object(members, 3), kNow, kNow + 10, &io), *token);
}

TEST_F(Paseto, WhatCannotBeIssuedIsAnError) {
  loop::test::IdleIo io;
  const json::Member member{json::toView("id"), json::integer(7)};
  const json::Value claims = json::object(&member, 1);
  EXPECT_FALSE(issueToken(key, claims, 1, 2));  // no randomness
  EXPECT_FALSE(issueToken(key, claims, 1, 253'402'300'800, &io));
  EXPECT_FALSE(issueToken(key, json::text("a"), 1, 2, &io));
  const std::string large(13'000, 'a');
  const json::Member big{json::toView("a"), json::text(large)};
  const auto token = issueToken(key, json::object(&big, 1), 1, 2, &io);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, Code::kResultTooLarge);
}

TEST_F(Paseto, AVerifiedTokenIsRememberedUntilItExpires) {  // spec S-73
  VerifiedTokenCache cache;
  Arena arena;
  const std::string token = sealed(key, R"({"id":7,"exp":"2023-11-14T22:13:21Z"})");
  ASSERT_TRUE(verifyRemembered(key, token, kNow, &cache, arena));
  ASSERT_TRUE(verifyRemembered(key, token, kNow, &cache, arena));
  EXPECT_EQ(verifyRemembered(key, token, kNow + 1, &cache, arena).error().code,
            Code::kTokenExpired);
}

}  // namespace
}  // namespace sub0::auth::paseto_test
