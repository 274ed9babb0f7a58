// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <array>

namespace sub0 {
namespace {

constexpr std::array<CodeInfo, 25> kCodes{{
    {200, "ok", "Operation Successful"},
    {400, "bad_request", "bad request"},
    {400, "validation_failed", "validation failed"},
    {401, "unauthorized", "no token header found"},
    {401, "token_invalid", "the token is not valid"},
    {401, "token_expired", "the token has expired"},
    {401, "token_revoked", "the token has been revoked"},
    {401, "webhook_rejected", "webhook verification failed"},
    {401, "hash_mismatch", "the values do not match"},
    {404, "not_found", "no such resource"},
    {405, "method_not_allowed", "method not allowed"},
    {415, "unsupported_media_type", "unsupported media type"},
    {413, "payload_too_large", "payload too large"},
    {403, "forbidden", "forbidden"},
    {400, "limit_exceeded", "a limit has been exceeded"},
    {500, "result_too_large", "the result is too large"},
    {500, "internal", "internal error"},
    {429, "rate_limited", "too many requests"},
    {500, "no_value", "Operation Failed: this action must return a value!"},
    {500, "constraint", "Operation Failed: a constraint was violated"},
    {500, "action_failed", "Operation Failed"},
    {503, "busy", "the server is busy, try again"},
    {503, "unavailable", "the service is unavailable, try again"},
    {503, "maintenance", "under maintenance"},
    {504, "timeout", "the call took too long"},
}};

}  // namespace

const CodeInfo& codeInfo(Code code) {
  const auto index = static_cast<std::size_t>(code);
  return index < kCodes.size() ? kCodes[index] : kCodes[SUB0_INTERNAL];
}

}  // namespace sub0
