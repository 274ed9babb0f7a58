// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dialect/source_file.hpp"

// The checked models of a project (S-100): what tables must hold. Plain data, made by Project,
// immutable afterwards, readable by any thread. How a database spells it is not known here.
namespace sub0::dialect {

enum class ModelType : std::uint8_t {
  kString,
  kNumber,
  kFloat,
  kBoolean,
  kDateTime,
  kJsonObject,
  kJsonArray
};

/// "String", "Number", ... as in the files.
std::string_view nameOf(ModelType type);

struct ForeignKey {
  std::size_t model = 0;  // among the project's models
  std::string key;        // a field of it
};

struct ModelField {
  std::string name;
  ModelType type = ModelType::kString;
  bool optional = false;
  bool primary_key = false;
  bool auto_increment = false;  // S-104
  bool indexable = false;
  bool fts = false;
  std::optional<std::int64_t> max_length;  // characters
  std::optional<ForeignKey> foreign_key;
};

struct TableModel {
  std::string name;  // the file's, without .json
  std::vector<ModelField> fields;
  std::optional<std::string> settled_table;  // by models/_names.json (S-101)
  Spot place;

  const ModelField* find(std::string_view field) const;
};

}  // namespace sub0::dialect
