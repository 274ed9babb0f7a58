// SPDX-License-Identifier: Apache-2.0
// What sqlite3 alone can do, in one thread:
//   bench_raw_sqlite read FILE SECONDS GROUP QUERY PARAMETER EXPECTED
//     QUERY with PARAMETER as ?1, prepared once; GROUP reads in one transaction (1: none around
//     it).
//   bench_raw_sqlite transfer FILE SECONDS GROUP ACCOUNTS
//     two updates and an insert, each transfer between savepoints, GROUP of them in one
//     BEGIN IMMEDIATE ... COMMIT (write-ahead log, synchronous=FULL).
// Prints one JSON line: calls, seconds, CPU per call.
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/bench/database/window.hpp"

namespace {

class Database {
 public:
  Database(const char* file, int flags) {
    check(sqlite3_open_v2(file, &database_, flags | SQLITE_OPEN_NOMUTEX, nullptr) == SQLITE_OK);
  }
  ~Database() { sqlite3_close_v2(database_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql) {
    check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) ==
          SQLITE_OK);
    return statement;
  }
  /// Runs a statement that returns no rows.
  void run(sqlite3_stmt* statement) {
    check(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
  }
  /// Ends the process with SQLite's message unless `holds`.
  void check(bool holds) {
    if (holds) return;
    std::fprintf(stderr, "raw sqlite3: %s\n", sqlite3_errmsg(database_));
    std::exit(1);
  }

 private:
  sqlite3* database_ = nullptr;
};

void report(const sub0::bench::Window& window, std::uint64_t done) {
  std::printf(R"({"calls":%llu,"seconds":%.6f,"cpu_us":%.4f,"answered":%llu})"
              "\n",
              static_cast<unsigned long long>(window.count()), window.seconds(),
              window.cpuMicroseconds(0), static_cast<unsigned long long>(done));
}

int read(const char* file, double seconds, int group, char** words) {
  const char* parameter = words[1];
  const double expected = std::stod(words[2]);
  Database database(file, SQLITE_OPEN_READWRITE);  // as the log's readers need it
  database.execute("PRAGMA query_only=1");
  sqlite3_stmt* query = database.prepare(words[0]);
  sqlite3_stmt* begin = database.prepare("BEGIN");
  sqlite3_stmt* commit = database.prepare("COMMIT");
  std::uint64_t done = 0;
  sub0::bench::Window window(seconds, {0});
  while (window.look(done)) {
    // Some hundred reads between two looks at the clock
    for (int round = 0; round < 16; ++round) {
      if (group > 1) database.run(begin);
      for (int i = 0; i < group; ++i) {
        sqlite3_bind_text(query, 1, parameter, -1, SQLITE_STATIC);
        database.check(sqlite3_step(query) == SQLITE_ROW);
        database.check(sqlite3_column_double(query, 0) == expected);
        database.check(sqlite3_step(query) == SQLITE_DONE);
        sqlite3_reset(query);
      }
      if (group > 1) database.run(commit);
      done += static_cast<std::uint64_t>(group);
    }
  }
  report(window, done);
  for (sqlite3_stmt* statement : {query, begin, commit}) sqlite3_finalize(statement);
  return 0;
}

/// The statements of a transfer, as in transfer/resources/transfer.json.
struct Transfer {
  sqlite3_stmt* savepoint;
  sqlite3_stmt* take;
  sqlite3_stmt* give;
  sqlite3_stmt* note;
  sqlite3_stmt* release;
};

void move(Database& database, const Transfer& transfer, std::int64_t source, std::int64_t target) {
  database.run(transfer.savepoint);
  sqlite3_bind_int64(transfer.take, 1, 1);
  sqlite3_bind_int64(transfer.take, 2, source);
  database.run(transfer.take);
  sqlite3_bind_int64(transfer.give, 1, 1);
  sqlite3_bind_int64(transfer.give, 2, target);
  database.run(transfer.give);
  sqlite3_bind_int64(transfer.note, 1, source);
  sqlite3_bind_int64(transfer.note, 2, target);
  sqlite3_bind_int64(transfer.note, 3, 1);
  database.run(transfer.note);
  database.run(transfer.release);
}

int transfer(const char* file, double seconds, int group, std::int64_t accounts) {
  Database database(file, SQLITE_OPEN_READWRITE);
  database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=1");
  sqlite3_stmt* begin = database.prepare("BEGIN IMMEDIATE");
  sqlite3_stmt* commit = database.prepare("COMMIT");
  const Transfer words{
      database.prepare("SAVEPOINT t"),
      database.prepare("UPDATE accounts SET balance = balance - ?1 WHERE id = ?2"),
      database.prepare("UPDATE accounts SET balance = balance + ?1 WHERE id = ?2"),
      database.prepare("INSERT INTO transfers (source, target, amount) VALUES (?1, ?2, ?3)"),
      database.prepare("RELEASE t"),
  };
  std::uint64_t done = 0;
  std::uint64_t random = 1;
  const auto account = [&] {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return 1 + static_cast<std::int64_t>(random >> 33) % accounts;
  };
  sub0::bench::Window window(seconds, {0});
  while (window.look(done)) {
    database.run(begin);
    for (int i = 0; i < group; ++i) {
      const std::int64_t source = account();
      move(database, words, source, account());
    }
    database.run(commit);
    done += static_cast<std::uint64_t>(group);
  }
  report(window, done);
  for (sqlite3_stmt* statement :
       {begin, commit, words.savepoint, words.take, words.give, words.note, words.release}) {
    sqlite3_finalize(statement);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "read" && argc == 8) {
    return read(argv[2], std::stod(argv[3]), std::stoi(argv[4]), argv + 5);
  }
  if (verb == "transfer" && argc == 6) {
    return transfer(argv[2], std::stod(argv[3]), std::stoi(argv[4]), std::stoll(argv[5]));
  }
  std::fputs(
      "usage: bench_raw_sqlite read FILE SECONDS GROUP QUERY PARAMETER EXPECTED\n"
      "       bench_raw_sqlite transfer FILE SECONDS GROUP ACCOUNTS\n",
      stderr);
  return 2;
}
