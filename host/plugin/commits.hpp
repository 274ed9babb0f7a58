// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "plugin/plugin.hpp"
#include "plugin/preparation.hpp"

// The ends of transactions (sub0.call/1). A commit takes time and can fail, so it is a run with a
// ticket: the hook of a plugin is dressed as a handler, and all rules of runs (deadline, late and
// double ends, attribution, counting) hold for it as they stand.
namespace sub0::plugin {

struct RunningMark;

/// Keeps the hooks, and makes Plugin::commits of them. THREAD: control, in `create`.
void takeCallHooks(Plugin& plugin, const sub0_call_hooks& hooks, void* user);

/// What TicketTable runs to commit calls of `resource`. REQUIRES: the plugin has hooks. THREAD:
/// control.
PreparedAction commitOf(Plugin& plugin, std::string_view resource);

/// Has the plugin undo what a call did. THREAD: the loop of the call.
void rollback(const PreparedAction& commit, std::uint64_t call_id, RunningMark& mark);

}  // namespace sub0::plugin
