// SPDX-License-Identifier: Apache-2.0
#include "sql_tables.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace sub0::query {
namespace {

// Words behind which a list of tables is over.
constexpr std::array<std::string_view, 16> kEndOfTables = {
    "WHERE", "GROUP",     "HAVING", "ORDER",  "LIMIT",     "OFFSET", "FETCH",  "FOR",
    "UNION", "INTERSECT", "EXCEPT", "WINDOW", "RETURNING", "SET",    "VALUES", "SELECT"};
// Functions with a FROM or USING of their own between their brackets.
constexpr std::array<std::string_view, 6> kFunctionsWithFrom = {"EXTRACT", "SUBSTRING", "TRIM",
                                                                "OVERLAY", "POSITION",  "CONVERT"};
// Words that may stand where a table's name may, and are none.
constexpr std::array<std::string_view, 8> kNoTable = {"SELECT", "WITH", "VALUES", "SET",
                                                      "ROWS",   "ON",   "OF",     "AS"};
// Words that may stand before a table's name; those of MariaDB and MySQL, and those of all.
constexpr std::array<std::string_view, 5> kModifiers = {"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED",
                                                        "QUICK", "IGNORE"};
constexpr std::array<std::string_view, 6> kBeforeTable = {"ONLY", "LATERAL", "IF",
                                                          "NOT",  "EXISTS",  "TABLE"};
// Statements that may name several tables behind TABLE.
constexpr std::array<std::string_view, 3> kWithTables = {"TRUNCATE", "DROP", "LOCK"};

template <std::size_t N>
bool isOneOf(const TokenList& list, std::size_t index,
             const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return list.isWord(index, word); });
}

class TableFinder {
 public:
  TableFinder(const TokenList& list, std::string_view usual_schema)
      : list_(list), usual_schema_(usual_schema) {}

  std::vector<std::string> run() {
    levels_.push_back(Level{list_.size(), false, false});
    is_definition_ = list_.isWord(0, "CREATE") || list_.isWord(0, "ALTER");
    visitVerb();
    for (std::size_t i = 0; i < list_.size(); ++i) {
      visit(i);
    }
    return std::move(tables_);
  }

 private:
  struct Level {
    std::size_t close;    // behind its bracket
    bool is_in_tables;    // a comma is followed by a table
    bool is_of_function;  // its FROM names no table
  };
  struct QueryName {  // that WITH gives
    std::string name;
    std::size_t begin, end;  // where it is known
  };

  Level& level() { return levels_.back(); }

  void visit(std::size_t i) {
    while (levels_.size() > 1 && i >= level().close) {
      levels_.pop_back();
    }
    if (list_.isSign(i, "(") || list_.isSign(i, "[")) {
      const bool is_of_function = i > 0 && isOneOf(list_, i - 1, kFunctionsWithFrom);
      levels_.push_back(
          Level{behindBracket(list_, i), brackets_of_tables_.count(i) > 0, is_of_function});
    } else if (list_.isSign(i, ",") && level().is_in_tables) {
      tableAt(i + 1);
    } else if (list_.tokens[i].kind == TokenKind::kWord) {
      visitWord(i);
    }
  }

  // What may name a table without a word before it.
  void visitVerb() {
    if (list_.isWord(0, "TRUNCATE")) {
      tablesFrom(1);
    } else if (isMysql() && (list_.isWord(0, "INSERT") || list_.isWord(0, "REPLACE"))) {
      tableAt(1, true);
    }
  }

  void visitWord(std::size_t i) {
    if (isBehindSign(i, ".")) {
      return;
    }
    if (list_.isWord(i, "WITH")) {
      level().is_in_tables = !readQueryNames(i + 1) && level().is_in_tables;
    } else if (list_.isWord(i, "FROM")) {
      if (!level().is_of_function && !isBehind(i, "DISTINCT")) {
        tablesFrom(i + 1);
      }
    } else if (list_.isWord(i, "JOIN") || (isMysql() && list_.isWord(i, "STRAIGHT_JOIN"))) {
      if (!isBehind(i, "FOR")) {  // USE INDEX FOR JOIN (...)
        tableAt(i + 1);
      }
    } else if (list_.isWord(i, "INTO")) {
      tableAt(i + 1, true);
    } else if (list_.isWord(i, "TABLE")) {
      tableAt(i + 1, list_.isWord(0, "CREATE"));
      level().is_in_tables = level().is_in_tables || (i > 0 && isOneOf(list_, i - 1, kWithTables));
    } else if (list_.isWord(i, "UPDATE")) {
      if (!isBehind(i, "FOR") && !isBehind(i, "KEY") && !isBehind(i, "ON")) {
        tablesFrom(i + 1);
      }
    } else if (list_.isWord(i, "USING")) {
      visitUsing(i);
    } else if (isOneOf(list_, i, kEndOfTables) && !isOfTable(i)) {
      level().is_in_tables = false;
    }
  }

  // Of DELETE and MERGE; JOIN has columns there, an index its kind, ORDER BY an operator.
  void visitUsing(std::size_t i) {
    if (is_definition_ || level().is_of_function) {
      return;
    }
    const bool is_bracket = list_.isSign(i + 1, "(");
    if (is_bracket ? !isListOfNames(i + 1) : isTableName(i + 1)) {
      tablesFrom(i + 1);
    }
  }

  bool isListOfNames(std::size_t open) const {
    for (std::size_t i = open + 1; i + 1 < behindBracket(list_, open); ++i) {
      if (i % 2 == open % 2 ? !list_.isSign(i, ",") : !isName(list_, i)) {
        return false;
      }
    }
    return true;
  }

