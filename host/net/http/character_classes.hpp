// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// The character classes of RFC 9110 and RFC 3986 that the parser decides by; one table lookup a
// byte.
namespace sub0::net::http {

inline constexpr std::uint8_t kTokenClass = 1;       // RFC 9110 section 5.6.2
inline constexpr std::uint8_t kFieldValueClass = 2;  // VCHAR, blank, tab, obs-text
inline constexpr std::uint8_t kTargetClass = 4;      // visible ASCII without '#'
inline constexpr std::uint8_t kHostClass = 8;        // reg-name without '%', RFC 3986 section 3.2.2

constexpr std::array<std::uint8_t, 256> makeCharacterClasses() {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&table](std::string_view characters, std::uint8_t bits) {
    for (const char c : characters) {
      table[static_cast<std::uint8_t>(c)] =
          static_cast<std::uint8_t>(table[static_cast<std::uint8_t>(c)] | bits);
    }
  };
  for (unsigned c = 0x20; c < 256; ++c) table[c] = c == 0x7F ? 0 : kFieldValueClass;
  mark("\t", kFieldValueClass);
  for (unsigned c = 0x21; c < 0x7F; ++c) {
    if (c != '#') table[c] = static_cast<std::uint8_t>(table[c] | kTargetClass);
  }
  mark("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kTokenClass | kHostClass);
  mark("!#$%&'*+-.^_`|~", kTokenClass);
  mark("-._~!$&'()*+;=", kHostClass);
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kCharacterClasses = makeCharacterClasses();

constexpr bool isOfClass(char c, std::uint8_t bits) {
  return (kCharacterClasses[static_cast<std::uint8_t>(c)] & bits) != 0;
}

constexpr bool isTokenCharacter(char c) { return isOfClass(c, kTokenClass); }

/// Value of a hexadecimal digit, or -1.
constexpr int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace sub0::net::http
