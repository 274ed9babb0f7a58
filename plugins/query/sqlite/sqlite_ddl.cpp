// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_ddl.hpp"

#include <algorithm>
#include <utility>

#include "sql_tokens.hpp"
#include "sqlite/sqlite_values.hpp"

namespace sub0::query {
namespace {

// The form of $DATETIME, so that the two compare. spec S-30
constexpr const char* kNow = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

constexpr const char* kTables =
    "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'";
constexpr const char* kColumns =
    "SELECT m.name AS \"table\", p.name AS \"column\", p.type, p.\"notnull\" AS required, p.pk, "
    "coalesce(p.dflt_value, '') AS preset FROM sqlite_master m JOIN pragma_table_info(m.name) p "
    "WHERE m.type = 'table' ORDER BY m.name, p.cid";
// Of an index with an expression, or of some rows only, the columns are not told.
constexpr const char* kIndexes =
    "SELECT m.name AS \"table\", l.name AS \"index\", l.\"unique\" AS is_unique, l.partial OR "
    "sum(i.name IS NULL) OVER (PARTITION BY m.name, l.name) > 0 AS special, coalesce(i.name, '') "
    "AS \"column\" FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN "
    "pragma_index_info(l.name) i WHERE m.type = 'table' ORDER BY m.name, l.name, i.seqno";
constexpr const char* kDependents =
    "SELECT tbl_name AS \"table\", type, name, sql FROM sqlite_master WHERE type IN ('index', "
    "'trigger') AND sql IS NOT NULL";
constexpr const char* kReferences =
    "SELECT m.name AS \"table\", f.\"from\" AS \"column\", f.\"table\" AS target FROM "
    "sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";

std::string definitionOf(const Ddl& ddl, const Column& column) {
  std::string text = quotedName(column.name) + " " + ddl.typeOf(column);
  const bool is_rowid = column.is_primary && column.type == ColumnType::kNumber;
  text += column.is_required && !is_rowid ? " NOT NULL" : "";
  text += column.is_primary ? " PRIMARY KEY" : "";
  text += column.is_now ? std::string(" DEFAULT (") + kNow + ")" : "";
  if (column.reference) {
    text += " REFERENCES " + quotedName(column.reference->table) + " (" +
            quotedName(column.reference->column) + ")";
  }
  return text;
}

std::string definitionOf(const ExistingTable& table, const ExistingColumn& column) {
  std::string text = quotedName(column.name) + " " + column.type;
  text += column.is_required ? " NOT NULL" : "";
  text += column.is_primary ? " PRIMARY KEY" : "";
  text += column.default_text.empty() ? "" : " DEFAULT (" + column.default_text + ")";
  for (const auto& [name, target] : table.references) {
    text += isSameName(name, column.name) ? " REFERENCES " + quotedName(target) : "";
  }
  return text;
}

std::string createSql(const std::string& name, const std::string& model,
                      const std::string& definitions) {
  return "CREATE TABLE " + quotedName(name) + " (/* " + markOf(model) + " */ " + definitions + ")";
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

// old."a", old."b"
std::string listOf(const std::string& row, const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) {
    list.append(list.empty() ? "" : ", ").append(row).append(".").append(quotedName(column));
  }
  return list;
}

// The FTS5 table of a table and the triggers that keep it, made anew.
std::vector<std::string> makeWords(const std::string& table,
                                   const std::vector<std::string>& columns) {
  const std::string words = table + "_fts";
  const auto trigger = [&](const char* name) { return quotedName(words + "_" + name); };
  const std::string remove = "INSERT INTO " + quotedName(words) + " (" + quotedName(words) +
                             ", rowid, " + nameList(columns) + ") VALUES ('delete', old.rowid, " +
                             listOf("old", columns) + ");";
  const std::string insert = "INSERT INTO " + quotedName(words) + " (rowid, " + nameList(columns) +
                             ") VALUES (new.rowid, " + listOf("new", columns) + ");";
  const std::string on = " ON " + quotedName(table) + " BEGIN ";
  return {"DROP TRIGGER IF EXISTS " + trigger("inserted"),
          "DROP TRIGGER IF EXISTS " + trigger("deleted"),
          "DROP TRIGGER IF EXISTS " + trigger("updated"),
          "DROP TABLE IF EXISTS " + quotedName(words),
          "CREATE VIRTUAL TABLE " + quotedName(words) + " USING fts5(" + nameList(columns) +
              ", content=" + quotedText(table) + ", content_rowid='rowid')",
          "CREATE TRIGGER " + trigger("inserted") + " AFTER INSERT" + on + insert + " END",
          "CREATE TRIGGER " + trigger("deleted") + " AFTER DELETE" + on + remove + " END",
          "CREATE TRIGGER " + trigger("updated") + " AFTER UPDATE" + on + remove + " " + insert +
              " END",
          "INSERT INTO " + quotedName(words) + " (" + quotedName(words) + ") VALUES ('rebuild')"};
}

bool isRebuilt(const Change& change) {
  switch (change.kind) {
    case ChangeKind::kDropColumn:
    case ChangeKind::kChangeType:
    case ChangeKind::kRequire:
    case ChangeKind::kRelax:
    case ChangeKind::kAddReference:
    case ChangeKind::kAddIdentity:
      return true;
    default:
      return false;
  }
}

// One table that gets all its changes at once, by new columns, or by being made anew.
class TableChange {
 public:
  TableChange(const Ddl& ddl, const TableChanges& changes)
      : ddl_(ddl), changes_(changes), wanted_(*changes.wanted), existing_(*changes.existing) {}

