// SPDX-License-Identifier: Apache-2.0
#include "net/send_queue.hpp"

#include <algorithm>
#include <cassert>

namespace sub0::net {

void SendQueue::append(const SharedBytes& bytes) {
  if (bytes->size() <= kCopiedBytes) {
    owned_.append(*bytes);
    return;
  }
  insertions_.push_back({owned_.size(), bytes});
  shared_bytes_ += bytes->size();
}

loop::IoStatus SendQueue::sendParts(loop::Io& io, int descriptor, std::size_t& sent_bytes) {
  while (!empty()) {
    iovec parts[kMaxParts];
    std::size_t total_bytes = 0;
    const int count = collect(parts, total_bytes);
    const loop::IoResult result = io.send(descriptor, parts, count);
    if (result.status != loop::IoStatus::kOk) return result.status;
    assert(result.bytes <= total_bytes);
    sent_bytes += result.bytes;
    consume(result.bytes);
    if (result.bytes < total_bytes) return loop::IoStatus::kWouldBlock;
  }
  return loop::IoStatus::kOk;
}

/// The usual case: replies alone.
loop::IoStatus SendQueue::sendOwned(loop::Io& io, int descriptor, std::size_t& sent_bytes) {
  const iovec part{owned_.data() + owned_sent_, owned_.size() - owned_sent_};
  if (part.iov_len == 0) return loop::IoStatus::kOk;
  const loop::IoResult result = io.send(descriptor, &part, 1);
  if (result.status != loop::IoStatus::kOk) return result.status;
  assert(result.bytes <= part.iov_len);
  sent_bytes = result.bytes;
  if (result.bytes == part.iov_len) {
    owned_.clear();
    owned_sent_ = 0;
    return loop::IoStatus::kOk;
  }
  owned_sent_ += result.bytes;
  compact();
  return loop::IoStatus::kWouldBlock;
}

int SendQueue::collect(iovec* parts, std::size_t& total_bytes) const {
  int count = 0;
  const auto add = [&](const char* data, std::size_t size) {
    if (size == 0) return;
    parts[count++] = {const_cast<char*>(data), size};
    total_bytes += size;
  };
  std::size_t position = owned_sent_;
  std::size_t skipped = head_sent_;
  for (std::size_t i = head_; i < insertions_.size(); ++i) {
    if (count > kMaxParts - 3) return count;
    const Insertion& insertion = insertions_[i];
    add(owned_.data() + position, insertion.position - position);
    position = insertion.position;
    add(insertion.bytes->data() + skipped, insertion.bytes->size() - skipped);
    skipped = 0;
  }
  add(owned_.data() + position, owned_.size() - position);
  return count;
}

void SendQueue::consume(std::size_t size_bytes) {
  while (size_bytes > 0) {
    const bool has_insertion = head_ < insertions_.size();
    const std::size_t owned_end = has_insertion ? insertions_[head_].position : owned_.size();
    const std::size_t owned_part = std::min(size_bytes, owned_end - owned_sent_);
    owned_sent_ += owned_part;
    size_bytes -= owned_part;
    if (size_bytes == 0 || !has_insertion) break;
    SharedBytes& shared = insertions_[head_].bytes;
    const std::size_t shared_part = std::min(size_bytes, shared->size() - head_sent_);
    head_sent_ += shared_part;
    shared_bytes_ -= shared_part;
    size_bytes -= shared_part;
    if (head_sent_ == shared->size()) {
      shared.reset();
      ++head_;
      head_sent_ = 0;
    }
  }
  assert(size_bytes == 0);
  if (empty()) {
    clear();
  } else {
    compact();
  }
}

void SendQueue::compact() {
  constexpr std::size_t kWorthBytes = 4096;
  constexpr std::size_t kWorthInsertions = 64;
  if (owned_sent_ >= kWorthBytes && owned_sent_ >= owned_.size() / 2) {
    owned_.erase(0, owned_sent_);
    for (std::size_t i = head_; i < insertions_.size(); ++i) {
      insertions_[i].position -= owned_sent_;
    }
    owned_sent_ = 0;
  }
  if (head_ >= kWorthInsertions && head_ >= insertions_.size() / 2) {
    insertions_.erase(insertions_.begin(),
                      insertions_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void SendQueue::clear() {
  if (owned_.capacity() > kKeptBytes) {
    std::string().swap(owned_);
  } else {
    owned_.clear();
  }
  owned_sent_ = 0;
  if (!insertions_.empty()) insertions_.clear();
  head_ = 0;
  head_sent_ = 0;
  shared_bytes_ = 0;
  stall_due_ms = 0;
}

}  // namespace sub0::net
