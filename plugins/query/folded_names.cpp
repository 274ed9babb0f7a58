// SPDX-License-Identifier: Apache-2.0
#include "folded_names.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "sql_tables.hpp"

namespace sub0::query {
namespace {

// Behind these words a column may stand; behind another word, a name that is given.
constexpr std::array<std::string_view, 29> kBeforeColumns = {
    "SELECT", "DISTINCT",  "ALL",       "WHERE",   "AND",  "OR",    "NOT",   "BY",
    "ON",     "SET",       "IN",        "BETWEEN", "LIKE", "ILIKE", "TO",    "CASE",
    "WHEN",   "THEN",      "ELSE",      "HAVING",  "IS",   "FROM",  "USING", "END",
    "INTO",   "RETURNING", "SYMMETRIC", "ONLY",    "ZONE"};
// A bracket behind these words has no names of columns that the statement gives.
constexpr std::array<std::string_view, 6> kBeforeBrackets = {"FILTER", "OVER",   "WITHIN",
                                                             "GROUP",  "VALUES", "JOIN"};

template <std::size_t N>
bool isAnyWord(const TokenList& list, std::size_t at,
               const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return list.isWord(at, word); });
}

class ColumnFinder {
 public:
  explicit ColumnFinder(const TokenList& list) : list_(list) {}

  std::vector<std::string> run() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (list_.isSign(i, "(") && givesNames(i)) giveAll(i);
      if (isName(list_, i) && isGiven(i)) given_.insert(foldedName(list_, i));
    }
    std::vector<std::string> names;
    std::set<std::string> known;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (list_.tokens[i].kind != TokenKind::kWord || !mayBeColumn(i)) continue;
      const std::string folded = foldedName(list_, i);
      if (given_.count(folded) == 0 && known.insert(folded).second) {
        names.emplace_back(list_.text(i));
      }
    }
    return names;
  }

 private:
  // `SELECT 1 userid`, `AS userid`, `f(userid => 1)`
  bool isGiven(std::size_t i) const {
    if (list_.isSign(i + 1, "=>") || list_.isSign(i + 1, ":=")) return true;
    if (i == 0) return false;
    const Token& before = list_.tokens[i - 1];
    if (before.kind == TokenKind::kWord) return !isAnyWord(list_, i - 1, kBeforeColumns);
    return before.kind == TokenKind::kQuotedName || before.kind == TokenKind::kString ||
           before.kind == TokenKind::kNumber || before.kind == TokenKind::kParameter ||
           list_.isSign(i - 1, ")") || list_.isSign(i - 1, "]");
  }

  // `WITH a(userid) AS (`, `FROM f() AS a(userid bigint)`, `(VALUES (1)) a(userid)`
  bool givesNames(std::size_t open) const {
    const std::size_t behind = behindBracket(list_, open);
    if (list_.isWord(behind, "AS") &&
        (list_.isSign(behind + 1, "(") || list_.isWord(behind + 1, "NOT") ||
         list_.isWord(behind + 1, "MATERIALIZED"))) {
      return true;
    }
    if (list_.isWord(open - 1, "AS")) return !list_.isWord(open + 1, "SELECT");
    return open >= 2 && isName(list_, open - 1) && !isAnyWord(list_, open - 1, kBeforeColumns) &&
           !isAnyWord(list_, open - 1, kBeforeBrackets) &&
           (list_.isWord(open - 2, "AS") || list_.isSign(open - 2, ")"));
  }

  void giveAll(std::size_t open) {
    for (std::size_t i = open; i < behindBracket(list_, open); ++i) {
      if (isName(list_, i)) given_.insert(foldedName(list_, i));
    }
  }

  // Neither a function or table with its bracket, nor what a dot follows, nor a type.
  bool mayBeColumn(std::size_t i) const {
    return !list_.isSign(i + 1, "(") && !list_.isSign(i + 1, ".") &&
           (i == 0 || !list_.isSign(i - 1, "::"));
  }

  const TokenList& list_;
  std::set<std::string> given_;
};

}  // namespace

std::vector<std::string> foldedNames(const TokenList& list, const Analysis& analysis) {
  static constexpr std::array<std::string_view, 5> kVerbs = {"SELECT", "INSERT", "UPDATE", "DELETE",
                                                             "MERGE"};
  if (std::find(kVerbs.begin(), kVerbs.end(), analysis.verb) == kVerbs.end()) {
    return {};
  }
  return ColumnFinder(list).run();
}

}  // namespace sub0::query
