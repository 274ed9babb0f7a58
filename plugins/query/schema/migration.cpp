// SPDX-License-Identifier: Apache-2.0
#include "schema/migration.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "schema/compared.hpp"
#include "schema/difference.hpp"
#include "schema/obstacles.hpp"
#include "schema/probes.hpp"

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
      : session_(session),
        ddl_(ddl),
        tables_(std::move(tables)),
        options_(options),
        probes_(session, ddl) {
    for (Table& table : tables_) {
      table.project = options_.project;
      table.is_exact = ddl_.hasExactColumns();
    }
  }

  MigrationEnd run() {
    if (!execute(ddl_.begin(options_.plan_only))) {
      return std::move(end_);
    }
    const bool is_done =
        ddl_.readCatalogue(session_, existing_, end_.failure) && readNames() && plan() &&
        (options_.plan_only || (countViolations(old_violations_) && executePlan() &&
                                bringsNoViolations() && breaksNothing()));
    if (is_done) {
      if (!execute({options_.plan_only ? "ROLLBACK" : "COMMIT"}) && !options_.plan_only) {
        tellUnknownEnd();
      }
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
    if (!statements_.empty() && !probes_.tryBefore(end_.failure)) {
      return false;
    }
    for (std::size_t i = 0; i < statements_.size(); ++i) {
      if (!execute({statements_[i].sql})) {
        tellWhatIsDone(i);
        explain(ddl_, compared_, options_.allow_destructive, statements_[i].table,
                statements_[i].sql, end_.failure);
        return false;
      }
    }
    return true;
  }

  bool breaksNothing() { return statements_.empty() || probes_.tryBehind(end_.failure); }

  // Tables that stay changed though the migration failed at a statement.
  void tellWhatIsDone(std::size_t failed) {
    if (ddl_.isOneTransaction()) {
      return;
    }
    for (std::size_t i = 0; i < failed; ++i) {
      tellOnce(statements_[i], "was changed before that, and stays so");
    }
    if (end_.failure.code == SUB0_UNAVAILABLE) {
      tellOnce(statements_[failed], "may have been changed: the connection ended");
    }
  }

  // A connection that is lost at the commit does not say whether there was one.
  void tellUnknownEnd() {
    if (end_.failure.code != SUB0_UNAVAILABLE || !ddl_.isOneTransaction()) {
      return;
    }
    for (const Planned& statement : statements_) {
      tellOnce(statement, "may have been changed: the connection ended at the commit");
    }
  }

  void tellOnce(const Planned& statement, const char* what) {
    const bool is_told =
        std::any_of(end_.steps.begin(), end_.steps.end(), [&](const MigrationStep& step) {
          return step.kind == Kind::kDone && step.table == statement.table;
        });
    if (!is_told && statement.sql.compare(0, 4, "SET ") != 0) {
      step(Kind::kDone, statement.table, what);
    }
  }

  bool fail(const std::string& text) {
    end_.failure = Failure{SUB0_CONSTRAINT, text, ""};
    return false;
  }

  bool readNames() {
    for (const Table& table : tables_) {
      names_.add(table.name);
    }
    Rows rows;
    if (!rows.read(session_, ddl_.takenNames(), end_.failure)) {
      return false;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      names_.add(rows.text(i, "name"));
    }
    return true;
  }

  // By table, target, column; of the tables whose references the plan touches, at either end.
  using Violations = std::map<std::array<std::string, 3>, std::int64_t>;
  bool countViolations(Violations& found) {
    Rows rows;
    if (!rows.read(session_, touched_.empty() ? std::string() : ddl_.countViolations(touched_),
                   end_.failure)) {
      return false;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      found[{rows.text(i, "table"), rows.text(i, "target"), rows.text(i, "column")}] =
          rows.number(i, "count");
    }
    return true;
  }

  // Rows that referred to nothing before are not this migration's.
  bool bringsNoViolations() {
    Violations now;
    if (!countViolations(now)) {
      return false;
    }
    for (const auto& [reference, count] : now) {
      const auto old = old_violations_.find(reference);
      if (count > (old == old_violations_.end() ? 0 : old->second)) {
        return fail("rows of table " + reference[0] + " refer to rows that are not there (" +
                    reference[2] + ", of table " + reference[1] + "): mend them first");
      }
    }
    return true;
  }

  void touch(const ExistingTable& table) {
    const auto add = [this](const std::string& name) {
      if (std::find(touched_.begin(), touched_.end(), name) == touched_.end()) {
        touched_.push_back(name);
      }
    };
    add(table.name);
    for (const ExistingTable& other : existing_) {
      if (std::any_of(other.references.begin(), other.references.end(), [&](const auto& reference) {
            return isSameName(reference.table, table.name);
          })) {
        add(other.name);
      }
    }
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

  void tell(const ExistingTable& table, const Change& change) {
    step(change.is_note          ? Kind::kNote
         : change.is_destructive ? Kind::kDestructive
                                 : Kind::kChange,
         table.name, change.text);
  }

  // Whether a migration of this project made it. Those of another one are not ours to take, nor to
  // drop. S-103
  bool isOurs(const ExistingTable& existing) const {
    return !existing.mark.model.empty() && existing.mark.project == options_.project;
  }

  // A table that an earlier migration made for a model stays its table, or at least stays. S-101
  void settleNames() {
    for (Table& table : tables_) {
      for (const ExistingTable& other : existing_) {
        if (!isOurs(other) || other.mark.model != table.model || other.name == table.name) {
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
    for (ExistingTable& existing : existing_) {
      existing.is_exact = ddl_.hasExactColumns();
    }
    settleNames();
    if (const std::string conflict = ddl_.conflictOf(tables_, existing_); !conflict.empty()) {
      return fail(conflict);
    }
    compare();
    Plan creations;
    Plan behind;
    if (!planCreations(creations, behind)) {
      return false;
    }
    Plan changes;
    Plan references;
    for (Compared& compared : compared_) {
      if (!planChanges(compared, changes, references, behind)) {
        return false;
      }
    }
    for (Plan* const part : {&changes, &references, &creations, &behind}) {
      std::move(part->begin(), part->end(), std::back_inserter(statements_));
    }
    return planDrops();
  }

  bool planCreations(Plan& creations, Plan& behind) {
    for (const Table& table : tables_) {
      if (find(table.name) != nullptr) {
        continue;
      }
      Table made = table;
      if (const std::string problem = ddl_.problemOf(table); !problem.empty()) {
        return fail("table " + table.name + " (model " + table.model + "): " + problem);
      }
      step(Kind::kChange, table.name, "create the table of model " + table.model);
      for (Column& column : made.columns) {
        if (column.reference && isRefused(column.reference->table, column.reference->column)) {
          const std::string target =
              column.reference->table + " (" + column.reference->column + ")";
          step(Kind::kDestructive, table.name,
               "column " + column.name + " refers to " + target +
                   ", once that is as its model says");
          column.reference.reset();
        }
      }
      append(creations, table.name, ddl_.createTable(made, names_));
      append(behind, table.name, ddl_.completeTable(made, names_));
    }
    return true;
  }

  // What depends on a type that stays as it is waits with it.
  void compare() {
    for (const Table& table : tables_) {
      if (const ExistingTable* const existing = find(table.name); existing != nullptr) {
        compared_.push_back(Compared{&table, existing, differencesOf(table, *existing, ddl_)});
      }
    }
    for (Compared& compared : compared_) {
      for (Change& change : compared.changes) {
        const Column* const column = compared.wanted->find(change.name);
        const bool is_reference = change.kind == ChangeKind::kAddReference;
        if (is_reference && isOtherKept(compared, change.name)) {
          change.is_destructive = true;
          change.text += ", once it does not refer to another";
          continue;
        }
        const bool waits =
            ((is_reference || change.kind == ChangeKind::kAddIdentity) &&
             isRefused(compared.wanted->name, change.name)) ||
            (is_reference && isRefused(column->reference->table, column->reference->column));
        if (waits) {
          change.is_destructive = true;
          change.text += ", once types and keys are as the models say";
        }
      }
    }
    if (ddl_.detachesReferences()) {
      detachReferences(compared_, options_.allow_destructive);
    }
  }

  // Whether a reference of the column that leads elsewhere stays.
  bool isOtherKept(const Compared& compared, const std::string& column) const {
    return !options_.allow_destructive &&
           std::any_of(compared.changes.begin(), compared.changes.end(), [&](const Change& change) {
             return change.kind == ChangeKind::kDropReference && change.is_destructive &&
                    isSameColumn(change.name, column, compared.wanted->is_exact);
           });
  }

  // Whether a column has a wrong type, or is not the key that it should be, and stays so.
  bool isRefused(const std::string& table, const std::string& column) const {
    return !options_.allow_destructive &&
           std::any_of(compared_.begin(), compared_.end(), [&](const Compared& compared) {
             return isSameName(compared.wanted->name, table) &&
                    std::any_of(compared.changes.begin(), compared.changes.end(),
                                [&](const Change& change) {
                                  return (change.kind == ChangeKind::kChangeType ||
                                          change.kind == ChangeKind::kMakePrimary) &&
                                         change.is_destructive &&
                                         isSameColumn(change.name, column,
                                                      compared.wanted->is_exact);
                                });
           });
  }

  bool planChanges(Compared& compared, Plan& plan, Plan& references, Plan& behind) {
    const Table& table = *compared.wanted;
    const ExistingTable& existing = *compared.existing;
    TableChanges changes;
    changes.wanted = &table;
    changes.existing = &existing;
    std::string error;
    for (Change& change : compared.changes) {
      const bool is_refused = change.is_destructive && !options_.allow_destructive;
      if (!change.text.empty()) {
        tell(existing, change);
      }
      if (!is_refused && !change.is_note) {
        changes.changes.push_back(change);
      }
    }
    if (changes.changes.empty()) {
      return true;
    }
    if (std::any_of(changes.changes.begin(), changes.changes.end(),
                    [](const Change& change) { return touchesReferences(change.kind); })) {
      touch(existing);
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
      statements = ddl_.changeTable(changes, names_, error);
    }
    if (error.empty() && !options_.plan_only &&
        !findObstacle(session_, ddl_, changes, error, end_.failure)) {
      return false;
    }
    if (!error.empty()) {
      return fail("table " + existing.name + " (model " + table.model + "): " + error);
    }
    append(statements_, existing.name, ddl_.dropReferences(changes));
    append(plan, existing.name, std::move(statements));
    planReferences(changes, references, behind);
    return true;
  }

  // Those that lead to tables that are there, which rows may violate, come before new tables.
  void planReferences(const TableChanges& changes, Plan& early, Plan& late) {
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
    append(early, changes.existing->name, ddl_.addReferences(to_old, names_));
    append(late, changes.existing->name, ddl_.addReferences(to_new, names_));
  }

  // Tables of models that are gone from this project.
  bool planDrops() {
    std::vector<const ExistingTable*> gone;
    for (const ExistingTable& existing : existing_) {
      const bool is_owned = std::any_of(tables_.begin(), tables_.end(), [&](const Table& table) {
        return table.model == existing.mark.model || isSameName(table.name, existing.name);
      });
      if (isOurs(existing) && !is_owned) {
        gone.push_back(&existing);
      }
    }
    std::string obstacle;
    for (const ExistingTable* const table : gone) {
      const std::string reason =
          reasonAgainstDrop(*table, gone, existing_, compared_, ddl_.ignoresCase());
      step(Kind::kDestructive, table->name,
           "drop the table: its model " + table->mark.model + " is gone" +
               (reason.empty() ? "" : "; it cannot be: " + reason));
      obstacle =
          obstacle.empty() && !reason.empty() ? "table " + table->name + ": " + reason : obstacle;
    }
    if (gone.empty() || !options_.allow_destructive) {
      return true;
    }
    if (!obstacle.empty()) {
      return fail(obstacle);
    }
    for (const ExistingTable* const table : gone) {
      touched_.erase(std::remove(touched_.begin(), touched_.end(), table->name), touched_.end());
    }
    append(statements_, gone.front()->name, ddl_.dropTables(gone));
    return true;
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
  Names names_;
  Probes probes_;
  std::vector<Compared> compared_;
  std::vector<std::string> touched_;  // tables
  Violations old_violations_;
  Plan statements_;
  MigrationEnd end_;
};

}  // namespace

MigrationEnd migrate(SqlSession& session, const Ddl& ddl, std::vector<Table> tables,
                     const MigrationOptions& options) {
  return Migration(session, ddl, std::move(tables), options).run();
}

}  // namespace sub0::query