  std::vector<std::string> statements(std::string& error) {
    const bool is_rebuilt = std::any_of(
        changes_.changes.begin(), changes_.changes.end(),
        [this](const Change& change) { return isRebuilt(change) && !isOfNewColumn(change); });
    if (is_rebuilt && existing_.model.empty()) {
      error =
          "this takes a new table, and no migration made this one, so nobody knows what would "
          "be lost: change it by SQL, or make the model fit";
      return {};
    }
    if (is_rebuilt) {
      rebuild();
    } else {
      addColumns();
    }
    addIndexes(is_rebuilt);
    return std::move(statements_);
  }

 private:
  const Change* find(ChangeKind kind, const std::string& column) const {
    const auto found =
        std::find_if(changes_.changes.begin(), changes_.changes.end(), [&](const Change& change) {
          return change.kind == kind && isSameName(change.name, column);
        });
    return found == changes_.changes.end() ? nullptr : &*found;
  }

  bool isOfNewColumn(const Change& change) const {
    return find(ChangeKind::kAddColumn, change.name) != nullptr;
  }

  void addColumns() {
    for (const Change& change : changes_.changes) {
      if (change.kind != ChangeKind::kAddColumn) {
        continue;
      }
      Column column = *wanted_.find(change.name);
      const bool is_late = column.is_now && changes_.has_rows;
      if (is_late) {  // ALTER TABLE takes no default that is an expression
        column.is_now = false;
        column.is_required = false;
      }
      statements_.push_back("ALTER TABLE " + quotedName(existing_.name) + " ADD COLUMN " +
                            definitionOf(ddl_, column));
      if (is_late) {
        statements_.push_back("UPDATE " + quotedName(existing_.name) + " SET " +
                              quotedName(column.name) + " = " + kNow);
      }
    }
  }

  // A new table, the rows, the old one's name.
  void rebuild() {
    std::string definitions;
    std::vector<std::string> kept;
    const auto define = [&](const std::string& definition) {
      definitions += (definitions.empty() ? "" : ", ") + definition;
    };
    for (const ExistingColumn& column : existing_.columns) {
      if (find(ChangeKind::kDropColumn, column.name) != nullptr) {
        continue;
      }
      define(definitionOfKept(column));
      kept.push_back(column.name);
    }
    for (const Column& column : wanted_.columns) {
      if (find(ChangeKind::kAddColumn, column.name) != nullptr) {
        define(definitionOf(ddl_, column));
      }
    }
    const std::string made = existing_.name + "_made_anew";
    statements_.push_back(createSql(made, existing_.model, definitions));
    statements_.push_back("INSERT INTO " + quotedName(made) + " (" + nameList(kept) + ") SELECT " +
                          nameList(kept) + " FROM " + quotedName(existing_.name));
    statements_.push_back("DROP TABLE " + quotedName(existing_.name));
    statements_.push_back("ALTER TABLE " + quotedName(made) + " RENAME TO " +
                          quotedName(existing_.name));
  }

