// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "json/value.hpp"

// A plain reader of RFC 8259 that knows the byte at which it stopped, which simdjson does not.
// Reads configuration documents, checks raw JSON that plugins hand over, and says where a refused
// message is wrong. Not for good messages: the Parser is faster. Reasons are fixed texts: they
// never repeat a byte of the input.
namespace sub0::json {

/// Containers within containers that are accepted; empty ones do not count (as in simdjson).
inline constexpr int kMaxDepth = 256;

/// Something wrong in a text.
struct TextProblem {
  std::size_t offset;  // bytes
  std::string message;
  std::string pointer = {};  // RFC 6901, of the member; empty where there is no tree to point into
};

class TextReader {
 public:
  /// Integers beyond 64 bits. kKeptWithDecimals: they, and decimals that a double would round, are
  /// numbers with all their digits.
  enum class BigIntegers { kKeptAsNumber, kKeptWithDecimals, kRefused };

  /// Values go to `arena`; null: the text is only checked. The text must outlive nothing.
  TextReader(std::string_view text, Arena* arena, BigIntegers big_integers);

  /// Reads the one value of the text; false: problem() says why. Of equal keys the first stays.
  bool read(Value& out);

  const TextProblem& problem() const { return problem_; }
  /// Later members with equal keys: the place of the key, and of its first one.
  struct Duplicate {
    std::size_t offset;
    std::size_t first_offset;
    std::string_view key;  // in the arena
  };
  const std::vector<Duplicate>& duplicates() const { return duplicates_; }

 private:
  bool fail(std::size_t offset, const char* reason);
  void skipSpace();
  bool readValue(Value& out, int depth);
  bool readArray(Value& out, int depth);
  bool readObject(Value& out, int depth);
  bool readString(std::string_view& decoded);
  bool readEscape();
  bool readNumber(Value& out);
  bool readReal(std::string_view digits, Value& out);
  bool readLiteral(std::string_view word, Value value, Value& out);
  void closeObject(std::size_t first_pending, Value& out);
  bool skipDigits();
  char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  struct Pending {
    Member member;
    std::size_t offset;
  };

  std::string_view text_;
  Arena* arena_;
  BigIntegers big_integers_;
  std::size_t position_ = 0;
  std::vector<Value> items_;      // of the arrays that are open
  std::vector<Pending> members_;  // of the objects that are open
  std::vector<Duplicate> duplicates_;
  TextProblem problem_{0, {}};
};

/// Appends the characters that the inside of a valid JSON string stands for; `inner` is without
/// quotes.
void appendUnescaped(std::string& out, std::string_view inner);

/// Whether `text` is one valid JSON value of at most `kMaxDepth`.
bool isJson(std::string_view text);

/// Whether `text` is a JSON number as a whole.
bool isJsonNumber(std::string_view text);

}  // namespace sub0::json
