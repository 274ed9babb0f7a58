// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#ifndef SUB0_VERSION
#define SUB0_VERSION "0.0.0"
#endif

namespace sub0::app {

/// Of this program, as --version says it.
inline constexpr std::string_view kVersion = SUB0_VERSION;

}  // namespace sub0::app
