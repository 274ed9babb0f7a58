// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "app/settings.hpp"
#include "call/plan_set.hpp"
#include "plugin/registry.hpp"

// What `run` does about the tables of the models (S-103), at its start and at a reload, and what
// the log says of it. Control thread.
namespace sub0::app {

/// SUB0_MIGRATE; empty: auto on the embedded database.
bool migratesByItself(const Settings& settings, const std::string& database);

/// What is wrong with SUB0_MIGRATE; empty: nothing.
std::string migrateSettingProblem(const Settings& settings);

enum class TablesEnd : std::uint8_t {
  kMade,
  kFailed,  // the log says why
  // By a signal that ends the process, while it waited for the database, or for a lock there; the
  // signal is pending still.
  kStopped,
};

/// Makes the tables. Where the database does not answer and `waits`, tries again until it does.
/// REQUIRES: the signals are blocked (blockSignals()).
TablesEnd makeTables(const plugin::Registry& registry, const call::PlanSet& plans, bool waits);

/// Has the log say, later, what `sub0-host migrate` would do; nothing where that is nothing.
void tellPendingChanges(const plugin::Registry& registry, const call::PlanSet& plans);

}  // namespace sub0::app
