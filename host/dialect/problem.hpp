// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/placed_document.hpp"

// What is wrong in a project, with its place: loading never stops at the first error, it collects
// all of them from all files (S-2, S-24). Control thread only.
namespace sub0::dialect {

enum class Severity : std::uint8_t { kError, kWarning };

/// Where in the project's files. `position` is 0:0 where only the file, or the setting, is
/// known: then no line is shown.
struct Place {
  std::string file;     // as given and joined, for people
  std::string pointer;  // JSON pointer (RFC 6901) within the file
  json::Position position;
};

struct Problem {
  Severity severity = Severity::kError;
  Place place;
  std::string message;
  std::string suggestion;  // the name that was probably meant; may be empty
  std::string rule;        // "S-2"
};

class Problems {
 public:
  void error(Place place, std::string_view rule, std::string message, std::string suggestion = {});
  void warning(Place place, std::string_view rule, std::string message,
               std::string suggestion = {});
  /// A warning that --strict makes an error.
  void strictWarning(bool strict, Place place, std::string_view rule, std::string message,
                     std::string suggestion = {});
  void add(Problem problem);

  /// By file, line, column; exact repetitions are dropped.
  void sort();

  const std::vector<Problem>& all() const { return problems_; }
  std::size_t errorCount() const { return error_count_; }
  std::size_t warningCount() const { return problems_.size() - error_count_; }
  bool hasErrors() const { return error_count_ > 0; }
  bool empty() const { return problems_.empty(); }
  /// Whether one of the first `count` problems is an error at exactly this place.
  bool hasErrorAt(const Place& place, std::size_t count) const;

  /// Lines (without line and column where they are unknown) `file:line:column: error: message; did
  /// you mean "x"? [/pointer] (S-n)`.
  std::string toText() const;
  /// A JSON array of {severity, file, line, column, pointer, rule, message, suggestion}: always all
  /// eight, in this order; line and column are null where they are unknown, texts empty.
  std::string toJson() const;

 private:
  std::vector<Problem> problems_;
  std::size_t error_count_ = 0;
};

/// The line of one problem, without a line break.
std::string toLine(const Problem& problem);

}  // namespace sub0::dialect
