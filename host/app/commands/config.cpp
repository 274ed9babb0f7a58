// SPDX-License-Identifier: Apache-2.0
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <iostream>

#include "app/commands.hpp"
#include "app/workspace.hpp"

namespace sub0::app {
namespace {

CommandDeclaration declareConfig() {
  CommandDeclaration command{
      "config", "[DIR] [--plugins DIR]... [--json]",
      "Prints each setting, its value (secrets masked) and where it came from.", projectOptions()};
  command.options.push_back({"host", "H", "address to listen on", false});
  command.options.push_back({"port", "N", "port to listen on", false});
  command.options.push_back({"loops", "N", "event loops", false});
  command.options.push_back({"json", "", "prints a JSON array", false});
  return command;
}

std::string shown(const SettingDeclaration& declared, const SettingValue& value) {
  return declared.is_secret && !value.value.empty() ? "***" : value.value;
}

void printJson(const Settings& settings) {
  Poco::JSON::Array rows;
  for (const auto& declared : settings.declarations()) {
    const SettingValue value = settings.find(declared.name);
    Poco::JSON::Object row;
    row.set("name", declared.name);
    row.set("value", shown(declared, value));
    row.set("origin", value.origin);
    row.set("text", declared.text);
    rows.add(row);
  }
  rows.stringify(std::cout, 2);
  std::cout << '\n';
}

}  // namespace

const CommandDeclaration kShowConfig = declareConfig();

int showConfig(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kShowConfig, words);
  if (exit_code) return *exit_code;
  const auto& positional = arguments.positional();
  if (positional.size() > 1) return usageError(kShowConfig, "one folder at the most");
  Workspace workspace(
      arguments, positional.empty() ? arguments.value("resources") : positional.front(), false);
  workspace.loadPlugins();
  if (arguments.has("json")) {
    printJson(workspace.settings());
  } else {
    for (const auto& declared : workspace.settings().declarations()) {
      const SettingValue value = workspace.settings().find(declared.name);
      std::cout << declared.name << '=' << shown(declared, value) << "  (" << value.origin << "; "
                << declared.text << ")\n";
    }
  }
  return workspace.reportProblems() ? kExitOk : kExitConfiguration;
}

}  // namespace sub0::app
