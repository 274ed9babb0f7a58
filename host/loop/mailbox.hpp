// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace sub0::loop {

/// One letter, embedded in its owner or allocated by Mailbox::post. run() is called on the
/// receiving loop, once.
class Letter {
 public:
  Letter() = default;
  Letter(const Letter&) = delete;
  Letter& operator=(const Letter&) = delete;
  virtual void run() = 0;

 protected:
  virtual ~Letter() = default;

 private:
  friend class Mailbox;
  Letter* next_ = nullptr;
};

/// The one way between threads and a loop. Sending never blocks, never allocates for an embedded
/// letter, and cannot fail; the letters of one sender arrive in order. Bulk letters (broadcasts)
/// are bounded by bytes. THREAD: send any, drain the loop's.
class Mailbox {
 public:
  static constexpr std::size_t kBulkBytes = std::size_t{64} << 20;

  /// Completions and posts: bounded by tickets elsewhere, never refused. True: the loop has to be
  /// woken.
  bool send(Letter& letter);

  /// Takes `size_bytes` of the bulk budget; false: it is used up, nothing was sent. Give it back by
  /// releaseBulk().
  bool reserveBulk(std::size_t size_bytes);
  void releaseBulk(std::size_t size_bytes);
  /// THREAD: any. What waits now.
  std::size_t bulkBytes() const { return bulk_bytes_.load(std::memory_order_relaxed); }

  /// Runs what has arrived; true if there was something.
  bool drain();
  bool empty() const { return head_.load(std::memory_order_seq_cst) == nullptr; }

 private:
  std::atomic<Letter*> head_{nullptr};
  std::atomic<std::size_t> bulk_bytes_{0};
};

}  // namespace sub0::loop
