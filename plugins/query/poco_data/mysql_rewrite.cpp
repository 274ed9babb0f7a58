// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_rewrite.hpp"

#include "column_names.hpp"
#include "postgres_functions.hpp"
#include "row_counts.hpp"
#include "sql_analysis.hpp"
#include "sql_tables.hpp"

namespace sub0::query {
namespace {

// ^ is another operator there, and would give another number. Those with # are no tokens there.
constexpr std::array<std::string_view, 24> kOperators = {
    "@>",  "<@", "~*",  "!~",  "!~*", "~~", "!~~", "~~*", "!~~*", "@?", "<->", "|/",
    "||/", "^@", "-|-", "<<|", "|>>", "&<", "&>",  "=>",  "<%",   "->", "->>", "^"};
// Functions of PostgreSQL that these databases have as well, or that may well be stored there.
constexpr std::array<std::string_view, 42> kKnownFunctions = {"ANY_VALUE",     "ASCII",
                                                              "BIT_AND",       "BIT_OR",
                                                              "CBRT",          "CONCAT",
                                                              "CONCAT_WS",     "CRYPT",
                                                              "DECODE",        "DIV",
                                                              "ENCODE",        "EXTRACT",
                                                              "GCD",           "GREATEST",
                                                              "LASTVAL",       "LCM",
                                                              "LEAST",         "LEFT",
                                                              "LPAD",          "MD5",
                                                              "NEXTVAL",       "PERCENTILE_CONT",
                                                              "POSITION",      "REGEXP_INSTR",
                                                              "REGEXP_LIKE",   "REGEXP_REPLACE",
                                                              "REGEXP_SUBSTR", "REPEAT",
                                                              "REVERSE",       "RIGHT",
                                                              "RPAD",          "SCALE",
                                                              "SETVAL",        "SIMILARITY",
                                                              "STDDEV",        "STDDEV_POP",
                                                              "STDDEV_SAMP",   "TO_CHAR",
                                                              "TRANSLATE",     "VARIANCE",
                                                              "VAR_POP",       "VAR_SAMP"};
constexpr std::array<std::string_view, 12> kOwnTypes = {"SIGNED", "UNSIGNED", "CHAR", "NCHAR",
                                                        "BINARY", "DATE",     "TIME", "DATETIME",
                                                        "JSON",   "DOUBLE",   "YEAR", "INET6"};

// Of PostgreSQL; what else stands behind SHOW may be a plugin's table.
constexpr std::array<std::string_view, 12> kShownSettings = {
    "ALL",         "SERVER_VERSION",  "SERVER_VERSION_NUM", "SERVER_ENCODING",
    "SEARCH_PATH", "TIMEZONE",        "STATEMENT_TIMEOUT",  "LOCK_TIMEOUT",
    "DATESTYLE",   "CLIENT_ENCODING", "WORK_MEM",           "MAX_CONNECTIONS"};

class MysqlRewriter final : public SqlRewriter {
 public:
  explicit MysqlRewriter(const TokenList& list)
      : SqlRewriter(list, " does not exist on MariaDB and MySQL"),
        is_definition_(list.isWord(0, "CREATE") || list.isWord(0, "ALTER")),
        is_update_(list.isWord(0, "UPDATE")) {
    if (!is_definition_) {
      lookAtRowCounts();
    }
  }

