// SPDX-License-Identifier: Apache-2.0
#include "store/local_rate_limits.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/sha3.hpp"

namespace sub0::store {
namespace {

constexpr std::size_t kHeadBytes = 96;  // of a long identifier

/// Identifiers end up beside each other in one table: what comes first tells what they are.
constexpr char kShort = 's';
constexpr char kLong = 'l';
constexpr char kShared = 'o';

}  // namespace

void LocalRateLimits::dropEnded(Shard& shard, std::int64_t now_ns) {
  constexpr int kMostAtOnce = 16;  // a look stays short; more end than begin all the same
  for (int i = 0; i < kMostAtOnce && !shard.ends.empty(); ++i) {
    const auto next = shard.ends.begin();
    if (next->first > now_ns) return;
    const auto window = shard.windows.find(*next->second);
    if (!window->second.is_shared) {
      --shard.own_count;
      const auto own = shard.own_of_resource.find(window->first.resource);
      if (--own->second == 0) shard.own_of_resource.erase(own);
    }
    shard.ends.erase(next);
    shard.windows.erase(window);
  }
}

void LocalRateLimits::begin(Shard& shard, Windows::iterator window, std::int64_t end_ns) {
  window->second.calls = 0;
  window->second.end_ns = end_ns;
  shard.ends.emplace(end_ns, &window->first);
}

LocalRateLimits::Windows::iterator LocalRateLimits::add(Shard& shard, const RateRule& rule,
                                                        std::string identifier,
                                                        std::int64_t now_ns) {
  const bool is_shared = identifier.front() == kShared;
  const auto added =
      shard.windows.emplace(Key{std::string(rule.resource), std::move(identifier)}, Window{}).first;
  added->second.is_shared = is_shared;
  if (!is_shared) {
    ++shard.own_count;
    ++shard.own_of_resource[added->first.resource];
  }
  begin(shard, added, now_ns + rule.window_ns);
  return added;
}

bool LocalRateLimits::hasRoom(const Shard& shard, std::string_view resource) const {
  if (shard.own_count < shard_most_) return true;
  const auto own = shard.own_of_resource.find(resource);
  if (own == shard.own_of_resource.end()) {
    return shard_most_ / (shard.own_of_resource.size() + 1) > 0;
  }
  return own->second < shard_most_ / shard.own_of_resource.size();
}

std::string LocalRateLimits::sharedName(std::string_view identifier) const {
  std::string keyed = secret_;
  keyed += identifier;
  const auto digest = sha3Digest(keyed);
  static_assert(kSharedWindows == 256, "a byte of the digest chooses");
  return {kShared, static_cast<char>(digest[0])};
}

LocalRateLimits::Windows::iterator LocalRateLimits::open(Shard& shard, const RateRule& rule,
                                                         std::string_view identifier,
                                                         std::int64_t now_ns) {
  const auto found = shard.windows.find(Look{rule.resource, identifier});
  if (found != shard.windows.end()) return found;
  if (hasRoom(shard, rule.resource)) return add(shard, rule, std::string(identifier), now_ns);
  ++shard.totals.overflow;
  std::string shared = sharedName(identifier);
  const auto there = shard.windows.find(Look{rule.resource, shared});
  return there != shard.windows.end() ? there : add(shard, rule, std::move(shared), now_ns);
}

std::int64_t LocalRateLimits::count(const RateRule& rule, std::string_view identifier,
                                    std::int64_t now_ns) {
  const std::hash<std::string_view> hash;
  std::array<char, kLongestIdentifier + 1> name{kShort};
  std::size_t name_size = 1;
  if (identifier.size() <= kLongestIdentifier) {
    std::copy(identifier.begin(), identifier.end(), name.begin() + 1);
    name_size += identifier.size();
  } else {
    const std::size_t digest[] = {hash(identifier), identifier.size()};
    name[0] = kLong;
    std::copy_n(identifier.begin(), kHeadBytes, name.begin() + 1);
    std::memcpy(name.data() + 1 + kHeadBytes, digest, sizeof digest);
    name_size += kHeadBytes + sizeof digest;
    static_assert(kHeadBytes + sizeof digest <= kLongestIdentifier);
  }
  const std::string_view known(name.data(), name_size);
  Shard& shard = shards_[(hash(known) ^ (hash(rule.resource) >> 8)) % kShards];
  const std::lock_guard lock(shard.mutex);
  dropEnded(shard, now_ns);
  const auto window = open(shard, rule, known, now_ns);
  if (window->second.end_ns <= now_ns) {  // one of many that have ended
    shard.ends.erase({window->second.end_ns, &window->first});
    begin(shard, window, now_ns + rule.window_ns);
  }
  if (window->second.calls >= rule.limit) {
    ++shard.totals.refused;
    return window->second.end_ns - now_ns;
  }
  ++window->second.calls;
  return -1;
}

RateTotals LocalRateLimits::totals() const {
  RateTotals sum;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum.refused += shard.totals.refused;
    sum.overflow += shard.totals.overflow;
    sum.windows += shard.windows.size();
  }
  return sum;
}

}  // namespace sub0::store
