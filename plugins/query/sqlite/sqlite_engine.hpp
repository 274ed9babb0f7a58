// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"
#include "sqlite/sqlite_connection.hpp"
#include "sqlite/sqlite_writer.hpp"

namespace sub0::query {

// SQLite: each loop reads on a connection of its own, on the loop, since a read by key takes
// microseconds; all writes go through one writer thread. A loop never waits for a lock: a read that
// meets one is tried again by a timer until its deadline. A write ends its run after its commit,
// and reads are new transactions, so a call that writes and then reads sees its row. Does not move
// slow reads off the loop.
class SqliteEngine final : public Engine {
 public:
  SqliteEngine(const HostPort& host, std::string path, std::size_t result_limit_bytes);
  ~SqliteEngine() override;

  Dialect dialect() const override { return Dialect::kSqlite; }
  std::string translate(const TokenList& list, std::vector<std::string>& errors) const override;
  void add(const StatementPointer& statement) override;
  StatementNumber numberOf(const std::string& sql) override { return index_.of(sql); }
  bool start(std::string& error) override;
  void stop(std::uint64_t deadline_ns) override;
  void startLoop(std::uint32_t) override {}
  void stopLoop(std::uint32_t loop) override;
  void endTurn(std::uint32_t) override {}
  void run(const StatementPointer& statement, const sub0_run& run) override;
  bool isReady() const override { return is_ready_.load(); }
  std::unique_ptr<SqlSession> openSession() override;

 private:
  struct Retry;
  struct LoopState {
    std::unique_ptr<SqliteConnection> reader;
    std::list<std::unique_ptr<Retry>> retries;
  };

  void check(const Statement& statement);
  void read(LoopState& loop, SqliteRequest request, std::uint32_t attempt);
  void retryLater(LoopState& loop, SqliteRequest request, std::uint32_t attempt);
  static void onRetry(void* retry);

  const HostPort& host_;
  std::string path_;
  std::size_t result_limit_bytes_;
  StatementIndex index_;
  std::vector<StatementPointer> before_start_;
  std::unique_ptr<SqliteConnection> checker_;  // [control]
  std::vector<LoopState> loops_;
  SqliteWriter writer_;
  std::atomic<bool> is_ready_{false};
};

}  // namespace sub0::query
