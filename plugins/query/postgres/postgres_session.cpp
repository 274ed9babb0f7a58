// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_session.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <memory>

#include "postgres/postgres_cancel.hpp"
#include "postgres/postgres_errors.hpp"
#include "postgres/postgres_values.hpp"

namespace sub0::query {
namespace {

// A server that has not answered by then will not.
constexpr std::chrono::seconds kLongestCancel{1};

constexpr std::size_t kMostShownOfScript = 300;  // bytes of a script's statement

// Of a script.
struct Part {
  std::size_t begin = 0;
  std::string_view text;
};

// Where the server found the error, as an offset of bytes; 0: it does not tell.
std::size_t placeOfError(const PGresult* result, std::string_view script) {
  const char* const said = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
  unsigned long characters = said == nullptr ? 0 : std::strtoul(said, nullptr, 10);
  std::size_t at = 0;
  while (at < script.size() && characters > 1) {
    ++at;
    const bool begins_character =
        at == script.size() || (static_cast<unsigned char>(script[at]) & 0xC0U) != 0x80U;
    characters -= begins_character ? 1 : 0;
  }
  return at;
}

// The statement that failed behind `count` others, or the whole script. What the server cannot
// read it refuses before the first statement runs.
Part failedPart(const TokenList& script, std::size_t count, const PGresult* result) {
  const std::size_t place = placeOfError(result, script.sql);
  std::size_t begin = offsetBehind(script, count);
  std::size_t end = offsetBehind(script, ++count);
  while (end <= place && end < script.sql.size()) {
    begin = end;
    end = offsetBehind(script, ++count);
  }
  return begin < end ? Part{begin, script.sql.substr(begin, end - begin)}
                     : Part{script.sql.size(), script.sql};
}

// The statement at the end of what is logged.
void shorten(std::string& log, std::string_view sql) {
  if (sql.size() > kMostShownOfScript && log.size() > sql.size() &&
      log.compare(log.size() - sql.size(), sql.size(), sql) == 0) {
    log.resize(log.size() - sql.size());
    log.append(pieceOf(sql, kMostShownOfScript)).append("...");
  }
}

std::unique_ptr<ResultTree> treeOf(const PGresult* result, std::size_t limit_bytes) {
  auto tree = std::make_unique<ResultTree>(limit_bytes);
  const PostgresTypes types;
  std::vector<std::string_view> names;
  for (int i = 0; i < PQnfields(result); ++i) {
    names.emplace_back(PQfname(result, i));
  }
  tree->setColumns(names);
  for (int row = 0; row < PQntuples(result) && !tree->isOver(); ++row) {
    tree->beginRow();
    for (int i = 0; i < PQnfields(result) && !tree->isOver(); ++i) {
      if (PQgetisnull(result, row, i) == 0) {
        const std::string_view text(PQgetvalue(result, row, i),
                                    static_cast<std::size_t>(PQgetlength(result, row, i)));
        tree->column(static_cast<std::size_t>(i)) =
            fromPostgres(types, PQftype(result, i), text, *tree);
      }
    }
  }
  return tree;
}

// What a server says unasked to a connection that nobody uses are its last words.
bool isQuiet(const PGconn& connection) {
  pollfd socket{PQsocket(&connection), POLLIN, 0};
  return ::poll(&socket, 1, 0) == 0;
}

}  // namespace

bool PostgresSession::connect(Failure& failure) {
  if (connection_ != nullptr && PQstatus(connection_) == CONNECTION_OK && isQuiet(*connection_)) {
    return true;
  }
  if (connection_ != nullptr && after_loss_ == AfterLoss::kFails) {
    failure = connectionLost();
    return false;
  }
  PGconn* const made = address_.connect();
  {
    const std::lock_guard lock(mutex_);
    PQfinish(connection_);
    connection_ = made;
  }
  if (PQstatus(connection_) != CONNECTION_OK) {
    failure = Failure{SUB0_UNAVAILABLE, PQerrorMessage(connection_), ""};
    failure.log.erase(failure.log.find_last_not_of('\n') + 1);
    return false;
  }
  for (const std::string& sql : address_.sessionStatements()) {
    PQclear(PQexec(connection_, sql.c_str()));
  }
  return true;
}

// The server is asked to leave the statement, and the socket is closed in case it does not answer.
void PostgresSession::cancel() {
  const std::lock_guard lock(mutex_);
  is_cancelled_ = true;
  if (connection_ == nullptr || PQsocket(connection_) < 0) {
    return;
  }
  const auto is_asked = std::make_shared<std::promise<void>>();
  cancelApart(PQgetCancel(connection_), [is_asked] { is_asked->set_value(); });
  is_asked->get_future().wait_for(kLongestCancel);
  ::shutdown(PQsocket(connection_), SHUT_RDWR);
}

std::unique_ptr<ResultTree> PostgresSession::execute(std::string_view sql, bool is_script,
                                                     const sub0_value& parameters,
                                                     Failure& failure) {
  if (is_cancelled_) {
    failure = Failure{SUB0_UNAVAILABLE, "the database is being closed", ""};
    return nullptr;
  }
  if (!connect(failure)) {
    return nullptr;
  }
  const std::string text(sql);
  if (is_script) {
    return executeScript(text, failure);
  }
  PostgresParameters values;
  for (std::uint32_t i = 0; parameters.type == SUB0_ARRAY && i < parameters.count; ++i) {
    values.add(parameters.as.items[i]);
  }
  return take(PQexecParams(connection_, text.c_str(), values.count(), nullptr, values.data(),
                           nullptr, nullptr, 0),
              text, failure);
}

// The rows of a result, which is freed; null and `failure` where it is an error.
std::unique_ptr<ResultTree> PostgresSession::take(PGresult* result, const std::string& sql,
                                                  Failure& failure) {
  const ExecStatusType status = PQresultStatus(result);
  std::unique_ptr<ResultTree> tree;
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
    tree = treeOf(result, limit_bytes_);
    if (tree->isOver()) {
      failure = resultOver(*tree, false);
      tree.reset();
    }
  } else {
    failure = postgresFailure(PostgresError(result), sql, Shown::kAll);  // who wrote it reads it
    if (PQstatus(connection_) != CONNECTION_OK) {
      failure.code = SUB0_UNAVAILABLE;
    }
  }
  PQclear(result);
  return tree;
}

