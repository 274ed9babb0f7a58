// SPDX-License-Identifier: Apache-2.0
#include "plugin/sql_runs.hpp"

#include <memory>

#include "plugin/host_runs.hpp"
#include "sub0/sql.h"

namespace sub0::plugin {
namespace {

/// A statement under way, until its plugin reports the end; the call may be over by then.
struct Pending {
  Plugin* plugin = nullptr;
  sub0_ticket ticket = 0;
};

void onDone(void* user, int32_t code, const sub0_value* rows, const sub0_text_view* message) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(user));
  const sub0_host& host = pending->plugin->host;
  if (code == SUB0_OK) {
    const sub0_value none{};
    host.complete(&host, pending->ticket, rows == nullptr ? &none : rows);
    return;
  }
  sub0_error error{};
  error.struct_size = sizeof error;
  error.code = code;
  if (message != nullptr) error.log = *message;
  host.fail(&host, pending->ticket, &error);
}

void onStatement(void* action, const sub0_run* run) {
  Plugin& plugin = *static_cast<Plugin*>(action);
  const auto& sql =
      *static_cast<const sub0_sql*>(plugin.descriptor->extension(plugin.self, SUB0_SQL_EXTENSION));
  const sub0_text_view text{run->inputs[0].as.text, run->inputs[0].count};
  auto pending = std::make_unique<Pending>(Pending{&plugin, run->ticket});
  const int32_t status = sql.execute(plugin.self, &text, &run->inputs[1], onDone, pending.get());
  if (status == SUB0_OK) {
    (void)pending.release();  // onDone() has it
    return;
  }
  const std::string_view reason = "the plugin takes no statement now";
  const sub0_text_view message{reason.data(), reason.size()};
  onDone(pending.release(), SUB0_UNAVAILABLE, nullptr, &message);
}

constexpr sub0_handler kStatementHandler = hostHandler(onStatement);

}  // namespace

void takeStatements(Plugin& plugin) {
  setHostHandler(plugin.statements, plugin, kStatementHandler, "statement of the host");
}

PreparedAction sqlRunOf(const Registry::Extension& database, std::string_view resource) {
  return hostRunOf(database.plugin->statements, resource);
}

}  // namespace sub0::plugin