 private:
  Cast castTo(const TypeName& type) const override {
    static const std::map<std::string, const char*> kTypes = {
        {"INT", "SIGNED"},          {"INTEGER", "SIGNED"}, {"INT2", "SIGNED"},
        {"INT4", "SIGNED"},         {"INT8", "SIGNED"},    {"BIGINT", "SIGNED"},
        {"SMALLINT", "SIGNED"},     {"FLOAT", "DOUBLE"},   {"FLOAT4", "DOUBLE"},
        {"FLOAT8", "DOUBLE"},       {"REAL", "DOUBLE"},    {"DOUBLE PRECISION", "DOUBLE"},
        {"BYTEA", "BINARY"},        {"BLOB", "BINARY"},    {"TIMESTAMP", "DATETIME"},
        {"TIMESTAMPTZ", "DATETIME"}};
    const bool has_digits = !type.arguments.empty();
    const bool is_decimal = type.name == "NUMERIC" || type.name == "DECIMAL";
    if (isOfPostgresAlone(type.name) || (is_decimal && !has_digits)) {
      return {};  // a DECIMAL without digits is a whole number here
    }
    if (type.name == "JSON" || type.name == "JSONB") {
      return {"JSON_EXTRACT(", ",'$')"};
    }
    if (type.name == "BOOL" || type.name == "BOOLEAN") {
      return {"(LOWER(", ") IN ('true','t','yes','y','on','1'))"};
    }
    const auto found = kTypes.find(type.name);
    std::string name = found == kTypes.end() ? "CHAR" : found->second;
    const bool is_own = isOneOf(type.name, kOwnTypes);
    if (is_decimal) {
      name = "DECIMAL";
    } else if (is_own) {
      name = type.name;
    }
    const bool counts = is_own || is_decimal || name == "CHAR" || name == "DATETIME";
    const bool has_fraction = name == "DATETIME" || name == "TIME";
    const std::string digits = has_digits ? type.arguments : has_fraction ? "(6)" : "";
    return {"CAST(", " AS " + name + (counts ? digits : "") + ")"};
  }

  std::string shown(const TypeName& type) const override {
    const bool is_decimal = type.name == "NUMERIC" || type.name == "DECIMAL";
    if (type.name == "INTERVAL" && !type.is_array) {
      return "INTERVAL (write INTERVAL 10 MINUTE)";
    }
    return is_decimal && !type.is_array ? type.name + " without digits, such as (20,4),"
                                        : SqlRewriter::shown(type);
  }

  // A number or a parameter, whose null is settled when it is bound: a row count is no more there.
  void lookAtRowCounts() {
    std::size_t before = 0;
    for (const RowCountClause& clause : rowCountsOf(list_)) {
      const std::string word = capitals(list_.text(clause.keyword));
      const bool is_alone = clause.is_offset && word == "OFFSET" && clause.keyword != before &&
                            !list_.isWord(clause.end, "ROW") && !list_.isWord(clause.end, "ROWS");
      const bool is_number =
          clause.end - clause.begin == 1 && list_.tokens[clause.begin].kind == TokenKind::kNumber;
      if (is_alone) {
        cannot(clause.keyword, "OFFSET without LIMIT before it");
      } else if (clause.parameter != 0) {
        row_counts_[clause.begin] = clause.end;
      } else if (!is_number) {
        cannot(clause.begin, "an expression behind " + (word == "," ? "LIMIT" : word) +
                                 " (write a number or $1)");
      }
      before = clause.end;
    }
  }

  void visitParameter(std::size_t i) override {
    const auto count = row_counts_.find(i);
    const std::size_t behind = count == row_counts_.end() ? i + 1 : count->second;
    replace(i, behind, "?");
    goOnAt(behind);
  }

  void visitString(std::size_t i) override {
    const char first = list_.text(i)[0];
    if (first == 'e' || first == 'E' || first == 'u' || first == 'U' || first == '$') {
      cannotReadString(i);
    }
  }

  void visitOperator(std::size_t i) override {
    const std::string_view sign = list_.text(i);
    if (sign == "::") {
      castByColons(i);
    } else if (!refuseQuestionMark(i) &&
               (isOneOf(sign, kOperators) ||
                ((sign == "~" || sign == "@@") && i > 0 && endsOperand(i - 1)))) {
      cannot(i, "the operator " + std::string(sign) + insteadOf(sign));
    } else if (isOfJson(i)) {
      cannot(i, "the operator " + std::string(sign) + " of jsonb (write " +
                    (sign == "-" ? "JSON_REMOVE(a, '$.key'))" : "JSON_MERGE_PATCH(a, b))"));
    }
  }

  static const char* insteadOf(std::string_view sign) {
    if (sign == "^") {
      return " of PostgreSQL (write POW)";
    }
    return sign == "->" || sign == "->>" ? " (write JSON_EXTRACT or JSON_VALUE)" : "";
  }

