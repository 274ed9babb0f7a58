// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace sub0::app {

/// What the process takes of its machine, as the kernel counts it.
struct ProcessUsage {
  double cpu_s = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_descriptors = 0;
  std::uint64_t threads = 0;
  double start_time_s = 0;  // since 1970
};

/// THREAD: any; a handful of system calls. What cannot be read is 0; start_time_s is the caller's.
ProcessUsage readProcessUsage();

}  // namespace sub0::app
