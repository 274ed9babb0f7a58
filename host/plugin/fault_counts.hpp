// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "plugin/plugin.hpp"

namespace sub0::plugin {

/// How often one handler ran and what it did wrong: a copy of its counters, for metrics and
/// reports. Taken field by field while runs go on, so the fields need not fit together to
/// the last run. Made by Registry::faultCounts() on any thread.
struct FaultCounts {
  std::string_view plugin;   // its id
  std::string_view handler;  // its name; "callbacks": life, timers, watches, posts and hooks
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;
  std::uint64_t exceptions = 0;
  std::uint64_t broken_promises = 0;
  std::uint64_t double_ends = 0;
  std::uint64_t late_ends = 0;
  std::uint64_t stale_ends = 0;  // only of "callbacks": no run tells whose they were
  std::uint64_t never_ended = 0;
  std::uint64_t bad_results = 0;
  std::uint64_t over_budget = 0;
  std::uint64_t refused_busy = 0;
  std::uint64_t refused_unavailable = 0;
  std::uint64_t abandoned = 0;  // gauge
};

/// One column of the table of counts.
struct FaultColumn {
  std::string_view name;  // as a metric would call it: "exceptions"
  std::string_view text;  // one line of meaning
  bool is_gauge;
  std::uint64_t FaultCounts::*member;
};

/// All columns, in the order in which they are printed.
std::span<const FaultColumn> faultColumns();

/// A handler's counters now. THREAD: any.
FaultCounts readFaultCounts(const Handler& handler);

}  // namespace sub0::plugin
