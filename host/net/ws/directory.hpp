// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sub0::net::ws {

/// Hash of a text that finds by view without making a string.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

/// Who is where: for every uid how many connections each loop has. Touched at connect, close,
/// SINGLE and BULK only; sharded, a short lock each. Any thread.
class Directory {
 public:
  explicit Directory(std::size_t loops) : loops_(loops) {}

  /// A number that grows with every connection of any uid: of two of one uid, the later has the
  /// greater one.
  using Claim = std::uint64_t;

  Claim add(std::string_view uid, std::uint32_t loop);
  /// Nothing, where `uid` has a connection already.
  std::optional<Claim> addFirst(std::string_view uid, std::uint32_t loop);
  void remove(std::string_view uid, std::uint32_t loop);

  /// Calls `visit(loop, count)` for every loop that has `uid`; under the shard's lock.
  template <typename Visit>
  void forEach(std::string_view uid, Visit visit) {
    Shard& shard = shardOf(uid);
    const std::lock_guard<std::mutex> lock(shard.mutex);
    const auto found = shard.counts.find(uid);
    if (found == shard.counts.end()) return;
    for (std::uint32_t loop = 0; loop < loops_; ++loop) {
      if (found->second[loop] > 0) visit(loop, found->second[loop]);
    }
  }

 private:
  static constexpr std::size_t kShards = 64;
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<std::uint32_t>, TextHash, std::equal_to<>> counts;
  };
  Shard& shardOf(std::string_view uid) { return shards_[TextHash()(uid) % kShards]; }

  Claim addLocked(Shard& shard, std::string_view uid, std::uint32_t loop);

  const std::size_t loops_;
  std::atomic<Claim> next_claim_{1};
  std::array<Shard, kShards> shards_;
};

}  // namespace sub0::net::ws
