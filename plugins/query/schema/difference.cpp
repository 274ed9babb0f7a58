// SPDX-License-Identifier: Apache-2.0
#include "schema/difference.hpp"

#include <algorithm>
#include <utility>

namespace sub0::query {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ", ") + name;
  }
  return list;
}

class Differences {
 public:
  Differences(const Table& table, const ExistingTable& existing, const Ddl& ddl)
      : table_(table), existing_(existing), ddl_(ddl) {}

  std::vector<Change> find() {
    for (const ExistingReference& reference : existing_.references) {
      compareReference(reference);
    }
    for (const ExistingIndex& index : existing_.indexes) {
      compareIndex(index);
    }
    for (const std::string& words : existing_.own_words) {
      compareWords(words);
    }
    for (const Column& column : table_.columns) {
      const ExistingColumn* const there = existing_.find(column.name);
      if (there == nullptr) {
        add(ChangeKind::kAddColumn, column.name,
            "add column " + column.name + " " + ddl_.typeOf(column) +
                (column.is_required ? "" : ", optional"));
      } else if (!column.is_implicit) {
        compare(column, *there);
      }
      compareAdditions(column);
    }
    for (const std::vector<std::string>& group : table_.unique) {
      if (!hasIndex(group, true)) {
        Change& change = add(ChangeKind::kAddUnique, "", "make " + joined(group) + " unique");
        change.columns = group;
      }
    }
    for (const ExistingColumn& column : existing_.columns) {
      if (table_.find(column.name) == nullptr) {
        add(ChangeKind::kDropColumn, column.name,
            "drop column " + column.name + ": the model has no such field" + otherCase(column.name),
            true);
      }
    }
    return std::move(changes_);
  }

 private:
  Change& add(ChangeKind kind, const std::string& name, std::string text,
              bool is_destructive = false) {
    changes_.emplace_back();
    Change& change = changes_.back();
    change.kind = kind;
    change.text = std::move(text);
    change.is_destructive = is_destructive;
    change.name = name;
    return change;
  }

  bool isSame(std::string_view a, std::string_view b) const {
    return isSameColumn(a, b, table_.is_exact);
  }

  // Where names differ by case, and only by that.
  std::string otherCase(const std::string& column) const {
    for (const Column& other : table_.columns) {
      if (isSameName(other.name, column)) {
        return " (" + other.name + " is another column on this database)";
      }
    }
    return {};
  }

  // Whether a migration of this project made the table: another's has SQL of its own, and so other
  // columns that are unique.
  bool isOurs() const {
    return !existing_.mark.model.empty() && existing_.mark.project == table_.project;
  }

  bool leadsAsTheModelSays(const ExistingReference& there, const Column& column) const {
    return column.reference && there.is_whole && isSame(there.column, column.name) &&
           (ddl_.ignoresCase() ? isSameName(there.table, column.reference->table)
                               : there.table == column.reference->table) &&
           (there.key.empty() || isSame(there.key, column.reference->column));
  }

  bool isWrittenByUs(const ExistingReference& there) const {
    return !existing_.mark.model.empty() && there.is_whole && there.is_plain &&
           (there.name.empty() || isNameOfOurs(there.name, existing_.name, {there.column}, "fkey"));
  }

  // One that leads elsewhere than the model says, or that the model has no longer.
  void compareReference(const ExistingReference& there) {
    const Column* const column = table_.find(there.column);
    if (column == nullptr || leadsAsTheModelSays(there, *column)) {
      return;
    }
    const std::string what = "column " + there.column + " refers to " + there.table + " (" +
                             (there.key.empty() ? "its key" : there.key) + ")";
    const std::string why = column->reference ? "the model says " + column->reference->table +
                                                    " (" + column->reference->column + ")"
                                              : "the field has no foreign_key";
    if (isWrittenByUs(there)) {
      add(ChangeKind::kDropReference, there.column, "take away that " + what + ": " + why, true)
          .reference = &there;
    } else if (column->reference) {
      add(ChangeKind::kDropReference, there.column,
          what + ", and stays so, because no migration wrote that; " + why)
          .is_note = true;
    }
  }

  // An index that a migration made for what the model says no longer.
  void compareIndex(const ExistingIndex& index) {
    const bool is_of_model =
        !index.columns.empty() &&
        std::all_of(index.columns.begin(), index.columns.end(),
                    [&](const std::string& name) { return table_.find(name) != nullptr; });
    if (!isOurs() || index.is_bound || !is_of_model ||
        !isNameOfOurs(index.name, existing_.name, index.columns, index.is_unique ? "key" : "idx") ||
        isWanted(index)) {
      return;
    }
    const std::string columns = joined(index.columns);
    Change& change = add(
        ChangeKind::kDropIndex, index.columns.size() == 1 ? index.columns[0] : "",
        index.is_unique ? "drop unique index " + index.name + ": nothing says any more that " +
                              columns + " is unique"
                        : "drop index " + index.name + ": field " + columns + " is not indexable",
        true);
    change.columns = index.columns;
    change.index = &index;
  }

  // Words that a migration indexed for a field that is not searched any more.
  void compareWords(const std::string& name) {
    const Column* const column = table_.find(name);
    if (isOurs() && column != nullptr && !column->has_words) {
      add(ChangeKind::kDropWords, name,
          "drop the index of the words of " + name + ": field " + name + " has no fts", true);
    }
  }

