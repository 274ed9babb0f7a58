// SPDX-License-Identifier: Apache-2.0
#include "schema/obstacles.hpp"

#include <cstdint>

namespace sub0::query {
namespace {

// What is asked of a table, and what is said where there are such rows.
struct Question {
  std::string rows;  // SELECT ... FROM ...: what is in the way
  std::string one;   // of it, in words
  std::string many;  // behind their number
  std::string remedy;
};

Question questionOfNulls(const std::string& table, const std::string& column) {
  const std::string where = " WHERE " + quotedName(column) + " IS NULL";
  return {"SELECT * FROM " + table + where, "row has no value in column " + column,
          "rows have no value in column " + column,
          "give them one (UPDATE " + table + " SET " + quotedName(column) + " = ..." + where +
              "), or make the field optional"};
}

// Rows with a null among the values are no duplicates.
Question questionOfDuplicates(const std::string& table, const TableChanges& changes,
                              const std::vector<std::string>& columns) {
  std::string names;
  std::string where;
  for (const std::string& column : columns) {
    if (changes.existing->find(column) == nullptr) {
      return {};  // it comes with this migration
    }
    names += (names.empty() ? "" : ", ") + column;
    where += (where.empty() ? " WHERE " : " AND ") + quotedName(column) + " IS NOT NULL";
  }
  return {"SELECT " + nameList(columns) + ", count(*) AS found FROM " + table + where +
              " GROUP BY " + nameList(columns) + " HAVING count(*) > 1",
          "value of " + names + " is in several rows",
          "values of " + names + " are in several rows",
          "change or delete all but one row of each, or take the columns out of \"unique\""};
}

Question questionOf(const Ddl& ddl, const TableChanges& changes, const Change& change) {
  const std::string table = quotedName(changes.existing->name);
  const ExistingColumn* const there = changes.existing->find(change.name);
  if (change.kind == ChangeKind::kAddUnique) {
    return questionOfDuplicates(table, changes, change.columns);
  }
  if (change.kind == ChangeKind::kRequire && there != nullptr) {
    return questionOfNulls(table, there->name);
  }
  if (change.kind == ChangeKind::kChangeType && there != nullptr) {
    const Misfit misfit = ddl.misfitOf(*changes.wanted->find(change.name), *there);
    const std::string what = "in column " + there->name + " " + misfit.what;
    return {misfit.condition.empty() ? "" : "SELECT * FROM " + table + " WHERE " + misfit.condition,
            "row has " + what, "rows have " + what, misfit.remedy};
  }
  return {};
}

// The changes that a statement did, or tried to.
std::string changesIn(const std::vector<Compared>& compared, bool allows, const std::string& table,
                      const std::string& sql, const Refusal& refusal) {
  std::string texts;
  for (const Compared& one : compared) {
    for (const Change& change : one.changes) {
      const bool is_done = !change.is_note && (allows || !change.is_destructive);
      const bool is_meant = (refusal.column.empty() || isSameName(refusal.column, change.name)) &&
                            (!refusal.is_misfit || change.kind == ChangeKind::kChangeType) &&
                            sql.find(quotedName(change.name)) != std::string::npos;
      if (one.existing->name == table && is_done && is_meant && !change.text.empty()) {
        texts += (texts.empty() ? "" : ", ") + change.text;
      }
    }
  }
  return texts;
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
      obstacle = std::to_string(found) + " " + (found == 1 ? question.one : question.many) +
                 ": find " + (found == 1 ? "it" : "them") + " by sub0-host sql '" + question.rows +
                 "', " + question.remedy;
      return true;
    }
  }
  return true;
}

void explain(const Ddl& ddl, const std::vector<Compared>& compared, bool allows,
             const std::string& table, const std::string& sql, Failure& failure) {
  const Refusal refusal = ddl.refusalIn(failure);
  if (refusal.why.empty()) {
    return;
  }
  const std::string changes = changesIn(compared, allows, table, sql, refusal);
  failure.code = SUB0_CONSTRAINT;
  failure.log = "table " + table + ": " + (changes.empty() ? std::string() : changes + ": ") +
                (refusal.is_misfit ? "a value that is there cannot be converted, or is too long: "
                                     "mend such values first, or make the model fit"
                                   : "rows stand in the way: mend them first") +
                " (" + refusal.why + " in: " + sql + ")";
}

}  // namespace sub0::query
