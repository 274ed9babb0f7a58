// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_rewrite.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "sqlite/postgres_functions.hpp"

namespace sub0::query {
namespace {

constexpr const char* kNow = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))";

constexpr std::array<std::string_view, 27> kOperators = {
    "@>",   "<@", "?",  "?|", "?&", "#>",  "#>>", "#-", "~*", "!~",  "!~*", "~~", "!~~", "~~*",
    "!~~*", "@@", "@?", "&&", "^",  "<->", "<=>", "@",  "|/", "||/", "!!",  "^@", "#"};
class SqliteRewriter final : public SqlRewriter {
 public:
  explicit SqliteRewriter(const TokenList& list)
      : SqlRewriter(list, " exists on PostgreSQL only") {}

 private:
  Cast castTo(const TypeName& name) const override {
    const std::string& type = name.name;
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
    if (isOfPostgresAlone(type)) {
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
    return {"CAST(",
            std::string(" AS ") + (found == kStorage.end() ? "TEXT" : found->second) + ")"};
  }

  std::string parameter(std::uint32_t number) const override {
    return "?" + std::to_string(number);
  }

  void visitString(std::size_t i) override {
    const char first = list_.text(i)[0];
    if (first != '\'' && first != 'x' && first != 'X') {
      cannotReadString(i);
    }
  }

  void visitOperator(std::size_t i) override {
    const std::string_view sign = list_.text(i);
    if (sign == "::") {
      castByColons(i);
    } else if (isOneOf(sign, kOperators)) {
      cannot(i, "the operator " + std::string(sign));
    } else if (sign == "~" && i > 0 && endsOperand(i - 1)) {
      cannot(i, "the operator ~");
    }
  }

  void visitWord(std::size_t i, const std::string& word, bool is_call) override {
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
  void visitPunctuation(std::size_t i) override {
    if (!list_.isSign(i, "[") || i == 0 || !endsOperand(i - 1) || hasErrors()) {
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
};

}  // namespace

Rewritten rewriteForSqlite(const TokenList& list) { return SqliteRewriter(list).run(); }

}  // namespace sub0::query
