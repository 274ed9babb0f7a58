// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_errors.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string_view>

#include "sql_analysis.hpp"
#include "unique_check.hpp"

namespace sub0::query {
namespace {

// The name of a column as the server writes it, taken off the text; empty: it is none.
std::string takeName(std::string_view& text) {
  std::string name;
  if (!text.empty() && text.front() == '"') {
    std::size_t i = 1;
    for (; i < text.size() && (text[i] != '"' || text.substr(i, 2) == "\"\""); ++i) {
      name.push_back(text[i]);
      i += text[i] == '"' ? 1 : 0;
    }
    text.remove_prefix(std::min(i + 1, text.size()));
    return name;
  }
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  const auto end = std::find_if_not(text.begin(), text.end(), is_part);
  name.assign(text.begin(), end);
  text.remove_prefix(name.size());
  return name;
}

// "Key (email, "userId")=(a, 1) already exists." → "email, userId"; the words around it depend on
// the server's language. Empty: there are none, or expressions among them, which are SQL.
std::string keyColumns(const PostgresError& error) {
  const std::string& detail = error.field(PG_DIAG_MESSAGE_DETAIL);
  const std::size_t open = detail.find('(');
  const std::size_t close = detail.find(")=(");
  if (open == std::string::npos || close == std::string::npos || close < open) {
    return "";
  }
  std::string_view left = std::string_view(detail).substr(open + 1, close - open - 1);
  std::string columns = takeName(left);
  bool is_name = !columns.empty();
  while (is_name && left.substr(0, 2) == ", ") {
    left.remove_prefix(2);
    const std::string name = takeName(left);
    is_name = !name.empty();
    columns += ", " + name;
  }
  return is_name && left.empty() ? columns : "";
}

// Where `name` stands in the text as a word of its own, from `from` on; npos: nowhere.
std::size_t findName(std::string_view text, std::string_view name, std::size_t from = 0) {
  const auto is_part = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 ||
                               text[i] == '_' || text[i] == '$');
  };
  for (std::size_t at = text.find(name, from); at != std::string_view::npos && !name.empty();
       at = text.find(name, at + 1)) {
    if (!(at > 0 && is_part(at - 1)) && !is_part(at + name.size())) {
      return at;
    }
  }
  return std::string_view::npos;
}

// Whether a foreign key was violated from the side of the row that is referred to. The server says
// so in its own language alone, so the statement's verb decides, and for what may be either, which
// names the texts hold: the detail names the other table, the one that refers if its row stands.
bool isStillReferredTo(const PostgresError& error, const std::string& sql) {
  const TokenList tokens = tokenize(sql, Dialect::kPostgres);
  const std::string verb = analyse(tokens, Dialect::kPostgres).verb;
  if (verb == "DELETE" || verb == "INSERT") {
    return verb == "DELETE";
  }
  const std::string& referring = error.field(PG_DIAG_TABLE_NAME);
  std::string detail = error.field(PG_DIAG_MESSAGE_DETAIL);
  const std::size_t open = detail.find('(');
  const std::size_t close = detail.rfind(')');
  if (open < close && close != std::string::npos) {
    detail.replace(open, close + 1 - open, " ");  // the key, whose values may be any text
  }
  const std::size_t nowhere = std::string_view::npos;
  if (findName(detail, referring) == nowhere) {
    return false;
  }
  if (findName(sql, referring) == nowhere) {
    return true;
  }
  // A table that refers to itself: "... "t" ... "t_fkey"" or "... "t" ... "t_fkey" ... "t"".
  const std::string& message = error.field(PG_DIAG_MESSAGE_PRIMARY);
  const std::size_t constraint = findName(message, error.field(PG_DIAG_CONSTRAINT_NAME));
  const std::size_t first = findName(message, referring);
  return first != nowhere && (findName(message, referring, first + 1) != nowhere ||
                              (constraint != nowhere && first > constraint));
}

std::string constraintText(const std::string& state, const PostgresError& error,
                           const std::string& sql) {
  const std::string prefix = "Operation Failed: ";
  const auto named = [](const std::string& name, const char* otherwise) {
    return name.empty() ? std::string(otherwise) : name;
  };
  if (state == "23505" || state == "23P01") {
    return prefix + named(keyColumns(error), "the value") + " already exists";
  }
  if (state == "23502") {
    return prefix + named(error.field(PG_DIAG_COLUMN_NAME), "a value") + " is required";
  }
  if (state == "23503") {
    return isStillReferredTo(error, sql)
               ? prefix + named(keyColumns(error), "the value") + " is not allowed"
               : prefix + named(keyColumns(error), "a reference") + " refers to nothing";
  }
  return prefix + "the value is not allowed";
}

// Whether the server has the statement's own text to find fault with, which holds no value: it
// tells the place. What it reads while the statement runs has none, or tells how it came to that:
// of a value that is read as a type ($1::regtype), the place in the value.
bool isOfStatement(const PostgresError& error) {
  return !error.field(PG_DIAG_STATEMENT_POSITION).empty() && error.field(PG_DIAG_CONTEXT).empty();
}

