// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"
#include "postgres/postgres_pipeline.hpp"

namespace sub0::query {

// PostgreSQL: each loop has one pipelined connection, so nothing ever waits on a thread. Where the
// server allows fewer (the role's limit, max_connections), the loops without one pass their
// statements on to those that have one. Ready when every connection is up or has been refused, and
// one is up. The first loop's connection tries every statement once it is up, and warns of those
// that the server refuses.
class PostgresEngine final : public Engine, private PostgresPipeline::Group {
 public:
  // Null and the reason where the URL is none.
  static std::unique_ptr<Engine> make(const HostPort& host, const std::string& url,
                                      std::size_t result_limit_bytes, std::string& error);

  Dialect dialect() const override { return Dialect::kPostgres; }
  std::string translate(const TokenList& list, std::vector<std::string>&) const override {
    return std::string(list.sql);
  }
  void add(const StatementPointer& statement) override;
  StatementNumber numberOf(const std::string& sql) override { return index_.of(sql); }
  bool start(std::string& error) override;
  void stop(std::uint64_t) override { is_stopping_ = true; }
  void startLoop(std::uint32_t loop) override;
  void stopLoop(std::uint32_t loop) override { pipelines_[loop]->close(); }
  void endTurn(std::uint32_t loop) override { pipelines_[loop]->send(); }
  void run(const StatementPointer& statement, const sub0_run& run) override;
  bool isReady() const override;
  std::unique_ptr<SqlSession> openSession() override;

 private:
  PostgresEngine(const HostPort& host, std::size_t result_limit_bytes)
      : host_(host), result_limit_bytes_(result_limit_bytes) {}
  void connectionUp() override;
  void connectionLost(const std::string& why) override;
  void connectionFailed(const std::string& why) override;
  bool isAnyUp() const override { return upCount() > 0; }
  bool passOn(PostgresRequestPointer& request) override;
  std::size_t upCount() const;

  const HostPort& host_;
  std::size_t result_limit_bytes_;
  PostgresAddress address_;
  StatementIndex index_;
  std::vector<StatementPointer> before_start_;
  std::vector<std::unique_ptr<PostgresPipeline>> pipelines_;
  std::atomic<std::uint32_t> next_stand_in_{0};
  std::atomic<std::uint32_t> failures_{0};  // in a row, of all connections
  std::atomic<bool> has_told_shortage_{false};
  std::atomic<bool> is_stopping_{false};
  bool is_started_ = false;
};

}  // namespace sub0::query
