// SPDX-License-Identifier: Apache-2.0
#include "net/admissions.hpp"

#include <cassert>
#include <utility>

namespace sub0::net {
namespace {

/// Takes one of `limit` (0: any number).
bool take(std::atomic<std::uint64_t>& count, std::uint64_t limit) {
  const std::uint64_t before = count.fetch_add(1);
  if (limit == 0 || before < limit) return true;
  count.fetch_sub(1);
  return false;
}

bool isFull(std::uint64_t count, std::uint64_t limit) { return limit != 0 && count >= limit; }

}  // namespace

/// One to one, so that keys stay apart (finaliser of SplitMix64, G. Steele et al., 2014).
std::uint64_t Admissions::mix(AddressKey key) const {
  std::uint64_t mixed = key ^ seed_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

std::optional<Refusal> Admissions::enter(AddressKey key, Ticket& ticket) {
  assert(!ticket.is_counted);
  if (!take(connections_, options_.max_connections)) return Refusal::kConnections;
  if (!take(pending_, options_.max_pending)) {
    connections_.fetch_sub(1);
    return Refusal::kPending;
  }
  if (const auto refusal = enterAddress(key)) {
    connections_.fetch_sub(1);
    pending_.fetch_sub(1);
    return refusal;
  }
  ticket = {key, true, true};
  return std::nullopt;
}

std::optional<Refusal> Admissions::enterAddress(AddressKey key) {
  if (key == 0) return std::nullopt;
  const std::uint64_t mixed = mix(key);
  Shard& shard = shardOf(mixed);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.entries.find(mixed);
  const Entry entry = found == shard.entries.end() ? Entry{} : found->second;
  if (isFull(entry.connections, options_.max_address_connections)) {
    return Refusal::kAddressConnections;
  }
  if (isFull(entry.pending, options_.max_address_pending)) return Refusal::kAddressPending;
  shard.entries[mixed] = {entry.connections + 1, entry.pending + 1};
  return std::nullopt;
}

void Admissions::establish(Ticket& ticket) {
  if (!std::exchange(ticket.is_pending, false)) return;
  pending_.fetch_sub(1);
  if (ticket.key == 0) return;
  const std::uint64_t mixed = mix(ticket.key);
  Shard& shard = shardOf(mixed);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  --shard.entries.find(mixed)->second.pending;
}

bool Admissions::countFor(AddressKey key, Ticket& ticket) {
  assert(ticket.is_counted && !ticket.is_pending && ticket.key == 0);
  if (key == 0) return true;
  const std::uint64_t mixed = mix(key);
  Shard& shard = shardOf(mixed);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.entries.find(mixed);
  const std::uint32_t connections = found == shard.entries.end() ? 0 : found->second.connections;
  if (isFull(connections, options_.max_address_connections)) return false;
  ++shard.entries[mixed].connections;
  ticket.key = key;
  return true;
}

void Admissions::leave(Ticket& ticket) {
  if (!ticket.is_counted) return;
  establish(ticket);
  connections_.fetch_sub(1);
  const AddressKey key = std::exchange(ticket, {}).key;
  if (key == 0) return;
  const std::uint64_t mixed = mix(key);
  Shard& shard = shardOf(mixed);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.entries.find(mixed);
  assert(found != shard.entries.end() && found->second.connections > 0);
  if (--found->second.connections == 0) shard.entries.erase(found);
}

std::size_t Admissions::addresses() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard<std::mutex> lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

}  // namespace sub0::net
