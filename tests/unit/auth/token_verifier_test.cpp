// SPDX-License-Identifier: Apache-2.0
#include "auth/token_verifier.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "auth/token_issuer.hpp"
#include "json/writer.hpp"
#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth::token_verifier_test {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr const char* kHeader = R"({"alg":"HS256","typ":"JWT"})";

/// "ok <claims>", or the name of the error. Checks on the way that no text repeats the token.
std::string verdict(const Key& key, const std::string& token, std::int64_t now = kNow,
                    std::int64_t leeway = 0) {
  Arena arena;
  const auto verified = verifyToken(key, token, now, arena, leeway);
  if (verified) return "ok " + json::toString(verified->claims);
  const Error& error = verified.error();
  for (const auto part : text::split(token, ".")) {  // Q-18
    if (part.size() < 8) continue;
    EXPECT_EQ(error.message.find(part), std::string::npos);
    EXPECT_EQ(error.log.find(part), std::string::npos);
  }
  return std::string(codeInfo(error.code).name);
}

TEST(TokenVerifier, TheExampleOfRfc7515IsVerified) {
  const auto secret = text::base64UrlDecode(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const Key key = keyOf(Algorithm::kHs256, *secret);
  const std::string token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
      "cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  EXPECT_EQ(verdict(key, token, 1'300'819'379),
            R"(ok {"iss":"joe","exp":1300819380,"http://example.com/is_root":true})");
  EXPECT_EQ(verdict(key, token, 1'300'819'380), "token_expired");
}

TEST(TokenVerifier, TokensOfIndependentImplementationsAreVerified) {  // spec S-70, spec S-72
  const std::string payload =
      ".eyJpZCI6InVzZXJfMTIzNDUiLCJiaWciOjE4NDQ2NzQ0MDczNzA5NTUxNjE1LCJpYXQiOjE3MDAwMDAwMDAsImV4cCI"
      "6MTcwMDA4NjQwMH0.";
  const std::string expected =
      R"(ok {"id":"user_12345","big":18446744073709551615,"iat":1700000000,"exp":1700086400})";
  EXPECT_EQ(verdict(keyOf(Algorithm::kHs384),
                    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9" + payload +
                        "0zq5VMs222ShE_PaWcv6gpqxGINPgFnJaHRkzhnIyc1jfkzxq2PimLskMw_-79Ii"),
            expected);
  EXPECT_EQ(verdict(keyOf(Algorithm::kHs512),
                    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9" + payload +
                        "hO9PV8v7yBUOYW5rUB5yN00CoDaR98vjl8j-N_vI9rvl5Pe7gA7FuDuXQdp_1LL0O57asZ9Vc4"
                        "haI0GQudpv6Q"),
            expected);
  EXPECT_EQ(verdict(keyOf(Algorithm::kHs256, "short key"),
                    "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6N30.2oyzd5d6Sck54_vdGHYyf_G_ZdAwwVgtAkQCVKP1UJk"),
            R"(ok {"id":7})");
}

TEST(TokenVerifier, OnlyThreeCanonicalPartsAreAToken) {  // Q-40
  const Key key = keyOf(Algorithm::kHs256);
  const std::string good = signedToken(key, kHeader, R"({"id":7})");
  ASSERT_EQ(verdict(key, good), R"(ok {"id":7})");
  const auto parts = text::split(good, ".");
  const std::string header(parts[0]);
  const std::string payload(parts[1]);
  const std::string signature(parts[2]);
  std::string other_last_bits = good;  // 43 characters hold 258 bits: two are unused, and zero
  other_last_bits.back() = static_cast<char>(other_last_bits.back() + 1);
  const std::vector<std::string> tokens = {"",
                                           ".",
                                           "..",
                                           "...",
                                           "a",
                                           header,
                                           header + "." + payload,
                                           header + "." + payload + ".",
                                           good + ".",
                                           good + "..",
                                           good + ".x",
                                           "." + good,
                                           header + ".." + signature,
                                           "." + payload + "." + signature,
                                           good + "=",
                                           good + "==",
                                           header + "=." + payload + "." + signature,
                                           " " + good,
                                           good + " ",
                                           good + "\n",
                                           good + std::string(1, '\0'),
                                           "Bearer " + good,
                                           other_last_bits,
                                           header + "." + payload + "." + signature.substr(0, 42),
                                           good + "A",
                                           good + "AAAA",
                                           signParts(key, header + "=", payload),
                                           signParts(key, header, payload + "="),
                                           signParts(key, header, "eyJpZCI6N30="),
                                           signParts(key, header, "eyJpZCI6N31"),
                                           signParts(key, header, ""),
                                           signParts(key, "", payload)};
  for (const auto& token : tokens) EXPECT_EQ(verdict(key, token), "token_invalid") << token;
}

TEST(TokenVerifier, StandardBase64IsNotAccepted) {  // Q-40
  const Key key = keyOf(Algorithm::kHs256);
  const std::string good = signedToken(key, kHeader, R"({"id":"??>>??>>??"})");
  ASSERT_NE(verdict(key, good), "token_invalid");
  const auto payload = text::split(good, ".")[1];
  std::string standard(payload);
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  ASSERT_NE(standard, payload);
  EXPECT_EQ(verdict(key, signParts(key, std::string(text::split(good, ".")[0]), standard)),
            "token_invalid");
}

TEST(TokenVerifier, AlgorithmNoneIsRefusedInAnyCase) {  // Q-40
  const Key key = keyOf(Algorithm::kHs256);
  const std::string payload = text::base64UrlEncode(R"({"id":7})");
  for (const char* name : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string header = "{\"alg\":\"" + std::string(name) + "\"}";
    EXPECT_EQ(verdict(key, signedToken(key, header, R"({"id":7})")), "token_invalid") << name;
    EXPECT_EQ(verdict(key, text::base64UrlEncode(header) + "." + payload + "."), "token_invalid");
    EXPECT_EQ(verdict(key, text::base64UrlEncode(header) + "." + payload), "token_invalid");
  }
}

TEST(TokenVerifier, TheAlgorithmIsTheResourcesNeverTheTokens) {  // Q-41, spec S-72
  const Key key = keyOf(Algorithm::kHs256);
  for (const char* header :
       {R"({"alg":"HS384"})", R"({"alg":"HS512"})", R"({"alg":"RS256"})", R"({"alg":"ES256"})",
        R"({"alg":"hs256"})", R"({"alg":"HS256 "})", R"({"alg":["HS256"]})", R"({"alg":256})",
        R"({"alg":null})", R"({"typ":"JWT"})", R"({})", R"({"alg":"HS512","alg":"HS256"})",
        R"({"alg":"HS256","\u0061lg":"HS256"})", R"(["HS256"])", R"("HS256")", "HS256", "{",
        "\xEF\xBB\xBF{\"alg\":\"HS256\"}", "{\"alg\":\"HS256\"}x"}) {
    EXPECT_EQ(verdict(key, signedToken(key, header, R"({"id":7})")), "token_invalid") << header;
  }
  for (const auto other : {Algorithm::kHs384, Algorithm::kHs512}) {
    const std::string header = "{\"alg\":\"" + std::string(nameOf(other)) + "\"}";
    EXPECT_EQ(verdict(key, signedToken(keyOf(other), header, R"({"id":7})")), "token_invalid");
  }
  EXPECT_EQ(
      verdict(keyOf(Algorithm::kHs256, "another secret"), signedToken(key, kHeader, R"({"id":7})")),
      "token_invalid");
}

TEST(TokenVerifier, CriticalExtensionsAreRefusedKeyHintsIgnored) {  // Q-43
  const Key key = keyOf(Algorithm::kHs256);
  for (const char* extra :
       {R"("crit":["exp"])", R"("crit":["b64"],"b64":false)", R"("crit":[])", R"("crit":null)"}) {
    const std::string header = R"({"alg":"HS256",)" + std::string(extra) + "}";
    EXPECT_EQ(verdict(key, signedToken(key, header, R"({"id":7})")), "token_invalid") << header;
  }
  for (const char* extra :
       {R"("jku":"http://127.0.0.1:1/keys")", R"("x5u":"file:///etc/passwd")",
        R"("jwk":{"kty":"oct","k":"AAAA"})", R"("kid":"../../../etc/passwd")", R"("kid":[1,{}])",
        R"("kid":"' OR 1=1")", R"("typ":"at+jwt")", R"("typ":7)"}) {
    const std::string header = R"({"alg":"HS256",)" + std::string(extra) + "}";
    EXPECT_EQ(verdict(key, signedToken(key, header, R"({"id":7})")), R"(ok {"id":7})") << header;
  }
}

TEST(TokenVerifier, TimesAreNumbersOfSecondsAndHold) {  // Q-42
  struct Case {
    const char* claims;
    const char* expected;  // "ok": accepted
  };
  const std::vector<Case> cases = {
      {R"({})", "ok"},
      {R"({"exp":1700000001})", "ok"},
      {R"({"exp":1700000000})", "token_expired"},
      {R"({"exp":1700000000.5})", "ok"},
      {R"({"exp":1699999999.5})", "token_expired"},
      {R"({"exp":0})", "token_expired"},
      {R"({"exp":-1})", "token_expired"},
      {R"({"exp":-9223372036854775808})", "token_expired"},
      {R"({"exp":-1e300})", "token_expired"},
      {R"({"exp":1e300})", "ok"},
      {R"({"exp":18446744073709551615})", "ok"},
      {R"({"exp":9223372036854775807})", "ok"},
      {R"({"exp":18446744073709551616})", "ok"},
      {R"({"exp":1e400})", "token_invalid"},
      {R"({"exp":"1800000000"})", "token_invalid"},
      {R"({"exp":null})", "token_invalid"},
      {R"({"exp":true})", "token_invalid"},
      {R"({"exp":[1800000000]})", "token_invalid"},
      {R"({"exp":1,"exp":1800000000})", "token_invalid"},
      {R"({"nbf":1700000000})", "ok"},
      {R"({"nbf":1700000001})", "token_invalid"},
      {R"({"nbf":1700000000.25})", "token_invalid"},
      {R"({"nbf":"0"})", "token_invalid"},
      {R"({"nbf":1e400})", "token_invalid"},
      {R"({"nbf":18446744073709551615})", "token_invalid"},
      {R"({"iat":1700000000})", "ok"},
      {R"({"iat":1700000001})", "token_invalid"},
      {R"({"iat":-5})", "ok"},
      {R"({"iat":{}})", "token_invalid"},
      {R"({"iat":1700000001,"exp":5})", "token_invalid"},
      {R"([1])", "token_invalid"},
      {R"("text")", "token_invalid"},
      {R"({"a":tru})", "token_invalid"},
      {"{\"a\":\"\xFF\"}", "token_invalid"},
  };
  const Key key = keyOf(Algorithm::kHs256);
  for (const auto& item : cases) {
    const std::string result = verdict(key, signedToken(key, kHeader, item.claims));
    EXPECT_EQ(result.substr(0, 3) == "ok " ? "ok" : result, item.expected) << item.claims;
  }
}

TEST(TokenVerifier, LeewayIsZeroUnlessGiven) {  // Q-42
  const Key key = keyOf(Algorithm::kHs256);
  const std::string expired = signedToken(key, kHeader, R"({"exp":1699999990})");
  const std::string early = signedToken(key, kHeader, R"({"nbf":1700000010})");
  const std::string for_ever = signedToken(key, kHeader, R"({"exp":9223372036854775807})");
  EXPECT_EQ(verdict(key, expired, kNow, 10), "token_expired");
  EXPECT_NE(verdict(key, expired, kNow, 11), "token_expired");
  EXPECT_EQ(verdict(key, early, kNow, 9), "token_invalid");
  EXPECT_NE(verdict(key, early, kNow, 10), "token_invalid");
  EXPECT_NE(verdict(key, for_ever, kNow, 11), "token_expired");
}

TEST(TokenVerifier, AnExpiredTokenWithABadSignatureIsInvalid) {
  const Key key = keyOf(Algorithm::kHs256);
  const std::string token = signedToken(keyOf(Algorithm::kHs256, "x"), kHeader, R"({"exp":1})");
  EXPECT_EQ(verdict(key, token), "token_invalid");
}

TEST(TokenVerifier, EveryChangedCharacterIsNoticed) {  // Q-40, Q-46
  const Key key = keyOf(Algorithm::kHs256);
  const std::string good = signedToken(key, kHeader, R"({"id":"user_1"})");
  for (std::size_t index = 0; index < good.size(); ++index) {
    std::string changed = good;
    changed[index] = changed[index] == 'A' ? 'B' : 'A';
    EXPECT_EQ(verdict(key, changed), "token_invalid") << index;
    changed.erase(index);
    EXPECT_EQ(verdict(key, changed), "token_invalid") << index;
  }
}

TEST(TokenVerifier, HugeAndDeepTokensAreRefusedQuickly) {  // Q-73
  const Key key = keyOf(Algorithm::kHs256);
  EXPECT_EQ(verdict(key, std::string(kMaxTokenBytes + 1, 'a')), "token_invalid");
  EXPECT_EQ(verdict(key, std::string(10'000, '.')), "token_invalid");
  EXPECT_EQ(verdict(key, signedToken(key, kHeader, "{\"a\":" + std::string(10'000, '['))),
            "token_invalid");
}

}  // namespace
}  // namespace sub0::auth::token_verifier_test
