// SPDX-License-Identifier: Apache-2.0
#pragma once

// Classes of single ASCII characters; no locale.
namespace sub0 {

constexpr bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// What JSON calls whitespace (RFC 8259 section 2).
constexpr bool isSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// How a name of the dialect begins: a letter or `_`.
constexpr bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool isNameCharacter(char c) { return isNameStart(c) || isDigit(c); }

}  // namespace sub0
