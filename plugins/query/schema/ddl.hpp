// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine.hpp"
#include "schema/table.hpp"

namespace sub0::query {

// How well a column that is there serves as the one that is wanted.
enum class Fit : std::uint8_t {
  kFits,
  kWidens,   // once it is changed; no value is lost
  kDiffers,  // another type, or a narrower one
};

enum class ChangeKind : std::uint8_t {
  kAddColumn,
  kDropColumn,
  kChangeType,
  kRequire,      // NOT NULL
  kRelax,        // no NOT NULL
  kAddIdentity,  // an existing key is numbered from now on
  kMakePrimary,  // another column names the rows, which no migration does
  kDropReference,
  kAddReference,
  kDropIndex,
  kAddIndex,
  kAddUnique,
  kAddWords,
  kDropWords,
};

// One difference between a table and its model.
struct Change {
  ChangeKind kind = ChangeKind::kAddColumn;
  std::string text;                              // what is done, for people; empty: part of another
  bool is_destructive = false;                   // values may be lost, or refused
  bool is_note = false;                          // it cannot be done here, and what is there serves
  std::string name;                              // of the column; of indexes of several nothing
  std::vector<std::string> columns;              // of an index
  const ExistingReference* reference = nullptr;  // of kDropReference
  const ExistingIndex* index = nullptr;          // of kDropIndex
};

// What the planner hands over of one table: the model's, and the one in the database.
struct TableChanges {
  const Table* wanted = nullptr;
  const ExistingTable* existing = nullptr;
  bool has_rows = false;
  std::vector<Change> changes;  // those that are done
};

// The name of an index of ours: table_column_suffix, cut to 63 bytes without becoming another's.
std::string indexName(std::string_view table, const std::vector<std::string>& columns,
                      std::string_view suffix);

// Whether a migration may have given that name, by indexName() or Names::take().
bool isNameOfOurs(std::string_view name, std::string_view table,
                  const std::vector<std::string>& columns, std::string_view suffix);

// Names that are taken, of tables, indexes and references, as far as a migration knows: those in
// the database and those that it gives away.
class Names {
 public:
  void add(std::string_view name);
  // indexName(), or one that is free; taken from now on.
  std::string take(std::string_view table, const std::vector<std::string>& columns,
                   std::string_view suffix);

 private:
  bool addNew(std::string_view name);
  std::set<std::string> taken_;  // small letters
};

// A statement that does nothing, and fails where what it tries would.
struct Probe {
  std::string sql;
  std::string what;  // "view v"
};

// Values that a new type of their column would cut, or refuse.
struct Misfit {
  std::string condition;  // which rows have such; empty: that is not asked
  std::string what;       // what they have: "values of more than 4 characters"
  std::string remedy;
};
Misfit tooLong(const std::string& length, std::int64_t most);
Misfit withFraction(const std::string& column);
Misfit notZeroOrOne(const std::string& column);

// What rows have against a statement that failed, in words that quote none of them.
struct Refusal {
  std::string why;         // empty: it did not fail for what rows hold
  std::string column;      // where it is known
  bool is_misfit = false;  // of a type
};

// The data definition language of one database: its catalogue, its types, its statements. Knows
// neither what is allowed nor in what order tables go (migration.cpp). Another engine adds its own
// beside these. Immutable; a migration's own thread.
class Ddl {
 public:
  virtual ~Ddl() = default;

  // What stands before everything else, the catalogue's reading too: from here on no other
  // migration of this database goes on, unless nothing will be written.
  virtual std::vector<std::string> begin(bool only_reads) const = 0;
  // How many rows of these tables refer to rows that are not there: rows of {table, target, column,
  // count}, asked before and behind the changes. Empty: the database sees to that itself.
  virtual std::string countViolations(const std::vector<std::string>& /*tables*/) const {
    return {};
  }
  // Whether a migration that fails, or is killed, leaves nothing behind. Else each statement alone
  // is done whole or not at all, and the next migration goes on from what is there.
  virtual bool isOneTransaction() const { return true; }

  virtual bool readCatalogue(SqlSession& session, std::vector<ExistingTable>& tables,
                             Failure& failure) const = 0;