  void visitWord(std::size_t i, const std::string& word, bool is_call) override {
    if (isClock(i, word, is_call)) {
      if (!is_definition_) {
        const std::size_t behind = is_call ? i + 3 : i + 1;
        replace(i, behind, word == "CLOCK_TIMESTAMP" ? "SYSDATE(3)" : "CURRENT_TIMESTAMP(3)");
        refuseArithmeticOfDates(i, behind);
      }
    } else if (word == "CAST" && is_call) {
      castByWord(i);
    } else if (!is_definition_ && respell(i, word, is_call)) {
      return;
    } else if (word == "LENGTH" && is_call && !is_definition_ && !isTableAt(i)) {
      replace(i, i + 1, "CHAR_LENGTH");  // there LENGTH counts bytes
    } else if (is_call && isFunctionOfPostgres(word) && !isOneOf(word, kKnownFunctions) &&
               !isTableAt(i)) {
      cannot(i, "the function " + std::string(list_.text(i)));
    } else {
      std::string construct = constructAt(i, word, is_call);
      construct = construct.empty() && !is_definition_ ? formAt(i, word, is_call) : construct;
      if (!construct.empty()) {
        cannot(i, construct);
      }
    }
  }

  // What has the same meaning in other words. True: it was that.
  bool respell(std::size_t i, const std::string& word, bool is_call) {
    const bool is_behind = i > 0 && endsOperand(i - 1);
    if (word == "RANDOM" && is_call && list_.isSign(i + 2, ")")) {
      replace(i, i + 1, "RAND");
    } else if (word == "CURRENT_DATABASE" && is_call) {
      replace(i, i + 1, "DATABASE");
    } else if (word == "DEFAULT" && list_.isWord(i + 1, "VALUES") && list_.isWord(0, "INSERT")) {
      replace(i, i + 2, "() VALUES ()");
    } else if ((word == "ISNULL" || word == "NOTNULL") && !is_call && is_behind &&
               !list_.isWord(i - 1, "SELECT")) {
      replace(i, i + 1, word == "ISNULL" ? "IS NULL" : "IS NOT NULL");
    } else if (word == "MATERIALIZED" && is_call &&
               (list_.isWord(i - 1, "AS") || list_.isWord(i - 2, "AS"))) {
      replace(list_.isWord(i - 1, "NOT") ? i - 1 : i, i + 1, "");
    } else if (word == "CURRENT_DATE" && !is_call) {
      refuseArithmeticOfDates(i, i + 1);
    } else {
      return false;
    }
    return true;
  }

  std::string insteadOfDates() const override {
    return " (write a + INTERVAL 1 DAY, DATEDIFF(a, b))";
  }

