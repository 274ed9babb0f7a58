// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <vector>

#include "loop/io.hpp"

struct epoll_event;

namespace sub0::loop {

/// Io on Linux: epoll, an eventfd for wake(), CLOCK_MONOTONIC and CLOCK_REALTIME, getrandom.
/// Sockets are non-blocking; TCP_NODELAY they have from their listener. ERRORS: the constructor
/// throws std::system_error when descriptors are used up.
class RealIo final : public Io {
 public:
  RealIo();
  ~RealIo() override;

  std::span<const IoEvent> wait(std::int64_t timeout_ns) override;
  bool watch(int descriptor, std::uint32_t interest, std::uint64_t token) override;
  bool rewatch(int descriptor, std::uint32_t interest, std::uint64_t token) override;
  void unwatch(int descriptor) override;
  Accepted accept(int listener) override;
  IoResult receive(int descriptor, char* buffer, std::size_t size) override;
  IoResult send(int descriptor, const iovec* parts, int count) override;
  void shutdownWrite(int descriptor) override;
  void close(int descriptor) override;
  void wake() override;
  std::int64_t monotonicNs() override;
  std::int64_t wallMs() override;
  void random(char* buffer, std::size_t size) override;

 private:
  static constexpr std::size_t kMaxEvents = 512;
  int epoll_ = -1;
  int wake_ = -1;
  std::vector<epoll_event> raw_;
  std::vector<IoEvent> events_;
};

}  // namespace sub0::loop
