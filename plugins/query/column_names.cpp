// SPDX-License-Identifier: Apache-2.0
#include "column_names.hpp"

#include <map>
#include <string_view>

#include "sql_analysis.hpp"
#include "sql_tables.hpp"

namespace sub0::query {
namespace {

constexpr const char* kNoName = "?column?";
constexpr std::array<std::string_view, 9> kBehindItems = {
    "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT"};
// They join what stands on both sides to an expression that has no name.
constexpr std::array<std::string_view, 14> kJoining = {"AND",   "OR",      "IS",    "IN",  "LIKE",
                                                       "NOT",   "BETWEEN", "DIV",   "MOD", "XOR",
                                                       "RLIKE", "REGEXP",  "MATCH", "GLOB"};
// Behind them an expression goes on, or they are no names at all.
constexpr std::array<std::string_view, 24> kNoAlias = {
    "AND",    "OR",   "IS",    "IN",     "LIKE",  "NOT",  "BETWEEN",   "DIV",
    "MOD",    "XOR",  "RLIKE", "REGEXP", "MATCH", "GLOB", "COLLATE",   "OVER",
    "ESCAPE", "CASE", "WHEN",  "THEN",   "ELSE",  "AT",   "SEPARATOR", "FILTER"};
constexpr std::array<std::string_view, 9> kClocks = {
    "CURRENT_DATE", "CURRENT_TIME",   "CURRENT_TIMESTAMP", "LOCALTIME",   "LOCALTIMESTAMP",
    "CURRENT_USER", "CURRENT_SCHEMA", "CURRENT_CATALOG",   "SESSION_USER"};
// No functions, though a bracket may follow.
constexpr std::array<std::string_view, 12> kNamelessBeforeBracket = {
    "SELECT", "VALUES", "WITH", "NOT", "DISTINCT", "ALL",
    "ANY",    "SOME",   "IN",   "AS",  "ROW",      "ARRAY"};

// Whose name it is, as PostgreSQL weighs it: a cast's type counts for less than what is cast.
enum class Weight { kNone, kOfType, kOwn };

struct Named {
  std::string name;
  Weight weight = Weight::kNone;
  std::size_t behind = 0;  // the token behind what was read; 0: it was not read
  bool is_plain = false;   // a column as it is
};

class Items {
 public:
  explicit Items(const TokenList& list) : list_(list) {}

  std::vector<ColumnName> run(std::size_t first) {
    std::vector<ColumnName> names;
    for (std::size_t begin = first; begin < list_.size();) {
      const std::size_t end = endOfItem(begin);
      if (end == begin) {
        break;
      }
      const std::string name = nameOf(begin, end);
      if (!name.empty()) {
        names.push_back(ColumnName{end - 1, name});
      }
      if (!list_.isSign(end, ",")) {
        break;
      }
      begin = end + 1;
    }
    return names;
  }

 private:
  bool isWordOf(std::size_t i, TokenKind kind) const {
    return i < list_.size() && list_.tokens[i].kind == kind;
  }
  template <std::size_t N>
  bool isAnyOf(std::size_t i, const std::array<std::string_view, N>& words) const {
    return isWordOf(i, TokenKind::kWord) && isOneOf(capitals(list_.text(i)), words);
  }

  std::size_t endOfItem(std::size_t at) const {
    while (at < list_.size() && !list_.isSign(at, ",") && !list_.isSign(at, ";") &&
           !list_.isSign(at, ")")) {
      const bool ends = isAnyOf(at, kBehindItems) && !list_.isSign(at - 1, ".") &&
                        !list_.isWord(at - 1, "DISTINCT");
      if (ends) {
        break;
      }
      at = list_.isSign(at, "(") || list_.isSign(at, "[") ? behindBracket(list_, at) : at + 1;
    }
    return at;
  }

  bool endsOperand(std::size_t i) const {
    if (list_.tokens[i].kind == TokenKind::kWord) {
      return !isAnyOf(i, kNoAlias);
    }
    return list_.tokens[i].kind != TokenKind::kOperator &&
           (list_.tokens[i].kind != TokenKind::kPunctuation || list_.isSign(i, ")") ||
            list_.isSign(i, "]"));
  }

