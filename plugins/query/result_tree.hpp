// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/plugin.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace sub0::query {

// The rows of one statement as the tree of values that the host takes over without a copy: none is
// null, one an object, several an array of objects. Texts and members live in blocks that the tree
// owns; it counts what it holds, and what the rows would be as JSON, and refuses rows past its
// limit, so that a result of a million rows stays bounded. Column names are kept once; of two
// columns of one name the last wins. Used by one thread at a time. spec S-31, Q-72
class ResultTree {
 public:
  explicit ResultTree(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  ResultTree(const ResultTree&) = delete;
  ResultTree& operator=(const ResultTree&) = delete;

  // Names the columns; before the first row.
  void setColumns(const std::vector<std::string_view>& names);
  bool hasColumns() const { return !slot_of_column_.empty(); }
  std::size_t columnCount() const { return slot_of_column_.size(); }

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

  // Closes the tree and returns its root.
  const sub0_value& finish();
  std::size_t rowCount() const { return rows_.size(); }
  // What it holds in memory.
  std::size_t sizeBytes() const { return tree_bytes_; }

 private:
  void* allocate(std::size_t size);
  void count(std::size_t tree_bytes, std::size_t json_bytes);

  std::size_t limit_bytes_;
  std::size_t tree_bytes_ = 0;
  std::size_t json_bytes_ = 0;
  bool is_over_ = false;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0;
  std::vector<sub0_text_view> keys_;
  std::vector<std::size_t> slot_of_column_;
  std::size_t key_json_bytes_ = 0;
  sub0_member* row_ = nullptr;
  std::vector<sub0_value> rows_;
  sub0_value root_{};
};

}  // namespace sub0::query
