// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_errors.hpp"

#include <algorithm>
#include <array>

#include "sql_analysis.hpp"

namespace sub0::query {
namespace {

constexpr const char* kPrefix = "Operation Failed: ";

template <std::size_t N>
bool isAnyNumber(unsigned number, const std::array<unsigned, N>& numbers) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// The words of the server are in its own language, the names between quotes are not.
std::string firstQuoted(std::string_view message) {
  const std::size_t open = message.find('\'');
  const std::size_t close = open == std::string_view::npos ? open : message.find('\'', open + 1);
  return close == std::string_view::npos ? std::string()
                                         : std::string(message.substr(open + 1, close - open - 1));
}

// "... FOREIGN KEY (`a`, `b`) REFERENCES `t` (`c`))": the names in the bracket behind the word.
std::string columnsBehind(std::string_view message, std::string_view word) {
  const std::size_t at = message.find(word);
  const std::size_t open = at == std::string_view::npos ? at : message.find('(', at);
  const std::size_t close = open == std::string_view::npos ? open : message.find(')', open);
  std::string columns;
  if (close != std::string_view::npos) {
    for (const char c : message.substr(open + 1, close - open - 1)) {
      if (c != '`' && c != '"') {
        columns.push_back(c);
      }
    }
  }
  return columns;
}

std::string named(const std::string& name, const char* otherwise, const char* what) {
  return kPrefix + (name.empty() ? std::string(otherwise) : name) + what;
}

// Whether the server's words are of rights, of the server's own state, or of the project itself, in
// SIGNAL, or of a table or column that the statement names. Others may quote values: an expression
// that is out of range, a pattern, a path into XML, SQL that a procedure makes.
bool isWithoutValues(unsigned number, std::string_view message, std::string_view sql) {
  static constexpr std::array<unsigned, 2> kNotThere = {1146, 1054};
  static constexpr std::array<unsigned, 34> kNumbers = {
      // rights: database, account, table, column, routine, privilege, definer
      1044, 1045, 1142, 1143, 1370, 1227, 1449,
      // takes no changes; space and memory, storage, files that are damaged, limits
      1290, 1792, 1836, 1021, 1037, 1038, 1041, 1114, 1030, 1034, 1194, 1195, 1436, 1456,
      // locks, rows that changed, too many connections, interruptions
      1205, 1213, 3572, 1020, 1040, 1203, 1226, 1317, 1969, 3024, 1907,
      // more than one row, SIGNAL
      1242, 1644};
  constexpr unsigned kFirstOfLibrary = 2000;
  constexpr unsigned kBehindLibrary = 3000;
  if (isAnyNumber(number, kNotThere)) {
    const std::string name = firstQuoted(message);  // app.users, u.email
    const std::size_t dot = name.rfind('.');
    return !name.empty() &&
           sql.find(dot == std::string::npos ? name : name.substr(dot + 1)) != std::string::npos;
  }
  return isAnyNumber(number, kNumbers) || endsMysqlConnection(number) ||
         (number >= kFirstOfLibrary && number < kBehindLibrary);
}

// The text between `begin` and `end`, where both are there, as the server's own language has them.
std::string between(std::string_view message, std::string_view begin, std::string_view end) {
  const std::size_t at = message.rfind(begin);
  const std::size_t open = at == std::string_view::npos ? at : at + begin.size();
  const std::size_t close = open == std::string_view::npos ? open : message.find(end, open);
  return close == std::string_view::npos ? std::string()
                                         : std::string(message.substr(open, close - open));
}

// What a constraint is called, for the log, and nothing that may be a value; empty: not known.
std::string whichConstraint(unsigned number, std::string_view message) {
  std::string name;
  switch (number) {
    case 1062:
    case 1586:
      name = message.empty() || message.back() != '\'' ? "" : between(message, " for key '", "'");
      return name.empty() ? "" : " (key " + name + ")";
    case 1048:
    case 1364:
      name = firstQuoted(message);
      return name.empty() ? "" : " (column " + name + ")";
    default:
      name = between(message, "CONSTRAINT `", "`");
      return name.empty() ? "" : " (constraint " + name + ")";
  }
}

// "CONSTRAINT `t.amount` failed for `app`.`t`", as MariaDB names a CHECK that stands at its column:
// amount; empty: it stands at the table, or has a name of its own.
std::string columnOfCheck(std::string_view message) {
  const std::string name = between(message, "CONSTRAINT `", "`");
  const std::size_t dot = name.find('.');
  const bool is_of_column =
      dot != std::string::npos && message.ends_with(".`" + name.substr(0, dot) + "`");
  return is_of_column ? name.substr(dot + 1) : std::string();
}

// Empty: it is no constraint.
std::string constraintText(unsigned number, std::string_view message) {
  switch (number) {
    case 1062:  // ER_DUP_ENTRY
    case 1586:  // ER_DUP_ENTRY_WITH_KEY_NAME
    case 1022:  // ER_DUP_KEY
      return alreadyExists("");
    case 1048:  // ER_BAD_NULL_ERROR
    case 1364:  // ER_NO_DEFAULT_FOR_FIELD
      return named(firstQuoted(message), "a value", " is required");
    case 1216:  // ER_NO_REFERENCED_ROW
    case 1452:  // ER_NO_REFERENCED_ROW_2
      return named(columnsBehind(message, "FOREIGN KEY"), "a reference", " refers to nothing");
    case 1217:  // ER_ROW_IS_REFERENCED
    case 1451:  // ER_ROW_IS_REFERENCED_2
      return named(columnsBehind(message, "REFERENCES"), "the value", " is not allowed");
    case 4025:  // MariaDB: ER_CONSTRAINT_FAILED
      return named(columnOfCheck(message), "the value", " is not allowed");
    case 3819:  // MySQL: ER_CHECK_CONSTRAINT_VIOLATED
      return kPrefix + std::string("the value is not allowed");
    default:
      return {};
  }
}

}  // namespace

bool endsMysqlConnection(unsigned number) {
  // CR_SERVER_GONE, CR_SERVER_LOST, its second form, a packet too large, ER_SERVER_SHUTDOWN,
  // ER_CONNECTION_KILLED, ER_ABORTING_CONNECTION, CR_COMMANDS_OUT_OF_SYNC, the idle time-outs
  static constexpr std::array<unsigned, 11> kNumbers = {2006, 2013, 2055, 2020, 1053, 1927,
                                                        1152, 2014, 4031, 1159, 1161};
  return isAnyNumber(number, kNumbers);
}

bool isMisfit(unsigned number) {
  // out of range, cut, wrong value, wrong string or number, too long, no such date, no UUID or
  // address; of casts: overflow, cut, illegal; no JSON and its end
  static constexpr std::array<unsigned, 12> kNumbers = {1264, 1265, 1292, 1366, 1406, 1411,
                                                        1525, 1916, 1917, 1918, 4037, 4038};
  return isAnyNumber(number, kNumbers);
}

bool isDuplicate(unsigned number) { return number == 1062 || number == 1586; }

std::string alreadyExists(const std::string& columns) {
  return named(columns, "the value", " already exists");
}

// "Duplicate entry 'it's a' for key 'users.email'": the value may hold anything.
std::string keyOf(std::string_view message) {
  const std::size_t close = message.rfind('\'');
  if (close == std::string_view::npos || close == 0) {
    return {};
  }
  const std::size_t open = message.rfind('\'', close - 1);
  std::string_view name = message.substr(open + 1, close - open - 1);
  name.remove_prefix(name.find('.') == std::string_view::npos ? 0 : name.rfind('.') + 1);
  return std::string(name);
}

std::string tableWrittenBy(std::string_view sql) {
  const TokenList list = tokenize(sql, Dialect::kMysql);
  const Analysis analysis = analyse(list, Dialect::kMysql);
  std::size_t at = analysis.verb_index;
  const std::string_view before = analysis.verb == "UPDATE" ? "UPDATE" : "INTO";
  while (at < list.size() && !list.isWord(at, before)) {
    ++at;
  }
  do {
    ++at;
  } while (list.isWord(at, "LOW_PRIORITY") || list.isWord(at, "IGNORE"));
  while (list.isSign(at + 1, ".")) {
    at += 2;
  }
  if (at >= list.size()) {
    return {};
  }
  const std::string_view name = list.text(at);
  return std::string(
      list.tokens[at].kind == TokenKind::kQuotedName ? name.substr(1, name.size() - 2) : name);
}

Failure mysqlFailure(unsigned number, std::string_view message, std::string_view sql, Shown shown) {
  // deadlock, lock wait, NOWAIT, a row that changed, too many connections of all or of the user
  static constexpr std::array<unsigned, 4> kGiveWay = {1213, 1205, 3572, 1020};
  static constexpr std::array<unsigned, 6> kTooMany = {1040, 1203, 1226, 2002, 2003, 2005};
  static constexpr std::array<unsigned, 4> kTooLong = {1317, 1969, 3024, 1907};
  static constexpr std::array<unsigned, 3> kTakesNoChanges = {1290, 1836, 1792};
  Failure failure;
  failure.code = SUB0_ACTION_FAILED;
  failure.client = constraintText(number, message);
  const bool is_constraint = !failure.client.empty();
  failure.log = "MariaDB: error " + std::to_string(number);
  failure.log += is_constraint ? whichConstraint(number, message) : "";
  if (!is_constraint && !isMisfit(number) &&  // there it shows values
      (shown == Shown::kAll || isWithoutValues(number, message, sql))) {
    failure.log.append(": ").append(message);
  }
  if (!sql.empty()) {
    failure.log.append(" in: ").append(sql);
  }
  if (is_constraint) {
    failure.code = SUB0_CONSTRAINT;
  } else if (isMisfit(number)) {
    failure.client = kPrefix + std::string("a value does not fit its column's type");
  } else if (isAnyNumber(number, kGiveWay)) {
    failure.code = SUB0_BUSY;
    failure.client = "the database gave way to another call; try again";
  } else if (isAnyNumber(number, kTakesNoChanges)) {
    failure.code = SUB0_UNAVAILABLE;
    failure.client = "the database takes no changes at the moment";
  } else if (isAnyNumber(number, kTooLong)) {
    failure.code = SUB0_TIMEOUT;
  } else if (isAnyNumber(number, kTooMany) || endsMysqlConnection(number)) {
    failure.code = SUB0_UNAVAILABLE;
  }
  return failure;
}

}  // namespace sub0::query
