// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "schema/compared.hpp"

namespace sub0::query {

// What rows that are there have against changes of their table. Databases cut values without a
// word, or name neither table nor column, or quote a value; and MariaDB would stop in the middle.
// So the rows are asked before anything is changed. Reads alone; a migration's own thread. Not
// everything that fails is found so: whether a text is a number is left to the database.

// `obstacle`: which rows, why, and the SQL that finds them; empty: none was found. False and
// `failure` where it could not be asked.
bool findObstacle(SqlSession& session, const Ddl& ddl, const TableChanges& changes,
                  std::string& obstacle, Failure& failure);

// Where rows are why a statement failed after all, the failure says so: of which table, and what
// was to be done to it.
void explain(const Ddl& ddl, const std::vector<Compared>& compared, bool allows,
             const std::string& table, const std::string& sql, Failure& failure);

}  // namespace sub0::query