// Without a BEGIN of its own a script is one transaction of the server's.
std::unique_ptr<ResultTree> PostgresSession::executeScript(const std::string& script,
                                                           Failure& failure) {
  bool has_failed = PQsendQuery(connection_, script.c_str()) == 0;
  if (has_failed) {
    failure = connectionLost();
  }
  while (PGresult* const result = PQgetResult(connection_)) {
    if (PQresultStatus(result) == PGRES_COPY_IN) {
      PQputCopyEnd(connection_, "COPY FROM STDIN is for psql");
      PQclear(result);
      continue;
    }
    if (PQresultStatus(result) == PGRES_COPY_OUT) {
      char* row = nullptr;
      while (PQgetCopyData(connection_, &row, 0) > 0) {
        PQfreemem(row);
      }
      PQclear(result);
      continue;
    }
    const bool is_error = PQresultStatus(result) == PGRES_FATAL_ERROR;
    const TokenList list = is_error ? tokenize(script, Dialect::kPostgres) : TokenList{};
    const Part part = is_error ? failedPart(list, earlier_.size(), result) : Part{};
    Failure why;
    std::unique_ptr<ResultTree> tree = take(result, std::string(part.text), why);
    if (tree != nullptr) {
      earlier_.push_back(std::move(tree));
    } else if (!has_failed) {
      has_failed = true;
      failure = std::move(why);
      shorten(failure.log, part.text);
      failure.log.insert(0, lineOfStatement(list, part.begin));
    }
  }
  if (has_failed || earlier_.empty()) {
    return has_failed ? nullptr : std::make_unique<ResultTree>(limit_bytes_);
  }
  std::unique_ptr<ResultTree> last = std::move(earlier_.back());
  earlier_.pop_back();
  return last;
}

}  // namespace sub0::query
