// SPDX-License-Identifier: Apache-2.0
#include "plugin/inspect.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/String.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "app/commands.hpp"
#include "app/packaged_paths.hpp"
#include "app/workspace.hpp"
#include "base/text.hpp"
#include "plugin/descriptor_check.hpp"

namespace sub0::app {
namespace {

namespace fs = std::filesystem;

CommandDeclaration declareNew() {
  return {"plugin new",
          "NAME DIR [--id ID]",
          "Writes a plugin project into DIR, an empty folder or one that is made with those above "
          "it: source, test, sample resource; it builds with the SDK alone.",
          {{"id", "ID", "reverse-DNS name; default org.example.NAME", false}}};
}

CommandDeclaration declareInspect() {
  return {"plugin inspect",
          "FILE [--json]",
          "Shows what a plugin offers, or why it cannot be loaded.",
          {{"json", "", "prints a JSON object", false}}};
}

CommandDeclaration declareList() {
  return {"plugin list",
          "[--plugins DIR]... [--json]",
          "Lists the plugins that a host would load, with their modes and effects.",
          {{"plugins", "DIR", "looks for plugins there first; may be repeated", true},
           {"json", "", "prints a JSON array", false}}};
}

std::string templateFolder() {
  const fs::path program = programFolder();
  for (const fs::path& candidate :
       {program / "../share/sub0/template", fs::path(kPackagedTemplateFolder),
        program / "../../../sdk/template"}) {
    if (fs::exists(candidate / "CMakeLists.txt")) return candidate.lexically_normal().string();
  }
  return {};
}

/// "my-greeting" → MyGreeting.
std::string className(const std::string& name) {
  std::string result;
  bool begins_word = true;
  for (const char c : name) {
    if (c == '_' || c == '-') {
      begins_word = true;
      continue;
    }
    result.push_back(begins_word ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                                 : c);
    begins_word = false;
  }
  return result;
}

bool isName(const std::string& name) {
  return !name.empty() && std::islower(static_cast<unsigned char>(name.front())) != 0 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return std::islower(byte) != 0 || std::isdigit(byte) != 0 || c == '_';
         });
}

std::string filled(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [placeholder, value] : values) Poco::replaceInPlace(text, placeholder, value);
  return text;
}

void copyTemplate(const fs::path& from, const fs::path& to,
                  const std::map<std::string, std::string>& values) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const std::string relative = fs::relative(entry.path(), from).string();
    const fs::path target = to / filled(relative, values);
    if (entry.is_directory()) {
      fs::create_directories(target);
      continue;
    }
    fs::create_directories(target.parent_path());
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(in), {}};
    std::ofstream out(target, std::ios::binary);
    out << filled(content, values);
    if (!out.flush()) throw std::runtime_error("cannot write " + target.string());
  }
}

Poco::JSON::Object::Ptr describe(const plugin::Plugin& plugin) {
  Poco::JSON::Object::Ptr row = new Poco::JSON::Object;
  row->set("id", plugin.id);
  row->set("version", plugin.version);
  row->set("file", plugin.file);
  Poco::JSON::Array::Ptr handlers = new Poco::JSON::Array;
  for (const auto& handler : plugin.handlers) {
    Poco::JSON::Object::Ptr entry = new Poco::JSON::Object;
    entry->set("kind", handler.isEffect() ? "effect" : "mode");
    entry->set("name", std::string(handler.name));
    entry->set("key", std::string(handler.config_key));
    entry->set("description", std::string(handler.description));
    handlers->add(entry);
  }
  row->set("handlers", handlers);
  return row;
}

void print(const plugin::Plugin& plugin) {
  std::cout << plugin.id << ' ' << plugin.version << "  " << plugin.file << '\n';
  for (const auto& handler : plugin.handlers) {
    std::cout << "    " << (handler.isEffect() ? "effect " : "mode ") << handler.name << " (key "
              << handler.config_key << "): " << handler.description << '\n';
  }
}

}  // namespace

const CommandDeclaration kNewPlugin = declareNew();
const CommandDeclaration kInspectPlugin = declareInspect();
const CommandDeclaration kListPlugins = declareList();

int newPlugin(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kNewPlugin, words);
  if (exit_code) return *exit_code;
  if (arguments.positional().size() != 2)
    return usageError(kNewPlugin, "name a plugin and a folder");
  const std::string& name = arguments.positional()[0];
  const fs::path folder = arguments.positional()[1];
  if (!isName(name)) {
    return usageError(kNewPlugin, "NAME: lower-case letters, digits and _, a letter first");
  }
  const std::string id = arguments.value("id", "org.example." + name);
  if (!plugin::isPluginId(id)) {
    return usageError(kNewPlugin, "--id \"" + text::escapeControl(id) +
                                      "\" is no reverse-DNS name such as org.example.greeting");
  }
  const std::string from = templateFolder();
  if (from.empty()) {
    std::cerr << "sub0-host: no template found; install sub0-sdk-dev (searched "
              << kPackagedTemplateFolder << ")\n";
    return kExitFailure;
  }
  if (fs::exists(folder) && !fs::is_empty(folder)) {
    std::cerr << "sub0-host: " << folder.string() << " is not empty\n";
    return kExitFailure;
  }
  copyTemplate(from, folder,
               {{"@PLUGIN_NAME@", name},
                {"@PLUGIN_MODE@", Poco::toUpper(name)},
                {"@PLUGIN_ID@", id},
                {"@PLUGIN_CLASS@", className(name)}});
  std::cout << "Made " << folder.string() << ". Next:\n  cmake -S " << folder.string() << " -B "
            << (folder / "build").string() << " && cmake --build " << (folder / "build").string()
            << "\n  sub0-host run --resources " << (folder / "resources").string() << " --plugins "
            << (folder / "build").string() << '\n';
  return kExitOk;
}

int inspectPlugin(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kInspectPlugin, words);
  if (exit_code) return *exit_code;
  if (arguments.positional().size() != 1) return usageError(kInspectPlugin, "name one file");
  const auto inspection = plugin::inspect(arguments.positional().front());
  std::cout << (arguments.has("json") ? inspection.json : inspection.text) << '\n';
  return inspection.is_loadable ? kExitOk : kExitFailure;
}

int listPlugins(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kListPlugins, words);
  if (exit_code) return *exit_code;
  Workspace workspace(arguments, "", false);
  workspace.loadPlugins();
  if (arguments.has("json")) {
    Poco::JSON::Array rows;
    for (const auto& plugin : workspace.registry().plugins()) rows.add(describe(*plugin));
    rows.stringify(std::cout, 2);
    std::cout << '\n';
  } else {
    for (const auto& plugin : workspace.registry().plugins()) print(*plugin);
    for (const auto& folder : workspace.pluginFolders())
      std::cout << "searched " << folder.path << '\n';
  }
  return workspace.reportProblems() ? kExitOk : kExitConfiguration;
}

}  // namespace sub0::app
