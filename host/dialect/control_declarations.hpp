// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dialect/keys.hpp"

// The keys of what declarations.cpp hangs below resources and actions to hold calls back or to
// spare them: cacheable (S-93), rate_limit (S-94).
namespace sub0::dialect {

inline constexpr std::int64_t kMostSeconds = 100LL * 366 * 86400;

inline constexpr KeyDeclaration kOfCacheable[] = {
    {.name = "cache_key",
     .types = kText,
     .rule = "S-93",
     .text = "the name of the result in the cache, with accessors",
     .may_be_empty = false,
     .needs = "duration"},
    {.name = "duration",
     .types = kWhole,
     .rule = "S-93",
     .text = "seconds for which the result is kept",
     .least = 1,
     .most = kMostSeconds,
     .needs = "cache_key",
     .unless = "invalidate_cache_keys"},
    {.name = "read_from_cache",
     .types = kBool,
     .rule = "S-93",
     .text = "false: the result is only written to the cache; default true"},
    {.name = "invalidate_cache_keys",
     .types = kText | kArray,
     .item_types = kText,
     .rule = "S-93",
     .text = "names whose results are dropped, with accessors; one of an array names several",
     .may_be_empty = false},
};
extern const ObjectDeclaration kCacheable;
extern const ObjectDeclaration kRateLimit;

}  // namespace sub0::dialect
