// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "plugin/plugin.hpp"
#include "plugin/preparation.hpp"
#include "plugin/registry.hpp"

// Statements of the host itself (sub0.sql/1) that a call waits for: dressed as runs of a handler,
// so that all rules of runs (deadline, late ends, attribution, counting) hold for them.
namespace sub0::plugin {

/// Makes Plugin::statements. THREAD: control, once the plugin is created.
void takeStatements(Plugin& plugin);

/// What TicketTable runs to execute a statement for calls of `resource`: input 0 is its text, input
/// 1 the array of its parameters; the result is the rows. REQUIRES: `database` offers sub0.sql/1.
/// THREAD: control.
PreparedAction sqlRunOf(const Registry::Extension& database, std::string_view resource);

}  // namespace sub0::plugin
