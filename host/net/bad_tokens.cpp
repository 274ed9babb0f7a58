// SPDX-License-Identifier: Apache-2.0
#include "net/bad_tokens.hpp"

#include <algorithm>

#include "base/time_units.hpp"

namespace sub0::net {
BadTokens::BadTokens(const Options& options, std::uint64_t seed)
    : seed_(seed | 1), sets_(std::make_unique<Set[]>(kShards * kSetsPerShard)) {
  if (options.bad_tokens_per_second == 0) return;
  const auto rate = static_cast<std::int64_t>(options.bad_tokens_per_second);
  interval_ns_ = std::max<std::int64_t>(kNsPerSecond / rate, 1);
  const auto burst = static_cast<std::int64_t>(options.bad_token_burst);
  burst_ns_ = std::min(burst, kNsPerSecond) * interval_ns_;
}

BadTokens::Entry& BadTokens::find(Set& set, AddressKey key) const {
  Entry* oldest = &set.front();
  for (Entry& entry : set) {
    if (entry.key == key) return entry;
    if (entry.paid_until_ns < oldest->paid_until_ns) oldest = &entry;
  }
  *oldest = {key, 0};
  return *oldest;
}

BadTokens::Verdict BadTokens::note(AddressKey key, std::int64_t now_ns) {
  if (interval_ns_ == 0 || key == 0) return {};
  // Multiplicative hashing (D. Knuth) with a multiplier of our own; the upper bits are mixed best.
  const std::uint64_t place = (key ^ seed_) * (seed_ | 0x9E37'79B9'0000'0001U) >> 52;
  const std::lock_guard<std::mutex> lock(mutexes_[place / kSetsPerShard]);
  Entry& entry = find(sets_[place], key);
  const std::int64_t paid_until_ns = std::max(entry.paid_until_ns, now_ns) + interval_ns_;
  const std::int64_t over_ns = paid_until_ns - now_ns - burst_ns_;
  const std::int64_t delay_ms = over_ns <= 0 ? 0 : (over_ns + kNsPerMs - 1) / kNsPerMs;
  if (delay_ms > kMaxDelayMs) return {delay_ms, true};
  entry.paid_until_ns = paid_until_ns;
  return {delay_ms, false};
}

}  // namespace sub0::net
