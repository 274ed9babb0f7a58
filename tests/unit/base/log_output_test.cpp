// SPDX-License-Identifier: Apache-2.0
#include "base/log_output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace sub0::log {
namespace {

class LogOutput : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::fcntl(ends_[1], F_SETPIPE_SZ, 8192), 8192);
    ASSERT_EQ(::fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);
  }
  void TearDown() override {
    for (const int end : ends_) ::close(end);
  }
  std::string readAll() {
    std::string all;
    std::array<char, 4096> piece{};
    for (ssize_t size = 0; (size = ::read(ends_[0], piece.data(), piece.size())) > 0;) {
      all.append(piece.data(), static_cast<std::size_t>(size));
    }
    return all;
  }

  std::array<int, 2> ends_{};
};

// Without it the test would not end: nobody reads.
TEST_F(LogOutput, LeavesOutWhatNobodyReadsAndSaysHowMuch) {
  Output output(ends_[1]);
  const std::string line = std::string(999, 'a') + "\n";
  for (int i = 0; i < 20; ++i) output.write(line);
  EXPECT_EQ(output.takeLost(), 0U);  // there is no room to say it
  const std::string taken = readAll();
  ASSERT_EQ(taken.size() % line.size(), 0U);
  EXPECT_LT(taken.size(), 20 * line.size());
  EXPECT_EQ(output.takeLost(), 20 - taken.size() / line.size());
  EXPECT_EQ(output.takeLost(), 0U);
  output.write("b\n");
  EXPECT_EQ(readAll(), "b\n");
}

TEST_F(LogOutput, EndsALineThatWasCut) {
  Output output(ends_[1]);
  output.write(std::string(20000, 'a') + "\n");
  EXPECT_EQ(readAll(), std::string(8192, 'a'));
  output.write("b\n");
  EXPECT_EQ(readAll(), "\nb\n");
}

TEST_F(LogOutput, WritesALongLineWhole) {
  ASSERT_GE(::fcntl(ends_[1], F_SETPIPE_SZ, 65536), 65536);
  Output output(ends_[1]);
  const std::string line = std::string(50000, 'a') + "\n";
  output.write(line);
  EXPECT_EQ(readAll(), line);
  EXPECT_EQ(output.takeLost(), 0U);
}

}  // namespace
}  // namespace sub0::log
