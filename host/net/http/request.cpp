// SPDX-License-Identifier: Apache-2.0
#include "net/http/request.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "net/http/character_classes.hpp"

namespace sub0::net::http {

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (text::equalsIgnoreCase(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::size_t Request::countHeaders(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(),
      [name](const Header& header) { return text::equalsIgnoreCase(header.name, name); }));
}

bool Request::headerHasToken(std::string_view name, std::string_view token) const {
  for (const Header& header : headers) {
    if (!text::equalsIgnoreCase(header.name, name)) continue;
    if (listHasToken(header.value, token)) return true;
  }
  return false;
}

bool listHasToken(std::string_view list, std::string_view token) {
  while (true) {
    const auto comma = list.find(',');
    if (text::equalsIgnoreCase(text::trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

bool isToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), isTokenCharacter);
}

}  // namespace sub0::net::http
