// SPDX-License-Identifier: Apache-2.0
#include "base/arena.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace sub0 {
namespace {

TEST(Arena, TakesNoMemoryBeforeItIsUsed) { EXPECT_EQ(Arena(1024).capacity(), 0u); }

TEST(Arena, PiecesAreAlignedAndDoNotOverlap) {
  Arena arena(64);
  std::vector<std::pair<char*, std::size_t>> pieces;
  for (std::size_t size = 1; size < 400; ++size) {
    const std::size_t alignment = std::size_t{1} << (size % 5);
    auto* piece = static_cast<char*>(arena.allocate(size, alignment));
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(piece) % alignment, 0u);
    std::memset(piece, static_cast<int>(size % 251), size);
    pieces.emplace_back(piece, size);
  }
  for (const auto& [piece, size] : pieces) {
    ASSERT_EQ(std::string(piece, size), std::string(size, static_cast<char>(size % 251)));
  }
}

TEST(Arena, APieceLargerThanABlockIsGiven) {
  Arena arena(16);
  auto* piece = static_cast<char*>(arena.allocate(5u << 20));
  std::memset(piece, 1, 5u << 20);
  EXPECT_GE(arena.capacity(), 5u << 20);
}

TEST(Arena, ResetKeepsTheFirstBlockOnly) {
  Arena arena(128);
  void* first = arena.allocate(8);
  arena.allocate(10'000);
  const std::size_t grown = arena.capacity();
  arena.reset();
  EXPECT_LT(arena.capacity(), grown);
  const std::size_t kept = arena.capacity();
  EXPECT_EQ(arena.allocate(8), first);
  EXPECT_EQ(arena.capacity(), kept);
  arena.reset();
  Arena unused;
  unused.reset();
}

TEST(Arena, ResetKeepsNothingLarge) {
  Arena arena(128);
  arena.allocate(1u << 20);
  arena.reset();
  EXPECT_EQ(arena.capacity(), 128u);
  arena.allocate(8);
  EXPECT_EQ(arena.capacity(), 128u);
}

TEST(Arena, TextsAreCopied) {
  Arena arena;
  std::string source = "text";
  const std::string_view copied = arena.copy(source);
  source[0] = 'X';
  EXPECT_EQ(copied, "text");
  EXPECT_TRUE(arena.copy("").empty());
  EXPECT_NE(arena.array<int>(0), nullptr);
}

}  // namespace
}  // namespace sub0
