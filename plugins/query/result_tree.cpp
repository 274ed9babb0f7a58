// SPDX-License-Identifier: Apache-2.0
#include "result_tree.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <new>

namespace sub0::query {
namespace {

constexpr std::size_t kLargestBlockBytes = std::size_t{256} * 1024;
constexpr std::size_t kMostDoublings = 8;
constexpr std::size_t kFirstRows = 4;
constexpr std::size_t kReservedAtLeast = std::size_t{64} * 1024;

std::atomic<std::size_t> budget_bytes{std::numeric_limits<std::size_t>::max()};
std::atomic<std::size_t> used_bytes{0};

bool reserveOfBudget(std::size_t bytes) {
  const std::size_t most = budget_bytes.load(std::memory_order_relaxed);
  std::size_t used = used_bytes.load();
  do {
    if (bytes > most || used > most - bytes) {
      return false;
    }
  } while (!used_bytes.compare_exchange_weak(used, used + bytes));
  return true;
}

}  // namespace

void ResultTree::setBudget(std::size_t limit_bytes, std::size_t largest_bytes) {
  budget_bytes.store(std::max(limit_bytes, largest_bytes + kReservedAtLeast));
}

std::size_t ResultTree::budgetUsedBytes() { return used_bytes.load(); }

ResultTree::~ResultTree() {
  if (allowed_bytes_ > kFreeBytes) {
    used_bytes.fetch_sub(allowed_bytes_ - kFreeBytes);
  }
  while (blocks_ != nullptr) {
    Block* before = blocks_->before;
    ::operator delete(blocks_);
    blocks_ = before;
  }
}

void ResultTree::count(std::size_t tree_bytes, std::size_t json_bytes) {
  tree_bytes_ += tree_bytes;
  json_bytes_ += json_bytes;
  is_over_ = is_over_ || tree_bytes_ > limit_bytes_ || json_bytes_ > limit_bytes_;
  if (tree_bytes_ > allowed_bytes_ && !is_over_) {
    reserve();
  }
}

void ResultTree::reserve() {
  const std::size_t bytes = std::max(tree_bytes_ - allowed_bytes_, kReservedAtLeast);
  is_over_ = is_over_budget_ = !reserveOfBudget(bytes);
  if (!is_over_) {
    allowed_bytes_ += bytes;
  }
}

void* ResultTree::allocate(std::size_t size) {
  size = (size + 7U) & ~std::size_t{7};
  if (size > free_bytes_) {
    const std::size_t grown = std::min(
        kLargestBlockBytes, kFirstBlockBytes << std::min(kMostDoublings, (block_count_ + 1) / 2));
    const std::size_t block_bytes = std::max(size, grown);
    void* memory = ::operator new(sizeof(Block) + block_bytes);
    blocks_ = new (memory) Block{blocks_};
    ++block_count_;
    free_ = static_cast<char*>(memory) + sizeof(Block);
    free_bytes_ = block_bytes;
  }
  char* result = free_;
  free_ += size;
  free_bytes_ -= size;
  return result;
}

void ResultTree::beginColumns(std::size_t count) {
  keys_ = static_cast<sub0_text_view*>(allocate(count * sizeof(sub0_text_view)));
  slot_of_column_ = static_cast<std::uint32_t*>(allocate(count * sizeof(std::uint32_t)));
  key_count_ = column_count_ = 0;
  key_json_bytes_ = 2;
}

void ResultTree::addColumn(std::string_view name) {
  const sub0_text_view* const end = keys_ + key_count_;
  const sub0_text_view* const same = std::find_if(keys_, keys_ + key_count_, [&](const auto& key) {
    return std::string_view(key.data, key.size) == name;
  });
  slot_of_column_[column_count_++] = static_cast<std::uint32_t>(same - keys_);
  if (same == end) {
    char* copy = bytes(name.size());
    std::copy(name.begin(), name.end(), copy);
    keys_[key_count_++] = sub0_text_view{copy, name.size()};
    key_json_bytes_ += name.size() + 4;
  }
}

void ResultTree::beginRow() {
  count(sizeof(sub0_value) + key_count_ * sizeof(sub0_member), key_json_bytes_);
  if (is_over_) {
    return;  // the row before is written over
  }
  row_ = static_cast<sub0_member*>(allocate(key_count_ * sizeof(sub0_member)));
  for (std::size_t i = 0; i < key_count_; ++i) {
    row_[i] = sub0_member{keys_[i], sub0_value{}};
  }
  if (row_count_ == row_room_) {
    row_room_ = std::max(kFirstRows, row_room_ * 2);
    auto* rows = static_cast<sub0_value*>(allocate(row_room_ * sizeof(sub0_value)));
    std::copy(rows_, rows_ + row_count_, rows);
    rows_ = rows;
  }
  sub0_value row{};
  row.type = SUB0_OBJECT;
  row.count = static_cast<std::uint32_t>(key_count_);
  row.as.members = row_;
  rows_[row_count_++] = row;
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
  if (row_count_ == 1) {
    root_ = rows_[0];
  } else if (row_count_ > 1) {
    root_.type = SUB0_ARRAY;
    root_.count = static_cast<std::uint32_t>(row_count_);
    root_.as.items = rows_;
  }
  return root_;
}

}  // namespace sub0::query
