// SPDX-License-Identifier: Apache-2.0
// Registry: create, start, stop, destroy of all plugins, in the order of the contract.
#include <cassert>
#include <charconv>
#include <utility>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "plugin/faults.hpp"
#include "plugin/host_table.hpp"
#include "plugin/kept_error.hpp"
#include "plugin/registry.hpp"
#include "plugin/sql_runs.hpp"
#include "sub0/sql.h"

namespace sub0::plugin {
namespace {

/// `text` as the type that the setting declares; false: it is none.
bool toSettingValue(const DeclaredSetting& setting, const std::string& text, Arena& arena,
                    json::Value& out) {
  if (setting.type == SUB0_TEXT) {
    out = json::text(arena.copy(text));
    return true;
  }
  if (setting.type == SUB0_INT) {
    std::int64_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    out = json::integer(number);
    return end.ec == std::errc() && end.ptr == text.data() + text.size();
  }
  const bool is_true = text == "true" || text == "1";
  out = json::boolean(is_true);
  return is_true || text == "false" || text == "0";
}

std::string codeText(int32_t code) {
  return std::string(codeInfo(static_cast<Code>(code)).name) + " (" + std::to_string(code) + ")";
}

/// What the plugin said itself, else where to look.
std::string takeReason(Plugin& plugin, int32_t code) {
  const std::string logged = takeKeptError(plugin).text;
  if (logged.empty()) return codeText(code) + "; what it logged says more";
  const std::string reason = text::escapeControl(logged);
  return code == SUB0_INTERNAL ? reason : reason + " [" + codeText(code) + "]";
}

}  // namespace

bool Registry::createAll(HostTable& host, const Resolver& resolver) {
  bool is_good = true;
  for (const auto& plugin : plugins_) is_good = createOne(*plugin, host, resolver) && is_good;
  return is_good;
}

bool Registry::createOne(Plugin& plugin, HostTable& host, const Resolver& resolver) {
  assert(plugin.life.load() == Life::kLoaded);
  Arena arena;
  auto* members = arena.array<json::Member>(plugin.settings.size());
  std::size_t count = 0;
  bool is_good = true;
  for (const DeclaredSetting& setting : plugin.settings) {
    const std::optional<std::string> given = resolver(setting.name);
    const std::string text = given.value_or(setting.default_value);
    json::Member& member = members[count++];
    member = {json::toView(setting.name), json::null()};
    const bool has_none = !given && text.empty() && setting.type != SUB0_TEXT;
    if (has_none || toSettingValue(setting, text, arena, member.value)) continue;
    is_good = false;
    problems_.push_back({Severity::kError, plugin.file,
                         plugin.id + ": setting " + setting.name + " is " +
                             (setting.is_secret ? "not" : "'" + text + "', not") +
                             (setting.type == SUB0_INT ? " a whole number" : " true or false")});
  }
  if (!is_good) return false;

  host.adopt(plugin);
  plugin.life.store(Life::kCreating, std::memory_order_release);
  const json::Value settings = json::object(members, count);
  int32_t code = SUB0_INTERNAL;
  callPlugin(plugin.callbacks.site, "create", 0, nullptr,
             [&] { code = plugin.descriptor->create(&plugin.host, &settings, &plugin.self); });
  if (code == SUB0_OK) {
    const void* sql = nullptr;
    callPlugin(plugin.callbacks.site, "extension", 0, nullptr,
               [&] { sql = plugin.descriptor->extension(plugin.self, SUB0_SQL_EXTENSION); });
    if (sql != nullptr) takeStatements(plugin);
    plugin.life.store(Life::kCreated, std::memory_order_release);
    tellKeptError(plugin);
    return true;
  }
  plugin.life.store(Life::kDestroyed, std::memory_order_release);  // what destroy logs is a line
  const std::string reason = takeReason(plugin, code);
  if (plugin.self != nullptr) {
    callPlugin(plugin.callbacks.site, "destroy", 0, nullptr,
               [&] { plugin.descriptor->destroy(plugin.self); });
  }
  plugin.hooks = nullptr;
  plugin.self = nullptr;
  problems_.push_back(
      {Severity::kError, plugin.file, plugin.id + " could not be created: " + reason});
  return false;
}

bool Registry::startAll() {
  for (const auto& plugin : plugins_) {
    if (plugin->life.load(std::memory_order_acquire) != Life::kCreated) continue;
    plugin->life.store(Life::kStarting, std::memory_order_release);
    int32_t code = SUB0_INTERNAL;
    callPlugin(plugin->callbacks.site, "start", 0, nullptr,
               [&] { code = plugin->descriptor->start(plugin->self); });
    if (code != SUB0_OK) {
      plugin->life.store(Life::kStopped, std::memory_order_release);
      problems_.push_back({Severity::kError, plugin->file,
                           plugin->id + " could not be started: " + takeReason(*plugin, code)});
      stopAll(0);
      return false;
    }
    plugin->life.store(Life::kStarted, std::memory_order_release);
    tellKeptError(*plugin);
  }
  return true;
}

void Registry::stopAll(std::uint64_t deadline_ns) {
  for (auto at = plugins_.rbegin(); at != plugins_.rend(); ++at) {
    Plugin& plugin = **at;
    if (plugin.life.load(std::memory_order_acquire) != Life::kStarted) continue;
    plugin.life.store(Life::kStopping, std::memory_order_release);
    callPlugin(plugin.callbacks.site, "stop", 0, nullptr,
               [&] { plugin.descriptor->stop(plugin.self, deadline_ns); });
    plugin.life.store(Life::kStopped, std::memory_order_release);
  }
}

void Registry::destroyAll() {
  for (auto at = plugins_.rbegin(); at != plugins_.rend(); ++at) {
    Plugin& plugin = **at;
    const Life life = plugin.life.load(std::memory_order_acquire);
    assert(life != Life::kStarted && "stopAll() comes first");
    if (life != Life::kCreated && life != Life::kStopped) continue;
    callPlugin(plugin.callbacks.site, "destroy", 0, nullptr,
               [&] { plugin.descriptor->destroy(plugin.self); });
    plugin.self = nullptr;
    plugin.life.store(Life::kDestroyed, std::memory_order_release);
  }
}

}  // namespace sub0::plugin
