// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "store/rate_limits.hpp"

namespace sub0::store {

/// The windows of one process, shared by its loops: parted by resource and identifier into shards
/// with a lock each, held for a look into an ordered map. Clients choose identifiers, so their
/// number is bounded; windows that have ended make room, but an open one never does: whoever sends
/// millions of identifiers must not get anybody's count forgotten. Nor may they take the room of
/// other resources: where all is taken, a resource still gets its part of it, as many windows as if
/// all that have some had equally many. (So n of them have at most the sum of most / 1 … most / n.)
/// Identifiers for which there is no room share some windows of their resource, by a keyed digest.
/// Of long ones a part and a
/// digest of the whole are kept: where two had the same, they would count together.
class LocalRateLimits final : public RateLimits {
 public:
  static constexpr std::size_t kShards = 8;
  static constexpr std::size_t kSharedWindows = 256;  // of a resource without room
  static constexpr std::size_t kLongestIdentifier = 128;

  /// `most`: windows at the same time, as long as no resource asks for its part. `secret`: random,
  /// so that nobody knows who shares.
  LocalRateLimits(std::size_t most, std::string secret)
      : shard_most_(most / kShards), secret_(std::move(secret)) {}
  ~LocalRateLimits() override = default;

  std::int64_t count(const RateRule& rule, std::string_view identifier,
                     std::int64_t now_ns) override;
  RateTotals totals() const override;

 private:
  struct Look {
    std::string_view resource, identifier;
  };
  struct Key {
    std::string resource, identifier;
    operator Look() const { return {resource, identifier}; }
  };
  struct Less {
    using is_transparent = void;
    bool operator()(const Look& a, const Look& b) const {
      const int order = a.identifier.compare(b.identifier);
      return order != 0 ? order < 0 : a.resource < b.resource;
    }
  };
  struct Window {
    std::int64_t calls = 0;
    std::int64_t end_ns = 0;
    bool is_shared = false;
  };
  using Windows = std::map<Key, Window, Less>;
  struct Shard {
    mutable std::mutex mutex;
    Windows windows;
    std::set<std::pair<std::int64_t, const Key*>> ends;  // of the windows, the next first
    std::size_t own_count = 0;                           // windows that nobody shares
    std::map<std::string, std::size_t, std::less<>> own_of_resource;  // the same; none: no entry
    RateTotals totals;
  };

  bool hasRoom(const Shard& shard, std::string_view resource) const;
  static void dropEnded(Shard& shard, std::int64_t now_ns);
  Windows::iterator open(Shard& shard, const RateRule& rule, std::string_view identifier,
                         std::int64_t now_ns);
  static Windows::iterator add(Shard& shard, const RateRule& rule, std::string identifier,
                               std::int64_t now_ns);
  static void begin(Shard& shard, Windows::iterator window, std::int64_t end_ns);
  std::string sharedName(std::string_view identifier) const;

  const std::size_t shard_most_;
  const std::string secret_;
  std::array<Shard, kShards> shards_;
};

}  // namespace sub0::store
