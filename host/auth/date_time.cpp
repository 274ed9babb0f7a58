// SPDX-License-Identifier: Apache-2.0
#include "auth/date_time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "base/ascii.hpp"

namespace sub0::auth {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr std::int64_t kFirst = -62'167'219'200;  // 0000-01-01T00:00:00Z
constexpr std::int64_t kLast = 253'402'300'799;   // 9999-12-31T23:59:59Z

/// Takes the parts of a text from its front; `is_good` stays false once one was missing.
struct Reader {
  std::string_view rest;
  bool is_good = true;

  std::int64_t number(std::size_t digits, std::int64_t most) {
    std::int64_t value = 0;
    is_good =
        is_good && rest.size() >= digits &&
        std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(digits), isDigit);
    if (!is_good) return 0;
    for (std::size_t index = 0; index < digits; ++index) value = value * 10 + (rest[index] - '0');
    rest.remove_prefix(digits);
    is_good = value <= most;
    return value;
  }
  /// One of `marks`; returns it.
  char mark(std::string_view marks) {
    is_good = is_good && !rest.empty() && marks.find(rest.front()) != std::string_view::npos;
    if (!is_good) return '\0';
    const char found = rest.front();
    rest.remove_prefix(1);
    return found;
  }
};

/// Whether a fraction of a second that is not 0 follows; takes it.
bool takeFraction(Reader& reader) {
  if (!reader.is_good || reader.rest.empty() || reader.rest.front() != '.') return false;
  reader.rest.remove_prefix(1);
  const auto* const end = std::find_if_not(reader.rest.begin(), reader.rest.end(), isDigit);
  const auto size = static_cast<std::size_t>(end - reader.rest.begin());
  reader.is_good = size > 0;
  const bool is_some = reader.rest.substr(0, size).find_first_not_of('0') != std::string_view::npos;
  reader.rest.remove_prefix(size);
  return is_some;
}

}  // namespace

std::optional<std::int64_t> parseDateTime(std::string_view text) {
  Reader reader{text};
  const auto year = reader.number(4, 9999);
  reader.mark("-");
  const auto month = reader.number(2, 12);
  reader.mark("-");
  const auto day = reader.number(2, 31);
  reader.mark("Tt");
  const auto hour = reader.number(2, 23);
  reader.mark(":");
  const auto minute = reader.number(2, 59);
  reader.mark(":");
  const auto second = reader.number(2, 60);
  const bool has_fraction = takeFraction(reader);
  const char zone = reader.mark("Zz+-");
  std::int64_t offset_s = 0;
  if (zone == '+' || zone == '-') {
    const auto zone_hour = reader.number(2, 23);
    reader.mark(":");
    const auto zone_minute = reader.number(2, 59);
    offset_s = (zone_hour * 60 + zone_minute) * 60 * (zone == '+' ? 1 : -1);
  }
  const year_month_day date{std::chrono::year(static_cast<int>(year)),
                            std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!reader.is_good || !reader.rest.empty() || !date.ok()) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return days * kSecondsPerDay + (hour * 60 + minute) * 60 + second - offset_s +
         (has_fraction ? 1 : 0);
}

std::optional<std::string> formatDateTime(std::int64_t seconds) {
  if (seconds < kFirst || seconds > kLast) return std::nullopt;
  const auto at = std::chrono::sys_seconds(std::chrono::seconds(seconds));
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const year_month_day date(day);
  const std::int64_t of_day = (at - day).count();
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d+00:00",
                                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), static_cast<int>(of_day / 3600),
                                 static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace sub0::auth
