// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "schema/ddl.hpp"

namespace sub0::query {

// Tables of MariaDB (10.6 and later) and MySQL (8 and later): InnoDB, utf8mb4, texts compared by
// code point as on the other databases. Definitions are part of no transaction there, so a table is
// made by one statement, references and indexes included, and changed by one: each is done whole or
// not at all, and the next migration goes on from what is there. Q-93
//
// A String is VARCHAR(max_length). Without max_length it is TEXT, and an index has its first 255
// characters; where the whole value must be in an index (primary, unique and foreign keys), it is
// VARCHAR(255). Above 16383, which no row holds, it is MEDIUMTEXT or LONGTEXT. Full text: a
// FULLTEXT index per column, which then ignores case: WHERE MATCH (title) AGAINST ($1).
class MysqlDdl final : public Ddl {
 public:
  std::vector<std::string> begin(bool only_reads) const override;
  bool isOneTransaction() const override { return false; }
  bool readCatalogue(SqlSession& session, std::vector<ExistingTable>& tables,
                     Failure& failure) const override;
  std::string takenNames() const override;
  Fit fit(const Column& column, const ExistingColumn& existing) const override;
  Misfit misfitOf(const Column& wanted, const ExistingColumn& existing) const override;
  Refusal refusalIn(const Failure& failure) const override;
  std::string typeOf(const Column& column) const override;
  bool detachesReferences() const override { return true; }
  bool needsIndexOfReference() const override { return true; }
  std::string problemOf(const Table& table) const override;
  std::vector<std::string> createTable(const Table& table, Names& names) const override;
  std::vector<std::string> completeTable(const Table&, Names&) const override { return {}; }
  std::vector<std::string> changeTable(const TableChanges& changes, Names& names,
                                       std::string& error) const override;
  std::vector<std::string> dropReferences(const TableChanges& changes) const override;
  std::vector<std::string> addReferences(const TableChanges& changes, Names& names) const override;
  std::vector<std::string> dropTables(
      const std::vector<const ExistingTable*>& tables) const override;
};

// What columns of these models become; for the parts of MysqlDdl.
namespace mysql {

constexpr std::int64_t kLongestVarchar = 16383;  // of four bytes each, in a row of 65535
constexpr std::int64_t kLongestMediumText = 4194303;
constexpr std::int64_t kLongestInKey = 768;  // in an index of 3072
constexpr std::int64_t kPrefix = 255;        // of a TEXT in an index

// The length of the VARCHAR that a String is; 0: it is a TEXT.
std::int64_t lengthOf(const Column& column);
bool isTextType(std::string_view type);
// Type, character set, collation.
std::string typeInFull(const Column& column);
// The same of a column that is there, now for full text, or no longer.
std::string typeWithWords(const ExistingColumn& column, bool has_words);
// Whether an index has its beginning only.
bool isCutInKey(const Column& column);
std::string definitionOf(const Column& column);
// One column of an index, cut where it must be.
std::string keyPart(const std::string& column, bool is_text, std::int64_t length);
// By a name that no other reference of the database has.
std::string referenceClause(std::string_view table, const Column& column, Names& names);
// Why these columns cannot be unique together; empty: they can.
std::string keyProblem(const Table& table, const std::vector<std::string>& columns);

}  // namespace mysql

}  // namespace sub0::query
