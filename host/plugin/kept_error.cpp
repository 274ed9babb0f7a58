// SPDX-License-Identifier: Apache-2.0
#include "plugin/kept_error.hpp"

#include <utility>

#include "plugin/faults.hpp"

namespace sub0::plugin {
namespace {

void tell(const KeptError& error) {
  if (error.site == nullptr) return;
  if (error.is_fault) {
    writeFault(*error.site, error.text);
  } else if (log::enabled(log::Level::kError)) {
    logLine(log::Level::kError, "plugin", error.text, *error.site);
  }
}

}  // namespace

bool keepError(Plugin& plugin, KeptError error) {
  {
    const std::lock_guard lock(plugin.error_mutex);
    const Life life = plugin.life.load(std::memory_order_acquire);
    if (life != Life::kCreating && life != Life::kStarting) return false;
    std::swap(plugin.kept_error, error);
  }
  tell(error);
  return true;
}

KeptError takeKeptError(Plugin& plugin) {
  const std::lock_guard lock(plugin.error_mutex);
  return std::exchange(plugin.kept_error, {});
}

void tellKeptError(Plugin& plugin) { tell(takeKeptError(plugin)); }

}  // namespace sub0::plugin
