// SPDX-License-Identifier: Apache-2.0
#include "store/local_cache.hpp"

#include <functional>
#include <utility>

namespace sub0::store {

/// The nodes of list and map, their heads and the value's own among it.
std::size_t LocalCache::bytesOf(const Entry& entry) {
  constexpr std::size_t kNodesBytes = sizeof(Entry) + 128;
  return kNodesBytes + entry.key.size() + entry.value->sizeBytes();
}

std::size_t LocalCache::indexOf(std::string_view key) {
  return std::hash<std::string_view>{}(key) % kShards;
}

std::size_t LocalCache::markOf(std::string_view key) {
  return std::hash<std::string_view>{}(key) / kShards % kMarks;
}

CachedPointer LocalCache::lookIn(Shard& shard, std::string_view key, std::int64_t now_ns) {
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) {
    ++shard.totals.misses;
    return nullptr;
  }
  if (found->second->until_ns <= now_ns) {
    remove(shard, found->second);
    ++shard.totals.misses;
    return nullptr;
  }
  ++shard.totals.hits;
  shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  return found->second->value;
}

void LocalCache::remove(Shard& shard, Entries::iterator entry) {
  shard.totals.size_bytes -= bytesOf(*entry);
  --shard.totals.entries;
  shard.by_key.erase(entry->key);
  shard.entries.erase(entry);
}

void LocalCache::keep(Shard& shard, std::string_view key, CachedPointer value,
                      std::int64_t until_ns) const {
  const auto found = shard.by_key.find(key);
  if (found != shard.by_key.end()) remove(shard, found->second);
  if (json::isNull(value->value())) return;
  Entry entry{std::string(key), std::move(value), until_ns};
  const std::size_t bytes = bytesOf(entry);
  if (bytes > shard_bytes_) {
    ++shard.totals.refused;
    return;
  }
  while (shard.totals.size_bytes + bytes > shard_bytes_) {
    remove(shard, std::prev(shard.entries.end()));
    ++shard.totals.evicted;
  }
  shard.entries.push_front(std::move(entry));
  shard.by_key.emplace(shard.entries.front().key, shard.entries.begin());
  shard.totals.size_bytes += bytes;
  ++shard.totals.entries;
}

/// Whoever works the key out now began before the change: that result is not kept, and who asks
/// from now on does not wait for it.
void LocalCache::change(Shard& shard, std::string_view key) {
  ++shard.changes[markOf(key)];
  const auto flight = shard.flights.find(key);
  if (flight == shard.flights.end()) return;
  flight->second->is_current = false;
  shard.flights.erase(flight);
}

Cache::Found LocalCache::find(std::string_view key, std::int64_t now_ns, CacheListener& listener,
                              loop::Loop& loop) {
  Found result;
  const std::size_t index = indexOf(key);
  Shard& shard = shards_[index];
  const std::lock_guard lock(shard.mutex);
  result.value = lookIn(shard, key, now_ns);
  if (result.value) return result;
  const auto flight = shard.flights.find(key);
  if (flight != shard.flights.end()) {
    ++shard.totals.shared;
    result.wait = addWait(*flight->second, listener, loop, index);
    return result;
  }
  result.flight = std::make_unique<CacheFlight>();
  result.flight->key = key;
  shard.flights.emplace(result.flight->key, result.flight.get());
  return result;
}

void LocalCache::land(std::unique_ptr<CacheFlight> flight, CachedPointer value,
                      std::int64_t until_ns) {
  CacheWait* waits = nullptr;
  Shard& shard = shardOf(flight->key);
  {
    const std::lock_guard lock(shard.mutex);
    if (flight->is_current) {
      shard.flights.erase(flight->key);
      if (value) keep(shard, flight->key, value, until_ns);
    }
    waits = takeWaits(*flight);
  }
  tell(waits, value);
}

void LocalCache::leave(CacheWait& wait) {
  const std::lock_guard lock(shards_[placeOf(wait)].mutex);
  endWait(wait);
}

CachedPointer LocalCache::look(std::string_view key, std::int64_t now_ns) {
  Shard& shard = shardOf(key);
  const std::lock_guard lock(shard.mutex);
  return lookIn(shard, key, now_ns);
}

std::uint64_t LocalCache::mark(std::string_view key) {
  Shard& shard = shardOf(key);
  const std::lock_guard lock(shard.mutex);
  return shard.changes[markOf(key)];
}

void LocalCache::put(std::string_view key, CachedPointer value, std::int64_t until_ns,
                     std::uint64_t mark) {
  Shard& shard = shardOf(key);
  const std::lock_guard lock(shard.mutex);
  const bool is_fresh = shard.changes[markOf(key)] == mark;
  change(shard, key);
  if (is_fresh) {
    keep(shard, key, std::move(value), until_ns);
  } else if (const auto found = shard.by_key.find(key); found != shard.by_key.end()) {
    remove(shard, found->second);
  }
}

void LocalCache::erase(std::string_view key) {
  Shard& shard = shardOf(key);
  const std::lock_guard lock(shard.mutex);
  change(shard, key);
  const auto found = shard.by_key.find(key);
  if (found != shard.by_key.end()) remove(shard, found->second);
}

CacheTotals LocalCache::totals() const {
  CacheTotals sum;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum.hits += shard.totals.hits;
    sum.misses += shard.totals.misses;
    sum.shared += shard.totals.shared;
    sum.evicted += shard.totals.evicted;
    sum.refused += shard.totals.refused;
    sum.entries += shard.totals.entries;
    sum.size_bytes += shard.totals.size_bytes;
  }
  return sum;
}

}  // namespace sub0::store
