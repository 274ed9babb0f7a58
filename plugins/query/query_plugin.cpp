// SPDX-License-Identifier: Apache-2.0

// Mode QUERY (spec S-30): one SQL statement on the project's database. This file is the wall:
// settings, the hooks of the loops, the extensions that are offered; what a statement is lies in
// action.cpp, what a database is in engine.hpp.

#include <sub0/call.h>
#include <sub0/health.h>
#include <sub0/schema.h>
#include <sub0/sql.h>
#include <sub0/plugin.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include "action.hpp"
#include "engine.hpp"
#include "schema/schema_service.hpp"
#include "sql_service.hpp"

namespace sub0::query {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;
constexpr std::int64_t kMostMs = 3'600'000;

// The settings that are whole numbers. Each that is out of its range is a problem: clamped in
// silence it would mean something else than it says.
class Numbers {
 public:
  explicit Numbers(const Settings& settings) : settings_(settings) {}

  std::int64_t get(const char* name, std::int64_t otherwise, std::int64_t least,
                   std::int64_t most) {
    const std::int64_t value = settings_.all().find(name).asInt(otherwise);
    if (value >= least && value <= most) return value;
    problems_ += (problems_.empty() ? "" : "; ") + std::string(name) + "=" + std::to_string(value) +
                 ": expected a whole number from " + std::to_string(least) + " to " +
                 std::to_string(most);
    return otherwise;
  }
  std::uint64_t getMs(const char* name, std::int64_t otherwise) {
    return static_cast<std::uint64_t>(get(name, otherwise, 0, kMostMs));
  }
  const std::string& problems() const { return problems_; }

