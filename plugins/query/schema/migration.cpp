// SPDX-License-Identifier: Apache-2.0
#include "schema/migration.hpp"

#include <algorithm>
#include <utility>

#include "schema/difference.hpp"

namespace sub0::query {
namespace {

using Kind = MigrationStep::Kind;

class Migration {
 public:
  Migration(SqlSession& session, const Ddl& ddl, std::vector<Table> tables,
            const MigrationOptions& options)
      : session_(session), ddl_(ddl), tables_(std::move(tables)), options_(options) {}

  MigrationEnd run() {
    if (!execute(ddl_.begin(options_.plan_only))) {
      return std::move(end_);
    }
    const bool is_done = ddl_.readCatalogue(session_, existing_, end_.failure) && plan() &&
                         (options_.plan_only || (execute(statements_) && lastCheckIsPassed()));
    if (is_done) {
      execute({options_.plan_only ? "ROLLBACK" : "COMMIT"});
    } else {
      Failure ignored;  // what failed first is told; the transaction ends with the session at last
      session_.execute("ROLLBACK", false, sub0_value{}, ignored);
    }
    return std::move(end_);
  }

 private:
  bool execute(const std::vector<std::string>& statements) {
    for (const std::string& sql : statements) {
      if (session_.execute(sql, false, sub0_value{}, end_.failure) == nullptr) {
        return false;
      }
    }
    return true;
  }

  bool fail(const std::string& text) {
    end_.failure = Failure{SUB0_CONSTRAINT, text, ""};
    return false;
  }

  bool lastCheckIsPassed() {
    const std::string sql = ddl_.lastCheck();
    Rows rows;
    if (sql.empty()) {
      return true;
    }
    if (!rows.read(session_, sql, end_.failure)) {
      return false;
    }
    return rows.size() == 0 || fail("rows of table " + rows.text(0, "table") +
                                    " refer to rows that are not there: mend them first");
  }

  const ExistingTable* find(std::string_view name) const {
    const auto found =
        std::find_if(existing_.begin(), existing_.end(), [&](const ExistingTable& table) {
          return ddl_.ignoresCase() ? isSameName(table.name, name) : table.name == name;
        });
    return found == existing_.end() ? nullptr : &*found;
  }

  void step(Kind kind, const std::string& table, std::string text) {
    end_.steps.push_back(MigrationStep{kind, table, std::move(text)});
  }

  // A table that an earlier migration made for a model stays its table, or at least stays. S-101
  void settleNames() {
    for (Table& table : tables_) {
      for (const ExistingTable& other : existing_) {
        if (other.model != table.model || other.name == table.name) {
          continue;
        }
        if (!table.is_used && find(table.name) == nullptr) {
          step(Kind::kNote, other.name,
               "stays the table of model " + table.model +
                   ": an earlier migration made it, and no SQL uses \"" + table.name + "\"");
          table.name = other.name;
        } else {
          step(Kind::kNote, other.name,
               "stays: an earlier migration made it for model " + table.model +
                   ", whose table is \"" + table.name + "\" now; its rows stay where they are");
        }
      }
    }
    for (Table& table : tables_) {
      for (Column& column : table.columns) {
        if (!column.reference) {
          continue;
        }
        const auto target = std::find_if(tables_.begin(), tables_.end(), [&](const Table& one) {
          return one.model == column.reference->model;
        });
        if (target != tables_.end()) {
          column.reference->table = target->name;
        }
      }
    }
  }

  bool plan() {
    settleNames();
    std::vector<std::string> behind;
    for (const Table& table : tables_) {
      if (find(table.name) == nullptr) {
        step(Kind::kChange, table.name, "create the table of model " + table.model);
        append(statements_, ddl_.createTable(table));
        append(behind, ddl_.completeTable(table));
      }
    }
    for (const Table& table : tables_) {
      const ExistingTable* const existing = find(table.name);
      if (existing != nullptr && !planChanges(table, *existing)) {
        return false;
      }
    }
    append(statements_, std::move(behind));
    planDrops();
    return true;
  }

  bool planChanges(const Table& table, const ExistingTable& existing) {
    TableChanges changes;
    changes.wanted = &table;
    changes.existing = &existing;
    std::string error;
    for (Change& change : differencesOf(table, existing, ddl_)) {
      const bool is_refused = change.is_destructive && !options_.allow_destructive;
      step(change.is_destructive ? Kind::kDestructive : Kind::kChange, existing.name, change.text);
      if (!is_refused) {
        changes.changes.push_back(std::move(change));
      }
    }
    if (changes.changes.empty()) {
      return true;
    }
    Rows rows;
    if (!rows.read(session_,
                   "SELECT EXISTS (SELECT 1 FROM " + quotedName(existing.name) + ") AS found",
                   end_.failure)) {
      return false;
    }
    changes.has_rows = rows.truth(0, "found");
    error = impossible(changes);
    std::vector<std::string> statements;
    if (error.empty()) {
      statements = ddl_.changeTable(changes, error);
    }
    if (!error.empty()) {
      return fail("table " + existing.name + " (model " + table.model + "): " + error);
    }
    append(statements_, std::move(statements));
    return true;
  }

  // Tables of models that are gone.
  void planDrops() {
    std::vector<std::string> names;
    for (const ExistingTable& existing : existing_) {
      const bool is_owned = std::any_of(tables_.begin(), tables_.end(), [&](const Table& table) {
        return table.model == existing.model || isSameName(table.name, existing.name);
      });
      if (existing.model.empty() || is_owned) {
        continue;
      }
      step(Kind::kDestructive, existing.name,
           "drop the table: its model " + existing.model + " is gone");
      names.push_back(existing.name);
    }
    if (!names.empty() && options_.allow_destructive) {
      append(statements_, ddl_.dropTables(names));
    }
  }

  static void append(std::vector<std::string>& list, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(list));
  }

  SqlSession& session_;
  const Ddl& ddl_;
  std::vector<Table> tables_;
  const MigrationOptions options_;
  std::vector<ExistingTable> existing_;
  std::vector<std::string> statements_;
  MigrationEnd end_;
};

}  // namespace

MigrationEnd migrate(SqlSession& session, const Ddl& ddl, std::vector<Table> tables,
                     const MigrationOptions& options) {
  return Migration(session, ddl, std::move(tables), options).run();
}

}  // namespace sub0::query
