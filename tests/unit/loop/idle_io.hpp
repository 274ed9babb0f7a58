// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "loop/io.hpp"

// An outside where nothing happens and no time passes; its random bytes are 0, 1, 2... Tests give
// what they need of it in classes on top.
namespace sub0::loop::test {

class IdleIo : public Io {
 public:
  std::span<const IoEvent> wait(std::int64_t) override { return {}; }
  bool watch(int, std::uint32_t, std::uint64_t) override { return false; }
  bool rewatch(int, std::uint32_t, std::uint64_t) override { return false; }
  void unwatch(int) override {}
  Accepted accept(int) override { return {}; }
  IoResult receive(int, char*, std::size_t) override { return {}; }
  IoResult send(int, const iovec*, int) override { return {}; }
  void shutdownWrite(int) override {}
  void close(int) override {}
  void wake() override {}
  std::int64_t monotonicNs() override { return 0; }
  std::int64_t wallMs() override { return 0; }
  void random(char* buffer, std::size_t size) override {
    for (std::size_t i = 0; i < size; ++i) buffer[i] = static_cast<char>(next_random++);
  }
  std::uint8_t next_random = 0;
};

}  // namespace sub0::loop::test
