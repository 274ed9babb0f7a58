// SPDX-License-Identifier: Apache-2.0
#include "dialect/text_formats.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/ascii.hpp"
#include "base/text.hpp"
#include "json/value.hpp"

namespace sub0::dialect {

namespace {

constexpr std::string_view kForbiddenDomains[] = {"test", "localhost"};

bool isHexDigit(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool isDomainCharacter(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Dotted: at least two labels, none empty, none with a hyphen at an end.
bool isDottedDomain(std::string_view domain) {
  std::size_t label_count = 0;
  while (true) {
    const std::size_t dot = domain.find('.');
    const std::string_view label = domain.substr(0, dot);
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), isDomainCharacter)) return false;
    ++label_count;
    if (dot != std::string_view::npos) {
      domain.remove_prefix(dot + 1);
      continue;
    }
    return label_count > 1 &&
           std::none_of(std::begin(kForbiddenDomains), std::end(kForbiddenDomains),
                        [&](std::string_view name) { return text::equalsIgnoreCase(label, name); });
  }
}

// Reads a text from its beginning; after a failure nothing more is found.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool isAtEnd() const { return rest_.empty(); }
  bool take(std::string_view one_of) {
    if (rest_.empty() || one_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// A number of exactly `count` digits, between the two; -1: there is none.
  int takeNumber(std::size_t count, int least, int most) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || !isDigit(rest_[i])) return -1;
      number = 10 * number + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return number < least || number > most ? -1 : number;
  }
  bool takeDigits() {
    const std::size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(count);
    return count > 0;
  }

 private:
  std::string_view rest_;
};

int daysOf(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && is_leap ? 29 : kDays[month - 1];
}

bool takeDate(Scanner& scanner) {
  const int year = scanner.takeNumber(4, 0, 9999);
  if (year < 0 || !scanner.take("-")) return false;
  const int month = scanner.takeNumber(2, 1, 12);
  return month > 0 && scanner.take("-") && scanner.takeNumber(2, 1, daysOf(year, month)) > 0;
}

bool takeHourAndMinute(Scanner& scanner) {
  return scanner.takeNumber(2, 0, 23) >= 0 && scanner.take(":") &&
         scanner.takeNumber(2, 0, 59) >= 0;
}

}  // namespace

bool isEmail(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || text.find('@', at + 1) != std::string_view::npos) {
    return false;
  }
  const std::string_view local = text.substr(0, at);
  const bool is_printable = std::all_of(local.begin(), local.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) != 0x7F;
  });
  return is_printable && isDottedDomain(text.substr(at + 1));
}

bool isNumberText(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && isDigit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t whole_begin = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[whole_begin] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size() && std::isfinite(json::toReal(text));
}

bool isDateTime(std::string_view text) {
  constexpr int kLeapSecond = 60;
  Scanner scanner(text);
  if (!takeDate(scanner) || !scanner.take("Tt") || !takeHourAndMinute(scanner)) return false;
  if (!scanner.take(":") || scanner.takeNumber(2, 0, kLeapSecond) < 0) return false;
  if (scanner.take(".") && !scanner.takeDigits()) return false;
  const bool has_zone = scanner.take("Zz") || (scanner.take("+-") && takeHourAndMinute(scanner));
  return has_zone && scanner.isAtEnd();
}

bool isUuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return text.size() == kForm.size() &&
         std::equal(text.begin(), text.end(), kForm.begin(),
                    [](char c, char form) { return form == '-' ? c == '-' : isHexDigit(c); });
}

}  // namespace sub0::dialect
