// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sub0 {

/// Immutable bytes that many send queues share, on any thread: a broadcast is encoded once.
using SharedBytes = std::shared_ptr<const std::string>;

inline SharedBytes makeSharedBytes(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace sub0
