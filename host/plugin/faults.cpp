// SPDX-License-Identifier: Apache-2.0
#include "plugin/faults.hpp"

#include <exception>
#include <string>

#include "base/time_units.hpp"
#include "plugin/host_table.hpp"
#include "plugin/kept_error.hpp"
#include "plugin/watchdog.hpp"

namespace sub0::plugin {
namespace {

/// False: enough has been said of this handler in this second. Without loops (`check`) all is said.
bool mayLog(Handler& handler, std::uint64_t* left_out) {
  const HostTable* table = handler.plugin->host.shared.load(std::memory_order_acquire);
  loop::Loop* clock = table == nullptr ? nullptr : table->loop(0);
  return clock == nullptr || handler.fault_log.allows(clock->io().monotonicNs(), left_out);
}

}  // namespace

const CallSite& Handler::siteOf(std::string_view resource) {
  if (resource.empty()) return site;
  const auto known = sites_.find(resource);
  if (known != sites_.end()) return known->second;
  const auto made = sites_.emplace(resource, CallSite{*this, {}}).first;
  made->second.resource = made->first;
  return made->second;
}

bool FaultLogLimit::allows(std::int64_t now_ns, std::uint64_t* left_out) {
  constexpr std::uint32_t kLinesPerSecond = 10;
  const std::int64_t second = now_ns / kNsPerSecond;
  if (second_.exchange(second, std::memory_order_relaxed) != second) {
    lines_.store(0, std::memory_order_relaxed);
  }
  if (lines_.fetch_add(1, std::memory_order_relaxed) >= kLinesPerSecond) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  *left_out = left_out_.exchange(0, std::memory_order_relaxed);
  return true;
}

void logLine(log::Level level, std::string_view event, std::string_view text,
             const CallSite& site) {
  const Plugin& plugin = *site.handler.plugin;
  if (&site.handler == &plugin.callbacks) {
    log::write(level, event, text, {{"plugin", plugin.id}});
  } else if (site.resource.empty()) {
    log::write(level, event, text, {{"plugin", plugin.id}, {"handler", site.handler.name}});
  } else {
    log::write(
        level, event, text,
        {{"plugin", plugin.id}, {"handler", site.handler.name}, {"resource", site.resource}});
  }
}

void logFault(const CallSite& site, std::string_view what) {
  if (keepError(*site.handler.plugin, {&site, true, std::string(what)})) return;
  writeFault(site, what);
}

void writeFault(const CallSite& site, std::string_view what) {
  std::uint64_t left_out = 0;
  if (!mayLog(site.handler, &left_out)) return;
  std::string message = "internal fault in plugin ";
  message.append(site.handler.plugin->id).append(": ").append(what);
  if (left_out > 0) message += " (" + std::to_string(left_out) + " lines were left out before)";
  logLine(log::Level::kError, "plugin_fault", message, site);
}

void onException(const CallSite& site, const char* function) {
  site.handler.counters.exceptions.fetch_add(1, std::memory_order_relaxed);
  std::string what(function);
  try {
    throw;
  } catch (const std::exception& exception) {
    what += " threw: ";
    what += exception.what();
  } catch (...) {
    what += " threw something that is no std::exception";
  }
  logFault(site, what);
}

void noteDuration(const CallSite& site, const char* function, std::int64_t duration_ns,
                  const RunningMark& mark) {
  if (duration_ns < Watchdog::kBudgetNs) return;
  if (mark.noted.load(std::memory_order_relaxed) == mark.number.load(std::memory_order_relaxed)) {
    return;
  }
  site.handler.counters.over_budget.fetch_add(1, std::memory_order_relaxed);
  std::uint64_t left_out = 0;
  if (!mayLog(site.handler, &left_out)) return;
  log::warning("plugin_slow", "a call held its loop longer than a plugin may",
               {{"plugin", site.handler.plugin->id},
                {"handler", site.handler.name},
                {"resource", site.resource},
                {"function", function},
                {"duration_ms", duration_ns / kNsPerMs}});
}

}  // namespace sub0::plugin