  // Whether the item has a name of its own, or may have one.
  bool mayHaveAlias(std::size_t begin, std::size_t end) const {
    for (std::size_t at = begin; at < end;) {
      if (list_.isWord(at, "AS")) {
        return true;
      }
      at = list_.isSign(at, "(") ? behindBracket(list_, at) : at + 1;
    }
    const bool is_name = isName(list_, end - 1) || isWordOf(end - 1, TokenKind::kString);
    return end - begin > 1 && is_name && !list_.isWord(end - 1, "END") && endsOperand(end - 2);
  }

  // Empty: it has one, or it is not certain.
  std::string nameOf(std::size_t begin, std::size_t end) const {
    const Named read = expressionAt(begin, end);
    if (read.behind == 0 || (read.is_plain && read.behind == end)) {
      return {};
    }
    if (read.behind == end) {
      return read.weight == Weight::kNone ? kNoName : read.name;
    }
    const bool is_joined =
        isWordOf(read.behind, TokenKind::kOperator) || isAnyOf(read.behind, kJoining);
    return is_joined && endsOperand(end - 1) && !mayHaveAlias(begin, end) ? kNoName : "";
  }

  // What begins at `at`, with its casts.
  Named expressionAt(std::size_t at, std::size_t end) const {
    Named read = operandAt(at, end);
    while (read.behind != 0 && read.behind < end) {
      if (list_.isSign(read.behind, "::")) {
        const std::size_t type = read.behind + 1;
        read.behind = behindType(type);
        nameByType(type, read);
      } else if (list_.isWord(read.behind, "COLLATE") && isName(list_, read.behind + 1)) {
        read.behind += 2;
        read.is_plain = false;
      } else {
        break;
      }
    }
    return read.behind > end ? Named{} : read;
  }

  Named operandAt(std::size_t at, std::size_t end) const {
    constexpr std::size_t kDeepest = 50;
    if (at >= end || depth_ == kDeepest) {
      return {};
    }
    ++depth_;
    Named read = operandWithin(at, end);
    --depth_;
    return read;
  }

  Named operandWithin(std::size_t at, std::size_t end) const {
    const TokenKind kind = list_.tokens[at].kind;
    if (kind == TokenKind::kParameter || kind == TokenKind::kNumber || kind == TokenKind::kString) {
      return {{}, Weight::kNone, at + 1, false};
    }
    if (list_.isSign(at, "-") || list_.isSign(at, "+")) {
      Named read = operandAt(at + 1, end);
      return {{}, Weight::kNone, read.behind, false};
    }
    if (list_.isSign(at, "(")) {
      return bracketAt(at);
    }
    if (list_.isWord(at, "CASE")) {
      return caseAt(at, end);
    }
    if (list_.isWord(at, "CAST") && list_.isSign(at + 1, "(")) {
      return castAt(at);
    }
    if (list_.isWord(at, "NULL") || list_.isWord(at, "TRUE") || list_.isWord(at, "FALSE")) {
      return {{}, Weight::kNone, at + 1, false};
    }
    if (isAnyOf(at, kClocks) && !list_.isSign(at + 1, "(")) {
      return {smallLetters(list_.text(at)), Weight::kOwn, at + 1, false};
    }
    return isName(list_, at) ? nameAt(at, end) : Named{};
  }

  // A column, or a function.
  Named nameAt(std::size_t at, std::size_t end) const {
    while (list_.isSign(at + 1, ".") && isName(list_, at + 2)) {
      at += 2;
    }
    if (list_.isSign(at + 1, ".") || isAnyOf(at, kNamelessBeforeBracket) || isAnyOf(at, kNoAlias)) {
      return {};  // t.*
    }
    const std::string name = plainName(at);
    if (!list_.isSign(at + 1, "(")) {
      return {name, Weight::kOwn, at + 1, true};
    }
    Named read{name, Weight::kOwn, behindBracket(list_, at + 1), false};
    if (list_.isWord(at, "TRIM")) {
      read.name = list_.isWord(at + 2, "LEADING")    ? "ltrim"
                  : list_.isWord(at + 2, "TRAILING") ? "rtrim"
                                                     : "btrim";
    }
    while (read.behind < end) {
      const bool is_over = list_.isWord(read.behind, "OVER");
      const bool has_bracket = list_.isSign(read.behind + 1, "(");
      if (has_bracket && (is_over || list_.isWord(read.behind, "FILTER"))) {
        read.behind = behindBracket(list_, read.behind + 1);
      } else if (is_over) {
        read.behind += 2;
      } else {
        break;
      }
    }
    return read;
  }

