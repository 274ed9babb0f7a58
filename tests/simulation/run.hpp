// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/scenario.hpp"

namespace sub0::simulation {

/// What came of a run.
struct Verdict {
  std::string oracle;  // that failed; empty: all is well
  std::string text;
  std::uint64_t hash = 0;  // of the trace
  std::uint64_t steps = 0;
  std::int64_t simulated_ns = 0;
  std::vector<std::string> lines;  // of the trace, where wanted
  // What the runs were made of, so that nobody takes silence for success.
  std::uint64_t replies = 0, broadcasts = 0, connections = 0, drained = 0, reloads = 0;
  bool hasFailed() const { return !oracle.empty(); }
};

/// Runs a scenario to its end and judges it, in this process. `keeps_lines`: with a trace to read.
Verdict runScenario(const Scenario& scenario, bool keeps_lines);

/// The same in a process of its own, so that a crash is a verdict too.
Verdict runIsolated(const Scenario& scenario, bool keeps_lines);

}  // namespace sub0::simulation
