// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/shared_bytes.hpp"
#include "loop/io.hpp"

namespace sub0::net {

/// The bytes that wait to be sent on one connection: one text of our own, to which replies are
/// written directly, and references to shared bytes (broadcasts) between its parts. A queue exists
/// only while something waits; the loop keeps spare ones, so idle connections hold none. One
/// thread; knows no limit: the connection judges.
class SendQueue {
 public:
  SendQueue() = default;
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  /// The text at the end; only append to it.
  std::string& tail() { return owned_; }
  /// Shares `bytes`; short ones are copied, which is cheaper than counting references.
  void append(const SharedBytes& bytes);
  /// Takes back the last `size_bytes`. REQUIRES: appended to tail() last, and no send() since.
  void removeTail(std::size_t size_bytes) { owned_.resize(owned_.size() - size_bytes); }

  std::size_t bytes() const { return owned_.size() - owned_sent_ + shared_bytes_; }
  bool empty() const { return bytes() == 0; }

  /// One writev as far as the kernel takes it. kOk: all is out; kWouldBlock: the rest waits; else
  /// failed. `sent_bytes` is what went out.
  loop::IoStatus send(loop::Io& io, int descriptor, std::size_t& sent_bytes) {
    sent_bytes = 0;
    return insertions_.empty() ? sendOwned(io, descriptor, sent_bytes)
                               : sendParts(io, descriptor, sent_bytes);
  }

  /// Takes `size_bytes` for sent. REQUIRES: as many are there.
  void skip(std::size_t size_bytes) { consume(size_bytes); }

  /// Forgets everything, keeps memory for the next owner (up to 64 KiB).
  void clear();

  /// Whether clear() would change nothing, and nothing is counted for it.
  bool isAsNew() const {
    return owned_.empty() && insertions_.empty() && owned_.capacity() <= kKeptBytes &&
           (budget_bytes | noted_bytes | static_cast<std::size_t>(stall_due_ms)) == 0;
  }

  std::size_t budget_bytes = 0;   // taken from the process's budget
  std::size_t noted_bytes = 0;    // of bytes(), counted as unsent
  std::int64_t stall_due_ms = 0;  // while the kernel's buffer is full

 private:
  static constexpr std::size_t kCopiedBytes = 512;
  static constexpr int kMaxParts = 64;
  static constexpr std::size_t kKeptBytes = std::size_t{64} << 10;
  struct Insertion {
    std::size_t position;  // the owned bytes that go before
    SharedBytes bytes;
  };
  loop::IoStatus sendOwned(loop::Io& io, int descriptor, std::size_t& sent_bytes);
  loop::IoStatus sendParts(loop::Io& io, int descriptor, std::size_t& sent_bytes);
  int collect(iovec* parts, std::size_t& total_bytes) const;
  void consume(std::size_t size_bytes);
  void compact();

  std::string owned_;
  std::size_t owned_sent_ = 0;
  std::vector<Insertion> insertions_;
  std::size_t head_ = 0;          // the first insertion not wholly sent
  std::size_t head_sent_ = 0;     // its bytes that are out
  std::size_t shared_bytes_ = 0;  // unsent ones of all insertions
};

}  // namespace sub0::net
