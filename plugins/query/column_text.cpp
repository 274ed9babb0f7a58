// SPDX-License-Identifier: Apache-2.0
#include "column_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

constexpr int kDeepestJson = 200;  // the host takes 256, and adds levels of its own

// A reader of fixed-width digits and signs.
struct Reader {
  std::string_view text;
  std::size_t at = 0;

  bool atEnd() const { return at >= text.size(); }
  char peek() const { return atEnd() ? '\0' : text[at]; }
  bool skip(char c) {
    if (peek() != c) {
      return false;
    }
    ++at;
    return true;
  }
  bool digits(int count, int& value) {
    value = 0;
    for (int i = 0; i < count; ++i, ++at) {
      if (!isDigit(peek())) {
        return false;
      }
      value = value * 10 + (peek() - '0');
    }
    return true;
  }
};

struct Instant {
  int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::string fraction;
  int offset_seconds = 0;
};

bool readOffset(Reader& reader, Instant& instant) {
  if (reader.atEnd() || reader.skip('Z') || reader.skip('z')) {
    return true;
  }
  const int sign = reader.peek() == '-' ? -1 : 1;
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!(reader.skip('+') || reader.skip('-')) || !reader.digits(2, hours)) {
    return false;
  }
  if (reader.skip(':') || isDigit(reader.peek())) {
    if (!reader.digits(2, minutes)) {
      return false;
    }
  }
  if (reader.skip(':') && !reader.digits(2, seconds)) {
    return false;
  }
  instant.offset_seconds = sign * (hours * 3600 + minutes * 60 + seconds);
  return true;
}

bool readInstant(std::string_view text, Instant& instant) {
  Reader reader{text};
  if (!reader.digits(4, instant.year) || !reader.skip('-') || !reader.digits(2, instant.month) ||
      !reader.skip('-') || !reader.digits(2, instant.day)) {
    return false;
  }
  if (!reader.atEnd()) {
    if (!(reader.skip(' ') || reader.skip('T') || reader.skip('t')) ||
        !reader.digits(2, instant.hour) || !reader.skip(':') || !reader.digits(2, instant.minute)) {
      return false;
    }
    if (reader.skip(':')) {
      if (!reader.digits(2, instant.second)) {
        return false;
      }
      if (reader.skip('.')) {
        while (isDigit(reader.peek())) {
          instant.fraction.push_back(reader.text[reader.at++]);
        }
      }
    }
    reader.skip(' ');
    if (!readOffset(reader, instant) || !reader.atEnd()) {
      return false;
    }
  }
  return instant.month >= 1 && instant.month <= 12 && instant.day >= 1 && instant.day <= 31 &&
         instant.hour <= 24 && instant.minute <= 59 && instant.second <= 60;
}

