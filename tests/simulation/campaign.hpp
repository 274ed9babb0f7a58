// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/simulation/run.hpp"

namespace sub0::simulation {

/// What many runs came to.
struct Totals {
  std::uint64_t seeds = 0, failed = 0, twice = 0;
  std::uint64_t replies = 0, broadcasts = 0, connections = 0, drained = 0, reloads = 0, steps = 0;
  double simulated_s = 0;
  double elapsed_s = 0;
};

struct Failure {
  std::uint64_t seed = 0;
  std::string oracle, text;
};

/// Runs seeds one after the other in a process of its own, which may crash; then the next one goes
/// on behind the seed that it was at.
class Campaign {
 public:
  struct Options {
    std::uint64_t first_seed = 1;
    std::uint64_t seeds = 500;      // at most
    double minutes = 0;             // 0: no limit of time
    std::uint64_t twice_each = 20;  // every n-th seed runs twice: its traces must be the same
    std::uint64_t max_failures = 20;
    bool shows_progress = false;
  };
  explicit Campaign(Options options) : options_(options) {}

  Totals run();
  const std::vector<Failure>& failures() const { return failures_; }

 private:
  struct Shared;
  void work(Shared& shared, int report);
  void collect(const std::string& reports);
  void showProgress(const Shared& shared) const;

  const Options options_;
  Totals totals_;
  std::vector<Failure> failures_;
  double started_s_ = 0;
};

}  // namespace sub0::simulation
