// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/metrics_text.hpp"
#include "app/process_usage.hpp"
#include "call/call_counts.hpp"
#include "net/counters.hpp"
#include "plugin/fault_counts.hpp"
#include "store/cache.hpp"
#include "store/rate_limits.hpp"

// The metrics of a host: one declaration for each (name, type, labels, meaning), from which the
// page and its reference are made. Labels take values of the project and of the host alone:
// nothing that a client sends becomes one.
namespace sub0::app {

/// One loop at the moment of reading.
struct LoopFigures {
  std::uint64_t turns = 0;
  std::uint64_t blocked_ns = 0;      // in all so far
  std::uint64_t blocked_now_ns = 0;  // since when it is, 0: it is not
  std::uint64_t mailbox_bytes = 0;
};

/// Everything that the page shows, read at one moment as far as counters that go on allow it.
struct MetricsSnapshot {
  std::string version;
  double uptime_s = 0;
  bool is_ready = false;
  bool has_database = false;
  bool is_database_ready = false;
  net::Totals net;
  std::map<std::string, call::ResourceTotals> resources;
  std::uint64_t calls_under_way = 0;
  std::uint64_t calls_in_background = 0;
  std::uint64_t calls_unknown = 0;
  std::vector<plugin::FaultCounts> plugins;
  std::vector<LoopFigures> loops;
  std::uint64_t pool_waiting = 0;
  call::HashTotals hashes;
  std::uint64_t hashes_waiting = 0;
  std::uint64_t pending_connections = 0;
  std::uint64_t unsent_budget_used_bytes = 0;
  std::uint64_t unsent_budget_bytes = 0;
  std::uint64_t input_budget_used_bytes = 0;
  std::uint64_t input_budget_bytes = 0;
  store::CacheTotals cache;
  store::RateTotals rate_limits;
  std::uint64_t reloads = 0;
  std::uint64_t reloads_refused = 0;
  ProcessUsage process;
};

/// What is said of a metric: `labels` are parted by commas, empty for none.
struct MetricDeclaration {
  std::string name, type, labels, text;
  void (*write)(const MetricDeclaration& self, const MetricsSnapshot& snapshot, MetricsText& out);
  std::size_t row = 0;  // of the table of counters that it shows, if it shows one
};

/// All of them, in the order of the page.
const std::vector<MetricDeclaration>& allMetrics();

/// The page.
std::string metricsPage(const MetricsSnapshot& snapshot);

}  // namespace sub0::app
