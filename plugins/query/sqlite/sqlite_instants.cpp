// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_instants.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "column_text.hpp"
#include "insert_values.hpp"
#include "sql_analysis.hpp"
#include "sql_tables.hpp"
#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

constexpr std::array<std::string_view, 8> kComparisons = {
    "=", "==", "<>", "!=", "<", "<=", ">", ">="};

// `?1` as `$1`, which is what the tokens know.
std::string withDollars(std::string_view sql) {
  std::string made(sql);
  const TokenList list = tokenize(sql, Dialect::kSqlite);
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    const std::size_t last = list.tokens[i].end - 1;
    if (list.tokens[i].kind == TokenKind::kOperator && sql[last] == '?' &&
        list.tokens[i + 1].kind == TokenKind::kNumber && list.tokens[i + 1].begin == last + 1) {
      made[last] = '$';
    }
  }
  return made;
}

class Reader {
 public:
  explicit Reader(const TokenList& list) : list_(list) { readRows(); }

  // The column that the value of the tokens [begin, end) belongs to; empty: none.
  std::string columnOf(std::size_t begin, std::size_t end) const {
    widen(begin, end);
    const auto item = items_.find(begin);
    if (item != items_.end() && endsItem(end)) {
      return item->second;
    }
    if (!endsValue(end) && !compares(end)) {
      return {};
    }
    if (compares(begin - 1) && endsValue(end)) {
      return columnBefore(begin - 1);
    }
    if (compares(end) && !isOperator(begin - 1)) {
      return columnBehind(end + 1);
    }
    return columnOfList(begin);
  }

  bool isOnlyAsked(std::size_t i) const {
    const std::size_t what = list_.isWord(i + 2, "NOT") ? i + 3 : i + 2;
    return list_.isWord(i + 1, "IS") && list_.isWord(what, "NULL");
  }

 private:
  bool isOperator(std::size_t i) const {
    return i < list_.size() && list_.tokens[i].kind == TokenKind::kOperator;
  }
  bool compares(std::size_t i) const {
    return std::any_of(kComparisons.begin(), kComparisons.end(),
                       [&](std::string_view sign) { return list_.isSign(i, sign); });
  }
  bool endsItem(std::size_t i) const { return list_.isSign(i, ",") || list_.isSign(i, ")"); }
  bool endsValue(std::size_t i) const {
    return i >= list_.size() || endsItem(i) || list_.isSign(i, ";") ||
           (list_.tokens[i].kind == TokenKind::kWord && !list_.isWord(i, "COLLATE"));
  }

  // coalesce($1, at) and CAST($1 AS TEXT) are what stands in them.
  void widen(std::size_t& begin, std::size_t& end) const {
    const auto opens = [&](std::string_view word) {
      return begin >= 2 && list_.isSign(begin - 1, "(") && list_.isWord(begin - 2, word);
    };
    bool is_wider = true;
    while (is_wider) {
      const bool is_cast = opens("CAST") && list_.isWord(end, "AS") &&
                           list_.isWord(end + 1, "TEXT") && list_.isSign(end + 2, ")");
      is_wider = is_cast || ((opens("COALESCE") || opens("IFNULL")) && list_.isSign(end, ","));
      if (is_wider) {
        begin -= 2;
        end = behindBracket(list_, begin + 1);
      }
    }
  }

  // `at` or `t.at` before the comparison at `sign`.
  std::string columnBefore(std::size_t sign) const {
    if (sign == 0 || !isName(list_, sign - 1)) {
      return {};
    }
    std::size_t first = sign - 1;
    while (first >= 2 && list_.isSign(first - 1, ".")) {
      first -= 2;
    }
    return first > 0 && isOperator(first - 1) ? std::string() : foldedName(list_, sign - 1);
  }

  std::string columnBehind(std::size_t first) const {
    while (isName(list_, first) && list_.isSign(first + 1, ".")) {
      first += 2;
    }
    return isName(list_, first) && endsValue(first + 1) ? foldedName(list_, first) : std::string();
  }

  // at BETWEEN $1 AND $2, at IN ($1, $2): the place behind the column is looked for.
  std::string columnOfList(std::size_t begin) const {
    std::size_t word = begin - 1;
    if (list_.isWord(word, "AND") && word >= 2 && list_.isWord(word - 2, "BETWEEN")) {
      word -= 2;
    }
    while (word >= 2 && list_.isSign(word, ",") &&
           list_.tokens[word - 1].kind == TokenKind::kParameter) {
      word -= 2;
    }
    word -= word > 0 && list_.isSign(word, "(") && list_.isWord(word - 1, "IN") ? 1 : 0;
    if (!list_.isWord(word, "BETWEEN") && !list_.isWord(word, "IN")) {
      return {};
    }
    return columnBefore(list_.isWord(word - 1, "NOT") ? word - 1 : word);
  }

  // The columns of an INSERT's values, by the first tokens of these.
  void readRows() {
    const Analysis analysis = analyse(list_, Dialect::kSqlite);
    if (analysis.verb != "INSERT" && analysis.verb != "REPLACE") {
      return;
    }
    const InsertValues insert = insertValuesOf(list_, analysis.verb_index);
    for (const std::vector<TokenRange>& row : insert.rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        items_[row[i].begin] = i < insert.columns.size() ? insert.columns[i] : "";
      }
    }
  }

  const TokenList& list_;
  std::map<std::size_t, std::string> items_;
};

// Such as clients write it, with a zone.
bool isInstantWithZone(const std::string& text) {
  constexpr std::size_t kShortest = 17;  // 2024-02-29T13:14Z
  return text.size() >= kShortest && text[10] == 'T' &&
         text.find_first_of("Z+-", kShortest - 1) != std::string::npos;
}

}  // namespace

std::vector<std::uint32_t> instantParameters(std::string_view sql, const IsInstantColumn& is_one) {
  const std::string with_dollars = withDollars(sql);
  const TokenList list = tokenize(with_dollars, Dialect::kSqlite);
  std::map<std::uint32_t, bool> are_instants;
  if (!list.error.empty() || list.size() == 0) {
    return {};
  }
  const Reader reader(list);
  const std::vector<std::string> tables = tablesOf(list, "main");
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (list.tokens[i].kind != TokenKind::kParameter || reader.isOnlyAsked(i)) {
      continue;
    }
    const std::string column = reader.columnOf(i, i + 1);
    const bool is_instant = !column.empty() && is_one(tables, column);
    const auto found = are_instants.emplace(list.tokens[i].number, is_instant).first;
    found->second = found->second && is_instant;
  }
  std::vector<std::uint32_t> places;
  for (const auto& [number, is_instant] : are_instants) {
    if (is_instant && number > 0) {
      places.push_back(number - 1);
    }
  }
  return places;
}

bool putInForm(const std::vector<std::uint32_t>& places, const SqliteParameters& given,
               SqliteParameters& made) {
  bool is_made = false;
  for (const std::uint32_t place : places) {
    std::string form;
    if (place >= given.size() || given[place].type != SQLITE_TEXT ||
        !isInstantWithZone(given[place].text) || !toIsoUtc(given[place].text, form) ||
        form == given[place].text) {
      continue;
    }
    if (!is_made) {
      made = given;
    }
    is_made = true;
    made[place].text = std::move(form);
  }
  return is_made;
}

}  // namespace sub0::query
