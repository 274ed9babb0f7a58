// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// HTTP/1.1 responses as bytes: the status line, the headers that sub0 sends, a body of known
// length. Appends to the caller's text; no clock (the Date header is handed in), no socket.
namespace sub0::net::http {

struct ResponseHead {
  int status = 200;
  std::string_view content_type = "application/json";  // empty: no such header
  std::string_view date = {};                          // IMF-fixdate; empty: no such header
  std::string_view allow = {};                         // 405: "GET, POST, OPTIONS"
  int retry_after_s = -1;                              // below 0: no such header
  bool close = false;                                  // adds `Connection: close`
  bool is_head = false;                                // answer to HEAD: no body bytes
  std::string_view extra_lines = {};                   // whole lines with their CRLF (CORS, …)
};

/// Standard phrase of a status; "Unknown" for one that sub0 does not use.
std::string_view statusText(int status);

/// Appends head and body. 204 and 304 get neither Content-Length nor body.
void writeResponse(std::string& out, const ResponseHead& head, std::string_view body);

/// Appends `name: value CRLF`; CR, LF and NUL in the value are refused: nothing is appended and
/// false returned.
bool appendHeader(std::string& out, std::string_view name, std::string_view value);

/// What kSendContinue asks for.
inline constexpr std::string_view kContinueResponse = "HTTP/1.1 100 Continue\r\n\r\n";

/// An instant, in seconds since 1970, as IMF-fixdate (RFC 9110 section 5.6.7).
std::string formatDate(long long unix_seconds);

}  // namespace sub0::net::http
