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
    for (const Column& column : table_.columns) {
      const ExistingColumn* const there = existing_.find(column.name);
      if (there == nullptr) {
        add(ChangeKind::kAddColumn, column.name,
            "add column " + column.name + " " + ddl_.typeOf(column) +
                (column.is_required ? "" : ", optional"));
      } else if (!column.is_implicit) {
        compare(column, *there);
      }
      compareIndexes(column);
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
            "drop column " + column.name + ": the model has no such field", true);
      }
    }
    return std::move(changes_);
  }

 private:
  Change& add(ChangeKind kind, const std::string& name, std::string text,
              bool is_destructive = false) {
    changes_.push_back(Change{kind, std::move(text), is_destructive, name, {}});
    return changes_.back();
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
    if (column.is_identity && !there.has_default) {
      add(ChangeKind::kAddIdentity, there.name, "number new rows in column " + there.name);
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

  // And the reference, which is an index of its own kind.
  void compareIndexes(const Column& column) {
    if (column.reference &&
        std::none_of(existing_.references.begin(), existing_.references.end(),
                     [&](const auto& pair) { return isSameName(pair.first, column.name); })) {
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
           std::any_of(existing_.indexes.begin(), existing_.indexes.end(),
                       [&](const ExistingIndex& index) {
                         const bool is_long_enough =
                             is_unique ? index.is_unique && index.columns.size() == columns.size()
                                       : index.columns.size() >= columns.size();
                         return is_long_enough && std::equal(columns.begin(), columns.end(),
                                                             index.columns.begin(), isSameName);
                       });
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
