// SPDX-License-Identifier: Apache-2.0
#include "app/observation.hpp"

#include <utility>

#include "app/version.hpp"
#include "base/time_units.hpp"

namespace sub0::app {
namespace {

std::vector<const loop::Loop*> loopsOf(LoopGroup& group) {
  std::vector<const loop::Loop*> loops;
  for (const auto& unit : group.units()) loops.push_back(&unit->loop);
  return loops;
}

}  // namespace

Observation::Observation(Parts parts)
    : parts_(std::move(parts)),
      started_ns_(clock().monotonicNs()),
      started_at_s_(static_cast<double>(clock().wallMs()) / 1e3),
      watch_(loopsOf(parts_.loops)) {}

/// Reading the time is safe on any thread.
loop::Io& Observation::clock() const { return parts_.loops.units().front()->io; }

std::string Observation::fault() const {
  const std::int64_t now_ns = clock().monotonicNs();
  const std::int64_t limit_ns = parts_.fault_after_ms * kNsPerMs;
  const auto after = [](std::int64_t ns) { return std::to_string(ns / kNsPerMs) + " ms"; };
  for (std::size_t i = 0; i < watch_.loops(); ++i) {
    const std::int64_t blocked_ns = watch_.blockedNowNs(i, now_ns);
    if (blocked_ns >= limit_ns) {
      return "loop " + std::to_string(i) + " has been blocked for " + after(blocked_ns);
    }
  }
  const std::int64_t looked_ns = watch_.lookedNs();
  const std::int64_t silent_ns = looked_ns == 0 ? 0 : now_ns - looked_ns;
  if (silent_ns < limit_ns) return {};
  return "the control thread has been silent for " + after(silent_ns);
}

std::string Observation::metrics() const { return metricsPage(snapshot()); }

MetricsSnapshot Observation::snapshot() const {
  const std::int64_t now_ns = clock().monotonicNs();
  MetricsSnapshot snapshot;
  snapshot.version = kVersion;
  snapshot.uptime_s = static_cast<double>(now_ns - started_ns_) / 1e9;
  snapshot.is_ready = parts_.unready().empty();
  const auto database = parts_.is_database_ready();
  snapshot.has_database = database.has_value();
  snapshot.is_database_ready = database.value_or(false);
  snapshot.net = parts_.server.totals();
  const net::Guard& guard = parts_.server.guard();
  snapshot.pending_connections = guard.admissions.pending();
  snapshot.unsent_budget_used_bytes = guard.unsent_budget.usedBytes();
  snapshot.unsent_budget_bytes = parts_.server.options().unsent_budget_bytes;
  snapshot.input_budget_used_bytes = guard.input_budget.usedBytes();
  snapshot.input_budget_bytes = parts_.server.options().input_budget_bytes;
  for (std::size_t i = 0; i < watch_.loops(); ++i) {
    LoopUnit& unit = *parts_.loops.units()[i];
    LoopFigures& figures = snapshot.loops.emplace_back();
    figures.turns = unit.loop.turnCount();
    figures.blocked_ns = watch_.blockedNs(i);
    figures.blocked_now_ns = static_cast<std::uint64_t>(watch_.blockedNowNs(i, now_ns));
    figures.mailbox_bytes = unit.loop.mailbox().bulkBytes();
    const call::CallCounts& counts = unit.calls->counts();
    counts.addTo(snapshot.resources);
    snapshot.calls_under_way += counts.under_way.get();
    snapshot.calls_in_background += counts.in_background.get();
    snapshot.calls_unknown += counts.unknown.get();
    snapshot.hashes.add(counts.hashes);
  }
  snapshot.plugins = parts_.registry.faultCounts();
  snapshot.pool_waiting = parts_.loops.pool().waitingCount();
  if (const loop::Pool* pool = parts_.loops.hashPool()) {
    snapshot.hashes_waiting = pool->waitingCount();
  }
  snapshot.cache = parts_.cache.totals();
  snapshot.rate_limits = parts_.rate_limits.totals();
  snapshot.reloads = reloads.get();
  snapshot.reloads_refused = refused_reloads.get();
  snapshot.process = readProcessUsage();
  snapshot.process.start_time_s = started_at_s_;
  return snapshot;
}

}  // namespace sub0::app
