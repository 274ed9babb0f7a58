// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// A `pattern` of payload_validation (S-80), compiled at load. The one place that knows RE2, which
// was taken because its time grows with the length of the text and never with what a client makes
// of it: no backtracking, so neither back-references nor look-around. What it keeps of the texts it
// has seen is bounded. Any thread.
namespace sub0::dialect {

class Pattern {
 public:
  /// Null where `source` is no pattern or too large; then `problem` says why.
  static std::shared_ptr<const Pattern> compile(std::string_view source, std::string& problem);
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  /// Whether the pattern is found somewhere in the text, which is UTF-8.
  bool isIn(std::string_view text) const;
  const std::string& source() const;
  /// The most that looking through a text of so many bytes may cost, in steps of the program. Most
  /// patterns cost a thousandth of it.
  std::uint64_t costOf(std::size_t text_bytes) const;

 private:
  struct Engine;
  explicit Pattern(std::unique_ptr<const Engine> engine);

  std::unique_ptr<const Engine> engine_;
};

}  // namespace sub0::dialect
