// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON values as a plugin reads and makes them. Value looks at a sub0_value that somebody else
// owns. Literal is a value written down in one expression, such as {{"text", name}, {"size", 3}}:
// it copies and allocates nothing, and is gone at the end of the expression, so pass it on at once
// (complete copies it). Tree owns what it holds, and can be built up and kept.
// THREAD: none of them is shared between threads while it changes.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sub0/plugin.h>

namespace sub0 {

constexpr sub0_text_view textView(std::string_view text) { return {text.data(), text.size()}; }
constexpr std::string_view stringView(const sub0_text_view& text) { return {text.data, text.size}; }

namespace detail {
// ERRORS: std::length_error, for what the ABI cannot carry.
constexpr uint32_t checkedCount(size_t count) {
  if (count > 0x7fffffffU) throw std::length_error("a sub0 value has at most 2^31-1 bytes");
  return static_cast<uint32_t>(count);
}
}  // namespace detail

struct Member;

// A value to read; one that is missing reads as null.
class Value {
 public:
  constexpr Value() = default;
  constexpr explicit Value(const sub0_value* value) : value_(value) {}
  constexpr Value(const sub0_value& value) : value_(&value) {}  // NOLINT: a view of it

  constexpr uint32_t type() const { return value_ ? value_->type : SUB0_NULL; }
  // False if it was not found; a null that stands there is found.
  constexpr explicit operator bool() const { return value_ != nullptr; }
  constexpr const sub0_value* raw() const { return value_; }
  constexpr bool isNull() const { return type() == SUB0_NULL; }
  constexpr bool isBool() const { return type() == SUB0_BOOL; }
  constexpr bool isInt() const { return type() == SUB0_INT; }
  constexpr bool isNumber() const { return type() >= SUB0_INT && type() <= SUB0_NUMBER; }
  constexpr bool isText() const { return type() == SUB0_TEXT; }
  constexpr bool isRaw() const { return type() == SUB0_RAW; }
  constexpr bool isArray() const { return type() == SUB0_ARRAY; }
  constexpr bool isObject() const { return type() == SUB0_OBJECT; }

  // The bytes of a text, of a number with all its digits, or of raw JSON; else empty.
  constexpr std::string_view asText() const {
    if (type() < SUB0_NUMBER || type() > SUB0_RAW) return {};
    return {value_->as.text, value_->count};
  }
  constexpr bool asBool(bool fallback = false) const {
    return isBool() ? value_->as.i != 0 : fallback;
  }
  // A number without a fraction that int64 can hold; else the fallback.
  int64_t asInt(int64_t fallback = 0) const {
    if (isInt()) return value_->as.i;
    if (!isNumber()) return fallback;
    const double number = asDouble();
    if (number != std::floor(number) || std::abs(number) >= 0x1p63) return fallback;
    return static_cast<int64_t>(number);
  }
  double asDouble(double fallback = 0) const {
    if (isInt()) return static_cast<double>(value_->as.i);
    if (type() == SUB0_DOUBLE) return value_->as.d;
    return type() == SUB0_NUMBER ? std::strtod(std::string(asText()).c_str(), nullptr) : fallback;
  }
  // Any scalar as text: true, 12, 0.5, the text itself; null and containers: empty.
  std::string toText() const {
    if (isInt()) return std::to_string(value_->as.i);
    if (isBool()) return asBool() ? "true" : "false";
    if (type() != SUB0_DOUBLE) return std::string(asText());
    char digits[32];
    for (int precision = 15; precision <= 17; ++precision) {
      std::snprintf(digits, sizeof digits, "%.*g", precision, value_->as.d);
      if (std::strtod(digits, nullptr) == value_->as.d) break;
    }
    return digits;
  }

  // Items of an array, members of an object; else 0.
  constexpr size_t size() const { return isArray() || isObject() ? value_->count : 0; }
  // REQUIRES: isArray(), index < size()
  constexpr Value operator[](size_t index) const { return Value(&value_->as.items[index]); }
  // The member of that key, or a missing value.
  constexpr Value find(std::string_view key) const;

