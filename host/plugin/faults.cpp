// SPDX-License-Identifier: Apache-2.0
#include "plugin/faults.hpp"

#include <exception>
#include <string>

#include "plugin/watchdog.hpp"

namespace sub0::plugin {

void logLine(log::Level level, std::string_view event, std::string_view text,
             const Handler& handler, std::string_view resource) {
  const std::string& plugin = handler.plugin->id;
  if (&handler == &handler.plugin->callbacks) {
    log::write(level, event, text, {{"plugin", plugin}});
  } else if (resource.empty()) {
    log::write(level, event, text, {{"plugin", plugin}, {"handler", handler.name}});
  } else {
    log::write(level, event, text,
               {{"plugin", plugin}, {"handler", handler.name}, {"resource", resource}});
  }
}

void noteError(Plugin& plugin, std::string_view text) {
  const Life life = plugin.life.load(std::memory_order_acquire);
  if (life != Life::kCreating && life != Life::kStarting) return;
  const std::lock_guard lock(plugin.error_mutex);
  plugin.last_error = text;
}

void logFault(const Handler& handler, std::string_view what, std::string_view resource) {
  std::string message = "internal fault in plugin ";
  message += handler.plugin->id;
  message += ": ";
  message += what;
  noteError(*handler.plugin, what);
  logLine(log::Level::kError, "plugin_fault", message, handler, resource);
}

void onException(Handler& handler, std::string_view function, std::string_view resource) {
  handler.counters.exceptions.fetch_add(1, std::memory_order_relaxed);
  std::string what(function);
  try {
    throw;
  } catch (const std::exception& exception) {
    what += " threw: ";
    what += exception.what();
  } catch (...) {
    what += " threw something that is no std::exception";
  }
  logFault(handler, what, resource);
}

void noteDuration(Handler& handler, std::string_view resource, std::int64_t duration_ns,
                  const RunningMark& mark) {
  if (duration_ns < Watchdog::kBudgetNs) return;
  if (mark.noted.load(std::memory_order_relaxed) == mark.number.load(std::memory_order_relaxed)) {
    return;
  }
  handler.counters.over_budget.fetch_add(1, std::memory_order_relaxed);
  log::warning("plugin_slow", "a call held its loop longer than a plugin may",
               {{"plugin", handler.plugin->id},
                {"handler", handler.name},
                {"resource", resource},
                {"duration_ms", duration_ns / 1'000'000}});
}

}  // namespace sub0::plugin
