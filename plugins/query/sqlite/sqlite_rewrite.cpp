// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_rewrite.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "sqlite/postgres_functions.hpp"

namespace sub0::query {
namespace {

constexpr const char* kNow = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))";

template <std::size_t N>
bool isOneOf(std::string_view text, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

constexpr std::array<std::string_view, 30> kNoFunctions = {
    "SELECT", "WHERE", "AND",    "OR",      "NOT",  "IN",    "ON",        "BY",
    "THEN",   "ELSE",  "WHEN",   "CASE",    "SET",  "FROM",  "RETURNING", "HAVING",
    "LIKE",   "AS",    "VALUES", "BETWEEN", "IS",   "LIMIT", "OFFSET",    "DISTINCT",
    "ALL",    "USING", "UNION",  "JOIN",    "GLOB", "EXCEPT"};
constexpr std::array<std::string_view, 27> kOperators = {
    "@>",   "<@", "?",  "?|", "?&", "#>",  "#>>", "#-", "~*", "!~",  "!~*", "~~", "!~~", "~~*",
    "!~~*", "@@", "@?", "&&", "^",  "<->", "<=>", "@",  "|/", "||/", "!!",  "^@", "#"};
struct Cast {
  std::string prefix;
  std::string suffix;
};

// How SQLite casts to a type of PostgreSQL; an empty prefix: it cannot.
Cast castTo(const std::string& type) {
  static const std::map<std::string, const char*> kStorage = {
      {"INT", "INTEGER"},       {"INTEGER", "INTEGER"},
      {"INT2", "INTEGER"},      {"INT4", "INTEGER"},
      {"INT8", "INTEGER"},      {"BIGINT", "INTEGER"},
      {"SMALLINT", "INTEGER"},  {"SERIAL", "INTEGER"},
      {"BIGSERIAL", "INTEGER"}, {"FLOAT", "REAL"},
      {"FLOAT4", "REAL"},       {"FLOAT8", "REAL"},
      {"REAL", "REAL"},         {"DOUBLE PRECISION", "REAL"},
      {"NUMERIC", "NUMERIC"},   {"DECIMAL", "NUMERIC"},
      {"BYTEA", "BLOB"},        {"BLOB", "BLOB"}};
  static constexpr std::array<std::string_view, 12> kImpossible = {
      "INTERVAL", "REGCLASS", "REGTYPE", "REGPROC", "TSVECTOR", "TSQUERY",
      "POINT",    "BOX",      "HSTORE",  "RECORD",  "OID",      "INT4RANGE"};
  if (isOneOf(type, kImpossible)) {
    return {};
  }
  if (type == "JSON" || type == "JSONB") {
    return {"json(", ")"};
  }
  if (type == "DATE") {
    return {"date(", ")"};
  }
  if (type == "BOOL" || type == "BOOLEAN") {
    return {"(lower(", ") IN ('true','t','yes','y','on','1'))"};
  }
  const auto found = kStorage.find(type);
  return {"CAST(", std::string(" AS ") + (found == kStorage.end() ? "TEXT" : found->second) + ")"};
}

class Rewriter {
 public:
  explicit Rewriter(const TokenList& list) : list_(list) {}

  Rewritten run() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      visit(i);
    }
    std::string sql;
    std::size_t copied = 0;
    for (const auto& [begin, edit] : edits_) {
      if (begin < copied) {
        continue;  // inside something that was replaced
      }
      sql.append(list_.sql.substr(copied, begin - copied));
      sql.append(edit.before).append(edit.replacement);
      copied = std::max(begin, edit.end);
    }
    sql.append(list_.sql.substr(copied));
    result_.sql = std::move(sql);
    return std::move(result_);
  }

 private:
  struct Edit {
    std::string before;       // put in front of what stands here
    std::string replacement;  // instead of what reaches to `end`
    std::size_t end = 0;
  };
  struct TypeName {
    std::string name;    // capitals, without length
    std::size_t behind;  // the index of the token behind it
    bool is_array = false;
  };

  std::size_t begin(std::size_t i) const {
    return i < list_.size() ? list_.tokens[i].begin : list_.sql.size();
  }

  void replace(std::size_t from, std::size_t behind, const std::string& text) {
    Edit& edit = edits_[begin(from)];
    edit.replacement = text;
    edit.end = list_.tokens[behind - 1].end;
  }

  void cannot(std::size_t at, const std::string& what) {
    result_.errors.push_back(what + placeOf(list_, at) + " exists on PostgreSQL only");
  }

  void visit(std::size_t i) {
    switch (list_.tokens[i].kind) {
      case TokenKind::kParameter:
        replace(i, i + 1, "?" + std::to_string(list_.tokens[i].number));
        break;
      case TokenKind::kOperator:
        visitOperator(i);
        break;
      case TokenKind::kWord:
        visitWord(i);
        break;
      case TokenKind::kString:
        visitString(i);
        break;
      case TokenKind::kPunctuation:
        visitBracket(i);
        break;
      default:
        break;
    }
  }

  void visitString(std::size_t i) {
    const char first = list_.text(i)[0];
    if (first != '\'' && first != 'x' && first != 'X') {
      cannot(i, "the string form " + std::string(list_.text(i).substr(0, 2)));
    }
  }

  void visitOperator(std::size_t i) {
    const std::string_view sign = list_.text(i);
    if (sign == "::") {
      castByColons(i);
    } else if (isOneOf(sign, kOperators)) {
      cannot(i, "the operator " + std::string(sign));
    } else if (sign == "~" && i > 0 && endsOperand(i - 1)) {
      cannot(i, "the operator ~");
    }
  }

  bool endsOperand(std::size_t i) const {
    const TokenKind kind = list_.tokens[i].kind;
    if (kind == TokenKind::kWord) {
      return !isOneOf(capitals(list_.text(i)), kNoFunctions);
    }
    return kind == TokenKind::kQuotedName || kind == TokenKind::kString ||
           kind == TokenKind::kNumber || kind == TokenKind::kParameter || list_.isSign(i, ")") ||
           list_.isSign(i, "]");
  }

  void visitWord(std::size_t i) {
    const std::string word = capitals(list_.text(i));
    const bool is_member = i > 0 && list_.isSign(i - 1, ".");
    const bool is_call = list_.isSign(i + 1, "(");
    if (is_member) {
      return;
    }
    if (word == "CURRENT_TIMESTAMP" || word == "LOCALTIMESTAMP") {
      replaceClock(i, is_call ? behindBracket(list_, i + 1) : i + 1);
    } else if (is_call && list_.isSign(i + 2, ")") &&
               (word == "NOW" || word == "TRANSACTION_TIMESTAMP" || word == "STATEMENT_TIMESTAMP" ||
                word == "CLOCK_TIMESTAMP")) {
      replaceClock(i, i + 3);
    } else if (word == "CAST" && is_call) {
      castByWord(i);
    } else if (is_call && isFunctionOfPostgres(word) && !isRelationAt(i)) {
      cannot(i, "the function " + std::string(list_.text(i)));
    } else {
      const std::string construct = constructAt(i, word, is_call);
      if (!construct.empty()) {
        cannot(i, construct);
      }
    }
  }

  // Whether the name before a bracket is that of a table and its columns: INTO age (a), WITH age(a)
  // AS.
  bool isRelationAt(std::size_t i) const {
    static constexpr std::array<std::string_view, 7> kBeforeTable = {
        "INTO", "TABLE", "EXISTS", "REFERENCES", "WITH", "RECURSIVE", "VIEW"};
    const std::size_t behind = behindBracket(list_, i + 1);
    const bool is_indexed = i > 0 && list_.isWord(0, "CREATE") && list_.isWord(i - 1, "ON");
    const bool is_part = list_.isWord(behind, "AS") &&
                         (list_.isSign(behind + 1, "(") || list_.isWord(behind + 1, "NOT") ||
                          list_.isWord(behind + 1, "MATERIALIZED"));
    return is_indexed || is_part ||
           (i > 0 && list_.tokens[i - 1].kind == TokenKind::kWord &&
            isOneOf(capitals(list_.text(i - 1)), kBeforeTable));
  }

  // SQLite takes [name] for a quoted name, so a[1] would be a named 1.
  void visitBracket(std::size_t i) {
    if (!list_.isSign(i, "[") || i == 0 || !endsOperand(i - 1) || !result_.errors.empty()) {
      return;  // ARRAY[...] and text[] have been named before
    }
    const bool is_behind = list_.tokens[i - 1].end == list_.tokens[i].begin;
    const TokenKind inside = i + 1 < list_.size() ? list_.tokens[i + 1].kind : TokenKind::kWord;
    if (is_behind || inside == TokenKind::kNumber || inside == TokenKind::kParameter) {
      const std::size_t behind = behindBracket(list_, i);
      const std::size_t end = list_.tokens[behind - 1].end;
      cannot(i, "the subscript " + std::string(list_.sql.substr(begin(i), end - begin(i))));
    }
  }

  void replaceClock(std::size_t i, std::size_t behind) { replace(i, behind, kNow); }

  std::string constructAt(std::size_t i, const std::string& word, bool is_call) const {
    const bool behind_comparison = i > 0 && list_.tokens[i - 1].kind == TokenKind::kOperator;
    if (word == "ILIKE" || word == "LATERAL" || word == "TRUNCATE" || word == "TABLESAMPLE" ||
        word == "ROLLUP" || word == "CUBE") {
      return word;
    }
    if ((word == "ANY" || word == "SOME" || word == "ALL") && is_call && behind_comparison) {
      return word + "(...)";
    }
    if (word == "DISTINCT" && list_.isWord(i + 1, "ON") && list_.isSign(i + 2, "(")) {
      return "DISTINCT ON";
    }
    if (word == "FOR" && (list_.isWord(i + 1, "UPDATE") || list_.isWord(i + 1, "SHARE") ||
                          list_.isWord(i + 1, "NO") || list_.isWord(i + 1, "KEY"))) {
      return "FOR " + capitals(list_.text(i + 1));
    }
    if (word == "SIMILAR" && list_.isWord(i + 1, "TO")) {
      return "SIMILAR TO";
    }
    if (word == "ARRAY" && (list_.isSign(i + 1, "[") || is_call)) {
      return "ARRAY";
    }
    if (word == "INTERVAL" && i + 1 < list_.size() &&
        list_.tokens[i + 1].kind == TokenKind::kString) {
      return "INTERVAL";
    }
    if (word == "AT" && list_.isWord(i + 1, "TIME") && list_.isWord(i + 2, "ZONE")) {
      return "AT TIME ZONE";
    }
    if (word == "ON" && list_.isWord(i + 1, "CONSTRAINT")) {
      return "ON CONFLICT ON CONSTRAINT";
    }
    if (word == "GROUPING" && list_.isWord(i + 1, "SETS")) {
      return "GROUPING SETS";
    }
    if (word == "FETCH" && (list_.isWord(i + 1, "FIRST") || list_.isWord(i + 1, "NEXT"))) {
      return "FETCH FIRST";
    }
    if (i == 0 && (word == "MERGE" || word == "CALL" || word == "DO" || word == "SHOW" ||
                   word == "NOTIFY" || word == "GRANT" || word == "REVOKE")) {
      return word;
    }
    return {};
  }

  TypeName typeAt(std::size_t i) const {
    TypeName type{i < list_.size() ? capitals(list_.text(i)) : std::string(), i + 1};
    while (list_.isSign(type.behind, ".") && type.behind + 1 < list_.size()) {  // pg_catalog.int4
      type.name = capitals(list_.text(type.behind + 1));
      type.behind += 2;
    }
    if ((type.name == "DOUBLE" && list_.isWord(type.behind, "PRECISION")) ||
        (type.name == "CHARACTER" && list_.isWord(type.behind, "VARYING"))) {
      type.name += " " + capitals(list_.text(type.behind));
      ++type.behind;
    }
    if (list_.isSign(type.behind, "(")) {
      type.behind = behindBracket(list_, type.behind);
    }
    const bool zoned = list_.isWord(type.behind, "WITH") || list_.isWord(type.behind, "WITHOUT");
    if (zoned && list_.isWord(type.behind + 1, "TIME")) {
      type.behind = std::min(type.behind + 3, list_.size());
    }
    while (list_.isSign(type.behind, "[")) {
      type.is_array = true;
      type.behind = behindBracket(list_, type.behind);
    }
    return type;
  }

  /// Whether the cast at token `i` to the type from `begin` on can be had; else says why not.
  bool canCast(std::size_t i, std::size_t begin, const TypeName& type, const Cast& cast) {
    for (std::size_t at = begin; at < type.behind && at < list_.size(); ++at) {
      if (list_.tokens[at].kind != TokenKind::kParameter) continue;
      result_.errors.push_back("the parameter" + placeOf(list_, at) + " stands within a type");
      return false;
    }
    if (!cast.prefix.empty() && !type.is_array) return true;
    cannot(i, "the type " + type.name + (type.is_array ? "[]" : ""));
    return false;
  }

  void castByColons(std::size_t i) {
    const std::size_t operand = i == 0 ? list_.size() : operandBefore(i);
    if (operand >= i || i + 1 >= list_.size()) {
      result_.errors.push_back("the cast ::" + placeOf(list_, i) + " casts nothing");
      return;
    }
    const TypeName type = typeAt(i + 1);
    const Cast cast = castTo(type.name);
    if (!canCast(i, i + 1, type, cast)) return;
    Edit& front = edits_[begin(operand)];
    front.before = cast.prefix + front.before;
    if (front.end == 0) {
      front.end = begin(operand);
    }
    replace(i, type.behind, cast.suffix);
  }

  void castByWord(std::size_t i) {
    const std::size_t behind = behindBracket(list_, i + 1);
    std::size_t as = i + 2;
    while (as < behind && !list_.isWord(as, "AS")) {
      as = list_.isSign(as, "(") ? behindBracket(list_, as) : as + 1;
    }
    if (as + 2 >= behind) {
      return;  // not a cast that is understood; SQLite will say so
    }
    const TypeName type = typeAt(as + 1);
    if (type.behind + 1 != behind || !list_.isSign(type.behind, ")")) {
      return;  // nor is this: more than a type, or the bracket is not closed
    }
    const Cast cast = castTo(type.name);
    if (!canCast(i, as + 1, type, cast)) return;
    replace(i, i + 2, cast.prefix);
    replace(as, behind, cast.suffix);
  }

  // The first token of what stands before the `::` at `colons`; at least `colons` if there is
  // nothing.
  std::size_t operandBefore(std::size_t colons) const {
    if (colons == 0) {
      return list_.size();
    }
    std::size_t at = colons - 1;
    if (list_.isSign(at, ")")) {
      at = openingOf(at);
      if (at == 0 || at == list_.size()) {
        return at;
      }
      const TokenKind before = list_.tokens[at - 1].kind;
      if (list_.isWord(at - 1, "OVER") || list_.isWord(at - 1, "FILTER")) {
        return operandBefore(at - 1);
      }
      if (before != TokenKind::kQuotedName &&
          (before != TokenKind::kWord || isOneOf(capitals(list_.text(at - 1)), kNoFunctions))) {
        return at;
      }
      --at;
    } else if (list_.isWord(at, "END")) {
      return caseOf(at);
    } else if (at >= 2 && isTypeOfCast(at)) {
      return operandBefore(colonsBefore(at));
    } else if (!endsOperand(at)) {
      return colons;
    }
    while (at >= 2 && list_.isSign(at - 1, ".")) {
      at -= 2;
    }
    return at >= 2 && list_.isSign(at - 1, "::") ? operandBefore(at - 1) : at;
  }

  // x::a::b: what stands before the second :: is the type of the first.
  bool isTypeOfCast(std::size_t at) const { return colonsBefore(at) < list_.size(); }

  std::size_t colonsBefore(std::size_t at) const {
    for (std::size_t back = 1; back <= 5 && back <= at; ++back) {
      if (list_.isSign(at - back, "::")) {
        return typeAt(at - back + 1).behind == at + 1 ? at - back : list_.size();
      }
    }
    return list_.size();
  }

  std::size_t openingOf(std::size_t close) const {
    std::size_t depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
      if (list_.isSign(i, ")")) {
        ++depth;
      } else if (list_.isSign(i, "(") && --depth == 0) {
        return i;
      }
    }
    return list_.size();
  }

  std::size_t caseOf(std::size_t end) const {
    std::size_t depth = 0;
    for (std::size_t i = end + 1; i-- > 0;) {
      if (list_.isWord(i, "END")) {
        ++depth;
      } else if (list_.isWord(i, "CASE") && --depth == 0) {
        return i;
      }
    }
    return list_.size();
  }

  const TokenList& list_;
  std::map<std::size_t, Edit> edits_;
  Rewritten result_;
};

}  // namespace

Rewritten rewriteForSqlite(const TokenList& list) { return Rewriter(list).run(); }

}  // namespace sub0::query
