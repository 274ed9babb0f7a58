// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine.hpp"
#include "sqlite/file_lock.hpp"
#include "sqlite/sqlite_connection.hpp"
#include "sqlite/sqlite_ddl.hpp"
#include "sqlite/sqlite_loop_reader.hpp"
#include "sqlite/sqlite_reading_threads.hpp"
#include "sqlite/sqlite_request.hpp"
#include "sqlite/sqlite_writer.hpp"

namespace sub0::query {

// The pace of each reading statement, one for all loops. THREAD: any.
class ReadPaces {
 public:
  std::shared_ptr<ReadPace> of(const StatementNumber& number) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<ReadPace>& pace =
        paces_.of(number, [](std::uint32_t, std::shared_ptr<ReadPace>&) {});
    if (pace == nullptr) {
      pace = std::make_shared<ReadPace>();
    }
    return pace;
  }

 private:
  std::mutex mutex_;
  PreparedStatements<std::shared_ptr<ReadPace>> paces_;
};

// SQLite: each loop reads on a connection of its own, on the loop, since a read by key takes
// microseconds; statements that take longer are for a few reading threads; all writes, and
// transactions of calls with all their statements, go through one writer thread. A loop never waits
// for a lock: a read that meets one is tried again by a timer until its deadline. A write ends its
// run after its commit, and a read begins on what is there then, so a call that writes and then
// reads sees its row.
class SqliteEngine final : public Engine {
 public:
  SqliteEngine(const HostPort& host, std::string path, const EngineOptions& options);
  ~SqliteEngine() override;

  Dialect dialect() const override { return Dialect::kSqlite; }
  std::string usualSchema() const override { return "main"; }
  std::string translate(const TokenList& list, std::vector<std::string>& errors) const override;
  void add(const StatementPointer& statement) override;
  StatementNumber numberOf(const std::string& sql) override { return index_.of(sql); }
  bool start(std::string& error) override;
  void stop(std::uint64_t deadline_ns) override;
  void startLoop(std::uint32_t) override {}
  void stopLoop(std::uint32_t loop) override;
  void endTurn(std::uint32_t loop) override;
  void run(const StatementPointer& statement, const sub0_run& run) override;
  void commit(const sub0_run& run) override;
  void rollback(std::uint64_t call_id) override;
  bool isReady() const override { return is_ready_.load(); }
  std::unique_ptr<SqlSession> openSession(AfterLoss after_loss) override;
  const Ddl* ddl() const override { return &ddl_; }

 private:
  struct Retry;
  struct LoopState {
    std::unique_ptr<SqliteLoopReader> reader;
    std::list<std::unique_ptr<Retry>> retries;
    SqliteParameters spare_parameters;  // empty, with the memory of those that were read with last
  };

  void makeFolder() const;
  void check(const Statement& statement);
  void execute(LoopState& loop, SqliteRequest request, std::uint32_t attempt);
  void read(LoopState& loop, SqliteConnection::Prepared& prepared, SqliteRequest request,
            std::uint32_t attempt);
  void retryLater(LoopState& loop, SqliteRequest request, std::uint32_t attempt);
  static void onRetry(void* retry);

  const HostPort& host_;
  const std::string path_;
  const std::size_t result_limit_bytes_;
  const SqliteOptions options_;
  const SqliteDdl ddl_;
  FileLock lock_;
  StatementIndex index_;
  ReadPaces paces_;
  WriteCount writes_{0};
  std::vector<StatementPointer> before_start_;
  std::unique_ptr<SqliteConnection> checker_;  // [control]
  std::vector<LoopState> loops_;
  SqliteWriter writer_;
  SqliteReadingThreads reading_threads_;
  std::atomic<bool> is_ready_{false};
};

}  // namespace sub0::query