  // What is allowed is done to it, and the rest stays.
  std::string definitionOfKept(const ExistingColumn& existing) const {
    const Column* const wanted = wanted_.find(existing.name);
    ExistingColumn column = existing;
    ExistingTable table = existing_;
    if (wanted != nullptr) {
      column.type = find(ChangeKind::kChangeType, existing.name) != nullptr ? ddl_.typeOf(*wanted)
                                                                            : column.type;
      column.is_required =
          (column.is_required || find(ChangeKind::kRequire, existing.name) != nullptr) &&
          find(ChangeKind::kRelax, existing.name) == nullptr;
      if (find(ChangeKind::kAddReference, existing.name) != nullptr) {
        table.references.emplace_back(existing.name, wanted->reference->table);
      }
    }
    return definitionOf(table, column);
  }

  void addIndexes(bool is_rebuilt) {
    if (is_rebuilt) {  // those of the old table went with it
      for (const ExistingIndex& index : existing_.indexes) {
        const bool is_dropped = std::any_of(
            index.columns.begin(), index.columns.end(), [this](const std::string& column) {
              return find(ChangeKind::kDropColumn, column) != nullptr;
            });
        if (!index.columns.empty() && !is_dropped && index.name.rfind("sqlite_autoindex", 0) != 0) {
          statements_.push_back(createIndex(existing_.name, index.columns, index.is_unique));
        }
      }
    }
    if (is_rebuilt) {
      statements_.insert(statements_.end(), existing_.dependents.begin(),
                         existing_.dependents.end());
    }
    bool has_new_words = false;
    for (const Change& change : changes_.changes) {
      has_new_words = has_new_words || change.kind == ChangeKind::kAddWords;
      if (change.kind == ChangeKind::kAddIndex || change.kind == ChangeKind::kAddUnique) {
        statements_.push_back(
            createIndex(existing_.name, change.columns, change.kind == ChangeKind::kAddUnique));
      }
    }
    const std::vector<std::string> words = wordsOf(wanted_);
    if (words.empty() && is_rebuilt && !existing_.words.empty()) {
      statements_.push_back("DROP TABLE " + quotedName(existing_.name + "_fts"));
    }
    if (!words.empty() && (has_new_words || is_rebuilt)) {
      std::vector<std::string> made = makeWords(existing_.name, words);
      std::move(made.begin(), made.end(), std::back_inserter(statements_));
    }
  }

  const Ddl& ddl_;
  const TableChanges& changes_;
  const Table& wanted_;
  const ExistingTable& existing_;
  std::vector<std::string> statements_;
};

ExistingTable* find(std::vector<ExistingTable>& tables, const std::string& name) {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const ExistingTable& table) { return table.name == name; });
  return found == tables.end() ? nullptr : &*found;
}

