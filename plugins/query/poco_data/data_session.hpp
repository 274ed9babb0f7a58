// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"

namespace sub0::query {

// In which a server must answer what only looks whether it is there.
inline constexpr unsigned kPingTimeoutSeconds = 3;

// A value on its way into a database that takes values by type: numbers with all their digits,
// booleans as 0 and 1, arrays and objects as JSON text. spec S-30
struct DataParameter {
  enum class Kind : std::uint8_t { kNull, kInteger, kUnsigned, kReal, kDecimal, kText };
  Kind kind = Kind::kNull;
  std::int64_t integer = 0;  // kInteger; the bits of kUnsigned
  double real = 0;
  std::string text;  // kText; the digits of kDecimal
};
using DataParameters = std::vector<DataParameter>;

DataParameter toDataParameter(const sub0_value& value);

// A row count, as isRowCount knows it, as a database takes it that knows no null there: the
// greatest number is no limit.
DataParameter toRowCount(const sub0_value& value, bool is_offset);

// An instant of ISO-8601 as "2024-02-29 13:14:15.123456" in UTC, which is the form that MariaDB
// takes; false, and nothing written, where the text is none with a zone.
bool toPlainInstant(const std::string& text, std::string& plain);

// One blocking connection to a database that is reached through Poco::Data, with what it has
// prepared. It says how a statement went; queues, deadlines and runs are its owner's (DataPool).
// Nothing is ever sent twice. THREAD: one at a time, but for interrupt.
class DataSession {
 public:
  enum class End : std::uint8_t {
    kDone,
    kFailed,  // the connection can go on
    kLost,    // it cannot: whether the statement did its work may be unknown
  };
  struct Outcome {
    End end = End::kFailed;
    std::unique_ptr<ResultTree> tree;  // kDone
    Failure failure;                   // kFailed, kLost
  };

  virtual ~DataSession() = default;
  // Connects anew; bounded by a few seconds. False and why.
  virtual bool connect(Failure& failure) = 0;
  // Whether it is connected as far as can be seen without asking the server.
  virtual bool isOpen() = 0;
  virtual void close() = 0;
  // Asks the server for a sign of life; bounded by a few seconds.
  virtual bool ping(Failure& failure) = 0;
  // Makes the statement known; false and why where the database refuses it.
  virtual bool prepare(const Statement& statement, Failure& failure) = 0;
  // Executes a statement. `must_not_write`: it fails as METHOD_NOT_ALLOWED where it would, or
  // leaves nothing behind.
  virtual Outcome execute(const Statement& statement, const DataParameters& parameters,
                          bool must_not_write) = 0;
  virtual Outcome begin(bool must_not_write) = 0;
  virtual Outcome commit() = 0;
  virtual Outcome rollback() = 0;
  // For sub0.sql/1: SQL that is used once, and a script of several statements: the outcome is the
  // last one's, `earlier` gets the results before it.
  virtual Outcome executeOnce(const std::string& sql, const DataParameters& parameters) = 0;
  virtual Outcome executeScript(const std::string& sql, Results& earlier) = 0;
  // Makes what is being executed fail; `attempt` 0: kindly, else by cutting the connection. The
  // connection is not to be used again. Blocks a few seconds at most. THREAD: any.
  virtual void interrupt(int attempt) = 0;
};

// What a session is made for: statements of calls, or a look whether the database is there, which
// ends after a few seconds without an answer.
enum class SessionUse : std::uint8_t { kWork, kLook };

// A kind of database that is reached by such sessions.
class DataSource {
 public:
  virtual ~DataSource() = default;
  virtual Dialect dialect() const = 0;
  virtual std::string translate(const TokenList& list, std::vector<std::string>& errors) const = 0;
  // THREAD: any.
  virtual std::unique_ptr<DataSession> makeSession(SessionUse use) const = 0;
  virtual std::unique_ptr<SqlSession> openSqlSession(AfterLoss after_loss) const = 0;
  // What the database takes for the schema of a table that names none; empty: unknown.
  virtual std::string usualSchema() const { return {}; }
  // How tables are made there; null: this version makes none.
  virtual const Ddl* ddl() const { return nullptr; }
};

}  // namespace sub0::query
