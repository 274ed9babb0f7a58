// SPDX-License-Identifier: Apache-2.0
#include "auth/token_issuer.hpp"

#include "base/text.hpp"
#include "json/writer.hpp"

namespace sub0::auth {
namespace {

std::string payloadOf(const json::Value& claims, std::int64_t iat_seconds,
                      std::int64_t exp_seconds) {
  std::string payload = "{";
  for (std::uint32_t index = 0; index < claims.count; ++index) {
    const json::Member& claim = claims.as.members[index];
    const std::string_view name = json::toText(claim.key);
    if (name == "iat" || name == "exp") continue;
    json::writeString(name, payload);
    payload.push_back(':');
    json::write(claim.value, payload);
    payload.push_back(',');
  }
  payload.append("\"iat\":");
  json::writeInteger(iat_seconds, payload);
  payload.append(",\"exp\":");
  json::writeInteger(exp_seconds, payload);
  payload.push_back('}');
  return payload;
}

}  // namespace

Result<std::string> issueToken(const Key& key, const json::Value& claims, std::int64_t iat_seconds,
                               std::int64_t exp_seconds) {
  if (!json::isObject(claims)) {
    return makeError(Code::kInternal, {}, "the claims of a token must be an object");
  }
  const std::string header =
      std::string(R"({"alg":")").append(nameOf(key.algorithm())).append(R"(","typ":"JWT"})");
  std::string token = text::base64UrlEncode(header);
  token.push_back('.');
  token.append(text::base64UrlEncode(payloadOf(claims, iat_seconds, exp_seconds)));
  auto signature = key.sign(token);
  if (!signature) return signature.error();
  token.push_back('.');
  token.append(text::base64UrlEncode(*signature));
  if (token.size() > kMaxTokenBytes) {
    return makeError(Code::kResultTooLarge, {}, "the claims make a token of more than 16 KiB");
  }
  return token;
}

}  // namespace sub0::auth
