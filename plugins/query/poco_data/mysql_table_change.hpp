// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "schema/ddl.hpp"

namespace sub0::query {

// One ALTER TABLE with everything that a table gets, so that it gets all of it or nothing; but for
// references, whose tables may not be there yet. A column is said anew as a whole where one thing
// of it changes: what the database says of it now, with that change.
class MysqlTableChange {
 public:
  explicit MysqlTableChange(const TableChanges& changes)
      : changes_(changes), wanted_(*changes.wanted), existing_(*changes.existing) {}

  // Empty and an error where it cannot be done.
  std::vector<std::string> statements(std::string& error);

 private:
  const Change* find(ChangeKind kind, std::string_view column) const;
  void add(std::string clause) { clauses_.push_back(std::move(clause)); }
  void dropColumn(const ExistingColumn& column);
  bool isChanged(const ExistingColumn& column) const;
  void changeColumn(const ExistingColumn& column, std::string& error);
  void dropIndex(const ExistingIndex& index);
  void cutIndexes(const ExistingColumn& column);
  void addUnique(const Change& change, std::string& error);
  std::string keyPartOf(const std::string& column) const;

  const TableChanges& changes_;
  const Table& wanted_;
  const ExistingTable& existing_;
  std::vector<std::string> clauses_;
};

}  // namespace sub0::query
