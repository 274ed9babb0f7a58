// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "schema/ddl.hpp"

namespace sub0::query {

// Tables of SQLite. Its ALTER TABLE adds plain columns; for all else the table is made anew and its
// rows are copied, which is done only to tables that a migration made: of others, a CHECK or
// COLLATE that we do not know would be lost. Full text: one FTS5 table per table, TABLE_fts over
// the rows of TABLE, kept by triggers, so a query is: WHERE rowid IN (SELECT rowid FROM posts_fts
// WHERE posts_fts MATCH $1).
class SqliteDdl final : public Ddl {
 public:
  std::vector<std::string> begin(bool only_reads) const override;
  std::string countViolations(const std::vector<std::string>& tables) const override;
  bool readCatalogue(SqlSession& session, std::vector<ExistingTable>& tables,
                     Failure& failure) const override;
  bool readProbes(SqlSession& session, std::vector<Probe>& probes, Failure& failure) const override;
  bool ignoresCase() const override { return true; }
  Fit fit(const Column& column, const ExistingColumn& existing) const override;
  Misfit misfitOf(const Column& wanted, const ExistingColumn& existing) const override;
  Refusal refusalIn(const Failure& failure) const override;
  std::string noteOnNumbering(const ExistingTable& existing) const override;
  std::string typeOf(const Column& column) const override;
  std::string shownTypeOf(const Column& column) const override;
  std::string problemOf(const Table& table) const override;
  std::string takenNames() const override { return "SELECT name FROM sqlite_master"; }
  std::string conflictOf(const std::vector<Table>& tables,
                         const std::vector<ExistingTable>& existing) const override;
  std::vector<std::string> createTable(const Table& table, Names& names) const override;
  std::vector<std::string> completeTable(const Table& table, Names& names) const override;
  std::vector<std::string> changeTable(const TableChanges& changes, Names& names,
                                       std::string& error) const override;
  std::vector<std::string> dropTables(
      const std::vector<const ExistingTable*>& tables) const override;
};

// What SqliteDdl and its parts write alike.
namespace sqlite {

// The form of $DATETIME, so that the two compare. spec S-30
inline constexpr const char* kNow = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

// `has_rowid_key`: a Number as its key is the row's own number, which SQLite makes up where it is
// left out.
std::string definitionOf(const Ddl& ddl, const Column& column, bool has_rowid_key = true);
// As it is there.
std::string definitionOf(const ExistingTable& table, const ExistingColumn& column);
std::string createSql(const std::string& name, const Mark& mark, const std::string& definitions);
// Why a table that is there cannot be made anew; empty: it can.
std::string reasonAgainstNewTable(const ExistingTable& table);
std::vector<std::string> wordsOf(const Table& table);
// The FTS5 table of a table and the triggers that keep it, made anew; `old_triggers`: those that
// are there. REQUIRES: SqliteDdl::conflictOf() found none.
std::vector<std::string> makeWords(const std::string& table,
                                   const std::vector<std::string>& columns,
                                   const std::vector<std::string>& old_triggers);

}  // namespace sqlite

}  // namespace sub0::query
