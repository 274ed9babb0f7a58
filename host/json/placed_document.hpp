// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "json/text_reader.hpp"
#include "json/value.hpp"

// A configuration file as a value tree in which every node knows its place. `//` and `/* */`
// comments and trailing commas are accepted (blanked to spaces of equal length, S-2); duplicate
// keys are reported, not merged. Not for messages.
namespace sub0::json {

struct Position {
  std::size_t line = 0;    // from 1; 0: unknown
  std::size_t column = 0;  // from 1, in code points
};

class PlacedDocument {
 public:
  /// Parses `text` (any size up to 16 MiB). On syntax errors problems() is not empty and root() is
  /// null; duplicate keys are problems too, but root() is there (the first one stays).
  explicit PlacedDocument(std::string text);

  const std::vector<TextProblem>& problems() const { return problems_; }
  const Value& root() const { return root_; }
  /// As it was given.
  const std::string& text() const { return text_; }
  Position positionOf(std::size_t offset) const;

  /// Byte offset of the value that `json_pointer` (RFC 6901) names; of the nearest ancestor that
  /// exists otherwise.
  std::size_t offsetOf(std::string_view json_pointer) const;
  /// Byte offset of the key of the member that `json_pointer` names (of the value where it is no
  /// member).
  std::size_t offsetOfKey(std::string_view json_pointer) const;

 private:
  struct Place {
    std::size_t key_offset;
    std::size_t value_offset;
  };
  void blankComments();
  void blankTrailingCommas();
  Place locate(std::string_view json_pointer) const;
  std::string pointerToKey(std::size_t key_offset) const;

  std::string text_;
  std::string blanked_;  // as long as text_; strict JSON
  Arena arena_;
  Value root_{};
  std::vector<TextProblem> problems_;
};

/// Appends "/segment" with `~` and `/` escaped (RFC 6901).
void appendPointerSegment(std::string& pointer, std::string_view segment);

/// The value at `json_pointer` below `root`, or null pointer.
const Value* resolvePointer(const Value& root, std::string_view json_pointer);

}  // namespace sub0::json
