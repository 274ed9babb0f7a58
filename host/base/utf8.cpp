// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <cstddef>
#include <cstring>

namespace sub0 {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080u;

std::uint64_t load64(const char* data) {
  std::uint64_t word;
  std::memcpy(&word, data, sizeof(word));
  return word;
}

/// Length of the ASCII run at the front, rounded down to what blocks show; then byte by byte.
std::size_t skipAscii(const char* data, std::size_t size) {
  std::size_t index = 0;
  while (index + 32 <= size) {
    const std::uint64_t all = load64(data + index) | load64(data + index + 8) |
                              load64(data + index + 16) | load64(data + index + 24);
    if ((all & kHighBits) != 0) break;
    index += 32;
  }
  while (index + 8 <= size && (load64(data + index) & kHighBits) == 0) index += 8;
  while (index < size && static_cast<std::uint8_t>(data[index]) < 0x80) ++index;
  return index;
}

}  // namespace

bool Utf8Validator::beginSequence(std::uint8_t lead) {
  if (lead < 0xC2 || lead > 0xF4) return false;
  missing_ = static_cast<std::uint8_t>(lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3);
  low_ = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  high_ = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return true;
}

bool Utf8Validator::feed(std::string_view piece) {
  std::size_t index = 0;
  while (index < piece.size()) {
    const auto byte = static_cast<std::uint8_t>(piece[index]);
    if (missing_ > 0) {
      if (byte < low_ || byte > high_) return false;
      low_ = 0x80;
      high_ = 0xBF;
      --missing_;
      ++index;
    } else if (byte < 0x80) {
      index += skipAscii(piece.data() + index, piece.size() - index);
    } else {
      if (!beginSequence(byte)) return false;
      ++index;
    }
  }
  return true;
}

}  // namespace sub0
