// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_cast_functions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "column_text.hpp"
#include "parameter_text.hpp"
#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

constexpr const char* kNoWhole = "a text that is no whole number is cast to a whole number";
constexpr const char* kNoNumber = "a text that is no number is cast to a number";
constexpr const char* kNoBoolean = "a text that is no boolean is cast to boolean";
constexpr const char* kNoDate = "what is no date, such as 2026-01-31, is cast to date";
constexpr const char* kTooLarge = "a number is too large for the type that it is cast to";

constexpr double kBeyondWhole = 9223372036854775808.0;  // 2^63

void fail(sqlite3_context* context, const char* message) {
  sqlite3_result_error(context, message, -1);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\r\f\v";
  const std::size_t first = std::min(text.find_first_not_of(kSpaces), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

std::string_view textOf(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return text == nullptr
             ? std::string_view()
             : std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

// "+07.50", " .5e3 " as a plain decimal; empty: it is no number.
std::string decimalOf(std::string_view text) {
  text = trimmed(text);
  const bool is_negative = !text.empty() && text[0] == '-';
  if (is_negative || (!text.empty() && text[0] == '+')) {
    text.remove_prefix(1);
  }
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string number(text.substr(0, digits));
  text.remove_prefix(digits);
  std::size_t behind = 0;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    behind = std::min(text.find_first_not_of("0123456789"), text.size());
    number.append(behind > 0 ? "." : "").append(text.substr(0, behind));
    text.remove_prefix(behind);
  }
  if (digits + behind == 0) {
    return {};
  }
  number.insert(0, digits == 0 ? "0" : "").append(text);  // what is left is an exponent
  number.erase(0, std::min(number.find_first_not_of('0'), number.size()));
  number.insert(0, number.empty() || number[0] < '0' || number[0] > '9' ? "0" : "");
  if (!isJsonNumber(number)) {
    return {};
  }
  number = plainDecimal(number);
  return number.find_first_of("eE") == std::string::npos ? (is_negative ? "-" : "") + number
                                                         : std::string();
}

// As it reads: 69.965, though the binary number is a little less.
std::string decimalOf(double real) {
  std::array<char, 40> digits{};
  std::snprintf(digits.data(), digits.size(), "%.15g", real);
  return plainDecimal(std::string_view(digits.data()));
}

void giveWhole(sqlite3_context* context, std::string_view digits, const char* error) {
  std::int64_t whole = 0;
  digits.remove_prefix(!digits.empty() && digits[0] == '+' ? 1 : 0);
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, whole);
  if (read.ec == std::errc::result_out_of_range) {
    fail(context, kTooLarge);
  } else if (read.ec != std::errc() || read.ptr != end) {
    fail(context, error);
  } else {
    sqlite3_result_int64(context, whole);
  }
}

void whole(sqlite3_context* context, int, sqlite3_value** values) {
  switch (sqlite3_value_type(values[0])) {
    case SQLITE_TEXT:
      giveWhole(context, trimmed(textOf(values[0])), kNoWhole);
      break;
    case SQLITE_FLOAT: {
      const double real = sqlite3_value_double(values[0]);
      if (!(real >= -kBeyondWhole && real < kBeyondWhole)) {
        fail(context, kTooLarge);
      } else if (std::floor(real) == real) {
        sqlite3_result_int64(context, static_cast<sqlite3_int64>(real));
      } else {
        giveWhole(context, roundedDecimal(decimalOf(real), 0), kNoWhole);
      }
      break;
    }
    default:
      sqlite3_result_value(context, values[0]);
  }
}

void number(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) != SQLITE_TEXT) {
    sqlite3_result_value(context, values[0]);
    return;
  }
  const std::string decimal = decimalOf(textOf(values[0]));
  if (decimal.empty()) {
    fail(context, kNoNumber);
  } else {
    sqlite3_result_text(context, decimal.data(), static_cast<int>(decimal.size()),
                        SQLITE_TRANSIENT);
  }
}

