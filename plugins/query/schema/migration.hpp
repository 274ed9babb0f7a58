// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "schema/ddl.hpp"
#include "schema/table.hpp"

namespace sub0::query {

struct MigrationStep {
  enum class Kind : std::uint8_t {
    kChange,
    kDestructive,
    kNote,
    kDone,  // of a migration that failed all the same, on a database that takes nothing back
  };
  Kind kind = Kind::kChange;
  std::string table;
  std::string text;  // for people
};

struct MigrationOptions {
  std::string project;  // projectMark() of whose tables are made
  bool plan_only = false;
  bool allow_destructive = false;
};

struct MigrationEnd {
  Failure failure;  // code SUB0_OK: it went well
  std::vector<MigrationStep> steps;
};

// Makes the database's tables what the models say, as a whole or not at all (spec S-103): one
// transaction, begun behind the lock that all migrations of a database share. Where definitions are
// part of no transaction (Ddl::isOneTransaction), each statement is whole or not at all, what rows
// may refuse comes first, and another migration goes on where one ended. Additive only: destructive
// steps are named, and done only where that is allowed; what cannot be done at all fails the whole.
// Blocks; a thread of its own.
MigrationEnd migrate(SqlSession& session, const Ddl& ddl, std::vector<Table> tables,
                     const MigrationOptions& options);

}  // namespace sub0::query