  // Of functions and clauses that are there, what only PostgreSQL gives them.
  std::string formAt(std::size_t i, const std::string& word, bool is_call) const {
    static constexpr std::array<std::string_view, 11> kFields = {
        "EPOCH",  "DOW",        "DOY",          "ISODOW",       "ISOYEAR", "CENTURY",
        "DECADE", "MILLENNIUM", "MILLISECONDS", "MICROSECONDS", "TIMEZONE"};
    const bool has_next = i + 2 < list_.size();
    if (word == "EXTRACT" && is_call && has_next && isOneOf(capitals(list_.text(i + 2)), kFields)) {
      const std::string field = capitals(list_.text(i + 2));
      return "EXTRACT(" + field + " ...)" + (field == "EPOCH" ? " (write UNIX_TIMESTAMP(a))" : "");
    }
    const bool is_of_sequence = word == "NEXTVAL" || word == "LASTVAL" || word == "SETVAL";
    if (is_of_sequence && is_call && !isName(list_, i + 2)) {
      return "the function " + std::string(list_.text(i)) +
             " (write NEXTVAL(name), LAST_INSERT_ID())";
    }
    if (word == "SYMMETRIC" && list_.isWord(i - 1, "BETWEEN")) {
      return "BETWEEN SYMMETRIC";
    }
    if (word == "COLLATE" && i + 1 < list_.size() &&
        (list_.text(i + 1) == "\"C\"" || list_.text(i + 1) == "\"POSIX\"")) {
      return "COLLATE " + std::string(list_.text(i + 1)) + " (write COLLATE utf8mb4_bin)";
    }
    if (word == "SET" && is_update_ && setsTogether(i)) {
      return "SET (a, b) = (write SET a = ..., b = ...)";
    }
    if (word == "USING" && isUsingOfPostgres(i)) {
      return "DELETE FROM t USING u (write DELETE t FROM t JOIN u ON ...)";
    }
    if (word == "INSERT" && i > 0 && list_.isWord(0, "WITH") &&
        analyse(list_, list_.dialect).verb_index == i) {
      return "WITH before INSERT (write INSERT INTO t WITH ... SELECT)";
    }
    const bool is_ordered_set =
        word == "MODE" || word == "PERCENTILE_CONT" || word == "PERCENTILE_DISC";
    if (is_call && is_ordered_set && isWithinGroup(i)) {
      return std::string(list_.text(i)) + "(...) WITHIN GROUP" +
             (word == "MODE" ? "" : " without OVER");
    }
    if (word == "SHOW" && i == 0 && list_.size() > 1 &&
        isOneOf(capitals(list_.text(1)), kShownSettings)) {
      return "SHOW " + std::string(list_.text(1));
    }
    return i == 0 && word == "MERGE" ? "MERGE (write INSERT ... ON DUPLICATE KEY UPDATE)"
                                     : std::string();
  }

  // Whether an UPDATE's list, whose SET is at `i`, has (a, b) = ... in it.
  bool setsTogether(std::size_t i) const {
    static constexpr std::array<std::string_view, 4> kBehind = {"WHERE", "ORDER", "LIMIT",
                                                                "RETURNING"};
    bool begins = true;
    for (std::size_t at = i + 1;
         at < list_.size() && !isOneOf(capitals(list_.text(at)), kBehind);) {
      if (begins && list_.isSign(at, "(")) {
        return true;
      }
      begins = list_.isSign(at, ",");
      at = list_.isSign(at, "(") ? behindBracket(list_, at) : at + 1;
    }
    return false;
  }

  // Whether a DELETE's table stands before USING alone: to MariaDB it must be one of those behind.
  bool isUsingOfPostgres(std::size_t i) const {
    if (!list_.isWord(0, "DELETE") || !list_.isWord(1, "FROM") || list_.isWord(2, "ONLY")) {
      return false;
    }
    std::size_t table = 2;
    while (list_.isSign(table + 1, ".") && isName(list_, table + 2)) {
      table += 2;
    }
    const std::size_t alias = list_.isWord(table + 1, "AS") ? table + 2 : table + 1;
    if (i == alias + 1 && isName(list_, alias)) {
      return true;
    }
    const std::string name = smallLetters(nameAt(table));
    std::size_t at = i + 1;
    while (at < list_.size() && !list_.isWord(at, "WHERE") && smallLetters(nameAt(at)) != name) {
      ++at;
    }
    return i == table + 1 && (at == list_.size() || list_.isWord(at, "WHERE"));
  }

  std::string nameAt(std::size_t i) const {
    const std::string_view text = list_.text(i);
    const bool is_quoted = list_.tokens[i].kind == TokenKind::kQuotedName && text.size() > 2;
    return std::string(is_quoted ? text.substr(1, text.size() - 2) : text);
  }

  bool isWithinGroup(std::size_t i) const {
    const std::size_t within = behindBracket(list_, i + 1);
    return list_.isWord(within, "WITHIN") && list_.isWord(within + 1, "GROUP") &&
           list_.isSign(within + 2, "(") && !list_.isWord(behindBracket(list_, within + 2), "OVER");
  }

