// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_session.hpp"

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

}  // namespace

bool PostgresSession::connect(Failure& failure) {
  if (connection_ != nullptr && PQstatus(connection_) == CONNECTION_OK) {
    return true;
  }
  PQfinish(connection_);
  connection_ = address_.connect();
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

std::unique_ptr<ResultTree> PostgresSession::execute(std::string_view sql, bool is_script,
                                                     const sub0_value& parameters,
                                                     Failure& failure) {
  if (!connect(failure)) {
    return nullptr;
  }
  const std::string text(sql);
  PostgresParameters kept;
  std::vector<const char*> values;
  for (std::uint32_t i = 0; parameters.type == SUB0_ARRAY && i < parameters.count; ++i) {
    kept.push_back(toPostgres(parameters.as.items[i]));
  }
  for (const PostgresParameter& parameter : kept) {
    values.push_back(parameter.has_value() ? parameter->c_str() : nullptr);
  }
  PGresult* result = is_script
                         ? PQexec(connection_, text.c_str())
                         : PQexecParams(connection_, text.c_str(), static_cast<int>(values.size()),
                                        nullptr, values.data(), nullptr, nullptr, 0);
  const ExecStatusType status = PQresultStatus(result);
  std::unique_ptr<ResultTree> tree;
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
    tree = treeOf(result, limit_bytes_);
    if (tree->isOver()) {
      tree.reset();
      failure = resultTooLarge(limit_bytes_);
    }
  } else {
    failure = postgresFailure(result, text);
  }
  PQclear(result);
  return tree;
}

}  // namespace sub0::query
