// SPDX-License-Identifier: Apache-2.0
#include "app/migration_at_start.hpp"

#include <signal.h>
#include <time.h>

#include "app/command_line.hpp"
#include "app/migration.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "sub0/schema.h"

namespace sub0::app {
namespace {

using Kind = MigrationStep::Kind;

constexpr long kRetryNs = 500'000'000;

void tell(const MigrationResult& result) {
  for (const MigrationStep& step : result.steps) {
    const std::string text = step.table + ": " + step.text;
    if (step.kind == Kind::kChange) {
      log::info("migrated", text, {{"table", step.table}});
    } else if (step.kind == Kind::kNote || step.kind == Kind::kDone) {
      log::warning("migration_note", text, {{"table", step.table}});
    } else {
      log::warning("migration_pending",
                   text + "; it may lose data: sub0-host migrate --allow-destructive does it",
                   {{"table", step.table}});
    }
  }
}

/// Whether a signal that ends the process came within the time; it stays pending.
bool isEnding(long wait_ns) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  const timespec interval{0, wait_ns};
  const int signal = ::sigtimedwait(&ends, nullptr, &interval);
  if (signal < 0) return false;
  ::raise(signal);
  return true;
}

bool warnOfNoPlugin(const Migration& migration) {
  if (migration.isPossible()) return false;
  log::warning("migration", "the project has models, but no plugin makes tables");
  return true;
}

}  // namespace

bool migratesByItself(const Settings& settings, const std::string& database) {
  const std::string mode = settings.text("SUB0_MIGRATE");
  return mode.empty() ? database == "sqlite" : text::equalsIgnoreCase(mode, "auto");
}

std::string migrateSettingProblem(const Settings& settings) {
  const std::string mode = settings.text("SUB0_MIGRATE");
  if (mode.empty() || text::equalsIgnoreCase(mode, "auto") || text::equalsIgnoreCase(mode, "off")) {
    return {};
  }
  return settings.told("SUB0_MIGRATE") + "expected auto or off";
}

TablesEnd makeTables(const plugin::Registry& registry, const call::PlanSet& plans, bool waits) {
  const Migration migration(registry, plans);
  if (!migration.hasModels() || warnOfNoPlugin(migration)) return TablesEnd::kMade;
  const auto run = [&migration] { return migration.run(0, [] { return isEnding(0); }); };
  std::optional<MigrationResult> ended = run();
  if (ended && ended->code == SUB0_UNAVAILABLE && waits) {
    log::warning("database_away",
                 "the tables of the models wait for the database: " + ended->message);
  }
  while (ended && ended->code == SUB0_UNAVAILABLE && waits) {
    if (isEnding(kRetryNs)) return TablesEnd::kStopped;
    ended = run();
  }
  if (!ended) return TablesEnd::kStopped;
  const MigrationResult& result = *ended;
  if (result.code != SUB0_OK) {
    log::error("migration_failed",
               (result.count(Kind::kDone) == 0
                    ? "the tables are as they were: "
                    : "it ended in the middle, and another run goes on from there: ") +
                   result.message);
    return TablesEnd::kFailed;
  }
  tell(result);
  return TablesEnd::kMade;
}

void tellPendingChanges(const plugin::Registry& registry, const call::PlanSet& plans) {
  const Migration migration(registry, plans);
  if (!migration.hasModels() || warnOfNoPlugin(migration)) return;
  migration.begin(SUB0_SCHEMA_PLAN_ONLY, [](const MigrationResult& result) {
    const std::size_t count = result.count(Kind::kChange) + result.count(Kind::kDestructive);
    if (result.code != SUB0_OK) {
      log::warning("migration_unknown",
                   "whether the tables fit the models is not known: " + result.message);
    } else if (count > 0) {
      log::warning("migration_pending",
                   "the tables do not fit the models: " + counted(count, "change") +
                       "; see sub0-host migrate --plan, or set SUB0_MIGRATE=auto",
                   {{"changes", count}});
    }
  });
}

}  // namespace sub0::app
