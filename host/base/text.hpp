// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Text in the forms that the outside speaks: UTF-8, percent encoding, base64, JSON strings, and
// nearest names.
namespace sub0::text {

/// Whether `bytes` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most
/// U+10FFFF).
bool isUtf8(std::string_view bytes);

/// Code points of well-formed UTF-8.
std::size_t countCodePoints(std::string_view utf8);
/// The text, or so many bytes of it at most, no character cut, and `...`.
std::string beginning(std::string_view utf8, std::size_t max_bytes);

/// Control characters, DEL, C1 controls and invalid bytes as \n, \x1b, …: safe for a terminal and a
/// log line.
std::string escapeControl(std::string_view bytes);

/// The text with U+FFFD for every byte that belongs to no character.
std::string wellFormed(std::string_view bytes);

/// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void appendJsonString(std::string& out, std::string_view text);

/// Decodes %XX once; nullopt for a bad escape. `plus_is_space`: as in query strings.
std::optional<std::string> percentDecode(std::string_view encoded, bool plus_is_space);

/// Base64 with the standard alphabet and padding (RFC 4648 section 4).
std::string base64Encode(std::string_view bytes);

/// Base64url without padding (RFC 4648 section 5).
std::string base64UrlEncode(std::string_view bytes);

/// Strict: no padding, no other characters, unused bits zero; nullopt otherwise.
std::optional<std::string> base64UrlDecode(std::string_view encoded);

bool equalsIgnoreCase(std::string_view a, std::string_view b);
std::string toLower(std::string_view ascii);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, std::string_view separators);

/// The candidate that `word` was probably meant to be (edit distance at most a third of its
/// length), or empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace sub0::text
