// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plugin/plugin.hpp"

namespace sub0::plugin {

// What a plugin logs as an error, or throws, while it is created or started is mostly why that
// fails, and then the report of the failure tells it. So it is kept at first, and becomes a line of
// the log where another one follows, or where nothing has failed in the end. Whoever takes or tells
// the last one sets the plugin's life before, so that none is kept behind it. THREAD: any of the
// plugin.

/// Keeps the error, and logs the one that was kept before; false where the plugin is neither
/// created nor started: nobody will tell it.
bool keepError(Plugin& plugin, KeptError error);

/// What is kept, and is not any more.
KeptError takeKeptError(Plugin& plugin);

/// Logs what is kept.
void tellKeptError(Plugin& plugin);

}  // namespace sub0::plugin
