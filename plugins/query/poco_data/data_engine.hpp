// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "poco_data/data_pool.hpp"

namespace sub0::query {

// Databases whose clients block, through Poco::Data: MariaDB, MySQL, and what an ODBC driver leads
// to. Loops hand statements to a pool of threads with a connection each (DataPool) and go on; a
// keeper knows whether the database is there.
class DataEngine final : public Engine {
 public:
  DataEngine(const HostPort& host, std::unique_ptr<DataSource> source,
             const EngineOptions& options);
  ~DataEngine() override { stop(0); }

  Dialect dialect() const override { return source_->dialect(); }
  std::string usualSchema() const override { return source_->usualSchema(); }
  std::string translate(const TokenList& list, std::vector<std::string>& errors) const override {
    return source_->translate(list, errors);
  }
  void add(const StatementPointer& statement) override;
  StatementNumber numberOf(const std::string& sql) override { return index_.of(sql); }
  bool start(std::string& error) override;
  void stop(std::uint64_t deadline_ns) override;
  void startLoop(std::uint32_t) override {}
  void stopLoop(std::uint32_t) override {}
  void endTurn(std::uint32_t) override {}
  void run(const StatementPointer& statement, const sub0_run& run) override;
  void commit(const sub0_run& run) override;
  void rollback(std::uint64_t call_id) override { pool_.rollbackCall(call_id); }
  bool isReady() const override { return keeper_.isUp(); }
  std::unique_ptr<SqlSession> openSession(AfterLoss after_loss) override {
    return source_->openSqlSession(after_loss);
  }
  const Ddl* ddl() const override { return source_->ddl(); }

 private:
  const HostPort& host_;
  std::unique_ptr<DataSource> source_;
  StatementIndex index_;
  std::vector<StatementPointer> before_start_;
  bool is_started_ = false;
  DataKeeper keeper_;
  DataPool pool_;
};

}  // namespace sub0::query
