// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_session.hpp"

#include <Poco/Exception.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "poco_data/mysql_errors.hpp"
#include "schema/ddl.hpp"

namespace sub0::query {
namespace {

constexpr unsigned kConnectTimeoutSeconds = 3;
constexpr unsigned kServerLost = 2013;
constexpr unsigned kPacketTooLarge = 2020;
constexpr unsigned kUnsupportedPrepared = 1295;  // in a prepared statement
constexpr std::size_t kRoomForPackets = std::size_t{16} << 20U;

// As the standard and PostgreSQL do: what does not fit is refused, "x" is a name, || joins texts, a
// backslash is a character.
constexpr const char* kSessionSettings =
    "SET SESSION time_zone = '+00:00', sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,"
    "NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,"
    "NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION'";

// Whether the statement leaves something in its session that others must not meet.
bool changesSession(const std::string& sql) {
  const TokenList list = tokenize(sql, Dialect::kMysql);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.isWord(i, "TEMPORARY") || list.isWord(i, "GET_LOCK") || list.isWord(i, "CALL") ||
        list.isWord(i, "SET_CONFIG")) {
      return true;
    }
  }
  return false;
}

}  // namespace

// ---- the connection -----------------------------------------------------------------------------

void MysqlSession::setOptions() {
  using Handle = Poco::Data::MySQL::SessionHandle;
  Handle& session = *session_;
  session.options(MYSQL_SET_CHARSET_NAME, "utf8mb4");
  session.options(MYSQL_INIT_COMMAND, kSessionSettings);
  session.options(MYSQL_OPT_CONNECT_TIMEOUT, kConnectTimeoutSeconds);
  session.options(MYSQL_OPT_LOCAL_INFILE, 0U);  // else a server could ask for our files
  session.options(MYSQL_OPT_RECONNECT, false);
  if (io_timeout_s_ > 0) {
    session.options(MYSQL_OPT_READ_TIMEOUT, io_timeout_s_);
    session.options(MYSQL_OPT_WRITE_TIMEOUT, io_timeout_s_);
  }
  // A row is held as a whole by the library: one far above the limit costs its connection.
  std::size_t packet_bytes = 2 * result_limit_bytes_ + kRoomForPackets;
  mysql_options(session, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_bytes);
  if (!address_.socket.empty()) {
    session.options(MARIADB_OPT_UNIXSOCKET, address_.socket.c_str());
  }
  if (!address_.ssl_ca.empty()) {
    session.options(MYSQL_OPT_SSL_CA, address_.ssl_ca.c_str());
    session.options(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, true);
  }
  if (address_.needs_ssl) {
    session.options(MYSQL_OPT_SSL_ENFORCE, true);
  }
}

bool MysqlSession::connect(Failure& failure) {
  close();
  try {
    session_ = std::make_unique<Poco::Data::MySQL::SessionHandle>(nullptr);
    setOptions();
    session_->connect(address_.socket.empty() ? address_.host.c_str() : "localhost",
                      address_.user.c_str(), address_.password.c_str(), address_.database.c_str(),
                      address_.port);
  } catch (const Poco::Exception& exception) {
    failure = Failure{SUB0_UNAVAILABLE, exception.message(), "the database cannot be reached"};
    session_.reset();
    return false;
  }
  is_mariadb_ = mariadb_connection(handle()) != 0;
  is_read_only_ = is_in_transaction_ = is_spent_ = false;
  const std::lock_guard lock(socket_mutex_);
  socket_ = fcntl(mysql_get_socket(handle()), F_DUPFD_CLOEXEC, 0);
  number_ = mysql_thread_id(handle());
  return true;
}

void MysqlSession::close() {
  {
    const std::lock_guard lock(socket_mutex_);
    if (socket_ >= 0) {
      ::close(socket_);
    }
    socket_ = -1;
    number_ = 0;
  }
  prepared_ = {};
  fractional_.clear();
  session_.reset();
}

// An idle connection that has something to say says that it ends.
bool MysqlSession::isOpen() {
  if (session_ == nullptr) {
    return false;
  }
  pollfd watched{socket_, POLLIN | POLLRDHUP, 0};
  if (poll(&watched, 1, 0) == 0) {
    return true;
  }
  close();
  return false;
}

// Whether the connection has more to read: the library calls a row beyond its limit a lost server.
bool MysqlSession::isServerTalking() const {
  pollfd watched{socket_, POLLIN | POLLRDHUP, 0};
  return poll(&watched, 1, 0) == 1 && watched.revents == POLLIN;
}

