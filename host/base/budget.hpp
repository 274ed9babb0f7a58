// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>

namespace sub0 {

/// Bytes that the whole process may have in use for one purpose. THREAD: any.
class Budget {
 public:
  explicit Budget(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  /// False: they are not there, and nothing is taken.
  bool reserve(std::size_t size_bytes) {
    std::size_t used = used_bytes_.load();
    do {
      if (size_bytes > limit_bytes_ || used > limit_bytes_ - size_bytes) return false;
    } while (!used_bytes_.compare_exchange_weak(used, used + size_bytes));
    return true;
  }
  void release(std::size_t size_bytes) { used_bytes_.fetch_sub(size_bytes); }
  std::size_t usedBytes() const { return used_bytes_.load(); }

 private:
  const std::size_t limit_bytes_;
  std::atomic<std::size_t> used_bytes_{0};
};

}  // namespace sub0