 private:
  const Settings& settings_;
  std::string problems_;
};

PostgresOptions postgresOptionsOf(const Settings& settings, Numbers& numbers) {
  PostgresOptions options;
  options.exclusive_connections =
      static_cast<std::uint32_t>(numbers.get("SUB0_POSTGRES_EXCLUSIVE_CONNECTIONS", 4, 1, 1000));
  options.exclusive_wait_ms = numbers.getMs("SUB0_POSTGRES_EXCLUSIVE_WAIT_MS", 5000);
  options.shared_timeout_ms = numbers.getMs("SUB0_SHARED_STATEMENT_TIMEOUT_MS", 50);
  const Value keeps = settings.all().find("SUB0_POSTGRES_NAMED_STATEMENTS");
  options.keeps_statements = !keeps.isBool() || keeps.asBool();
  return options;
}

PoolOptions poolOptionsOf(Numbers& numbers) {
  PoolOptions options;
  options.connections =
      static_cast<std::uint32_t>(numbers.get("SUB0_DATABASE_CONNECTIONS", 8, 1, 1000));
  options.wait_ms = numbers.getMs("SUB0_DATABASE_WAIT_MS", 5000);
  return options;
}

SqliteOptions sqliteOptionsOf(const Settings& settings, Numbers& numbers) {
  SqliteOptions options;
  options.log_limit_bytes = static_cast<std::uint64_t>(
      numbers.get("SUB0_SQLITE_LOG_LIMIT", 67'108'864, 65'536, kMostBytes));
  options.owns_file = settings.boolean("SUB0_SERVES");
  return options;
}

EngineOptions optionsOf(const Settings& settings, const HostPort& host) {
  EngineOptions options;
  options.url = settings.text("DATABASE_URL");
  options.project_folder = settings.text("SUB0_PROJECT");
  if (options.project_folder.empty()) {
    options.project_folder = ".";
  }
  if (options.url.empty()) {
    const std::string state = settings.text("SUB0_STATE");
    options.url = "sqlite:" + (state.empty() ? std::string(".sub0") : state) + "/sub0.db";
    if (options.url[7] != '/') {  // a state folder counts from the working directory
      options.project_folder = ".";
    }
    host.log(SUB0_LOG_INFO, "DATABASE_URL is not set: using " + options.url);
  }
  Numbers numbers(settings);
  options.result_limit_bytes =
      static_cast<std::size_t>(numbers.get("SUB0_RESULT_LIMIT", 16'777'216, 1024, kMostBytes));
  const auto budget_bytes = static_cast<std::size_t>(
      numbers.get("SUB0_RESULT_BUDGET_BYTES", 268'435'456, 1024, kMostBytes));
  ResultTree::setBudget(budget_bytes, options.result_limit_bytes);
  options.sqlite = sqliteOptionsOf(settings, numbers);
  options.postgres = postgresOptionsOf(settings, numbers);
  options.pool = poolOptionsOf(numbers);
  if (!numbers.problems().empty()) throw std::runtime_error(numbers.problems());
  return options;
}

// By what migrations know the tables of this project from those of others. spec S-103
std::string projectOf(const Settings& settings) {
  const std::string name = settings.text("SUB0_PROJECT_NAME");
  return name.empty() ? settings.text("SUB0_PROJECT") : name;
}

// What the actions share: the database, reached through the loops.
class Query {
 public:
  static constexpr sub0_setting settings[] = {
      setting("DATABASE_URL", "",
              "The database: sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/NAME, the same with "
              "mysql:// or mariadb://, odbc:CONNECTION STRING; empty: sqlite:sub0.db in the state "
              "folder",
              SUB0_TEXT, SUB0_SETTING_SECRET),
      setting("SUB0_RESULT_LIMIT", "16777216",
              "The largest result of one statement, in bytes; at least 1024", SUB0_INT),
      setting("SUB0_RESULT_BUDGET_BYTES", "268435456",
              "Bytes that the results of all statements take at the same time, beyond 16 KiB of "
              "each, at least SUB0_RESULT_LIMIT; beyond: busy; at least 1024",
              SUB0_INT),
      setting("SUB0_POSTGRES_EXCLUSIVE_CONNECTIONS", "4",
              "PostgreSQL: how many connections a loop opens at most for transactions, slow "
              "statements and those that change their session; from 1 to 1000",
              SUB0_INT),
      setting("SUB0_POSTGRES_EXCLUSIVE_WAIT_MS", "5000",
              "PostgreSQL: how long such a call waits for a free one before it is busy; from 0 to "
              "3600000",
              SUB0_INT),
      setting("SUB0_SHARED_STATEMENT_TIMEOUT_MS", "50",
              "PostgreSQL: a statement that takes longer on a shared connection runs again on one "
              "of its own; 0: never; from 0 to 3600000",
              SUB0_INT),
      setting("SUB0_POSTGRES_NAMED_STATEMENTS", "true",
              "PostgreSQL: false where PgBouncer stands between: nothing is kept in a session",
              SUB0_BOOL),
      setting("SUB0_DATABASE_CONNECTIONS", "8",
              "MariaDB, MySQL, ODBC: how many connections, with a thread each, are opened at most; "
              "from "
              "1 to 1000",
              SUB0_INT),
      setting(
          "SUB0_DATABASE_WAIT_MS", "5000",
          "MariaDB, MySQL, ODBC: how long a statement waits for a free one before it is busy; from "
          "0 to 3600000",
          SUB0_INT),
      setting(
          "SUB0_SQLITE_LOG_LIMIT", "67108864",
          "SQLite: the log (the -wal file) is emptied when it holds so many bytes; at least 65536",
          SUB0_INT),
      setting(
          "SUB0_PROJECT_NAME", "",
          "Whose tables a migration makes and may drop, where projects share a database; empty: "
          "those of the project's folder, by its path"),
      setting("SUB0_SERVES", "false", "Whether calls are served (run); given by the host",
              SUB0_BOOL),
      setting("SUB0_STATE", "", "The folder for what the server keeps; given by the host"),
      setting("SUB0_PROJECT", "", "The project's folder; given by the host")};

  Query(Host raw_host, const Settings& resolved) : host_(raw_host.raw()) {
    std::string error;
    engine_ = makeEngine(host_, optionsOf(resolved, host_), error);
    if (engine_ == nullptr) {
      throw std::runtime_error(error);
    }
    sql_ = std::make_unique<SqlService>(*engine_);
    schema_ = std::make_unique<SchemaService>(*engine_, projectOf(resolved));
    hooks_ = {sizeof(hooks_), 0, &Query::onLoopStart, &Query::onLoopStop, &Query::onEndOfTurn};
    call_hooks_ = {sizeof(call_hooks_), 0, &Query::onCommit, &Query::onRollback};
    const auto* calls = raw_host.extension<sub0_call>(SUB0_CALL_EXTENSION);
    if (calls != nullptr) {
      calls->set_hooks(host_.raw(), &call_hooks_, engine_.get());
    }
    if (host_.loop() != nullptr) {
      host_.loop()->set_hooks(host_.raw(), &hooks_, engine_.get());
    }
  }

  void start() {
    std::string error;
    if (!engine_->start(error)) {
      throw std::runtime_error(error);
    }
  }
  void stop(std::uint64_t deadline_ns) noexcept {
    schema_->stop();
    sql_->stop();
    engine_->stop(deadline_ns);
  }
  const void* extension(std::string_view name);

  Engine& engine() { return *engine_; }
  SqlService& sql() { return *sql_; }
  SchemaService& schema() { return *schema_; }

 private:
  static void onLoopStart(void* engine, std::uint32_t loop) {
    static_cast<Engine*>(engine)->startLoop(loop);
  }
  static void onLoopStop(void* engine, std::uint32_t loop) {
    static_cast<Engine*>(engine)->stopLoop(loop);
  }
  static void onCommit(void* engine, const sub0_run* run) {
    static_cast<Engine*>(engine)->commit(*run);
  }
  static void onRollback(void* engine, std::uint64_t call_id) {
    static_cast<Engine*>(engine)->rollback(call_id);
  }
  static void onEndOfTurn(void* engine, std::uint32_t loop) {
    static_cast<Engine*>(engine)->endTurn(loop);
  }

  HostPort host_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<SqlService> sql_;
  std::unique_ptr<SchemaService> schema_;
  sub0_loop_hooks hooks_{};
  sub0_call_hooks call_hooks_{};
};

Query& stateOf(void* self) { return static_cast<detail::Instance<Query>*>(self)->state; }

std::int32_t executeSql(void* self, const sub0_text_view* statement, const sub0_value* parameters,
                        sub0_sql_done done, void* user) noexcept {
  return stateOf(self).sql().add(*statement, false, parameters, done, user);
}

std::int32_t executeScript(void* self, const sub0_text_view* script, sub0_sql_done done,
                           void* user) noexcept {
  return stateOf(self).sql().add(*script, true, nullptr, done, user);
}

std::int32_t migrateTables(void* self, const sub0_value* models, std::uint32_t flags,
                           sub0_schema_done done, void* user) noexcept {
  try {
    return stateOf(self).schema().migrate(*models, flags, done, user);
  } catch (...) {  // no memory, no thread
    return SUB0_INTERNAL;
  }
}

std::int32_t isReady(void* self) noexcept { return stateOf(self).engine().isReady() ? 1 : 0; }

constexpr sub0_sql kSql = {sizeof(sub0_sql), 0, &executeSql, &executeScript};
constexpr sub0_schema kSchema = {sizeof(sub0_schema), 0, &migrateTables};
constexpr sub0_health kHealth = {sizeof(sub0_health), 0, &isReady};

const void* Query::extension(std::string_view name) {
  if (name == SUB0_SQL_EXTENSION) {
    return &kSql;
  }
  if (name == SUB0_SCHEMA_EXTENSION) {
    return &kSchema;
  }
  return name == SUB0_HEALTH_EXTENSION ? &kHealth : nullptr;
}

struct QueryMode final : Handler<QueryMode> {
  static constexpr auto mode = "QUERY", key = "sql_query";
  static constexpr auto description = "Runs one SQL statement on the project's database.";
  static constexpr auto schema =
      R"({"type":"object","required":["query"],"properties":{"query":{"type":"string"},)"
      R"("parameters":{"type":"array"},"unique":{"type":"array","items":{"type":"string"}},)"
      R"("with_timestamps":{"type":"boolean"},"soft_delete":{"type":"boolean"}}})";
  static constexpr std::uint32_t max_running = 1000;

  QueryMode(Preparation& preparation, Query& query)
      : engine_(query.engine()), statement_(compileAction(preparation, query.engine())) {}

  // The engine ends the ticket, now or later.
  void run(Run run) {
    if (!statement_->row_counts.empty()) {
      runWithRowCounts(run);
      return;
    }
    const sub0_run& raw = *run.raw();
    run.detach();
    engine_.run(statement_, raw);
  }

  void runWithRowCounts(Run& run) {
    sub0_run raw = *run.raw();
    std::vector<sub0_value> inputs(raw.inputs, raw.inputs + raw.input_count);
    for (const RowCount& count : statement_->row_counts) {
      sub0_value& input = inputs[statement_->inputs[count.place]];
      if (!isRowCount(input)) {
        const Failure failure = noRowCountFailure();
        run.fail(failure.code, failure.client, failure.log);
        return;
      }
      if (hasZeroFraction(input)) input = withoutZeroFraction(input);
    }
    raw.inputs = inputs.data();
    run.detach();
    engine_.run(statement_, raw);
  }

  Engine& engine_;
  StatementPointer statement_;
};

}  // namespace
}  // namespace sub0::query

SUB0_PLUGIN_WITH(sub0::query::Query, "dev.sub0.query", "0.1.0", sub0::query::QueryMode)
