// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/pattern.hpp"
#include "dialect/problem.hpp"
#include "dialect/source_file.hpp"
#include "json/value.hpp"

// payload_validation (S-80, S-81), compiled at load. A client chooses how many elements it sends:
// the work is linear in them, and of the messages there are at most a hundred. Checking allocates
// only for failures (and for what RE2 notes down of a pattern's first texts). Any thread.
namespace sub0::dialect {

enum class FieldType : std::uint8_t {
  kString,
  kNumber,
  kEmail,
  kRecord,   // OBJECT
  kRecords,  // ARRAY
  kStrings,  // STRINGARRAY
  kBoolean,
  kDateTime,
  kUuid,
  kEnum,
};

/// Limits of a count: of code points, or of elements.
struct CountLimits {
  std::optional<std::uint64_t> least;
  std::optional<std::uint64_t> most;
};

/// An inclusive limit of a number, and how it is written.
struct NumberLimit {
  long double value = 0;
  std::string text;
};

/// One declared field, or a declared member of one.
struct FieldRule {
  std::string name;
  FieldType type = FieldType::kString;
  bool is_optional = false;
  CountLimits length;    // of a text
  CountLimits elements;  // of an array
  CountLimits items;     // of each text of a STRINGARRAY
  std::optional<NumberLimit> min;
  std::optional<NumberLimit> max;
  std::vector<json::Value> values;  // of an ENUM; their texts stay in the file
  std::string values_text;          // for people
  std::shared_ptr<const Pattern> pattern;
  std::vector<FieldRule> fields;  // members of an OBJECT, or of each element of an ARRAY
};

/// The messages of one call; when they are as many, one that says so is put behind them.
inline constexpr std::size_t kMaxFailures = 100;
/// `fields` within `fields`.
inline constexpr std::size_t kMaxFieldDepth = 32;

class Validation {
 public:
  /// Nothing declared: everything passes.
  Validation() = default;

  /// Compiles the value of payload_validation, whose shape has been checked against its
  /// declaration; reports what cannot be run. The file has to stay.
  static Validation compile(const json::Value& source, std::string_view pointer,
                            const SourceFile& file, Problems& problems);

  /// Appends one message per failing field ("email is not a valid email", "items.2.price must be a
  /// number", …), which hold nothing that the client sent; true if there was none. `from_texts`:
  /// the fields that came as text (query parameters), whose text may stand for a number or a
  /// boolean (S-81). Where `failures` is full, nothing is looked at.
  bool validate(const json::Value& payload, std::span<const std::string_view> from_texts,
                std::vector<std::string>& failures) const;

  bool empty() const { return fields_.empty(); }
  const std::vector<FieldRule>& fields() const { return fields_; }
  const FieldRule* find(std::string_view name) const;

 private:
  std::vector<FieldRule> fields_;
};

}  // namespace sub0::dialect
