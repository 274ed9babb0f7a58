// SPDX-License-Identifier: Apache-2.0
#include "poco_data/odbc_session.hpp"

#ifdef __clang_analyzer__  // for which Poco's Handle.h names a variable that it has in _DEBUG alone
#define _DEBUG 1           // NOLINT
#endif
#include <Poco/Data/ODBC/SessionImpl.h>
#include <Poco/Exception.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "poco_data/odbc_values.hpp"

#include <sqlucode.h>

namespace sub0::query {
namespace {

constexpr std::size_t kLoginTimeoutSeconds = 3;
}  // namespace

Failure odbcFailure(const std::string& state, const std::string& message, const std::string& sql) {
  Failure failure;
  failure.code = SUB0_ACTION_FAILED;
  const std::string kind = state.substr(0, 2);
  // The driver's own and the connection's; cardinality, transactions, resources, interruption.
  // Which statement is at fault (42) is told, too, since nothing else says what it lacks.
  static constexpr std::array<std::string_view, 14> kWithoutValues = {
      "00", "01", "07", "08", "21", "24", "25", "40", "42", "53", "57", "HY", "IM", "P0"};
  const bool may_show_values =
      std::find(kWithoutValues.begin(), kWithoutValues.end(), kind) == kWithoutValues.end();
  failure.log = "ODBC: " + (may_show_values ? "error" : message) + " (" + state + ")" +
                (sql.empty() ? "" : " in: " + sql);
  if (kind == "23") {
    failure.code = SUB0_CONSTRAINT;
    failure.client = "Operation Failed: the value is not allowed";
    if (state == "23505") {
      failure.client = "Operation Failed: the value already exists";
    } else if (state == "23502") {
      failure.client = "Operation Failed: a value is required";
    } else if (state == "23503") {
      failure.client = "Operation Failed: a reference refers to nothing";
    }
  } else if (kind == "08" || state.substr(0, 3) == "57P") {
    failure.code = SUB0_UNAVAILABLE;
  } else if (kind == "40") {
    failure.code = SUB0_BUSY;
    failure.client = "the database gave way to another call; try again";
  } else if (state == "HYT00" || state == "HYT01" || state == "HY008" || state == "57014") {
    failure.code = SUB0_TIMEOUT;
  } else if (kind == "22") {
    failure.client = "Operation Failed: a value does not fit its column's type";
  }
  return failure;
}

// Poco's session is counted by reference; it is made and ended by one owner here.
struct OdbcSession::Connection {
  Poco::AutoPtr<Poco::Data::ODBC::SessionImpl> session;
  PreparedStatements<Prepared> statements;

