// SPDX-License-Identifier: Apache-2.0
#include "result_tree.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace sub0::query {
namespace {

constexpr std::size_t kNoLimit = std::size_t{1} << 40U;

std::string textOf(const sub0_value& value) { return std::string(value.as.text, value.count); }

// spec S-31: none is null, one an object, several an array
TEST(ResultTree, HasTheShapeOfItsRows) {
  for (std::size_t rows : {0U, 1U, 2U, 5U, 1000U}) {
    ResultTree tree(kNoLimit);
    tree.setColumns(std::vector<std::string>{"a", "b"});
    for (std::size_t row = 0; row < rows; ++row) {
      tree.beginRow();
      tree.column(1) = tree.text(SUB0_TEXT, std::string(row % 300, 'x') + std::to_string(row));
    }
    const sub0_value& root = tree.finish();
    EXPECT_EQ(root.type, rows == 0 ? SUB0_NULL : rows == 1 ? SUB0_OBJECT : SUB0_ARRAY);
    if (rows < 2) {
      continue;
    }
    ASSERT_EQ(root.count, rows);
    for (std::size_t row = 0; row < rows; ++row) {
      const sub0_value& object = root.as.items[row];
      ASSERT_EQ(object.count, 2U);
      EXPECT_EQ(object.as.members[0].value.type, SUB0_NULL);
      EXPECT_EQ(textOf(object.as.members[1].value),
                std::string(row % 300, 'x') + std::to_string(row));
    }
  }
}

TEST(ResultTree, OfTwoColumnsOfOneNameTheLastWins) {
  ResultTree tree(kNoLimit);
  tree.setColumns(std::vector<std::string>{"a", "b", "a"});
  tree.beginRow();
  for (std::size_t i = 0; i < 3; ++i) {
    tree.column(i) = tree.text(SUB0_TEXT, std::to_string(i));
  }
  const sub0_value& root = tree.finish();
  ASSERT_EQ(root.count, 2U);
  EXPECT_EQ(textOf(root.as.members[0].value), "2");
  EXPECT_EQ(textOf(root.as.members[1].value), "1");
}

// what passes the limit is dropped, and stays dropped
TEST(ResultTree, IsOverFromItsLimitOn) {
  ResultTree tree(1000);
  tree.setColumns(std::vector<std::string>{"a"});
  for (int row = 0; row < 1000; ++row) {
    tree.beginRow();
    tree.column(0) = tree.text(SUB0_TEXT, "0123456789");
  }
  EXPECT_TRUE(tree.isOver());
  EXPECT_LT(tree.rowCount(), 30U);
}

// All trees share a budget beyond their first 16 KiB; what is freed is given back.
TEST(ResultTree, IsOverWhereTheOthersTakeTheBudget) {
  const auto fill = [](ResultTree& tree, std::size_t bytes) {
    tree.setColumns(std::vector<std::string>{"a"});
    for (std::size_t i = 0; i < bytes / 1000 && !tree.isOver(); ++i) {
      tree.beginRow();
      tree.column(0) = tree.text(SUB0_TEXT, std::string(1000, 'x'));
    }
  };
  ResultTree::setBudget(1'000'000, 1'000'000);
  {
    ResultTree first(1'000'000);
    fill(first, 900'000);
    EXPECT_FALSE(first.isOver()) << "one alone may always reach its limit";
    EXPECT_GE(ResultTree::budgetUsedBytes(), 900'000U);
    ResultTree second(1'000'000);
    fill(second, 500'000);
    EXPECT_TRUE(second.isOver());
    EXPECT_TRUE(second.isOverBudget());
    ResultTree small(1'000'000);
    fill(small, 10'000);
    EXPECT_FALSE(small.isOver());
    ResultTree large(10'000);
    fill(large, 50'000);
    EXPECT_TRUE(large.isOver());
    EXPECT_FALSE(large.isOverBudget()) << "its own limit";
  }
  EXPECT_EQ(ResultTree::budgetUsedBytes(), 0U);
  ResultTree::setBudget(kNoLimit, 0);
}

// A tree that is made where one was freed on the same thread has its memory, but none of its rows.
TEST(ResultTree, ItsMemoryIsUsedAgain) {
  auto first = std::make_unique<ResultTree>(kNoLimit);
  first->setColumns(std::vector<std::string>{"a"});
  first->beginRow();
  const void* const memory = first.get();
  first.reset();
  const auto second = std::make_unique<ResultTree>(kNoLimit);
  EXPECT_EQ(second.get(), memory);
  EXPECT_FALSE(second->hasColumns());
  EXPECT_EQ(second->finish().type, SUB0_NULL);
}

// However many are freed at once, what is kept of them stays bounded.
TEST(ResultTree, ManyAtOnceAreMadeAndFreed) {
  std::vector<std::unique_ptr<ResultTree>> trees;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 200; ++i) {
      trees.push_back(std::make_unique<ResultTree>(kNoLimit));
      trees.back()->setColumns(std::vector<std::string>(40, std::string(100, 'c')));
      trees.back()->beginRow();
    }
    trees.clear();
  }
}

}  // namespace
}  // namespace sub0::query
