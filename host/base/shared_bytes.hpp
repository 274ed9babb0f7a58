// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sub0 {

/// Immutable bytes that many send queues share, on any thread: a broadcast is encoded once. A
/// counted reference of eight bytes; what the last one leaves behind is kept, with its memory, for
/// the next bytes that this thread makes, so that a broadcast allocates nothing in the steady
/// state. THREAD: references to the same bytes may be on different threads, one reference is not
/// shared.
class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(const SharedBytes& other) noexcept : body_(other.body_) {
    if (body_ != nullptr) body_->references.fetch_add(1, std::memory_order_relaxed);
  }
  SharedBytes(SharedBytes&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~SharedBytes() { reset(); }

  /// New bytes: what `write(std::string&)` appends to an empty text.
  template <typename Write>
  static SharedBytes make(Write&& write) {
    SharedBytes made;
    made.body_ = Spare::take();
    std::forward<Write>(write)(made.body_->bytes);
    return made;
  }

  /// Frees what this thread keeps: for who counts what is left of the memory.
  static void freeSpare() { Spare::clear(); }

  explicit operator bool() const { return body_ != nullptr; }
  const std::string& operator*() const { return body_->bytes; }
  const std::string* operator->() const { return &body_->bytes; }

  void reset() {
    Body* const body = std::exchange(body_, nullptr);
    if (body == nullptr) return;
    // Most references of a broadcast are not the last one.
    if (body->references.fetch_sub(1, std::memory_order_acq_rel) == 1) Spare::keep(body);
  }

 private:
  struct Body {
    std::atomic<std::uint32_t> references{1};
    std::string bytes;
  };

  /// A few bodies per thread, none with much memory.
  class Spare {
   public:
    static Body* take() {
      auto& bodies = bodies_;
      if (bodies.empty()) return new Body;
      Body* const taken = bodies.back().release();
      bodies.pop_back();
      taken->references.store(1, std::memory_order_relaxed);
      return taken;
    }
    [[gnu::noinline]] static void keep(Body* last) {
      std::unique_ptr<Body> body(last);
      constexpr std::size_t kBodies = 64;
      constexpr std::size_t kKeptBytes = std::size_t{16} << 10;
      if (bodies_.size() == kBodies || body->bytes.capacity() > kKeptBytes) return;
      body->bytes.clear();
      bodies_.push_back(std::move(body));
    }

    static void clear() {
      bodies_.clear();
      bodies_.shrink_to_fit();
    }

   private:
    static inline thread_local std::vector<std::unique_ptr<Body>> bodies_;
  };

  Body* body_ = nullptr;
};

}  // namespace sub0
