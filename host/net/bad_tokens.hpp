// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>

#include "base/address_key.hpp"
#include "net/options.hpp"

namespace sub0::net {

/// How often an address got 401 of late: over its rate its next 401 is held back, so that
/// guessing is slow; what would wait too long becomes 429. Replies to good tokens are never
/// touched, neither of that address nor of others. A leaky bucket per address, in a table of fixed
/// size: where a place is wanted, the address that has been quiet longest is forgotten, which makes
/// nobody slower. THREAD: any; a short lock on one of 64 shards, at replies 401 only.
class BadTokens {
 public:
  struct Verdict {
    std::int64_t delay_ms = 0;
    bool is_refused = false;  // 429, `delay_ms` tells when to come again
  };
  static constexpr std::int64_t kMaxDelayMs = 2'000;

  /// `seed`: random, so that nobody can choose addresses that share a place.
  BadTokens(const Options& options, std::uint64_t seed);

  /// One reply 401 to `key` is due at `now_ns` of the monotonic clock.
  Verdict note(AddressKey key, std::int64_t now_ns);

 private:
  static constexpr std::size_t kShards = 64;
  static constexpr std::size_t kSetsPerShard = 64;
  static constexpr std::size_t kWays = 4;
  struct Entry {
    AddressKey key = 0;
    std::int64_t paid_until_ns = 0;  // what has been noted takes until then at the rate
  };
  using Set = std::array<Entry, kWays>;
  Entry& find(Set& set, AddressKey key) const;

  const std::uint64_t seed_;
  std::int64_t interval_ns_ = 0;  // of one reply at the rate; 0: no limit
  std::int64_t burst_ns_ = 0;
  std::array<std::mutex, kShards> mutexes_;
  std::unique_ptr<Set[]> sets_;
};

}  // namespace sub0::net
