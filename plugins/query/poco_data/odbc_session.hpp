// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "poco_data/data_session.hpp"

namespace sub0::query {

// A connection through an ODBC driver: Poco's session connects and keeps transactions, statements
// are the driver's own handles. What the driver does with a statement that is interrupted, and how
// much of a result it holds, is the driver's. A call that must not write leaves nothing behind: it
// is rolled back. THREAD: one at a time, but for interrupt. spec S-30
class OdbcSession final : public DataSession {
 public:
  OdbcSession(std::string connection, std::size_t result_limit_bytes);
  ~OdbcSession() override;

  bool connect(Failure& failure) override;
  bool isOpen() override;
  void close() override;
  bool ping(Failure& failure) override;
  bool prepare(const Statement& statement, Failure& failure) override;
  Outcome execute(const Statement& statement, const DataParameters& parameters,
                  bool must_not_write) override;
  Outcome begin(bool must_not_write) override;
  Outcome commit() override;
  Outcome rollback() override;
  void interrupt(int attempt) override;
  Outcome executeOnce(const std::string& sql, const DataParameters& parameters) override;
  // The driver's manager tells one result of several.
  Outcome executeScript(const std::string& sql, Results& /*earlier*/) override {
    return executeOnce(sql, {});
  }

 private:
  struct Connection;
  class Handle;
  struct Prepared;
  Handle* prepared(const Statement& statement, Failure& failure);
  Outcome run(Handle& handle, const std::string& sql, const DataParameters& parameters,
              bool is_prepared, bool only_reads = false);
  bool readRows(Handle& handle, ResultTree& tree);
  Outcome failed(const Handle& handle, const std::string& sql);
  Outcome transact(void (Connection::*step)());

  const std::string connection_string_;
  const std::size_t result_limit_bytes_;
  std::unique_ptr<Connection> connection_;
  bool is_in_transaction_ = false;
  bool must_not_last_ = false;  // of the transaction
  std::mutex running_mutex_;
  Handle* running_ = nullptr;
};

// What an SQLSTATE means for a caller. Pure, any thread. spec S-52
Failure odbcFailure(const std::string& state, const std::string& message, const std::string& sql);

}  // namespace sub0::query
