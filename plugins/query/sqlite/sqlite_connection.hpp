// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"
#include "sqlite/sqlite_values.hpp"

namespace sub0::query {

// One SQLite connection and what it has prepared. It executes one statement at a time to its end
// and says how it went; where it waits for a lock, and how long, its owner decides (`setWait`).
// Reading connections cannot write at all. Attaching, and on all but free connections transactions,
// are refused by the authorizer. THREAD: one at a time. Does not know runs, loops or tickets.
class SqliteConnection {
 public:
  enum class Use { kRead, kWrite, kFree };
  enum class Status { kDone, kBusy, kFailed };
  struct Outcome {
    Status status = Status::kFailed;
    std::unique_ptr<ResultTree> tree;  // kDone
    Failure failure;                   // kFailed
  };

  SqliteConnection(Use use, std::size_t result_limit_bytes)
      : use_(use), result_limit_bytes_(result_limit_bytes) {}
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Opens the file; false and a text for the operator where it cannot.
  bool open(const std::string& path, std::string& error);

  // The statement, prepared on first use; null and why where the database refuses it.
  sqlite3_stmt* prepared(const Statement& statement, Failure& failure);

  // Executes a statement of `prepared`. A deadline of 0: none.
  Outcome execute(const Statement& statement, const SqliteParameters& parameters,
                  std::chrono::nanoseconds time_left);
  // The same for SQL that is used once; `tail`: what stands behind its first statement.
  Outcome executeOnce(std::string_view sql, const SqliteParameters& parameters,
                      std::string_view* tail);
  // A statement of our own (BEGIN, COMMIT); a failure is told of `blamed`, where that is not empty.
  Status control(const char* sql, Failure& failure, const std::string& blamed = {});

  // Makes what is being executed fail. THREAD: any.
  void interrupt() { sqlite3_interrupt(database_); }

  // Called while a lock is held by somebody else, with the number of calls so far; true: try again.
  void setWait(std::function<bool(int)> wait) { wait_ = std::move(wait); }

 private:
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    int reprepared = -1;  // of SQLite's own counter, when the columns were looked at
    std::vector<ColumnKind> kinds;
    std::vector<std::string> names;
  };

  Outcome step(Prepared& prepared, const SqliteParameters& parameters);
  void lookAtColumns(Prepared& prepared);
  Failure failureNow(const char* sql);
  void watchTime(std::chrono::nanoseconds time_left);

  Use use_;
  std::size_t result_limit_bytes_;
  sqlite3* database_ = nullptr;
  bool own_words_ = false;
  PreparedStatements<Prepared> prepared_;
  std::function<bool(int)> wait_;
  std::chrono::steady_clock::time_point until_{};
  bool timed_out_ = false;
};

}  // namespace sub0::query
