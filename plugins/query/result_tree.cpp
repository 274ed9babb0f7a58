// SPDX-License-Identifier: Apache-2.0
#include "result_tree.hpp"

#include <algorithm>

namespace sub0::query {
namespace {
constexpr std::size_t kFirstBlockBytes = 1024;
constexpr std::size_t kLargestBlockBytes = std::size_t{256} * 1024;
}  // namespace

void ResultTree::count(std::size_t tree_bytes, std::size_t json_bytes) {
  tree_bytes_ += tree_bytes;
  json_bytes_ += json_bytes;
  is_over_ = is_over_ || tree_bytes_ > limit_bytes_ || json_bytes_ > limit_bytes_;
}

void* ResultTree::allocate(std::size_t size) {
  size = (size + 7U) & ~std::size_t{7};
  if (size > free_bytes_) {
    const std::size_t grown = std::min(kLargestBlockBytes, kFirstBlockBytes << blocks_.size() / 2);
    const std::size_t block_bytes = std::max(size, grown);
    blocks_.push_back(std::make_unique<char[]>(block_bytes));
    free_ = blocks_.back().get();
    free_bytes_ = block_bytes;
  }
  char* result = free_;
  free_ += size;
  free_bytes_ -= size;
  return result;
}

void ResultTree::setColumns(const std::vector<std::string_view>& names) {
  keys_.clear();
  slot_of_column_.clear();
  key_json_bytes_ = 2;
  for (const std::string_view name : names) {
    const auto same = std::find_if(keys_.begin(), keys_.end(), [&](const sub0_text_view& key) {
      return std::string_view(key.data, key.size) == name;
    });
    slot_of_column_.push_back(static_cast<std::size_t>(same - keys_.begin()));
    if (same == keys_.end()) {
      char* copy = bytes(name.size());
      std::copy(name.begin(), name.end(), copy);
      keys_.push_back(sub0_text_view{copy, name.size()});
      key_json_bytes_ += name.size() + 4;
    }
  }
}

void ResultTree::beginRow() {
  count(sizeof(sub0_value) + keys_.size() * sizeof(sub0_member), key_json_bytes_);
  if (is_over_) {
    return;  // the row before is written over
  }
  row_ = static_cast<sub0_member*>(allocate(keys_.size() * sizeof(sub0_member)));
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    row_[i] = sub0_member{keys_[i], sub0_value{}};
  }
  sub0_value row{};
  row.type = SUB0_OBJECT;
  row.count = static_cast<std::uint32_t>(keys_.size());
  row.as.members = row_;
  rows_.push_back(row);
}

char* ResultTree::bytes(std::size_t size) { return static_cast<char*>(allocate(size)); }

sub0_value ResultTree::text(std::uint32_t type, std::string_view copied) {
  sub0_value value{};
  count(copied.size(), copied.size() + 2);
  if (is_over_) {
    return value;
  }
  char* copy = bytes(copied.size());
  std::copy(copied.begin(), copied.end(), copy);
  value.type = type;
  value.count = static_cast<std::uint32_t>(copied.size());
  value.as.text = copy;
  return value;
}

sub0_value* ResultTree::values(std::size_t count_of_values) {
  count(count_of_values * sizeof(sub0_value), count_of_values * 2);
  if (is_over_) {
    return nullptr;
  }
  auto* values = static_cast<sub0_value*>(allocate(count_of_values * sizeof(sub0_value)));
  std::fill(values, values + count_of_values, sub0_value{});
  return values;
}

const sub0_value& ResultTree::finish() {
  root_ = sub0_value{};
  if (rows_.size() == 1) {
    root_ = rows_.front();
  } else if (rows_.size() > 1) {
    root_.type = SUB0_ARRAY;
    root_.count = static_cast<std::uint32_t>(rows_.size());
    root_.as.items = rows_.data();
  }
  return root_;
}

}  // namespace sub0::query
