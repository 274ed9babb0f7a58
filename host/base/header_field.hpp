// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace sub0 {

/// One HTTP header as received: borrowed, the value trimmed of surrounding spaces and tabs (RFC
/// 9110 section 5.5).
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

}  // namespace sub0
