// SPDX-License-Identifier: Apache-2.0
#include "app/loop_watch.hpp"

namespace sub0::app {

LoopWatch::LoopWatch(const std::vector<const loop::Loop*>& loops) {
  for (const loop::Loop* loop : loops) {
    seen_.push_back(std::make_unique<Seen>());
    seen_.back()->loop = loop;
  }
}

void LoopWatch::look(std::int64_t now_ns) {
  looked_ns_.store(now_ns, std::memory_order_relaxed);
  for (const auto& seen : seen_) {
    const std::uint64_t turn = seen->loop->turnCount();
    const std::int64_t since_ns = seen->since_ns.load(std::memory_order_relaxed);
    if (turn == 0 || seen->loop->isAsleep()) {
      seen->since_ns.store(0, std::memory_order_relaxed);
    } else if (turn != seen->turn || since_ns == 0) {
      seen->turn = turn;
      seen->counted_ns = 0;
      seen->since_ns.store(now_ns, std::memory_order_relaxed);
    } else if (now_ns - since_ns >= kBlockedNs) {
      const std::int64_t lasted_ns = now_ns - since_ns;
      seen->blocked_ns.fetch_add(static_cast<std::uint64_t>(lasted_ns - seen->counted_ns),
                                 std::memory_order_relaxed);
      seen->counted_ns = lasted_ns;
    }
  }
}

std::uint64_t LoopWatch::blockedNs(std::size_t loop) const {
  return seen_[loop]->blocked_ns.load(std::memory_order_relaxed);
}

std::int64_t LoopWatch::blockedNowNs(std::size_t loop, std::int64_t now_ns) const {
  const std::int64_t since_ns = seen_[loop]->since_ns.load(std::memory_order_relaxed);
  if (since_ns == 0 || lookedNs() - since_ns < kBlockedNs) return 0;
  return now_ns - since_ns;
}

}  // namespace sub0::app
