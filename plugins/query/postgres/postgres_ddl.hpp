// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "schema/ddl.hpp"

namespace sub0::query {

// Tables of PostgreSQL, in the schema that comes first in the search path. Everything, indexes too,
// is part of one transaction. Full text: a GIN index over to_tsvector('simple', column), so a query
// must write just that: WHERE to_tsvector('simple', title) @@ plainto_tsquery('simple', $1).
class PostgresDdl final : public Ddl {
 public:
  std::vector<std::string> begin(bool only_reads) const override;
  bool readCatalogue(SqlSession& session, std::vector<ExistingTable>& tables,
                     Failure& failure) const override;
  Fit fit(const Column& column, const ExistingColumn& existing) const override;
  Misfit misfitOf(const Column& wanted, const ExistingColumn& existing) const override;
  Refusal refusalIn(const Failure& failure) const override;
  std::string typeOf(const Column& column) const override;
  std::string takenNames() const override;
  std::string problemOf(const Table& table) const override;
  bool hasExactColumns() const override { return true; }
  std::vector<std::string> createTable(const Table& table, Names& names) const override;
  std::vector<std::string> completeTable(const Table& table, Names& names) const override;
  std::vector<std::string> changeTable(const TableChanges& changes, Names& names,
                                       std::string& error) const override;
  std::vector<std::string> dropReferences(const TableChanges& changes) const override;
  std::vector<std::string> addReferences(const TableChanges& changes, Names& names) const override;
  std::vector<std::string> dropTables(
      const std::vector<const ExistingTable*>& tables) const override;
};

}  // namespace sub0::query
