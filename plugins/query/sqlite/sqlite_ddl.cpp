// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_ddl.hpp"

#include <algorithm>
#include <utility>

#include "sql_tokens.hpp"
#include "sqlite/sqlite_checks.hpp"
#include "sqlite/sqlite_table_change.hpp"
#include "sqlite/sqlite_values.hpp"

namespace sub0::query {
namespace {

// The words of a table take a table of their own, and FTS5 makes some more behind it.
constexpr const char* kWordsTables[] = {"_fts",         "_fts_data",    "_fts_idx",
                                        "_fts_content", "_fts_docsize", "_fts_config"};

}  // namespace

namespace sqlite {

std::string definitionOf(const Ddl& ddl, const Column& column, bool has_rowid_key) {
  const bool is_number = column.is_primary && column.type == ColumnType::kNumber;
  const bool is_rowid = is_number && has_rowid_key;
  std::string text = quotedName(column.name) + " " +
                     (is_number && !is_rowid ? std::string("BIGINT") : ddl.typeOf(column));
  text += column.is_required && !is_rowid ? " NOT NULL" : "";
  text += column.is_primary ? " PRIMARY KEY" : "";
  text += column.is_identity ? " AUTOINCREMENT" : "";  // spec S-104: no number twice
  text += column.is_now ? std::string(" DEFAULT (") + kNow + ")" : "";
  if (column.reference) {
    text += " REFERENCES " + quotedName(column.reference->table) + " (" +
            quotedName(column.reference->column) + ")";
  }
  return is_rowid ? text : text + checkOf(column);
}

std::string definitionOf(const ExistingTable& table, const ExistingColumn& column) {
  std::string text = quotedName(column.name) + " " + column.type;
  text += column.is_required ? " NOT NULL" : "";
  text += column.is_primary ? " PRIMARY KEY" : "";
  text += column.is_identity ? " AUTOINCREMENT" : "";
  text += column.default_text.empty() ? "" : " DEFAULT (" + column.default_text + ")";
  for (const ExistingReference& reference : table.references) {
    if (isSameName(reference.column, column.name)) {
      text += " REFERENCES " + quotedName(reference.table) +
              (reference.key.empty() ? "" : " (" + quotedName(reference.key) + ")");
    }
  }
  return text + column.check;
}

std::string createSql(const std::string& name, const Mark& mark, const std::string& definitions) {
  return "CREATE TABLE " + quotedName(name) + " (/* " + textOf(mark) + " */ " + definitions + ")";
}

std::string reasonAgainstNewTable(const ExistingTable& table) {
  if (table.mark.model.empty()) {
    return "this takes a new table, and no migration made this one, so nobody knows what would "
           "be lost: change it by SQL, or make the model fit";
  }
  if (!table.beyond.empty()) {
    return "this takes a new table, and the definition of this one has what no migration writes (" +
           table.beyond + "), which would be lost: change it by SQL, or make the model fit";
  }
  return {};
}

std::vector<std::string> wordsOf(const Table& table) {
  std::vector<std::string> columns;
  for (const Column& column : table.columns) {
    if (column.has_words) {
      columns.push_back(column.name);
    }
  }
  return columns;
}

namespace {

// old."a", old."b"
std::string listOf(const std::string& row, const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) {
    list.append(list.empty() ? "" : ", ").append(row).append(".").append(quotedName(column));
  }
  return list;
}

}  // namespace

std::vector<std::string> makeWords(const std::string& table,
                                   const std::vector<std::string>& columns,
                                   const std::vector<std::string>& old_triggers) {
  const std::string words = table + "_fts";
  const auto trigger = [&](const char* name) { return quotedName(words + "_" + name); };
  const std::string remove = "INSERT INTO " + quotedName(words) + " (" + quotedName(words) +
                             ", rowid, " + nameList(columns) + ") VALUES ('delete', old.rowid, " +
                             listOf("old", columns) + ");";
  const std::string insert = "INSERT INTO " + quotedName(words) + " (rowid, " + nameList(columns) +
                             ") VALUES (new.rowid, " + listOf("new", columns) + ");";
  const std::string on = " ON " + quotedName(table) + " BEGIN ";
  std::vector<std::string> made;
  for (const std::string& name : old_triggers) {
    made.push_back("DROP TRIGGER " + quotedName(name));
  }
  for (std::string& sql : std::vector<std::string>{
           "DROP TABLE IF EXISTS " + quotedName(words),
           "CREATE VIRTUAL TABLE " + quotedName(words) + " USING fts5(" + nameList(columns) +
               ", content=" + quotedText(table) + ", content_rowid='rowid')",
           "CREATE TRIGGER " + trigger("inserted") + " AFTER INSERT" + on + insert + " END",
           "CREATE TRIGGER " + trigger("deleted") + " AFTER DELETE" + on + remove + " END",
           "CREATE TRIGGER " + trigger("updated") + " AFTER UPDATE" + on + remove + " " + insert +
               " END",
           "INSERT INTO " + quotedName(words) + " (" + quotedName(words) +
               ") VALUES ('rebuild')"}) {
    made.push_back(std::move(sql));
  }
  return made;
}

}  // namespace sqlite

