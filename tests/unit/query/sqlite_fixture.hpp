// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/unit/query/query_fixture.hpp"

namespace sub0::query {

// What SQLite executes in this process, statement by statement, by whichever connection: tests
// count with it what must be shared, and see on which thread it ran. `makeCommitsFail` has SQLite
// turn every COMMIT that wrote into a rollback. Connections that are opened while one of these
// lives are seen.
class SqliteWatch {
 public:
  struct Seen {
    std::string sql;
    std::thread::id thread;
  };

  SqliteWatch() {
    current() = this;
    sqlite3_auto_extension(entry());
  }
  ~SqliteWatch() {
    sqlite3_cancel_auto_extension(entry());
    current() = nullptr;
  }
  SqliteWatch(const SqliteWatch&) = delete;
  SqliteWatch& operator=(const SqliteWatch&) = delete;

  void forget() {
    const std::lock_guard lock(mutex_);
    seen_.clear();
  }
  std::vector<Seen> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  // Statements that begin so.
  std::size_t count(std::string_view beginning) {
    std::size_t found = 0;
    for (const Seen& one : seen()) {
      found += one.sql.compare(0, beginning.size(), beginning) == 0 ? 1 : 0;
    }
    return found;
  }
  // The first letters of what was executed, in order: "BEGIN,INSERT,COMMIT", without savepoints.
  std::string words() {
    std::string text;
    for (const Seen& one : seen()) {
      const std::string word = one.sql.substr(0, one.sql.find_first_of(" ;"));
      if (word != "SAVEPOINT" && word != "RELEASE" && word != "PRAGMA" && word[0] != '-') {
        text += (text.empty() ? "" : ",") + word;
      }
    }
    return text;
  }
  void makeCommitsFail(bool fail) { commits_fail_ = fail; }

 private:
  using Entry = void (*)();
  static SqliteWatch*& current() {
    static SqliteWatch* watch = nullptr;
    return watch;
  }
  static int onOpen(sqlite3* database, char**, const struct sqlite3_api_routines*) {
    sqlite3_trace_v2(
        database, SQLITE_TRACE_STMT,
        [](unsigned, void* self, void*, void* sql) {
          auto& watch = *static_cast<SqliteWatch*>(self);
          const std::lock_guard lock(watch.mutex_);
          watch.seen_.push_back({static_cast<const char*>(sql), std::this_thread::get_id()});
          return 0;
        },
        current());
    sqlite3_commit_hook(
        database,
        [](void* self) { return static_cast<SqliteWatch*>(self)->commits_fail_.load() ? 1 : 0; },
        current());
    return SQLITE_OK;
  }
  static Entry entry() { return reinterpret_cast<Entry>(&onOpen); }

  std::mutex mutex_;
  std::vector<Seen> seen_;
  std::atomic<bool> commits_fail_{false};
};

// A connection beside the plugin's, for locks that others hold.
class OtherConnection {
 public:
  explicit OtherConnection(const std::string& file) {
    EXPECT_EQ(sqlite3_open(file.c_str(), &database_), SQLITE_OK);
    sqlite3_busy_timeout(database_, 5000);
  }
  ~OtherConnection() { sqlite3_close(database_); }
  OtherConnection(const OtherConnection&) = delete;
  OtherConnection& operator=(const OtherConnection&) = delete;

  void execute(const std::string& sql) {
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
        << (message == nullptr ? "" : message);
    sqlite3_free(message);
  }
  // The first column of the first row, as text.
  std::string value(const std::string& sql) {
    std::string found;
    sqlite3_exec(
        database_, sql.c_str(),
        [](void* text, int, char** values, char**) {
          *static_cast<std::string*>(text) = values[0] == nullptr ? "null" : values[0];
          return 1;
        },
        &found, nullptr);
    return found;
  }

 private:
  sqlite3* database_ = nullptr;
};

// The plugin on a database file of the test's own.
class SqliteTest : public QueryTest {
 protected:
  SqliteTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sub0-sqlite-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    file_ = folder_ + "/test.db";
  }
  ~SqliteTest() override {
    host_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // SQL by a connection beside the plugin's.
  void outside(const std::string& sql) { OtherConnection(file_).execute(sql); }
  std::string valueOutside(const std::string& sql) { return OtherConnection(file_).value(sql); }

  virtual void addSettings(Tree&) {}

  std::unique_ptr<LoopHost> makeHost(std::int64_t result_limit) override {
    is_started_ = true;
    auto made = createHost(result_limit);
    made->start();
    EXPECT_EQ(made->start_code, SUB0_OK) << made->allLogs();
    return made;
  }
  std::unique_ptr<LoopHost> createHost(std::int64_t result_limit = 16777216) {
    Tree settings{{"DATABASE_URL", "sqlite:" + file_},
                  {"SUB0_RESULT_LIMIT", result_limit},
                  {"SUB0_STATE", folder_},
                  {"SUB0_PROJECT", folder_},
                  {"SUB0_PROJECT_NAME", project_}};
    addSettings(settings);
    return std::make_unique<LoopHost>(sub0_plugin_v0(), settings);
  }

  // Waits for the end of a run without a turn of the loop.
  LoopEnd waitWithinTurn(sub0_ticket ticket) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (host().end(ticket).times == 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    EXPECT_EQ(host().end(ticket).times, 1);
    return host().end(ticket);
  }

  std::string folder_, file_;
  SqliteWatch watch_;  // outlives the host
};

}  // namespace sub0::query
