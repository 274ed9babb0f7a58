// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/command_line.hpp"

// The commands of sub0-host, one file each in commands/. A command gets its words and returns the
// exit code of the process.
namespace sub0::app {

using Words = std::vector<std::string>;

struct Command {
  const CommandDeclaration* declaration;
  int (*run)(const Words& words);
};

/// All commands, in the order of --help.
std::span<const Command> allCommands();

extern const CommandDeclaration kRunHost, kCheckProject, kPrintSchema, kShowConfig, kListRoutes,
    kMintToken, kCheckToken, kCallResource, kRunSql, kMigrate, kNewPlugin, kInspectPlugin,
    kListPlugins;

int runHost(const Words& words);
int checkProject(const Words& words);
int printSchema(const Words& words);
int showConfig(const Words& words);
int listRoutes(const Words& words);
int mintToken(const Words& words);
int checkToken(const Words& words);
int callResource(const Words& words);
int runSql(const Words& words);
int migrateTables(const Words& words);
int newPlugin(const Words& words);
int inspectPlugin(const Words& words);
int listPlugins(const Words& words);

}  // namespace sub0::app
