// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace sub0::net::http {

/// Which web pages may call (S-54): ALLOWED_ORIGINS, compiled at start, immutable, any thread. The
/// same list judges the Origin of a WebSocket handshake. Without credentials mode: tokens
/// travel in headers, there are no cookies.
class CorsPolicy {
 public:
  /// Allows every origin.
  CorsPolicy() = default;

  /// `list`: origins parted by '|' or ',', each with or without scheme; empty or `*`: every origin.
  /// ERRORS: kBadRequest naming the entry that is no origin.
  static Result<CorsPolicy> parse(std::string_view list);

  bool allowsEveryOrigin() const { return allows_every_origin_; }

  /// Whether a page of `origin` may call; no Origin header: yes.
  bool allows(std::optional<std::string_view> origin) const;

  /// Appends the header lines that every reply carries.
  void appendHeaders(std::string& out, std::optional<std::string_view> origin) const;

  /// Appends the header lines of the answer to OPTIONS, those of appendHeaders included:
  /// `requested_headers` (Access-Control-Request-Headers) is echoed as far as it consists of names;
  /// `methods` as in "GET, POST, OPTIONS".
  void appendPreflightHeaders(std::string& out, std::optional<std::string_view> origin,
                              std::optional<std::string_view> requested_headers,
                              std::string_view methods) const;

 private:
  bool allows_every_origin_ = true;
  std::vector<std::string> origins_;  // "https://a.example:8443", lower case, no default port
};

}  // namespace sub0::net::http
