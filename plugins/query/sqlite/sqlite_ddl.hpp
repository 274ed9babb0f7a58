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
  std::string lastCheck() const override;
  bool readCatalogue(SqlSession& session, std::vector<ExistingTable>& tables,
                     Failure& failure) const override;
  bool ignoresCase() const override { return true; }
  Fit fit(const Column& column, const ExistingColumn& existing) const override;
  std::string typeOf(const Column& column) const override;
  std::vector<std::string> createTable(const Table& table) const override;
  std::vector<std::string> completeTable(const Table& table) const override;
  std::vector<std::string> changeTable(const TableChanges& changes,
                                       std::string& error) const override;
  std::vector<std::string> dropTables(
      const std::vector<const ExistingTable*>& tables) const override;
};

}  // namespace sub0::query
