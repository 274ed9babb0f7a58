// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_table_change.hpp"

#include <algorithm>
#include <utility>

#include "sqlite/sqlite_checks.hpp"
#include "sqlite/sqlite_ddl.hpp"

namespace sub0::query {
namespace {

bool isRebuilt(const Change& change) {
  switch (change.kind) {
    case ChangeKind::kDropColumn:
    case ChangeKind::kChangeType:
    case ChangeKind::kRequire:
    case ChangeKind::kRelax:
    case ChangeKind::kDropReference:
    case ChangeKind::kAddReference:
    case ChangeKind::kAddIdentity:
      return true;
    default:
      return false;
  }
}

}  // namespace

const Change* SqliteTableChange::find(ChangeKind kind, const std::string& column) const {
  const auto found = std::find_if(
      changes_.changes.begin(), changes_.changes.end(),
      [&](const Change& change) { return change.kind == kind && isSameName(change.name, column); });
  return found == changes_.changes.end() ? nullptr : &*found;
}

bool SqliteTableChange::isOfNewColumn(const Change& change) const {
  return find(ChangeKind::kAddColumn, change.name) != nullptr;
}

std::vector<std::string> SqliteTableChange::statements(std::string& error) {
  const bool is_rebuilt = std::any_of(
      changes_.changes.begin(), changes_.changes.end(),
      [this](const Change& change) { return isRebuilt(change) && !isOfNewColumn(change); });
  error = is_rebuilt ? sqlite::reasonAgainstNewTable(existing_) : std::string();
  if (!error.empty()) {
    return {};
  }
  if (is_rebuilt) {
    rebuild();
    restoreDependents();
  } else {
    dropIndexes();
    addColumns();
  }
  addIndexes();
  changeWords(is_rebuilt);
  return std::move(statements_);
}

// Without a reference that has to wait.
Column SqliteTableChange::newColumn(const std::string& name) const {
  Column column = *wanted_.find(name);
  if (find(ChangeKind::kAddReference, name) == nullptr) {
    column.reference.reset();
  }
  return column;
}

void SqliteTableChange::addColumns() {
  for (const Change& change : changes_.changes) {
    if (change.kind != ChangeKind::kAddColumn) {
      continue;
    }
    Column column = newColumn(change.name);
    const bool is_late = column.is_now && changes_.has_rows;
    if (is_late) {  // ALTER TABLE takes no default that is an expression
      column.is_now = false;
      column.is_required = false;
    }
    statements_.push_back("ALTER TABLE " + quotedName(existing_.name) + " ADD COLUMN " +
                          sqlite::definitionOf(ddl_, column));
    if (is_late) {
      statements_.push_back("UPDATE " + quotedName(existing_.name) + " SET " +
                            quotedName(column.name) + " = " + sqlite::kNow);
    }
  }
}

// A new table, the rows, the old one's name.
void SqliteTableChange::rebuild() {
  std::string definitions;
  std::vector<std::string> kept;
  std::string values;
  const auto define = [&](const std::string& definition) {
    definitions += (definitions.empty() ? "" : ", ") + definition;
  };
  for (const ExistingColumn& column : existing_.columns) {
    if (find(ChangeKind::kDropColumn, column.name) != nullptr) {
      continue;
    }
    define(definitionOfKept(column));
    kept.push_back(column.name);
    values += (values.empty() ? "" : ", ") + valueOfKept(column);
  }
  for (const Column& column : wanted_.columns) {
    if (find(ChangeKind::kAddColumn, column.name) != nullptr) {
      define(sqlite::definitionOf(ddl_, newColumn(column.name)));
    }
  }
  const std::string made = names_.take(existing_.name, {}, "made_anew");
  statements_.push_back(sqlite::createSql(made, existing_.mark, definitions));
  statements_.push_back("INSERT INTO " + quotedName(made) + " (" + nameList(kept) + ") SELECT " +
                        values + " FROM " + quotedName(existing_.name));
  keepNumbers(made);
  statements_.push_back("DROP TABLE " + quotedName(existing_.name));
  statements_.push_back("ALTER TABLE " + quotedName(made) + " RENAME TO " +
                        quotedName(existing_.name));
}

// Those of rows that are gone stay given. spec S-104
void SqliteTableChange::keepNumbers(const std::string& made) {
  if (std::any_of(existing_.columns.begin(), existing_.columns.end(),
                  [](const ExistingColumn& column) { return column.is_identity; })) {
    statements_.push_back("DELETE FROM sqlite_sequence WHERE name = " + quotedText(made));
    statements_.push_back("INSERT INTO sqlite_sequence (name, seq) SELECT " + quotedText(made) +
                          ", seq FROM sqlite_sequence WHERE name = " + quotedText(existing_.name));
  }
}

// The words of a text that becomes a boolean are the numbers that such columns hold.
std::string SqliteTableChange::valueOfKept(const ExistingColumn& existing) const {
  const std::string name = quotedName(existing.name);
  const Column* const wanted = wanted_.find(existing.name);
  const bool is_made_boolean = wanted != nullptr && wanted->type == ColumnType::kBoolean &&
                               find(ChangeKind::kChangeType, existing.name) != nullptr;
  return is_made_boolean ? "CASE lower(" + name + ") WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE " +
                               name + " END"
                         : name;
}

// What is allowed is done to it, and the rest stays.
std::string SqliteTableChange::definitionOfKept(const ExistingColumn& existing) const {
  const Column* const wanted = wanted_.find(existing.name);
  ExistingColumn column = existing;
  ExistingTable table = existing_;
  if (wanted != nullptr) {
    if (find(ChangeKind::kChangeType, existing.name) != nullptr) {
      column.type = ddl_.typeOf(*wanted);
      column.check = checkOf(*wanted);
    }
    if (find(ChangeKind::kAddIdentity, existing.name) != nullptr) {
      column.type = "INTEGER";
      column.check.clear();
      column.is_identity = column.is_primary;
    }
    column.is_required =
        (column.is_required || find(ChangeKind::kRequire, existing.name) != nullptr) &&
        find(ChangeKind::kRelax, existing.name) == nullptr;
    table.references.erase(std::remove_if(table.references.begin(), table.references.end(),
                                          [&](const ExistingReference& reference) {
                                            return isSameName(reference.column, existing.name) &&
                                                   find(ChangeKind::kDropReference,
                                                        existing.name) != nullptr;
                                          }),
                           table.references.end());
    if (find(ChangeKind::kAddReference, existing.name) != nullptr) {
      table.references.push_back(
          {existing.name, wanted->reference->table, wanted->reference->column, "", true, true});
    }
  }
  return sqlite::definitionOf(table, column);
}

bool SqliteTableChange::isDropped(const ExistingIndex& index) const {
  return std::any_of(changes_.changes.begin(), changes_.changes.end(),
                     [&](const Change& change) { return change.index == &index; });
}

void SqliteTableChange::dropIndexes() {
  for (const Change& change : changes_.changes) {
    if (change.kind == ChangeKind::kDropIndex) {
      statements_.push_back("DROP INDEX " + quotedName(change.index->name));
    }
  }
}

// Indexes and triggers of the old table went with it.
void SqliteTableChange::restoreDependents() {
  for (const ExistingIndex& index : existing_.indexes) {
    const bool is_dropped =
        isDropped(index) ||
        std::any_of(index.columns.begin(), index.columns.end(), [this](const std::string& column) {
          return find(ChangeKind::kDropColumn, column) != nullptr;
        });
    if (!is_dropped && !index.sql.empty()) {
      statements_.push_back(index.sql);
    }
  }
  statements_.insert(statements_.end(), existing_.triggers.begin(), existing_.triggers.end());
}

void SqliteTableChange::addIndexes() {
  for (const Change& change : changes_.changes) {
    if (change.kind == ChangeKind::kAddIndex || change.kind == ChangeKind::kAddUnique) {
      statements_.push_back(createIndex(names_, existing_.name, change.columns,
                                        change.kind == ChangeKind::kAddUnique));
    }
  }
}

// Those of the model, and those that wait to be dropped.
std::vector<std::string> SqliteTableChange::words() const {
  std::vector<std::string> words = sqlite::wordsOf(wanted_);
  for (const std::string& word : existing_.own_words) {
    const Column* const column = wanted_.find(word);
    const bool stays = find(ChangeKind::kDropWords, word) == nullptr &&
                       find(ChangeKind::kDropColumn, word) == nullptr;
    if (stays && (column == nullptr || !column->has_words)) {
      words.push_back(word);
    }
  }
  return words;
}

void SqliteTableChange::changeWords(bool is_rebuilt) {
  const auto has = [this](ChangeKind kind) {
    return std::any_of(changes_.changes.begin(), changes_.changes.end(),
                       [kind](const Change& change) { return change.kind == kind; });
  };
  const bool has_old_words = has(ChangeKind::kDropWords);
  const std::vector<std::string> words = this->words();
  const std::vector<std::string> old_triggers =
      is_rebuilt ? std::vector<std::string>() : existing_.word_triggers;
  if (words.empty() && (is_rebuilt || has_old_words) && !existing_.words.empty()) {
    for (const std::string& name : old_triggers) {
      statements_.push_back("DROP TRIGGER " + quotedName(name));
    }
    statements_.push_back("DROP TABLE " + quotedName(existing_.name + "_fts"));
  }
  if (!words.empty() && (has(ChangeKind::kAddWords) || has_old_words || is_rebuilt)) {
    std::vector<std::string> made = sqlite::makeWords(existing_.name, words, old_triggers);
    std::move(made.begin(), made.end(), std::back_inserter(statements_));
  }
}

}  // namespace sub0::query
