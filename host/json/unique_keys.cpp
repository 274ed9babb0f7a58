// SPDX-License-Identifier: Apache-2.0
#include "json/unique_keys.hpp"

#include <algorithm>
#include <numeric>

namespace sub0::json {
namespace {

constexpr std::size_t kPairwiseLimit = 16;

std::vector<DuplicateKey> comparePairs(const Member* members, std::size_t count) {
  std::vector<DuplicateKey> found;
  for (std::uint32_t later = 1; later < count; ++later) {
    const auto key = toText(members[later].key);
    for (std::uint32_t first = 0; first < later; ++first) {
      if (toText(members[first].key) != key) continue;
      found.push_back({first, later});
      break;
    }
  }
  return found;
}

std::vector<DuplicateKey> compareSorted(const Member* members, std::size_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int compared = toText(members[a].key).compare(toText(members[b].key));
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<DuplicateKey> found;
  std::uint32_t first = order[0];
  for (std::size_t position = 1; position < count; ++position) {
    const std::uint32_t current = order[position];
    if (toText(members[current].key) == toText(members[first].key)) {
      found.push_back({first, current});
    } else {
      first = current;
    }
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.later < b.later; });
  return found;
}

}  // namespace

std::vector<DuplicateKey> findDuplicateKeys(const Member* members, std::size_t count) {
  return count <= kPairwiseLimit ? comparePairs(members, count) : compareSorted(members, count);
}

std::size_t keepLastOfEqualKeys(Member* members, std::size_t count) {
  const auto duplicates = findDuplicateKeys(members, count);
  if (duplicates.empty()) return count;
  std::size_t kept = duplicates.front().later;
  std::size_t next_duplicate = 0;
  for (const auto& duplicate : duplicates) {
    members[duplicate.first].value = members[duplicate.later].value;
  }
  for (std::size_t index = kept; index < count; ++index) {
    if (next_duplicate < duplicates.size() && duplicates[next_duplicate].later == index) {
      ++next_duplicate;
    } else {
      members[kept++] = members[index];
    }
  }
  return kept;
}

}  // namespace sub0::json
