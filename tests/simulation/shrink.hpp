// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/simulation/run.hpp"
#include "tests/simulation/scenario.hpp"

namespace sub0::simulation {

/// The scenario of `seed` with less and less in it, as long as the same oracle still fails: classes
/// of faults, loops, drain, reloads, clients, steps. `attempts` counts the runs it took.
Omissions shrink(std::uint64_t seed, const Omissions& from, const Verdict& failure,
                 std::size_t& attempts);

Scenario makeScenario(std::uint64_t seed, const Omissions& omissions);

}  // namespace sub0::simulation
