// SPDX-License-Identifier: Apache-2.0
#include "base/arena.hpp"

#include <algorithm>

namespace sub0 {

void* Arena::allocateSlow(std::size_t size, std::size_t alignment) {
  if (blocks_.empty() && size + alignment > first_block_bytes_) {
    allocateSlow(0, 1);  // the first block is kept between calls: what is large is never in it
  }
  const std::size_t doubled = blocks_.empty() ? first_block_bytes_ : blocks_.back().size * 2;
  const std::size_t block_size =
      std::max(std::min<std::size_t>(doubled, 1u << 20), size + alignment);
  blocks_.push_back({std::unique_ptr<char[]>(new char[block_size]), block_size});
  capacity_ += block_size;
  cursor_ = blocks_.back().data.get();
  if (blocks_.size() == 1) first_ = cursor_;
  end_ = cursor_ + block_size;
  return allocate(size, alignment);
}

void Arena::keepFirstBlock() {
  blocks_.resize(1);
  capacity_ = blocks_.front().size;
  end_ = first_ + capacity_;
}

}  // namespace sub0