  void begin() {
    session->autoCommit("", false);
    session->begin();
  }
  void commit() {
    session->commit();
    session->autoCommit("", true);
  }
  void rollback() {
    session->rollback();
    session->autoCommit("", true);
  }
  SQLHDBC handle() const { return session->dbc().handle(); }
};

class OdbcSession::Handle {
 public:
  explicit Handle(SQLHDBC connection) {
    if (!isGood(SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement_))) {
      statement_ = SQL_NULL_HSTMT;
    }
  }
  ~Handle() {
    if (statement_ != SQL_NULL_HSTMT) {
      SQLFreeHandle(SQL_HANDLE_STMT, statement_);
    }
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  SQLHSTMT raw() const { return statement_; }
  bool isMade() const { return statement_ != SQL_NULL_HSTMT; }

  void reset() {
    SQLFreeStmt(statement_, SQL_CLOSE);
    SQLFreeStmt(statement_, SQL_RESET_PARAMS);
  }

 private:
  SQLHSTMT statement_ = SQL_NULL_HSTMT;
};

struct OdbcSession::Prepared {
  std::unique_ptr<Handle> handle;
};

OdbcSession::OdbcSession(std::string connection, std::size_t result_limit_bytes)
    : connection_string_(std::move(connection)), result_limit_bytes_(result_limit_bytes) {}

OdbcSession::~OdbcSession() { close(); }

bool OdbcSession::connect(Failure& failure) {
  close();
  try {
    auto made = std::make_unique<Connection>();
    made->session = new Poco::Data::ODBC::SessionImpl(connection_string_, kLoginTimeoutSeconds);
    connection_ = std::move(made);
  } catch (const Poco::Exception&) {  // its text may hold the connection string, and the password
    failure = Failure{SUB0_UNAVAILABLE, "the ODBC driver cannot connect; check DATABASE_URL",
                      "the database cannot be reached"};
    return false;
  }
  is_in_transaction_ = false;
  return true;
}

bool OdbcSession::isOpen() {
  if (connection_ == nullptr) {
    return false;
  }
  SQLUINTEGER is_dead = SQL_CD_FALSE;
  SQLGetConnectAttr(connection_->handle(), SQL_ATTR_CONNECTION_DEAD, &is_dead, sizeof is_dead,
                    nullptr);
  if (is_dead == SQL_CD_TRUE) {
    close();
    return false;
  }
  return true;
}

void OdbcSession::close() {
  if (connection_ != nullptr) {
    if (is_in_transaction_) {  // else Poco's session commits what there is of it
      SQLEndTran(SQL_HANDLE_DBC, connection_->handle(), SQL_ROLLBACK);
      is_in_transaction_ = false;
    }
    try {
      connection_->statements = {};
      connection_.reset();
    } catch (const Poco::Exception&) {  // of a connection that is gone
      static_cast<void>(connection_.release());
    }
  }
}

bool OdbcSession::ping(Failure& failure) {
  Handle handle(connection_->handle());
  if (handle.isMade()) {
    SQLSetStmtAttr(handle.raw(), SQL_ATTR_QUERY_TIMEOUT,
                   reinterpret_cast<SQLPOINTER>(std::uintptr_t{kPingTimeoutSeconds}), 0);
    const Outcome outcome = run(handle, "SELECT 1", {}, false);
    if (outcome.end != End::kLost && isOpen()) {
      return true;  // what it thinks of the statement is another matter
    }
    failure = outcome.failure;
  }
  failure.code = SUB0_UNAVAILABLE;
  return false;
}

// For whatever runs: the driver decides what a cancelled statement is.
void OdbcSession::interrupt(int) {
  const std::lock_guard lock(running_mutex_);
  if (running_ != nullptr) {
    SQLCancel(running_->raw());
  }
}

// ---- statements ---------------------------------------------------------------------------------

DataSession::Outcome OdbcSession::failed(const Handle& handle, const std::string& sql) {
  std::array<SQLCHAR, 6> state{};
  std::array<SQLCHAR, SQL_MAX_MESSAGE_LENGTH> text{};
  SQLINTEGER native = 0;
  SQLSMALLINT size = 0;
  SQLGetDiagRec(SQL_HANDLE_STMT, handle.raw(), 1, state.data(), &native, text.data(),
                static_cast<SQLSMALLINT>(text.size()), &size);
  const auto chars = [](const SQLCHAR* bytes) {
    return std::string(reinterpret_cast<const char*>(bytes));
  };
  Outcome outcome;
  outcome.failure = odbcFailure(chars(state.data()), chars(text.data()), sql);
  if (outcome.failure.code == SUB0_UNAVAILABLE || !isOpen()) {
    outcome.end = End::kLost;
    outcome.failure.code = SUB0_UNAVAILABLE;
  }
  return outcome;
}

OdbcSession::Handle* OdbcSession::prepared(const Statement& statement, Failure& failure) {
  Prepared& entry = connection_->statements.of(statement.number, [](std::uint32_t, Prepared&) {});
  if (entry.handle != nullptr) {
    return entry.handle.get();
  }
  auto handle = std::make_unique<Handle>(connection_->handle());
  std::u16string sql = toUtf16(statement.sql);
  if (!handle->isMade()) {
    failure = Failure{SUB0_UNAVAILABLE, "the ODBC driver gives no statement", ""};
    return nullptr;
  }
  if (!isGood(SQLPrepareW(handle->raw(), reinterpret_cast<SQLWCHAR*>(sql.data()),
                          static_cast<SQLINTEGER>(sql.size())))) {
    failure = failed(*handle, statement.sql).failure;
    return nullptr;
  }
  entry.handle = std::move(handle);
  return entry.handle.get();
}

bool OdbcSession::prepare(const Statement& statement, Failure& failure) {
  return prepared(statement, failure) != nullptr;
}

DataSession::Outcome OdbcSession::execute(const Statement& statement,
                                          const DataParameters& parameters, bool must_not_write) {
  Outcome outcome;
  Handle* const handle = prepared(statement, outcome.failure);
  if (handle == nullptr) {
    outcome.end = isOpen() ? End::kFailed : End::kLost;
    return outcome;
  }
  const bool has_own = must_not_write && !is_in_transaction_;
  if (has_own) {
    Outcome begun = begin(true);
    if (begun.end != End::kDone) {
      return begun;
    }
  }
  outcome = run(*handle, statement.sql, parameters, true, statement.reads_only);
  if (has_own && connection_ != nullptr && rollback().end != End::kDone) {
    close();
  }
  return outcome;
}

DataSession::Outcome OdbcSession::run(Handle& handle, const std::string& sql,
                                      const DataParameters& parameters, bool is_prepared,
                                      bool only_reads) {
  Outcome outcome;
  auto tree = std::make_unique<ResultTree>(result_limit_bytes_);
  OdbcParameters bound(parameters);
  {
    const std::lock_guard lock(running_mutex_);
    running_ = &handle;
  }
  std::u16string text = toUtf16(sql);
  const bool is_bound = bound.bind(handle.raw());
  SQLRETURN status = SQL_ERROR;
  if (is_bound && !is_prepared) {
    status = SQLExecDirectW(handle.raw(), reinterpret_cast<SQLWCHAR*>(text.data()),
                            static_cast<SQLINTEGER>(text.size()));
  } else if (is_bound) {
    status = SQLExecute(handle.raw());
  }
  bool is_done = isGood(status) || status == SQL_NO_DATA;
  while (is_done && status != SQL_NO_DATA) {
    tree = std::make_unique<ResultTree>(result_limit_bytes_);
    is_done = readRows(handle, *tree);
    status = is_done && !tree->isOver() ? SQLMoreResults(handle.raw()) : SQL_NO_DATA;
    is_done = is_done && (isGood(status) || status == SQL_NO_DATA);
  }
  {
    const std::lock_guard lock(running_mutex_);
    running_ = nullptr;
  }
  if (!is_done) {
    outcome = failed(handle, sql);
  } else if (tree->isOver()) {
    outcome.failure = resultOver(*tree, only_reads);
  } else {
    outcome.end = End::kDone;
    outcome.tree = std::move(tree);
  }
  if (connection_ != nullptr) {
    handle.reset();
  }
  return outcome;
}

bool OdbcSession::readRows(Handle& handle, ResultTree& tree) {
  OdbcRows rows;
  if (!rows.describe(handle.raw())) {
    return false;
  }
  if (rows.count() == 0) {
    return true;
  }
  tree.setColumns(rows.names());
  SQLRETURN status = SQLFetch(handle.raw());
  while (isGood(status) && !tree.isOver()) {
    if (!rows.add(handle.raw(), tree)) {
      return false;
    }
    status = SQLFetch(handle.raw());
  }
  return tree.isOver() || status == SQL_NO_DATA;
}

DataSession::Outcome OdbcSession::executeOnce(const std::string& sql,
                                              const DataParameters& parameters) {
  Outcome outcome;
  Handle handle(connection_->handle());
  std::u16string text = toUtf16(sql);
  if (!handle.isMade() ||
      (!parameters.empty() &&
       !isGood(SQLPrepareW(handle.raw(), reinterpret_cast<SQLWCHAR*>(text.data()),
                           static_cast<SQLINTEGER>(text.size()))))) {
    return failed(handle, sql);
  }
  return run(handle, sql, parameters, !parameters.empty());
}

// ---- transactions -------------------------------------------------------------------------------

DataSession::Outcome OdbcSession::transact(void (Connection::*step)()) {
  Outcome outcome;
  try {
    (*connection_.*step)();
    outcome.end = End::kDone;
  } catch (const Poco::Exception& exception) {
    const bool is_open = isOpen();
    outcome.end = is_open ? End::kFailed : End::kLost;
    outcome.failure = Failure{is_open ? SUB0_ACTION_FAILED : SUB0_UNAVAILABLE,
                              "ODBC: " + exception.message(), ""};
  }
  return outcome;
}

DataSession::Outcome OdbcSession::begin(bool must_not_write) {
  Outcome outcome = transact(&Connection::begin);
  is_in_transaction_ = outcome.end == End::kDone;
  must_not_last_ = must_not_write;
  return outcome;
}

// What must not write may have called a function that does: only the database sees it.
DataSession::Outcome OdbcSession::commit() {
  if (must_not_last_) {
    return rollback();
  }
  is_in_transaction_ = false;
  return transact(&Connection::commit);
}

DataSession::Outcome OdbcSession::rollback() {
  is_in_transaction_ = false;
  return transact(&Connection::rollback);
}

}  // namespace sub0::query