  // A FOR that says something of one table: INDEX FOR ORDER BY, FOR SYSTEM_TIME.
  bool isOfTable(std::size_t i) const {
    return list_.isWord(i, "FOR")
               ? isBehind(i, "INDEX") || isBehind(i, "KEY") || list_.isWord(i + 1, "SYSTEM_TIME")
               : isBehind(i, "FOR");
  }

  bool isBehind(std::size_t i, std::string_view word) const {
    return i > 0 && list_.isWord(i - 1, word);
  }
  bool isBehindSign(std::size_t i, std::string_view sign) const {
    return i > 0 && list_.isSign(i - 1, sign);
  }
  bool isMysql() const { return list_.dialect == Dialect::kMysql; }

  // name (columns) AS NOT MATERIALIZED (query), ...; whether there are any.
  bool readQueryNames(std::size_t at) {
    const std::size_t known = query_names_.size();
    const bool is_recursive = list_.isWord(at, "RECURSIVE");
    at += is_recursive ? 1 : 0;
    while (isName(list_, at)) {
      const std::string name = foldedName(list_, at);
      const std::size_t as = list_.isSign(at + 1, "(") ? behindBracket(list_, at + 1) : at + 1;
      if (!list_.isWord(as, "AS")) {
        break;
      }
      std::size_t open = as + 1;
      while (list_.isWord(open, "NOT") || list_.isWord(open, "MATERIALIZED")) {
        ++open;
      }
      if (!list_.isSign(open, "(")) {
        break;
      }
      const std::size_t behind = behindBracket(list_, open);
      query_names_.push_back(QueryName{name, is_recursive ? open : behind, level().close});
      if (!list_.isSign(behind, ",")) {
        break;
      }
      at = behind + 1;
    }
    return query_names_.size() > known;
  }

  // One, and another behind each comma.
  void tablesFrom(std::size_t at) {
    level().is_in_tables = true;
    tableAt(at);
  }

  // `has_columns`: what brackets behind the name hold; else it is a function.
  void tableAt(std::size_t at, bool has_columns = false) {
    while (isOneOf(list_, at, kBeforeTable) || list_.isWord(at, "OR") ||
           (isMysql() && isOneOf(list_, at, kModifiers))) {
      at += list_.isWord(at, "OR") ? 2 : 1;  // UPDATE OR IGNORE t
    }
    if (list_.isSign(at, "(")) {
      brackets_of_tables_.insert(at);
      tableAt(at + 1);
      return;
    }
    if (!isTableName(at) || isOneOf(list_, at, kNoTable) || list_.isWord(at, "INTO")) {
      return;
    }
    std::vector<std::string> parts = {tableName(at)};
    std::size_t behind = at + 1;
    while (list_.isSign(behind, ".") && isTableName(behind + 1)) {
      parts.push_back(tableName(behind + 1));
      behind += 2;
    }
    const bool is_function = list_.isSign(behind, "(") && !has_columns;
    if (!is_function && (parts.size() > 1 || !isQueryName(foldedName(list_, at), at))) {
      add(nameOf(parts));
    }
  }

  // A schema, but the usual one, stays before the name. A database before both is the one at hand.
  std::string nameOf(const std::vector<std::string>& parts) const {
    const std::string& name = parts.back();
    const std::string schema = parts.size() > 1 ? parts[parts.size() - 2] : std::string();
    return schema.empty() || schema == usual_schema_ ? name : schema + "." + name;
  }

  // To SQLite a string is a name where nothing else can stand.
  bool isTableName(std::size_t at) const {
    return isName(list_, at) || (at < list_.size() && list_.dialect == Dialect::kSqlite &&
                                 list_.tokens[at].kind == TokenKind::kString);
  }

  // MariaDB and MySQL know tables by all their letters, whether quoted or not.
  std::string tableName(std::size_t at) const {
    return isMysql() && list_.tokens[at].kind == TokenKind::kWord ? std::string(list_.text(at))
                                                                  : foldedName(list_, at);
  }

  bool isQueryName(const std::string& name, std::size_t at) const {
    return std::any_of(query_names_.begin(), query_names_.end(), [&](const QueryName& query) {
      return query.name == name && at >= query.begin && at < query.end;
    });
  }

  void add(std::string name) {
    if (std::find(tables_.begin(), tables_.end(), name) == tables_.end()) {
      tables_.push_back(std::move(name));
    }
  }

  const TokenList& list_;
  const std::string_view usual_schema_;
  bool is_definition_ = false;
  std::vector<Level> levels_;
  std::vector<QueryName> query_names_;
  std::set<std::size_t> brackets_of_tables_;
  std::vector<std::string> tables_;
};

}  // namespace

bool isName(const TokenList& list, std::size_t index) {
  return index < list.size() && (list.tokens[index].kind == TokenKind::kWord ||
                                 list.tokens[index].kind == TokenKind::kQuotedName);
}

std::string foldedName(const TokenList& list, std::size_t index) {
  std::string text(list.text(index));
  if (list.tokens[index].kind == TokenKind::kWord) {
    return smallLetters(std::move(text));
  }
  const std::size_t quote = text.find_first_of("\"`'[");  // U&"..." begins later
  std::string name;
  for (std::size_t i = quote + 1; i + 1 < text.size(); ++i) {
    name.push_back(text[i]);
    i += text[i] == text[quote] && text[quote] != '[' ? 1 : 0;  // doubled
  }
  return list.dialect == Dialect::kSqlite ? smallLetters(std::move(name)) : name;
}

std::vector<std::string> tablesOf(const TokenList& list, std::string_view usual_schema) {
  return TableFinder(list, usual_schema).run();
}

}  // namespace sub0::query
