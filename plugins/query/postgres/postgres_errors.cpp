// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_errors.hpp"

#include <cctype>
#include <cstdlib>
#include <string_view>

namespace sub0::query {
namespace {

std::string fieldOf(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? std::string() : std::string(text);
}

// "Key (email, "userId")=(a, 1) already exists." → "email, userId"; the words around it depend on
// the server's language.
std::string keyColumns(const PGresult* result) {
  const std::string detail = fieldOf(result, PG_DIAG_MESSAGE_DETAIL);
  const std::size_t open = detail.find('(');
  const std::size_t close = detail.find(")=(");
  std::string columns;
  if (open == std::string::npos || close == std::string::npos || close < open) {
    return columns;
  }
  for (const char c : detail.substr(open + 1, close - open - 1)) {
    if (c != '"') {
      columns.push_back(c);
    }
  }
  return columns;
}

std::string constraintText(const std::string& state, const PGresult* result) {
  const std::string prefix = "Operation Failed: ";
  const auto named = [](const std::string& name, const char* otherwise) {
    return name.empty() ? std::string(otherwise) : name;
  };
  if (state == "23505" || state == "23P01") {
    return prefix + named(keyColumns(result), "the value") + " already exists";
  }
  if (state == "23502") {
    return prefix + named(fieldOf(result, PG_DIAG_COLUMN_NAME), "a value") + " is required";
  }
  if (state == "23503") {
    return prefix + named(keyColumns(result), "a reference") + " refers to nothing";
  }
  return prefix + "the value is not allowed";
}

}  // namespace

std::string sqlStateOf(const PGresult* result) { return fieldOf(result, PG_DIAG_SQLSTATE); }

Failure postgresFailure(const PGresult* result, const std::string& sql) {
  const std::string state = sqlStateOf(result);
  Failure failure;
  failure.log = "PostgreSQL: " + fieldOf(result, PG_DIAG_MESSAGE_PRIMARY) + " (" + state + ")";
  const std::string detail = fieldOf(result, PG_DIAG_MESSAGE_DETAIL);
  if (state.empty()) {
    failure.log = std::string("PostgreSQL: ") + PQresultErrorMessage(result);
  } else if (!detail.empty() && state.substr(0, 2) != "23") {  // there the detail shows values
    failure.log += ": " + detail;
  }
  failure.log += " in: " + sql;
  if (state.substr(0, 2) == "23") {
    failure.code = SUB0_CONSTRAINT;
    failure.client = constraintText(state, result);
  } else if (state == "25006") {
    failure.code = SUB0_METHOD_NOT_ALLOWED;
  } else if (state == "22021" || state == "22P05") {
    failure.code = SUB0_BAD_REQUEST;
    failure.client = "a text holds a character that the database cannot store";
  } else if (state == "57014") {
    failure.code = SUB0_TIMEOUT;
  } else if (state == "53300" || endsConnection(state)) {
    failure.code = SUB0_UNAVAILABLE;
  } else {
    failure.code = SUB0_ACTION_FAILED;
  }
  return failure;
}

bool endsConnection(const std::string& state) {
  return state.substr(0, 3) == "57P" || state.substr(0, 2) == "08";
}

std::size_t untypedParameter(const PGresult* result) {
  const std::string message = fieldOf(result, PG_DIAG_MESSAGE_PRIMARY);
  for (std::size_t at = message.find('$'); at != std::string::npos;
       at = message.find('$', at + 1)) {
    const long number = std::strtol(message.c_str() + at + 1, nullptr, 10);
    if (number > 0) {
      return static_cast<std::size_t>(number);
    }
  }
  return 0;
}

}  // namespace sub0::query
