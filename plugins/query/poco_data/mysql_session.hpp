// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Data/MySQL/SessionHandle.h>
#include <Poco/Data/MySQL/StatementExecutor.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "poco_data/data_session.hpp"
#include "poco_data/mysql_address.hpp"
#include "poco_data/mysql_assignments.hpp"
#include "poco_data/mysql_values.hpp"

namespace sub0::query {

// A connection to MariaDB or MySQL: Poco's handles of sessions and statements, whose exceptions end
// here. Its session counts in UTC, speaks utf8mb4, refuses what does not fit a column, and reads
// strings, names in quotes and || as the standard does. Rows are read as they come, so a large
// result is given up, not held. THREAD: one at a time, but for interrupt. spec S-30
class MysqlSession final : public DataSession {
 public:
  // `io_timeout_s` 0: statements take what they need.
  MysqlSession(const MysqlAddress& address, std::size_t result_limit_bytes, unsigned io_timeout_s)
      : address_(address), result_limit_bytes_(result_limit_bytes), io_timeout_s_(io_timeout_s) {}
  ~MysqlSession() override { close(); }

  bool connect(Failure& failure) override;
  bool isOpen() override;
  void close() override;
  bool ping(Failure& failure) override;
  bool prepare(const Statement& statement, Failure& failure) override;
  Outcome execute(const Statement& statement, const DataParameters& parameters,
                  bool must_not_write) override;
  Outcome begin(bool must_not_write) override;
  Outcome commit() override { return endTransaction("COMMIT"); }
  Outcome rollback() override { return endTransaction("ROLLBACK"); }
  void interrupt(int attempt) override;

  Outcome executeOnce(const std::string& sql, const DataParameters& parameters) override;
  Outcome executeScript(const std::string& sql, Results& earlier) override;

 private:
  using Executor = Poco::Data::MySQL::StatementExecutor;
  struct Prepared {
    std::unique_ptr<Executor> executor;
    std::vector<MysqlKnown> known;
    std::vector<bool> plain_instants;  // see MysqlInstants
    std::vector<MysqlAssignment> assignments;
    bool changes_session = false;  // for others that would come after it
  };

  MYSQL* handle() { return *session_; }
  void setOptions();
  bool isServerTalking() const;
  bool prepareInto(Prepared& prepared, const Statement& statement, Failure& failure);
  Outcome run(Prepared& prepared, const Statement& statement, const DataParameters& parameters,
              bool must_not_write);
  bool renew(Prepared& prepared, const Statement& statement, bool has_changed_nothing);
  Outcome runUndoable(Prepared& prepared, const Statement& statement,
                      const DataParameters& parameters);
  Outcome runChecked(Prepared& prepared, const Statement& statement,
                     const DataParameters& parameters);
  Outcome judged(Outcome outcome, const Statement& statement);
  Outcome runOnce(Prepared& prepared, const Statement& statement, const DataParameters& parameters,
                  Shown shown);
  unsigned warningsOfRows();
  bool readRows(Prepared& prepared, ResultTree& tree);
  Outcome giveUp(Executor& executor, const Statement& statement, const ResultTree& tree);
  Outcome simple(const std::string& sql);
  Outcome endTransaction(const char* word);
  std::unique_ptr<ResultTree> readScriptRows();
  Outcome failed(unsigned number, const std::string& message, const std::string& sql, Shown shown);
  std::string columnsOfKey(const std::string& key, const std::string& table);
  std::optional<std::string> firstValue(const std::string& sql);
  std::optional<bool> wouldRound(const Prepared& prepared, const Statement& statement,
                                 const DataParameters& parameters);

  const MysqlAddress address_;
  const std::size_t result_limit_bytes_;
  const unsigned io_timeout_s_;
  std::unique_ptr<Poco::Data::MySQL::SessionHandle> session_;
  PreparedStatements<Prepared> prepared_;
  std::map<std::pair<std::string, std::string>, std::string> key_columns_;
  std::set<std::pair<std::string, std::string>> fractional_;  // columns that hold fractions
  bool is_read_only_ = false;                                 // the session's mode
  bool is_in_transaction_ = false;
  bool is_mariadb_ = true;
  bool is_spent_ = false;  // a statement changed it for others: it ends with its transaction
  unsigned last_error_ = 0;
  std::string complaint_;  // the server's words of that error, which show values
  unsigned warnings_ = 0;  // of what ran last

  // For interrupt. The socket is a descriptor of our own: the library's may be closed at any time.
  std::mutex socket_mutex_;
  int socket_ = -1;
  unsigned long number_ = 0;
};

}  // namespace sub0::query