bool MysqlSession::ping(Failure& failure) {
  if (mysql_ping(handle()) == 0) {
    return true;
  }
  failure = Failure{SUB0_UNAVAILABLE, mysql_error(handle()), ""};
  return false;
}

// By another connection, so that the server ends the statement at once; where that cannot be had,
// or did not help, the connection is cut.
void MysqlSession::interrupt(int attempt) {
  unsigned long number = 0;
  {
    const std::lock_guard lock(socket_mutex_);
    number = number_;
  }
  if (attempt == 0 && number != 0) {
    Failure ignored;
    MysqlSession other(address_, 1024, kConnectTimeoutSeconds);
    if (other.connect(ignored) &&
        other.simple("KILL QUERY " + std::to_string(number)).end == End::kDone) {
      return;
    }
  }
  const std::lock_guard lock(socket_mutex_);
  if (socket_ >= 0) {
    shutdown(socket_, SHUT_RDWR);
  }
}

// ---- failures -----------------------------------------------------------------------------------

DataSession::Outcome MysqlSession::failed(unsigned number, const std::string& message,
                                          const std::string& sql, Shown shown) {
  Outcome outcome;
  last_error_ = number;
  complaint_ = message;
  outcome.failure = mysqlFailure(number, message, sql, shown);
  if (number == kPacketTooLarge || (number == kServerLost && isServerTalking())) {
    outcome.failure = resultTooLarge(result_limit_bytes_);
  }
  if (endsMysqlConnection(number)) {
    outcome.end = End::kLost;
    close();
  } else if (isDuplicate(number)) {
    const std::string columns = columnsOfKey(keyOf(message), tableWrittenBy(sql));
    outcome.failure.client = alreadyExists(columns);
  }
  return outcome;
}

// The columns of a key, asked for once; empty: not to be found.
std::string MysqlSession::columnsOfKey(const std::string& key, const std::string& table) {
  const auto known = key_columns_.find({table, key});
  if (known != key_columns_.end()) {
    return known->second;
  }
  const std::string sql =
      "SELECT GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ', ') FROM "
      "information_schema.statistics WHERE table_schema = DATABASE() AND table_name = " +
      quotedText(table) + " AND index_name = " + quotedText(key);
  std::string columns = firstValue(sql).value_or("");
  if (!columns.empty()) {
    key_columns_[{table, key}] = columns;
  }
  return columns;
}

// Of the first row; empty: there is none. Nothing: the connection's error says why.
std::optional<std::string> MysqlSession::firstValue(const std::string& sql) {
  if (mysql_real_query(handle(), sql.data(), static_cast<unsigned long>(sql.size())) != 0) {
    return std::nullopt;
  }
  const MysqlResult result(mysql_store_result(handle()));
  if (result == nullptr) {
    return std::nullopt;
  }
  const MYSQL_ROW row = mysql_fetch_row(result.get());
  return row == nullptr || row[0] == nullptr ? "" : row[0];
}

// Whether a fraction would go into a column of whole numbers; nothing: that could not be found out,
// as the connection's error says. A column that holds fractions is remembered; one that does not is
// asked for again, as it may have changed.
std::optional<bool> MysqlSession::wouldRound(const Prepared& prepared, const Statement& statement,
                                             const DataParameters& parameters) {
  std::string table;
  for (const MysqlAssignment& one : prepared.assignments) {
    if (one.place >= parameters.size() || !hasFraction(parameters[one.place])) {
      continue;
    }
    table = table.empty() ? tableWrittenBy(statement.sql) : table;
    const std::string which = one.column.empty()
                                  ? "ordinal_position = " + std::to_string(one.ordinal)
                                  : "column_name = " + quotedText(one.column);
    if (fractional_.count({table, which}) > 0) {
      continue;
    }
    const std::optional<std::string> whole = firstValue(
        "SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND "
        "table_name = " +
        quotedText(table) + " AND " + which +
        " AND data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')");
    if (!whole || !whole->empty()) {
      return whole ? std::optional(true) : std::nullopt;
    }
    fractional_.insert({table, which});
  }
  return false;
}

// ---- statements ---------------------------------------------------------------------------------

DataSession::Outcome MysqlSession::simple(const std::string& sql) {
  if (mysql_real_query(handle(), sql.data(), static_cast<unsigned long>(sql.size())) != 0) {
    return failed(mysql_errno(handle()), mysql_error(handle()), sql, Shown::kAll);
  }
  Outcome outcome;
  outcome.end = End::kDone;
  return outcome;
}

