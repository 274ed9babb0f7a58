// SPDX-License-Identifier: Apache-2.0
#include "loop/mailbox.hpp"

namespace sub0::loop {

bool Mailbox::send(Letter& letter) {
  Letter* head = head_.load(std::memory_order_relaxed);
  do {
    letter.next_ = head;
  } while (!head_.compare_exchange_weak(head, &letter, std::memory_order_seq_cst,
                                        std::memory_order_relaxed));
  return head == nullptr;
}

bool Mailbox::reserveBulk(std::size_t size_bytes) {
  std::size_t taken = bulk_bytes_.load(std::memory_order_relaxed);
  do {
    if (taken + size_bytes > kBulkBytes) return false;
  } while (
      !bulk_bytes_.compare_exchange_weak(taken, taken + size_bytes, std::memory_order_relaxed));
  return true;
}

void Mailbox::releaseBulk(std::size_t size_bytes) {
  bulk_bytes_.fetch_sub(size_bytes, std::memory_order_relaxed);
}

bool Mailbox::drain() {
  if (empty()) return false;
  Letter* newest = head_.exchange(nullptr, std::memory_order_acquire);
  Letter* oldest = nullptr;
  while (newest != nullptr) {
    Letter* next = newest->next_;
    newest->next_ = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    Letter* next = oldest->next_;
    oldest->run();  // may free or send the letter again
    oldest = next;
  }
  return true;
}

}  // namespace sub0::loop
