// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"
#include "postgres/postgres_ddl.hpp"
#include "postgres/postgres_loop.hpp"

namespace sub0::query {

// PostgreSQL: each loop has connections of its own, so nothing ever waits on a thread. The first
// one asks how many there may be, and they are shared out; where the server takes fewer than
// there are loops, those without pass their statements on. Ready when every connection that others
// share is up or has been refused, and one is up. The first loop looks at every statement once it
// is up, and warns of those that the server refuses.
class PostgresEngine final : public Engine, private PostgresLoop::Group {
 public:
  // Null and the reason where the URL is none.
  static std::unique_ptr<Engine> make(const HostPort& host, const EngineOptions& options,
                                      std::string& error);

  Dialect dialect() const override { return Dialect::kPostgres; }
  std::string usualSchema() const override { return "public"; }
  std::string translate(const TokenList& list, std::vector<std::string>&) const override {
    return std::string(list.sql);
  }
  void add(const StatementPointer& statement) override;
  StatementNumber numberOf(const std::string& sql) override { return index_.of(sql); }
  bool start(std::string& error) override;
  void stop(std::uint64_t) override { is_stopping_ = true; }
  void startLoop(std::uint32_t loop) override;
  void stopLoop(std::uint32_t loop) override { loops_[loop]->close(); }
  void endTurn(std::uint32_t loop) override { loops_[loop]->send(); }
  void run(const StatementPointer& statement, const sub0_run& run) override;
  void commit(const sub0_run& run) override;
  void rollback(std::uint64_t call_id) override;
  bool isReady() const override;
  std::unique_ptr<SqlSession> openSession(AfterLoss after_loss) override;
  const Ddl* ddl() const override { return &ddl_; }

 private:
  PostgresEngine(const HostPort& host, const EngineOptions& options);
  void setUp(const PostgresAddress& address, const EngineOptions& options);
  PostgresLoop* currentLoop();
  void connectionUp() override;
  void connectionLost(const std::string& why) override;
  void connectionFailed(const std::string& why) override;
  void limitLearned(std::uint32_t most) override;
  bool isAnyUp() const override { return upCount() > 0; }
  bool isAway() const override { return failures_ > 0; }
  bool passOn(PostgresRequestPointer& request, bool reads) override;
  void passTo(std::uint32_t loop, PostgresRequestPointer request) override;
  PostgresTraitsPointer traitsOf(const Statement& statement) override {
    return traits_.of(statement);
  }
  std::size_t upCount() const;
  void tellShortage(const std::string& why);

  const HostPort& host_;
  PostgresSetup setup_;
  const PostgresDdl ddl_;
  std::uint32_t exclusives_per_loop_;
  StatementIndex index_;
  PostgresTraitsTable traits_;
  std::vector<StatementPointer> before_start_;
  std::vector<std::unique_ptr<PostgresLoop>> loops_;
  std::atomic<std::uint32_t> next_stand_in_{0};
  std::atomic<std::uint32_t> failures_{0};  // in a row, of all connections
  std::atomic<bool> has_told_shortage_{false};
  std::atomic<bool> is_shared_out_{false};
  std::atomic<bool> is_stopping_{false};
  bool is_started_ = false;
};

}  // namespace sub0::query
