// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// What every fuzz target stands on. A target is one file NAME_fuzz.cpp with LLVMFuzzerTestOneInput;
// with libFuzzer it is fed for as long as one likes, in every other build replay_main.cpp feeds it
// the files of corpus/NAME. The first byte of an input steers (settings, the way of cutting), the
// rest is what an attacker would send, as it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// What must hold for every input, in every build; ends the process if it does not.
#define FUZZ_CHECK(condition) \
  ((condition) ? void() : sub0::fuzz::fail(#condition, __FILE__, __LINE__))

namespace sub0::fuzz {

[[noreturn]] inline void fail(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
  std::abort();
}

/// Says what differs before it fails.
inline void checkEqual(const std::string& first, const std::string& second, const char* what) {
  if (first == second) return;
  std::fprintf(stderr, "%s:\n  one:   %s\n  other: %s\n", what, first.c_str(), second.c_str());
  std::abort();
}

struct Input {
  Input(const std::uint8_t* data, std::size_t size)
      : steer(size == 0 ? std::uint8_t{0} : data[0]),
        bytes(size < 2 ? std::string_view()
                       : std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1)) {}
  std::uint8_t steer;
  std::string_view bytes;
};

/// Numbers that follow from an input alone: its own bytes say how it is cut.
class Choices {
 public:
  explicit Choices(const Input& input) : state_(14695981039346656037u ^ input.steer) {
    for (const char c : input.bytes) state_ = (state_ ^ static_cast<std::uint8_t>(c)) * kPrime;
  }
  /// From 0 to `count` - 1.
  std::size_t below(std::size_t count) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::size_t>((state_ * 2685821657736338717u) >> 33) % count;
  }
  /// The next piece of `left` bytes: mostly short, sometimes all.
  std::size_t piece(std::size_t left) {
    const std::size_t most = below(4) == 0 ? left : left < 8 ? left : 8;
    return 1 + below(most);
  }

 private:
  static constexpr std::uint64_t kPrime = 1099511628211u;
  std::uint64_t state_;
};

/// A copy of exactly the promised size (64 spare bytes), so that sanitizers see each step beside
/// it.
class Padded {
 public:
  static constexpr std::size_t kSpareBytes = 64;

  explicit Padded(std::string_view bytes)
      : memory_(new char[bytes.size() + kSpareBytes]), size_(bytes.size()) {
    if (!bytes.empty()) std::memcpy(memory_.get(), bytes.data(), bytes.size());
    std::memset(memory_.get() + size_, 'S', kSpareBytes);
  }
  ~Padded() {
    for (std::size_t i = 0; i < kSpareBytes; ++i) FUZZ_CHECK(memory_[size_ + i] == 'S');
  }
  Padded(const Padded&) = delete;
  Padded& operator=(const Padded&) = delete;

  std::span<char> span() { return {memory_.get(), size_}; }
  std::string_view view() const { return {memory_.get(), size_}; }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t size_;
};

/// UTF-8 by the table of RFC 3629, written apart from the host's.
inline bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t k) {
      return i + k < text.size() ? static_cast<std::uint8_t>(text[i + k]) : std::uint8_t{0};
    };
    const auto isTail = [&](std::size_t k) { return (at(k) & 0xC0) == 0x80; };
    const std::uint8_t lead = at(0);
    if (lead < 0x80) {
      i += 1;
    } else if (lead >= 0xC2 && lead <= 0xDF && isTail(1)) {
      i += 2;
    } else if (lead >= 0xE0 && lead <= 0xEF && isTail(1) && isTail(2) &&
               !(lead == 0xE0 && at(1) < 0xA0) && !(lead == 0xED && at(1) > 0x9F)) {
      i += 3;
    } else if (lead >= 0xF0 && lead <= 0xF4 && isTail(1) && isTail(2) && isTail(3) &&
               !(lead == 0xF0 && at(1) < 0x90) && !(lead == 0xF4 && at(1) > 0x8F)) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace sub0::fuzz
