// SPDX-License-Identifier: Apache-2.0
#include "row_times.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace sub0::query {
namespace {

constexpr std::string_view kNow = "CURRENT_TIMESTAMP";

// The name that token `index` is to the database; empty: it is none.
std::string nameAt(const TokenList& list, std::size_t index) {
  if (index >= list.size()) {
    return {};
  }
  const std::string text(list.text(index));
  if (list.tokens[index].kind == TokenKind::kWord) {
    return capitals(text);
  }
  if (list.tokens[index].kind != TokenKind::kQuotedName || text.size() < 3) {
    return {};
  }
  const std::string name = text.substr(1, text.size() - 2);
  // To PostgreSQL a name in quotes is another one where it has capitals.
  const bool has_capitals =
      std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return list.dialect == Dialect::kPostgres && has_capitals ? text : capitals(name);
}

// Whether two words would be one without a space between them.
bool wouldJoin(char left, char right) {
  const auto is_part = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$' || (static_cast<unsigned char>(c) & 0x80U) != 0;
  };
  return is_part(left) && is_part(right);
}

// Texts that are put in, and pieces that are replaced, in the order of their places.
class Edits {
 public:
  explicit Edits(std::string_view sql) : sql_(sql) {}

  void insert(std::size_t at, std::string_view text) { replace(at, at, text); }
  void replace(std::size_t begin, std::size_t end, std::string_view text) {
    out_.append(sql_.substr(done_, begin - done_));
    if (!out_.empty() && !text.empty() && wouldJoin(out_.back(), text.front())) {
      out_ += ' ';
    }
    out_.append(text);
    if (end < sql_.size() && !text.empty() && wouldJoin(text.back(), sql_[end])) {
      out_ += ' ';
    }
    done_ = end;
  }
  std::string take() {
    out_.append(sql_.substr(done_));
    return std::move(out_);
  }

 private:
  std::string_view sql_;
  std::string out_;
  std::size_t done_ = 0;
};

// Walks one level of a statement: brackets count as one token.
class Walk {
 public:
  Walk(const TokenList& list, std::size_t at) : list_(list), at_(at), end_(list.size()) {
    while (end_ > at_ && list_.isSign(end_ - 1, ";")) {
      --end_;
    }
  }

  bool isOver() const { return at_ >= end_; }
  std::size_t at() const { return at_; }
  std::size_t end() const { return end_; }
  bool isWord(std::string_view word) const { return !isOver() && list_.isWord(at_, word); }
  bool isSign(std::string_view sign) const { return !isOver() && list_.isSign(at_, sign); }

  void step() {
    const bool is_bracket = isSign("(") || isSign("[");
    at_ = std::min(is_bracket ? behindBracket(list_, at_) : at_ + 1, end_);
  }
  bool take(std::string_view word) {
    if (!isWord(word)) {
      return false;
    }
    step();
    return true;
  }
  // name, schema.name; false: none
  bool takeName() {
    if (nameAt(list_, at_).empty() || isOver()) {
      return false;
    }
    step();
    while (isSign(".") && !nameAt(list_, at_ + 1).empty()) {
      step();
      step();
    }
    return true;
  }

 private:
  const TokenList& list_;
  std::size_t at_;
  std::size_t end_;
};

// Whether the word here begins a clause, and is no alias, column or part of an operator.
template <std::size_t N>
bool beginsClause(const TokenList& list, const Walk& walk,
                  const std::array<std::string_view, N>& words) {
  const std::size_t at = walk.at();
  const bool is_one = std::any_of(words.begin(), words.end(),
                                  [&](std::string_view word) { return walk.isWord(word); });
  if (!is_one || at == 0) {
    return is_one;
  }
  const bool is_name = list.isWord(at - 1, "AS") || list.isSign(at - 1, ".");
  const bool is_operator = list.isWord(at, "FROM") && list.isWord(at - 1, "DISTINCT");
  // Others than PostgreSQL have that clause behind LIMIT alone, and columns of that name.
  const bool is_column = list.isWord(at, "OFFSET") && list.dialect != Dialect::kPostgres;
  return !is_name && !is_operator && !is_column;
}

constexpr std::array<std::string_view, 5> kBehindColumns = {"FROM", "WHERE", "RETURNING", "ORDER",
                                                            "LIMIT"};
