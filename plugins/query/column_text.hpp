// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace sub0::query {

// What the columns of both databases need on the way to JSON: instants in one form, bytes as
// base64, and a look whether a text is JSON before it is passed on as such. Pure, any thread. spec
// S-32

// "2024-01-02 03:04:05.678901+02" → "2024-01-02T01:04:05.678901Z": UTC, at least three digits
// behind the second; without a zone the text counts as UTC. False, and nothing written, where the
// text is no such instant ("infinity", BC).
bool toIsoUtc(std::string_view text, std::string& out);
// The same of a text that a client may have meant as an instant: 2024-02-29T13:14Z, with what RFC
// 3339 allows besides (t and z). False, too, where it has no zone.
bool toIsoUtcOfZone(std::string_view text, std::string& out);

std::string base64(std::string_view bytes);

// "\x0aff", PostgreSQL's text of bytea, as bytes. False: it is not that.
bool fromHex(std::string_view text, std::string& bytes);

// Whether the text is one JSON value that the host takes as it is: RFC 8259, valid UTF-8, no half
// of a surrogate pair, finite numbers, at most 200 levels deep.
bool isJson(std::string_view text);
// Whether the text is a JSON number.
bool isJsonNumber(std::string_view text);

bool isUtf8(std::string_view text);
// The text with U+FFFD for every byte that belongs to no character.
std::string toUtf8(std::string_view text);

}  // namespace sub0::query
