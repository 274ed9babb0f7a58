// SPDX-License-Identifier: Apache-2.0
#include "schema/obstacles.hpp"

#include <cstdint>

namespace sub0::query {
namespace {

// What is asked of a table, and what is said where there are such rows.
struct Question {
  std::string rows;    // SELECT ... FROM ...: those in the way
  std::string what;    // they do, behind their number: "have no value in column a"
  std::string remedy;  // what to do when they are found
};

std::string from(const TableChanges& changes) {
  return " FROM " + quotedName(changes.existing->name);
}

Question questionOf(const Ddl& ddl, const TableChanges& changes, const Change& change) {
  const ExistingColumn* const there = changes.existing->find(change.name);
  if (change.kind == ChangeKind::kChangeType && there != nullptr) {
    const Misfit misfit = ddl.misfitOf(*changes.wanted->find(change.name), *there);
    if (!misfit.condition.empty()) {
      return {"SELECT *" + from(changes) + " WHERE " + misfit.condition,
              "in column " + there->name + " " + misfit.what, misfit.remedy};
    }
  }
  return {};
}

}  // namespace

bool findObstacle(SqlSession& session, const Ddl& ddl, const TableChanges& changes,
                  std::string& obstacle, Failure& failure) {
  for (const Change& change : changes.changes) {
    const Question question = questionOf(ddl, changes, change);
    if (!changes.has_rows || question.rows.empty()) {
      continue;
    }
    Rows rows;
    if (!rows.read(session, "SELECT count(*) AS found FROM (" + question.rows + ") AS those",
                   failure)) {
      return false;
    }
    const std::int64_t found = rows.number(0, "found");
    if (found > 0) {
      obstacle = std::to_string(found) + (found == 1 ? " row has " : " rows have ") +
                 question.what + ": find " + (found == 1 ? "it" : "them") + " by sub0-host sql '" +
                 question.rows + "', " + question.remedy;
      return true;
    }
  }
  return true;
}

}  // namespace sub0::query