// What it gives as a text becomes a number by the CAST around it.
void decimal(sqlite3_context* context, int, sqlite3_value** values) {
  const int type = sqlite3_value_type(values[0]);
  if (type == SQLITE_NULL || type == SQLITE_BLOB) {
    sqlite3_result_value(context, values[0]);
    return;
  }
  const double real = type == SQLITE_FLOAT ? sqlite3_value_double(values[0]) : 0;
  if (!std::isfinite(real)) {
    fail(context, kTooLarge);
    return;
  }
  const std::string given = type == SQLITE_FLOAT ? decimalOf(real) : decimalOf(textOf(values[0]));
  if (given.empty()) {
    fail(context, kNoNumber);
    return;
  }
  const auto behind = static_cast<std::size_t>(sqlite3_value_int(values[2]));
  const std::string rounded = roundedDecimal(given, behind);
  const std::size_t first = std::min(rounded.find_first_not_of("-0"), rounded.size());
  const std::size_t point = std::min(rounded.find('.'), rounded.size());
  if (point > first &&
      point - first + behind > static_cast<std::size_t>(sqlite3_value_int(values[1]))) {
    fail(context, kTooLarge);
  } else if (type == SQLITE_INTEGER) {
    sqlite3_result_value(context, values[0]);
  } else if (type == SQLITE_FLOAT) {
    double made = 0;
    std::from_chars(rounded.data(), rounded.data() + rounded.size(), made);
    sqlite3_result_double(context, made + 0.0);  // no -0
  } else {
    sqlite3_result_text(context, rounded.data(), static_cast<int>(rounded.size()),
                        SQLITE_TRANSIENT);
  }
}

void boolean(sqlite3_context* context, int, sqlite3_value** values) {
  const int type = sqlite3_value_type(values[0]);
  if (type == SQLITE_NULL) {
    return;
  }
  const std::optional<bool> truth = type == SQLITE_TEXT
                                        ? booleanOf(textOf(values[0]))
                                        : std::optional<bool>(sqlite3_value_double(values[0]) != 0);
  if (truth) {
    sqlite3_result_int(context, *truth ? 1 : 0);
  } else {
    fail(context, kNoBoolean);
  }
}

// SQLite's own date() makes a day of the 31st of February, and of any number.
bool isDay(std::string_view text) {
  std::string instant;
  if (!toIsoUtc(text, instant)) {
    return false;
  }
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + text[at + 1] - '0'; };
  const int year = two(0) * 100 + two(2);
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int month = two(5);
  return two(8) <= kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap ? 1 : 0);
}

void day(sqlite3_context* context, int, sqlite3_value** values) {
  const int type = sqlite3_value_type(values[0]);
  if (type == SQLITE_NULL) {
    return;
  }
  const std::string_view text =
      type == SQLITE_TEXT ? trimmed(textOf(values[0])) : std::string_view();
  const std::string word = smallLetters(text);
  std::string instant;
  if (word == "now" || word == "today") {
    sqlite3_result_text(context, "now", -1, SQLITE_STATIC);
  } else if (isDay(text)) {
    toIsoUtc(text, instant);
    sqlite3_result_text(context, instant.data(), 10, SQLITE_TRANSIENT);
  } else {
    fail(context, kNoDate);
  }
}

}  // namespace

void addCastFunctions(sqlite3* database) {
  using Function = void (*)(sqlite3_context*, int, sqlite3_value**);
  const auto add = [&](const char* name, int count, Function function) {
    sqlite3_create_function(database, name, count,
                            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nullptr,
                            function, nullptr, nullptr);
  };
  add("sub0_whole", 1, whole);
  add("sub0_number", 1, number);
  add("sub0_decimal", 3, decimal);
  add("sub0_boolean", 1, boolean);
  add("sub0_day", 1, day);
}

bool isErrorOfCast(std::string_view message) {
  return message == kNoWhole || message == kNoNumber || message == kNoBoolean ||
         message == kNoDate || message == kTooLarge;
}

std::optional<bool> booleanOf(std::string_view text) {
  const std::string word = smallLetters(trimmed(text));
  const auto begins = [&](std::string_view whole_word, std::size_t least) {
    return word.size() >= least && whole_word.substr(0, word.size()) == word;
  };
  if (begins("true", 1) || begins("yes", 1) || word == "on" || word == "1") {
    return true;
  }
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0") {
    return false;
  }
  return std::nullopt;
}

std::string roundedDecimal(std::string_view plain, std::size_t digits) {
  const std::size_t point = plain.find('.');
  if (point == std::string_view::npos || plain.size() - point - 1 <= digits) {
    return std::string(plain);
  }
  const bool is_up = plain[point + 1 + digits] >= '5';
  std::string made(plain.substr(0, digits == 0 ? point : point + 1 + digits));
  const std::size_t first = made[0] == '-' ? 1 : 0;
  for (std::size_t i = made.size(); is_up && i-- > first;) {
    if (made[i] == '.') {
      continue;
    }
    if (made[i] != '9') {
      ++made[i];
      return made;
    }
    made[i] = '0';
    if (i == first) {
      made.insert(first, 1, '1');
    }
  }
  return made;
}

}  // namespace sub0::query