std::vector<std::string> SqliteDdl::begin(bool only_reads) const {
  if (only_reads) {
    return {"BEGIN"};
  }
  // A table that is made anew goes for a moment; who refers to it, a view too, is left alone.
  return {"PRAGMA foreign_keys = 0", "PRAGMA legacy_alter_table = 1", "BEGIN IMMEDIATE"};
}

std::string SqliteDdl::countViolations(const std::vector<std::string>& tables) const {
  std::string sql;
  for (const std::string& table : tables) {
    sql += (sql.empty() ? "" : " UNION ALL ") + ("SELECT " + quotedText(table)) +
           " AS \"table\", c.parent AS target, f.\"from\" AS \"column\", count(*) AS count FROM "
           "pragma_foreign_key_check(" +
           quotedText(table) + ") c JOIN pragma_foreign_key_list(" + quotedText(table) +
           ") f ON f.id = c.fkid AND f.seq = 0 GROUP BY c.parent, f.\"from\"";
  }
  return sql;
}

std::string SqliteDdl::conflictOf(const std::vector<Table>& tables,
                                  const std::vector<ExistingTable>& existing) const {
  for (const Table& table : tables) {
    const std::string words = table.name + "_fts";
    if (sqlite::wordsOf(table).empty()) {
      continue;
    }
    for (const Table& other : tables) {
      const bool is_taken = std::any_of(
          std::begin(kWordsTables), std::end(kWordsTables),
          [&](const char* behind) { return isSameName(other.name, table.name + behind); });
      if (is_taken) {
        return "table " + other.name + " (model " + other.model +
               ") has the name of the table of words that fts of model " + table.model +
               " takes: name one of them otherwise in models/_names.json";
      }
    }
    for (const ExistingTable& other : existing) {
      if (isSameName(other.name, words) && !isSameName(other.words_of, table.name)) {
        return "table " + other.name +
               " is there, and no migration made it for the words of table " + table.name +
               " (model " + table.model + "): rename it, or take \"fts\" out of the model";
      }
    }
  }
  return {};
}

// By the kind that values of the column are read back as (spec S-32), and by the length that a
// check of ours keeps.
Fit SqliteDdl::fit(const Column& column, const ExistingColumn& existing) const {
  const std::string there = capitals(existing.type);
  if (column.type == ColumnType::kString && !existing.check.empty() &&
      column.max_length != existing.max_length) {
    const bool is_wider = column.max_length == 0 ||
                          (existing.max_length > 0 && column.max_length > existing.max_length);
    return is_wider && there == typeOf(column) ? Fit::kWidens : Fit::kDiffers;
  }
  if (there == typeOf(column)) {
    return Fit::kFits;
  }
  const ColumnKind kind = kindOfDeclaredType(existing.type.c_str());
  const auto holds = [&](std::string_view word) { return there.find(word) != std::string::npos; };
  bool fits = false;
  switch (column.type) {
    case ColumnType::kString:
      fits = kind == ColumnKind::kUuid || holds("CHAR") || holds("TEXT") || holds("CLOB");
      break;
    case ColumnType::kNumber:
      fits = kind != ColumnKind::kBoolean && (holds("INT") || kind == ColumnKind::kNumeric);
      break;
    case ColumnType::kFloat:
      fits = holds("REAL") || holds("FLOA") || holds("DOUB") || kind == ColumnKind::kNumeric;
      break;
    case ColumnType::kBoolean:
      fits = kind == ColumnKind::kBoolean;
      break;
    case ColumnType::kDateTime:
      fits = kind == ColumnKind::kInstant || there == "TEXT";
      break;
    case ColumnType::kJson:
      fits = kind == ColumnKind::kJson;
      break;
  }
  return fits ? Fit::kFits : Fit::kDiffers;
}

