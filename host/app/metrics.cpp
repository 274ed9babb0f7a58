// SPDX-License-Identifier: Apache-2.0
#include "app/metrics.hpp"

#include <algorithm>
#include <utility>

namespace sub0::app {
namespace {

using Self = const MetricDeclaration&;
using Snapshot = const MetricsSnapshot&;

double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }
std::uint64_t flag(bool value) { return value ? 1 : 0; }

/// A metric without labels.
template <auto Member>
void one(Self, Snapshot snapshot, MetricsText& out) {
  if constexpr (std::is_same_v<decltype(Member), bool MetricsSnapshot::*>) {
    out.sample({}, flag(snapshot.*Member));
  } else {
    out.sample({}, snapshot.*Member);
  }
}
template <auto Member>
void ofNet(Self, Snapshot snapshot, MetricsText& out) {
  out.sample({}, snapshot.net.*Member);
}
template <auto Member>
void ofTraffic(Self, Snapshot snapshot, MetricsText& out) {
  out.sample({}, snapshot.net.traffic.*Member);
}
template <auto Member>
void ofProcess(Self, Snapshot snapshot, MetricsText& out) {
  out.sample({}, snapshot.process.*Member);
}

template <auto Member>
void ofLoops(Self self, Snapshot snapshot, MetricsText& out) {
  for (std::size_t i = 0; i < snapshot.loops.size(); ++i) {
    const std::uint64_t value = snapshot.loops[i].*Member;
    const std::string loop = std::to_string(i);
    if (self.name.find("seconds") != std::string::npos) {
      out.sample({{"loop", loop}}, seconds(value));
    } else {
      out.sample({{"loop", loop}}, value);
    }
  }
}

void buildInfo(Self, Snapshot snapshot, MetricsText& out) {
  out.sample({{"version", snapshot.version}}, std::uint64_t{1});
}

void databaseReady(Self, Snapshot snapshot, MetricsText& out) {
  if (snapshot.has_database) out.sample({}, flag(snapshot.is_database_ready));
}

void connections(Self, Snapshot snapshot, MetricsText& out) {
  // Read one after the other while they go on: never below none.
  const std::uint64_t sockets = std::min(snapshot.net.open_sockets, snapshot.net.open_connections);
  out.sample({{"kind", "http"}}, snapshot.net.open_connections - sockets);
  out.sample({{"kind", "websocket"}}, sockets);
}

void closed(Self, Snapshot snapshot, MetricsText& out) {
  for (std::size_t i = 0; i < net::kCloseReasons; ++i) {
    const auto reason = static_cast<net::CloseReason>(i);
    out.sample({{"reason", net::closeReasonName(reason)}}, snapshot.net.closed[i]);
  }
}

void refused(Self, Snapshot snapshot, MetricsText& out) {
  for (std::size_t i = 0; i < net::kRefusals; ++i) {
    const auto refusal = static_cast<net::Refusal>(i);
    out.sample({{"reason", net::refusalName(refusal)}}, snapshot.net.refused[i]);
  }
}

void responses(Self, Snapshot snapshot, MetricsText& out) {
  for (std::size_t i = 0; i < net::kStatusClasses; ++i) {
    out.sample({{"class", std::to_string(i + 1) + "xx"}}, snapshot.net.traffic.responses[i]);
  }
}

void calls(Self, Snapshot snapshot, MetricsText& out) {
  for (const auto& [resource, totals] : snapshot.resources) {
    for (std::size_t i = 0; i < call::kCodes; ++i) {
      if (i != 0 && totals.ended[i] == 0) continue;
      out.sample({{"resource", resource}, {"code", codeInfo(static_cast<Code>(i)).name}},
                 totals.ended[i]);
    }
  }
}

const std::vector<std::string>& durationBounds() {
  static const auto kBounds = [] {
    std::vector<std::string> bounds;
    for (const std::int64_t ms : call::kDurationBoundsMs) {
      bounds.push_back(shortest(static_cast<double>(ms) / 1e3));
    }
    bounds.emplace_back("+Inf");
    return bounds;
  }();
  return kBounds;
}

void hashes(Self, Snapshot snapshot, MetricsText& out) {
  std::uint64_t done = 0;
  for (const std::uint64_t each : snapshot.hashes.durations) done += each;
  out.sample({{"result", "done"}}, done);
  out.sample({{"result", "refused"}}, snapshot.hashes.refused);
  out.sample({{"result", "abandoned"}}, snapshot.hashes.abandoned);
}

void hashDurations(Self, Snapshot snapshot, MetricsText& out) {
  std::uint64_t up_to = 0;
  for (std::size_t i = 0; i < durationBounds().size(); ++i) {
    up_to += snapshot.hashes.durations[i];
    out.sample("_bucket", {{"le", durationBounds()[i]}}, up_to);
  }
  out.sample("_sum", {}, seconds(snapshot.hashes.duration_ns));
  out.sample("_count", {}, up_to);
}

void callDurations(Self, Snapshot snapshot, MetricsText& out) {
  for (const auto& [resource, totals] : snapshot.resources) {
    std::uint64_t count = 0;
    for (const std::uint64_t each : totals.durations) count += each;
    if (count == 0) continue;
    std::uint64_t up_to = 0;
    for (std::size_t i = 0; i < durationBounds().size(); ++i) {
      up_to += totals.durations[i];
      out.sample("_bucket", {{"resource", resource}, {"le", durationBounds()[i]}}, up_to);
    }
    out.sample("_sum", {{"resource", resource}}, seconds(totals.duration_ns));
    out.sample("_count", {{"resource", resource}}, count);
  }
}

void cacheLooks(Self, Snapshot snapshot, MetricsText& out) {
  // Those that waited missed too.
  const std::uint64_t shared = std::min(snapshot.cache.shared, snapshot.cache.misses);
  out.sample({{"result", "hit"}}, snapshot.cache.hits);
  out.sample({{"result", "miss"}}, snapshot.cache.misses - shared);
  out.sample({{"result", "waited"}}, shared);
}
template <auto Member>
void ofCache(Self, Snapshot snapshot, MetricsText& out) {
  out.sample({}, snapshot.cache.*Member);
}
template <auto Member>
void ofRateLimits(Self, Snapshot snapshot, MetricsText& out) {
  out.sample({}, snapshot.rate_limits.*Member);
}

void reloads(Self, Snapshot snapshot, MetricsText& out) {
  out.sample({{"result", "ok"}}, snapshot.reloads);
  out.sample({{"result", "refused"}}, snapshot.reloads_refused);
}

void pluginColumn(Self self, Snapshot snapshot, MetricsText& out) {
  const plugin::FaultColumn& column = plugin::faultColumns()[self.row];
  for (const plugin::FaultCounts& counts : snapshot.plugins) {
    out.sample({{"plugin", counts.plugin}, {"handler", counts.handler}}, counts.*column.member);
  }
}

using Net = net::Totals;
using Traffic = net::TrafficTotals;
using Metrics = std::vector<MetricDeclaration>;

void addProcess(Metrics& metrics) {
  using Usage = ProcessUsage;
  metrics.insert(metrics.end(),
                 {
                     {"process_cpu_seconds_total", "counter", "",
                      "CPU time in user and kernel mode.", ofProcess<&Usage::cpu_s>},
                     {"process_open_fds", "gauge", "", "Open descriptors.",
                      ofProcess<&Usage::open_descriptors>},
                     {"process_max_fds", "gauge", "", "How many descriptors may be open.",
                      ofProcess<&Usage::max_descriptors>},
                     {"process_resident_memory_bytes", "gauge", "", "Memory in use.",
                      ofProcess<&Usage::resident_bytes>},
                     {"process_virtual_memory_bytes", "gauge", "", "Addresses in use.",
                      ofProcess<&Usage::virtual_bytes>},
                     {"process_threads", "gauge", "", "Threads.", ofProcess<&Usage::threads>},
                     {"process_start_time_seconds", "gauge", "",
                      "When the process started, since 1970.", ofProcess<&Usage::start_time_s>},
                 });
}

void addPlugins(Metrics& metrics) {
  const auto columns = plugin::faultColumns();
  for (std::size_t row = 0; row < columns.size(); ++row) {
    const plugin::FaultColumn& column = columns[row];
    const std::string name = "sub0_plugin_" + std::string(column.name);
    metrics.push_back({column.is_gauge ? name : name + "_total",
                       column.is_gauge ? "gauge" : "counter", "plugin, handler",
                       std::string(column.text), pluginColumn, row});
  }
}

void addCalls(Metrics& metrics) {
  using All = MetricsSnapshot;
  const MetricDeclaration rows[] = {
      {"sub0_calls_total", "counter", "resource, code",
       "Calls answered. Codes other than ok appear with their first call.", calls},
      {"sub0_call_duration_seconds", "histogram", "resource, le",
       "Time from a call's message to its reply, by the clock of loop turns: 0 within one turn. "
       "Appears with the first call.",
       callDurations},
      {"sub0_calls_under_way", "gauge", "",
       "Calls that have not ended, those that a plugin still holds after their deadline included.",
       one<&All::calls_under_way>},
      {"sub0_calls_in_background", "gauge", "",
       "Calls that were answered and are at work yet (run_in_background).",
       one<&All::calls_in_background>},
      {"sub0_calls_unknown_total", "counter", "", "Calls of a resource that does not exist.",
       one<&All::calls_unknown>},
      {"sub0_broadcasts_total", "counter", "", "Broadcasts sent, whoever received them.",
       ofTraffic<&Traffic::broadcasts>},
      {"sub0_broadcast_deliveries_total", "counter", "", "Broadcasts written to a connection.",
       ofNet<&Net::broadcast_deliveries>},
      {"sub0_broadcast_overflows_total", "counter", "",
       "Broadcasts that found another loop's mailbox full; its receivers were closed by 1013.",
       ofNet<&Net::broadcast_overflows>},
      {"sub0_unsent_budget_used_bytes", "gauge", "",
       "Unsent bytes of single messages over SUB0_UNSENT_LIMIT_BYTES.",
       one<&All::unsent_budget_used_bytes>},
      {"sub0_unsent_budget_bytes", "gauge", "", "How many there may be: SUB0_UNSENT_BUDGET_BYTES.",
       one<&All::unsent_budget_bytes>},
      {"sub0_input_budget_used_bytes", "gauge", "",
       "Bytes of unfinished or waiting messages, bodies and payloads of calls under way, beyond 16 "
       "KiB of each.",
       one<&All::input_budget_used_bytes>},
      {"sub0_input_budget_bytes", "gauge", "", "How many there may be: SUB0_INPUT_BUDGET_BYTES.",
       one<&All::input_budget_bytes>},
      {"sub0_mailbox_bytes", "gauge", "loop", "Broadcasts of other loops that wait for this one.",
       ofLoops<&LoopFigures::mailbox_bytes>},
      {"sub0_loop_turns_total", "counter", "loop", "Turns begun.", ofLoops<&LoopFigures::turns>},
      {"sub0_loop_blocked_seconds_total", "counter", "loop",
       "Time in turns that lasted longer than 100 ms.", ofLoops<&LoopFigures::blocked_ns>},
      {"sub0_loop_blocked_now_seconds", "gauge", "loop",
       "How long the turn of now has lasted, once over 100 ms.",
       ofLoops<&LoopFigures::blocked_now_ns>},
      {"sub0_pool_waiting", "gauge", "", "Pieces of blocking work that no pool thread has begun.",
       one<&All::pool_waiting>},
      {"sub0_hashes_total", "counter", "result",
       "Calls' passwords hashed or compared: done, refused (too many waited), abandoned (the call "
       "had ended).",
       hashes},
      {"sub0_hashes_waiting", "gauge", "", "Such that no thread has begun.",
       one<&All::hashes_waiting>},
      {"sub0_hash_duration_seconds", "histogram", "le",
       "Time until a hash or comparison was back, waiting included.", hashDurations},
      {"sub0_reloads_total", "counter", "result", "Reloads (SIGHUP), ok or refused.", reloads},
  };
  metrics.insert(metrics.end(), std::begin(rows), std::end(rows));
}

void addStores(Metrics& metrics) {
  using Cache = store::CacheTotals;
  using Rates = store::RateTotals;
  const MetricDeclaration rows[] = {
      {"sub0_cache_looks_total", "counter", "result",
       "Looks into the cache (cacheable): hit; miss, so that the result was worked out; waited for "
       "another call that was working it out.",
       cacheLooks},
      {"sub0_cache_evicted_total", "counter", "",
       "Results dropped before their time for want of room: SUB0_CACHE_LIMIT.",
       ofCache<&Cache::evicted>},
      {"sub0_cache_refused_total", "counter", "", "Results that were too large to be kept.",
       ofCache<&Cache::refused>},
      {"sub0_cache_entries", "gauge", "", "Results in the cache.", ofCache<&Cache::entries>},
      {"sub0_cache_bytes", "gauge", "", "What they take.", ofCache<&Cache::size_bytes>},
      {"sub0_rate_limited_total", "counter", "", "Calls refused by a rate_limit.",
       ofRateLimits<&Rates::refused>},
      {"sub0_rate_limit_windows", "gauge", "",
       "Identifiers that are counted (rate_limit), those whose window has just ended included.",
       ofRateLimits<&Rates::windows>},
      {"sub0_rate_limit_overflows_total", "counter", "",
       "Calls that shared a window with others, since SUB0_RATE_LIMIT_IDENTIFIERS were counted.",
       ofRateLimits<&Rates::overflow>},
  };
  metrics.insert(metrics.end(), std::begin(rows), std::end(rows));
}

Metrics makeMetrics() {
  using All = MetricsSnapshot;
  Metrics metrics{
      {"sub0_build_info", "gauge", "version", "Always 1.", buildInfo},
      {"sub0_uptime_seconds", "gauge", "", "Time since the start.", one<&All::uptime_s>},
      {"sub0_ready", "gauge", "", "1: /readyz says 200.", one<&All::is_ready>},
      {"sub0_database_ready", "gauge", "",
       "1: the database answers. No sample where no plugin keeps one.", databaseReady},
      {"sub0_connections", "gauge", "kind", "Open connections: http or websocket.", connections},
      {"sub0_connections_accepted_total", "counter", "", "Connections accepted.",
       ofNet<&Net::accepted>},
      {"sub0_connections_closed_total", "counter", "reason", "Connections that ended, by why.",
       closed},
      {"sub0_connections_pending", "gauge", "",
       "Connections that have not sent a whole request yet.", one<&All::pending_connections>},
      {"sub0_refusals_total", "counter", "reason",
       "Connections, requests and messages refused for the sake of others, by why.", refused},
      {"sub0_delayed_replies_total", "counter", "", "Replies 401 that were held back.",
       ofNet<&Net::delayed_replies>},
      {"sub0_accept_failures_total", "counter", "",
       "Times that no descriptor or memory was left for a new connection.",
       ofNet<&Net::accept_failures>},
      {"sub0_http_requests_total", "counter", "", "HTTP requests with a whole head.",
       ofNet<&Net::http_requests>},
      {"sub0_http_responses_total", "counter", "class",
       "HTTP responses by class of their status; 1xx are upgrades to WebSocket.", responses},
      {"sub0_received_bytes_total", "counter", "", "Bytes read from clients.",
       ofTraffic<&Traffic::received_bytes>},
      {"sub0_sent_bytes_total", "counter", "", "Bytes that the kernel took for clients.",
       ofTraffic<&Traffic::sent_bytes>},
      {"sub0_unsent_bytes", "gauge", "", "What waits for clients that read too slowly.",
       ofTraffic<&Traffic::unsent_bytes>},
      {"sub0_messages_received_total", "counter", "", "WebSocket messages received.",
       ofNet<&Net::messages>},
      {"sub0_replies_sent_total", "counter", "", "HTTP responses and WebSocket replies written.",
       ofNet<&Net::replies>},
  };
  addCalls(metrics);
  addStores(metrics);
  addPlugins(metrics);
  addProcess(metrics);
  return metrics;
}

}  // namespace

const std::vector<MetricDeclaration>& allMetrics() {
  static const Metrics kMetrics = makeMetrics();
  return kMetrics;
}

std::string metricsPage(const MetricsSnapshot& snapshot) {
  MetricsText out;
  for (const MetricDeclaration& metric : allMetrics()) {
    out.begin(metric.name, metric.type, metric.text);
    metric.write(metric, snapshot, out);
  }
  return out.take();
}

}  // namespace sub0::app
