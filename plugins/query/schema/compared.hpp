// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "schema/ddl.hpp"

namespace sub0::query {

// A table of a model that is there already, and what it lacks.
struct Compared {
  const Table* wanted = nullptr;
  const ExistingTable* existing = nullptr;
  std::vector<Change> changes;
};

// What tables that are there mean to each other: who refers to whom, and what of that a migration
// must not or cannot leave in place. Pure functions.

// Whether rows that refer to each other may not do so behind it.
bool touchesReferences(ChangeKind kind);

// Why a table cannot be dropped: what refers to it from a table that stays, and is not among the
// changes. Empty: it can.
std::string reasonAgainstDrop(const ExistingTable& table,
                              const std::vector<const ExistingTable*>& gone,
                              const std::vector<ExistingTable>& existing,
                              const std::vector<Compared>& compared, bool ignores_case);

// Adds that references at columns whose types change, at either end, go for that time; only such
// as the models say, which another migration adds where this one ends in the middle. `allows`:
// destructive changes are done.
void detachReferences(std::vector<Compared>& compared, bool allows);

}  // namespace sub0::query
