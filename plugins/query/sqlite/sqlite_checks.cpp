// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_checks.hpp"

#include <cstdlib>

#include "schema/ddl.hpp"

namespace sub0::query {
namespace {

constexpr std::string_view kMark = "sub0 ";
constexpr std::string_view kMost = " <= ";

// What values other than null must be. An affinity has been applied by then: "12" is a number.
std::string conditionOf(const Column& column, const std::string& name) {
  const std::string type = "typeof(" + name + ") = ";
  const std::string day = "substr(" + name + ", 1, 10)";
  switch (column.type) {
    case ColumnType::kString:
      return type + "'text'" +
             (column.max_length > 0 ? " AND length(" + name + ")" + std::string(kMost) +
                                          std::to_string(column.max_length)
                                    : "");
    case ColumnType::kNumber:
      return type + "'integer'";
    case ColumnType::kFloat:
      return type + "'real'";
    case ColumnType::kBoolean:
      return name + " IN (0, 1)";
    case ColumnType::kDateTime:  // in this order: a date function may not meet 'now'
      return "CASE WHEN " + name + " GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN " +
             "datetime(" + name + ") IS NOT NULL AND date(" + day + ", '+0 days') IS " + day +
             " ELSE 0 END";
    case ColumnType::kJson:
      return "json_valid(" + name + ")";
  }
  return "1";
}

std::string plainName(std::string_view quoted) {
  std::string name;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    name += quoted[i];
    i += quoted[i] == '"' ? 1 : 0;
  }
  return name;
}

std::string beginningOf(const std::string& column) {
  return " CONSTRAINT " + quotedName(std::string(kMark) + column) + " CHECK ";
}

// The column that a check of ours at `i` holds: RENAME COLUMN changes its condition, and leaves it
// the name that it was made with.
std::string columnIn(const TokenList& definition, std::size_t i) {
  const bool is_as_we_write = definition.tokens[i + 4].kind == TokenKind::kQuotedName &&
                              definition.isWord(i + 5, "IS") && definition.isWord(i + 6, "NULL");
  return is_as_we_write ? plainName(definition.text(i + 4))
                        : std::string(columnOfCheck(plainName(definition.text(i + 1))));
}

}  // namespace

std::string checkOf(const Column& column) {
  const std::string name = quotedName(column.name);
  return beginningOf(column.name) + "(" + name + " IS NULL OR " + conditionOf(column, name) + ")";
}

std::size_t behindCheck(const TokenList& definition, std::size_t i) {
  const bool is_ours = definition.isWord(i, "CONSTRAINT") && i + 1 < definition.size() &&
                       definition.tokens[i + 1].kind == TokenKind::kQuotedName &&
                       !columnOfCheck(plainName(definition.text(i + 1))).empty() &&
                       definition.isWord(i + 2, "CHECK") && definition.isSign(i + 3, "(");
  return is_ours ? behindBracket(definition, i + 3) : i;
}

std::vector<SqliteCheck> checksIn(const TokenList& definition) {
  std::vector<SqliteCheck> checks;
  for (std::size_t i = 0; i < definition.size(); ++i) {
    const std::size_t behind = behindCheck(definition, i);
    if (behind == i) {
      continue;
    }
    SqliteCheck check;
    check.column = columnIn(definition, i);
    check.sql = beginningOf(check.column);
    const std::size_t begin = definition.tokens[i + 3].begin;
    check.sql += definition.sql.substr(begin, definition.tokens[behind - 1].end - begin);
    const std::size_t most = check.sql.rfind(kMost);
    if (most != std::string::npos) {
      check.max_length = std::strtoll(check.sql.c_str() + most + kMost.size(), nullptr, 10);
    }
    checks.push_back(std::move(check));
    i = behind - 1;
  }
  return checks;
}

std::string_view columnOfCheck(std::string_view name) {
  return name.substr(0, kMark.size()) == kMark ? name.substr(kMark.size()) : std::string_view();
}

}  // namespace sub0::query
