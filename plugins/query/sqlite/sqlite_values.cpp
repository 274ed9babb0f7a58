// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "column_text.hpp"
#include "parameter_text.hpp"
#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

// The digits of a number without sign, point, exponent and outer zeros, and where the point stands
// among them.
std::pair<std::string, long> digitsOf(std::string_view number) {
  std::string plain = plainDecimal(number);
  if (!plain.empty() && plain[0] == '-') {
    plain.erase(0, 1);
  }
  std::size_t point = plain.find('.');
  if (point == std::string::npos) {
    point = plain.size();
  } else {
    plain.erase(point, 1);
  }
  const std::size_t first = std::min(plain.find_first_not_of('0'), plain.size());
  plain.erase(plain.find_last_not_of('0') + 1);
  plain.erase(0, std::min(first, plain.size()));
  return {plain, static_cast<long>(point) - static_cast<long>(first)};
}

SqliteParameter integerParameter(std::int64_t value) {
  SqliteParameter parameter;
  parameter.type = SQLITE_INTEGER;
  parameter.integer = value;
  return parameter;
}

SqliteParameter realParameter(double value) {
  if (std::floor(value) == value && std::fabs(value) < kExactWhole) {
    return integerParameter(static_cast<std::int64_t>(value));
  }
  SqliteParameter parameter;
  parameter.type = SQLITE_FLOAT;
  parameter.real = value;
  return parameter;
}

SqliteParameter textParameter(std::string text) {
  SqliteParameter parameter;
  parameter.type = SQLITE_TEXT;
  parameter.text = std::move(text);
  return parameter;
}

SqliteParameter numberParameter(std::string_view digits) {
  std::int64_t whole = 0;
  const auto as_whole = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
  if (as_whole.ec == std::errc() && as_whole.ptr == digits.data() + digits.size()) {
    return integerParameter(whole);
  }
  double real = 0;
  const auto as_real = std::from_chars(digits.data(), digits.data() + digits.size(), real);
  if (as_real.ec == std::errc() && as_real.ptr == digits.data() + digits.size() &&
      std::isfinite(real) && digitsOf(digits) == digitsOf(plainDecimal(real))) {
    return realParameter(real);
  }
  return textParameter(plainDecimal(digits));
}

bool startsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string_view bytesOf(sqlite3_stmt* statement, int index) {
  const void* bytes = sqlite3_column_blob(statement, index);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
  return size == 0 ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

sub0_value integerValue(std::uint32_t type, std::int64_t integer) {
  sub0_value value{};
  value.type = type;
  value.as.i = integer;
  return value;
}

std::string uuidText(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(bytes[i])));
    text.append(i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "").append(hex.data());
  }
  return text;
}

sub0_value readText(std::string_view text, ColumnKind kind, ResultTree& tree) {
  if (kind != ColumnKind::kBlob && !isUtf8(text)) {
    return tree.text(SUB0_TEXT, toUtf8(text));
  }
  if (kind == ColumnKind::kJson && isJson(text)) {
    return tree.text(SUB0_RAW, text);
  }
  if (kind == ColumnKind::kInstant) {
    std::string instant;
    return tree.text(SUB0_TEXT, toIsoUtc(text, instant) ? std::string_view(instant) : text);
  }
  if (kind == ColumnKind::kNumeric && isJsonNumber(text)) {
    return tree.text(SUB0_NUMBER, text);
  }
  if (kind == ColumnKind::kBlob) {
    return tree.text(SUB0_TEXT, base64(text));
  }
  if (kind == ColumnKind::kBoolean) {
    const std::string word = capitals(text);
    if (word == "TRUE" || word == "FALSE") {
      return integerValue(SUB0_BOOL, word == "TRUE" ? 1 : 0);
    }
  }
  return tree.text(SUB0_TEXT, text);
}

sub0_value readReal(double real, ColumnKind kind, ResultTree& tree) {
  sub0_value value{};
  if (!std::isfinite(real)) {
    return value;
  }
  if (kind == ColumnKind::kNumeric) {
    return tree.text(SUB0_NUMBER, plainDecimal(real));
  }
  value.type = SUB0_DOUBLE;
  value.as.d = real;
  return value;
}

}  // namespace

SqliteParameter toSqlite(const sub0_value& value) {
  switch (value.type) {
    case SUB0_BOOL:
    case SUB0_INT:
      return integerParameter(value.as.i);
    case SUB0_DOUBLE:
      return realParameter(value.as.d);
    case SUB0_NUMBER:
      return numberParameter(std::string_view(value.as.text, value.count));
    case SUB0_TEXT:
      return textParameter(std::string(value.as.text == nullptr ? "" : value.as.text, value.count));
    case SUB0_NULL:
      return SqliteParameter{};
    default: {
      std::string json;
      appendJson(json, value);
      return textParameter(std::move(json));
    }
  }
}

int bindAll(sqlite3_stmt* statement, const SqliteParameters& parameters) {
  int status = SQLITE_OK;
  for (std::size_t i = 0; i < parameters.size() && status == SQLITE_OK; ++i) {
    const SqliteParameter& parameter = parameters[i];
    const int place = static_cast<int>(i) + 1;
    switch (parameter.type) {
      case SQLITE_INTEGER:
        status = sqlite3_bind_int64(statement, place, parameter.integer);
        break;
      case SQLITE_FLOAT:
        status = sqlite3_bind_double(statement, place, parameter.real);
        break;
      case SQLITE_TEXT:
        status = sqlite3_bind_text64(statement, place, parameter.text.data(), parameter.text.size(),
                                     SQLITE_STATIC, SQLITE_UTF8);
        break;
      default:
        status = sqlite3_bind_null(statement, place);
        break;
    }
  }
  return status;
}

ColumnKind kindOfDeclaredType(const char* declared_type) {
  const std::string type = declared_type == nullptr ? std::string() : capitals(declared_type);
  if (startsWith(type, "BOOL")) {
    return ColumnKind::kBoolean;
  }
  if (startsWith(type, "JSON")) {
    return ColumnKind::kJson;
  }
  if (startsWith(type, "TIMESTAMP") || startsWith(type, "DATETIME")) {
    return ColumnKind::kInstant;
  }
  if (startsWith(type, "NUMERIC") || startsWith(type, "DECIMAL")) {
    return ColumnKind::kNumeric;
  }
  if (startsWith(type, "UUID")) {
    return ColumnKind::kUuid;
  }
  return startsWith(type, "BLOB") || startsWith(type, "BYTEA") ? ColumnKind::kBlob
                                                               : ColumnKind::kByStorage;
}

sub0_value readColumn(sqlite3_stmt* statement, int index, ColumnKind kind, ResultTree& tree) {
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER: {
      const std::int64_t integer = sqlite3_column_int64(statement, index);
      const bool is_truth = kind == ColumnKind::kBoolean && (integer == 0 || integer == 1);
      return integerValue(is_truth ? SUB0_BOOL : SUB0_INT, integer);
    }
    case SQLITE_FLOAT:
      return readReal(sqlite3_column_double(statement, index), kind, tree);
    case SQLITE_TEXT:
      return readText(bytesOf(statement, index), kind, tree);
    case SQLITE_BLOB: {
      const std::string_view bytes = bytesOf(statement, index);
      const bool is_uuid = kind == ColumnKind::kUuid && bytes.size() == 16;
      return tree.text(SUB0_TEXT, is_uuid ? uuidText(bytes) : base64(bytes));
    }
    default:
      return sub0_value{};
  }
}

}  // namespace sub0::query
