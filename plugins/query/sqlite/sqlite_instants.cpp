// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_instants.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "column_text.hpp"
#include "insert_values.hpp"
#include "sql_analysis.hpp"
#include "sql_tables.hpp"
#include "sql_tokens.hpp"
#include "sqlite/sqlite_cast_functions.hpp"

namespace sub0::query {
namespace {

constexpr std::array<std::string_view, 8> kComparisonSigns = {
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

struct Met {
  bool meant = false;
  bool others = false;
};

class PlaceReader {
 public:
  explicit PlaceReader(const TokenList& list) : list_(list) {
    readBrackets();
    readInsert();
  }

  // The column that the value of the tokens [begin, end) belongs to; empty: none.
  std::string columnOf(std::size_t begin, std::size_t end) const {
    std::string among;
    widen(begin, end, among);
    if (!among.empty()) {
      return among;
    }
    const auto item = items_.find(begin);
    if (item != items_.end() && (end == item->second.end || list_.isWord(end, "AS"))) {
      return item->second.column;
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
    const std::string of_row = columnOfRow(begin, end);
    return of_row.empty() ? columnOfList(begin) : of_row;
  }

  // In `$1 IS NULL`, or what a function is given, which reads it in its own way: date($1).
  bool isReadOtherwise(std::size_t i) const {
    const std::size_t what = list_.isWord(i + 2, "NOT") ? i + 3 : i + 2;
    const std::size_t open = openBefore(i);
    return (list_.isWord(i + 1, "IS") && list_.isWord(what, "NULL")) ||
           (open < list_.size() && isCall(open));
  }

  // A pattern, or joined to another text.
  bool isPartOfText(std::size_t i) const {
    const auto joins = [&](std::size_t at) {
      return list_.isSign(at, "||") || list_.isWord(at, "LIKE") || list_.isWord(at, "GLOB") ||
             list_.isWord(at, "MATCH") || list_.isWord(at, "REGEXP");
    };
    return joins(i - 1) || joins(i + 1);
  }

 private:
  struct Item {
    std::size_t end;
    std::string column;
  };

  bool isOperator(std::size_t i) const {
    return i < list_.size() && list_.tokens[i].kind == TokenKind::kOperator;
  }
  bool compares(std::size_t i) const {
    return std::any_of(kComparisonSigns.begin(), kComparisonSigns.end(),
                       [&](std::string_view sign) { return list_.isSign(i, sign); });
  }
  bool endsItem(std::size_t i) const { return list_.isSign(i, ",") || list_.isSign(i, ")"); }
  bool endsValue(std::size_t i) const {
    return i >= list_.size() || endsItem(i) || list_.isSign(i, ";") ||
           (list_.tokens[i].kind == TokenKind::kWord && !list_.isWord(i, "COLLATE"));
  }
  bool isItem(std::size_t begin, std::size_t end) const {
    return (list_.isSign(begin - 1, "(") || list_.isSign(begin - 1, ",")) && endsItem(end);
  }
  // Whether the bracket at `open` is that of a function that gives one of its values.
  bool choosesAt(std::size_t open) const {
    return list_.isSign(open, "(") &&
           (list_.isWord(open - 1, "COALESCE") || list_.isWord(open - 1, "IFNULL") ||
            list_.isWord(open - 1, "MAX") || list_.isWord(open - 1, "MIN"));
  }

  bool isCall(std::size_t open) const {
    static constexpr std::array<std::string_view, 15> kBeforeRows = {
        "WHERE",  "AND",    "OR", "ON",   "NOT",  "WHEN", "HAVING", "IN",
        "VALUES", "EXISTS", "AS", "FROM", "JOIN", "THEN", "ELSE"};
    return open > 0 && isName(list_, open - 1) &&
           !isOneOf(capitals(list_.text(open - 1)), kBeforeRows);
  }

  // The bracket that is open before token `at`; size(): none.
  std::size_t openBefore(std::size_t at) const {
    return at < opens_.size() ? opens_[at] : list_.size();
  }
  void readBrackets() {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      opens_.push_back(open.empty() ? list_.size() : open.back());
      if (list_.isSign(i, "(")) {
        open.push_back(i);
      } else if (list_.isSign(i, ")") && !open.empty()) {
        open.pop_back();
      }
    }
  }

  // What stands between the commas from `begin` on, up to what `ends` is true of.
  template <typename Ends>
  std::vector<TokenRange> itemsFrom(std::size_t begin, Ends&& ends) const {
    std::vector<TokenRange> items;
    std::size_t at = begin;
    while (at < list_.size() && !ends(at)) {
      if (list_.isSign(at, ",")) {
        items.push_back({begin, at});
        begin = at + 1;
      }
      at = list_.isSign(at, "(") ? behindBracket(list_, at) : at + 1;
    }
    items.push_back({begin, at});
    return items;
  }
  std::vector<TokenRange> itemsWithin(std::size_t open) const {
    return itemsFrom(open + 1, [&](std::size_t at) { return list_.isSign(at, ")"); });
  }

  // `at` or `t.at`, by itself.
  std::string columnAt(const TokenRange& range) const {
    std::size_t at = range.begin;
    while (isName(list_, at) && list_.isSign(at + 1, ".")) {
      at += 2;
    }
    return isName(list_, at) && at + 1 == range.end ? foldedName(list_, at) : std::string();
  }
  std::string columnAmong(std::size_t open) const {
    for (const TokenRange& range : itemsWithin(open)) {
      std::string column = columnAt(range);
      if (!column.empty()) {
        return column;
      }
    }
    return {};
  }

  // coalesce($1, $2) and CAST($1 AS TEXT) are what stands in them, coalesce(at, $1) is `among`.
  void widen(std::size_t& begin, std::size_t& end, std::string& among) const {
    bool is_wider = true;
    while (is_wider && among.empty()) {
      const bool is_cast = begin >= 2 && list_.isSign(begin - 1, "(") &&
                           list_.isWord(begin - 2, "CAST") && list_.isWord(end, "AS") &&
                           list_.isWord(end + 1, "TEXT") && list_.isSign(end + 2, ")");
      const std::size_t open = is_cast || isItem(begin, end) ? openBefore(begin) : list_.size();
      is_wider = is_cast || (open > 0 && choosesAt(open));
      if (is_wider) {
        among = is_cast ? std::string() : columnAmong(open);
        begin = open - 1;
        end = behindBracket(list_, open);
      }
    }
  }

  // `at`, `t.at` or `max(at)` before the comparison at `sign`.
  std::string columnBefore(std::size_t sign) const {
    if (sign > 0 && list_.isSign(sign - 1, ")")) {
      const std::size_t open = openBefore(sign - 1);
      return open > 0 && choosesAt(open) ? columnAmong(open) : std::string();
    }
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
    if (choosesAt(first + 1)) {
      return columnAmong(first + 1);
    }
    while (isName(list_, first) && list_.isSign(first + 1, ".")) {
      first += 2;
    }
    return isName(list_, first) && endsValue(first + 1) ? foldedName(list_, first) : std::string();
  }

  // (at, id) > ($1, $2), ($1, $2) < (at, id)
  std::string columnOfRow(std::size_t begin, std::size_t end) const {
    const std::size_t open = isItem(begin, end) ? openBefore(begin) : list_.size();
    if (open >= list_.size() || open == 0) {
      return {};
    }
    std::size_t other = list_.size();
    const std::size_t behind = behindBracket(list_, open);
    if (open >= 2 && compares(open - 1) && list_.isSign(open - 2, ")")) {
      other = openBefore(open - 2);
    } else if (compares(behind) && list_.isSign(behind + 1, "(")) {
      other = behind + 1;
    }
    if (other >= list_.size() || isCall(other)) {
      return {};
    }
    const std::vector<TokenRange> own = itemsWithin(open);
    const std::vector<TokenRange> others = itemsWithin(other);
    for (std::size_t i = 0; i < own.size() && own.size() == others.size(); ++i) {
      if (own[i].begin == begin) {
        return columnAt(others[i]);
      }
    }
    return {};
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
  void readInsert() {
    const Analysis analysis = analyse(list_, Dialect::kSqlite);
    if (analysis.verb != "INSERT" && analysis.verb != "REPLACE") {
      return;
    }
    const InsertValues insert = insertValuesOf(list_, analysis.verb_index);
    for (const std::vector<TokenRange>& row : insert.rows) {
      readRow(insert, row);
    }
    for (std::size_t at = analysis.verb_index; at < list_.size();) {
      if (list_.isWord(at, "SELECT")) {
        const bool has_word = list_.isWord(at + 1, "DISTINCT") || list_.isWord(at + 1, "ALL");
        readRow(insert, itemsFrom(has_word ? at + 2 : at + 1, [&](std::size_t end) {
                  return list_.isSign(end, ";") || list_.isWord(end, "FROM") ||
                         list_.isWord(end, "WHERE") || list_.isWord(end, "UNION") ||
                         list_.isWord(end, "ON") || list_.isWord(end, "RETURNING");
                }));
      }
      at = list_.isSign(at, "(") ? behindBracket(list_, at) : at + 1;
    }
  }
  void readRow(const InsertValues& insert, const std::vector<TokenRange>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      items_[row[i].begin] =
          Item{row[i].end, i < insert.columns.size() ? insert.columns[i] : std::string()};
    }
  }

  const TokenList& list_;
  std::vector<std::size_t> opens_;  // by token
  std::map<std::size_t, Item> items_;
};

// Visits each parameter of a statement: visit(reader, tables, token, number).
template <typename Visit>
void forEachParameter(std::string_view sql, Visit&& visit) {
  const std::string with_dollars = withDollars(sql);
  const TokenList list = tokenize(with_dollars, Dialect::kSqlite);
  if (!list.error.empty() || list.size() == 0) {
    return;
  }
  const PlaceReader reader(list);
  const std::vector<std::string> tables = tablesOf(list, "main");
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (list.tokens[i].kind == TokenKind::kParameter && list.tokens[i].number > 0) {
      visit(reader, tables, i, list.tokens[i].number - 1);
    }
  }
}

// The places, from 0, that are the one and not the other.
std::vector<std::uint32_t> placesOf(const std::map<std::uint32_t, Met>& met) {
  std::vector<std::uint32_t> places;
  for (const auto& [place, here] : met) {
    if (here.meant && !here.others) {
      places.push_back(place);
    }
  }
  return places;
}

std::vector<std::uint32_t> parametersBeside(ColumnOf wanted, std::string_view sql,
                                            const LookAtColumn& look) {
  std::map<std::uint32_t, Met> met;
  forEachParameter(sql, [&](const PlaceReader& reader, const std::vector<std::string>& tables,
                            std::size_t i, std::uint32_t place) {
    Met& here = met[place];
    const std::string column = reader.columnOf(i, i + 1);
    const ColumnOf is = column.empty() ? ColumnOf::kNone : look(tables, column);
    here.meant = here.meant || is == wanted;
    here.others = here.others || (is != wanted && is != ColumnOf::kNone) || reader.isPartOfText(i);
  });
  return placesOf(met);
}

// Calls make(text, parameter) for those of the places that are texts; it says whether it changed
// the parameter.
template <typename Make>
void putEach(const std::vector<std::uint32_t>& places, const SqliteParameters& given,
             SqliteParameters& made, bool& is_made, Make&& make) {
  for (const std::uint32_t place : places) {
    SqliteParameter parameter;
    if (place >= given.size() || given[place].type != SQLITE_TEXT ||
        !make(given[place].text, parameter)) {
      continue;
    }
    if (!is_made) {
      made = given;
    }
    is_made = true;
    made[place] = std::move(parameter);
  }
}

}  // namespace

std::vector<std::uint32_t> instantParameters(std::string_view sql, const LookAtColumn& look) {
  return parametersBeside(ColumnOf::kInstants, sql, look);
}

std::vector<std::uint32_t> booleanParameters(std::string_view sql, const LookAtColumn& look) {
  return parametersBeside(ColumnOf::kBooleans, sql, look);
}

std::vector<std::uint32_t> parametersBesideNothing(std::string_view sql) {
  std::map<std::uint32_t, Met> met;
  forEachParameter(sql, [&](const PlaceReader& reader, const std::vector<std::string>&,
                            std::size_t i, std::uint32_t place) {
    Met& here = met[place];
    const bool has_column = !reader.columnOf(i, i + 1).empty();
    here.meant = here.meant || !(has_column || reader.isReadOtherwise(i));
    here.others = here.others || has_column || reader.isPartOfText(i);
  });
  return placesOf(met);
}

bool putInForm(const FormedParameters& places, const SqliteParameters& given,
               SqliteParameters& made) {
  bool is_made = false;
  putEach(places.instants, given, made, is_made,
          [](const std::string& text, SqliteParameter& parameter) {
            parameter.type = SQLITE_TEXT;
            return toIsoUtcOfZone(text, parameter.text) && parameter.text != text;
          });
  putEach(places.booleans, given, made, is_made,
          [](const std::string& text, SqliteParameter& parameter) {
            const std::optional<bool> truth = booleanOf(text);
            parameter.type = SQLITE_INTEGER;
            parameter.integer = truth.value_or(false) ? 1 : 0;
            return truth.has_value();
          });
  return is_made;
}

}  // namespace sub0::query
