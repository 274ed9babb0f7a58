// SPDX-License-Identifier: Apache-2.0
#include "net/http/response_writer.hpp"

#include <array>
#include <charconv>

namespace sub0::net::http {
namespace {

struct StatusRow {
  int status;
  std::string_view text;
};

constexpr std::array<StatusRow, 25> kStatusRows{{
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
}};

void appendNumber(std::string& out, unsigned long long number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void appendTwoDigits(std::string& out, long long number) {
  out.push_back(static_cast<char>('0' + number / 10 % 10));
  out.push_back(static_cast<char>('0' + number % 10));
}

}  // namespace

std::string_view statusText(int status) {
  for (const StatusRow& row : kStatusRows) {
    if (row.status == status) return row.text;
  }
  return "Unknown";
}

bool appendHeader(std::string& out, std::string_view name, std::string_view value) {
  constexpr std::string_view kForbidden("\r\n\0", 3);
  if (value.find_first_of(kForbidden) != value.npos) return false;
  out.append(name).append(": ").append(value).append("\r\n");
  return true;
}

void writeResponse(std::string& out, const ResponseHead& head, std::string_view body) {
  const bool has_no_content = head.status == 204 || head.status == 304;
  out.reserve(out.size() + 256 + head.extra_lines.size() + body.size());
  out.append("HTTP/1.1 ");
  appendNumber(out, static_cast<unsigned long long>(head.status));
  out.push_back(' ');
  out.append(statusText(head.status)).append("\r\n");
  if (!head.date.empty()) appendHeader(out, "Date", head.date);
  if (!has_no_content) {
    if (!head.content_type.empty()) appendHeader(out, "Content-Type", head.content_type);
    out.append("Content-Length: ");
    appendNumber(out, body.size());
    out.append("\r\n");
  }
  if (!head.allow.empty()) appendHeader(out, "Allow", head.allow);
  if (head.status == 401) out.append("WWW-Authenticate: Bearer\r\n");  // RFC 9110 11.6.1
  if (head.retry_after_s >= 0) {
    out.append("Retry-After: ");
    appendNumber(out, static_cast<unsigned long long>(head.retry_after_s));
    out.append("\r\n");
  }
  if (head.close) out.append("Connection: close\r\n");
  out.append(head.extra_lines).append("\r\n");
  if (!head.is_head && !has_no_content) out.append(body);
}

std::string formatDate(long long unix_seconds) {
  constexpr std::string_view kDays = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (unix_seconds < 0) unix_seconds = 0;
  const long long days = unix_seconds / 86400;
  const long long second_of_day = unix_seconds % 86400;
  // Civil date of a day number, with years that begin in March so that a leap day comes last.
  const long long shifted = days + 719468;
  const long long era = shifted / 146097;
  const long long day_of_era = shifted % 146097;
  const long long year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const long long day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const long long march_month = (5 * day_of_year + 2) / 153;
  const long long day = day_of_year - (153 * march_month + 2) / 5 + 1;
  const long long month = march_month < 10 ? march_month + 3 : march_month - 9;
  const long long year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::string out(kDays.substr(static_cast<std::size_t>(days % 7) * 3, 3));
  out.append(", ");
  appendTwoDigits(out, day);
  out.append(" ").append(kMonths.substr(static_cast<std::size_t>(month - 1) * 3, 3)).append(" ");
  appendTwoDigits(out, year / 100);
  appendTwoDigits(out, year);
  out.push_back(' ');
  appendTwoDigits(out, second_of_day / 3600);
  out.push_back(':');
  appendTwoDigits(out, second_of_day / 60 % 60);
  out.push_back(':');
  appendTwoDigits(out, second_of_day % 60);
  return out.append(" GMT");
}

}  // namespace sub0::net::http
