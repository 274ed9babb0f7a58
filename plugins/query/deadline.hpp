// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace sub0::query {

inline constexpr std::uint64_t kNanosecondsPerMs = 1'000'000;

// Runs on a loop are ended this much before their deadline, so that the host need not do it.
inline constexpr std::uint64_t kMarginNs = 10 * kNanosecondsPerMs;

// How long before its deadline a statement on a thread of its own is ended, so that the host need
// not do it and call that a fault of the plugin: threads come late where the machine is busy, and a
// cancellation needs a connection of its own. An eighth of what is left, 10 to 200 ms, but never
// more than half. THREAD: any.
inline std::uint64_t marginNs(std::uint64_t left_ns) {
  constexpr std::uint64_t kLeastNs = 10'000'000;
  constexpr std::uint64_t kMostNs = 200'000'000;
  return std::min(left_ns / 2, std::clamp(left_ns / 8, kLeastNs, kMostNs));
}

}  // namespace sub0::query
