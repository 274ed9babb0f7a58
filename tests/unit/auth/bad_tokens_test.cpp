// SPDX-License-Identifier: Apache-2.0
// Every form of a bad token, each under the signature of the right key where it can have one: only
// the form is wrong. What the parts may hold is token_verifier_test.cpp.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "auth/token_issuer.hpp"
#include "auth/token_verifier.hpp"
#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth::bad_tokens_test {
namespace {

constexpr const char* kHeader = R"({"alg":"HS256"})";
constexpr const char* kClaims = R"({"id":7,"exp":2000})";
constexpr std::int64_t kNow = 1000;

struct BadToken {
  std::string name, token;
};

std::string verdict(const Key& key, const std::string& token) {
  Arena arena;
  const auto verified = verifyToken(key, token, kNow, arena);
  return std::string(codeInfo(verified ? Code::kOk : verified.error().code).name);
}

/// The name of `character`, for messages.
std::string shown(char character) { return text::escapeControl(std::string(1, character)); }

/// `part` with its last character's unused bits set: it decodes to the same bytes.
std::string withUnusedBits(std::string part) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  part.back() = kAlphabet[kAlphabet.find(part.back()) | 1U];
  return part;
}

TEST(BadTokens, AnyCharacterOutsideOfBase64UrlIsRefusedInEveryPart) {  // Q-40
  const Key key = keyOf(Algorithm::kHs256);
  const std::string header = text::base64UrlEncode(kHeader);
  const std::string claims = text::base64UrlEncode(kClaims);
  const std::string good = signParts(key, header, claims);
  ASSERT_EQ(verdict(key, good), "ok");
  const std::string signature = good.substr(header.size() + claims.size() + 2);
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_in_alphabet = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                                (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    if (is_in_alphabet) continue;
    for (const std::size_t at : {std::size_t{0}, std::size_t{4}}) {
      const auto with = [&](std::string part) { return part.insert(at, 1, c); };
      EXPECT_EQ(verdict(key, signParts(key, with(header), claims)), "token_invalid") << shown(c);
      EXPECT_EQ(verdict(key, signParts(key, header, with(claims))), "token_invalid") << shown(c);
      EXPECT_EQ(verdict(key, header + "." + claims + "." + with(signature)), "token_invalid")
          << shown(c);
    }
    EXPECT_EQ(verdict(key, signParts(key, header + c, claims)), "token_invalid") << shown(c);
    EXPECT_EQ(verdict(key, signParts(key, header, claims + c)), "token_invalid") << shown(c);
    EXPECT_EQ(verdict(key, good + c), "token_invalid") << shown(c);
    EXPECT_EQ(verdict(key, c + good), "token_invalid") << shown(c);
  }
}

TEST(BadTokens, APartHasOneSpellingOnly) {  // Q-40
  const Key key = keyOf(Algorithm::kHs256);
  // 16 and 19 bytes: one and two characters' worth of unused bits.
  const std::string header = text::base64UrlEncode(R"({"alg":"HS256" })");
  const std::string claims = text::base64UrlEncode(R"({"id":7,"exp":2000})");
  ASSERT_EQ(header.size() % 4, 2u);
  ASSERT_EQ(claims.size() % 4, 2u);
  const std::string good = signParts(key, header, claims);
  ASSERT_EQ(verdict(key, good), "ok");
  const std::string signature = good.substr(header.size() + claims.size() + 2);
  const std::vector<BadToken> cases = {
      {"header", signParts(key, withUnusedBits(header), claims)},
      {"claims", signParts(key, header, withUnusedBits(claims))},
      {"signature", header + "." + claims + "." + withUnusedBits(signature)},
      {"header, one pad", signParts(key, header + "=", claims)},
      {"header, two pads", signParts(key, header + "==", claims)},
      {"claims, two pads", signParts(key, header, claims + "==")},
      {"signature, one pad", good + "="},
      {"pads as %3D", good + "%3D"},
      {"one character more", signParts(key, header + "A", claims)},
      {"header twice", signParts(key, header + header, claims)},
      {"signature twice", good + signature},
      {"signature of hex digits", header + "." + claims + "." + std::string(64, 'a')},
      {"signature of zero bytes", header + "." + claims + "." + std::string(43, 'A')},
      {"four parts", good + "." + signature},
      {"five parts, as encrypted tokens", header + "." + claims + ".a.b." + signature},
      {"detached claims", header + ".." + signature},
      {"empty signature", header + "." + claims + "."},
      {"JSON serialisation", R"({"payload":")" + claims + R"(","protected":")" + header +
                                 R"(","signature":")" + signature + "\"}"},
  };
  for (const auto& item : cases) EXPECT_EQ(verdict(key, item.token), "token_invalid") << item.name;
}

