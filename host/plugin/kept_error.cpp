// SPDX-License-Identifier: Apache-2.0
#include "plugin/kept_error.hpp"

#include <string>

#include "plugin/faults.hpp"

namespace sub0::plugin {

bool keepError(Plugin& plugin, std::string_view text) {
  const Life life = plugin.life.load(std::memory_order_acquire);
  if (life != Life::kCreating && life != Life::kStarting) return false;
  tellKeptError(plugin);
  noteError(plugin, text);
  return true;
}

void tellKeptError(Plugin& plugin) {
  std::string kept;
  {
    const std::lock_guard lock(plugin.error_mutex);
    kept.swap(plugin.last_error);
  }
  if (kept.empty() || !log::enabled(log::Level::kError)) return;
  logLine(log::Level::kError, "plugin", kept, plugin.callbacks.site);
}

}  // namespace sub0::plugin
