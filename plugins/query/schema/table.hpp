// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/plugin.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sub0::query {

// What a table must hold (from the host's models), and what one holds (from the database's
// catalogue). Plain data.

enum class ColumnType : std::uint8_t { kString, kNumber, kFloat, kBoolean, kDateTime, kJson };

struct Reference {
  std::string model;  // as the host calls it
  std::string table;  // settled by settleNames()
  std::string column;
};

struct Column {
  std::string name;
  ColumnType type = ColumnType::kString;
  std::int64_t max_length = 0;  // of a string, in characters; 0: none
  bool is_required = true;      // NOT NULL
  bool is_primary = false;
  bool is_unique = false;    // alone or with others
  bool is_identity = false;  // the database numbers new rows
  bool is_indexed = false;
  bool has_words = false;    // full text is searched
  bool is_now = false;       // its default is the time
  bool is_implicit = false;  // S-102: that it is there is enough
  std::optional<Reference> reference;
};

// What a migration writes beside a table that it makes. Projects may share a database.
struct Mark {
  std::string model;
  std::string project;  // as projectMark() calls it
};

struct Table {
  std::string model;
  std::string project;  // that of the migration
  std::string name;
  bool is_used = false;  // by some SQL
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> unique;  // groups of columns
  bool is_exact = false;  // on databases where names of columns differ by their case, too

  const Column* find(std::string_view column) const;
};

// The host's models as tables, with created_at, updated_at and deleted_at where a model has none
// (spec S-102). False and an error where the value is not what sub0/schema.h says.
bool readTables(const sub0_value& models, std::vector<Table>& tables, std::string& error);

struct ExistingColumn {
  std::string name;
  std::string type;             // in the database's words, small letters, without length
  std::int64_t max_length = 0;  // 0: none
  bool is_required = false;
  bool is_primary = false;
  bool has_default = false;  // or an identity
  bool is_identity = false;  // AUTOINCREMENT, where a new table must say it again
  std::string default_text;  // in SQL, where the database keeps it so
  // Of databases that take a column's definition as a whole only:
  bool is_key = false;     // of a primary, unique or foreign key
  std::string definition;  // its type in SQL; empty: it cannot be said again
  std::string attributes;  // what else is said of it, but for NOT NULL
  std::string check;       // of ours, in SQL, where the type alone holds nothing back
};

struct ExistingIndex {
  std::string name;
  std::vector<std::string> columns;  // empty: of an expression, or of some rows only
  bool is_unique = false;
  std::string sql;        // that made it, where the database keeps that
  bool is_bound = false;  // to a key or a constraint, and not to be dropped alone
};

struct ExistingReference {
  std::string column;
  std::string table;     // that it leads to
  std::string key;       // the column there; empty: its primary key
  std::string name;      // of its constraint, where it has one
  bool is_whole = true;  // of this column alone
  bool is_plain = true;  // as a migration writes it: no ON DELETE, nothing else
};

struct ExistingTable {
  std::string name;
  Mark mark;  // whose migration made it, for which model; empty: somebody else did
  std::vector<ExistingColumn> columns;
  std::vector<ExistingIndex> indexes;
  std::vector<ExistingReference> references;
  std::vector<std::string> words;      // columns whose full text is searched
  std::vector<std::string> own_words;  // those of them that a migration made searchable
  bool is_exact = false;               // names of columns differ by their case, too

  // Of databases where some changes take a new table only:
  std::vector<std::string> triggers;       // statements that make them; not those of words
  std::vector<std::string> word_triggers;  // names of those that keep the words
  std::string words_of;      // the table whose words this one holds, by its definition
  bool is_numbered = false;  // AUTOINCREMENT
  std::string beyond;        // what no migration writes and a new table would lose, "COLLATE"

  const ExistingColumn* find(std::string_view column) const;
};

// Among the tables that are there, by its name to the letter; null: there is none.
ExistingTable* tableCalled(std::vector<ExistingTable>& tables, std::string_view name);

// Names compared as the databases do where they ignore case.
bool isSameName(std::string_view a, std::string_view b);
// Names of columns, compared as that database does.
bool isSameColumn(std::string_view a, std::string_view b, bool is_exact);

}  // namespace sub0::query