TEST(BadTokens, NoneIsRefusedInEveryCaseAndWithEverySignature) {  // Q-40
  const std::string claims = text::base64UrlEncode(kClaims);
  for (const Key& key : keysOfAllAlgorithms()) {
    for (unsigned upper = 0; upper < 16; ++upper) {
      std::string name = "none";
      for (unsigned bit = 0; bit < 4; ++bit) {
        if ((upper >> bit & 1U) != 0) name[bit] = static_cast<char>(name[bit] - 0x20);
      }
      const std::string header = text::base64UrlEncode(R"({"alg":")" + name + "\"}");
      const std::string unsigned_token = header + "." + claims;
      for (const auto& token : {unsigned_token, unsigned_token + ".", unsigned_token + "..",
                                unsigned_token + ".AA", signParts(key, header, claims),
                                signParts(keyOf(Algorithm::kHs256, " "), header, claims)}) {
        EXPECT_EQ(verdict(key, token), "token_invalid") << name << " " << token;
      }
    }
  }
}

TEST(BadTokens, NoOtherAlgorithmOfTheRegistryIsTaken) {  // Q-41, spec S-72
  for (const Key& key : keysOfAllAlgorithms()) {
    for (const char* name : {"HS256",     "HS384",  "HS512",
                             "RS256",     "RS384",  "RS512",
                             "ES256",     "ES384",  "ES512",
                             "ES256K",    "PS256",  "PS384",
                             "PS512",     "EdDSA",  "HS1",
                             "RSA1_5",    "dir",    "A128KW",
                             "A256GCMKW", "none",   "HMAC-SHA256",
                             "SHA256",    "hs256",  "HS256\\u0000",
                             " HS256",    "HS256 ", "HS2560",
                             "HS25",      "*",      "\\u0048S\\u0032\\u0035\\u0036\\u0020"}) {
      const std::string header = R"({"alg":")" + std::string(name) + "\"}";
      const bool is_its_own = nameOf(key.algorithm()) == name;
      EXPECT_EQ(verdict(key, signedToken(key, header, kClaims)),
                is_its_own ? "ok" : "token_invalid")
          << nameOf(key.algorithm()) << " " << name;
    }
  }
}

TEST(BadTokens, ThePublicHalfOfAKeyIsNoSecret) {  // Q-41
  const std::string pem =
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\n"
      "q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n"
      "-----END PUBLIC KEY-----\n";
  for (const auto algorithm : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512}) {
    EXPECT_FALSE(Key::create(algorithm, pem));
  }
}

TEST(BadTokens, HeaderAndClaimsAreObjectsOfUniqueKeys) {  // Q-40
  const Key key = keyOf(Algorithm::kHs256);
  const std::string nested = signedToken(key, kHeader, kClaims);
  for (const std::string header : {R"({"alg":"HS256","alg":"HS256"})",
                                   R"({"typ":"JWT","typ":"JWT","alg":"HS256"})",
                                   R"({"alg":"HS256","x":{"a":1,"a":1}})",
                                   R"({"alg":"HS256","al\u0067":"none"})",
                                   R"({"alg":"none","alg":"HS256"})",
                                   R"([{"alg":"HS256"}])",
                                   R"([])",
                                   R"({})",
                                   R"("alg")",
                                   R"(true)",
                                   R"(null)",
                                   R"(1)",
                                   R"({"header":{"alg":"HS256"}})",
                                   R"({"alg":{"alg":"HS256"}})",
                                   R"({"ALG":"HS256"})",
                                   R"({"alg":"HS256"},)",
                                   R"({"alg":"HS256"}{})",
                                   R"({"alg":"HS256",})",
                                   R"({"alg":"HS256"/**/})",
                                   R"({'alg':'HS256'})",
                                   R"({alg:"HS256"})",
                                   "\xff",
                                   ""}) {
    EXPECT_EQ(verdict(key, signedToken(key, header, kClaims)), "token_invalid") << header;
  }
  for (const std::string claims :
       {R"({"id":7,"id":8})", R"({"id":7,"\u0069d":8})", R"({"id":7,"x":{"a":1,"a":2}})",
        R"({"id":7,"x":[{"a":1,"a":2}]})", R"([])", R"([{"id":7}])", R"("id")", R"(null)", R"(7)",
        R"({"id":7},)", R"({"id":7}{"id":8})", R"({"id":7,})", R"({"id":"\ud800"})",
        R"({"id":1e400})", R"({"id":NaN})", R"({"id":07})"}) {
    EXPECT_EQ(verdict(key, signedToken(key, kHeader, claims)), "token_invalid") << claims;
  }
  EXPECT_EQ(verdict(key, signedToken(key, R"({"alg":"HS256","cty":"JWT"})", nested)),
            "token_invalid");
  EXPECT_EQ(verdict(key, signedToken(key, R"({"alg":"HS256","cty":"JWT"})", "\"" + nested + "\"")),
            "token_invalid");
}