  // Whether the name before a bracket is that of a table with its columns.
  bool isTableAt(std::size_t i) const {
    return list_.isWord(i - 1, "INTO") || list_.isWord(i - 1, "WITH") ||
           list_.isWord(i - 1, "RECURSIVE") || list_.isWord(i - 1, "TABLE") ||
           list_.isWord(i - 1, "EXISTS") || list_.isWord(i - 1, "REFERENCES") ||
           list_.isWord(i - 1, "VIEW") || (is_definition_ && list_.isWord(i - 1, "ON"));
  }

  // Whether a FROM stands in the UPDATE itself, not in brackets.
  bool isFromOfUpdate(std::size_t i) const {
    if (!is_update_ || list_.isWord(i - 1, "DISTINCT")) {
      return false;
    }
    std::size_t at = 0;
    while (at < i) {
      at = list_.isSign(at, "(") ? behindBracket(list_, at) : at + 1;
    }
    return at == i;
  }

  // Whether the query in the bracket at `open` has a LIMIT of its own.
  bool hasLimit(std::size_t open) const {
    const std::size_t behind = behindBracket(list_, open);
    for (std::size_t at = open + 1; at < behind;) {
      if (list_.isWord(at, "LIMIT")) {
        return true;
      }
      at = list_.isSign(at, "(") ? behindBracket(list_, at) : at + 1;
    }
    return false;
  }

  // Whether it is the time without a precision of its own.
  bool isClock(std::size_t i, const std::string& word, bool is_call) const {
    if (is_call && !list_.isSign(i + 2, ")")) {
      return false;
    }
    const bool is_function = word == "NOW" || word == "TRANSACTION_TIMESTAMP" ||
                             word == "STATEMENT_TIMESTAMP" || word == "CLOCK_TIMESTAMP";
    return word == "CURRENT_TIMESTAMP" || word == "LOCALTIMESTAMP" || (is_function && is_call);
  }

  std::string constructAt(std::size_t i, const std::string& word, bool is_call) const {
    const auto next = [&](std::string_view expected) { return list_.isWord(i + 1, expected); };
    if (word == "ILIKE" || word == "TABLESAMPLE" || word == "CUBE") {
      return word;
    }
    if (word == "DISTINCT" && next("ON") && list_.isSign(i + 2, "(")) {
      return "DISTINCT ON";
    }
    if (word == "ON" && next("CONFLICT")) {
      return "ON CONFLICT (write ON DUPLICATE KEY UPDATE)";
    }
    if ((word == "INSERT" || word == "UPDATE" || word == "DELETE") && i > 1 &&
        list_.isSign(i - 1, "(") && list_.isWord(i - 2, "AS") && !is_definition_) {
      return "WITH ... AS (" + word + " ...)";
    }
    if (word == "RETURNING" && is_update_) {
      return "UPDATE ... RETURNING";
    }
    if (word == "FROM" && isFromOfUpdate(i)) {
      return "UPDATE ... FROM (write UPDATE t JOIN u ON ... SET ...)";
    }
    if (word == "DISTINCT" && next("FROM")) {
      return list_.isWord(i - 1, "NOT") ? "IS NOT DISTINCT FROM (write a <=> b)"
                                        : "IS DISTINCT FROM (write NOT a <=> b)";
    }
    const bool is_quantified = (word == "ANY" || word == "SOME" || word == "ALL") && i > 0 &&
                               list_.tokens[i - 1].kind == TokenKind::kOperator;
    if (is_call && !is_definition_ && (word == "IN" || is_quantified) && hasLimit(i + 1)) {
      return word + " (SELECT ... LIMIT) (put a SELECT around it: SELECT * FROM (...) AS few)";
    }
    if (word == "FOR" && ((next("NO") && list_.isWord(i + 2, "KEY")) || next("KEY"))) {
      return "FOR KEY";
    }
    if ((word == "SIMILAR" && next("TO")) || (word == "FULL" && (next("JOIN") || next("OUTER"))) ||
        (word == "NULLS" && (next("FIRST") || next("LAST"))) ||
        (word == "GROUPING" && next("SETS"))) {
      return word + " " + capitals(list_.text(i + 1));
    }
    if (word == "FILTER" && is_call && list_.isWord(i + 2, "WHERE")) {
      return "FILTER (WHERE ...)";
    }
    if (word == "ARRAY" && (list_.isSign(i + 1, "[") || is_call)) {
      return "ARRAY";
    }
    if (word == "AT" && next("TIME") && list_.isWord(i + 2, "ZONE")) {
      return "AT TIME ZONE";
    }
    const bool is_list = is_call && i > 0 && list_.tokens[i - 1].kind == TokenKind::kOperator &&
                         !list_.isWord(i + 2, "SELECT") && !list_.isWord(i + 2, "VALUES") &&
                         !list_.isWord(i + 2, "WITH") && !list_.isSign(i + 2, "(");
    if ((word == "ANY" || word == "SOME" || word == "ALL") && is_list) {
      return word + "(...)";
    }
    const bool has_text = i + 1 < list_.size() && list_.tokens[i + 1].kind == TokenKind::kString;
    const bool has_unit = i + 2 < list_.size() && isUnitOfTime(capitals(list_.text(i + 2)));
    return word == "INTERVAL" && has_text && !has_unit
               ? "INTERVAL without a unit (write INTERVAL 10 MINUTE)"
               : std::string();
  }

