// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <iostream>

#include "app/commands.hpp"
#include "app/workspace.hpp"

namespace sub0::app {
namespace {

CommandDeclaration declareCheck() {
  CommandDeclaration command{
      "check", "DIR [--plugins DIR]... [--strict] [--json]",
      "Checks a project without running it: all errors of all files at once. "
      "Exit code 0: no error; 78: errors; 1: none, but nobody could be told.",
      projectOptions()};
  command.options.push_back({"json", "", "prints the findings as a JSON array", false});
  return command;
}

/// Writes the report to stdout; to stderr where nobody reads there any more, so that no finding is
/// lost. False: the latter.
bool tell(const std::string& report) {
  std::signal(SIGPIPE, SIG_IGN);
  if (std::cout << report << std::flush) return true;
  std::cerr << "sub0: stdout cannot be written; the whole report once more:\n" << report;
  return false;
}

}  // namespace

const CommandDeclaration kCheckProject = declareCheck();

int checkProject(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kCheckProject, words);
  if (exit_code) return *exit_code;
  const std::string folder = projectFolder(arguments);
  if (folder.empty()) return usageError(kCheckProject, "name the project's folder");
  Workspace workspace(arguments, folder, false);
  workspace.compileOffline();
  workspace.warnOfOpenDoors();
  const auto& problems = workspace.sortedProblems();
  std::string report = problems.toText();
  if (arguments.has("json")) {
    report = problems.toJson() + "\n";
  } else {
    report += counted(workspace.project()->resources().size(), "resource") + ", " +
              counted(problems.errorCount(), "error") + ", " +
              counted(problems.warningCount(), "warning") + "\n";
  }
  const bool is_told = tell(report);
  if (problems.hasErrors()) return kExitConfiguration;
  return is_told ? kExitOk : kExitFailure;
}

}  // namespace sub0::app
