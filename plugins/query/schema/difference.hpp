// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "schema/ddl.hpp"

namespace sub0::query {

// What a table that is there lacks, or has too much of, by its model: additions, widenings, and
// destructive changes, each with a text for people. Pure function. spec S-103
std::vector<Change> differencesOf(const Table& table, const ExistingTable& existing,
                                  const Ddl& ddl);

// Why changes that were planned cannot be done on any database; empty: they can.
std::string impossible(const TableChanges& changes);

}  // namespace sub0::query
