// SPDX-License-Identifier: Apache-2.0
#include "json/value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/text.hpp"
#include "json/text_reader.hpp"

namespace sub0::json {
namespace {

/// What the parser accepts, and what a plugin may wrap around it.
constexpr int kMaxPluginDepth = kMaxDepth + 4;

Value ofChars(std::uint32_t type, std::string_view borrowed) {
  Value value{};
  value.type = type;
  value.count = static_cast<std::uint32_t>(borrowed.size());
  value.as.text = borrowed.data();
  return value;
}

/// A number as sign, significant digits and power of ten: equal numbers have equal parts.
struct Decimal {
  bool is_negative = false;
  std::string digits;  // without zeros at either end; empty: zero
  std::int64_t exponent = 0;

  bool operator==(const Decimal& other) const {
    if (digits.empty() || other.digits.empty()) return digits.empty() && other.digits.empty();
    return is_negative == other.is_negative && exponent == other.exponent && digits == other.digits;
  }
};

Decimal decimalOf(std::string_view text) {
  Decimal decimal;
  if (!text.empty() && text[0] == '-') {
    decimal.is_negative = true;
    text.remove_prefix(1);
  }
  bool is_fraction = false;
  std::size_t index = 0;
  for (; index < text.size() && text[index] != 'e' && text[index] != 'E'; ++index) {
    if (text[index] == '.') {
      is_fraction = true;
      continue;
    }
    if (!decimal.digits.empty() || text[index] != '0') decimal.digits.push_back(text[index]);
    if (is_fraction) --decimal.exponent;
  }
  if (index < text.size()) {
    ++index;
    if (index < text.size() && text[index] == '+') ++index;
    std::int64_t exponent = 0;
    const auto read = std::from_chars(text.data() + index, text.data() + text.size(), exponent);
    if (read.ec == std::errc::result_out_of_range) {
      exponent = text[index] == '-' ? INT64_MIN : INT64_MAX;
    }
    exponent = std::clamp<std::int64_t>(exponent, -(INT64_C(1) << 60), INT64_C(1) << 60);
    decimal.exponent += exponent;
  }
  while (!decimal.digits.empty() && decimal.digits.back() == '0') {
    decimal.digits.pop_back();
    ++decimal.exponent;
  }
  return decimal;
}

Decimal decimalOf(const Value& value) {
  if (value.type == SUB0_NUMBER) return decimalOf(chars(value));
  char buffer[40];
  const auto end = value.type == SUB0_INT
                       ? std::to_chars(buffer, buffer + sizeof buffer, value.as.i)
                       : std::to_chars(buffer, buffer + sizeof buffer, value.as.d,
                                       std::chars_format::scientific);
  return decimalOf(std::string_view(buffer, static_cast<std::size_t>(end.ptr - buffer)));
}

bool equalNumbers(const Value& a, const Value& b) {
  if (a.type == SUB0_INT && b.type == SUB0_INT) return a.as.i == b.as.i;
  if (a.type == SUB0_DOUBLE && b.type == SUB0_DOUBLE) {
    return !(a.as.d < b.as.d) && !(a.as.d > b.as.d);
  }
  return decimalOf(a) == decimalOf(b);
}

bool equalObjects(const Value& a, const Value& b) {
  if (a.count != b.count) return false;
  for (std::uint32_t index = 0; index < a.count; ++index) {
    const Member& member = a.as.members[index];
    // Mostly in the same order: look at the same place first.
    const Member& same_place = b.as.members[index];
    const Value* other = toText(same_place.key) == toText(member.key) ? &same_place.value
                                                                      : find(b, toText(member.key));
    if (other == nullptr || !equals(member.value, *other)) return false;
  }
  return true;
}

/// Counts down what a plugin's value may still cost; false when something is wrong.
class Inspector {
 public:
  explicit Inspector(std::size_t max_bytes) : bytes_left_(max_bytes) {}

  bool accepts(const Value& value, int depth) {
    switch (value.type) {
      case SUB0_NULL:
        return value.count == 0;
      case SUB0_BOOL:
        return value.as.i == 0 || value.as.i == 1;
      case SUB0_INT:
        return true;
      case SUB0_DOUBLE:
        return std::isfinite(value.as.d);
      case SUB0_NUMBER:
        return acceptsChars(value) && isJsonNumber(chars(value));
      case SUB0_TEXT:
        return acceptsChars(value) && text::isUtf8(chars(value));
      case SUB0_RAW:
        return acceptsChars(value) && isJson(chars(value));
      case SUB0_ARRAY:
        return acceptsArray(value, depth + 1);
      case SUB0_OBJECT:
        return acceptsObject(value, depth + 1);
      default:
        return false;
    }
  }

 private:
  bool take(std::size_t count, std::size_t size_each) {
    if (count > bytes_left_ / size_each) return false;
    bytes_left_ -= count * size_each;
    return true;
  }

  bool acceptsChars(const Value& value) {
    return (value.count == 0 || value.as.text != nullptr) && take(value.count, 1);
  }

  bool acceptsArray(const Value& value, int depth) {
    if (depth > kMaxPluginDepth || !take(value.count, sizeof(Value))) return false;
    if (value.count > 0 && value.as.items == nullptr) return false;
    for (std::uint32_t index = 0; index < value.count; ++index) {
      if (!accepts(value.as.items[index], depth)) return false;
    }
    return true;
  }

  bool acceptsObject(const Value& value, int depth) {
    if (depth > kMaxPluginDepth || !take(value.count, sizeof(Member))) return false;
    if (value.count > 0 && value.as.members == nullptr) return false;
    for (std::uint32_t index = 0; index < value.count; ++index) {
      const Member& member = value.as.members[index];
      if (member.key.size > 0 && member.key.data == nullptr) return false;
      if (!take(member.key.size, 1) || !text::isUtf8(toText(member.key))) return false;
      if (!accepts(member.value, depth)) return false;
    }
    return true;
  }

