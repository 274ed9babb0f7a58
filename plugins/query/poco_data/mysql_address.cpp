// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_address.hpp"

#include <Poco/Exception.h>
#include <Poco/URI.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace sub0::query {
namespace {

constexpr const char* kShape = "write mysql://USER:PASSWORD@HOST:PORT/NAME";

std::string decoded(std::string_view part) {
  std::string text;
  Poco::URI::decode(std::string(part), text);
  return text;
}

// Takes what stands before `sign` off the text; all of it where there is none.
std::string_view takeBefore(std::string_view& text, char sign) {
  const std::size_t at = text.find(sign);
  const std::string_view taken = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return taken;
}

bool readPort(std::string_view text, unsigned& port) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() && port > 0 &&
         port < 65536;
}

bool readHost(std::string_view text, MysqlAddress& address) {
  std::string_view port;
  if (!text.empty() && text[0] == '[') {  // [::1]:3306
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return false;
    }
    address.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && port[0] != ':') {
      return false;
    }
    port.remove_prefix(port.empty() ? 0 : 1);
  } else {
    address.host = decoded(takeBefore(text, ':'));
    port = text;
  }
  return port.empty() || readPort(port, address.port);
}

bool readOption(std::string_view option, MysqlAddress& address) {
  const std::string name(takeBefore(option, '='));
  const std::string value = decoded(option);
  if (name == "socket") {
    address.socket = value;
  } else if (name == "ssl_ca") {
    address.ssl_ca = value;
    address.needs_ssl = true;
  } else if (name == "ssl" && (value == "required" || value == "off")) {
    address.needs_ssl = value == "required";
  } else {
    return false;
  }
  return !value.empty();
}

}  // namespace

bool MysqlAddress::parse(const std::string& url, std::string& error) {
  std::string_view rest = url;
  rest.remove_prefix(std::min(rest.find("://") + 3, rest.size()));
  try {
    std::string_view options = rest;
    rest = takeBefore(options, '?');
    std::string_view path = rest;
    std::string_view authority = takeBefore(path, '/');
    const std::size_t at = authority.rfind('@');
    std::string_view who =
        at == std::string_view::npos ? std::string_view() : authority.substr(0, at);
    authority.remove_prefix(at == std::string_view::npos ? 0 : at + 1);
    user = decoded(takeBefore(who, ':'));
    password = decoded(who);
    database = decoded(path);
    if (!readHost(authority, *this)) {
      error = std::string("DATABASE_URL: the host or port cannot be read; ") + kShape;
      return false;
    }
    while (!options.empty()) {
      const std::string_view option = takeBefore(options, '&');
      if (!readOption(option, *this)) {
        error = "DATABASE_URL: cannot use '" + std::string(option.substr(0, option.find('='))) +
                "'; there are socket=PATH, ssl=required, ssl=off, ssl_ca=PATH";
        return false;
      }
    }
  } catch (const Poco::Exception&) {
    error = std::string("DATABASE_URL: a % stands before no two digits; ") + kShape;
    return false;
  }
  if (user.empty() || database.empty() || database.find('/') != std::string::npos ||
      (host.empty() && socket.empty())) {
    error = std::string("DATABASE_URL names no user, host or database; ") + kShape;
    return false;
  }
  return true;
}

}  // namespace sub0::query