constexpr std::array<std::string_view, 15> kBehindSelectList = {
    "FROM",  "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER",     "LIMIT",    "OFFSET",
    "FETCH", "FOR",   "UNION", "EXCEPT", "ON",     "INTERSECT", "RETURNING"};
constexpr std::array<std::string_view, 3> kSetOperators = {"UNION", "EXCEPT", "INTERSECT"};
constexpr std::array<std::string_view, 2> kBehindSource = {"ON", "RETURNING"};
constexpr std::array<std::string_view, 4> kBehindCondition = {"RETURNING", "ORDER", "LIMIT",
                                                              "WINDOW"};

// Reads on, to behind the list of SET; whether it gives `column` a value.
bool assigns(const TokenList& list, Walk& walk, std::string_view column) {
  bool is_target = true;
  bool found = false;
  while (!walk.isOver() && !beginsClause(list, walk, kBehindColumns)) {
    if (is_target && walk.isSign("(")) {  // (a, b) = ...
      const std::size_t behind = behindBracket(list, walk.at());
      for (std::size_t i = walk.at(); i < behind; ++i) {
        found = found || nameAt(list, i) == column;
      }
    }
    found = found || (is_target && nameAt(list, walk.at()) == column);
    is_target = walk.isSign(",");
    walk.step();
  }
  return found;
}

// At the first token of a list of SET.
void touch(const TokenList& list, Walk& walk, Edits& edits) {
  const std::size_t begin = walk.isOver() ? list.sql.size() : list.tokens[walk.at()].begin;
  if (!assigns(list, walk, "UPDATED_AT")) {
    edits.insert(begin, "updated_at = " + std::string(kNow) + ", ");
  }
}

// An INSERT whose rows get values for the columns that it lacks.
class Insert {
 public:
  Insert(const TokenList& list, std::size_t verb)
      : list_(list), walk_(list, verb), edits_(list.sql) {}

  RowTimes run() {
    while (!walk_.isOver() && !walk_.isWord("INTO")) {
      walk_.step();
    }
    (void)walk_.take("INTO");
    if (!walk_.takeName()) {
      return cannot("where its table is named");
    }
    if (walk_.take("AS")) {
      (void)walk_.takeName();
    }
    if (walk_.isWord("DEFAULT") && list_.isWord(walk_.at() + 1, "VALUES")) {
      const std::string row = "(" + std::string(kNow) + ", " + std::string(kNow) + ")";
      edits_.replace(list_.tokens[walk_.at()].begin, list_.tokens[walk_.at() + 1].end,
                     "(created_at, updated_at) VALUES " + row);
      walk_.step();
      walk_.step();
    } else if (!readColumns() || !readSource()) {
      return cannot(problem_);
    }
    touchOnConflict();
    return {edits_.take(), {}, true};
  }

 private:
  static RowTimes cannot(const std::string& what) {
    return {
        {}, "with_timestamps needs an INSERT that is read through: it is not clear " + what, true};
  }

  bool readColumns() {
    problem_ = "which columns it fills; write INSERT INTO table (a, b) ...";
    if (!walk_.isSign("(") || list_.isWord(walk_.at() + 1, "SELECT") ||
        list_.isWord(walk_.at() + 1, "VALUES") || list_.isWord(walk_.at() + 1, "WITH") ||
        list_.isSign(walk_.at() + 1, "(")) {
      return false;
    }
    const std::size_t behind = behindBracket(list_, walk_.at());
    bool has_created = false;
    bool has_updated = false;
    for (std::size_t i = walk_.at(); i < behind; ++i) {
      has_created = has_created || nameAt(list_, i) == "CREATED_AT";
      has_updated = has_updated || nameAt(list_, i) == "UPDATED_AT";
    }
    std::string columns;
    for (const auto& [name, is_there] :
         {std::pair{"created_at", has_created}, std::pair{"updated_at", has_updated}}) {
      if (!is_there) {
        columns += std::string(", ") + name;
        values_ += ", " + std::string(kNow);
      }
    }
    if (!list_.isSign(behind - 1, ")")) {
      return false;
    }
    edits_.insert(list_.tokens[behind - 1].begin, columns);
    walk_.step();
    return true;
  }

