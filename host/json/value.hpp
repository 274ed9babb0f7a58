// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.hpp"
#include "sub0/plugin.h"

// The host has one kind of JSON value: that of the plugin ABI, a 16-byte tagged struct that points
// into an arena, a message buffer, or static text. These are the small functions that make and read
// it; nothing here owns memory.
namespace sub0::json {

using Value = sub0_value;
using Member = sub0_member;

inline sub0_text_view toView(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view toText(const sub0_text_view& view) {
  return view.size == 0 ? std::string_view() : std::string_view(view.data, view.size);
}

inline Value null() { return Value{}; }
Value boolean(bool b);
Value integer(int64_t i);
Value real(double d);  // not finite: null
/// Borrowed text: a JSON string, a number kept as decimal text, or valid JSON text.
Value text(std::string_view borrowed);
Value number(std::string_view borrowed_digits);
Value raw(std::string_view borrowed_json);
/// An integer or a real, or all digits as they are where neither holds them. REQUIRES:
/// `borrowed_digits` are a JSON number.
Value ofDigits(std::string_view borrowed_digits);
Value array(const Value* borrowed_items, std::size_t count);
Value object(const Member* borrowed_members, std::size_t count);

inline bool isNull(const Value& value) { return value.type == SUB0_NULL; }
inline bool isText(const Value& value) { return value.type == SUB0_TEXT; }
inline bool isArray(const Value& value) { return value.type == SUB0_ARRAY; }
inline bool isObject(const Value& value) { return value.type == SUB0_OBJECT; }
bool isNumber(const Value& value);  // INT, DOUBLE or NUMBER

/// The number as a real: that of INT and DOUBLE exactly, other digits as the nearest double; where
/// no double comes near, infinite. REQUIRES: isNumber(number); `digits` are a JSON number.
long double toReal(const Value& number);
long double toReal(std::string_view digits);

/// The characters of TEXT, NUMBER or RAW.
inline std::string_view chars(const Value& value) {
  return value.count == 0 ? std::string_view() : std::string_view(value.as.text, value.count);
}

/// Member `key` of an object, or null pointer (also for other types).
const Value* find(const Value& object, std::string_view key);

/// Item `index` of an array, or null pointer (also for other types).
const Value* at(const Value& array, std::size_t index);

/// A deep copy whose every byte lives in `arena`.
Value copy(const Value& value, Arena& arena);

/// Whether the tree is well formed: known types, lengths, UTF-8, finite doubles, depth at most 260;
/// at most `max_bytes` of text and structs. For values that come from a plugin.
bool isWellFormed(const Value& value, std::size_t max_bytes);

/// Equal as JSON (object members in any order; 1 equals 1.0; RAW compares as text).
bool equals(const Value& a, const Value& b);

}  // namespace sub0::json
