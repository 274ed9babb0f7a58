// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/loop.hpp"

namespace sub0::net {

/// Readable behind every text that is handed on, as behind the loop's read buffer.
inline constexpr std::size_t kSpareBytes = loop::Loop::kSpareBytes;

}  // namespace sub0::net
