// SPDX-License-Identifier: Apache-2.0
#include "net/http/query_string.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace sub0::net::http {
namespace {

constexpr std::size_t kMaxUidBytes = 256;

/// Calls `take(name, value)` for each pair, both as sent; stops when it returns false.
template <typename Take>
bool forEachPair(std::string_view query, Take take) {
  while (true) {
    const auto ampersand = query.find('&');
    const auto pair = query.substr(0, ampersand);
    if (!pair.empty()) {
      const auto equals = pair.find('=');
      const auto value =
          equals == pair.npos ? std::string_view() : std::string_view(pair.substr(equals + 1));
      if (!take(pair.substr(0, equals), value)) return false;
    }
    if (ampersand == query.npos) return true;
    query.remove_prefix(ampersand + 1);
  }
}

std::optional<std::string> decode(std::string_view encoded, bool plus_is_space) {
  auto decoded = text::percentDecode(encoded, plus_is_space);
  if (!decoded || !text::isUtf8(*decoded)) return std::nullopt;
  return decoded;
}

/// C0 controls, DEL and the C1 controls U+0080…U+009F of well-formed UTF-8.
bool hasControlCharacter(std::string_view utf8) {
  for (std::size_t index = 0; index < utf8.size(); ++index) {
    const auto byte = static_cast<std::uint8_t>(utf8[index]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && static_cast<std::uint8_t>(utf8[index + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace

std::optional<QueryParameters> parseQuery(std::string_view query) {
  QueryParameters parameters;
  const bool good =
      forEachPair(query, [&parameters](std::string_view name, std::string_view value) {
        auto decoded_name = decode(name, true);
        auto decoded_value = decode(value, true);
        if (!decoded_name || !decoded_value) return false;
        if (decoded_name->find('\0') != std::string::npos) return false;
        if (decoded_value->find('\0') != std::string::npos) return false;
        parameters.emplace_back(std::move(*decoded_name), std::move(*decoded_value));
        return true;
      });
  if (!good) return std::nullopt;
  return parameters;
}

std::optional<std::string> parseUid(std::string_view query) {
  std::string uid;
  bool seen = false;
  const bool good = forEachPair(query, [&](std::string_view name, std::string_view value) {
    const auto decoded_name = decode(name, false);
    if (!decoded_name) return false;
    if (*decoded_name != "uid") return true;
    auto decoded = decode(value, false);
    if (seen || !decoded || decoded->size() > kMaxUidBytes || hasControlCharacter(*decoded)) {
      return false;
    }
    seen = true;
    uid = std::move(*decoded);
    return true;
  });
  if (!good) return std::nullopt;
  return uid;
}

}  // namespace sub0::net::http
