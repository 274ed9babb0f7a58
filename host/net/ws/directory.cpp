// SPDX-License-Identifier: Apache-2.0
#include "net/ws/directory.hpp"

#include <algorithm>
#include <cassert>

namespace sub0::net::ws {

Directory::Claim Directory::add(std::string_view uid, std::uint32_t loop) {
  Shard& shard = shardOf(uid);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  return addLocked(shard, uid, loop);
}

std::optional<Directory::Claim> Directory::addFirst(std::string_view uid, std::uint32_t loop) {
  Shard& shard = shardOf(uid);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  if (shard.counts.find(uid) != shard.counts.end()) return std::nullopt;
  return addLocked(shard, uid, loop);
}

Directory::Claim Directory::addLocked(Shard& shard, std::string_view uid, std::uint32_t loop) {
  assert(loop < loops_);
  auto found = shard.counts.find(uid);
  if (found == shard.counts.end()) {
    found = shard.counts.emplace(std::string(uid), std::vector<std::uint32_t>(loops_)).first;
  }
  ++found->second[loop];
  return next_claim_.fetch_add(1, std::memory_order_relaxed);
}

void Directory::remove(std::string_view uid, std::uint32_t loop) {
  Shard& shard = shardOf(uid);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.counts.find(uid);
  assert(found != shard.counts.end() && found->second[loop] > 0);
  if (found == shard.counts.end()) return;
  --found->second[loop];
  const bool is_gone = std::all_of(found->second.begin(), found->second.end(),
                                   [](std::uint32_t count) { return count == 0; });
  if (is_gone) shard.counts.erase(found);
}

}  // namespace sub0::net::ws
