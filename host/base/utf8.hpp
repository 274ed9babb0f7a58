// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace sub0 {

/// Checks UTF-8 (RFC 3629) that comes in pieces: the first byte that no continuation can make good
/// is refused at once, also when a code point is split between pieces. Runs of ASCII are skipped in
/// blocks. One thread.
class Utf8Validator {
 public:
  /// Takes the next piece; false once a byte cannot be part of well-formed UTF-8.
  bool feed(std::string_view piece);

  /// Whether the text so far ends between code points.
  bool isComplete() const { return missing_ == 0; }

  void reset() { *this = Utf8Validator(); }

 private:
  bool beginSequence(std::uint8_t lead);

  std::uint8_t missing_ = 0;  // continuation bytes still due
  std::uint8_t low_ = 0x80;   // bounds of the next one
  std::uint8_t high_ = 0xBF;
};

}  // namespace sub0
