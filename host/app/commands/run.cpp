// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"
#include "app/host_process.hpp"
#include "base/log.hpp"

namespace sub0::app {
namespace {

CommandDeclaration declare() {
  CommandDeclaration command{
      "run",
      "--resources DIR [--plugins DIR]... [--host H] [--port N] [--database URL] [--loops N]",
      "Serves a project over HTTP and WebSocket until SIGTERM or SIGINT.", projectOptions()};
  command.options.push_back({"host", "H", "address to listen on; default 127.0.0.1", false});
  command.options.push_back(
      {"port", "N", "port; default 8080; 0: any free one, see the ready line", false});
  command.options.push_back({"loops", "N", "event loops; default one per core, at most 8", false});
  return command;
}

/// SUB0_LOG and SUB0_LOG_LEVEL; an unknown word is an error.
std::string configureLog(const Settings& settings) {
  const std::string format = settings.text("SUB0_LOG");
  const std::string level = settings.text("SUB0_LOG_LEVEL");
  static const std::pair<const char*, log::Level> kLevels[] = {{"error", log::Level::kError},
                                                               {"warning", log::Level::kWarning},
                                                               {"info", log::Level::kInfo},
                                                               {"debug", log::Level::kDebug}};
  if (format != "text" && format != "json") return "SUB0_LOG=" + format + ": expected text or json";
  for (const auto& [name, value] : kLevels) {
    if (level != name) continue;
    log::configure(format == "json" ? log::Format::kJson : log::Format::kText, value);
    return {};
  }
  return "SUB0_LOG_LEVEL=" + level + ": expected error, warning, info or debug";
}

}  // namespace

const CommandDeclaration kRunHost = declare();

int runHost(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kRunHost, words);
  if (exit_code) return *exit_code;
  if (!arguments.has("resources") || !arguments.positional().empty()) {
    return usageError(kRunHost, arguments.positional().empty()
                                    ? "name the project's folder by --resources DIR"
                                    : "unexpected \"" + arguments.positional().front() + "\"");
  }
  blockSignals();
  Workspace workspace(arguments, arguments.value("resources"), true);
  const std::string problem = configureLog(workspace.settings());
  if (!problem.empty()) workspace.addProblem(problem);
  HostProcess process(workspace);
  return process.run();
}

}  // namespace sub0::app
