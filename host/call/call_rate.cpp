// SPDX-License-Identifier: Apache-2.0
// The part of Call that counts calls and refuses too many of them (S-94).
#include <algorithm>
#include <limits>
#include <string>

#include "call/call.hpp"
#include "call/calls.hpp"
#include "json/writer.hpp"

namespace sub0::call {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

}  // namespace

/// A text as it stands, anything else as its JSON; nothing of null.
std::string_view Call::textOf(const json::Value& value) {
  if (json::isNull(value)) return {};
  return json::isText(value) ? json::chars(value) : arena_.copy(json::toString(value));
}

/// REQUIRES: what the identifier reads is there.
bool Call::passRateLimit() {
  store::RateLimits* const limits = calls_.options().rate_limits;
  if (limits == nullptr) return true;
  const RatePlan& rate = *plan_->rate;
  const std::string_view identifier = textOf(rate.identifier.evaluate(scope_, arena_));
  const std::int64_t left_ns = limits->count({plan_->resource->id, rate.limit, rate.window_ns},
                                             identifier, calls_.loop().nowNs());
  if (left_ns < 0) return true;
  const std::int64_t left_s = (left_ns + kNsPerSecond - 1) / kNsPerSecond;
  retry_after_s_ = static_cast<int>(
      std::min<std::int64_t>(std::max<std::int64_t>(left_s, 1), std::numeric_limits<int>::max()));
  return refuse(makeError(Code::kRateLimited,
                          "too many calls; try again in " + std::to_string(retry_after_s_) + " s"));
}

}  // namespace sub0::call
