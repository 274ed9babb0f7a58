// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "loop/loop.hpp"

namespace sub0::app {

/// How long loops are blocked: a turn that is the same at two looks, without sleep, lasts. Plugins
/// or not: the plugins' Watchdog names whose fault it is, this one measures. The looks themselves
/// are watched as well, so that a control thread that hangs is noticed. THREAD: look() the control
/// thread, the others any.
class LoopWatch {
 public:
  static constexpr std::int64_t kBlockedNs = 100'000'000;

  /// OWNERSHIP: the loops outlive this.
  explicit LoopWatch(const std::vector<const loop::Loop*>& loops);

  void look(std::int64_t now_ns);

  std::size_t loops() const { return seen_.size(); }
  /// Time in turns that lasted longer than kBlockedNs, so far.
  std::uint64_t blockedNs(std::size_t loop) const;
  /// How long the loop's turn has lasted, 0 where it lasted less than kBlockedNs at the last look.
  std::int64_t blockedNowNs(std::size_t loop, std::int64_t now_ns) const;
  /// When look() was last called; 0: never.
  std::int64_t lookedNs() const { return looked_ns_.load(std::memory_order_relaxed); }

 private:
  struct Seen {
    const loop::Loop* loop = nullptr;
    std::uint64_t turn = 0;
    std::int64_t counted_ns = 0;            // of since_ns up to now, already in blocked_ns
    std::atomic<std::int64_t> since_ns{0};  // 0: not in a turn that lasts
    std::atomic<std::uint64_t> blocked_ns{0};
  };
  std::vector<std::unique_ptr<Seen>> seen_;
  std::atomic<std::int64_t> looked_ns_{0};
};

}  // namespace sub0::app
