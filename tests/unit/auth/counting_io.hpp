// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/io.hpp"

// An outside whose random bytes are 0, 1, 2...; it has nothing else. Tests only.
namespace sub0::auth {

class CountingIo final : public loop::Io {
 public:
  std::span<const loop::IoEvent> wait(std::int64_t) override { return {}; }
  bool watch(int, std::uint32_t, std::uint64_t) override { return false; }
  bool rewatch(int, std::uint32_t, std::uint64_t) override { return false; }
  void unwatch(int) override {}
  loop::Accepted accept(int) override { return {}; }
  loop::IoResult receive(int, char*, std::size_t) override { return {}; }
  loop::IoResult send(int, const iovec*, int) override { return {}; }
  void shutdownWrite(int) override {}
  void close(int) override {}
  void wake() override {}
  std::int64_t monotonicNs() override { return 0; }
  std::int64_t wallMs() override { return 0; }
  void random(char* buffer, std::size_t size) override {
    for (std::size_t index = 0; index < size; ++index) buffer[index] = static_cast<char>(next_++);
  }

 private:
  int next_ = 0;
};

}  // namespace sub0::auth
