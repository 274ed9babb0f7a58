// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <mutex>

#include "engine.hpp"
#include "postgres/postgres_address.hpp"

namespace sub0::query {

// A blocking session of its own for sub0.sql/1: connects on first use, and again after a loss
// where it may. THREAD: one.
class PostgresSession final : public SqlSession {
 public:
  PostgresSession(const PostgresAddress& address, std::size_t limit_bytes, AfterLoss after_loss)
      : address_(address), limit_bytes_(limit_bytes), after_loss_(after_loss) {}
  ~PostgresSession() override { PQfinish(connection_); }

  std::unique_ptr<ResultTree> execute(std::string_view sql, bool is_script,
                                      const sub0_value& parameters, Failure& failure) override;
  Results takeEarlier() override { return std::move(earlier_); }
  void cancel() override;

 private:
  bool connect(Failure& failure);
  std::unique_ptr<ResultTree> take(PGresult* result, const std::string& sql, Failure& failure);
  std::unique_ptr<ResultTree> executeScript(const std::string& script, Failure& failure);

  const PostgresAddress& address_;
  std::size_t limit_bytes_;
  const AfterLoss after_loss_;
  std::mutex mutex_;  // of connection_ where cancel() may meet its exchange
  PGconn* connection_ = nullptr;
  std::atomic<bool> is_cancelled_{false};
  Results earlier_;
};

}  // namespace sub0::query
