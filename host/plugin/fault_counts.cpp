// SPDX-License-Identifier: Apache-2.0
#include "plugin/fault_counts.hpp"

namespace sub0::plugin {
namespace {

constexpr FaultColumn kColumns[] = {
    {"runs", "runs that reached the plugin", false, &FaultCounts::runs},
    {"failures", "runs that ended with an error code", false, &FaultCounts::failures},
    {"exceptions", "C++ exceptions that reached the host", false, &FaultCounts::exceptions},
    {"broken_promises", "runs that returned without the end that COMPLETES_IN_RUN promises", false,
     &FaultCounts::broken_promises},
    {"double_ends", "ends of runs that had ended", false, &FaultCounts::double_ends},
    {"late_ends", "ends of runs that the host had given up", false, &FaultCounts::late_ends},
    {"stale_ends", "ends with a ticket that is no run of the plugin", false,
     &FaultCounts::stale_ends},
    {"never_ended", "runs that the host gave up at their deadline", false,
     &FaultCounts::never_ended},
    {"bad_results", "results that were not well-formed or too large", false,
     &FaultCounts::bad_results},
    {"over_budget", "calls that held a loop for 100 ms or longer", false,
     &FaultCounts::over_budget},
    {"refused_busy", "runs refused because max_running, the pool or the tickets were used up",
     false, &FaultCounts::refused_busy},
    {"refused_unavailable", "runs refused because too many runs were never ended", false,
     &FaultCounts::refused_unavailable},
    {"abandoned", "runs that were given up and have not ended yet", true, &FaultCounts::abandoned},
};

std::uint64_t load(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

}  // namespace

std::span<const FaultColumn> faultColumns() { return kColumns; }

FaultCounts readFaultCounts(const Handler& handler) {
  const HandlerCounters& counters = handler.counters;
  const Plugin& plugin = *handler.plugin;
  FaultCounts counts;
  counts.plugin = plugin.id;
  counts.handler = handler.name;
  counts.runs = counters.runs();
  counts.failures = load(counters.failures);
  counts.exceptions = load(counters.exceptions);
  counts.broken_promises = load(counters.broken_promises);
  counts.double_ends = load(counters.double_ends);
  counts.late_ends = load(counters.late_ends);
  counts.stale_ends = &handler == &plugin.callbacks ? load(plugin.stale_ends) : 0;
  counts.never_ended = load(counters.never_ended);
  counts.bad_results = load(counters.bad_results);
  counts.over_budget = load(counters.over_budget);
  counts.refused_busy = load(counters.refused_busy);
  counts.refused_unavailable = load(counters.refused_unavailable);
  const std::int64_t abandoned = counters.abandoned.load(std::memory_order_relaxed);
  counts.abandoned = abandoned > 0 ? static_cast<std::uint64_t>(abandoned) : 0;
  return counts;
}

}  // namespace sub0::plugin
