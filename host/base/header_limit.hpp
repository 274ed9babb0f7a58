// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace sub0 {

/// What the value of a header may have: over it 431. Tokens are made so that they fit.
inline constexpr std::size_t kMaxHeaderValueBytes = 8192;

}  // namespace sub0
