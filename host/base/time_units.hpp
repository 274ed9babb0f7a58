// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Times are nanoseconds of the monotonic clock, unless their names say otherwise.
namespace sub0 {

inline constexpr std::int64_t kNsPerUs = 1'000;
inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;

}  // namespace sub0