  template <class Element, class View>
  struct Range {
    struct Iterator {
      const Element* at;
      constexpr View operator*() const { return View(*at); }
      constexpr Iterator& operator++() { return ++at, *this; }
      constexpr bool operator!=(const Iterator& other) const { return at != other.at; }
    };
    const Element* data;
    size_t count;
    constexpr Iterator begin() const { return {data}; }
    constexpr Iterator end() const { return {data + count}; }
  };
  // for (sub0::Value item : value.items())
  constexpr Range<sub0_value, Value> items() const {
    return {isArray() ? value_->as.items : nullptr, isArray() ? value_->count : size_t{0}};
  }
  // for (sub0::Member member : value.members())
  constexpr Range<sub0_member, Member> members() const {
    return {isObject() ? value_->as.members : nullptr, isObject() ? value_->count : size_t{0}};
  }

 private:
  const sub0_value* value_ = nullptr;
};

struct Member {
  std::string_view key;
  Value value;
  constexpr explicit Member(const sub0_member& member)
      : key(stringView(member.key)), value(member.value) {}
};

constexpr Value Value::find(std::string_view key) const {
  for (size_t i = 0; isObject() && i < value_->count; ++i)
    if (stringView(value_->as.members[i].key) == key) return Value(&value_->as.members[i].value);
  return {};
}

struct Pair;
class Tree;

// OWNERSHIP: borrows every text and array that it is made of; use it within its expression.
class Literal {
 public:
  constexpr Literal() = default;
  constexpr Literal(std::nullptr_t) {}
  template <class T, std::enable_if_t<std::is_same_v<T, bool>, int> = 0>
  constexpr Literal(T truth) {
    setInt(SUB0_BOOL, truth ? 1 : 0);
  }
  // Integers beyond int64 become doubles; number() keeps their digits.
  template <class T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, long> = 0>
  constexpr Literal(T integer) {
    if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8) {
      if (integer > uint64_t{0x7fffffffffffffff}) {
        value_.type = SUB0_DOUBLE;
        value_.as.d = static_cast<double>(integer);
        return;
      }
    }
    setInt(SUB0_INT, static_cast<int64_t>(integer));
  }
  Literal(double number) {  // infinities and NaN: null
    if (!std::isfinite(number)) return;
    value_.type = SUB0_DOUBLE;
    value_.as.d = number;
  }
  constexpr Literal(std::string_view text) { setText(SUB0_TEXT, text); }
  constexpr Literal(const char* text) : Literal(std::string_view(text)) {}
  Literal(const std::string& text) : Literal(std::string_view(text)) {}
  constexpr Literal(const sub0_value& value) : value_(value) {}
  constexpr Literal(Value value) {
    if (value) value_ = *value.raw();
  }
  Literal(const Tree& tree);
  Literal(std::initializer_list<Pair> object);

  static Literal array(std::initializer_list<Literal> items);
  static constexpr Literal array(const sub0_value* items, size_t count) {
    Literal made;
    made.value_.as.items = items;
    return made.setType(SUB0_ARRAY, count);
  }
  static constexpr Literal object(const sub0_member* members, size_t count) {
    Literal made;
    made.value_.as.members = members;
    return made.setType(SUB0_OBJECT, count);
  }
  // REQUIRES: a JSON number; all its digits stay.
  static constexpr Literal number(std::string_view digits) {
    return Literal().setText(SUB0_NUMBER, digits);
  }
  // REQUIRES: valid JSON
  static constexpr Literal rawJson(std::string_view json) {
    return Literal().setText(SUB0_RAW, json);
  }
  constexpr const sub0_value& raw() const { return value_; }

 private:
  constexpr void setInt(uint32_t type, int64_t integer) {
    value_.type = type;
    value_.as.i = integer;
  }
  constexpr Literal& setType(uint32_t type, size_t count) {
    value_.type = type;
    value_.count = detail::checkedCount(count);
    return *this;
  }
  constexpr Literal& setText(uint32_t type, std::string_view text) {
    value_.as.text = text.data();
    return setType(type, text.size());
  }
  sub0_value value_ = {SUB0_NULL, 0, {0}};
};