bool readColumns(SqlSession& session, std::vector<ExistingTable>& tables, Failure& failure) {
  Rows rows;
  if (!rows.read(session, kColumns, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = find(tables, rows.text(i, "table"));
    if (table == nullptr) {
      continue;
    }
    ExistingColumn column;
    column.name = rows.text(i, "column");
    column.type = rows.text(i, "type");
    column.is_required = rows.truth(i, "required");
    column.is_primary = rows.truth(i, "pk");
    column.default_text = rows.text(i, "preset");
    // A key of type INTEGER numbers new rows by itself.
    column.has_default = column.is_primary || !column.default_text.empty();
    table->columns.push_back(std::move(column));
  }
  return true;
}

bool readIndexes(SqlSession& session, std::vector<ExistingTable>& tables, Failure& failure) {
  Rows rows;
  if (!rows.read(session, kIndexes, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = find(tables, rows.text(i, "table"));
    const std::string name = rows.text(i, "index");
    if (table == nullptr) {
      continue;
    }
    if (table->indexes.empty() || table->indexes.back().name != name) {
      table->indexes.push_back(ExistingIndex{name, {}, rows.truth(i, "is_unique")});
    }
    if (!rows.truth(i, "special")) {
      table->indexes.back().columns.push_back(rows.text(i, "column"));
    }
  }
  if (!rows.read(session, kReferences, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = find(tables, rows.text(i, "table"));
    if (table != nullptr) {
      table->references.emplace_back(rows.text(i, "column"), rows.text(i, "target"));
    }
  }
  return true;
}

// Behind the indexes: those that are known by their columns are made from these.
bool readDependents(SqlSession& session, std::vector<ExistingTable>& tables, Failure& failure) {
  Rows rows;
  if (!rows.read(session, kDependents, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExistingTable* const table = find(tables, rows.text(i, "table"));
    const std::string name = rows.text(i, "name");
    const bool is_of_words = table != nullptr && name.rfind(table->name + "_fts_", 0) == 0;
    const auto is_known = [&](const ExistingIndex& index) {
      return index.name == name && !index.columns.empty();
    };
    if (table != nullptr && !is_of_words &&
        std::none_of(table->indexes.begin(), table->indexes.end(), is_known)) {
      table->dependents.push_back(rows.text(i, "sql"));
    }
  }
  return true;
}

}  // namespace

std::vector<std::string> SqliteDdl::begin(bool only_reads) const {
  if (only_reads) {
    return {"BEGIN"};
  }
  // A table that is made anew goes for a moment; who refers to it, a view too, is left alone.
  return {"PRAGMA foreign_keys = 0", "PRAGMA legacy_alter_table = 1", "BEGIN IMMEDIATE"};
}

std::string SqliteDdl::lastCheck() const {
  return "SELECT \"table\" FROM pragma_foreign_key_check";
}

bool SqliteDdl::readCatalogue(SqlSession& session, std::vector<ExistingTable>& tables,
                              Failure& failure) const {
  Rows rows;
  if (!rows.read(session, kTables, failure)) {
    return false;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    tables.emplace_back();
    tables.back().name = rows.text(i, "name");
    tables.back().model = modelOfMark(rows.text(i, "sql"));
  }
  if (!readColumns(session, tables, failure) || !readIndexes(session, tables, failure) ||
      !readDependents(session, tables, failure)) {
    return false;
  }
  for (ExistingTable& table : tables) {
    const ExistingTable* const words = find(tables, table.name + "_fts");
    for (const ExistingColumn& column :
         words == nullptr ? std::vector<ExistingColumn>() : words->columns) {
      table.words.push_back(column.name);
    }
  }
  return true;
}

// By the kind that values of the column are read back as (spec S-32); lengths are not kept.
Fit SqliteDdl::fit(const Column& column, const ExistingColumn& existing) const {
  const std::string there = capitals(existing.type);
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

std::vector<std::string> SqliteDdl::createTable(const Table& table) const {
  std::string definitions;
  for (const Column& column : table.columns) {
    definitions += (definitions.empty() ? "" : ", ") + definitionOf(*this, column);
  }
  return {createSql(table.name, table.model, definitions)};
}

std::vector<std::string> SqliteDdl::completeTable(const Table& table) const {
  std::vector<std::string> statements;
  for (const Column& column : table.columns) {
    if (column.is_indexed && !column.is_primary) {
      statements.push_back(createIndex(table.name, {column.name}, false));
    }
  }
  for (const std::vector<std::string>& group : table.unique) {
    statements.push_back(createIndex(table.name, group, true));
  }
  const std::vector<std::string> words = wordsOf(table);
  if (!words.empty()) {
    std::vector<std::string> made = makeWords(table.name, words);
    std::move(made.begin(), made.end(), std::back_inserter(statements));
  }
  return statements;
}

std::vector<std::string> SqliteDdl::changeTable(const TableChanges& changes,
                                                std::string& error) const {
  return TableChange(*this, changes).statements(error);
}

std::vector<std::string> SqliteDdl::dropTables(
    const std::vector<const ExistingTable*>& tables) const {
  std::vector<std::string> statements;
  for (const ExistingTable* const table : tables) {
    statements.push_back("DROP TABLE IF EXISTS " + quotedName(table->name + "_fts"));
    statements.push_back("DROP TABLE " + quotedName(table->name));
  }
  return statements;
}

}  // namespace sub0::query
