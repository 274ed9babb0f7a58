// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_plan.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0::query {
namespace {

// "rw2" for each loop: reader, writer, exclusive ones; ">n": uses those of loop n.
std::string planOf(std::uint32_t loops, std::uint32_t exclusives, std::uint32_t most) {
  std::string text;
  const std::vector<PostgresShare> shares = planConnections(loops, exclusives, most);
  for (std::uint32_t i = 0; i < loops; ++i) {
    const PostgresShare& share = shares[i];
    text += text.empty() ? "" : " ";
    text += share.has_reader ? "r" : "-";
    text += share.has_writer ? "w" : "-";
    text += std::to_string(share.exclusives);
    text += share.exclusive_loop == i ? "" : ">" + std::to_string(share.exclusive_loop);
  }
  EXPECT_LE(countConnections(shares), most) << text;
  return text;
}

TEST(PostgresPlan, SharesOutWhatThereIs) {
  EXPECT_EQ(planOf(2, 4, 1000000), "rw4 rw4");
  EXPECT_EQ(planOf(2, 4, 13), "rw4 rw4");  // one is left to the host's own SQL
  EXPECT_EQ(planOf(2, 4, 12), "rw4 rw3");
  EXPECT_EQ(planOf(2, 4, 7), "rw1 rw1");
  EXPECT_EQ(planOf(2, 4, 6), "rw1 rw0>0");
  EXPECT_EQ(planOf(2, 4, 5), "rw1 --1");
  EXPECT_EQ(planOf(4, 4, 7), "rw1 rw1 --0>0 --0>1");
  EXPECT_EQ(planOf(3, 4, 4), "rw1 --1 --0>0");
  EXPECT_EQ(planOf(3, 4, 3), "rw1 --0>0 --0>0");
  EXPECT_EQ(planOf(3, 4, 2), "-w1 --0>0 --0>0");
  EXPECT_EQ(planOf(2, 4, 1), "-w0 --0");
  EXPECT_EQ(planOf(1, 0, 3), "rw0");
}

}  // namespace
}  // namespace sub0::query
