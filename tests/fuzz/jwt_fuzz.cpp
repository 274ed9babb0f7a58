// SPDX-License-Identifier: Apache-2.0
// Tokens: nothing is accepted but what our own key has signed, as OpenSSL alone judges (Q-40, Q-41,
// Q-46), neither by it nor by a key of RS256, ES256 or PASETO; a signed one is accepted only with
// the algorithm of the key, no `crit`, and a time that fits; what our issuer made is
// accepted, with the claims that went in, and with one byte changed it is not.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/token_issuer.hpp"
#include "auth/token_verifier.hpp"
#include "base/text.hpp"
#include "json/parser.hpp"
#include "json/text_reader.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/auth/key_pairs.hpp"

namespace sub0::auth {
namespace {

constexpr std::string_view kSecret = "fuzz-secret-of-forty-eight-bytes-0123456789abcde";
constexpr std::int64_t kNow = 1'700'000'000;

const Key& key() {
  static const Key made = Key::create(Algorithm::kHs256, kSecret).value();
  return made;
}

std::string hmacByOpenssl(std::string_view signing_input) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  FUZZ_CHECK(HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
                  reinterpret_cast<const unsigned char*>(signing_input.data()),
                  signing_input.size(), digest, &size) != nullptr);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

double numberOf(const json::Value& value) {
  if (value.type == SUB0_INT) return static_cast<double>(value.as.i);
  if (value.type == SUB0_DOUBLE) return value.as.d;
  return 1e19;  // beyond int64
}

/// What must be true of every token that is accepted.
void judgeAccepted(std::string_view token, const VerifiedToken& verified) {
  const std::size_t last = token.rfind('.');
  FUZZ_CHECK(last != token.npos && token.size() <= kMaxTokenBytes);
  const std::string_view signing_input = token.substr(0, last);
  FUZZ_CHECK(token.substr(last + 1) == text::base64UrlEncode(hmacByOpenssl(signing_input)));
  const std::size_t first = signing_input.find('.');
  FUZZ_CHECK(first != token.npos && signing_input.find('.', first + 1) == token.npos);
  const auto header = text::base64UrlDecode(signing_input.substr(0, first));
  Arena arena;
  json::Parser parser;
  const auto parsed = parser.parseCopy(*header, arena);
  FUZZ_CHECK(parsed && json::isObject(*parsed));
  const json::Value* algorithm = json::find(*parsed, "alg");
  FUZZ_CHECK(algorithm != nullptr && json::isText(*algorithm));
  FUZZ_CHECK(json::chars(*algorithm) == "HS256" && json::find(*parsed, "crit") == nullptr);
  FUZZ_CHECK(json::isObject(verified.claims));
  for (const char* name : {"nbf", "iat"}) {
    const json::Value* time = json::find(verified.claims, name);
    if (time != nullptr) FUZZ_CHECK(json::isNumber(*time) && numberOf(*time) <= double{kNow});
  }
  const json::Value* expiry = json::find(verified.claims, "exp");
  FUZZ_CHECK((expiry != nullptr) == verified.exp_seconds.has_value());
  if (expiry != nullptr) FUZZ_CHECK(json::isNumber(*expiry) && numberOf(*expiry) > double{kNow});
}

/// Any text under the seal of our key of PASETO: its claims count only where they are an object,
/// and its times are texts that fit.
void judgeSealed(const Key& paseto, std::string_view text) {
  const std::string token = paseto.seal(text, KeyNonce{}).value();
  FUZZ_CHECK(paseto.open(token) == text);
  Arena arena;
  const auto verified = verifyToken(paseto, token, kNow, arena);
  if (!verified) return;
  FUZZ_CHECK(json::isObject(verified->claims));
  for (const char* name : {"exp", "nbf", "iat"}) {
    const json::Value* time = json::find(verified->claims, name);
    if (time != nullptr) FUZZ_CHECK(json::isText(*time) && json::chars(*time).size() >= 20);
  }
  FUZZ_CHECK(!verified->exp_seconds || *verified->exp_seconds > kNow);
}

void judge(std::string_view token) {
  Arena arena;
  const auto verified = verifyToken(key(), token, kNow, arena);
  if (verified) {
    judgeAccepted(token, *verified);
  } else {
    FUZZ_CHECK(verified.error().code == Code::kTokenExpired ||
               verified.error().code == Code::kTokenInvalid);
  }
  // Another key, or another algorithm with the same secret, never.
  static const Key other =
      Key::create(Algorithm::kHs256, "another secret of more than 32 bytes!").value();
  static const Key longer = Key::create(Algorithm::kHs512, kSecret).value();
  FUZZ_CHECK(!verifyToken(other, token, kNow, arena));
  FUZZ_CHECK(!verifyToken(longer, token, kNow, arena));
  static const Key rsa = Key::create(Algorithm::kRs256, kRsaPublic).value();
  static const Key ec = Key::create(Algorithm::kEs256, kEcPublic).value();
  static const Key paseto = Key::create(Algorithm::kV4Local, kSecret.substr(0, 32)).value();
  for (const Key* const one : {&rsa, &ec, &paseto}) {
    FUZZ_CHECK(!verifyToken(*one, token, kNow, arena));
  }
  judgeSealed(paseto, token);
}

std::string sign(const std::string& signing_input) {
  return signing_input + "." + text::base64UrlEncode(hmacByOpenssl(signing_input));
}

/// A token of our issuer: accepted as it is, refused with one byte changed.
void judgeIssued(const fuzz::Input& input) {
  Arena arena;
  json::Value claims{};
  json::TextReader reader(input.bytes, &arena, json::TextReader::BigIntegers::kRefused);
  if (!reader.read(claims) || !json::isObject(claims) || !reader.duplicates().empty()) return;
  const json::Value* not_before = json::find(claims, "nbf");
  const auto issued = issueToken(key(), claims, kNow, kNow + 60);
  if (!issued) return;
  const auto verified = verifyToken(key(), *issued, kNow, arena);
  if (not_before == nullptr) {
    FUZZ_CHECK(verified && verified->exp_seconds == kNow + 60);
    for (std::uint32_t i = 0; i < claims.count; ++i) {
      const std::string_view name = json::toText(claims.as.members[i].key);
      if (name == "iat" || name == "exp") continue;
      const json::Value* claim = json::find(verified->claims, name);
      FUZZ_CHECK(claim != nullptr && json::equals(*claim, claims.as.members[i].value));
    }
  }
  FUZZ_CHECK(!verifyToken(key(), *issued, kNow + 60, arena));
  fuzz::Choices choices(input);
  for (int i = 0; i < 4; ++i) {
    std::string changed = *issued;
    changed[choices.below(changed.size())] ^= static_cast<char>(1 + choices.below(127));
    FUZZ_CHECK(!verifyToken(key(), changed, kNow, arena));
  }
  FUZZ_CHECK(!verifyToken(key(), issued->substr(0, choices.below(issued->size())), kNow, arena));
}

}  // namespace
}  // namespace sub0::auth

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0;
  const fuzz::Input input(data, size);
  const std::string bytes(input.bytes);
  switch (input.steer & 3) {
    case 0:  // a token as it comes
      auth::judge(bytes);
      break;
    case 1: {  // its first two parts, signed by us: what stands in them is the attacker's
      auth::judge(auth::sign(bytes));
      break;
    }
    case 2: {  // header and claims as text in two lines, signed by us
      const std::size_t line = bytes.find('\n');
      if (line == bytes.npos) return 0;
      auth::judge(auth::sign(text::base64UrlEncode(bytes.substr(0, line)) + "." +
                             text::base64UrlEncode(bytes.substr(line + 1))));
      break;
    }
    default:
      auth::judgeIssued(input);
  }
  return 0;
}
