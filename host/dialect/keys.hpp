// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "dialect/problem.hpp"
#include "dialect/source_file.hpp"
#include "json/value.hpp"

// The one declaration of every key of the dialect: name, types, values, rule, text, and whether
// this version can run it. Checks, suggestions and places come from it; so does the schema. A key
// that the dialect names and this version cannot run is an error, never ignored (S-40).
namespace sub0::dialect {

/// JSON types as a set.
using JsonTypes = std::uint8_t;
inline constexpr JsonTypes kText = 1;
inline constexpr JsonTypes kWhole = 2;  // a whole number, 64 bits
inline constexpr JsonTypes kBool = 4;
inline constexpr JsonTypes kArray = 8;
inline constexpr JsonTypes kObject = 16;
inline constexpr JsonTypes kReal = 32;  // any other number
inline constexpr JsonTypes kAnyNumber = kWhole | kReal;
inline constexpr JsonTypes kAnyType = 255;

enum class Support : std::uint8_t {
  kYes,
  kNotYet,   // any use is an error
  kOffOnly,  // only values that mean "off" are accepted: false, 0, null
  kNever,    // refused for good
};

struct ObjectDeclaration;

struct KeyDeclaration {
  std::string_view name = {};
  JsonTypes types = kAnyType;
  JsonTypes item_types = kAnyType;  // of the items of an array
  Support support = Support::kYes;
  bool required = false;
  std::string_view rule = {};
  std::string_view text = {};                  // one line for people
  std::string_view values = {};                // "A|B": all that are allowed; empty: any
  std::string_view later_values = {};          // "C|D": named by the dialect, not supported yet
  const ObjectDeclaration* members = nullptr;  // of the object, or of the objects in the array
  std::int64_t least = INT64_MIN;              // of a whole number
  std::int64_t most = INT64_MAX;
  bool may_be_empty = true;         // a text, an array or an object
  bool may_be_off = false;          // an object: 0 and [] too mean that it is not there
  bool is_off_when_empty = false;   // and so does {}
  bool may_be_null = false;         // null is a value like any other, not a missing key
  std::string_view needs = {};      // a key that must stand beside it
  std::string_view unless = {};     // beside this key it is not required, and needs nothing
  std::string_view not_above = {};  // a key beside it whose number is no smaller than its own
  std::string_view of_types = {};   // "A|B": beside any other `type` it does nothing, nor is needed
  std::string_view mode = {};       // configures this mode of some plugin
  bool is_effect = false;           // done by some plugin, on actions of any mode
  bool is_of_later_plugin = false;  // no plugin of this version has that mode
};

struct ObjectDeclaration {
  std::string_view name;  // "resource", for messages
  const KeyDeclaration* keys = nullptr;
  std::size_t key_count = 0;
  const ObjectDeclaration* each = nullptr;  // the keys are free names, each of such an object

  const KeyDeclaration* find(std::string_view key) const;
  const KeyDeclaration* begin() const { return keys; }
  const KeyDeclaration* end() const { return keys + key_count; }
};

/// The roots; everything else hangs below them. Plugins add keys to actionables, so these are
/// checked on their own.
const ObjectDeclaration& resourceDeclaration();
const ObjectDeclaration& actionableDeclaration();
/// A file of models/ (S-100): free names, each a field.
const ObjectDeclaration& modelDeclaration();
/// The type of a field, which holds itself: its `fields` have types too.
const ObjectDeclaration& fieldTypeDeclaration();
/// The rule of what stands at `pointer`, relative to an actionable: that of the innermost declared
/// key on the way; "S-20" for keys of other people's plugins.
std::string_view ruleAt(std::string_view pointer);
/// All objects of resources.
const std::vector<const ObjectDeclaration*>& allDeclarations();

/// `object` without what is as if it was not there: null on every declared key, but for keys whose
/// value it may be, and false on keys that take an object. Exported files hold both. What remains
/// is shared with `object`; the rest lives in `memory`.
json::Value withoutAbsent(const json::Value& object, const ObjectDeclaration& declaration,
                          Arena& memory);

/// Where checkObject reports, and what it knows beside the declaration.
struct KeyCheck {
  const SourceFile& file;
  Problems& problems;
  bool strict = false;
  const std::vector<std::string>* more_keys = nullptr;  // of plugins, on the outermost object only
};

/// Checks one object and all declared below it: unknown keys (S-2), types, values, required keys,
/// support (S-40). True if no error was added.
bool checkObject(const json::Value& object, const ObjectDeclaration& declaration,
                 const std::string& pointer, const KeyCheck& check);

}  // namespace sub0::dialect