// A member of an object that is being written down; the same bytes as a sub0_member.
struct Pair {
  sub0_member member;
  Pair(std::string_view key, const Literal& value) : member{textView(key), value.raw()} {}
};
static_assert(sizeof(Pair) == sizeof(sub0_member) && sizeof(Literal) == sizeof(sub0_value));

namespace detail {
inline const sub0_member* membersOf(const Pair* first) { return first ? &first->member : nullptr; }
inline const sub0_value* itemsOf(const Literal* first) { return first ? &first->raw() : nullptr; }
}  // namespace detail

inline Literal::Literal(std::initializer_list<Pair> object)
    : Literal(Literal::object(detail::membersOf(object.begin()), object.size())) {}
inline Literal Literal::array(std::initializer_list<Literal> items) {
  return array(detail::itemsOf(items.begin()), items.size());
}

// OWNERSHIP: owns its texts, items and members.
class Tree {
 public:
  Tree() = default;
  Tree(const Literal& value) { assign(Value(value.raw())); }
  Tree(Value value) { assign(value); }
  Tree(std::initializer_list<Pair> object) : Tree(Literal(object)) {}
  Tree(const Tree& other) { assign(Value(other.raw())); }
  Tree(Tree&& other) noexcept { swap(other); }
  Tree& operator=(Tree other) noexcept { return swap(other), *this; }
  ~Tree() = default;

  static Tree array() { return Tree(Literal::array(nullptr, 0)); }
  static Tree object() { return Tree(Literal::object(nullptr, 0)); }

  // Appends an item; a null becomes an array first. REQUIRES: null or array.
  Tree& push(Tree item) {
    become(SUB0_ARRAY);
    children_.push_back(std::move(item));
    return setCount(children_.size());
  }
  // Sets or replaces a member; a null becomes an object first. REQUIRES: null or object.
  Tree& set(std::string_view key, Tree value) {
    become(SUB0_OBJECT);
    for (size_t i = 0; i < keys_.size(); ++i)
      if (keys_[i] == key) return children_[i] = std::move(value), *this;
    keys_.emplace_back(key);
    children_.push_back(std::move(value));
    return setCount(children_.size());
  }
  Value find(std::string_view key) const { return view().find(key); }
  // Valid until the tree changes or goes.
  const sub0_value& raw() const {
    if (value_.type == SUB0_ARRAY) {
      items_.clear();
      for (const Tree& child : children_) items_.push_back(child.raw());
      value_.as.items = items_.data();
    } else if (value_.type == SUB0_OBJECT) {
      members_.clear();
      for (size_t i = 0; i < keys_.size(); ++i)
        members_.push_back({textView(keys_[i]), children_[i].raw()});
      value_.as.members = members_.data();
    } else if (value_.type >= SUB0_NUMBER) {
      value_.as.text = text_.data();
    }
    return value_;
  }
  Value view() const { return Value(raw()); }

 private:
  void become(uint32_t type) {
    if (value_.type == SUB0_NULL) value_.type = type;
    if (value_.type != type) throw std::logic_error("a sub0::Tree of another type");
  }
  Tree& setCount(size_t count) {
    value_.count = detail::checkedCount(count);
    return *this;
  }
  void assign(Value value) {
    if (!value) return;
    value_ = *value.raw();
    text_ = value.asText();
    for (Value item : value.items()) children_.emplace_back(item);
    for (Member member : value.members()) {
      keys_.emplace_back(member.key);
      children_.emplace_back(member.value);
    }
  }
  void swap(Tree& other) noexcept {
    std::swap(value_, other.value_);
    text_.swap(other.text_);
    keys_.swap(other.keys_);
    children_.swap(other.children_);
    items_.swap(other.items_);
    members_.swap(other.members_);
  }

  mutable sub0_value value_ = {SUB0_NULL, 0, {0}};
  std::string text_;
  std::vector<std::string> keys_;
  std::vector<Tree> children_;
  mutable std::vector<sub0_value> items_;
  mutable std::vector<sub0_member> members_;
};

inline Literal::Literal(const Tree& tree) : value_(tree.raw()) {}

}  // namespace sub0
