// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "json/value.hpp"

// Equal keys among the members of one object. Small objects are compared pair by pair, large ones
// sorted, so that a megabyte of hostile keys costs n log n and no hash can be flooded. Pure
// functions; used by the parser (last value wins) and the documents (duplicates are reported).
namespace sub0::json {

/// Two members with equal keys, by index; `first` is the earliest of them.
struct DuplicateKey {
  std::uint32_t first;
  std::uint32_t later;
};

/// All later members whose key was there before, in order of `later`.
std::vector<DuplicateKey> findDuplicateKeys(const Member* members, std::size_t count);

/// Merges equal keys in place: the last value at the first one's place. Returns the new count.
std::size_t keepLastOfEqualKeys(Member* members, std::size_t count);

}  // namespace sub0::json
