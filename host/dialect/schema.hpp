// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dialect/project.hpp"

// The JSON Schema (draft-07) of resource and model files, made from the declarations that check()
// uses, so that editors say while somebody types what the host would say at start: names, types,
// values, ranges, required keys, keys of later versions. What a schema cannot say (references
// between actions, routes, accessors, SQL) is left to `check`. Pure; any thread.
namespace sub0::dialect {

struct SchemaOptions {
  /// What plugins offer, with the schemas of keys that the dialect does not declare. No mode at
  /// all: those of the plugins that come with this version.
  std::vector<ModeDeclaration> modes;
  std::vector<EffectDeclaration> effects;
  bool strict = false;  // unknown keys are refused, as by `check --strict` (S-2)
};

/// The schema as text, indented, with a line break at its end.
std::string resourceSchema(const SchemaOptions& options);

/// The same of a model file (S-100).
std::string modelSchema(const SchemaOptions& options);

}  // namespace sub0::dialect
