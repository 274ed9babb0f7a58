// SPDX-License-Identifier: Apache-2.0
// The part of Call that revokes tokens (S-74): which ones is settled with the gates; once all
// actions have succeeded they are written to the durable list, one after another, and refused from
// then on; only then the call is answered.
#include <algorithm>
#include <limits>

#include "auth/token_verifier.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"
#include "call/revoked_list.hpp"

namespace sub0::call {
namespace {

// Each costs a signature, on the loop and perhaps for nobody who has a token.
constexpr std::size_t kMaxTokens = 16;
constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

std::string_view withoutBearer(std::string_view token) {
  constexpr std::string_view kBearer = "Bearer ";
  const bool has_prefix = text::equalsIgnoreCase(token.substr(0, kBearer.size()), kBearer);
  return has_prefix ? text::trim(token.substr(kBearer.size())) : token;
}

std::string_view hexOf(const auth::TokenFingerprint& fingerprint, Arena& arena) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : fingerprint) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return arena.copy(hex);
}

}  // namespace

/// One of the tokens that a call revokes; lives in its arena.
struct Call::Revoked {
  auth::TokenFingerprint fingerprint{};
  std::int64_t until_s = 0;
};

/// False: refusal_ says why.
bool Call::takeTokens() {
  if (calls_.options().revoked_tokens == nullptr) return refuse(makeError(Code::kUnavailable));
  if (!calls_.options().revoked_tokens->isKnown()) {
    return refuse(makeError(Code::kUnavailable, "the list of revoked tokens cannot be read yet"));
  }
  const json::Value given = plan_->revocation->tokens.evaluate(scope_, arena_);
  const bool is_list = json::isArray(given);
  const json::Value* tokens = is_list ? given.as.items : &given;
  const std::size_t count = is_list ? given.count : 1;
  if (count > kMaxTokens) {
    return refuse(makeError(Code::kLimitExceeded, "at most " + std::to_string(kMaxTokens) +
                                                      " tokens are revoked by one call"));
  }
  revoked_ = arena_.array<Revoked>(count);
  bool is_any_given = false;
  for (std::size_t index = 0; index < count; ++index) {
    if (json::isNull(tokens[index])) continue;
    if (!json::isText(tokens[index])) {
      return refuse(makeError(Code::kBadRequest, "a token to revoke is a text"));
    }
    const std::string_view token = withoutBearer(json::chars(tokens[index]));
    is_any_given = is_any_given || !token.empty();
    takeToken(token);
  }
  return is_any_given || refuse(makeError(Code::kBadRequest, "no token to revoke was sent"));
}

/// Only what verifies is worth a place in the list.
void Call::takeToken(std::string_view token) {
  const std::int64_t now_s = calls_.loop().io().wallMs() / 1000;
  for (const auth::Key& key : followed->plans->tokenKeys()) {
    if (!auth::mayBeOf(key, token)) continue;
    const auto verified =
        auth::verifyToken(key, token, now_s, arena_, calls_.options().token_leeway_s);
    if (!verified) continue;
    const auto fingerprint = auth::fingerprintOf(key, token);
    const std::int64_t least_s = verified->exp_seconds.value_or(kForEver);
    if (calls_.options().revoked_tokens->isRevokedUntil(fingerprint, least_s)) return;
    const std::int64_t wanted_s = now_s + plan_->revocation->expires_after_s;
    revoked_[revoked_count_++] = {fingerprint, std::max(wanted_s, least_s)};
    return;
  }
}

void Call::finish() {
  if (revoked_count_ == 0) {
    answer();
    return;
  }
  is_revoking_ = true;
  revokeNext();
}

/// One run at a time, and no recursion: each goes on in onSettled().
void Call::revokeNext() {
  const Revoked& revoked = revoked_[revoked_next_];
  auto* parameters = arena_.array<json::Value>(2);
  parameters[0] = json::text(hexOf(revoked.fingerprint, arena_));
  parameters[1] = json::integer(revoked.until_s);
  auto* inputs = arena_.array<json::Value>(2);
  inputs[0] = json::text(revoked_list::kAdd);
  inputs[1] = json::array(parameters, 2);
  if (run(plan_->revocation->add, inputs, 2) == plugin::RunState::kPending) {
    wait();
  } else {
    takeRevocation();
  }
}

void Call::takeRevocation() {
  if (ticket_ == 0) {
    fail(makeError(Code::kBusy));
    return;
  }
  const plugin::Outcome& outcome = calls_.tickets().outcome(ticket_);
  if (outcome.code != Code::kOk && outcome.code != Code::kConstraint) {
    if (calls_.mayLog(*plan_)) {
      log::warning("revocation_failed", outcome.log_message,
                   {{"code", codeInfo(outcome.code).name}, {"resource", plan_->resource->id}});
    }
    const Code code = outcome.code;
    closeRun();
    fail(makeError(code, plan_->actions.empty()
                             ? "the token could not be revoked"
                             : "the token could not be revoked; what the actions did stays"));
    return;
  }
  closeRun();
  const Revoked& revoked = revoked_[revoked_next_++];
  calls_.options().revoked_tokens->add(revoked.fingerprint, revoked.until_s,
                                       calls_.loop().io().wallMs() / 1000);
  if (revoked_next_ < revoked_count_) {
    revokeNext();
  } else {
    answer();
  }
}

/// The deadline: the row may be written yet, so the token is refused here as it would be after a
/// restart.
void Call::giveUpRevocation() {
  const Revoked& revoked = revoked_[revoked_next_];
  calls_.options().revoked_tokens->add(revoked.fingerprint, revoked.until_s,
                                       calls_.loop().io().wallMs() / 1000);
  fail(
      makeError(Code::kTimeout,
                "the database takes too long; whether the token is revoked for good is not known"));
}

}  // namespace sub0::call
