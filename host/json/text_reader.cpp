// SPDX-License-Identifier: Apache-2.0
#include "json/text_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/ascii.hpp"
#include "base/text.hpp"
#include "json/unique_keys.hpp"

namespace sub0::json {
namespace {

int hexValue(char c) {
  if (isDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Whether it is a number of JSON without an exponent, and too short to be beyond a double: what
/// nearly all numbers are, told without converting them.
bool isShortDecimal(std::string_view text) {
  constexpr std::size_t kMostDigits = 300;
  if (text.size() > kMostDigits) return false;
  const auto behind_digits = [text](std::size_t index) {
    while (index < text.size() && isDigit(text[index])) ++index;
    return index;
  };
  const std::size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
  const std::size_t point = behind_digits(first);
  if (point == first || (text[first] == '0' && point > first + 1)) return false;
  if (point == text.size()) return true;
  const std::size_t end = behind_digits(point + 1);
  return text[point] == '.' && end > point + 1 && end == text.size();
}

/// The four hex digits at `index`, or -1.
int hex4(std::string_view text, std::size_t index) {
  if (index + 4 > text.size()) return -1;
  int code = 0;
  for (std::size_t i = index; i < index + 4; ++i) {
    const int digit = hexValue(text[i]);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

bool isHighSurrogate(int code) { return code >= 0xD800 && code <= 0xDBFF; }
bool isLowSurrogate(int code) { return code >= 0xDC00 && code <= 0xDFFF; }

void appendUtf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

/// The first byte of `text` that is no UTF-8.
std::size_t firstBadByte(std::string_view text) {
  std::size_t index = 0;
  while (index < text.size()) {
    const auto lead = static_cast<unsigned char>(text[index]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (!text::isUtf8(text.substr(index, length))) return index;
    index += length;
  }
  return text.size();
}

}  // namespace

TextReader::TextReader(std::string_view text, Arena* arena, BigIntegers big_integers)
    : text_(text), arena_(arena), big_integers_(big_integers) {}

bool TextReader::fail(std::size_t offset, const char* reason) {
  problem_ = {offset, reason};
  return false;
}

bool TextReader::read(Value& out) {
  if (text_.substr(0, 3) == "\xEF\xBB\xBF") return fail(0, "a byte order mark is not allowed");
  if (!text::isUtf8(text_)) return fail(firstBadByte(text_), "not valid UTF-8");
  skipSpace();
  if (position_ == text_.size()) return fail(position_, "there is no value");
  if (!readValue(out, 0)) return false;
  skipSpace();
  if (position_ != text_.size()) return fail(position_, "something stands behind the value");
  return true;
}

void TextReader::skipSpace() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    ++position_;
  }
}

bool TextReader::readValue(Value& out, int depth) {
  switch (peek()) {
    case '{':
      return readObject(out, depth + 1);
    case '[':
      return readArray(out, depth + 1);
    case '"': {
      std::string_view decoded;
      if (!readString(decoded)) return false;
      out = text(decoded);
      return true;
    }
    case 't':
      return readLiteral("true", boolean(true), out);
    case 'f':
      return readLiteral("false", boolean(false), out);
    case 'n':
      return readLiteral("null", null(), out);
    default:
      if (peek() == '-' || isDigit(peek())) return readNumber(out);
      return fail(position_, position_ == text_.size() ? "the text ends where a value is expected"
                                                       : "a value is expected here");
  }
}

bool TextReader::readLiteral(std::string_view word, Value value, Value& out) {
  if (text_.substr(position_, word.size()) != word) {
    return fail(position_, "a value is expected here (texts stand in double quotes)");
  }
  position_ += word.size();
  out = value;
  return true;
}

bool TextReader::readArray(Value& out, int depth) {
  const std::size_t start = position_++;
  const std::size_t first_item = items_.size();
  skipSpace();
  if (peek() == ']') {
    ++position_;
    out = array(nullptr, 0);
    return true;
  }
  if (depth > kMaxDepth) return fail(start, "nested too deeply (more than 256 levels)");
  while (true) {
    skipSpace();
    Value item{};
    if (!readValue(item, depth)) return false;
    if (arena_ != nullptr) items_.push_back(item);
    skipSpace();
    if (position_ == text_.size()) return fail(start, "this [ is never closed");
    const char c = text_[position_];
    if (c != ',' && c != ']') return fail(position_, "a comma or ] is expected here");
    ++position_;
    if (c == ']') break;
  }
  if (arena_ == nullptr) return true;
  const std::size_t count = items_.size() - first_item;
  Value* copy = arena_->array<Value>(count);
  std::copy_n(items_.data() + first_item, count, copy);
  items_.resize(first_item);
  out = array(copy, count);
  return true;
}

bool TextReader::readObject(Value& out, int depth) {
  const std::size_t start = position_++;
  const std::size_t first_pending = members_.size();
  skipSpace();
  if (peek() == '}') {
    ++position_;
    out = object(nullptr, 0);
    return true;
  }
  if (depth > kMaxDepth) return fail(start, "nested too deeply (more than 256 levels)");
  while (true) {
    skipSpace();
    const std::size_t key_offset = position_;
    if (peek() != '"') return fail(position_, "a key in double quotes is expected here");
    std::string_view key;
    if (!readString(key)) return false;
    skipSpace();
    if (peek() != ':') return fail(position_, "a colon is expected behind the key");
    ++position_;
    skipSpace();
    Value value{};
    if (!readValue(value, depth)) return false;
    if (arena_ != nullptr) members_.push_back({{toView(key), value}, key_offset});
    skipSpace();
    if (position_ == text_.size()) return fail(start, "this { is never closed");
    const char c = text_[position_];
    if (c != ',' && c != '}') return fail(position_, "a comma or } is expected here");
    ++position_;
    if (c == '}') break;
  }
  if (arena_ != nullptr) closeObject(first_pending, out);
  return true;
}

void TextReader::closeObject(std::size_t first_pending, Value& out) {
  const std::size_t count = members_.size() - first_pending;
  const Pending* pending = members_.data() + first_pending;
  Member* copy = arena_->array<Member>(count);
  for (std::size_t index = 0; index < count; ++index) copy[index] = pending[index].member;
  const auto found = findDuplicateKeys(copy, count);
  std::size_t kept = 0;
  auto next = found.begin();
  for (std::size_t index = 0; index < count; ++index) {
    if (next != found.end() && next->later == index) {
      duplicates_.push_back(
          {pending[index].offset, pending[next->first].offset, toText(pending[index].member.key)});
      ++next;
    } else {
      copy[kept++] = copy[index];
    }
  }
  members_.resize(first_pending);
  out = object(copy, kept);
}

bool TextReader::readString(std::string_view& decoded) {
  const std::size_t start = position_++;
  bool has_escapes = false;
  while (true) {
    if (position_ == text_.size()) return fail(start, "this text is never closed");
    const char c = text_[position_];
    if (c == '"') break;
    if (static_cast<unsigned char>(c) < 0x20) {
      return fail(position_, "a control character must be escaped");
    }
    if (c == '\\') {
      has_escapes = true;
      if (!readEscape()) return false;
    } else {
      ++position_;
    }
  }
  const std::string_view inner = text_.substr(start + 1, position_ - start - 1);
  ++position_;
  if (arena_ == nullptr) return true;
  if (!has_escapes) {
    decoded = arena_->copy(inner);
    return true;
  }
  std::string unescaped;
  appendUnescaped(unescaped, inner);
  decoded = arena_->copy(unescaped);
  return true;
}

bool TextReader::readEscape() {
  const std::size_t start = position_++;
  const char kind = peek();
  if (kind != 'u') {
    if (kind == '\0' || std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) {
      return fail(start, "not an escape sequence");
    }
    ++position_;
    return true;
  }
  const int code = hex4(text_, position_ + 1);
  if (code < 0) return fail(start, "\\u needs four hexadecimal digits");
  position_ += 5;
  if (isLowSurrogate(code)) return fail(start, "a lone surrogate is no character");
  if (!isHighSurrogate(code)) return true;
  if (text_.substr(position_, 2) != "\\u" || !isLowSurrogate(hex4(text_, position_ + 2))) {
    return fail(start, "a lone surrogate is no character");
  }
  position_ += 6;
  return true;
}

bool TextReader::skipDigits() {
  const std::size_t start = position_;
  while (isDigit(peek())) ++position_;
  return position_ > start;
}

bool TextReader::readNumber(Value& out) {
  const std::size_t start = position_;
  if (peek() == '-') ++position_;
  const std::size_t first_digit = position_;
  if (!skipDigits()) return fail(start, "not a number");
  if (text_[first_digit] == '0' && position_ > first_digit + 1) {
    return fail(start, "a number must not begin with 0");
  }
  bool is_integer = true;
  if (peek() == '.') {
    is_integer = false;
    ++position_;
    if (!skipDigits()) return fail(start, "digits are missing behind the point");
  }
  if (peek() == 'e' || peek() == 'E') {
    is_integer = false;
    ++position_;
    if (peek() == '+' || peek() == '-') ++position_;
    if (!skipDigits()) return fail(start, "digits are missing in the exponent");
  }
  const std::string_view digits = text_.substr(start, position_ - start);
  if (!is_integer) return readReal(digits, out);
  std::int64_t whole = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), whole).ec == std::errc()) {
    out = integer(whole);
    return true;
  }
  std::uint64_t natural = 0;
  if (big_integers_ == BigIntegers::kRefused &&
      std::from_chars(digits.data(), digits.data() + digits.size(), natural).ec != std::errc()) {
    return fail(start, "a whole number must fit 64 bits");
  }
  if (arena_ != nullptr) out = number(arena_->copy(digits));
  return true;
}

bool TextReader::readReal(std::string_view digits, Value& out) {
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    // from_chars does not say whether it is too large, or so small that it is 0.
    value = std::strtod(std::string(digits).c_str(), nullptr);
  }
  if (!std::isfinite(value)) {
    return fail(position_ - digits.size(), "the number is too large");
  }
  out = real(value);
  if (arena_ != nullptr && big_integers_ == BigIntegers::kKeptWithDecimals &&
      !equals(out, number(digits))) {
    out = number(arena_->copy(digits));
  }
  return true;
}