// Whether the server's words quote no value. Nearly any error may, since nearly anything may be
// read out of a value ($1::regclass), so that this lists those whose words are of names in the
// statement, of the database's own state, or, in RAISE, of the project itself.
bool isWithoutValues(const PostgresError& error, const std::string& state) {
  // connection, cardinality, constraint, transaction's state, roll-back, view's check, resources,
  // interruption, PL/pgSQL's own
  static constexpr std::array<std::string_view, 9> kKinds = {"08", "21", "23", "25", "40",
                                                             "44", "53", "57", "P0"};
  // too long for its type, division by zero; no such prepared statement, one that is there; types
  // of parameters; no arbiter for ON CONFLICT, a generated column; a lock; damage
  static constexpr std::array<std::string_view, 11> kStates = {"22001", "22012", "26000", "42P05",
                                                               "42P08", "42P18", "42P10", "428C9",
                                                               "55P03", "XX001", "XX002"};
  // rights (42501, which is of files as well), row-level security, RAISE
  static constexpr std::array<std::string_view, 5> kFunctions = {
      "aclcheck_error", "aclcheck_error_col", "aclcheck_error_type", "ExecWithCheckOptions",
      "exec_stmt_raise"};
  return isOfStatement(error) || isOneOf(state.substr(0, 2), kKinds) || isOneOf(state, kStates) ||
         isOneOf(error.field(PG_DIAG_SOURCE_FUNCTION), kFunctions);
}

// Whether the detail quotes neither a value nor a row.
bool hasPlainDetail(const PostgresError& error, const std::string& state) {
  return isOfStatement(error) || state.substr(0, 2) == "40" || state == "42P08" || state == "428C9";
}

// What a client has sent may be a secret, and stays out of the log: where the message may
// quote it, the function of the server that refused it says enough.
std::string logTextOf(const PostgresError& error, const std::string& state, Shown shown) {
  if (state.empty()) {
    return error.text();
  }
  if (shown == Shown::kNoValues && !isWithoutValues(error, state)) {
    return "error (" + state + ", " + error.field(PG_DIAG_SOURCE_FUNCTION) + ")";
  }
  const std::string& detail = error.field(PG_DIAG_MESSAGE_DETAIL);
  const bool has_detail = !detail.empty() && (shown == Shown::kAll ? state.substr(0, 2) != "23"
                                                                   : hasPlainDetail(error, state));
  return error.field(PG_DIAG_MESSAGE_PRIMARY) + " (" + state + ")" +
         (has_detail ? ": " + detail : "");
}

}  // namespace

Failure postgresFailure(const PostgresError& error, const std::string& sql, Shown shown) {
  const std::string state = error.state();
  Failure failure;
  failure.log = "PostgreSQL: " + logTextOf(error, state, shown);
  if (state == "42P08" || state == "42P18") {
    failure.log += "; a cast tells its type, as in $1::integer";
  }
  failure.log += " in: " + sql;
  const std::string existing =
      state == "22P02" ? columnThatExists(error.field(PG_DIAG_MESSAGE_PRIMARY), sql) : "";
  if (!existing.empty()) {  // spec S-33: a client's mistake, not the statement's
    failure.code = SUB0_CONSTRAINT;
    failure.log = existing + " already exists";
    failure.client = "Operation Failed: " + existing + " already exists";
  } else if (state.substr(0, 2) == "23") {
    failure.code = SUB0_CONSTRAINT;
    failure.client = constraintText(state, error, sql);
  } else if (state == "25006") {
    failure.code = SUB0_UNAVAILABLE;  // of a call that may write: a standby
    failure.client = "the database takes no changes at the moment";
  } else if (state == "22021" || state == "22P05") {
    failure.code = SUB0_BAD_REQUEST;
    failure.client = "a text holds a character that the database cannot store";
  } else if (state == "22P02" || state == "22001" || state == "22003" || state == "22007" ||
             state == "22008") {
    failure.code = SUB0_ACTION_FAILED;
    failure.client = "Operation Failed: a value does not fit its column's type";
  } else if (state == "40001" || state == "40P01") {
    failure.code = SUB0_BUSY;
    failure.client = "the database gave way to another call; try again";
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

bool refusesTypes(const PostgresError& error) {
  const std::string state = error.state();
  if (state == "42P08" || state == "42P18") {
    return true;
  }
  // What is not there, or not allowed, no type brings about; what a function says has no place in
  // the statement.
  return state.substr(0, 2) == "42" && state != "42P01" && state != "42703" && state != "42501" &&
         state != "42601" && state != "42P05" && isOfStatement(error);
}

std::size_t untypedParameter(const PostgresError& error) {
  const std::string& message = error.field(PG_DIAG_MESSAGE_PRIMARY);
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