// Days since 1970-01-01 of a date of the Gregorian calendar, and back (the well-known arithmetic on
// eras of 400 years).
std::int64_t daysOf(int year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

void setDate(Instant& instant, std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  instant.day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  instant.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  instant.year = static_cast<int>(year_of_era + era * 400 + (instant.month <= 2 ? 1 : 0));
}

void toUtc(Instant& instant) {
  if (instant.offset_seconds == 0 && instant.hour < 24 && instant.second < 60) {
    return;
  }
  std::int64_t seconds = daysOf(instant.year, instant.month, instant.day) * 86400 +
                         std::int64_t{instant.hour} * 3600 + std::int64_t{instant.minute} * 60 +
                         instant.second - instant.offset_seconds;
  std::int64_t days = seconds / 86400;
  seconds -= days * 86400;
  if (seconds < 0) {
    seconds += 86400;
    --days;
  }
  setDate(instant, days);
  instant.hour = static_cast<int>(seconds / 3600);
  instant.minute = static_cast<int>(seconds / 60 % 60);
  instant.second = static_cast<int>(seconds % 60);
}

int hexValue(char c) {
  if (isDigit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Walks over JSON text without building anything.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : reader_{text} {}

  bool whole() {
    space();
    return value(0) && (space(), reader_.atEnd());
  }
  bool number() {
    reader_.skip('-');
    if (!reader_.skip('0') && !digits()) {
      return false;
    }
    if (reader_.skip('.') && !digits()) {
      return false;
    }
    if (reader_.skip('e') || reader_.skip('E')) {
      if (!reader_.skip('+')) {
        reader_.skip('-');
      }
      return digits();
    }
    return true;
  }
  bool atEnd() const { return reader_.atEnd(); }

 private:
  void space() {
    while (reader_.peek() == ' ' || reader_.peek() == '\t' || reader_.peek() == '\n' ||
           reader_.peek() == '\r') {
      ++reader_.at;
    }
  }

  bool digits() {
    const std::size_t begin = reader_.at;
    while (isDigit(reader_.peek())) {
      ++reader_.at;
    }
    return reader_.at > begin;
  }

  bool word(std::string_view expected) {
    if (reader_.text.substr(reader_.at, expected.size()) != expected) {
      return false;
    }
    reader_.at += expected.size();
    return true;
  }

  bool string() {
    if (!reader_.skip('"')) {
      return false;
    }
    while (!reader_.atEnd()) {
      const char c = reader_.text[reader_.at++];
      if (c == '"') {
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20 || (c == '\\' && !escape())) {
        return false;
      }
    }
    return false;
  }

  bool escape() {
    const char c = reader_.peek();
    ++reader_.at;
    if (c != 'u') {
      return c != '\0' && std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    }
    const int code = fourHexDigits();
    if (code < 0xD800 || code > 0xDFFF) {
      return code >= 0;
    }
    if (code > 0xDBFF || !reader_.skip('\\') || !reader_.skip('u')) {
      return false;
    }
    const int low = fourHexDigits();
    return low >= 0xDC00 && low <= 0xDFFF;
  }

  int fourHexDigits() {
    int code = 0;
    for (int i = 0; i < 4; ++i, ++reader_.at) {
      const int digit = hexValue(reader_.peek());
      if (digit < 0) {
        return -1;
      }
      code = code * 16 + digit;
    }
    return code;
  }

  bool value(int depth) {
    switch (reader_.peek()) {
      case '{':
        return members('}', depth, true);
      case '[':
        return members(']', depth, false);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return finiteNumber();
    }
  }

  bool finiteNumber() {
    const std::size_t begin = reader_.at;
    if (!number()) {
      return false;
    }
    const std::string_view digits = reader_.text.substr(begin, reader_.at - begin);
    if (digits.find_first_of("eE.") == std::string_view::npos) {
      return true;
    }
    double real = 0;
    return std::from_chars(digits.data(), digits.data() + digits.size(), real).ec == std::errc() ||
           std::isfinite(std::strtod(std::string(digits).c_str(), nullptr));
  }

  bool members(char close, int depth, bool with_keys) {
    if (depth >= kDeepestJson) {
      return false;
    }
    ++reader_.at;
    space();
    if (reader_.skip(close)) {
      return true;
    }
    do {
      space();
      if (with_keys && !(string() && (space(), reader_.skip(':')))) {
        return false;
      }
      space();
      if (!value(depth + 1)) {
        return false;
      }
      space();
    } while (reader_.skip(','));
    return reader_.skip(close);
  }

  Reader reader_;
};

// The bytes of the character that begins the text, 0 where none does (RFC 3629). Not empty.
std::size_t characterSize(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xC2 || first > 0xF4 || !follows(1)) {
    return 0;
  }
  if (first < 0xE0) {
    return 2;
  }
  if (first < 0xF0) {
    const bool is_wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F);
    return !is_wrong && follows(2) ? 3 : 0;
  }
  const bool is_wrong = (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return !is_wrong && follows(2) && follows(3) ? 4 : 0;
}

// How many bytes at the start of the text are ASCII, counted in eights.
std::size_t asciiBytes(std::string_view text) {
  std::size_t at = 0;
  for (std::uint64_t eight = 0; at + sizeof eight <= text.size(); at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & 0x8080808080808080U) != 0) {
      break;
    }
  }
  return at;
}

}  // namespace

bool toIsoUtc(std::string_view text, std::string& out) {
  Instant instant;
  if (!readInstant(text, instant)) {
    return false;
  }
  toUtc(instant);
  if (instant.year < 0 || instant.year > 9999) {
    return false;
  }
  while (instant.fraction.size() < 3) {
    instant.fraction.push_back('0');
  }
  while (instant.fraction.size() > 3 && instant.fraction.back() == '0') {
    instant.fraction.pop_back();
  }
  std::array<char, 80> head{};
  std::snprintf(head.data(), head.size(), "%04d-%02d-%02dT%02d:%02d:%02d.", instant.year,
                instant.month, instant.day, instant.hour, instant.minute, instant.second);
  out.assign(head.data());
  out.append(instant.fraction).push_back('Z');
  return true;
}

bool toIsoUtcOfZone(std::string_view text, std::string& out) {
  constexpr std::size_t kShortest = 17;  // 2024-02-29T13:14Z
  return text.size() >= kShortest && (text[10] == 'T' || text[10] == 't') &&
         text.find_first_of("Zz+-", kShortest - 1) != std::string_view::npos && toIsoUtc(text, out);
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const auto byte = [&](std::size_t offset) -> unsigned {
      return offset < left ? static_cast<unsigned char>(bytes[i + offset]) : 0U;
    };
    const unsigned group = byte(0) << 16U | byte(1) << 8U | byte(2);
    out.push_back(kAlphabet[group >> 18U & 63U]);
    out.push_back(kAlphabet[group >> 12U & 63U]);
    out.push_back(left > 1 ? kAlphabet[group >> 6U & 63U] : '=');
    out.push_back(left > 2 ? kAlphabet[group & 63U] : '=');
  }
  return out;
}

bool fromHex(std::string_view text, std::string& bytes) {
  if (text.size() < 2 || text.size() % 2 != 0 || text[0] != '\\' || text[1] != 'x') {
    return false;
  }
  bytes.clear();
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = hexValue(text[i]);
    const int low = hexValue(text[i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

bool isJson(std::string_view text) { return isUtf8(text) && JsonWalk(text).whole(); }

bool isJsonNumber(std::string_view text) {
  JsonWalk walk(text);
  return walk.number() && walk.atEnd();
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(asciiBytes(text));
    for (int i = 0; i < 8 && !text.empty(); ++i) {
      const std::size_t size = characterSize(text);
      if (size == 0) {
        return false;
      }
      text.remove_prefix(size);
    }
  }
  return true;
}

std::string toUtf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = characterSize(text);
    out.append(size == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

}  // namespace sub0::query
