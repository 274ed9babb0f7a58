// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_errors.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "engine.hpp"
#include "sql_analysis.hpp"
#include "sqlite/sqlite_cast_functions.hpp"
#include "sqlite/sqlite_checks.hpp"
#include "unique_check.hpp"

namespace sub0::query {
namespace {

// "UNIQUE constraint failed: users.email, users.org" → "email, org"; of an expression's index:
// empty.
std::string columnsOf(std::string_view message) {
  const std::size_t colon = message.find(": ");
  std::string columns;
  if (colon == std::string_view::npos || message.find('\'') != std::string_view::npos) {
    return columns;
  }
  std::string_view rest = message.substr(colon + 2);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(", ");
    std::string_view name = rest.substr(0, comma);
    name.remove_prefix(name.find('.') == std::string_view::npos ? 0 : name.find('.') + 1);
    columns.append(columns.empty() ? "" : ", ").append(name);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
  }
  return columns;
}

// SQLite does not say which side of a foreign key is violated; a DELETE can only leave references
// behind.
bool isDelete(std::string_view sql) {
  return analyse(tokenize(sql, Dialect::kSqlite), Dialect::kSqlite).verb == "DELETE";
}

std::string clientText(int extended_code, std::string_view message, std::string_view sql) {
  const std::string prefix = "Operation Failed: ";
  const std::string columns = columnsOf(message);
  const std::size_t colon = message.find(": ");
  const std::string checked(extended_code == SQLITE_CONSTRAINT_CHECK &&
                                    colon != std::string_view::npos
                                ? columnOfCheck(message.substr(colon + 2))
                                : std::string_view());
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return prefix + (columns.empty() ? "the value" : columns) + " already exists";
    case SQLITE_CONSTRAINT_NOTNULL:
      return prefix + (columns.empty() ? "a value" : columns) + " is required";
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return prefix +
             (isDelete(sql) ? "the deletion is not allowed" : "a reference refers to nothing");
    default:
      return prefix + (checked.empty() ? "the value" : checked) + " is not allowed";
  }
}

// What SQLite says of a run in words that are always the same.
constexpr std::array<std::string_view, 4> kWithoutValues = {
    "integer overflow", "malformed JSON", "LIKE or GLOB pattern too complex",
    "ESCAPE expression must be a single character"};

}  // namespace

Failure sqliteFailure(int extended_code, std::string_view message, std::string_view sql,
                      std::size_t result_limit_bytes, Shown shown) {
  const bool is_shown =
      shown == Shown::kAll || (extended_code & 0xff) == SQLITE_CONSTRAINT ||
      isErrorOfCast(message) ||
      std::find(kWithoutValues.begin(), kWithoutValues.end(), message) != kWithoutValues.end();
  Failure failure;
  failure.log = "SQLite: " + (is_shown ? std::string(message) : sqlite3_errstr(extended_code)) +
                " (" + std::to_string(extended_code) + ")";
  if (!sql.empty()) {
    failure.log.append(" in: ").append(sql);
  }
  const std::string existing = columnThatExists(message, sql);
  if (extended_code == SQLITE_ERROR && !existing.empty()) {  // spec S-33: a client's mistake
    failure.code = SUB0_CONSTRAINT;
    failure.log = existing + " already exists";
    failure.client = "Operation Failed: " + existing + " already exists";
    return failure;
  }
  switch (extended_code & 0xff) {
    case SQLITE_CONSTRAINT:
      failure.code = SUB0_CONSTRAINT;
      failure.client = clientText(extended_code, message, sql);
      break;
    case SQLITE_TOOBIG:
      failure = resultTooLarge(result_limit_bytes);
      break;
    case SQLITE_MISMATCH:  // of a row's own number
      failure.code = SUB0_ACTION_FAILED;
      failure.client = "Operation Failed: a value does not fit its column's type";
      break;
    case SQLITE_FULL:
      failure.code = SUB0_ACTION_FAILED;
      failure.client = "the database has no space left";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      failure.code = SUB0_BUSY;
      failure.client = "the database is busy";
      break;
    default:
      failure.code = SUB0_ACTION_FAILED;
      failure.client =
          isErrorOfCast(message) ? "Operation Failed: a value does not fit its column's type" : "";
      break;
  }
  return failure;
}

}  // namespace sub0::query
