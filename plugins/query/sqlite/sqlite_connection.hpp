// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"
#include "sqlite/read_pace.hpp"
#include "sqlite/sqlite_instants.hpp"
#include "sqlite/sqlite_values.hpp"

namespace sub0::query {

// Gives a connection the functions that statements of ours call (unique_check.hpp,
// sqlite_cast_functions.hpp).
void addFunctions(sqlite3* database);

// One SQLite connection and what it has prepared. It executes one statement at a time to its end
// and says how it went; where it waits for a lock, and how long, its owner decides (`setWait`).
// Reading connections cannot write at all. Attaching, PRAGMA and transaction control are refused by
// the authorizer, but for our own (`control`) and on free connections. THREAD: one at a time. Does
// not know runs, loops or tickets.
class SqliteConnection {
 public:
  enum class Use { kRead, kWrite, kFree };
  enum class Status { kDone, kBusy, kFailed };
  enum class Control : std::uint8_t {
    kBegin,
    kBeginImmediate,
    kCommit,
    kRollback,
    kSavepoint,
    kRelease,
    kRollbackTo,
  };
  struct Outcome {
    Status status = Status::kFailed;
    std::unique_ptr<ResultTree> tree;  // kDone
    Failure failure;                   // kFailed
  };
  // A statement as this connection keeps it. The four after `only_reads` are the owner's to use.
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    bool only_reads = false;
    bool was_slow = false;
    bool loses_others = false;
    std::uint8_t fast_runs = 0;  // one after another
    std::shared_ptr<ReadPace> pace;
    int reprepared = -1;  // of SQLite's own counter, when the columns were looked at
    std::vector<ColumnKind> kinds;
    std::vector<std::string> names;
    std::vector<bool> json_casts;  // columns: see sqlite_casts.hpp
    FormedParameters formed;       // see sqlite_instants.hpp
  };

  SqliteConnection(Use use, std::size_t result_limit_bytes)
      : use_(use), result_limit_bytes_(result_limit_bytes) {}
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Opens the file; false and a text for the operator where it cannot.
  bool open(const std::string& path, std::string& error);

  // The statement, prepared on first use; null and why where the database refuses it (code
  // SUB0_BUSY where a lock stood in the way). Valid until the next call of prepare.
  Prepared* prepare(const Statement& statement, Failure& failure);

  // Executes what was prepared. Time left of 0: without a deadline.
  Outcome execute(Prepared& prepared, const SqliteParameters& parameters,
                  std::chrono::nanoseconds time_left);
  // The same for SQL that is used once; `tail`: what stands behind its first statement.
  Outcome executeOnce(std::string_view sql, const SqliteParameters& parameters,
                      std::string_view* tail);
  // A statement of our own.
  Status control(Control control, Failure& failure);

  bool isInTransaction() const { return sqlite3_get_autocommit(database_) == 0; }
  // Whether a reference refers to nothing so far: COMMIT would refuse it.
  bool hasOpenReferences() const;
  // SQLite's extended code of what failed last.
  int errorCode() const { return sqlite3_extended_errcode(database_); }

  // Of writing connections: what the log (the -wal file) held after the last commit. The pages are
  // put back into the database by the owner, not by SQLite within a commit.
  int logPages() const { return log_pages_; }
  std::uint64_t logBytes() const;
  bool checkpoint(int mode);  // SQLITE_CHECKPOINT_...; false: something stood in the way

  // Makes what is being executed fail. THREAD: any.
  void interrupt() { sqlite3_interrupt(database_); }

  // Called while a lock is held by somebody else, with the number of calls so far; true: try again.
  void setWait(std::function<bool(int)> wait) { wait_ = std::move(wait); }

 private:
  Outcome step(Prepared& prepared, const SqliteParameters& parameters, Shown shown);
  void lookAtColumns(Prepared& prepared);
  ColumnOf lookAtColumn(const std::vector<std::string>& tables, const std::string& column);
  Failure failureNow(const char* sql, Shown shown);
  Failure failureOfStep(sqlite3_stmt* statement, Shown shown);
  void watchTime(std::chrono::nanoseconds time_left);
  bool configure(const std::string& path, std::string& error);

  Use use_;
  std::size_t result_limit_bytes_;
  sqlite3* database_ = nullptr;
  bool own_words_ = false;
  PreparedStatements<Prepared> prepared_;
  std::array<sqlite3_stmt*, 7> controls_{};
  std::function<bool(int)> wait_;
  std::chrono::steady_clock::time_point until_{};
  bool timed_out_ = false;
  int page_size_bytes_ = 0;
  int log_pages_ = 0;
};

}  // namespace sub0::query
