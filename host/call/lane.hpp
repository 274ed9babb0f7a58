// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "call/cache_use.hpp"
#include "dialect/scope.hpp"
#include "sub0/plugin.h"

namespace sub0::call {

struct Held;

/// One action of a call whose actions run side by side (S-20): what a call that runs one after
/// another keeps once for the current one. All but the use of the cache lives in the call's arena.
struct Lane {
  enum class State : std::uint8_t { kNew, kRunning, kDone };
  State state = State::kNew;
  sub0_ticket ticket = 0;  // while it runs; 0: another call's result is waited for
  const json::Value* inputs = nullptr;
  std::int64_t begun_ns = 0;  // for the trace
  const dialect::NamedValue* extracted = nullptr;
  std::size_t extracted_count = 0;
  Held* held_first = nullptr;
  Held* held_last = nullptr;
  CacheWork* work_first = nullptr;
  CacheWork* work_last = nullptr;
  CacheUse use;
  store::CacheWait* wait = nullptr;
};

}  // namespace sub0::call
