// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <map>
#include <mutex>

#include "store/cache.hpp"

namespace sub0::store {

/// The cache of one process. All loops share it, so it is parted by keys into shards with a lock
/// each, held for a look into an ordered map and no longer: values are copied before and read
/// after. (One owner that others ask by mailbox would cost a hit two turns.) Ordered and not
/// hashed, since clients may choose keys: no choice of theirs makes a look longer. Memory is
/// bounded: each shard has its part of the limit, and what was not used for longest goes; a value
/// that is larger than the part is not kept.
class LocalCache final : public Cache {
 public:
  static constexpr std::size_t kShards = 8;

  /// `limit_bytes` of values, keys and what the tables take; 0: nothing is kept.
  explicit LocalCache(std::size_t limit_bytes) : shard_bytes_(limit_bytes / kShards) {}
  ~LocalCache() override = default;

  Found find(std::string_view key, std::int64_t now_ns, CacheListener& listener,
             loop::Loop& loop) override;
  void land(std::unique_ptr<CacheFlight> flight, CachedPointer value,
            std::int64_t until_ns) override;
  void leave(CacheWait& wait) override;
  CachedPointer look(std::string_view key, std::int64_t now_ns) override;
  std::uint64_t mark(std::string_view key) override;
  void put(std::string_view key, CachedPointer value, std::int64_t until_ns,
           std::uint64_t mark) override;
  void erase(std::string_view key) override;
  CacheTotals totals() const override;

 private:
  struct Entry {
    std::string key;
    CachedPointer value;
    std::int64_t until_ns = 0;
  };
  /// Of a shard: a change of one key in so many makes what is worked out of another one stale.
  static constexpr std::size_t kMarks = 256;
  using Entries = std::list<Entry>;  // what was used last first
  struct Shard {
    mutable std::mutex mutex;
    Entries entries;
    std::map<std::string_view, Entries::iterator> by_key;  // keys of the entries
    std::map<std::string_view, CacheFlight*> flights;      // keys of the flights
    std::array<std::uint64_t, kMarks> changes{};           // keys erased or put, by markOf()
    CacheTotals totals;
  };

  static std::size_t bytesOf(const Entry& entry);
  static std::size_t indexOf(std::string_view key);
  static std::size_t markOf(std::string_view key);
  Shard& shardOf(std::string_view key) { return shards_[indexOf(key)]; }
  // REQUIRES: the shard's lock is held.
  static CachedPointer lookIn(Shard& shard, std::string_view key, std::int64_t now_ns);
  void keep(Shard& shard, std::string_view key, CachedPointer value, std::int64_t until_ns) const;
  static void change(Shard& shard, std::string_view key);
  static void remove(Shard& shard, Entries::iterator entry);

  const std::size_t shard_bytes_;
  std::array<Shard, kShards> shards_;
};

}  // namespace sub0::store
