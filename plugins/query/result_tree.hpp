// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/plugin.h>

#include <cstddef>
#include <string_view>

#include "recycled.hpp"

namespace sub0::query {

// The rows of one statement as the tree of values that the host takes over without a copy: none is
// null, one an object, several an array of objects. Texts, members and the list of rows live in
// blocks that the tree owns; it counts what it holds, and what the rows would be as JSON, and
// refuses rows past its limit, so that a result of a million rows stays bounded. Column names are
// kept once; of two columns of one name the last wins. All trees of the process share a budget: one
// that would pass it is over, too. Its own memory, first block included, comes
// from a short list of trees that the thread has freed, so that the row of a lookup by key costs no
// allocation. Used by one thread at a time; freed on any. spec S-31, Q-72
class ResultTree final : public Recycled<ResultTree> {
 public:
  explicit ResultTree(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  ~ResultTree();
  ResultTree(const ResultTree&) = delete;
  ResultTree& operator=(const ResultTree&) = delete;

  // Names the columns, before the first row; of texts of any kind.
  template <typename Names>
  void setColumns(const Names& names) {
    setColumns(names.size(), [&names](std::size_t i) { return std::string_view(names[i]); });
  }
  template <typename NameOf>
  void setColumns(std::size_t count, NameOf&& name_of) {
    beginColumns(count);
    for (std::size_t i = 0; i < count; ++i) {
      addColumn(name_of(i));
    }
  }
  bool hasColumns() const { return column_count_ > 0; }

  // Begins a row of nulls.
  void beginRow();
  // The value of a column in the row that was begun last.
  sub0_value& column(std::size_t index) { return row_[slot_of_column_[index]].value; }

  // A value of text (SUB0_TEXT, SUB0_NUMBER, SUB0_RAW) that is copied into the tree.
  sub0_value text(std::uint32_t type, std::string_view copied);
  // Room for `count` values, for an array.
  sub0_value* values(std::size_t count);
  // `size` bytes of the tree's own, for text that is built in place.
  char* bytes(std::size_t size);
  // Whether the limit was passed; what is added from then on is dropped.
  bool isOver() const { return is_over_; }
  // Whether that was the budget of all trees, and not the limit of this one.
  bool isOverBudget() const { return is_over_budget_; }

  // What all trees may hold at the same time, beyond the first 16 KiB of each; never less than a
  // tree of `largest_bytes` needs. Any thread.
  static void setBudget(std::size_t limit_bytes, std::size_t largest_bytes);
  static std::size_t budgetUsedBytes();
  std::size_t limitBytes() const { return limit_bytes_; }
  // Passes the limit, for a value that would; null.
  sub0_value giveUp() {
    is_over_ = true;
    return {};
  }

  // Closes the tree and returns its root.
  const sub0_value& finish();
  std::size_t rowCount() const { return row_count_; }
  // What it holds in memory.
  std::size_t sizeBytes() const { return tree_bytes_; }

 private:
  static constexpr std::size_t kFirstBlockBytes = 1024;
  static constexpr std::size_t kFreeBytes = std::size_t{16} * 1024;
  struct Block {
    Block* before;
  };

  void beginColumns(std::size_t count);
  void addColumn(std::string_view name);
  void* allocate(std::size_t size);
  void count(std::size_t tree_bytes, std::size_t json_bytes);
  void reserve();

  std::size_t limit_bytes_;
  std::size_t tree_bytes_ = 0;
  std::size_t json_bytes_ = 0;
  bool is_over_ = false;
  bool is_over_budget_ = false;
  std::size_t allowed_bytes_ = kFreeBytes;  // what tree_bytes_ may be before more is reserved
  Block* blocks_ = nullptr;  // the last one; the first is first_block_ and not among them
  std::size_t block_count_ = 0;
  char* free_ = first_block_;
  std::size_t free_bytes_ = kFirstBlockBytes;
  sub0_text_view* keys_ = nullptr;
  std::size_t key_count_ = 0;
  std::uint32_t* slot_of_column_ = nullptr;
  std::size_t column_count_ = 0;
  std::size_t key_json_bytes_ = 0;
  sub0_member* row_ = nullptr;
  sub0_value* rows_ = nullptr;
  std::size_t row_count_ = 0;
  std::size_t row_room_ = 0;
  sub0_value root_{};
  alignas(8) char first_block_[kFirstBlockBytes];
};

}  // namespace sub0::query
