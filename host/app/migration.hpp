// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "call/plan_set.hpp"
#include "plugin/registry.hpp"

// Has the plugin that owns the database make the tables of the project's models (S-103), by
// sub0.schema/1: what a table is there, the host does not know.
namespace sub0::app {

struct MigrationStep {
  enum class Kind : std::uint8_t {
    kChange,
    kDestructive,
    kNote,
    kDone,  // of a migration that failed
  };
  Kind kind = Kind::kChange;
  std::string table;
  std::string text;
};

struct MigrationResult {
  std::int32_t code = SUB0_OK;
  std::string message;  // of a failure; then nothing was changed but for steps of kDone
  std::vector<MigrationStep> steps;

  std::size_t count(MigrationStep::Kind kind) const;
};

/// One project and one database. THREAD: control; `registry` and `plans` must outlive run(), not
/// what begin() began.
class Migration {
 public:
  Migration(const plugin::Registry& registry, const call::PlanSet& plans);

  bool hasModels() const { return !plans_.project().models().empty(); }
  /// Whether a plugin offers it.
  bool isPossible() const { return extension_.table != nullptr; }

  /// `flags`: SUB0_SCHEMA_… Calls `done` once, on a thread of the plugin, or before it returns
  /// where it could not begin. REQUIRES: isPossible(); the plugins are created.
  void begin(std::uint32_t flags, std::function<void(const MigrationResult&)> done) const;
  /// The same, and waits for the end.
  MigrationResult run(std::uint32_t flags) const;

 private:
  const call::PlanSet& plans_;
  plugin::Registry::Extension extension_;
};

}  // namespace sub0::app