void appendUnescaped(std::string& out, std::string_view inner) {
  std::size_t index = 0;
  while (index < inner.size()) {
    const std::size_t escape = std::min(inner.find('\\', index), inner.size());
    out.append(inner.substr(index, escape - index));
    if (escape + 1 >= inner.size()) return;
    index = escape + 2;
    const char kind = inner[escape + 1];
    if (kind == 'u') {
      int code = hex4(inner, index);
      index += 4;
      if (isHighSurrogate(code)) {
        code = 0x10000 + ((code - 0xD800) << 10) + (hex4(inner, index + 2) - 0xDC00);
        index += 6;
      }
      appendUtf8(out, static_cast<std::uint32_t>(code));
      continue;
    }
    constexpr std::string_view kKinds = "bfnrt";
    constexpr std::string_view kCharacters = "\b\f\n\r\t";
    const std::size_t which = kKinds.find(kind);
    out.push_back(which == std::string_view::npos ? kind : kCharacters[which]);
  }
}

bool isJson(std::string_view text) {
  Value ignored{};
  return TextReader(text, nullptr, TextReader::BigIntegers::kKeptAsNumber).read(ignored);
}

bool isJsonNumber(std::string_view text) {
  if (isShortDecimal(text)) return true;
  if (text.empty() || (text[0] != '-' && !isDigit(text[0]))) return false;
  return isDigit(text.back()) && isJson(text);
}

}  // namespace sub0::json
