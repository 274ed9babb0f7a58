// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/problem.hpp"
#include "dialect/source_file.hpp"
#include "json/value.hpp"

// payload_validation (S-80, S-81), compiled at load. Checking allocates only for failures. Any
// thread.
namespace sub0::dialect {

enum class FieldType : std::uint8_t { kString, kNumber, kEmail };

/// One declared field.
struct FieldRule {
  std::string name;
  FieldType type = FieldType::kString;
  std::optional<std::uint64_t> min_length;  // code points
  std::optional<std::uint64_t> max_length;
};

class Validation {
 public:
  /// Nothing declared: everything passes.
  Validation() = default;

  /// Compiles the value of payload_validation, whose shape has been checked against its
  /// declaration; reports what cannot be run.
  static Validation compile(const json::Value& source, std::string_view pointer,
                            const SourceFile& file, Problems& problems);

  /// Appends one message per failing field ("email is not a valid email", "name is required", …);
  /// true if there was none. `from_texts`: the fields that came as text
  /// (query parameters), whose text may stand for a number (S-81).
  bool validate(const json::Value& payload, std::span<const std::string_view> from_texts,
                std::vector<std::string>& failures) const;

  bool empty() const { return fields_.empty(); }
  const std::vector<FieldRule>& fields() const { return fields_; }
  const FieldRule* find(std::string_view name) const;

 private:
  std::vector<FieldRule> fields_;
};

/// S-81: one `@`, a dotted domain, not under `.test` or `.localhost`.
bool isEmail(std::string_view text);

/// A JSON number and nothing else.
bool isNumberText(std::string_view text);

}  // namespace sub0::dialect
