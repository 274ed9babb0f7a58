// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/shrink.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace sub0::simulation {
namespace {

constexpr std::size_t kMaxAttempts = 600;

class Shrinking {
 public:
  Shrinking(std::uint64_t seed, Omissions from, std::string oracle)
      : seed_(seed), best_(std::move(from)), oracle_(std::move(oracle)) {}

  Omissions go() {
    bool is_smaller = true;
    while (is_smaller && attempts < kMaxAttempts) {
      const bool is_simpler = shrinkWorld();
      const bool has_fewer_clients = drop(clientNumbers(), &Omissions::clients);
      const bool has_fewer_steps = drop(stepNumbers(), &Omissions::steps);
      is_smaller = is_simpler || has_fewer_clients || has_fewer_steps;
    }
    return best_;
  }

  std::size_t attempts = 0;

 private:
  bool tryOut(Omissions candidate) {
    if (++attempts > kMaxAttempts) return false;
    const Verdict verdict = runIsolated(makeScenario(seed_, candidate), false);
    if (verdict.oracle != oracle_) return false;
    best_ = std::move(candidate);
    return true;
  }

  bool shrinkWorld() {
    bool is_smaller = false;
    const Scenario scenario = makeScenario(seed_, best_);
    for (std::uint32_t bit = 0; bit < kFaultClasses; ++bit) {
      if ((scenario.faults >> bit & 1) == 0) continue;
      Omissions candidate = best_;
      candidate.faults |= 1U << bit;
      is_smaller = tryOut(std::move(candidate)) || is_smaller;
    }
    const auto without = [&](bool is_there, bool Omissions::*flag) {
      if (!is_there) return;
      Omissions candidate = best_;
      candidate.*flag = true;
      is_smaller = tryOut(std::move(candidate)) || is_smaller;
    };
    without(scenario.drain_ms >= 0, &Omissions::drain);
    without(!scenario.reloads_ms.empty(), &Omissions::reload);
    without(scenario.loops > 1, &Omissions::is_single_loop);
    return is_smaller;
  }

  std::vector<std::uint64_t> clientNumbers() const {
    std::vector<std::uint64_t> numbers;
    for (const ClientPlan& client : makeScenario(seed_, best_).clients) {
      numbers.push_back(client.number);
    }
    return numbers;
  }
  std::vector<std::uint64_t> stepNumbers() const {
    std::vector<std::uint64_t> numbers;
    for (const ClientPlan& client : makeScenario(seed_, best_).clients) {
      for (const Step& step : client.steps) numbers.push_back(step.number);
    }
    return numbers;
  }

  /// Halves first, then quarters, down to one at a time (A. Zeller's ddmin, without complements).
  bool drop(std::vector<std::uint64_t> numbers, std::set<std::uint64_t> Omissions::*list) {
    bool is_smaller = false;
    for (std::size_t size = std::max<std::size_t>(numbers.size() / 2, 1); size > 0; size /= 2) {
      for (std::size_t at = 0; at < numbers.size();) {
        const std::size_t end = std::min(at + size, numbers.size());
        Omissions candidate = best_;
        for (std::size_t i = at; i < end; ++i) (candidate.*list).insert(numbers[i]);
        if (tryOut(std::move(candidate))) {
          numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                        numbers.begin() + static_cast<std::ptrdiff_t>(end));
          is_smaller = true;
        } else {
          at = end;
        }
      }
    }
    return is_smaller;
  }

  const std::uint64_t seed_;
  Omissions best_;
  const std::string oracle_;
};

}  // namespace

Scenario makeScenario(std::uint64_t seed, const Omissions& omissions) {
  Scenario scenario = makeScenario(seed);
  omissions.apply(scenario);
  return scenario;
}

Omissions shrink(std::uint64_t seed, const Omissions& from, const Verdict& failure,
                 std::size_t& attempts) {
  Shrinking shrinking(seed, from, failure.oracle);
  Omissions smallest = shrinking.go();
  attempts = shrinking.attempts;
  return smallest;
}

}  // namespace sub0::simulation