DataSession::Outcome MysqlSession::begin(bool must_not_write) {
  Outcome outcome =
      simple(must_not_write ? "START TRANSACTION READ ONLY" : "START TRANSACTION READ WRITE");
  is_in_transaction_ = outcome.end == End::kDone;
  return outcome;
}

DataSession::Outcome MysqlSession::endTransaction(const char* word) {
  is_in_transaction_ = false;
  Outcome outcome = simple(word);
  if (is_spent_) {
    close();
  }
  return outcome;
}

bool MysqlSession::prepare(const Statement& statement, Failure& failure) {
  Prepared& prepared = prepared_.of(statement.number, [](std::uint32_t, Prepared&) {});
  return prepareInto(prepared, statement, failure);
}

bool MysqlSession::prepareInto(Prepared& prepared, const Statement& statement, Failure& failure) {
  if (prepared.executor != nullptr) {
    return true;
  }
  const bool lacks_returning = !is_mariadb_ && !statement.without_returning.empty();
  const std::string& sql = lacks_returning ? statement.without_returning : statement.sql;
  auto executor = std::make_unique<Executor>(handle());
  try {
    executor->prepare(sql);
  } catch (const Poco::Exception&) {
    MYSQL_STMT* const made = *executor;
    const unsigned number = mysql_stmt_errno(made);
    const std::string message = mysql_stmt_error(made);
    executor.reset();
    failure = failed(number, message, sql, Shown::kAll).failure;
    return false;
  }
  prepared.executor = std::move(executor);
  prepared.known.clear();
  prepared.changes_session = changesSession(sql);
  prepared.assignments = assignmentsOf(sql);
  return true;
}

// ---- SQL of the host's own ----------------------------------------------------------------------

DataSession::Outcome MysqlSession::executeOnce(const std::string& sql,
                                               const DataParameters& parameters) {
  Statement statement;
  statement.sql = sql;
  Prepared once;
  Outcome outcome;
  if (prepareInto(once, statement, outcome.failure)) {
    return runOnce(once, statement, parameters, Shown::kAll);  // who wrote it reads it
  }
  if (session_ != nullptr && last_error_ == kUnsupportedPrepared && parameters.empty()) {
    Results earlier;
    return executeScript(sql, earlier);
  }
  outcome.end = session_ == nullptr ? End::kLost : End::kFailed;
  return outcome;
}

// The rows of the current result of a script; null where it failed.
std::unique_ptr<ResultTree> MysqlSession::readScriptRows() {
  auto tree = std::make_unique<ResultTree>(result_limit_bytes_);
  const MysqlResult result(mysql_use_result(handle()));
  if (result == nullptr) {
    return tree;
  }
  std::vector<std::string_view> names;
  const unsigned count = mysql_num_fields(result.get());
  const MYSQL_FIELD* const fields = mysql_fetch_fields(result.get());
  for (unsigned i = 0; i < count; ++i) {
    names.emplace_back(fields[i].name, fields[i].name_length);
  }
  tree->setColumns(names);
  while (const MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* const lengths = mysql_fetch_lengths(result.get());
    if (tree->isOver()) {
      continue;
    }
    tree->beginRow();
    for (unsigned i = 0; i < count && !tree->isOver(); ++i) {
      if (row[i] != nullptr) {
        tree->column(i) =
            fromMysqlText(kindOf(fields[i]), std::string_view(row[i], lengths[i]), *tree);
      }
    }
  }
  return tree;
}

DataSession::Outcome MysqlSession::executeScript(const std::string& sql, Results& earlier) {
  Outcome outcome;
  bool is_over = false;
  mysql_set_server_option(handle(), MYSQL_OPTION_MULTI_STATEMENTS_ON);
  int status = mysql_real_query(handle(), sql.data(), static_cast<unsigned long>(sql.size()));
  while (status == 0) {
    outcome.tree = readScriptRows();
    is_over = is_over || outcome.tree->isOver();
    if (mysql_errno(handle()) != 0) {
      break;
    }
    status = mysql_next_result(handle());
    if (status >= 0) {  // another one came
      earlier.push_back(std::move(outcome.tree));
    }
  }
  const unsigned number = mysql_errno(handle());
  if (status > 0 || number != 0) {
    Outcome why = failed(number, mysql_error(handle()), "", Shown::kAll);
    if (session_ != nullptr) {
      simple("ROLLBACK");  // of a script that failed between its BEGIN and COMMIT
    }
    return why;
  }
  if (is_over) {
    outcome.failure = resultTooLarge(result_limit_bytes_);
    outcome.tree.reset();
    return outcome;
  }
  outcome.end = End::kDone;
  return outcome;
}

}  // namespace sub0::query