  bool isWanted(const ExistingIndex& index) const {
    if (index.is_unique) {
      return std::any_of(table_.unique.begin(), table_.unique.end(), [&](const auto& group) {
        return group.size() == index.columns.size() &&
               std::equal(group.begin(), group.end(), index.columns.begin(),
                          [this](const auto& a, const auto& b) { return isSame(a, b); });
      });
    }
    const Column& column = *table_.find(index.columns[0]);
    return column.is_indexed ||
           (ddl_.needsIndexOfReference() &&
            (column.reference ||
             std::any_of(existing_.references.begin(), existing_.references.end(),
                         [&](const auto& there) { return isSame(there.column, column.name); })));
  }

  void compare(const Column& column, const ExistingColumn& there) {
    const Fit fit = ddl_.fit(column, there);
    if (fit != Fit::kFits) {
      const std::string length =
          there.max_length > 0 ? "(" + std::to_string(there.max_length) + ")" : "";
      add(ChangeKind::kChangeType, there.name,
          "change column " + there.name + " from " + there.type + length + " to " +
              ddl_.shownTypeOf(column),
          fit == Fit::kDiffers);
    }
    if (column.is_primary && !isKey(there)) {
      add(ChangeKind::kMakePrimary, there.name,
          "column " + there.name +
              " is not the primary key, and no migration makes it one: do so "
              "by SQL, or make the model fit",
          true);
      return;
    }
    if (column.is_identity && !there.has_default) {
      compareNumbering(there);
    }
    if (there.is_primary && !column.is_primary && isOurs()) {
      add(ChangeKind::kMakePrimary, there.name,
          "column " + there.name +
              " is the primary key, and no migration changes that: do so by "
              "SQL, or make the model fit",
          true);
    }
    if (column.is_primary || there.is_primary) {
      return;
    }
    if (column.is_required && !there.is_required) {
      add(ChangeKind::kRequire, there.name,
          "column " + there.name + " must not be null any more: the field is not optional", true);
    } else if (!column.is_required && there.is_required) {
      add(ChangeKind::kRelax, there.name, "column " + there.name + " may be null");
    }
  }

  void compareNumbering(const ExistingColumn& there) {
    const std::string note = ddl_.noteOnNumbering(existing_);
    add(ChangeKind::kAddIdentity, there.name,
        note.empty() ? "number new rows in column " + there.name + ", and give no number twice"
                     : "column " + there.name + " " + note)
        .is_note = !note.empty();
  }

  // Whether it names the row: the primary key, or what does the same.
  bool isKey(const ExistingColumn& there) const {
    return there.is_primary || (there.is_required && hasIndex({there.name}, true));
  }

  void compareAdditions(const Column& column) {
    if (column.reference &&
        std::none_of(existing_.references.begin(), existing_.references.end(),
                     [&](const auto& there) { return leadsAsTheModelSays(there, column); })) {
      add(ChangeKind::kAddReference, column.name,
          "column " + column.name + " refers to " + column.reference->table + " (" +
              column.reference->column + ")");
    }
    if (column.is_indexed && !column.is_primary && !hasIndex({column.name}, false)) {
      Change& change = add(ChangeKind::kAddIndex, column.name, "add an index on " + column.name);
      change.columns = {column.name};
    }
    if (column.has_words && std::find(existing_.words.begin(), existing_.words.end(),
                                      column.name) == existing_.words.end()) {
      add(ChangeKind::kAddWords, column.name, "index the words of " + column.name);
    }
  }

  // An index that begins with these columns; a unique one has no others.
  bool hasIndex(const std::vector<std::string>& columns, bool is_unique) const {
    const bool is_key = columns.size() == 1 && existing_.find(columns[0]) != nullptr &&
                        existing_.find(columns[0])->is_primary;
    return is_key ||
           std::any_of(
               existing_.indexes.begin(), existing_.indexes.end(), [&](const ExistingIndex& index) {
                 const bool is_long_enough =
                     is_unique ? index.is_unique && index.columns.size() == columns.size()
                               : index.columns.size() >= columns.size();
                 return is_long_enough && !isDropped(index) &&
                        std::equal(columns.begin(), columns.end(), index.columns.begin(),
                                   [this](const auto& a, const auto& b) { return isSame(a, b); });
               });
  }

  bool isDropped(const ExistingIndex& index) const {
    return std::any_of(changes_.begin(), changes_.end(),
                       [&](const Change& change) { return change.index == &index; });
  }

  const Table& table_;
  const ExistingTable& existing_;
  const Ddl& ddl_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> differencesOf(const Table& table, const ExistingTable& existing,
                                  const Ddl& ddl) {
  return Differences(table, existing, ddl).find();
}

std::string impossible(const TableChanges& changes) {
  for (const Change& change : changes.changes) {
    if (change.kind == ChangeKind::kMakePrimary) {
      return change.text;
    }
    if (change.kind != ChangeKind::kAddColumn) {
      continue;
    }
    const Column& column = *changes.wanted->find(change.name);
    if (column.is_primary) {
      return "it has no column " + column.name +
             ", and a table that is there gets no primary key: add it by SQL";
    }
    if (column.is_required && !column.is_now && changes.has_rows) {
      return "column " + column.name +
             " cannot be added: the table has rows, and the field is not optional. Make it "
             "optional, migrate, give the rows their values, then take \"optional\" away and "
             "migrate with --allow-destructive";
    }
  }
  return {};
}

}  // namespace sub0::query
