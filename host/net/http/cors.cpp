// SPDX-License-Identifier: Apache-2.0
#include "net/http/cors.hpp"

#include <algorithm>

#include "base/contains.hpp"
#include "base/text.hpp"
#include "net/http/request.hpp"
#include "net/http/response_writer.hpp"

namespace sub0::net::http {
namespace {

constexpr std::string_view kPreflightMaxAge = "600";

struct Origin {
  std::string scheme;  // lower case; empty: none given
  std::string host;    // lower case, with the port unless it is the scheme's own
};

bool isHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
         c == ':' || c == '[' || c == ']';
}

bool endsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// What follows the colon behind the host is a number; `https:host` is no origin.
bool hasPortOrNone(std::string_view host) {
  const auto colon = host.find(':', host.find(']') == host.npos ? 0 : host.find(']'));
  if (colon == host.npos) return true;
  const std::string_view port = host.substr(colon + 1);
  return !port.empty() &&
         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `scheme://host[:port]` or `host[:port]`, nothing behind.
std::optional<Origin> parseOrigin(std::string_view text) {
  Origin origin;
  std::string lower = text::toLower(text);
  const auto mark = lower.find("://");
  if (mark != std::string::npos) {
    origin.scheme = lower.substr(0, mark);
    lower.erase(0, mark + 3);
    if (!isToken(origin.scheme)) return std::nullopt;
  }
  const bool ipv6 = !lower.empty() && lower.front() == '[';
  const std::string_view default_port = origin.scheme == "http"    ? ":80"
                                        : origin.scheme == "https" ? ":443"
                                                                   : "";
  if (!default_port.empty() && endsWith(lower, default_port)) {
    lower.resize(lower.size() - default_port.size());
  }
  if (lower.empty() || !std::all_of(lower.begin(), lower.end(), isHostCharacter)) {
    return std::nullopt;
  }
  if (!ipv6 && std::count(lower.begin(), lower.end(), ':') > 1) return std::nullopt;
  if (!hasPortOrNone(lower)) return std::nullopt;
  origin.host = std::move(lower);
  return origin;
}

std::string withScheme(const Origin& origin) { return origin.scheme + "://" + origin.host; }

/// The names of the list that are header names, parted by ", ".
std::string cleanNames(std::string_view list) {
  std::string names;
  for (const auto name : text::split(list, ",")) {
    if (!isToken(name)) continue;
    if (!names.empty()) names.append(", ");
    names.append(name);
  }
  return names;
}

}  // namespace

Result<CorsPolicy> CorsPolicy::parse(std::string_view list) {
  CorsPolicy policy;
  bool any_named = false;
  bool star = false;
  for (auto entry : text::split(list, "|,")) {
    if (entry.empty()) continue;
    if (entry == "*") {
      star = true;
      continue;
    }
    if (entry.back() == '/') entry.remove_suffix(1);
    auto origin = parseOrigin(entry);
    // Pages without an origin, such as files, send "null"; it stands for nobody.
    if (!origin || (origin->scheme.empty() && origin->host == "null")) {
      std::string message(1, '\'');
      message.append(text::escapeControl(entry));
      message.append("' is no origin: write https://host, https://host:port or host");
      return makeError(Code::kBadRequest, std::move(message));
    }
    any_named = true;
    if (origin->scheme.empty()) {
      // Browsers leave the scheme's own port out.
      for (const char* scheme : {"http", "https"}) {
        auto with_scheme = parseOrigin(std::string(scheme) + "://" + origin->host);
        if (with_scheme) policy.origins_.push_back(withScheme(*with_scheme));
      }
    } else {
      policy.origins_.push_back(withScheme(*origin));
    }
  }
  policy.allows_every_origin_ = star || !any_named;
  return policy;
}

bool CorsPolicy::allows(std::optional<std::string_view> origin) const {
  if (allows_every_origin_ || !origin) return true;
  const auto parsed = parseOrigin(*origin);
  if (!parsed || parsed->scheme.empty()) return false;
  return contains(origins_, withScheme(*parsed));
}

void CorsPolicy::appendHeaders(std::string& out, std::optional<std::string_view> origin) const {
  if (allows_every_origin_) {
    out.append("Access-Control-Allow-Origin: *\r\n");
    return;
  }
  if (origin && allows(origin)) appendHeader(out, "Access-Control-Allow-Origin", *origin);
  out.append("Vary: Origin\r\n");
}

void CorsPolicy::appendPreflightHeaders(std::string& out, std::optional<std::string_view> origin,
                                        std::optional<std::string_view> requested_headers,
                                        std::string_view methods) const {
  appendHeaders(out, origin);
  if (!allows(origin)) return;
  appendHeader(out, "Access-Control-Allow-Methods", methods);
  const std::string names = cleanNames(requested_headers.value_or(""));
  if (!names.empty()) appendHeader(out, "Access-Control-Allow-Headers", names);
  appendHeader(out, "Access-Control-Max-Age", kPreflightMaxAge);
}

}  // namespace sub0::net::http
