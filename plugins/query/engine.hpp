// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/plugin.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host_port.hpp"
#include "row_counts.hpp"
#include "sql_tokens.hpp"
#include "statement_index.hpp"

namespace sub0::query {

// One compiled statement. Connections keep what they prepared under `number`, which is the same for
// the same SQL, so that a reload does not prepare anew, and forget it when no statement has that
// SQL any more. Immutable once compiled; shared by the action and by the runs under way.
struct Statement {
  std::string sql;
  std::string place;  // for the log: resource, action
  StatementNumber number;
  bool reads_only = false;
  // The same where the database knows no RETURNING that we added; empty: there is none. spec S-41
  std::string without_returning;
  // Of $1, $2, ..., or of each ? where the database knows no numbers: index into the run's inputs.
  std::vector<std::uint32_t> inputs;
  std::vector<RowCount> row_counts;  // by place among them
};
using StatementPointer = std::shared_ptr<const Statement>;

// What a session does when its connection is lost: connects again, or fails from then on, because
// it held something there that another connection has not, such as the lock of a migration.
enum class AfterLoss : std::uint8_t { kReconnects, kFails };

using Results = std::vector<std::unique_ptr<ResultTree>>;

inline Failure isClosing() { return Failure{SUB0_UNAVAILABLE, "the database is being closed", ""}; }

// A blocking session of its own, for sub0.sql/1 and migrations: connects on first use. Used by one
// thread.
class SqlSession {
 public:
  virtual ~SqlSession() = default;
  // Runs one statement or a script; null and `failure` where it fails. Of a script this is the
  // last result.
  virtual std::unique_ptr<ResultTree> execute(std::string_view sql, bool is_script,
                                              const sub0_value& parameters, Failure& failure) = 0;
  // The results of the script that stand before that one, or before its failure; none where the
  // database tells the last alone.
  virtual Results takeEarlier() { return {}; }
  // Has what is under way end soon, and what begins later. THREAD: any.
  virtual void cancel() = 0;
};

class Ddl;

// A kind of database. The plugin's glue (action.cpp, query_plugin.cpp) knows databases by this
// alone. THREAD: compile, start, stop: [control]; the loop functions and run: that loop; ready:
// any.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Dialect dialect() const = 0;
  // What the database takes for the schema of a table that names none.
  virtual std::string usualSchema() const = 0;
  // The statement in the database's own words; errors where it cannot run there at all.
  virtual std::string translate(const TokenList& list, std::vector<std::string>& errors) const = 0;
  // Makes a statement known: before start, so that start can try it, or later, at a reload.
  virtual void add(const StatementPointer& statement) = 0;
  // A number for that SQL, the same for the same text.
  virtual StatementNumber numberOf(const std::string& sql) = 0;

  virtual bool start(std::string& error) = 0;
  virtual void stop(std::uint64_t deadline_ns) = 0;
  virtual void startLoop(std::uint32_t loop) = 0;
  virtual void stopLoop(std::uint32_t loop) = 0;
  virtual void endTurn(std::uint32_t loop) = 0;
  // Executes a statement for a run; ends its ticket once, now or later.
  virtual void run(const StatementPointer& statement, const sub0_run& run) = 0;
  // Transactions of calls: a run with SUB0_RUN_IN_TRANSACTION belongs to the one of its call_id,
  // which begins with it; one statement at a time. commit ends its ticket once: completed when all
  // of it is durable, else failed, with a text for the client that says so where the outcome is
  // unknown. rollback answers nothing, and may come while a statement is under way, after a failed
  // commit, or for a call that is over. THREAD: the loop of the call.
  virtual void commit(const sub0_run& run) = 0;
  virtual void rollback(std::uint64_t call_id) = 0;
  virtual bool isReady() const = 0;
  virtual std::unique_ptr<SqlSession> openSession(AfterLoss after_loss) = 0;
  // How tables are made there; null: this version makes none.
  virtual const Ddl* ddl() const { return nullptr; }
};

// What only PostgreSQL knows.
struct PostgresOptions {
  std::uint32_t exclusive_connections = 4;  // of each loop, at most
  std::uint64_t exclusive_wait_ms = 5000;
  std::uint64_t shared_timeout_ms = 50;  // of a statement that others wait behind; 0: none
  bool keeps_statements = true;          // false: PgBouncer
};

// What only SQLite knows.
struct SqliteOptions {
  std::uint64_t log_limit_bytes = std::uint64_t{64} << 20U;  // of the -wal file
  bool owns_file = false;                                    // no second host may
};

// What only databases with a pool of threads know: MariaDB, MySQL, ODBC.
struct PoolOptions {
  std::uint32_t connections = 8;  // at most
  std::uint64_t wait_ms = 5000;   // for a free one
};

struct EngineOptions {
  std::string url;             // DATABASE_URL, not empty
  std::string project_folder;  // what a relative sqlite: path counts from
  std::size_t result_limit_bytes = std::size_t{16} << 20U;
  SqliteOptions sqlite;
  PostgresOptions postgres;
  PoolOptions pool;
};

// The engine of the URL's kind, or null and the reason.
std::unique_ptr<Engine> makeEngine(const HostPort& host, const EngineOptions& options,
                                   std::string& error);

// What a caller reads whose GET would have written. spec S-50
inline constexpr const char* kMustNotWrite =
    "GET is not allowed: the resource does more than read; use POST";

// What fails a run whose result passed SUB0_RESULT_LIMIT. Q-72
Failure resultTooLarge(std::size_t limit_bytes);
// The same for a tree that is over; or, where the others take the memory for results, what tells
// who only reads to try again.
Failure resultOver(const ResultTree& tree, bool has_changed_nothing);
// What fails a statement whose session has lost its connection and does not get another.
Failure connectionLost();
// What fails a run with a NUL character in a parameter. Q-60
Failure holdsNulFailure();
// What fails a run whose parameter behind LIMIT or OFFSET is no row count. spec S-30
Failure noRowCountFailure();

}  // namespace sub0::query
