// SPDX-License-Identifier: Apache-2.0
#include "plugin/registry.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/log.hpp"
#include "plugin/descriptor_check.hpp"
#include "plugin/elf_card.hpp"
#include "plugin/faults.hpp"
#include "plugin/file_rule.hpp"
#include "plugin/shared_object.hpp"

namespace sub0::plugin {
namespace {

std::vector<std::string> sharedObjects(const std::string& folder, std::error_code& error) {
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".so") files.push_back(at->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void fillHandler(Handler& handler, const sub0_handler* table, Plugin& plugin) {
  handler.table = table;
  handler.plugin = &plugin;
  handler.name = json::toText(table->name);
  handler.config_key = json::toText(table->config_key);
  handler.schema = json::toText(table->schema);
  handler.description = json::toText(table->description);
}

std::unique_ptr<Plugin> makePlugin(const sub0_plugin* descriptor, const std::string& file) {
  auto plugin = std::make_unique<Plugin>();
  plugin->file = file;
  plugin->id = json::toText(descriptor->id);
  plugin->version = json::toText(descriptor->version);
  plugin->descriptor = descriptor;
  for (std::uint32_t i = 0; i < descriptor->handler_count; ++i) {
    fillHandler(plugin->handlers.emplace_back(), descriptor->handlers[i], *plugin);
  }
  for (std::uint32_t i = 0; i < descriptor->setting_count; ++i) {
    const sub0_setting& setting = *descriptor->settings[i];
    plugin->settings.push_back({std::string(json::toText(setting.name)),
                                std::string(json::toText(setting.default_value)),
                                std::string(json::toText(setting.description)), plugin->id,
                                setting.type, (setting.flags & SUB0_SETTING_SECRET) != 0});
  }
  plugin->callbacks.plugin = plugin.get();
  plugin->callbacks.name = "callbacks";
  return plugin;
}

}  // namespace

Registry::Registry() = default;
Registry::~Registry() = default;

bool Registry::hasErrors() const {
  return std::any_of(problems_.begin(), problems_.end(), [](const LoadProblem& problem) {
    return problem.severity == Severity::kError;
  });
}

void Registry::report(const LoadOptions& options, const std::string& file, std::string message) {
  const Severity severity = options.skip_errors ? Severity::kWarning : Severity::kError;
  problems_.push_back({severity, file, std::move(message)});
}

void Registry::warn(const std::string& file, std::string message) {
  problems_.push_back({Severity::kWarning, file, std::move(message)});
}

void Registry::loadFolders(const std::vector<PluginFolder>& folders, const LoadOptions& options) {
  for (const PluginFolder& folder : folders) {
    std::error_code error;
    const std::vector<std::string> files = sharedObjects(folder.path, error);
    if (error) warn(folder.path, "the plugin folder cannot be read: " + error.message());
    for (const std::string& file : files) loadFile(file, folder, options);
  }
}

bool Registry::loadFile(const std::string& path, const PluginFolder& folder,
                        const LoadOptions& options) {
  const FileRuleResult rule = checkFileRule(path, folder.path);
  if (rule.real_path.empty() || (!rule.problem.empty() && folder.is_packaged)) {
    report(options, path, rule.problem);
    return false;
  }
  if (!rule.problem.empty()) warn(path, rule.problem);

  const CardReading reading = readCardOfFile(rule.real_path);
  if (!reading.card) {
    report(options, path, reading.problem);
    return false;
  }
  const Card& card = *reading.card;
  std::string problem = checkVersions(card.abi_major, card.abi_minor);
  if (!problem.empty()) {
    report(options, path, card.id + " " + problem);
    return false;
  }
  const auto same = std::find_if(plugins_.begin(), plugins_.end(),
                                 [&](const auto& plugin) { return plugin->id == card.id; });
  if (same != plugins_.end()) {
    if ((*same)->file != rule.real_path) {
      warn(path, card.id + " " + card.version + " is not loaded: " + (*same)->file + " (" +
                     (*same)->version + ") has the same id and came first");
    }
    return false;
  }

  const OpenedObject opened = openSharedObject(rule.real_path, card);
  problem = opened.problem;
  if (problem.empty()) problem = compareCard(card, *opened.descriptor);
  if (!problem.empty()) {
    report(options, path, card.id + " " + problem);
    return false;
  }
  Plugin* plugin = nullptr;
  if (!admit(opened.descriptor, path, options, &plugin)) return false;
  plugin->file = rule.real_path;
  plugin->glibc = card.glibc;
  plugin->libstdcxx = card.libstdcxx;
  return true;
}

bool Registry::add(const sub0_plugin* descriptor, const LoadOptions& options) {
  if (descriptor == nullptr) {
    report(options, "(in process)", "its descriptor is null");
    return false;
  }
  Plugin* plugin = nullptr;
  if (!admit(descriptor, "(in process)", options, &plugin)) return false;
  plugin->file.clear();
  return true;
}

bool Registry::admit(const sub0_plugin* descriptor, const std::string& file,
                     const LoadOptions& options, Plugin** admitted) {
  const std::string problem = checkDescriptor(*descriptor);
  if (!problem.empty()) {
    report(options, file, problem);
    return false;
  }
  std::unique_ptr<Plugin> plugin = makePlugin(descriptor, file);
  const std::size_t first = handlers_.size();
  for (Handler& handler : plugin->handlers) {
    const auto clashes = [&](const Handler* other) {
      return other->config_key == handler.config_key ||
             (other->isEffect() == handler.isEffect() && other->name == handler.name);
    };
    const auto other = std::find_if(handlers_.begin(), handlers_.end(), clashes);
    if (other != handlers_.end()) {
      report(options, file,
             plugin->id + " offers " + (handler.isEffect() ? "effect " : "mode ") +
                 std::string(handler.name) + " (key " + std::string(handler.config_key) +
                 "), and so does " + (*other)->plugin->id + " (" + std::string((*other)->name) +
                 ", key " + std::string((*other)->config_key) + "): remove one of the two");
      handlers_.resize(first);
      return false;
    }
    handlers_.push_back(&handler);
  }
  for (std::size_t i = first; i < handlers_.size(); ++i) {
    Handler* handler = handlers_[i];
    (handler->isEffect() ? effects_ : modes_)
        .emplace(handler->isEffect() ? handler->config_key : handler->name, handler);
  }
  plugin->place = static_cast<std::uint32_t>(plugins_.size());
  *admitted = plugin.get();
  plugins_.push_back(std::move(plugin));
  return true;
}

Handler* Registry::findMode(std::string_view name) const {
  const auto found = modes_.find(name);
  return found == modes_.end() ? nullptr : found->second;
}

Handler* Registry::findEffect(std::string_view config_key) const {
  const auto found = effects_.find(config_key);
  return found == effects_.end() ? nullptr : found->second;
}

std::vector<FaultCounts> Registry::faultCounts() const {
  std::vector<FaultCounts> all;
  all.reserve(handlers_.size() + plugins_.size());
  for (const auto& plugin : plugins_) {
    for (const Handler& handler : plugin->handlers) all.push_back(readFaultCounts(handler));
    if (plugin->call_hooks != nullptr) all.push_back(readFaultCounts(plugin->commits));
    if (plugin->statements.table != nullptr) all.push_back(readFaultCounts(plugin->statements));
    all.push_back(readFaultCounts(plugin->callbacks));
  }
  return all;
}

std::vector<DeclaredSetting> Registry::settings() const {
  std::vector<DeclaredSetting> all;
  for (const auto& plugin : plugins_) {
    for (const DeclaredSetting& setting : plugin->settings) {
      const bool is_known = std::any_of(all.begin(), all.end(), [&](const DeclaredSetting& other) {
        return other.name == setting.name;
      });
      if (!is_known) all.push_back(setting);
    }
  }
  return all;
}

Registry::Extension Registry::extension(std::string_view name) const {
  const std::string zero_terminated(name);
  for (const auto& plugin : plugins_) {
    const Life life = plugin->life.load(std::memory_order_acquire);
    if (life < Life::kCreated || life > Life::kStopped) continue;
    const void* table = nullptr;
    callPlugin(plugin->callbacks.site, "extension", 0, nullptr, [&] {
      table = plugin->descriptor->extension(plugin->self, zero_terminated.c_str());
    });
    if (table != nullptr) return {table, plugin->self, plugin.get()};
  }
  return {};
}

}  // namespace sub0::plugin
