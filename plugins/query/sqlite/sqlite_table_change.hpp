// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "schema/ddl.hpp"

namespace sub0::query {

// One table that gets all its changes at once, by new columns, or by being made anew; then its
// indexes and triggers are made by the statements that made them.
class SqliteTableChange {
 public:
  SqliteTableChange(const Ddl& ddl, const TableChanges& changes, Names& names)
      : ddl_(ddl),
        changes_(changes),
        wanted_(*changes.wanted),
        existing_(*changes.existing),
        names_(names) {}

  // Empty and an error where it cannot be done.
  std::vector<std::string> statements(std::string& error);

 private:
  const Change* find(ChangeKind kind, const std::string& column) const;
  bool isOfNewColumn(const Change& change) const;
  Column newColumn(const std::string& name) const;
  void addColumns();
  void rebuild();
  void keepNumbers(const std::string& made);
  std::string definitionOfKept(const ExistingColumn& existing) const;
  std::string valueOfKept(const ExistingColumn& existing) const;
  bool isDropped(const ExistingIndex& index) const;
  void dropIndexes();
  void restoreDependents();
  void addIndexes();
  std::vector<std::string> words() const;
  void changeWords(bool is_rebuilt);

  const Ddl& ddl_;
  const TableChanges& changes_;
  const Table& wanted_;
  const ExistingTable& existing_;
  Names& names_;
  std::vector<std::string> statements_;
};

}  // namespace sub0::query
