// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"
#include "app/host_process.hpp"
#include "plugin/crash_report.hpp"

namespace sub0::app {
namespace {

CommandDeclaration declareRun() {
  CommandDeclaration command{
      "run", "DIR [--plugins DIR]... [--host H] [--port N] [--database URL] [--loops N]",
      "Serves a project over HTTP and WebSocket until SIGTERM or SIGINT.", projectOptions()};
  command.options.push_back({"host", "H", "address to listen on; default 127.0.0.1", false});
  command.options.push_back(
      {"port", "N", "port; default 8080; 0: any free one, see the ready line", false});
  command.options.push_back({"loops", "N", "event loops; default one per core, at most 8", false});
  return command;
}

}  // namespace

const CommandDeclaration kRunHost = declareRun();

int runHost(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kRunHost, words);
  if (exit_code) return *exit_code;
  const auto& positional = arguments.positional();
  const std::size_t folders = positional.size() + (arguments.has("resources") ? 1 : 0);
  if (folders != 1) {
    return usageError(kRunHost, folders == 0 ? "name the project's folder"
                                             : "unexpected \"" + positional.back() + "\"");
  }
  const std::string folder = positional.empty() ? arguments.value("resources") : positional.front();
  plugin::installCrashReport();
  blockSignals();
  Workspace workspace(arguments, folder, true);
  HostProcess process(workspace);
  return process.run();
}

}  // namespace sub0::app