TEST(BadTokens, ATokenInsideOfATokenSaysNothing) {  // Q-40, Q-50
  const Key key = keyOf(Algorithm::kHs256);
  const std::string inner = signedToken(key, kHeader, R"({"id":"admin"})");
  Arena arena;
  const auto verified = verifyToken(
      key, signedToken(key, kHeader, R"({"id":7,"token":")" + inner + "\"}"), kNow, arena);
  ASSERT_TRUE(verified);
  EXPECT_EQ(json::find(verified->claims, "id")->as.i, 7);
}

/// A good token of exactly that many bytes.
std::string tokenOfSize(const Key& key, std::size_t bytes) {
  // Claims grow by 4 characters for 3 bytes, so the header takes what is left over.
  for (std::size_t spaces = 0; spaces < 4; ++spaces) {
    const std::string header = kHeader + std::string(spaces, ' ');
    for (std::size_t fill = bytes / 4 * 3 - 150; fill < bytes; ++fill) {
      const std::string token =
          signedToken(key, header, R"({"a":")" + std::string(fill, 'a') + "\"}");
      if (token.size() == bytes) return token;
      if (token.size() > bytes) break;
    }
  }
  return {};
}

TEST(BadTokens, ATokenOverTheLimitIsRefused) {  // Q-40
  const Key key = keyOf(Algorithm::kHs256);
  EXPECT_EQ(verdict(key, tokenOfSize(key, kMaxTokenBytes - 1)), "ok");
  EXPECT_EQ(verdict(key, tokenOfSize(key, kMaxTokenBytes)), "ok");
  EXPECT_EQ(verdict(key, tokenOfSize(key, kMaxTokenBytes + 1)), "token_invalid");
  EXPECT_EQ(verdict(key, std::string(std::size_t{1} << 24, 'a')), "token_invalid");
  EXPECT_EQ(verdict(key, std::string(std::size_t{1} << 24, '.')), "token_invalid");
}

TEST(BadTokens, TimesAtTheEndsOfWhatNumbersHold) {  // Q-42
  const struct {
    const char* claims;
    const char* expected;
  } cases[] = {
      {R"({"exp":9223372036854775808})", "ok"},
      {R"({"exp":-9223372036854775808})", "token_expired"},
      {R"({"exp":-9223372036854775809})", "token_expired"},
      {R"({"exp":18446744073709551615})", "ok"},
      {R"({"exp":1e18})", "ok"},
      {R"({"exp":1.7976931348623157e308})", "ok"},
      {R"({"exp":1e309})", "token_invalid"},
      {R"({"exp":1e400})", "token_invalid"},
      {R"({"exp":-1e400})", "token_invalid"},
      {R"({"exp":1e-400})", "token_expired"},
      {R"({"exp":-0.0})", "token_expired"},
      {R"({"exp":1001})", "ok"},
      {R"({"exp":1000})", "token_expired"},
      {R"({"exp":999})", "token_expired"},
      {R"({"exp":1001.0})", "ok"},
      {R"({"exp":1000.0})", "token_expired"},
      {R"({"exp":1.001e3})", "ok"},
      {R"({"exp":"1001"})", "token_invalid"},
      {R"({"exp":""})", "token_invalid"},
      {R"({"exp":false})", "token_invalid"},
      {R"({"exp":{}})", "token_invalid"},
      {R"({"EXP":1})", "ok"},
      {R"({"nbf":1001})", "token_invalid"},
      {R"({"nbf":1000})", "ok"},
      {R"({"nbf":1000.5})", "token_invalid"},
      {R"({"nbf":-1e300})", "ok"},
      {R"({"nbf":9223372036854775808})", "token_invalid"},
      {R"({"nbf":null})", "token_invalid"},
      {R"({"nbf":"1"})", "token_invalid"},
      {R"({"iat":1001})", "token_invalid"},
      {R"({"iat":1000})", "ok"},
      {R"({"iat":1e300})", "token_invalid"},
      {R"({"iat":9223372036854775808})", "token_invalid"},
      {R"({"iat":"1"})", "token_invalid"},
      {R"({"iat":[]})", "token_invalid"},
      {R"({"nbf":1001,"exp":999})", "token_invalid"},
  };
  const Key key = keyOf(Algorithm::kHs256);
  for (const auto& item : cases) {
    EXPECT_EQ(verdict(key, signedToken(key, kHeader, item.claims)), item.expected) << item.claims;
  }
}

}  // namespace
}  // namespace sub0::auth::bad_tokens_test
