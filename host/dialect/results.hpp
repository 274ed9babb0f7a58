// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "dialect/scope.hpp"
#include "json/value.hpp"

// What is done to results of actions (S-23, S-31, S-85, S-87): a result is null (no row), an object
// (one row), or an array (several). SUB0_RAW is opaque here: an action whose result is read must
// not give it (Actionable::result_is_read). Any thread; values go to the arena or are borrowed.
namespace sub0::dialect {

/// A compiled `extract` path.
class ExtractPath {
 public:
  ExtractPath() = default;
  explicit ExtractPath(std::string_view path);

  /// The value, null where the path leads nowhere (S-87). Borrows from `result`.
  json::Value read(const json::Value& result) const;

 private:
  struct Segment {
    std::string name;
    std::size_t index = 0;
    bool is_index = false;
  };
  std::vector<Segment> segments_;
  bool is_whole_ = false;  // "self_"
};

/// One element of extract_response_for.
struct Extraction {
  ExtractPath path;
  std::string name;  // `for`
};

/// One element of depends_on, resolved: indices into the actionables of the resource at hand.
struct Dependency {
  std::vector<std::size_t> actions;
  std::vector<Extraction> extractions;
};

/// No row at all: null, or an empty array.
bool hasNoRow(const json::Value& result);

/// Fills `out` (room for dependency.extractions.size()) from `results`, which is indexed like the
/// resource's actionables and holds results before returnables. With several actions the first that
/// has a row at the path serves. False: no row at all, so the dependent does not run (S-87).
bool extract(const Dependency& dependency, const json::Value* results, NamedValue* out);

/// Keeps the members `keys` (and `also_keep`, if not empty) of an object, or of each row of an
/// array (S-23); other values stay as they are.
json::Value keepMembers(const json::Value& result, const std::vector<std::string>& keys,
                        Arena& arena, std::string_view also_keep = {});

/// The opposite: without the members `keys`.
json::Value dropMembers(const json::Value& result, const std::vector<std::string>& keys,
                        Arena& arena);

/// combine_returned_results_from: objects merged in order (the later member wins); if any is an
/// array, all rows one after the other; nulls add nothing.
json::Value combine(const json::Value* results, std::size_t count, Arena& arena);

}  // namespace sub0::dialect
