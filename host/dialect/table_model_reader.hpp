// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dialect/problem.hpp"
#include "dialect/source_file.hpp"
#include "dialect/table_model.hpp"

// From the files of models/ to checked models, for ProjectLoader alone. Control thread.
namespace sub0::dialect {

/// The name of the file that settles tables; itself no model (S-101).
inline constexpr std::string_view kTableNamesFile = "_names.json";

/// Reads each file as a model, `names` (may be null) as _names.json, and resolves what models say
/// about each other (S-100).
std::vector<TableModel> readModels(const std::vector<std::unique_ptr<SourceFile>>& files,
                                   const SourceFile* names, bool strict, Problems& problems);

}  // namespace sub0::dialect
