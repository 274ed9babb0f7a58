// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace sub0::query {

// Which connections one loop has.
struct PostgresShare {
  bool has_reader = true;
  bool has_writer = true;
  std::uint32_t exclusives = 0;      // at most
  std::uint32_t exclusive_loop = 0;  // whose are used where it has none
};

// Shares `most` connections out among the loops: a reader and a writer for each and its exclusive
// ones, or where that is too much, pairs for as many loops as there can be, and always an exclusive
// one before a second pair; of two, a writer that reads as well and an exclusive one. One more is
// left to the host's own SQL where there are enough. Pure, any thread.
std::vector<PostgresShare> planConnections(std::uint32_t loops, std::uint32_t exclusives_per_loop,
                                           std::uint32_t most);

// How many connections that is at most.
std::uint32_t countConnections(const std::vector<PostgresShare>& shares);

}  // namespace sub0::query
