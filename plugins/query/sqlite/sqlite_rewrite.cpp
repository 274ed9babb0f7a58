// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_rewrite.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "postgres_functions.hpp"
#include "row_counts.hpp"
#include "sql_analysis.hpp"
#include "sql_tables.hpp"
#include "sqlite/sqlite_clock.hpp"

namespace sub0::query {
namespace {

constexpr const char* kNow = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))";

constexpr std::array<std::string_view, 27> kOperators = {
    "@>",   "<@", "?",  "?|", "?&", "#>",  "#>>", "#-", "~*", "!~",  "!~*", "~~", "!~~", "~~*",
    "!~~*", "@@", "@?", "&&", "^",  "<->", "<=>", "@",  "|/", "||/", "!!",  "^@", "#"};
class SqliteRewriter final : public SqlRewriter {
 public:
  explicit SqliteRewriter(const TokenList& list) : SqlRewriter(list, " exists on PostgreSQL only") {
    for (std::size_t i = 0; i < list.size() && !is_definition_; ++i) {
      is_definition_ = (i == 0 || list.isSign(i - 1, ";")) &&
                       (list.isWord(i, "CREATE") || list.isWord(i, "ALTER"));
    }
    for (const RowCountClause& clause : rowCountsOf(list)) {
      takeNullFor(clause);
    }
    settleAlias();
  }

 private:
  Cast castTo(const TypeName& type) const override {
    if (isOfPostgresAlone(type.name)) {
      return {};
    }
    if (type.name == "JSON" || type.name == "JSONB") {
      return {"json(", ")"};
    }
    return is_definition_ ? castWithin(type) : castAsPostgres(type);
  }

  static std::string storageOf(const std::string& type) {
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
    const auto found = kStorage.find(type);
    return found == kStorage.end() ? "TEXT" : found->second;
  }

  // In what stays in the file, such as an index: other programs have no functions of ours.
  static Cast castWithin(const TypeName& type) {
    if (type.name == "DATE") {
      return {"date(", ")"};
    }
    if (type.name == "BOOL" || type.name == "BOOLEAN") {
      return {"(lower(", ") IN ('true','t','yes','y','on','1'))"};
    }
    return {"CAST(", " AS " + storageOf(type.name) + ")"};
  }

  // See sqlite_cast_functions.hpp.
  static Cast castAsPostgres(const TypeName& type) {
    const std::string storage = storageOf(type.name);
    const std::string as = " AS " + storage + ")";
    const std::vector<std::string> digits = digitsOf(type);
    if (type.name == "DATE") {
      return {"date(sub0_day(", "))"};
    }
    if (type.name == "BOOL" || type.name == "BOOLEAN") {
      return {"sub0_boolean(", ")"};
    }
    if (storage == "INTEGER") {
      return {"CAST(sub0_whole(", ")" + as};
    }
    if (storage == "NUMERIC" && !digits.empty()) {
      return {"CAST(sub0_decimal(",
              "," + digits[0] + "," + (digits.size() > 1 ? digits[1] : "0") + ")" + as};
    }
    if (storage == "NUMERIC" || storage == "REAL") {
      return {"CAST(sub0_number(", ")" + as};
    }
    static constexpr std::array<std::string_view, 4> kTexts = {"VARCHAR", "CHARACTER VARYING",
                                                               "CHAR", "CHARACTER"};
    return digits.size() == 1 && isOneOf(type.name, kTexts)
               ? Cast{"substr(CAST(", as + ",1," + digits[0] + ")"}
               : Cast{"CAST(", as};
  }

  // "(10, 2)": those two. None: it has others, or none.
  static std::vector<std::string> digitsOf(const TypeName& type) {
    std::vector<std::string> numbers;
    for (const char c : type.arguments) {
      if (c == '(' || c == ',') {
        numbers.emplace_back();
      } else if (c >= '0' && c <= '9' && !numbers.empty() && numbers.back().size() < 9) {
        numbers.back().push_back(c);
      } else if (c != ' ' && c != ')') {
        return {};
      }
    }
    const bool is_empty = std::any_of(numbers.begin(), numbers.end(),
                                      [](const std::string& number) { return number.empty(); });
    return is_empty || numbers.size() > 2 ? std::vector<std::string>() : numbers;
  }

  std::string shown(const TypeName& type) const override {
    return type.name == "INTERVAL" && !type.is_array
               ? "INTERVAL (write " + insteadOfInterval(list_, list_.size()) + ")"
               : SqlRewriter::shown(type);
  }

  void visitParameter(std::size_t i) override {
    replace(i, i + 1, "?" + std::to_string(list_.tokens[i].number));
  }