  std::size_t bytes_left_;
};

}  // namespace

Value boolean(bool b) {
  Value value{};
  value.type = SUB0_BOOL;
  value.as.i = b ? 1 : 0;
  return value;
}

Value integer(int64_t i) {
  Value value{};
  value.type = SUB0_INT;
  value.as.i = i;
  return value;
}

Value real(double d) {
  Value value{};
  if (!std::isfinite(d)) return value;
  value.type = SUB0_DOUBLE;
  value.as.d = d;
  return value;
}

Value text(std::string_view borrowed) { return ofChars(SUB0_TEXT, borrowed); }
Value number(std::string_view borrowed_digits) { return ofChars(SUB0_NUMBER, borrowed_digits); }
Value raw(std::string_view borrowed_json) { return ofChars(SUB0_RAW, borrowed_json); }

Value array(const Value* borrowed_items, std::size_t count) {
  Value value{};
  value.type = SUB0_ARRAY;
  value.count = static_cast<std::uint32_t>(count);
  value.as.items = borrowed_items;
  return value;
}

Value object(const Member* borrowed_members, std::size_t count) {
  Value value{};
  value.type = SUB0_OBJECT;
  value.count = static_cast<std::uint32_t>(count);
  value.as.members = borrowed_members;
  return value;
}

long double toReal(std::string_view digits) {
  const char* const end = digits.data() + digits.size();
  std::int64_t whole = 0;
  const auto as_whole = std::from_chars(digits.data(), end, whole);
  if (as_whole.ec == std::errc() && as_whole.ptr == end) return static_cast<long double>(whole);
  double real = 0;
  if (std::from_chars(digits.data(), end, real).ec != std::errc::result_out_of_range) return real;
  const Decimal decimal = decimalOf(digits);
  const bool is_large = static_cast<std::int64_t>(decimal.digits.size()) + decimal.exponent > 0;
  if (!is_large) return 0;
  constexpr long double kInfinite = std::numeric_limits<long double>::infinity();
  return decimal.is_negative ? -kInfinite : kInfinite;
}

long double toReal(const Value& number) {
  if (number.type == SUB0_INT) return static_cast<long double>(number.as.i);
  return number.type == SUB0_DOUBLE ? number.as.d : toReal(chars(number));
}

Value ofDigits(std::string_view borrowed_digits) {
  const char* const begin = borrowed_digits.data();
  const char* const end = begin + borrowed_digits.size();
  std::int64_t whole = 0;
  const auto as_whole = std::from_chars(begin, end, whole);
  if (as_whole.ptr == end && as_whole.ec == std::errc()) return integer(whole);
  constexpr std::size_t kMostExactChars = std::numeric_limits<double>::digits10 + 1;  // and a point
  const bool is_exact = borrowed_digits.size() <= kMostExactChars &&
                        borrowed_digits.find('.') != std::string_view::npos;
  double as_real = 0;
  if (is_exact && std::from_chars(begin, end, as_real).ec == std::errc()) return real(as_real);
  return number(borrowed_digits);
}

bool isNumber(const Value& value) {
  return value.type == SUB0_INT || value.type == SUB0_DOUBLE || value.type == SUB0_NUMBER;
}

const Value* find(const Value& object, std::string_view key) {
  if (object.type != SUB0_OBJECT) return nullptr;
  const Member* const end = object.as.members + object.count;
  for (const Member* member = object.as.members; member != end; ++member) {
    if (toText(member->key) == key) return &member->value;
  }
  return nullptr;
}

const Value* at(const Value& array, std::size_t index) {
  if (array.type != SUB0_ARRAY || index >= array.count) return nullptr;
  return array.as.items + index;
}

Value copy(const Value& value, Arena& arena) {
  Value copied = value;
  switch (value.type) {
    case SUB0_NUMBER:
    case SUB0_TEXT:
    case SUB0_RAW:
      copied.as.text = arena.copy(chars(value)).data();
      break;
    case SUB0_ARRAY: {
      Value* items = arena.array<Value>(value.count);
      for (std::uint32_t i = 0; i < value.count; ++i) items[i] = copy(value.as.items[i], arena);
      copied.as.items = items;
      break;
    }
    case SUB0_OBJECT: {
      Member* members = arena.array<Member>(value.count);
      for (std::uint32_t i = 0; i < value.count; ++i) {
        members[i].key = toView(arena.copy(toText(value.as.members[i].key)));
        members[i].value = copy(value.as.members[i].value, arena);
      }
      copied.as.members = members;
      break;
    }
    default:
      break;
  }
  return copied;
}

bool isWellFormed(const Value& value, std::size_t max_bytes) {
  return Inspector(max_bytes).accepts(value, 0);
}

bool equals(const Value& a, const Value& b) {
  if (isNumber(a) && isNumber(b)) return equalNumbers(a, b);
  if (a.type != b.type) return false;
  switch (a.type) {
    case SUB0_BOOL:
      return a.as.i == b.as.i;
    case SUB0_TEXT:
    case SUB0_RAW:
      return chars(a) == chars(b);
    case SUB0_ARRAY:
      return a.count == b.count &&
             std::equal(a.as.items, a.as.items + a.count, b.as.items,
                        [](const Value& x, const Value& y) { return equals(x, y); });
    case SUB0_OBJECT:
      return equalObjects(a, b);
    default:
      return a.type == SUB0_NULL;
  }
}

}  // namespace sub0::json
