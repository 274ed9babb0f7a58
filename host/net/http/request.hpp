// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sub0::net::http {

struct Header {
  std::string_view name;   // as sent
  std::string_view value;  // without surrounding blanks; may hold bytes above 0x7F
};

/// One HTTP request as the parser found it: views into the read buffer or into the parser, valid
/// until the parser's next call. The owner keeps one object per loop and hands it in each time, so
/// that its vectors and texts keep their memory. What must live longer is copied.
struct Request {
  std::string_view method;  // "GET"; any token, case kept
  std::string path;         // decoded once, begins with '/', well-formed UTF-8; "*" for OPTIONS *
  std::string_view query;   // behind '?', as sent
  std::string_view host;    // of the Host header; empty in HTTP/1.0 without one
  std::vector<Header> headers;
  std::span<char> body;  // decoded; 64 readable bytes follow
  int minor_version = 1;
  bool keep_alive = true;           // HTTP/1.1 without `Connection: close`
  bool expects_continue = false;    // `Expect: 100-continue`
  bool connection_upgrade = false;  // `Connection` holds the token `upgrade`
  bool has_body = false;            // a Content-Length above 0, or chunks

  bool isGet() const { return method == "GET"; }
  bool isHead() const { return method == "HEAD"; }

  /// Value of the first header of that name, any case.
  std::optional<std::string_view> header(std::string_view name) const;

  /// How many headers have that name.
  std::size_t countHeaders(std::string_view name) const;

  /// Whether a list header (all lines of that name, parted by commas) holds `token`, any case.
  bool headerHasToken(std::string_view name, std::string_view token) const;
};

/// Whether a list parted by commas holds `token`, any case.
bool listHasToken(std::string_view list, std::string_view token);

/// Whether `text` is a token of RFC 9110 section 5.6.2 (not empty).
bool isToken(std::string_view text);

}  // namespace sub0::net::http
