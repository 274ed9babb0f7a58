// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_table_change.hpp"

#include <algorithm>
#include <utility>

#include "poco_data/mysql_ddl.hpp"

namespace sub0::query {
namespace {

bool holds(const ExistingIndex& index, std::string_view column) {
  return std::any_of(index.columns.begin(), index.columns.end(),
                     [&](const std::string& name) { return isSameName(name, column); });
}

}  // namespace

const Change* MysqlTableChange::find(ChangeKind kind, std::string_view column) const {
  const auto found = std::find_if(
      changes_.changes.begin(), changes_.changes.end(),
      [&](const Change& change) { return change.kind == kind && isSameName(change.name, column); });
  return found == changes_.changes.end() ? nullptr : &*found;
}

std::vector<std::string> MysqlTableChange::statements(std::string& error) {
  for (const ExistingColumn& column : existing_.columns) {
    if (find(ChangeKind::kDropColumn, column.name) != nullptr) {
      dropColumn(column);
    } else if (isChanged(column)) {
      changeColumn(column, error);
    }
  }
  for (const Change& change : changes_.changes) {
    if (change.kind == ChangeKind::kAddColumn) {
      add("ADD COLUMN " + mysql::definitionOf(*wanted_.find(change.name)));
    }
  }
  for (const Change& change : changes_.changes) {
    if (change.kind == ChangeKind::kDropIndex) {
      dropIndex(*change.index);
    } else if (change.kind == ChangeKind::kAddIndex) {
      add("ADD INDEX " + quotedName(indexName(existing_.name, change.columns, "idx")) + " (" +
          keyPartOf(change.columns[0]) + ")");
    } else if (change.kind == ChangeKind::kAddUnique) {
      addUnique(change, error);
    } else if (change.kind == ChangeKind::kAddWords) {
      add("ADD FULLTEXT INDEX " + quotedName(indexName(existing_.name, {change.name}, "fts")) +
          " (" + quotedName(change.name) + ")");
    } else if (change.kind == ChangeKind::kDropWords) {
      add("DROP INDEX " + quotedName(indexName(existing_.name, {change.name}, "fts")));
    }
  }
  if (clauses_.empty() || !error.empty()) {
    return {};
  }
  std::string sql;
  for (const std::string& clause : clauses_) {
    sql += (sql.empty() ? "ALTER TABLE " + quotedName(existing_.name) + " " : ", ") + clause;
  }
  return {std::move(sql)};
}

// What hangs on it goes first: its reference, and indexes that would be about other columns alone.
void MysqlTableChange::dropColumn(const ExistingColumn& column) {
  for (const ExistingReference& reference : existing_.references) {
    if (isSameName(reference.column, column.name)) {
      add("DROP FOREIGN KEY " + quotedName(reference.name));
    }
  }
  for (const ExistingIndex& index : existing_.indexes) {
    const bool is_dropped_already =
        std::any_of(existing_.columns.begin(), existing_.columns.end(), [&](const auto& other) {
          return &other < &column && holds(index, other.name) &&
                 find(ChangeKind::kDropColumn, other.name) != nullptr;
        });
    if (index.columns.size() > 1 && index.name != "PRIMARY" && holds(index, column.name) &&
        !is_dropped_already) {
      add("DROP INDEX " + quotedName(index.name));
    }
  }
  add("DROP COLUMN " + quotedName(column.name));
}

bool MysqlTableChange::isChanged(const ExistingColumn& column) const {
  return find(ChangeKind::kChangeType, column.name) != nullptr ||
         find(ChangeKind::kRequire, column.name) != nullptr ||
         find(ChangeKind::kRelax, column.name) != nullptr ||
         find(ChangeKind::kAddIdentity, column.name) != nullptr ||
         find(ChangeKind::kDropWords, column.name) != nullptr ||
         (find(ChangeKind::kAddWords, column.name) != nullptr && !existing_.mark.model.empty());
}

void MysqlTableChange::changeColumn(const ExistingColumn& column, std::string& error) {
  const Column& wanted = *wanted_.find(column.name);
  const bool has_new_type = find(ChangeKind::kChangeType, column.name) != nullptr;
  if (column.definition.empty()) {
    error = "column " + column.name + " is computed by the database: change it by SQL";
    return;
  }
  const bool has_new_words =
      find(ChangeKind::kAddWords, column.name) != nullptr && !existing_.mark.model.empty();
  const bool has_old_words = find(ChangeKind::kDropWords, column.name) != nullptr;
  const std::string type = has_new_type ? mysql::typeInFull(wanted)
                           : has_new_words || has_old_words
                               ? mysql::typeWithWords(column, has_new_words)
                               : column.definition;
  const bool is_required =
      (column.is_required || find(ChangeKind::kRequire, column.name) != nullptr) &&
      find(ChangeKind::kRelax, column.name) == nullptr;
  if (has_new_type && mysql::isTextType(MysqlDdl().typeOf(wanted))) {
    cutIndexes(column);
  }
  add("MODIFY COLUMN " + quotedName(column.name) + " " + type +
      (is_required ? " NOT NULL" : " NULL") +
      (find(ChangeKind::kAddIdentity, column.name) != nullptr ? " AUTO_INCREMENT" : "") +
      column.attributes);
}

// A reference that it served gets another one.
void MysqlTableChange::dropIndex(const ExistingIndex& index) {
  add("DROP INDEX " + quotedName(index.name));
  const std::string& column = index.columns[0];
  const bool has_reference =
      wanted_.find(column)->reference ||
      std::any_of(existing_.references.begin(), existing_.references.end(),
                  [&](const ExistingReference& reference) {
                    return isSameName(reference.column, column) &&
                           find(ChangeKind::kDropReference, column) == nullptr;
                  });
  const bool has_other = std::any_of(
      existing_.indexes.begin(), existing_.indexes.end(), [&](const ExistingIndex& other) {
        return other.name != index.name && isSameName(other.columns[0], column);
      });
  if (has_reference && !has_other && find(ChangeKind::kAddIndex, column) == nullptr) {
    add("ADD INDEX " + quotedName(indexName(existing_.name, {column}, "idx")) + " (" +
        keyPartOf(column) + ")");
  }
}

// Indexes of a column that becomes a TEXT have its beginning only.
void MysqlTableChange::cutIndexes(const ExistingColumn& column) {
  for (const ExistingIndex& index : existing_.indexes) {
    if (index.is_unique || index.columns.size() != 1 || !holds(index, column.name)) {
      continue;
    }
    add("DROP INDEX " + quotedName(index.name));
    add("ADD INDEX " + quotedName(index.name) + " (" + mysql::keyPart(column.name, true, 0) + ")");
  }
}

void MysqlTableChange::addUnique(const Change& change, std::string& error) {
  const std::string problem = mysql::keyProblem(wanted_, change.columns);
  if (!problem.empty()) {
    error = "unique " + problem;
    return;
  }
  for (const std::string& name : change.columns) {
    const ExistingColumn* const column = existing_.find(name);
    if (column != nullptr && mysql::isTextType(column->type) &&
        find(ChangeKind::kChangeType, name) == nullptr) {
      error = "column " + name + " is a " + column->type +
              ", which cannot be unique: --allow-destructive makes it a " +
              MysqlDdl().typeOf(*wanted_.find(name));
      return;
    }
  }
  add("ADD UNIQUE INDEX " + quotedName(indexName(existing_.name, change.columns, "key")) + " (" +
      nameList(change.columns) + ")");
}

// By the column as it will be.
std::string MysqlTableChange::keyPartOf(const std::string& name) const {
  const ExistingColumn* const there = existing_.find(name);
  if (there != nullptr && find(ChangeKind::kChangeType, name) == nullptr) {
    const bool is_text = mysql::isTextType(there->type) || there->type == "json";
    return mysql::keyPart(name, is_text, there->max_length);
  }
  const Column& column = *wanted_.find(name);
  return mysql::keyPart(name, mysql::isCutInKey(column), mysql::lengthOf(column));
}

}  // namespace sub0::query
