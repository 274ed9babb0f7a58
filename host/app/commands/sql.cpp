// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <sstream>

#include "app/commands.hpp"
#include "app/host_process.hpp"
#include "json/writer.hpp"
#include "sub0/sql.h"

namespace sub0::app {
namespace {

CommandDeclaration declareSql() {
  CommandDeclaration command{
      "sql", "[-f FILE | STATEMENT] [--resources DIR] [--database URL]",
      "Runs SQL on the project's database through the query plugin; prints the rows of all "
      "statements as JSON lines (ODBC: those of the last one). Without either it reads "
      "standard input.",
      projectOptions()};
  command.options.push_back({"file", "FILE", "a script of statements separated by ;", false, "f"});
  return command;
}

struct SqlEnd {
  int32_t code = SUB0_OK;
  std::string rows;
  std::string message;
};

void appendRows(const json::Value& rows, std::string& out) {
  if (!json::isArray(rows)) {
    if (!json::isNull(rows)) out += json::toString(rows) + "\n";
    return;
  }
  for (std::uint32_t index = 0; index < rows.count; ++index) {
    out += json::toString(rows.as.items[index]) + "\n";
  }
}

void onScriptDone(void* user, int32_t code, const sub0_value* rows, const sub0_text_view* message) {
  SqlEnd end;
  end.code = code;
  if (rows != nullptr) appendRows(*rows, end.rows);
  if (message != nullptr) end.message = json::toText(*message);
  static_cast<std::promise<SqlEnd>*>(user)->set_value(std::move(end));
}

std::optional<std::string> readScript(const Arguments& arguments) {
  if (!arguments.has("file")) {
    if (!arguments.positional().empty()) return arguments.positional().front();
    return std::string(std::istreambuf_iterator<char>(std::cin), {});
  }
  std::ifstream file(arguments.value("file"), std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

SqlEnd execute(const sub0_sql& sql, void* self, const std::string& script) {
  std::promise<SqlEnd> promise;
  auto future = promise.get_future();
  const sub0_text_view view = json::toView(script);
  const int32_t status = sql.execute_script(self, &view, onScriptDone, &promise);
  if (status != SUB0_OK) return {status, "", "the query plugin refused the script"};
  return future.get();
}

/// The loops that the plugins run on. However it ends, threads stop first, and the plugins go while
/// what they may still ask (the clock) is there.
class PluginLoops {
 public:
  explicit PluginLoops(Workspace& workspace)
      : workspace_(workspace), loops_(1, 1, ticketLimits(workspace.settings())) {}
  ~PluginLoops() {
    loops_.stopThreads();
    workspace_.destroyPlugins();
  }
  PluginLoops(const PluginLoops&) = delete;
  PluginLoops& operator=(const PluginLoops&) = delete;

  LoopGroup& group() { return loops_; }

 private:
  Workspace& workspace_;
  LoopGroup loops_;
};

}  // namespace

const CommandDeclaration kRunSql = declareSql();

int runSql(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kRunSql, words);
  if (exit_code) return *exit_code;
  if (arguments.positional().size() + (arguments.has("file") ? 1 : 0) > 1) {
    return usageError(kRunSql, "one statement (in quotes) or one file");
  }
  const auto script = readScript(arguments);
  if (!script) {
    std::cerr << "sub0-host: cannot read " << arguments.value("file") << '\n';
    return kExitFailure;
  }
  Workspace workspace(arguments, arguments.value("resources", "."), false);
  workspace.loadPlugins();
  PluginLoops plugin_loops(workspace);
  LoopGroup& loops = plugin_loops.group();
  workspace.createPlugins(loops.table());
  if (!workspace.reportProblems()) return kExitConfiguration;
  const auto extension = workspace.registry().extension(SUB0_SQL_EXTENSION);
  if (extension.table == nullptr) {
    std::cerr << "sub0-host: no plugin offers a database (query.so); see sub0-host plugin list\n";
    return kExitConfiguration;
  }
  loops.startThreads();
  if (!loops.startPlugins(workspace.registry())) {
    workspace.reportProblems();
    return kExitFailure;
  }
  const auto& sql = *static_cast<const sub0_sql*>(extension.table);
  const SqlEnd end = execute(sql, extension.self, *script);
  loops.stopPlugins(workspace.registry(), 1000);
  std::cout << end.rows;
  if (end.code == SUB0_OK) return kExitOk;
  std::cerr << "sub0-host: " << end.message << '\n';
  return kExitFailure;
}

}  // namespace sub0::app
