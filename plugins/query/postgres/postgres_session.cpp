// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_session.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "postgres/postgres_errors.hpp"
#include "postgres/postgres_values.hpp"

namespace sub0::query {
namespace {

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
  PGcancel* const cancel = PQgetCancel(connection_);
  std::array<char, 256> error{};
  PQcancel(cancel, error.data(), error.size());
  PQfreeCancel(cancel);
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
  PostgresParameters values;
  for (std::uint32_t i = 0; parameters.type == SUB0_ARRAY && i < parameters.count; ++i) {
    values.add(parameters.as.items[i]);
  }
  PGresult* result = is_script ? PQexec(connection_, text.c_str())
                               : PQexecParams(connection_, text.c_str(), values.count(), nullptr,
                                              values.data(), nullptr, nullptr, 0);
  const ExecStatusType status = PQresultStatus(result);
  std::unique_ptr<ResultTree> tree;
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
    tree = treeOf(result, limit_bytes_);
    if (tree->isOver()) {
      failure = resultOver(*tree, false);
      tree.reset();
    }
  } else {
    failure = postgresFailure(PostgresError(result), text, Shown::kAll);  // who wrote it reads it
    if (PQstatus(connection_) != CONNECTION_OK) {
      failure.code = SUB0_UNAVAILABLE;
    }
  }
  PQclear(result);
  return tree;
}

}  // namespace sub0::query
