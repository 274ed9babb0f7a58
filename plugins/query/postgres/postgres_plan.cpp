// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_plan.hpp"

#include <algorithm>

namespace sub0::query {

std::vector<PostgresShare> planConnections(std::uint32_t loops, std::uint32_t exclusives_per_loop,
                                           std::uint32_t most) {
  const std::uint32_t left = most > 4 ? most - 1 : std::max(most, 1U);
  const std::uint32_t pairs = left >= 3 ? std::min(loops, (left - 1) / 2) : 0;
  const std::uint32_t shared = pairs > 0 ? 2 * pairs : 1;
  const std::uint32_t exclusives = std::min(left - shared, loops * exclusives_per_loop);
  std::vector<PostgresShare> shares(loops);
  for (std::uint32_t i = 0; i < loops; ++i) {
    shares[i].has_reader = i < pairs;
    shares[i].has_writer = i < std::max(pairs, 1U);
    shares[i].exclusives = exclusives / loops + (i < exclusives % loops ? 1 : 0);
    shares[i].exclusive_loop = exclusives >= loops || exclusives == 0 ? i : i % exclusives;
  }
  return shares;
}

std::uint32_t countConnections(const std::vector<PostgresShare>& shares) {
  std::uint32_t count = 0;
  for (const PostgresShare& share : shares) {
    count += (share.has_reader ? 1 : 0) + (share.has_writer ? 1 : 0) + share.exclusives;
  }
  return count;
}

}  // namespace sub0::query