  bool readSource() {
    problem_ = "what its rows are; write VALUES (...) or SELECT ...";
    if (walk_.take("OVERRIDING")) {
      walk_.step();  // USER, SYSTEM
      walk_.step();  // VALUE
    }
    if (values_.empty()) {
      while (!walk_.isOver() && !beginsClause(list_, walk_, kBehindSource)) {
        walk_.step();
      }
      return true;
    }
    if (walk_.isWord("WITH")) {
      skipParts();
    }
    return walk_.take("VALUES") ? readRows() : readSelects();
  }

  // WITH name (columns) AS (...), ...
  void skipParts() {
    while (!walk_.isOver() && !walk_.isWord("SELECT") && !walk_.isWord("VALUES")) {
      walk_.step();
    }
  }

  bool readRows() {
    do {
      if (walk_.isSign(",")) {
        walk_.step();
      }
      const std::size_t behind = behindBracket(list_, walk_.at());
      if (!walk_.isSign("(") || !list_.isSign(behind - 1, ")")) {
        return false;
      }
      edits_.insert(list_.tokens[behind - 1].begin, values_);
      walk_.step();
    } while (walk_.isSign(","));
    return walk_.isOver() || beginsClause(list_, walk_, kBehindSource);
  }

  bool readSelects() {
    while (walk_.take("SELECT")) {
      if (walk_.take("DISTINCT") && walk_.take("ON")) {
        walk_.step();
      }
      const std::size_t begin = walk_.at();
      while (!walk_.isOver() && !beginsClause(list_, walk_, kBehindSelectList)) {
        walk_.step();
      }
      if (walk_.at() == begin || list_.isSign(walk_.at() - 1, ",")) {
        return false;
      }
      edits_.insert(list_.tokens[walk_.at() - 1].end, values_);
      while (!walk_.isOver() && !beginsClause(list_, walk_, kSetOperators) && !isAtOnConflict() &&
             !walk_.isWord("RETURNING")) {
        walk_.step();
      }
      if (walk_.isOver() || isAtOnConflict() || walk_.isWord("RETURNING")) {
        return true;
      }
      walk_.step();
      (void)(walk_.take("ALL") || walk_.take("DISTINCT"));
    }
    return false;
  }

  // ON stands in joins, too.
  bool isAtOnConflict() const {
    return walk_.isWord("ON") &&
           (list_.isWord(walk_.at() + 1, "CONFLICT") || list_.isWord(walk_.at() + 1, "DUPLICATE"));
  }

  void touchOnConflict() {
    while (!walk_.isOver()) {
      const bool is_update = walk_.isWord("UPDATE") && list_.isWord(walk_.at() - 1, "DO") &&
                             list_.isWord(walk_.at() + 1, "SET");
      const bool is_duplicate = list_.dialect == Dialect::kMysql && walk_.isWord("UPDATE") &&
                                list_.isWord(walk_.at() - 1, "KEY");
      walk_.step();
      if (is_update || is_duplicate) {
        if (is_update) {
          walk_.step();
        }
        touch(list_, walk_, edits_);
      }
    }
  }

  const TokenList& list_;
  Walk walk_;
  Edits edits_;
  std::string values_;
  std::string problem_;
};

// Whether `deleted_at IS NULL` of the table `target` is one of the conditions that all must hold;
// `is_alone`: of no other table can it be.
bool asksForWhatIsThere(const TokenList& list, std::size_t begin, std::size_t end,
                        std::string_view target, bool is_alone) {
  bool found = false;
  for (Walk walk(list, begin); walk.at() < end; walk.step()) {
    if (walk.isWord("OR") || walk.isWord("CASE") || walk.isWord("BETWEEN")) {
      return false;
    }
    const std::size_t at = walk.at();
    const bool is_qualified = list.isSign(at + 1, ".");
    if (is_qualified ? list.text(at) != target : !is_alone) {
      continue;
    }
    const std::size_t name = is_qualified ? at + 2 : at;
    const bool begins = at == begin || list.isWord(at - 1, "AND");
    const bool ends = name + 3 == end || list.isWord(name + 3, "AND");
    found = found || (begins && ends && nameAt(list, name) == "DELETED_AT" &&
                      list.isWord(name + 1, "IS") && list.isWord(name + 2, "NULL"));
  }
  return found;
}

// A DELETE that becomes an UPDATE.
class SoftDelete {
 public:
  SoftDelete(const TokenList& list, std::size_t verb)
      : list_(list), walk_(list, verb), edits_(list.sql) {}

