// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace sub0::simulation {

/// Blocks that were allocated in this process by operator new and not given back. Always 0 under
/// the address sanitizer, which has a leak check of its own.
std::int64_t liveAllocations();

}  // namespace sub0::simulation
