// SPDX-License-Identifier: Apache-2.0
#include "action.hpp"

#include <algorithm>
#include <array>

#include "column_names.hpp"
#include "folded_names.hpp"
#include "poco_data/mysql_instants.hpp"
#include "poco_data/mysql_rewrite.hpp"
#include "row_times.hpp"
#include "sql_analysis.hpp"
#include "sql_tables.hpp"
#include "sqlite/sqlite_clock.hpp"
#include "sqlite/sqlite_instants.hpp"
#include "unique_check.hpp"

namespace sub0::query {
namespace {

// Whether the key is set here or beside sql_query.
bool asksFor(Preparation& preparation, std::string_view key) {
  const auto is_true = [](Value value) { return value && value.isBool() && value.asBool(); };
  return is_true(preparation.config().find(key)) || is_true(preparation.action().find(key));
}

using RowTimesRewrite = RowTimes (*)(const TokenList&, const Analysis&);

// spec S-34; false: an error was told.
bool keepTimes(Preparation& preparation, Dialect dialect, std::string_view key,
               RowTimesRewrite rewrite, std::string& sql) {
  if (!asksFor(preparation, key)) {
    return true;
  }
  const TokenList tokens = tokenize(sql, dialect);
  RowTimes made = rewrite(tokens, analyse(tokens, dialect));
  if (!made.error.empty()) {
    preparation.error("/query", made.error);
    return false;
  }
  if (!made.is_meant) {
    const bool is_here = static_cast<bool>(preparation.config().find(key));
    preparation.warning(is_here ? Preparation::pointerTo(key) : "/query",
                        std::string(key) + " does nothing for this statement");
  }
  sql = std::move(made.sql);
  return true;
}

bool namesReturnables(Preparation& preparation) {
  return preparation.action().find("returnables").size() > 0 ||
         preparation.resource().find("returnables").size() > 0;
}

std::string placeOf(Preparation& preparation) {
  return "resource " + preparation.resource().find("id").toText() + ", action " +
         preparation.action().find("id").toText() + ", /sql_query/query";
}

// Declares the parameters; false where the list is none.
bool declareParameters(Preparation& preparation, Statement& statement) {
  const Value parameters = preparation.config().find("parameters");
  if (!parameters || parameters.isNull()) {
    return true;
  }
  if (!parameters.isArray()) {
    preparation.error("/parameters", "parameters must be an array: $1 is its first element");
    return false;
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Input input = preparation.parameter("/parameters/" + std::to_string(i));
    statement.inputs.push_back(static_cast<std::uint32_t>(input.index));
  }
  return true;
}

// PostgreSQL has an operator ?, which other libraries take for a parameter.
bool hasQuestionMark(const TokenList& tokens) {
  return std::any_of(tokens.tokens.begin(), tokens.tokens.end(), [&](const Token& token) {
    return token.kind == TokenKind::kOperator && tokens.sql[token.end - 1] == '?';
  });
}

std::string parametersThere(std::size_t count) {
  return count == 1 ? "there is 1 parameter" : "there are " + std::to_string(count) + " parameters";
}

void compareCounts(Preparation& preparation, const TokenList& tokens, const Analysis& analysis,
                   std::size_t given) {
  if (analysis.parameter_count > given) {
    preparation.error("/query", "the query uses $" + std::to_string(analysis.parameter_count) +
                                    ", but " + parametersThere(given));
  } else if (analysis.parameter_count < given) {
    std::string none =
        analysis.parameter_count == 0 ? "" : " beyond $" + std::to_string(analysis.parameter_count);
    none += none.empty() && hasQuestionMark(tokens) ? "; write $1 for ?" : "";
    preparation.error("/parameters/" + std::to_string(analysis.parameter_count),
                      parametersThere(given) + ", but the query uses none" + none);
  }
}

// Where the database knows parameters by their places alone: an input for each place.
void orderInputs(const TokenList& tokens, Statement& statement) {
  if (!hasPlacesForParameters(tokens.dialect)) {
    return;
  }
  std::vector<std::uint32_t> inputs;
  for (const std::uint32_t number : placeholderOrder(tokens)) {
    inputs.push_back(statement.inputs[number - 1]);
  }
  statement.inputs = std::move(inputs);
}

// MariaDB and MySQL commit what was done before a definition. spec S-22
void refuseHiddenCommit(Preparation& preparation, Dialect dialect, const Analysis& analysis) {
  static constexpr std::array<std::string_view, 9> kCommitting = {
      "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "ANALYZE", "OPTIMIZE", "GRANT", "REVOKE"};
  const Value transaction = preparation.resource().find("transaction");
  if (dialect == Dialect::kMysql && transaction.isBool() && transaction.asBool() &&
      std::find(kCommitting.begin(), kCommitting.end(), analysis.verb) != kCommitting.end()) {
    preparation.error("/query", analysis.verb +
                                    " commits on MariaDB and MySQL what the transaction did "
                                    "before it; it cannot stand in a resource with transaction");
  }
}

// spec S-33; false: an error was told.
bool keepUnique(Preparation& preparation, Dialect dialect, Statement& statement, std::string& sql) {
  std::vector<std::string> columns;
  for (const Value column : preparation.config().find("unique").items()) {
    columns.emplace_back(column.asText());
  }
  if (columns.empty()) {
    return true;
  }
  const TokenList tokens = tokenize(sql, dialect);
  std::vector<std::string> of_payload;
  const auto next = static_cast<std::uint32_t>(statement.inputs.size() + 1);
  UniqueCheck check = withUniqueCheck(tokens, analyse(tokens, dialect), columns, next, of_payload);
  if (!check.error.empty()) {
    preparation.error("/unique", check.error);
    return false;
  }
  if (!check.warning.empty() && dialect == Dialect::kOdbc) {  // migrations make nothing there
    preparation.warning("/unique", check.warning);
  } else if (!check.warning.empty()) {
    preparation.fact("unique_unwatched", Literal(check.warning));
  }
  for (const std::string& column : of_payload) {
    const Input input = preparation.inputOf("$PAYLOAD." + column);
    statement.inputs.push_back(static_cast<std::uint32_t>(input.index));
  }
  Tree fact = Tree::array();
  fact.push(Literal(check.table));
  for (const std::string& column : columns) {
    fact.push(Literal(column));
  }
  preparation.fact("unique", fact);
  sql = std::move(check.sql);
  return true;
}

// What else of a statement does not exist there, whose error leaves it readable.
void reportMore(Preparation& preparation, Engine& engine, TokenList tokens) {
  if (!tokens.is_whole) {
    return;
  }
  tokens.error.clear();
  std::vector<std::string> errors;
  engine.translate(tokens, errors);
  for (const std::string& error : errors) {
    preparation.error("/query", error);
  }
}

std::string withoutPlace(const std::string& error) {
  static constexpr std::string_view kPlace = " at character ";
  const std::size_t begin = error.find(kPlace);
  if (begin == std::string::npos) {
    return error;
  }
  const std::size_t end = error.find_first_not_of("0123456789", begin + kPlace.size());
  return error.substr(0, begin) + (end == std::string::npos ? "" : error.substr(end));
}

// Of a statement that was added to, the errors with their places in what the author wrote; what is
// not found there has none.
std::vector<std::string> asWritten(const Engine& engine, const TokenList& written,
                                   const std::vector<std::string>& errors) {
  std::vector<std::string> of_written;
  engine.translate(written, of_written);
  std::vector<std::string> placed;
  for (const std::string& error : errors) {
    const std::string text = withoutPlace(error);
    const auto found =
        std::find_if(of_written.begin(), of_written.end(),
                     [&](const std::string& one) { return withoutPlace(one) == text; });
    placed.push_back(found == of_written.end() ? text : *found);
    if (found != of_written.end()) {
      of_written.erase(found);
    }
  }
  return placed;
}

// spec S-32: the databases that call a column without a name by its SQL
bool namesColumnsBySql(Dialect dialect) {
  return dialect == Dialect::kSqlite || dialect == Dialect::kMysql;
}

// The statement in the database's words; false: errors were told.
bool translate(Preparation& preparation, const Engine& engine, const TokenList& written,
               const std::string& sql, Statement& statement) {
  const TokenList made = tokenize(sql, engine.dialect());
  const std::string named = namesColumnsBySql(engine.dialect()) ? withColumnNames(made) : sql;
  std::vector<std::string> errors;
  statement.sql = engine.translate(tokenize(named, engine.dialect()), errors);
  if (!errors.empty() && named != written.sql) {
    errors = asWritten(engine, written, errors);
  }
  for (const std::string& error : errors) {
    preparation.error("/query", error);
  }
  return !preparation.failed();
}

// What the statement says is allowed, and hardly meant.
void tellDoubts(Preparation& preparation, const TokenList& tokens) {
  if (tokens.dialect == Dialect::kSqlite) {
    for (const std::string& doubt : doubtfulInstants(tokens)) {
      preparation.warning("/query", doubt);
    }
  }
  if (tokens.dialect == Dialect::kMysql) {
    for (const std::string& doubt : literalsWithZone(tokens)) {
      preparation.warning("/query", doubt);
    }
    for (const std::string& doubt : doubtsOfMariadb(tokens)) {
      preparation.warning("/query", doubt);
    }
  }
  for (const std::string& doubt : literalAccessors(tokens)) {
    preparation.warning("/query", doubt);
  }
}

// Whether a parameter is the payload's field of a name that an action declares as an instant.
bool isDeclaredInstant(Preparation& preparation, Value parameter) {
  constexpr std::string_view kPayload = "$PAYLOAD.";
  std::string_view name = parameter.asText();
  name.remove_prefix(name.substr(0, kPayload.size()) == kPayload ? kPayload.size() : 0);
  for (const Value action : preparation.resource().find("actionables").items()) {
    for (const Value declared : action.find("payload_validation").items()) {
      if (declared.find("field").find(name).find("type").asText() == "DATETIME") {
        return true;
      }
    }
  }
  return false;
}

// On SQLite an instant is put into the form of columns beside one alone. spec S-30
void tellInstantsWithoutColumn(Preparation& preparation, Dialect dialect,
                               const Statement& statement) {
  if (dialect != Dialect::kSqlite) {
    return;
  }
  const std::vector<std::uint32_t> alone = parametersBesideNothing(statement.sql);
  std::uint32_t place = 0;
  for (const Value parameter : preparation.config().find("parameters").items()) {
    const bool is_alone = std::find(alone.begin(), alone.end(), place) != alone.end();
    if (parameter.isText() && is_alone && isDeclaredInstant(preparation, parameter)) {
      const std::string number = std::to_string(place);
      preparation.warning("/parameters/" + number,
                          "the instant $" + std::to_string(place + 1) +
                              " stands beside no column: SQLite takes it as the client wrote it, "
                              "which does not compare with the instants that columns hold; compare "
                              "it with a column, or store it in one");
    }
    ++place;
  }
}

// PostgreSQL alone tells names by their case.
void declareFolded(Preparation& preparation, const TokenList& tokens, const Analysis& analysis) {
  if (tokens.dialect != Dialect::kPostgres) {
    return;
  }
  Tree names = Tree::array();
  for (const std::string& name : foldedNames(tokens, analysis)) {
    names.push(Literal(name));
  }
  preparation.fact("folded", names);
}

// `made`: what becomes of the statement that was written.
void declareNoRow(Preparation& preparation, const TokenList& made, const Analysis& written) {
  const bool was_delete = written.verb == "DELETE";
  const std::string why = whyNoRow(analyse(made, made.dialect), made.dialect, was_delete);
  if (!why.empty()) {
    preparation.fact("no_row", Literal(why));
  }
}

}  // namespace

StatementPointer compileAction(Preparation& preparation, Engine& engine) {
  const Value config = preparation.config();
  if (!config.isObject()) {
    preparation.error("", "sql_query must be an object with a query");
    return nullptr;
  }
  auto statement = std::make_shared<Statement>();
  const bool has_list = declareParameters(preparation, *statement);
  const Value query = config.find("query");
  if (!query.isText()) {
    preparation.error(query ? "/query" : "", "sql_query needs a query, a text");
    return nullptr;
  }
  const std::string_view text = query.asText();
  if (text.find('\0') != std::string_view::npos) {
    preparation.error("/query", "the query holds a NUL character");
    return nullptr;
  }
  const TokenList tokens = tokenize(text, engine.dialect());
  const Analysis analysis = analyse(tokens, engine.dialect());
  for (const std::string& error : analysis.errors) {
    preparation.error("/query", error);
  }
  refuseHiddenCommit(preparation, engine.dialect(), analysis);
  if (!analysis.errors.empty()) {
    reportMore(preparation, engine, tokens);
    return nullptr;
  }
  tellDoubts(preparation, tokens);
  if (has_list) {
    compareCounts(preparation, tokens, analysis, statement->inputs.size());
  }
  std::string sql(text);
  if (!keepTimes(preparation, engine.dialect(), "soft_delete", withSoftDelete, sql) ||
      !keepTimes(preparation, engine.dialect(), "with_timestamps", withTimestamps, sql) ||
      !keepUnique(preparation, engine.dialect(), *statement, sql)) {
    return nullptr;
  }
  const std::string without_returning = sql;
  if (namesReturnables(preparation)) {
    const TokenList made = tokenize(sql, engine.dialect());
    sql = withReturningAll(made, analyse(made, engine.dialect()));
  }
  if (sql != without_returning) {
    std::vector<std::string> ignored;
    statement->without_returning =
        engine.translate(tokenize(without_returning, engine.dialect()), ignored);
  }
  if (!translate(preparation, engine, tokens, sql, *statement)) {
    return nullptr;
  }
  tellInstantsWithoutColumn(preparation, engine.dialect(), *statement);
  const TokenList made = tokenize(sql, engine.dialect());
  declareNoRow(preparation, made, analysis);
  orderInputs(made, *statement);
  statement->row_counts = rowCountParameters(made);
  statement->reads_only = analysis.reads_only;
  statement->place = placeOf(preparation);
  statement->number = engine.numberOf(statement->sql);
  preparation.readsOnly(analysis.reads_only);
  preparation.fact("only_locks", analysis.only_locks);
  preparation.tables(tablesOf(tokens, engine.usualSchema()));
  declareFolded(preparation, tokens, analysis);
  preparation.fact("statement", statement->sql);
  engine.add(statement);
  return statement;
}

}  // namespace sub0::query