  RowTimes run() {
    const std::size_t verb = walk_.at();
    walk_.step();
    if (!walk_.take("FROM")) {
      return cannot("where its table is named");
    }
    edits_.replace(list_.tokens[verb].begin, list_.tokens[verb + 1].end, "UPDATE");
    if (!readTarget()) {
      return cannot("where its table is named");
    }
    edits_.insert(list_.tokens[walk_.at() - 1].end, " SET deleted_at = " + std::string(kNow));
    std::string condition = "deleted_at IS NULL";
    if (walk_.isWord("USING") && list_.dialect == Dialect::kMysql) {
      return cannot("what an UPDATE of several tables would be; write a condition with IN");
    }
    if (walk_.isWord("USING")) {
      is_alone_ = false;
      edits_.replace(list_.tokens[walk_.at()].begin, list_.tokens[walk_.at()].end, "FROM");
      condition.insert(0, target_ + ".");
    }
    while (!walk_.isOver() && !walk_.isWord("WHERE") && !isBehindCondition()) {
      walk_.step();
    }
    if (!readCondition(condition) || (!walk_.isOver() && !walk_.isWord("RETURNING"))) {
      return cannot("which rows it deletes; ORDER BY, LIMIT and CURRENT OF cannot stay");
    }
    return {edits_.take(), {}, true};
  }

 private:
  static RowTimes cannot(const std::string& what) {
    return {{}, "soft_delete needs a DELETE that is read through: it is not clear " + what, true};
  }

  bool isBehindCondition() const { return beginsClause(list_, walk_, kBehindCondition); }

  bool readTarget() {
    (void)walk_.take("ONLY");
    if (!walk_.takeName()) {
      return false;
    }
    target_ = list_.text(walk_.at() - 1);
    if (walk_.isSign("*")) {
      walk_.step();
    }
    const bool has_as = walk_.take("AS");
    if (walk_.isWord("INDEXED") || walk_.isWord("NOT")) {
      return false;
    }
    const bool is_clause =
        walk_.isOver() || walk_.isWord("USING") || walk_.isWord("WHERE") || isBehindCondition();
    if (!has_as && is_clause) {
      return true;
    }
    const std::size_t alias = walk_.at();
    if (!walk_.takeName()) {
      return false;
    }
    target_ = list_.text(alias);
    return !walk_.isWord("INDEXED") && !walk_.isWord("NOT");
  }

  bool readCondition(const std::string& condition) {
    if (!walk_.take("WHERE")) {
      edits_.insert(list_.tokens[walk_.at() - 1].end, " WHERE " + condition);
      return true;
    }
    const std::size_t begin = walk_.at();
    if (walk_.isOver() || walk_.isWord("CURRENT")) {
      return false;
    }
    while (!walk_.isOver() && !isBehindCondition()) {
      walk_.step();
    }
    if (walk_.at() == begin) {
      return false;
    }
    if (!asksForWhatIsThere(list_, begin, walk_.at(), target_, is_alone_)) {
      edits_.insert(list_.tokens[begin].begin, "(");
      edits_.insert(list_.tokens[walk_.at() - 1].end, ") AND " + condition);
    }
    return true;
  }

  const TokenList& list_;
  Walk walk_;
  Edits edits_;
  std::string target_;
  bool is_alone_ = true;
};

}  // namespace

RowTimes withSoftDelete(const TokenList& list, const Analysis& analysis) {
  if (analysis.verb != "DELETE") {
    return {std::string(list.sql), {}, false};
  }
  return SoftDelete(list, analysis.verb_index).run();
}

RowTimes withTimestamps(const TokenList& list, const Analysis& analysis) {
  if (analysis.verb == "INSERT" || analysis.verb == "REPLACE") {
    return Insert(list, analysis.verb_index).run();
  }
  if (analysis.verb != "UPDATE") {
    return {std::string(list.sql), {}, false};
  }
  Walk walk(list, analysis.verb_index);
  while (!walk.isOver() && !walk.isWord("SET")) {
    walk.step();
  }
  if (!walk.take("SET")) {
    return {{}, "with_timestamps needs an UPDATE with SET", true};
  }
  Edits edits(list.sql);
  touch(list, walk, edits);
  return {edits.take(), {}, true};
}

}  // namespace sub0::query
