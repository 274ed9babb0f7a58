// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "app/commands.hpp"
#include "app/migration.hpp"
#include "app/workspace.hpp"
#include "sub0/schema.h"

namespace sub0::app {
namespace {

using Kind = MigrationStep::Kind;

CommandDeclaration declareMigrate() {
  CommandDeclaration command{
      "migrate", "DIR [--plan] [--allow-destructive] [--database URL]",
      "Makes the database's tables what the project's models say: as a whole or not at all, on "
      "MariaDB and MySQL table by table. Adds only; what may lose data is named and left undone "
      "unless --allow-destructive. Exit code 1: it failed, or something was left undone.",
      projectOptions()};
  command.options.push_back({"plan", "", "changes nothing; prints what would be done", false});
  command.options.push_back(
      {"allow-destructive", "", "also drops, narrows and changes types of columns", false});
  return command;
}

int report(const MigrationResult& result, bool is_plan, bool allows_destructive) {
  for (const MigrationStep& step : result.steps) {
    const char* const kind = step.kind == Kind::kDestructive ? "destructive: "
                             : step.kind == Kind::kNote      ? "note: "
                                                             : "";
    std::cout << kind << step.table << ": " << step.text << '\n';
  }
  if (result.code != SUB0_OK) {
    std::cout << std::flush;
    std::cerr << "sub0-host: "
              << (result.count(Kind::kDone) == 0
                      ? "nothing was changed: "
                      : "it ended in the middle, and another run goes on from there: ")
              << result.message << '\n';
    return kExitFailure;
  }
  const std::size_t destructive = result.count(Kind::kDestructive);
  const bool leaves_undone = destructive > 0 && !allows_destructive;
  std::cout << counted(result.count(Kind::kChange), "change") << (is_plan ? " to do" : " done");
  if (destructive > 0) {
    std::cout << ", " << destructive << " destructive "
              << (is_plan         ? "to do"
                  : leaves_undone ? "left undone (--allow-destructive)"
                                  : "done");
  }
  std::cout << std::endl;
  return leaves_undone && !is_plan ? kExitFailure : kExitOk;
}

}  // namespace

const CommandDeclaration kMigrate = declareMigrate();

int migrateTables(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kMigrate, words);
  if (exit_code) return *exit_code;
  const std::string folder = projectFolder(arguments);
  if (folder.empty()) return usageError(kMigrate, "name the project's folder");
  Workspace workspace(arguments, folder, false);
  workspace.compileOffline();
  if (!workspace.reportErrors()) return kExitConfiguration;
  const Migration migration(workspace.registry(), *workspace.plans());
  if (!migration.isPossible()) {
    std::cerr << "sub0-host: no plugin makes tables (query.so); see sub0-host plugin list\n";
    return kExitConfiguration;
  }
  const bool is_plan = arguments.has("plan");
  const bool allows_destructive = arguments.has("allow-destructive");
  const std::uint32_t flags = (is_plan ? SUB0_SCHEMA_PLAN_ONLY : 0) |
                              (allows_destructive ? SUB0_SCHEMA_ALLOW_DESTRUCTIVE : 0);
  const auto result = migration.run(flags, [] { return false; });  // a signal ends the process
  return report(*result, is_plan, allows_destructive);
}

}  // namespace sub0::app
