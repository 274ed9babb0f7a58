// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "plugin/plugin.hpp"

namespace sub0::plugin {

// What a plugin logs as an error while it is created or started is mostly why that fails, and then
// the report of the failure tells it. So it is kept at first, and becomes a line of the log where
// another one follows, or where nothing has failed in the end. THREAD: any of the plugin.

/// Keeps the error; false where the plugin is neither created nor started: nobody will tell it.
bool keepError(Plugin& plugin, std::string_view text);

/// Logs what is kept.
void tellKeptError(Plugin& plugin);

}  // namespace sub0::plugin
