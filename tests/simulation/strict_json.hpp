// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sub0::simulation {

/// JSON as a client reads it: small, strict (RFC 8259, UTF-8, no member twice), and nothing of the
/// host's, which it judges.
struct Json {
  enum class Type : unsigned char { kNull, kFalse, kTrue, kNumber, kText, kArray, kObject };
  Type type = Type::kNull;
  std::string text;  // of a number as it stands; of a text, decoded
  std::vector<Json> items;
  struct Member;
  std::vector<Member> members;

  static std::optional<Json> parse(std::string_view text);

  const Json* find(std::string_view name) const;
  bool isNull() const { return type == Type::kNull; }
  bool isText() const { return type == Type::kText; }
  /// Canonical: no spaces, members as they came.
  std::string toString() const;
};

/// A name and its value, read like a pair.
struct Json::Member {
  Member(std::string name, Json value) : first(std::move(name)), second(std::move(value)) {}
  std::string first;
  Json second;
};

/// `text` with quotes and escapes.
std::string quoted(std::string_view text);

/// Whether it is UTF-8 (no surrogates, shortest forms).
bool isStrictUtf8(std::string_view text);

}  // namespace sub0::simulation
