// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include <array>

namespace sub0::app {

std::span<const Command> allCommands() {
  static const std::array kCommands{
      Command{&kRunHost, runHost},         Command{&kCheckProject, checkProject},
      Command{&kPrintSchema, printSchema}, Command{&kShowConfig, showConfig},
      Command{&kListRoutes, listRoutes},   Command{&kMintToken, mintToken},
      Command{&kCheckToken, checkToken},   Command{&kCallResource, callResource},
      Command{&kRunSql, runSql},           Command{&kMigrate, migrateTables},
      Command{&kNewPlugin, newPlugin},     Command{&kInspectPlugin, inspectPlugin},
      Command{&kListPlugins, listPlugins}};
  return kCommands;
}

}  // namespace sub0::app