  // What of the database reads its tables and would not be asked before they change.
  virtual bool readProbes(SqlSession& /*session*/, std::vector<Probe>& /*probes*/,
                          Failure& /*failure*/) const {
    return true;
  }

  // Rows of {name}: what nothing new may be called that the database's tables share names of:
  // indexes, or references. Empty: each table has names of its own.
  virtual std::string takenNames() const { return {}; }

  // Whether "Users" and "users" are one table.
  virtual bool ignoresCase() const { return false; }
  // Whether columns "userId" and "userid" are two.
  virtual bool hasExactColumns() const { return false; }
  // Whether no column at an end of a reference can be changed.
  virtual bool detachesReferences() const { return false; }
  // Whether a column with a reference must have an index.
  virtual bool needsIndexOfReference() const { return false; }
  virtual Fit fit(const Column& column, const ExistingColumn& existing) const = 0;
  // What is asked of the rows before the column gets the model's type.
  virtual Misfit misfitOf(const Column& wanted, const ExistingColumn& existing) const = 0;
  // Why a change of a table failed, if rows are the reason.
  virtual Refusal refusalIn(const Failure& failure) const = 0;
  // What is said instead of making the key of such a table numbered; empty: it can be done.
  virtual std::string noteOnNumbering(const ExistingTable& /*existing*/) const { return {}; }
  // The column's type in this database's words, with length.
  virtual std::string typeOf(const Column& column) const = 0;
  // The same for people, with what is kept besides it.
  virtual std::string shownTypeOf(const Column& column) const { return typeOf(column); }

  // What stands between these tables as a whole and what is there, so that nothing is done; empty:
  // nothing.
  virtual std::string conflictOf(const std::vector<Table>& /*tables*/,
                                 const std::vector<ExistingTable>& /*existing*/) const {
    return {};
  }
  // Why the model can be no table here; empty: it can.
  virtual std::string problemOf(const Table& /*table*/) const { return {}; }
  // The table with its columns and key, marked as the model's.
  virtual std::vector<std::string> createTable(const Table& table, Names& names) const = 0;
  // What can come only when all tables are there: references, indexes.
  virtual std::vector<std::string> completeTable(const Table& table, Names& names) const = 0;
  // Changes of a table that is there; empty and an error where it cannot be done.
  virtual std::vector<std::string> changeTable(const TableChanges& changes, Names& names,
                                               std::string& error) const = 0;
  // What drops references among the changes before anything else is changed; nothing where
  // changeTable does so.
  virtual std::vector<std::string> dropReferences(const TableChanges& /*changes*/) const {
    return {};
  }
  // References among the changes, where changeTable leaves them: they come when the tables that
  // they lead to are there.
  virtual std::vector<std::string> addReferences(const TableChanges& /*changes*/,
                                                 Names& /*names*/) const {
    return {};
  }
  // All of them at once: they may refer to each other.
  virtual std::vector<std::string> dropTables(
      const std::vector<const ExistingTable*>& tables) const = 0;
};

// "name" with quotes as SQL wants them.
std::string quotedName(std::string_view name);
// 'text'
std::string quotedText(std::string_view text);
// "a", "b"
std::string nameList(const std::vector<std::string>& names);
// CREATE INDEX, or CREATE UNIQUE INDEX, by a name that is free.
std::string createIndex(Names& names, std::string_view table,
                        const std::vector<std::string>& columns, bool is_unique);

// How a project is called in the marks of its tables; of any text, its name or its folder.
std::string projectMark(std::string_view project);
// The text of a mark: a table that a migration made says so by it.
std::string textOf(const Mark& mark);
// The mark in such a text; one without a model: there is none.
Mark markIn(std::string_view text);

// The rows of a statement, each an object; an empty statement has none. False and why where it
// fails.
class Rows {
 public:
  bool read(SqlSession& session, std::string_view sql, Failure& failure);
  std::size_t size() const;
  // REQUIRES: index < size()
  std::string text(std::size_t index, std::string_view column) const;
  std::int64_t number(std::size_t index, std::string_view column) const;
  bool truth(std::size_t index, std::string_view column) const;

 private:
  const sub0_value* find(std::size_t index, std::string_view column) const;
  std::unique_ptr<ResultTree> tree_;
  const sub0_value* root_ = nullptr;
};

}  // namespace sub0::query
