// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "loop/real_io.hpp"

namespace sub0::net::testing {

/// A clock that a test moves. Any thread.
class ManualClock {
 public:
  void advance(std::int64_t ms) { now_ns_.fetch_add(ms * 1'000'000); }
  std::int64_t nowNs() const { return now_ns_.load(); }

  /// False: accepting fails as if descriptors were used up.
  std::atomic<bool> has_descriptors{true};

 private:
  std::atomic<std::int64_t> now_ns_{1'000'000'000'000};
};

/// Real sockets, but time passes only as the test says: deadlines are tried to the millisecond
/// without waiting for them. Who moves the clock wakes the loop.
class ManualClockIo final : public loop::Io {
 public:
  explicit ManualClockIo(const ManualClock& clock) : clock_(clock) {}

  std::span<const loop::IoEvent> wait(std::int64_t timeout_ns) override {
    return real_.wait(timeout_ns == 0 ? 0 : -1);
  }
  bool watch(int descriptor, std::uint32_t interest, std::uint64_t token) override {
    return real_.watch(descriptor, interest, token);
  }
  bool rewatch(int descriptor, std::uint32_t interest, std::uint64_t token) override {
    return real_.rewatch(descriptor, interest, token);
  }
  void unwatch(int descriptor) override { real_.unwatch(descriptor); }
  loop::Accepted accept(int listener) override {
    if (clock_.has_descriptors) return real_.accept(listener);
    loop::Accepted none;
    none.status = loop::IoStatus::kExhausted;
    return none;
  }
  loop::IoResult receive(int descriptor, char* buffer, std::size_t size) override {
    return real_.receive(descriptor, buffer, size);
  }
  loop::IoResult send(int descriptor, const iovec* parts, int count) override {
    return real_.send(descriptor, parts, count);
  }
  void shutdownWrite(int descriptor) override { real_.shutdownWrite(descriptor); }
  void close(int descriptor) override { real_.close(descriptor); }
  void wake() override { real_.wake(); }
  std::int64_t monotonicNs() override { return clock_.nowNs(); }
  std::int64_t wallMs() override { return real_.wallMs(); }
  void random(char* buffer, std::size_t size) override { real_.random(buffer, size); }

 private:
  const ManualClock& clock_;
  loop::RealIo real_;
};

}  // namespace sub0::net::testing
