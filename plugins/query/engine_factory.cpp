// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "engine.hpp"
#include "poco_data/data_engine.hpp"
#include "poco_data/mysql_source.hpp"
#include "poco_data/odbc_source.hpp"
#include "postgres/postgres_engine.hpp"
#include "sqlite/sqlite_engine.hpp"

namespace sub0::query {
namespace {

bool hasScheme(std::string_view url, std::string_view scheme) {
  return url.substr(0, scheme.size()) == scheme;
}

// It may hold a password: no more of it than its kind is told, unless it is a plain path.
std::string unknownKind(const std::string& url) {
  constexpr std::string_view kPathCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
  if (url.find_first_not_of(kPathCharacters) == std::string::npos) {
    return "DATABASE_URL does not say the kind of database; if this is a file of SQLite, write "
           "sqlite:" +
           url;
  }
  const std::size_t colon = url.find(':');
  return "DATABASE_URL " +
         (colon == std::string::npos ? std::string("does not say the kind of database")
                                     : "names a database of kind \"" + url.substr(0, colon) +
                                           "\", which this version cannot use") +
         "; use sqlite:PATH, postgres://USER:PASSWORD@HOST/NAME, "
         "mysql://USER:PASSWORD@HOST/NAME or odbc:CONNECTION STRING";
}

std::unique_ptr<Engine> makeSqlite(const HostPort& host, const EngineOptions& options,
                                   std::string& error) {
  std::string path = options.url.substr(std::string_view("sqlite:").size());
  if (hasScheme(path, "//")) {
    path.erase(0, 2);
  }
  if (path.empty() || path.find('\0') != std::string::npos || path == ":memory:") {
    error = "DATABASE_URL: sqlite: needs the path of a file, as in sqlite:data/app.db";
    return nullptr;
  }
  std::filesystem::path file(path);
  if (file.is_relative()) {
    file = std::filesystem::path(options.project_folder) / file;
  }
  return std::make_unique<SqliteEngine>(host, file.string(), options);
}

std::unique_ptr<Engine> makeMysql(const HostPort& host, const EngineOptions& options,
                                  std::string& error) {
  MysqlAddress address;
  if (!address.parse(options.url, error)) {
    return nullptr;
  }
  return std::make_unique<DataEngine>(
      host, std::make_unique<MysqlSource>(std::move(address), options.result_limit_bytes), options);
}

std::unique_ptr<Engine> makeOdbc(const HostPort& host, const EngineOptions& options,
                                 std::string& error) {
  std::string connection = options.url.substr(std::string_view("odbc:").size());
  if (connection.find('=') == std::string::npos || connection.find('\0') != std::string::npos) {
    error = "DATABASE_URL: odbc: needs a connection string, as in odbc:Driver=...;Server=...";
    return nullptr;
  }
  return std::make_unique<DataEngine>(
      host, std::make_unique<OdbcSource>(std::move(connection), options.result_limit_bytes),
      options);
}

}  // namespace

std::unique_ptr<Engine> makeEngine(const HostPort& host, const EngineOptions& options,
                                   std::string& error) {
  if (hasScheme(options.url, "sqlite:")) {
    return makeSqlite(host, options, error);
  }
  if (hasScheme(options.url, "postgres://") || hasScheme(options.url, "postgresql://")) {
    return PostgresEngine::make(host, options, error);
  }
  if (hasScheme(options.url, "mysql://") || hasScheme(options.url, "mariadb://")) {
    return makeMysql(host, options, error);
  }
  if (hasScheme(options.url, "odbc:")) {
    return makeOdbc(host, options, error);
  }
  error = unknownKind(options.url);
  return nullptr;
}

Failure resultTooLarge(std::size_t limit_bytes) {
  const std::string text = "the result has more than " + std::to_string(limit_bytes) +
                           " bytes (setting SUB0_RESULT_LIMIT)";
  return Failure{SUB0_RESULT_TOO_LARGE, text, text};
}

Failure resultOver(const ResultTree& tree, bool has_changed_nothing) {
  if (!tree.isOverBudget()) {
    return resultTooLarge(tree.limitBytes());
  }
  const std::string text =
      "results of other calls take the memory that SUB0_RESULT_BUDGET_BYTES allows";
  return Failure{has_changed_nothing ? SUB0_BUSY : SUB0_RESULT_TOO_LARGE, text,
                 has_changed_nothing ? text + "; try again" : text};
}

Failure connectionLost() {
  return Failure{SUB0_UNAVAILABLE, "the connection to the database was lost", ""};
}

Failure holdsNulFailure() {
  const std::string text = "a text holds a NUL character, which the database cannot store";
  return Failure{SUB0_BAD_REQUEST, text, text};
}

Failure noRowCountFailure() {
  const std::string text = "LIMIT and OFFSET take a whole number from 0 on, or null";
  return Failure{SUB0_BAD_REQUEST, text, text};
}

}  // namespace sub0::query
