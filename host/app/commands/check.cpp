// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "app/commands.hpp"
#include "app/workspace.hpp"

namespace sub0::app {
namespace {

CommandDeclaration declare() {
  CommandDeclaration command{
      "check", "DIR [--plugins DIR]... [--strict] [--json]",
      "Checks a project without running it: all errors of all files at once. "
      "Exit code 0: no error; 78: errors.",
      projectOptions()};
  command.options.push_back({"json", "", "prints the findings as a JSON array", false});
  return command;
}

}  // namespace

const CommandDeclaration kCheckProject = declare();

int checkProject(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kCheckProject, words);
  if (exit_code) return *exit_code;
  const auto& positional = arguments.positional();
  if (positional.size() + (arguments.has("resources") ? 1 : 0) != 1) {
    return usageError(kCheckProject, "name the project's folder");
  }
  const std::string folder = positional.empty() ? arguments.value("resources") : positional.front();
  Workspace workspace(arguments, folder, false);
  workspace.loadPlugins();
  workspace.loadProject();
  workspace.createPluginsOffline();
  workspace.compile();
  const auto& problems = workspace.sortedProblems();
  if (arguments.has("json")) {
    std::cout << problems.toJson() << '\n';
  } else {
    std::cout << problems.toText();
    std::cout << workspace.project()->resources().size() << " resources, " << problems.errorCount()
              << " errors, " << problems.warningCount() << " warnings\n";
  }
  return problems.hasErrors() ? kExitConfiguration : kExitOk;
}

}  // namespace sub0::app
