// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "sql_tokens.hpp"
#include "sqlite/sqlite_checks.hpp"
#include "sqlite/sqlite_ddl.hpp"

namespace sub0::query {
namespace {

constexpr const char* kTables =
    "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'";
constexpr const char* kSqliteColumns =
    "SELECT m.name AS \"table\", p.name AS \"column\", p.type, p.\"notnull\" AS required, p.pk, "
    "coalesce(p.dflt_value, '') AS preset FROM sqlite_master m JOIN pragma_table_info(m.name) p "
    "WHERE m.type = 'table' ORDER BY m.name, p.cid";
// Of an index with an expression, or of some rows only, the columns are not told.
constexpr const char* kSqliteIndexes =
    "SELECT m.name AS \"table\", l.name AS \"index\", l.\"unique\" AS is_unique, l.partial OR "
    "sum(i.name IS NULL) OVER (PARTITION BY m.name, l.name) > 0 AS special, coalesce(i.name, '') "
    "AS \"column\" FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN "
    "pragma_index_info(l.name) i WHERE m.type = 'table' ORDER BY m.name, l.name, i.seqno";
constexpr const char* kDependents =
    "SELECT tbl_name AS \"table\", type, name, sql FROM sqlite_master WHERE type IN ('index', "
    "'trigger') AND sql IS NOT NULL";
constexpr const char* kSqliteReferences =
    "SELECT m.name AS \"table\", f.\"from\" AS \"column\", f.\"table\" AS target, "
    "coalesce(f.\"to\", '') AS \"key\", f.on_update = 'NO ACTION' AND f.on_delete = 'NO ACTION' AS "
    "plain, count(*) OVER (PARTITION BY m.name, f.id) AS columns FROM "
    "sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";

// Columns of a view are not asked for: where the view fails, so would the question.
constexpr const char* kReaders = R"(SELECT type, name, tbl_name AS "table",
  (SELECT group_concat('"' || replace(p.name, '"', '""') || '" = "' || replace(p.name, '"', '""') || '"', ', ')
    FROM sqlite_master t JOIN pragma_table_info(t.name) p WHERE t.type = 'table' AND t.name = m.tbl_name) AS same
FROM sqlite_master m WHERE type IN ('view', 'trigger') ORDER BY tbl_name, name)";

bool readColumns(SqlSession& session, std::vector<ExistingTable>& tables, Failure& failure) {
  Rows rows;
  if (!rows.read(session, kSqliteColumns, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = tableCalled(tables, rows.text(i, "table"));
    if (table == nullptr) {
      continue;
    }
    ExistingColumn column;
    column.name = rows.text(i, "column");
    column.type = rows.text(i, "type");
    column.is_required = rows.truth(i, "required");
    column.is_primary = rows.truth(i, "pk");
    column.default_text = rows.text(i, "preset");
    // A key of type INTEGER numbers new rows by itself, but gives numbers of deleted rows again.
    column.is_identity = column.is_primary && table->is_numbered;
    column.has_default = column.is_identity || !column.default_text.empty();
    table->columns.push_back(std::move(column));
  }
  return true;
}

bool readIndexes(SqlSession& session, std::vector<ExistingTable>& tables, Failure& failure) {
  Rows rows;
  if (!rows.read(session, kSqliteIndexes, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = tableCalled(tables, rows.text(i, "table"));
    const std::string name = rows.text(i, "index");
    if (table == nullptr) {
      continue;
    }
    if (table->indexes.empty() || table->indexes.back().name != name) {
      table->indexes.push_back(ExistingIndex{name, {}, rows.truth(i, "is_unique"), "", false});
    }
    if (!rows.truth(i, "special")) {
      table->indexes.back().columns.push_back(rows.text(i, "column"));
    }
  }
  if (!rows.read(session, kSqliteReferences, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = tableCalled(tables, rows.text(i, "table"));
    if (table != nullptr) {
      table->references.push_back({rows.text(i, "column"), rows.text(i, "target"),
                                   rows.text(i, "key"), "", rows.number(i, "columns") == 1,
                                   rows.truth(i, "plain")});
    }
  }
  return true;
}

bool isOfWords(const ExistingTable& table, const std::string& name, const std::string& sql) {
  const std::string words = table.name + "_fts";
  const bool is_named_so =
      name == words + "_inserted" || name == words + "_deleted" || name == words + "_updated";
  return is_named_so && sql.find("INSERT INTO " + quotedName(words) + " (") != std::string::npos;
}

// Behind the indexes.
bool readDependents(SqlSession& session, std::vector<ExistingTable>& tables, Failure& failure) {
  Rows rows;
  if (!rows.read(session, kDependents, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = tableCalled(tables, rows.text(i, "table"));
    const std::string name = rows.text(i, "name");
    const std::string sql = rows.text(i, "sql");
    if (table == nullptr) {
      continue;
    }
    if (rows.text(i, "type") == "trigger") {
      const bool is_of_words = isOfWords(*table, name, sql);
      (is_of_words ? table->word_triggers : table->triggers).push_back(is_of_words ? name : sql);
    }
    for (ExistingIndex& index : table->indexes) {
      index.sql = index.name == name ? sql : index.sql;
    }
  }
  return true;
}

std::string unquoted(std::string_view text) {
  const char quote = text.empty() ? ' ' : text.front();
  if (quote != '\'' && quote != '"' && quote != '`') {
    return std::string(text);
  }
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    plain += text[i];
    i += text[i] == quote ? 1 : 0;
  }
  return plain;
}

// CREATE VIRTUAL TABLE … USING fts5(…, content='posts'): posts.
std::string tableOfWords(const TokenList& list) {
  const bool has_words = list.isWord(0, "CREATE") && list.isWord(1, "VIRTUAL") &&
                         list.isWord(2, "TABLE") && list.isWord(4, "USING") &&
                         list.isWord(5, "FTS5");
  for (std::size_t i = 6; has_words && i + 2 < list.size(); ++i) {
    if (list.isWord(i, "CONTENT") && list.isSign(i + 1, "=")) {
      return unquoted(list.text(i + 2));
    }
  }
  return {};
}

// The words of SQLite's grammar that stand in a table's definition, but in those that a migration
// writes.
constexpr std::array<std::string_view, 13> kBeyond = {
    "CONSTRAINT", "CHECK", "COLLATE",    "UNIQUE",  "GENERATED", "AS",       "ON",
    "MATCH",      "DESC",  "DEFERRABLE", "FOREIGN", "ASC",       "INITIALLY"};

// What of a table's definition would be lost where it is made anew from its columns.
std::string beyondColumns(const TokenList& list) {
  std::size_t open = 0;
  while (open < list.size() && !list.isSign(open, "(")) {
    ++open;
  }
  const std::size_t end = behindBracket(list, open);
  if (end < list.size()) {
    return capitals(list.text(end));  // WITHOUT ROWID, STRICT
  }
  for (std::size_t i = open + 1; i < end; ++i) {
    if (list.isSign(i, "(") || behindCheck(list, i) > i) {
      i = std::max(behindBracket(list, i), behindCheck(list, i)) - 1;
      continue;  // of a type, a default, a reference; a check of ours
    }
    const bool begins = i == open + 1 || list.isSign(i - 1, ",");
    std::string word =
        list.tokens[i].kind == TokenKind::kWord ? capitals(list.text(i)) : std::string();
    if (std::find(kBeyond.begin(), kBeyond.end(), word) != kBeyond.end() ||
        (begins && word == "PRIMARY")) {
      return word;
    }
  }
  return {};
}

void addChecks(const std::vector<SqliteCheck>& checks, ExistingTable& table) {
  for (const SqliteCheck& check : checks) {
    const auto column =
        std::find_if(table.columns.begin(), table.columns.end(),
                     [&](const ExistingColumn& one) { return isSameName(one.name, check.column); });
    if (column == table.columns.end()) {
      table.beyond = "CHECK";  // somebody has written it
      continue;
    }
    column->check = check.sql;
    column->max_length = check.max_length;
    column->has_default = !column->default_text.empty();  // a key that is no row's own number
  }
}

}  // namespace

bool SqliteDdl::readCatalogue(SqlSession& session, std::vector<ExistingTable>& tables,
                              Failure& failure) const {
  Rows rows;
  std::vector<std::vector<SqliteCheck>> checks;
  if (!rows.read(session, kTables, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    tables.emplace_back();
    tables.back().name = rows.text(i, "name");
    const std::string sql = rows.text(i, "sql");
    const TokenList list = tokenize(sql, Dialect::kSqlite);
    tables.back().mark = markIn(sql);
    tables.back().words_of = tableOfWords(list);
    tables.back().beyond = beyondColumns(list);
    checks.push_back(checksIn(list));
    for (std::size_t k = 0; k < list.size(); ++k) {
      tables.back().is_numbered = tables.back().is_numbered || list.isWord(k, "AUTOINCREMENT");
    }
  }
  if (!readColumns(session, tables, failure) || !readIndexes(session, tables, failure) ||
      !readDependents(session, tables, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < checks.size(); ++i) {
    addChecks(checks[i], tables[i]);
  }
  for (ExistingTable& table : tables) {
    const ExistingTable* const words = tableCalled(tables, table.name + "_fts");
    for (const ExistingColumn& column : words == nullptr || !isSameName(words->words_of, table.name)
                                            ? std::vector<ExistingColumn>()
                                            : words->columns) {
      table.words.push_back(column.name);
    }
    if (!table.word_triggers.empty()) {
      table.own_words = table.words;
    }
  }
  return true;
}

// A trigger is compiled with the statements that it follows.
bool SqliteDdl::readProbes(SqlSession& session, std::vector<Probe>& probes,
                           Failure& failure) const {
  Rows rows;
  if (!rows.read(session, kReaders, failure)) {
    return false;
  }
  std::string triggers;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string name = rows.text(i, "name");
    const std::string table = rows.text(i, "table");
    if (rows.text(i, "type") == "view") {
      probes.push_back({"EXPLAIN SELECT * FROM " + quotedName(name), "view " + name});
      continue;
    }
    triggers += (triggers.empty() ? "" : " or ") + name;
    if (i + 1 < rows.size() && rows.text(i + 1, "table") == table &&
        rows.text(i + 1, "type") == "trigger") {
      continue;
    }
    const std::string what = "trigger " + triggers + " of " + table + ", at ";
    const std::string same = rows.text(i, "same");
    const std::string quoted = quotedName(table);
    probes.push_back({"EXPLAIN INSERT INTO " + quoted + " DEFAULT VALUES", what + "INSERT"});
    probes.push_back({"EXPLAIN DELETE FROM " + quoted, what + "DELETE"});
    if (!same.empty()) {
      probes.push_back({"EXPLAIN UPDATE " + quoted + " SET " + same, what + "UPDATE"});
    }
    triggers.clear();
  }
  return true;
}

}  // namespace sub0::query
