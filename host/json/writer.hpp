// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json/value.hpp"

namespace sub0::json {

/// Appends `value` as compact JSON. RAW is spliced as it is; NUMBER as its digits; doubles in their
/// shortest form that reads back the same, whole ones without point or exponent below 1e15.
void write(const Value& value, std::string& out);

inline std::string toString(const Value& value) {
  std::string out;
  write(value, out);
  return out;
}

/// Appends `text` as a JSON string (valid UTF-8 assumed; fast path for text without escapes).
void writeString(std::string_view text, std::string& out);

void writeInteger(int64_t value, std::string& out);
void writeDouble(double value, std::string& out);

}  // namespace sub0::json