  // (a), (SELECT a ...)
  Named bracketAt(std::size_t open) const {
    const std::size_t behind = behindBracket(list_, open);
    if (!list_.isSign(behind - 1, ")") || list_.isWord(open + 1, "WITH")) {
      return {};
    }
    Named read;
    if (list_.isWord(open + 1, "SELECT")) {
      read = ofSubquery(open + 2);
    } else {
      const std::size_t end = endOfItem(open + 1);
      if (end + 1 != behind) {
        return {};  // a row
      }
      read = expressionAt(open + 1, end);
      const bool is_whole = read.behind == end;
      read = is_whole || read.behind == 0 ? read : Named{{}, Weight::kNone, 1, false};
    }
    read.behind = read.behind == 0 ? 0 : behind;
    return read;
  }

  // Its only column, whose alias counts.
  Named ofSubquery(std::size_t first) const {
    const std::size_t end = endOfItem(first);
    if (end == first) {
      return {};
    }
    if (end >= first + 2 && list_.isWord(end - 2, "AS") && isName(list_, end - 1)) {
      return {plainName(end - 1), Weight::kOwn, end, false};
    }
    Named read = expressionAt(first, end);
    if (read.behind != end) {
      return {};
    }
    read.is_plain = false;
    read.name = read.weight == Weight::kNone ? kNoName : read.name;
    read.weight = Weight::kOwn;
    return read;
  }

  // CASE ... ELSE x END is called as x is, if that has a name.
  Named caseAt(std::size_t at, std::size_t end) const {
    std::size_t otherwise = 0;
    std::size_t depth = 0;
    for (std::size_t i = at; i < end;) {
      depth += list_.isWord(i, "CASE") ? 1 : 0;
      otherwise = depth == 1 && list_.isWord(i, "ELSE") ? i + 1 : otherwise;
      if (list_.isWord(i, "END") && --depth == 0) {
        Named read = otherwise == 0 ? Named{} : expressionAt(otherwise, i);
        const bool has_name = read.behind == i && read.weight == Weight::kOwn;
        return has_name ? Named{read.name, Weight::kOwn, i + 1, false}
                        : Named{"case", Weight::kOfType, i + 1, false};
      }
      i = list_.isSign(i, "(") ? behindBracket(list_, i) : i + 1;
    }
    return {};
  }

  Named castAt(std::size_t at) const {
    const std::size_t behind = behindBracket(list_, at + 1);
    std::size_t as = at + 2;
    while (as < behind && !list_.isWord(as, "AS")) {
      as = list_.isSign(as, "(") ? behindBracket(list_, as) : as + 1;
    }
    if (as + 2 >= behind) {
      return {};
    }
    Named read = expressionAt(at + 2, as);
    if (read.behind != as) {
      read = Named{};
    }
    nameByType(as + 1, read);
    read.behind = behind;
    return read;
  }

  std::size_t behindType(std::size_t at) const {
    while (list_.isSign(at + 1, ".")) {
      at += 2;
    }
    at += list_.isWord(at + 1, "PRECISION") || list_.isWord(at + 1, "VARYING") ? 2 : 1;
    if (list_.isSign(at, "(")) {
      at = behindBracket(list_, at);
    }
    const bool is_zoned = list_.isWord(at, "WITH") || list_.isWord(at, "WITHOUT");
    return is_zoned && list_.isWord(at + 1, "TIME") ? at + 3 : at;
  }

  // A type's name counts where what is cast has none of its own.
  void nameByType(std::size_t at, Named& read) const {
    static const std::map<std::string, const char*> kNames = {
        {"int", "int4"},        {"integer", "int4"},     {"bigint", "int8"},  {"smallint", "int2"},
        {"boolean", "bool"},    {"real", "float4"},      {"float", "float8"}, {"double", "float8"},
        {"decimal", "numeric"}, {"character", "bpchar"}, {"char", "bpchar"}};
    read.is_plain = false;
    if (read.weight == Weight::kOwn) {
      return;
    }
    while (list_.isSign(at + 1, ".")) {
      at += 2;
    }
    if (at >= list_.size()) {
      return;
    }
    read.name = plainName(at);
    const auto found = kNames.find(read.name);
    if (list_.isWord(at + 1, "VARYING")) {
      read.name = "varchar";
    } else if (list_.isWord(at + 1, "WITH") && list_.isWord(at + 2, "TIME")) {
      read.name += "tz";
    } else if (found != kNames.end()) {
      read.name = found->second;
    }
    read.weight = Weight::kOfType;
  }

