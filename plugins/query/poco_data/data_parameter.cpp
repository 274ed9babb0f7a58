// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <string_view>

#include "column_text.hpp"
#include "parameter_text.hpp"
#include "poco_data/data_session.hpp"

namespace sub0::query {
namespace {

constexpr std::size_t kDecimalDigits = 65;  // of a DECIMAL
constexpr std::size_t kMostDecimals = 30;

DataParameter wholeParameter(std::int64_t integer) {
  DataParameter parameter;
  parameter.kind = DataParameter::Kind::kInteger;
  parameter.integer = integer;
  return parameter;
}

DataParameter textParameter(std::string text) {
  DataParameter parameter;
  parameter.kind = DataParameter::Kind::kText;
  parameter.text = std::move(text);
  return parameter;
}

bool fitsDecimal(std::string_view plain) {
  if (plain.find_first_of("eE") != std::string_view::npos) {
    return false;
  }
  const std::size_t point = plain.find('.');
  const std::size_t decimals = point == std::string_view::npos ? 0 : plain.size() - point - 1;
  return plain.size() <= kDecimalDigits && decimals <= kMostDecimals;
}

DataParameter numberParameter(std::string_view json) {
  std::string plain = plainDecimal(json);
  const char* const end = plain.data() + plain.size();
  std::int64_t whole = 0;
  std::uint64_t large = 0;
  if (const auto read = std::from_chars(plain.data(), end, whole);
      read.ec == std::errc() && read.ptr == end) {
    return wholeParameter(whole);
  }
  if (const auto read = std::from_chars(plain.data(), end, large);
      read.ec == std::errc() && read.ptr == end) {
    DataParameter parameter = wholeParameter(static_cast<std::int64_t>(large));
    parameter.kind = DataParameter::Kind::kUnsigned;
    return parameter;
  }
  DataParameter parameter = textParameter(std::move(plain));
  if (fitsDecimal(parameter.text)) {
    parameter.kind = DataParameter::Kind::kDecimal;
  }
  return parameter;
}

// A fraction goes as its shortest decimal, so that it compares with a DECIMAL as it was written.
DataParameter realParameter(double real) {
  if (std::floor(real) == real && std::fabs(real) < kExactWhole) {
    return wholeParameter(static_cast<std::int64_t>(real));
  }
  DataParameter parameter;
  parameter.text = plainDecimal(real);
  parameter.real = real;
  parameter.kind =
      fitsDecimal(parameter.text) ? DataParameter::Kind::kDecimal : DataParameter::Kind::kReal;
  return parameter;
}

}  // namespace

DataParameter toDataParameter(const sub0_value& value) {
  switch (value.type) {
    case SUB0_NULL:
      return DataParameter{};
    case SUB0_BOOL:
    case SUB0_INT:
      return wholeParameter(value.as.i);
    case SUB0_DOUBLE:
      return realParameter(value.as.d);
    case SUB0_NUMBER:
      return numberParameter(std::string_view(value.as.text, value.count));
    case SUB0_TEXT:
      return textParameter(std::string(value.count == 0 ? "" : value.as.text, value.count));
    default: {
      std::string json;
      appendJson(json, value);
      return textParameter(std::move(json));
    }
  }
}

DataParameter toRowCount(const sub0_value& value, bool is_offset) {
  DataParameter count = toDataParameter(value);
  if (count.kind == DataParameter::Kind::kText) {
    return numberParameter(count.text);
  }
  if (count.kind == DataParameter::Kind::kNull) {
    count.kind = DataParameter::Kind::kUnsigned;
    count.integer = is_offset ? 0 : -1;  // all bits: 18446744073709551615
  }
  return count;
}

bool toPlainInstant(const std::string& text, std::string& plain) {
  constexpr std::size_t kMicroseconds = 26;
  if (!toIsoUtcOfZone(text, plain)) {
    return false;
  }
  plain[10] = ' ';
  plain.pop_back();  // Z
  plain.resize(std::min(plain.size(), kMicroseconds));
  return true;
}

}  // namespace sub0::query