Misfit SqliteDdl::misfitOf(const Column& wanted, const ExistingColumn& existing) const {
  if (wanted.type == ColumnType::kNumber && capitals(existing.type) == "REAL") {
    return withFraction(existing.name);
  }
  if (wanted.type == ColumnType::kBoolean && capitals(existing.type) == "INTEGER") {
    return notZeroOrOne(existing.name);
  }
  return wanted.type == ColumnType::kString
             ? tooLong("length(" + quotedName(existing.name) + ")", wanted.max_length)
             : Misfit{};
}

// "SQLite: CHECK constraint failed: sub0 a (275) in: ..."
Refusal SqliteDdl::refusalIn(const Failure& failure) const {
  constexpr std::string_view kFailed = "SQLite: CHECK constraint failed: ";
  const std::string_view log = failure.log;
  if (log.substr(0, kFailed.size()) != kFailed) {
    return {};
  }
  const std::string_view check =
      log.substr(kFailed.size(), log.rfind(" (", log.find(" in: ")) - kFailed.size());
  return {"SQLite: CHECK", std::string(columnOfCheck(check)), true};
}

std::string SqliteDdl::noteOnNumbering(const ExistingTable& existing) const {
  const bool has_key = std::any_of(existing.columns.begin(), existing.columns.end(),
                                   [](const ExistingColumn& column) { return column.is_primary; });
  return has_key && sqlite::reasonAgainstNewTable(existing).empty()
             ? std::string()
             : "may give the number of a deleted row to a new one: it is no INTEGER PRIMARY KEY "
               "AUTOINCREMENT, and no migration can make it one in this table: make the table anew "
               "by SQL where that matters";
}

std::string SqliteDdl::typeOf(const Column& column) const {
  switch (column.type) {
    case ColumnType::kString:
      return "TEXT";
    case ColumnType::kNumber:
      return "INTEGER";
    case ColumnType::kFloat:
      return "REAL";
    case ColumnType::kBoolean:
      return "BOOLEAN";
    case ColumnType::kDateTime:
      return "DATETIME";
    case ColumnType::kJson:
      return "JSON";
  }
  return "TEXT";
}

std::string SqliteDdl::shownTypeOf(const Column& column) const {
  return typeOf(column) + (column.type == ColumnType::kString && column.max_length > 0
                               ? "(" + std::to_string(column.max_length) + ")"
                               : "");
}

// An index of words knows rows by that name.
std::string SqliteDdl::problemOf(const Table& table) const {
  return table.find("rowid") == nullptr || sqlite::wordsOf(table).empty()
             ? std::string()
             : "field rowid hides SQLite's own number of a row, by which fts finds it: name it "
               "otherwise, or take \"fts\" out of the model";
}

// The rows' own numbers stay as they are through a VACUUM only where they are the key, which words
// depend on.
std::vector<std::string> SqliteDdl::createTable(const Table& table, Names& /*names*/) const {
  const bool has_words = !sqlite::wordsOf(table).empty();
  std::string definitions;
  for (const Column& column : table.columns) {
    definitions += (definitions.empty() ? "" : ", ") +
                   sqlite::definitionOf(*this, column, column.is_identity || has_words);
  }
  return {sqlite::createSql(table.name, {table.model, table.project}, definitions)};
}

std::vector<std::string> SqliteDdl::completeTable(const Table& table, Names& names) const {
  std::vector<std::string> statements;
  const std::vector<std::string> words = sqlite::wordsOf(table);
  if (!words.empty()) {
    for (const char* const behind : kWordsTables) {
      names.add(table.name + behind);
    }
  }
  for (const Column& column : table.columns) {
    if (column.is_indexed && !column.is_primary) {
      statements.push_back(createIndex(names, table.name, {column.name}, false));
    }
  }
  for (const std::vector<std::string>& group : table.unique) {
    statements.push_back(createIndex(names, table.name, group, true));
  }
  if (!words.empty()) {
    std::vector<std::string> made = sqlite::makeWords(table.name, words, {});
    std::move(made.begin(), made.end(), std::back_inserter(statements));
  }
  return statements;
}

std::vector<std::string> SqliteDdl::changeTable(const TableChanges& changes, Names& names,
                                                std::string& error) const {
  return SqliteTableChange(*this, changes, names).statements(error);
}

std::vector<std::string> SqliteDdl::dropTables(
    const std::vector<const ExistingTable*>& tables) const {
  std::vector<std::string> statements;
  for (const ExistingTable* const table : tables) {
    if (!table->words.empty()) {
      statements.push_back("DROP TABLE " + quotedName(table->name + "_fts"));
    }
    statements.push_back("DROP TABLE " + quotedName(table->name));
  }
  return statements;
}

}  // namespace sub0::query
