// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "call/plan.hpp"
#include "json/value.hpp"
#include "store/cache.hpp"

namespace sub0::call {

/// A result that a call works out and the cache is to have (S-93): its key, and what promises to
/// others that it comes. The key lives in the call's arena.
struct CacheUse {
  const CachePlan* plan = nullptr;  // null: none
  std::string_view key;
  std::unique_ptr<store::CacheFlight> flight;  // null: nobody waits for it
  std::uint64_t mark = 0;                      // where there is no flight
};

/// What waits for the end of the call: names to be dropped, results of a transaction to be kept.
struct CacheWork {
  std::string_view key;  // in the arena
  char* kind = nullptr;  // its first character, where both results of the name are dropped
  const json::Value* result = nullptr;  // null: the name is dropped
  std::int64_t duration_ns = 0;
  std::uint64_t mark = 0;
  CacheWork* next = nullptr;
};

}  // namespace sub0::call
