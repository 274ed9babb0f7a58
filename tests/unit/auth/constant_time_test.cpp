// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/auth/instruction_count.hpp"
#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth {
namespace {

// Sanitizers count differently from call to call.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/// Of one comparison. Called once before, so that what happens once only is not counted.
std::int64_t instructionsOf(const Key& key, const std::string& signature) {
  return countInstructions([&] { key.accepts("message", signature); });
}

// The check below can fail: it sees by one instruction where a loop stops.
TEST(ConstantTime, InstructionsAreCounted) {
  const auto loop = [](int rounds) {
    return countInstructions([rounds] {
      int sum = 0;
      volatile int one = 1;
      for (int i = 0; i < rounds; ++i) sum += one;
      return sum;
    });
  };
  loop(10);  // what happens once only is not counted
  const std::int64_t ten = loop(10);
  EXPECT_GT(ten, 20);
  EXPECT_EQ(loop(10), ten);
  EXPECT_GT(loop(11), ten);
}

// how many bytes of a signature are right does not show in what is executed
TEST(ConstantTime, AWrongSignatureCostsTheSameWhereverItIsWrong) {
  const Key key = keyOf(Algorithm::kHs512);
  const std::string good = key.sign("message").value();
  std::string all_wrong = good;
  for (char& c : all_wrong) c = static_cast<char>(~c);
  instructionsOf(key, all_wrong);
  const std::int64_t expected = instructionsOf(key, all_wrong);
  for (const std::size_t index :
       {std::size_t{0}, std::size_t{1}, std::size_t{40}, good.size() - 1}) {
    std::string tried = good;
    tried[index] = static_cast<char>(~tried[index]);
    ASSERT_FALSE(key.accepts("message", tried));
    EXPECT_EQ(instructionsOf(key, tried), expected) << "byte " << index;
  }
}

#endif

}  // namespace
}  // namespace sub0::auth
