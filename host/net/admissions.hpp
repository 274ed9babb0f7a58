// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/address_key.hpp"
#include "net/counters.hpp"
#include "net/options.hpp"

namespace sub0::net {

/// How many connections the process has, in all and for every address, and how many of them are
/// pending: have not sent a whole request yet. Asked when a connection comes, when its first
/// request is whole and when it goes; messages never touch it. An address has an entry only while
/// it has a connection, so the table is bounded by SUB0_CONNECTION_LIMIT. THREAD: any; a short lock
/// on one of 64 shards.
class Admissions {
 public:
  /// What was counted for one connection; handed back when it goes.
  struct Ticket {
    AddressKey key = 0;  // 0: not counted for an address
    bool is_counted = false;
    bool is_pending = false;
  };

  /// `seed`: random, so that nobody can choose addresses that share a place in the table.
  Admissions(const Options& options, std::uint64_t seed) : options_(options), seed_(seed) {}

  /// Admits a new connection as pending and fills `ticket`, or says why not. `key` 0: its address
  /// has no limit.
  std::optional<Refusal> enter(AddressKey key, Ticket& ticket);
  /// Its first request is whole.
  void establish(Ticket& ticket);
  /// Counts an established connection for `key` from now on (a handshake behind a trusted proxy);
  /// false: that address has too many.
  bool countFor(AddressKey key, Ticket& ticket);
  void leave(Ticket& ticket);

  std::uint64_t connections() const { return connections_.load(); }
  std::uint64_t pending() const { return pending_.load(); }
  /// How many addresses have an entry.
  std::size_t addresses() const;

 private:
  static constexpr std::size_t kShards = 64;
  struct Entry {
    std::uint32_t connections = 0;
    std::uint32_t pending = 0;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, Entry> entries;  // by mixed key
  };
  std::uint64_t mix(AddressKey key) const;
  Shard& shardOf(std::uint64_t mixed) { return shards_[mixed >> 58]; }
  std::optional<Refusal> enterAddress(AddressKey key);

  const Options& options_;
  const std::uint64_t seed_;
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> pending_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace sub0::net
