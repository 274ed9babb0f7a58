// SPDX-License-Identifier: Apache-2.0
#include "schema/migration.hpp"

#include <algorithm>
#include <utility>

#include "schema/difference.hpp"

namespace sub0::query {
namespace {

using Kind = MigrationStep::Kind;

struct Planned {
  std::string sql;
  std::string table;
};
using Plan = std::vector<Planned>;

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
                         (options_.plan_only || (executePlan() && lastCheckIsPassed()));
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

  bool executePlan() {
    for (std::size_t i = 0; i < statements_.size(); ++i) {
      if (!execute({statements_[i].sql})) {
        tellWhatIsDone(i);
        return false;
      }
    }
    return true;
  }

  // Tables that stay changed though the migration failed at a statement.
  void tellWhatIsDone(std::size_t failed) {
    if (ddl_.isOneTransaction()) {
      return;
    }
    std::vector<std::string> told;
    const auto tell = [&](const Planned& statement, const char* what) {
      const bool is_told = std::find(told.begin(), told.end(), statement.table) != told.end();
      if (!is_told && statement.sql.compare(0, 4, "SET ") != 0) {
        told.push_back(statement.table);
        step(Kind::kDone, statement.table, what);
      }
    };
    for (std::size_t i = 0; i < failed; ++i) {
      tell(statements_[i], "was changed before that, and stays so");
    }
    if (end_.failure.code == SUB0_UNAVAILABLE) {
      tell(statements_[failed], "may have been changed: the connection ended");
    }
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
    Plan creations;
    Plan behind;
    for (const Table& table : tables_) {
      if (find(table.name) != nullptr) {
        continue;
      }
      if (const std::string problem = ddl_.problemOf(table); !problem.empty()) {
        return fail("table " + table.name + " (model " + table.model + "): " + problem);
      }
      step(Kind::kChange, table.name, "create the table of model " + table.model);
      append(creations, table.name, ddl_.createTable(table));
      append(behind, table.name, ddl_.completeTable(table));
    }
    Plan references;
    for (const Table& table : tables_) {
      const ExistingTable* const existing = find(table.name);
      if (existing != nullptr && !planChanges(table, *existing, references, behind)) {
        return false;
      }
    }
    for (Plan* const part : {&references, &creations, &behind}) {
      std::move(part->begin(), part->end(), std::back_inserter(statements_));
    }
    planDrops();
    return true;
  }

  bool planChanges(const Table& table, const ExistingTable& existing, Plan& references,
                   Plan& behind) {
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
    append(statements_, existing.name, std::move(statements));
    planReferences(changes, references, behind);
    return true;
  }

  // Those that lead to tables that are there, which rows may violate, come before new tables.
  void planReferences(const TableChanges& changes, Plan& early, Plan& late) const {
    TableChanges to_old = changes;
    TableChanges to_new = changes;
    to_old.changes.clear();
    to_new.changes.clear();
    for (const Change& change : changes.changes) {
      if (change.kind == ChangeKind::kAddReference) {
        const Column& column = *changes.wanted->find(change.name);
        const bool is_there = find(column.reference->table) != nullptr;
        (is_there ? to_old : to_new).changes.push_back(change);
      }
    }
    append(early, changes.existing->name, ddl_.addReferences(to_old));
    append(late, changes.existing->name, ddl_.addReferences(to_new));
  }

  // Tables of models that are gone.
  void planDrops() {
    std::vector<const ExistingTable*> gone;
    for (const ExistingTable& existing : existing_) {
      const bool is_owned = std::any_of(tables_.begin(), tables_.end(), [&](const Table& table) {
        return table.model == existing.model || isSameName(table.name, existing.name);
      });
      if (existing.model.empty() || is_owned) {
        continue;
      }
      step(Kind::kDestructive, existing.name,
           "drop the table: its model " + existing.model + " is gone");
      gone.push_back(&existing);
    }
    if (!gone.empty() && options_.allow_destructive) {
      append(statements_, gone.front()->name, ddl_.dropTables(gone));
    }
  }

  static void append(Plan& plan, const std::string& table, std::vector<std::string> more) {
    for (std::string& sql : more) {
      plan.push_back(Planned{std::move(sql), table});
    }
  }

  SqlSession& session_;
  const Ddl& ddl_;
  std::vector<Table> tables_;
  const MigrationOptions options_;
  std::vector<ExistingTable> existing_;
  Plan statements_;
  MigrationEnd end_;
};

}  // namespace

MigrationEnd migrate(SqlSession& session, const Ddl& ddl, std::vector<Table> tables,
                     const MigrationOptions& options) {
  return Migration(session, ddl, std::move(tables), options).run();
}

}  // namespace sub0::query
