// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "app/loop_group.hpp"
#include "app/loop_watch.hpp"
#include "app/metrics.hpp"
#include "base/count.hpp"
#include "net/server.hpp"
#include "plugin/registry.hpp"
#include "store/cache.hpp"
#include "store/rate_limits.hpp"

namespace sub0::app {

/// What an operator asks of a running host: is it well, is it ready, what has it done. Reads
/// counters where they are kept; never waits for a loop, so that it answers while one is blocked.
/// THREAD: any, but look() and the counts, which are the control thread's. OWNERSHIP: all that it
/// is given outlives it.
class Observation {
 public:
  struct Parts {
    LoopGroup& loops;
    net::Server& server;
    const plugin::Registry& registry;
    const store::Cache& cache;
    const store::RateLimits& rate_limits;
    /// Why /readyz says 503; empty: 200.
    std::function<std::string()> unready;
    /// nullopt: no plugin keeps one.
    std::function<std::optional<bool>()> is_database_ready;
    /// A loop that has been blocked for so long is a fault.
    std::int64_t fault_after_ms = 0;
  };
  explicit Observation(Parts parts);

  /// Measures blocked loops; every 50 ms or so.
  void look(std::int64_t now_ns) { watch_.look(now_ns); }

  /// Why /healthz says 503; empty: 200.
  std::string fault() const;
  std::string unready() const { return parts_.unready(); }
  /// The text of /metrics.
  std::string metrics() const;

  Count reloads, refused_reloads;

 private:
  loop::Io& clock() const;
  MetricsSnapshot snapshot() const;

  const Parts parts_;
  const std::int64_t started_ns_;
  const double started_at_s_;
  LoopWatch watch_;
};

}  // namespace sub0::app
