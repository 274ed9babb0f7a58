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
// Functions with a FROM of their own between their brackets.
constexpr std::array<std::string_view, 5> kFunctionsWithFrom = {"EXTRACT", "SUBSTRING", "TRIM",
                                                                "OVERLAY", "POSITION"};
// Words that may stand where a table's name may, and are none.
constexpr std::array<std::string_view, 12> kNoTable = {"SELECT", "WITH",   "VALUES", "LATERAL",
                                                       "ONLY",   "SET",    "TABLE",  "IF",
                                                       "NOT",    "EXISTS", "ROWS",   "OR"};

template <std::size_t N>
bool isOneOf(const TokenList& list, std::size_t index,
             const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return list.isWord(index, word); });
}

std::string smallLetters(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

class TableFinder {
 public:
  explicit TableFinder(const TokenList& list) : list_(list) {}

  std::vector<std::string> run() {
    levels_.push_back(Level{list_.size(), false, false});
    is_definition_ = list_.isWord(0, "CREATE") || list_.isWord(0, "ALTER");
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

  void visitWord(std::size_t i) {
    if (i > 0 && list_.isSign(i - 1, ".")) {
      return;
    }
    const auto is_before = [&](std::string_view word) {
      return i > 0 && list_.isWord(i - 1, word);
    };
    if (list_.isWord(i, "WITH")) {
      readQueryNames(i + 1);
    } else if (list_.isWord(i, "FROM")) {
      if (!level().is_of_function && !is_before("DISTINCT")) {
        level().is_in_tables = true;
        tableAt(i + 1);
      }
    } else if (list_.isWord(i, "JOIN") || list_.isWord(i, "INTO") || list_.isWord(i, "TABLE")) {
      tableAt(i + 1);
    } else if (list_.isWord(i, "UPDATE")) {
      if (!is_before("FOR") && !is_before("KEY") && !is_before("ON")) {
        tableAt(i + 1);
      }
    } else if (list_.isWord(i, "USING")) {
      if (!is_definition_ && !list_.isSign(i + 1, "(") && isName(list_, i + 1)) {
        level().is_in_tables = true;
        tableAt(i + 1);
      }
    } else if (isOneOf(list_, i, kEndOfTables)) {
      level().is_in_tables = false;
    }
  }

  // name (columns) AS NOT MATERIALIZED (query), ...
  void readQueryNames(std::size_t at) {
    const bool is_recursive = list_.isWord(at, "RECURSIVE");
    at += is_recursive ? 1 : 0;
    while (isName(list_, at)) {
      const std::string name = foldedName(list_, at);
      const std::size_t as = list_.isSign(at + 1, "(") ? behindBracket(list_, at + 1) : at + 1;
      if (!list_.isWord(as, "AS")) {
        return;
      }
      std::size_t open = as + 1;
      while (list_.isWord(open, "NOT") || list_.isWord(open, "MATERIALIZED")) {
        ++open;
      }
      if (!list_.isSign(open, "(")) {
        return;
      }
      const std::size_t behind = behindBracket(list_, open);
      query_names_.push_back(QueryName{name, is_recursive ? open : behind, level().close});
      if (!list_.isSign(behind, ",")) {
        return;
      }
      at = behind + 1;
    }
  }

  void tableAt(std::size_t at) {
    while (list_.isWord(at, "ONLY") || list_.isWord(at, "LATERAL") || list_.isWord(at, "IF") ||
           list_.isWord(at, "NOT") || list_.isWord(at, "EXISTS") || list_.isWord(at, "OR") ||
           list_.isWord(at, "TABLE")) {
      at += list_.isWord(at, "OR") ? 2 : 1;  // UPDATE OR IGNORE t
    }
    if (list_.isSign(at, "(")) {
      brackets_of_tables_.insert(at);
      tableAt(at + 1);
      return;
    }
    if (!isName(list_, at) || isOneOf(list_, at, kNoTable)) {
      return;
    }
    const bool is_into = list_.isWord(at - 1, "INTO");
    std::string name = foldedName(list_, at);
    bool is_qualified = false;
    std::size_t behind = at + 1;
    while (list_.isSign(behind, ".") && isName(list_, behind + 1)) {
      const bool is_usual = name == "public" || name == "main";
      name = (is_usual ? "" : name + ".") + foldedName(list_, behind + 1);
      is_qualified = true;
      behind += 2;
    }
    const bool is_function = list_.isSign(behind, "(") && !is_into && !list_.isWord(0, "CREATE");
    if (!is_function && (is_qualified || !isQueryName(name, at))) {
      add(std::move(name));
    }
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
  const std::size_t quote = text.find_first_of("\"`");  // U&"..." begins later
  std::string name;
  for (std::size_t i = quote + 1; i + 1 < text.size(); ++i) {
    name.push_back(text[i]);
    i += text[i] == text[quote] ? 1 : 0;  // doubled
  }
  return list.dialect == Dialect::kSqlite ? smallLetters(std::move(name)) : name;
}

std::vector<std::string> tablesOf(const TokenList& list) { return TableFinder(list).run(); }

}  // namespace sub0::query