  // As PostgreSQL reads it: small letters, unless it is quoted.
  std::string plainName(std::size_t at) const {
    const std::string_view text = list_.text(at);
    if (list_.tokens[at].kind == TokenKind::kWord) {
      return smallLetters(text);
    }
    std::string name;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
      name.push_back(text[i]);
      i += text[i] == text[0] && text[0] != '[' ? 1 : 0;  // doubled
    }
    return name;
  }

  const TokenList& list_;
  mutable std::size_t depth_ = 0;  // of what stands in brackets
};

// MariaDB calls the columns of VALUES by the first row: as a SELECT it gets PostgreSQL's names, and
// the other rows follow. Empty: it stays, as it does where UNION would give the column the type of
// a parameter in one of the rows.
std::string withNamesOfValues(const TokenList& list, std::size_t values) {
  const std::size_t behind = behindBracket(list, values + 1);
  for (std::size_t at = behind; at < list.size(); ++at) {
    if (list.isWord(at, "INTERSECT")) {  // it binds more than UNION
      return {};
    }
  }
  const bool is_row = list.isSign(values + 1, "(") && list.isSign(behind - 1, ")");
  if (!is_row || uncastInValues(list) != list.size()) {
    return {};
  }
  std::string row;
  std::size_t first = values + 2;
  for (std::size_t at = first, number = 1; at < behind;) {
    if (list.isSign(at, ",") || at + 1 == behind) {
      const std::size_t begin = list.tokens[first].begin;
      row += list.sql.substr(begin, list.tokens[at].begin - begin);
      row += " AS \"column" + std::to_string(number++) + (at + 1 == behind ? "\"" : "\", ");
      first = at + 1;
    }
    at = list.isSign(at, "(") ? behindBracket(list, at) : at + 1;
  }
  const bool has_more = list.isSign(behind, ",");
  const std::size_t rest = list.tokens[has_more ? behind : behind - 1].end;
  return std::string(list.sql.substr(0, list.tokens[values].begin)) + "SELECT " + row +
         (has_more ? " UNION ALL VALUES" : "") + std::string(list.sql.substr(rest));
}

}  // namespace

std::string withColumnNames(const TokenList& list) {
  std::string sql(list.sql);
  const Analysis analysis = analyse(list, list.dialect);
  if (list.dialect == Dialect::kMysql && analysis.verb == "VALUES") {
    const std::string named = withNamesOfValues(list, analysis.verb_index);
    return named.empty() ? sql : named;
  }
  const std::vector<ColumnName> columns = unnamedColumns(list);
  for (auto column = columns.rbegin(); column != columns.rend(); ++column) {
    std::string name;
    for (const char c : column->name) {
      name.append(c == '"' ? 2 : 1, c);
    }
    sql.insert(list.tokens[column->last].end, " AS \"" + name + "\"");
  }
  return sql;
}

std::size_t uncastInValues(const TokenList& list) {
  const Analysis analysis = analyse(list, list.dialect);
  const bool has_rows = analysis.verb == "VALUES" && list.isSign(analysis.verb_index + 1, "(") &&
                        list.isSign(behindBracket(list, analysis.verb_index + 1), ",");
  for (std::size_t i = analysis.verb_index; has_rows && i < list.size(); ++i) {
    const bool is_cast = list.isSign(i + 1, "::") || list.isWord(i + 1, "AS");
    if (list.tokens[i].kind == TokenKind::kParameter && !is_cast) {
      return i;
    }
  }
  return list.size();
}

std::vector<ColumnName> unnamedColumns(const TokenList& list) {
  const Analysis analysis = analyse(list, list.dialect);
  std::size_t at = analysis.verb_index + 1;
  if (analysis.verb == "SELECT") {
    at += list.isWord(at, "DISTINCT") || list.isWord(at, "ALL") ? 1 : 0;
    return list.isWord(at, "ON") ? std::vector<ColumnName>() : Items(list).run(at);
  }
  if (analysis.verb != "INSERT" && analysis.verb != "UPDATE" && analysis.verb != "DELETE" &&
      analysis.verb != "REPLACE") {
    return {};
  }
  while (at < list.size() && !list.isWord(at, "RETURNING")) {
    at = list.isSign(at, "(") ? behindBracket(list, at) : at + 1;
  }
  return Items(list).run(at + 1);
}

}  // namespace sub0::query