  const bool is_definition_;
  const bool is_update_;
  std::map<std::size_t, std::size_t> row_counts_;  // `$1::bigint`: its first token, the one behind
};

class OdbcRewriter final : public SqlRewriter {
 public:
  explicit OdbcRewriter(const TokenList& list) : SqlRewriter(list, " cannot be cast to") {}

 private:
  Cast castTo(const TypeName& type) const override {
    return {"CAST(", " AS " + type.name + type.arguments + ")"};
  }
  void visitOperator(std::size_t i) override {
    if (list_.isSign(i, "::")) {
      castByColons(i);
    } else {
      refuseQuestionMark(i);
    }
  }
};

std::size_t countOfArguments(const TokenList& list, std::size_t open) {
  const std::size_t behind = behindBracket(list, open);
  std::size_t count = 1;
  for (std::size_t at = open + 1; at + 1 < behind;) {
    count += list.isSign(at, ",") ? 1 : 0;
    at = list.isSign(at, "(") ? behindBracket(list, at) : at + 1;
  }
  return count;
}

}  // namespace

std::vector<std::string> doubtsOfMariadb(const TokenList& list) {
  std::vector<std::string> doubts;
  const auto doubt = [&](std::size_t i, const std::string& form) {
    doubts.push_back(form + placeOf(list, i) + " exists on MySQL, but not on every MariaDB");
  };
  const std::size_t uncast = uncastInValues(list);
  if (uncast < list.size()) {
    doubts.push_back("a parameter in VALUES" + placeOf(list, uncast) +
                     " has MariaDB give no rows; cast each, as in $1::integer");
  }
  const Analysis analysis = analyse(list, list.dialect);
  const std::string& verb = analysis.verb;
  if (list.isWord(0, "WITH") && (verb == "UPDATE" || verb == "DELETE")) {
    doubt(analysis.verb_index, "WITH before " + verb);
  } else if (verb == "TABLE") {
    doubt(analysis.verb_index, "TABLE t (write SELECT * FROM t)");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list.isSign(i + 1, "(")) {
      continue;
    }
    if (list.isWord(i, "LATERAL") && i > 0) {
      doubt(i, "LATERAL");
    } else if ((list.isWord(i, "LAG") || list.isWord(i, "LEAD")) &&
               countOfArguments(list, i + 1) > 2) {
      doubt(i, std::string(list.text(i)) + " with three arguments (write COALESCE around it)");
    }
  }
  return doubts;
}

Rewritten rewriteForMysql(const TokenList& list) { return MysqlRewriter(list).run(); }

Rewritten rewriteForOdbc(const TokenList& list) { return OdbcRewriter(list).run(); }

std::vector<std::uint32_t> placeholderOrder(const TokenList& list) {
  std::vector<std::uint32_t> order;
  for (const Token& token : list.tokens) {
    if (token.kind == TokenKind::kParameter) {
      order.push_back(token.number);
    }
  }
  return order;
}

}  // namespace sub0::query