  // The table that the statement itself writes to: `UPDATE t n` and `DELETE FROM t n` need an AS,
  // and RETURNING knows the table by its own name alone.
  void settleAlias() {
    const std::size_t verb = analyse(list_, Dialect::kSqlite).verb_index;
    const bool is_update = list_.isWord(verb, "UPDATE");
    const bool is_delete = list_.isWord(verb, "DELETE") && list_.isWord(verb + 1, "FROM");
    const bool is_insert = list_.isWord(verb, "INSERT") && list_.isWord(verb + 1, "INTO");
    std::size_t at = is_update ? verb + 1 : verb + 2;
    at += is_update && list_.isWord(at, "OR") ? 2 : 0;  // OR IGNORE
    at += list_.isWord(at, "ONLY") && isBeforeTable(at) ? 1 : 0;
    if (!(is_update || is_delete || is_insert) || !isName(list_, at)) {
      return;
    }
    while (list_.isSign(at + 1, ".") && isName(list_, at + 2)) {
      at += 2;
    }
    static constexpr std::array<std::string_view, 10> kNoAlias = {
        "SET", "WHERE", "RETURNING", "USING", "INDEXED", "NOT", "ORDER", "LIMIT", "FROM", "AS"};
    std::size_t alias = list_.isWord(at + 1, "AS") ? at + 2 : 0;
    if (alias == 0 && !is_insert && isName(list_, at + 1) &&
        !isOneOf(capitals(list_.text(at + 1)), kNoAlias)) {
      alias = at + 1;
      replace(alias, alias + 1, "AS " + std::string(list_.text(alias)));
    }
    settleReturning(at, isName(list_, alias) && alias > 0 ? alias : at);
  }

  void settleReturning(std::size_t table, std::size_t alias) {
    std::size_t at = alias;
    while (at < list_.size() && !list_.isWord(at, "RETURNING")) {
      at = list_.isSign(at, "(") ? behindBracket(list_, at) : at + 1;
    }
    for (; at < list_.size(); ++at) {
      if (list_.isSign(at, "(") &&
          (list_.isWord(at + 1, "SELECT") || list_.isWord(at + 1, "WITH"))) {
        at = behindBracket(list_, at) - 1;  // where the alias may be another's
      } else if (isName(list_, at) && list_.isSign(at + 1, ".") && !list_.isSign(at - 1, ".") &&
                 foldedName(list_, at) == foldedName(list_, alias)) {
        const bool is_row = list_.isSign(at + 2, "*");
        replace(at, at + (is_row ? 3 : 1), is_row ? "*" : std::string(list_.text(table)));
      }
    }
  }

  // To SQLite null is no row count.
  void takeNullFor(const RowCountClause& clause) {
    const auto first = list_.tokens.begin() + static_cast<std::ptrdiff_t>(clause.begin);
    const auto behind = list_.tokens.begin() + static_cast<std::ptrdiff_t>(clause.end);
    if (std::any_of(first, behind,
                    [](const Token& token) { return token.kind == TokenKind::kParameter; })) {
      replace(clause.keyword, clause.begin, std::string(list_.text(clause.keyword)) + " ifnull(");
      insertBehind(clause.end - 1, clause.is_offset ? ",0)" : ",-1)");
    }
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
    } else if (isOfJson(i)) {
      cannot(i, "the operator " + std::string(sign) + " of jsonb (write " +
                    (sign == "-" ? "json_remove(a, '$.key'))" : "json_patch(a, b))"));
    }
  }

  void visitWord(std::size_t i, const std::string& word, bool is_call) override {
    if (word == "CURRENT_TIMESTAMP" || word == "LOCALTIMESTAMP") {
      replaceClock(i, is_call ? behindBracket(list_, i + 1) : i + 1);
    } else if (word == "CURRENT_DATE" && !is_call) {
      refuseArithmeticOfDates(i, i + 1);
    } else if (word == "ONLY" && isBeforeTable(i)) {
      replace(i, i + 1, "");  // no table has others below it
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

  void replaceClock(std::size_t i, std::size_t behind) {
    replace(i, behind, kNow);
    refuseArithmeticOfDates(i, behind);
  }

  std::string insteadOfDates() const override {
    return " (write date(a, '+1 day'), julianday(a) - julianday(b))";
  }

  // FROM ONLY t, UPDATE ONLY t
  bool isBeforeTable(std::size_t i) const {
    return isName(list_, i + 1) && !list_.isWord(i + 1, "SET") && !list_.isWord(i + 1, "WHERE") &&
           !list_.isWord(i + 1, "AS") &&
           (list_.isWord(i - 1, "FROM") || list_.isWord(i - 1, "JOIN") ||
            (list_.isWord(i - 1, "UPDATE") && !list_.isWord(i - 2, "FOR")));
  }

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
      return "INTERVAL (write " + insteadOfInterval(list_, i) + ")";
    }
    if ((word == "INSERT" || word == "UPDATE" || word == "DELETE") && i > 1 &&
        list_.isSign(i - 1, "(") &&
        (list_.isWord(i - 2, "AS") || list_.isWord(i - 2, "MATERIALIZED"))) {
      return "WITH ... AS (" + word + " ...)";
    }
    if (word == "USING" && list_.isWord(0, "DELETE") && !is_call) {
      return "DELETE ... USING (write WHERE ... IN (SELECT ...))";
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

  bool is_definition_ = false;  // or a script that holds one
};

}  // namespace

Rewritten rewriteForSqlite(const TokenList& list) { return SqliteRewriter(list).run(); }

}  // namespace sub0::query
