// SPDX-License-Identifier: Apache-2.0
// The part of Call that counts calls and refuses too many of them (S-94).
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/address_key.hpp"
#include "base/time_units.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"
#include "json/writer.hpp"

namespace sub0::call {
/// A text as it stands, anything else as its JSON; nothing of null.
std::string_view Call::textOf(const json::Value& value) {
  if (json::isNull(value)) return {};
  return json::isText(value) ? json::chars(value) : arena_.copy(json::toString(value));
}

/// What `$HEADER.ip` is here: of an IPv6 address its /64, since who has one address has all of
/// them.
std::string_view Call::networkOf(std::string_view ip) {
  if (ip.find(':') == std::string_view::npos) return ip;
  const AddressKey key = addressKey(ip);
  return key == 0 ? ip : arena_.copy(addressKeyText(key));
}

/// REQUIRES: what the identifier reads is there.
bool Call::passRateLimit() {
  store::RateLimits* const limits = calls_.options().rate_limits;
  if (limits == nullptr) return true;
  const RatePlan& rate = *plan_->rate;
  const std::string_view ip = std::exchange(scope_.ip, networkOf(scope_.ip));
  const std::string_view identifier =
      textOf(rate.composed ? rate.composed->evaluate(scope_, arena_)
                           : rate.identifier.evaluate(scope_, arena_));
  scope_.ip = ip;
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
