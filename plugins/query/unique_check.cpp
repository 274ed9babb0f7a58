// SPDX-License-Identifier: Apache-2.0
#include "unique_check.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "insert_values.hpp"
#include "sql_tables.hpp"

namespace sub0::query {
namespace {

// A value with other functions is not looked at twice: it may be another one, or do something.
constexpr std::array<std::string_view, 9> kPlainFunctions = {
    "LOWER", "UPPER", "TRIM", "BTRIM", "LTRIM", "RTRIM", "CAST", "COALESCE", "NULLIF"};

std::string textOf(const TokenList& list, const TokenRange& range) {
  const std::size_t begin = list.tokens[range.begin].begin;
  return std::string(list.sql.substr(begin, list.tokens[range.end - 1].end - begin));
}

bool isPlain(const TokenList& list, const TokenRange& range) {
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const bool is_call = i > range.begin && list.isSign(i, "(") && isName(list, i - 1);
    const bool is_known =
        is_call && std::any_of(kPlainFunctions.begin(), kPlainFunctions.end(),
                               [&](std::string_view word) { return list.isWord(i - 1, word); });
    if (list.isWord(i, "SELECT") || list.isWord(i, "DEFAULT") || (is_call && !is_known)) {
      return false;
    }
  }
  return range.begin < range.end;
}

std::string inQuotes(std::string_view text, char quote) {
  return std::string(1, quote) + std::string(text) + quote;  // names have letters and digits alone
}

// Which value is guarded, in the column `place` of the table, and what is looked for: that the
// column `sought`, which clients know as `called`, has `value`.
struct Guard {
  TokenRange at{};
  std::string place, sought, called, value;
};

// `text`, the value so far, unless what is looked for is there.
std::string guarded(const TokenList& list, const std::string& table, const Guard& guard,
                    const std::string& text) {
  const std::string from = " FROM " + table + " AS sub0_other WHERE ";
  const std::string mark = inQuotes(kExistsMark + guard.called + " ", '\'');
  // PostgreSQL has no function that fails with a text. A cast that cannot be done tells what it was
  // given, and what is random is not worked out before it is reached. Its type is the column's.
  const std::string failing = list.dialect == Dialect::kSqlite
                                  ? kExistsFunction + ("(" + mark + ")")
                                  : "(SELECT sub0_other." + inQuotes(guard.place, '"') + from +
                                        "CAST(" + mark + " || random() AS integer) = 0 LIMIT 1)";
  return "CASE WHEN EXISTS (SELECT 1" + from + "sub0_other." + inQuotes(guard.sought, '"') +
         " = (" + guard.value + ")) THEN " + failing + " ELSE " + text + " END";
}

bool isColumnName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// What replaces the values of a statement, by their first token.
using Replacements = std::map<std::size_t, std::pair<TokenRange, std::string>>;

std::string withReplacements(const TokenList& list, const Replacements& replacements) {
  std::string sql;
  std::size_t done = 0;
  for (const auto& [first, replacement] : replacements) {
    const auto& [range, text] = replacement;
    sql += list.sql.substr(done, list.tokens[range.begin].begin - done);
    sql += text;
    done = list.tokens[range.end - 1].end;
  }
  return sql.append(list.sql.substr(done));
}

}  // namespace

UniqueCheck withUniqueCheck(const TokenList& list, const Analysis& analysis,
                            const std::vector<std::string>& columns, std::uint32_t next_parameter,
                            std::vector<std::string>& payload_columns) {
  UniqueCheck check;
  check.sql = list.sql;
  if (analysis.verb != "INSERT") {
    check.error = "unique is for an INSERT, not for " + analysis.verb;
    return check;
  }
  const InsertValues insert = insertValuesOf(list, analysis.verb_index);
  check.table = insert.table;
  if (insert.has_conflict || insert.rows.empty() || insert.rows[0].empty()) {
    check.warning = insert.has_conflict
                        ? "beside ON CONFLICT nothing is looked for: an index must keep it unique"
                        : "without VALUES nothing is looked for: an index must keep it unique";
    return check;
  }
  if (hasPlacesForParameters(list.dialect)) {  // MariaDB reads no table that it inserts into
    check.warning = "on this database nothing is looked for: an index must keep it unique";
    return check;
  }
  const std::string table = textOf(list, insert.table_tokens);
  Replacements replacements;
  const auto add = [&](const Guard& guard) {
    auto& [range, text] =
        replacements.try_emplace(guard.at.begin, guard.at, textOf(list, guard.at)).first->second;
    text = guarded(list, table, guard, text);
  };
  // PostgreSQL must know the type of the first value, and so its column.
  const bool has_first = isPlain(list, insert.rows[0][0]) &&
                         (!insert.columns.empty() || list.dialect == Dialect::kSqlite);
  const std::string first = insert.columns.empty() ? "" : insert.columns[0];
  for (const std::string& column : columns) {
    if (!isColumnName(column)) {
      check.error = "\"" + column + "\" in unique is no name of a column";
      return check;
    }
    const auto found =
        std::find_if(insert.columns.begin(), insert.columns.end(),
                     [&](const std::string& one) { return capitals(one) == capitals(column); });
    const auto place = static_cast<std::size_t>(found - insert.columns.begin());
    bool is_guarded = found != insert.columns.end();
    for (const std::vector<TokenRange>& row : insert.rows) {
      is_guarded = is_guarded && place < row.size() && isPlain(list, row[place]);
    }
    if (is_guarded) {
      for (const std::vector<TokenRange>& row : insert.rows) {
        add(Guard{row[place], *found, *found, column, textOf(list, row[place])});
      }
    } else if (has_first) {
      payload_columns.push_back(column);
      const std::string parameter = "$" + std::to_string(next_parameter++);
      add(Guard{insert.rows[0][0], first, column, column, parameter});
    } else {
      check.warning = "column " + column +
                      " has no plain value: nothing is looked for, an index must keep it unique";
    }
  }
  check.sql = withReplacements(list, replacements);
  return check;
}

std::string columnThatExists(std::string_view message, std::string_view sql) {
  const std::string_view mark = kExistsMark;
  const std::size_t begin = message.find(mark);
  if (begin == std::string_view::npos) {
    return {};
  }
  std::string column(message.substr(begin + mark.size()));
  column.erase(std::min(column.find(' '), column.size()));
  const std::string written = "'" + std::string(mark) + column + " '";
  return sql.find(written) == std::string_view::npos ? std::string() : column;
}

}  // namespace sub0::query
