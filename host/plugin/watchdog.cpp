// SPDX-License-Identifier: Apache-2.0
#include "plugin/watchdog.hpp"

#include "base/log.hpp"
#include "base/time_units.hpp"

namespace sub0::plugin {
namespace {

constexpr std::int64_t kLogEveryNs = kNsPerSecond;

}  // namespace

Watchdog::Watchdog(std::span<TicketTable* const> tables) {
  for (TicketTable* table : tables) seen_.push_back({table, 0, 0, 0});
}

std::size_t Watchdog::look(std::int64_t now_ns) {
  std::size_t held_up = 0;
  for (Seen& seen : seen_) {
    RunningMark& mark = seen.table->mark();
    const std::uint64_t number = mark.number.load(std::memory_order_acquire);
    const CallSite* const site = mark.site.load(std::memory_order_acquire);
    const bool is_one_call = mark.number.load(std::memory_order_acquire) == number;
    if (site == nullptr || !is_one_call || number != seen.number) {
      seen.number = site == nullptr ? 0 : number;
      seen.since_ns = now_ns;
      seen.logged_ns = 0;
      continue;
    }
    const std::int64_t held_ns = now_ns - seen.since_ns;
    if (held_ns < kBudgetNs) continue;
    ++held_up;
    if (seen.logged_ns == 0) {
      site->handler.counters.over_budget.fetch_add(1, std::memory_order_relaxed);
      mark.noted.store(number, std::memory_order_relaxed);
    } else if (held_ns - seen.logged_ns < kLogEveryNs) {
      continue;
    }
    seen.logged_ns = held_ns;
    log::warning("loop_held", "a plugin holds up an event loop",
                 {{"plugin", site->handler.plugin->id},
                  {"handler", site->handler.name},
                  {"resource", site->resource},
                  {"loop", seen.table->loop().index()},
                  {"duration_ms", held_ns / kNsPerMs}});
  }
  return held_up;
}

}  // namespace sub0::plugin
