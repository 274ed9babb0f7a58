// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sub0 {

/// Memory for the values of one call: bump allocation, freed all at once by reset(), which keeps
/// the first block. Only trivially destructible things live here. One thread at a time. Not for
/// anything that outlives the call.
class Arena {
 public:
  explicit Arena(std::size_t first_block_bytes = 4096) : first_block_bytes_(first_block_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `size` bytes, aligned; never null (std::bad_alloc ends the process: memory is bounded
  /// elsewhere).
  void* allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
    const auto position =
        (reinterpret_cast<std::uintptr_t>(cursor_) + alignment - 1) & ~(alignment - 1);
    if (cursor_ != nullptr && position + size <= reinterpret_cast<std::uintptr_t>(end_)) {
      cursor_ = reinterpret_cast<char*>(position) + size;
      return reinterpret_cast<void*>(position);
    }
    return allocateSlow(size, alignment);
  }

  /// An array of `count` uninitialised T; count 0 gives a valid pointer.
  template <typename T>
  T* array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

  template <typename T>
  T* make() {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T{};
  }

  /// A copy of `text` that lives as long as the arena's content.
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* data = array<char>(text.size());
    std::memcpy(data, text.data(), text.size());
    return {data, text.size()};
  }

  /// Frees everything; keeps the first block for the next call.
  void reset() {
    if (blocks_.size() > 1) keepFirstBlock();
    cursor_ = first_;
  }

  /// Whether it has more than its first block, which is never a large one.
  bool hasGrown() const { return blocks_.size() > 1; }

  /// Bytes taken from the system, for limits and metrics.
  std::size_t capacity() const { return capacity_; }

 private:
  void* allocateSlow(std::size_t size, std::size_t alignment);
  void keepFirstBlock();

  struct Block {
    std::unique_ptr<char[]> data;
    std::size_t size;
  };

  std::size_t first_block_bytes_;
  std::vector<Block> blocks_;
  char* first_ = nullptr;  // where the first block begins
  char* cursor_ = nullptr;
  char* end_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace sub0
