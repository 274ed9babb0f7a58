// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "column_text.hpp"
#include "sqlite/sqlite_cast_functions.hpp"
#include "sqlite/sqlite_casts.hpp"
#include "sqlite/sqlite_errors.hpp"
#include "sqlite/sqlite_instants.hpp"
#include "unique_check.hpp"

namespace sub0::query {
namespace {

constexpr int kMostTries = 50;
constexpr int kBetweenTriesMs = 20;

constexpr int kInstructionsBetweenLooks = 20000;
constexpr int kLargestLengthBytes = 64 << 20;
constexpr int kLogFrameHeaderBytes = 24;

// In the order of SqliteConnection::Control.
constexpr std::array<const char*, 7> kControlWords = {
    "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s"};

bool isBusy(int status) {
  return (status & 0xff) == SQLITE_BUSY || (status & 0xff) == SQLITE_LOCKED;
}

int onBusy(void* wait, int calls) {
  auto& function = *static_cast<std::function<bool(int)>*>(wait);
  return function && function(calls) ? 1 : 0;
}

// What full-text search asks the database by itself; neither has an effect.
bool isPragmaOfSearch(std::string_view name, const char* argument) {
  return argument == nullptr && (name == "data_version" || name == "page_size");
}

int onAuthorize(void* own_words, int action, const char* first, const char* second, const char*,
                const char*) {
  if (*static_cast<bool*>(own_words)) {
    return SQLITE_OK;
  }
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return SQLITE_DENY;
    case SQLITE_PRAGMA:
      return isPragmaOfSearch(first == nullptr ? "" : first, second) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_OK;
  }
}

}  // namespace

void addFunctions(sqlite3* database) {
  const auto fail_with_text = [](sqlite3_context* context, int, sqlite3_value** texts) {
    sqlite3_result_error(context, reinterpret_cast<const char*>(sqlite3_value_text(texts[0])), -1);
  };
  sqlite3_create_function(database, kExistsFunction, 1, SQLITE_UTF8, nullptr, fail_with_text,
                          nullptr, nullptr);
  addCastFunctions(database);
}

SqliteConnection::~SqliteConnection() {
  prepared_.forEach([](Prepared& prepared) { sqlite3_finalize(prepared.statement); });
  for (sqlite3_stmt* statement : controls_) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(database_);
}

bool SqliteConnection::open(const std::string& path, std::string& error) {
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (use_ == Use::kRead ? 0 : SQLITE_OPEN_CREATE);
  const int status = sqlite3_open_v2(path.c_str(), &database_, flags, nullptr);
  if (status != SQLITE_OK) {
    error = "cannot open the database file " + path + ": " +
            (database_ == nullptr ? sqlite3_errstr(status) : sqlite3_errmsg(database_));
    return false;
  }
  sqlite3_extended_result_codes(database_, 1);
  addFunctions(database_);
  sqlite3_limit(
      database_, SQLITE_LIMIT_LENGTH,
      static_cast<int>(std::max<std::size_t>(
          kLargestLengthBytes, std::min<std::size_t>(result_limit_bytes_, std::size_t{1} << 30U))));
  return configure(path, error);
}

bool SqliteConnection::configure(const std::string& path, std::string& error) {
  sqlite3_busy_timeout(database_, kBetweenTriesMs);
  // REPLACE has triggers see what it deletes only where triggers may call themselves: without that
  // it damages an index of words.
  const char* settings =
      use_ == Use::kRead
          ? "PRAGMA query_only=1; PRAGMA foreign_keys=1"
          : "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=1; "
            "PRAGMA recursive_triggers=1";
  char* message = nullptr;
  std::string journal_mode;  // the only row that the settings answer
  const auto take_text = [](void* text, int, char** values, char**) {
    static_cast<std::string*>(text)->assign(values[0]);
    return 0;
  };
  int status = sqlite3_exec(database_, settings, take_text, &journal_mode, &message);
  // Of two that give a new file its log at the same time SQLite lets one fail at once.
  for (int tries = 0; (status & 0xff) == SQLITE_BUSY && tries < kMostTries; ++tries) {
    sqlite3_free(message);
    message = nullptr;
    sqlite3_sleep(kBetweenTriesMs);
    status = sqlite3_exec(database_, settings, take_text, &journal_mode, &message);
  }
  if (status != SQLITE_OK) {
    error = "cannot use the database file " + path + ": " + (message == nullptr ? "" : message);
    sqlite3_free(message);
    return false;
  }
  if (use_ != Use::kRead && journal_mode != "wal") {
    error = "cannot use the database file " + path +
            ": it keeps no write-ahead log (journal_mode " + journal_mode +
            "); put it on a local file system";
    return false;
  }
  if (use_ == Use::kWrite) {
    const auto take_number = [](void* number, int, char** values, char**) {
      *static_cast<int*>(number) = static_cast<int>(std::strtol(values[0], nullptr, 10));
      return 0;
    };
    sqlite3_exec(database_, "PRAGMA page_size", take_number, &page_size_bytes_, nullptr);
    sqlite3_wal_hook(
        database_,
        [](void* pages, sqlite3*, const char*, int count) {
          *static_cast<int*>(pages) = count;
          return SQLITE_OK;
        },
        &log_pages_);
  }
  sqlite3_busy_handler(database_, &onBusy, &wait_);
  if (use_ != Use::kFree) {
    sqlite3_set_authorizer(database_, &onAuthorize, &own_words_);
  }
  return true;
}

Failure SqliteConnection::failureNow(const char* sql, Shown shown) {
  if (timed_out_) {
    return Failure{SUB0_TIMEOUT, "a statement ran past the deadline of its call", ""};
  }
  return sqliteFailure(sqlite3_extended_errcode(database_), sqlite3_errmsg(database_), sql,
                       result_limit_bytes_, shown);
}

// A table that went since the statement was prepared is told like one that was never there: by
// another look at the statement's own text, which has no values yet.
Failure SqliteConnection::failureOfStep(sqlite3_stmt* statement, Shown shown) {
  const char* sql = sqlite3_sql(statement);
  Failure failure = failureNow(sql, shown);
  if (shown == Shown::kNoValues && failure.code == SUB0_ACTION_FAILED &&
      sqlite3_errcode(database_) == SQLITE_ERROR) {
    sqlite3_stmt* again = nullptr;
    if (sqlite3_prepare_v3(database_, sql, -1, 0, &again, nullptr) == SQLITE_ERROR) {
      failure = failureNow(sql, Shown::kAll);
    }
    sqlite3_finalize(again);
  }
  return failure;
}

SqliteConnection::Prepared* SqliteConnection::prepare(const Statement& statement,
                                                      Failure& failure) {
  Prepared& prepared = prepared_.of(
      statement.number, [](std::uint32_t, Prepared& gone) { sqlite3_finalize(gone.statement); });
  if (prepared.statement != nullptr) {
    return &prepared;
  }
  timed_out_ = false;
  const int status =
      sqlite3_prepare_v3(database_, statement.sql.data(), static_cast<int>(statement.sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &prepared.statement, nullptr);
  if (status != SQLITE_OK) {
    failure = failureNow(statement.sql.c_str(), Shown::kAll);
    if (isBusy(status)) {
      failure.code = SUB0_BUSY;
    }
    return nullptr;
  }
  if (prepared.statement == nullptr) {  // spaces or a comment
    failure = Failure{SUB0_ACTION_FAILED, "the statement is empty", ""};
    return nullptr;
  }
  prepared.only_reads = sqlite3_stmt_readonly(prepared.statement) != 0;
  prepared.json_casts = jsonCastsOf(statement.sql);
  prepared.formed = FormedParameters();
  if (sqlite3_bind_parameter_count(prepared.statement) > 0) {
    const auto look = [this](const std::vector<std::string>& tables, const std::string& column) {
      return lookAtColumn(tables, column);
    };
    prepared.formed.instants = instantParameters(statement.sql, look);
    prepared.formed.booleans = booleanParameters(statement.sql, look);
  }
  return &prepared;
}

ColumnOf SqliteConnection::lookAtColumn(const std::vector<std::string>& tables,
                                        const std::string& column) {
  ColumnOf is = ColumnOf::kNone;
  for (const std::string& table : tables) {
    const char* type = nullptr;
    if (sqlite3_table_column_metadata(database_, nullptr, table.c_str(), column.c_str(), &type,
                                      nullptr, nullptr, nullptr, nullptr) != SQLITE_OK) {
      continue;  // it has none
    }
    const ColumnKind kind = kindOfDeclaredType(type);
    const ColumnOf here = kind == ColumnKind::kInstant   ? ColumnOf::kInstants
                          : kind == ColumnKind::kBoolean ? ColumnOf::kBooleans
                                                         : ColumnOf::kOthers;
    if (here == ColumnOf::kOthers || (is != ColumnOf::kNone && is != here)) {
      return ColumnOf::kOthers;
    }
    is = here;
  }
  return is;
}

void SqliteConnection::watchTime(std::chrono::nanoseconds time_left) {
  timed_out_ = false;
  if (time_left.count() == 0) {
    sqlite3_progress_handler(database_, 0, nullptr, nullptr);
    return;
  }
  until_ = std::chrono::steady_clock::now() + time_left;
  sqlite3_progress_handler(
      database_, kInstructionsBetweenLooks,
      [](void* self) {
        auto& connection = *static_cast<SqliteConnection*>(self);
        connection.timed_out_ = std::chrono::steady_clock::now() > connection.until_;
        return connection.timed_out_ ? 1 : 0;
      },
      this);
}

SqliteConnection::Outcome SqliteConnection::execute(Prepared& prepared,
                                                    const SqliteParameters& parameters,
                                                    std::chrono::nanoseconds time_left) {
  watchTime(time_left);
  Outcome outcome = step(prepared, parameters, Shown::kNoValues);
  // SQLite counts a kept statement's steps over its whole life: what comes next, a COMMIT of ours,
  // would be interrupted for this one's deadline, even behind its work.
  sqlite3_progress_handler(database_, 0, nullptr, nullptr);
  return outcome;
}

SqliteConnection::Outcome SqliteConnection::executeOnce(std::string_view sql,
                                                        const SqliteParameters& parameters,
                                                        std::string_view* tail) {
  Outcome outcome;
  Prepared once;
  const char* end = nullptr;
  timed_out_ = false;
  const int status = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), 0,
                                        &once.statement, &end);
  if (tail != nullptr) {
    *tail = end == nullptr ? std::string_view()
                           : sql.substr(static_cast<std::size_t>(end - sql.data()));
  }
  if (status != SQLITE_OK) {
    outcome.failure = failureNow("", Shown::kAll);
    return outcome;
  }
  if (once.statement == nullptr) {  // spaces or a comment
    outcome.status = Status::kDone;
    return outcome;
  }
  outcome = step(once, parameters, Shown::kAll);  // who wrote it reads it
  sqlite3_finalize(once.statement);
  return outcome;
}

void SqliteConnection::lookAtColumns(Prepared& prepared) {
  const int counter = sqlite3_stmt_status(prepared.statement, SQLITE_STMTSTATUS_REPREPARE, 0);
  const int count = sqlite3_column_count(prepared.statement);
  if (counter == prepared.reprepared && prepared.kinds.size() == static_cast<std::size_t>(count)) {
    return;
  }
  prepared.reprepared = counter;
  prepared.kinds.clear();
  prepared.names.clear();
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool is_cast =
        prepared.json_casts.size() == static_cast<std::size_t>(count) && prepared.json_casts[at];
    prepared.kinds.push_back(
        is_cast ? ColumnKind::kJson
                : kindOfDeclaredType(sqlite3_column_decltype(prepared.statement, i)));
    const char* name = sqlite3_column_name(prepared.statement, i);
    prepared.names.push_back(toUtf8(name == nullptr ? "" : name));
  }
}

SqliteConnection::Outcome SqliteConnection::step(Prepared& prepared,
                                                 const SqliteParameters& parameters, Shown shown) {
  Outcome outcome;
  auto tree = std::make_unique<ResultTree>(result_limit_bytes_);
  sqlite3_stmt* statement = prepared.statement;
  SqliteParameters in_form;
  const bool is_put = putInForm(prepared.formed, parameters, in_form);
  int status = bindAll(statement, is_put ? in_form : parameters);
  while (status == SQLITE_OK || status == SQLITE_ROW) {
    status = sqlite3_step(statement);
    if (status != SQLITE_ROW) {
      break;
    }
    if (!tree->hasColumns()) {
      lookAtColumns(prepared);
      tree->setColumns(prepared.names);
    }
    tree->beginRow();
    for (std::size_t i = 0; i < prepared.kinds.size() && !tree->isOver(); ++i) {
      tree->column(i) = readColumn(statement, static_cast<int>(i), prepared.kinds[i], *tree);
    }
    if (tree->isOver()) {
      break;
    }
  }
  if (status == SQLITE_DONE) {
    if (!tree->hasColumns() && sqlite3_column_count(statement) > 0) {
      lookAtColumns(prepared);
      tree->setColumns(prepared.names);
    }
    outcome.status = Status::kDone;
    outcome.tree = std::move(tree);
  } else if (tree->isOver()) {
    outcome.failure = resultOver(*tree, true);  // what it changed is taken back
  } else if (isBusy(status)) {
    outcome.status = Status::kBusy;
  } else {
    outcome.failure = failureOfStep(statement, shown);
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return outcome;
}

SqliteConnection::Status SqliteConnection::control(Control control, Failure& failure) {
  const auto index = static_cast<std::size_t>(control);
  sqlite3_stmt*& statement = controls_[index];
  own_words_ = true;
  timed_out_ = false;
  int status = SQLITE_OK;
  if (statement == nullptr) {
    status = sqlite3_prepare_v3(database_, kControlWords[index], -1, SQLITE_PREPARE_PERSISTENT,
                                &statement, nullptr);
  }
  if (status == SQLITE_OK) {
    sqlite3_step(statement);
    status = sqlite3_reset(statement);
  }
  own_words_ = false;
  if (status == SQLITE_OK) {
    return Status::kDone;
  }
  failure = failureNow(kControlWords[index], Shown::kAll);
  return isBusy(status) ? Status::kBusy : Status::kFailed;
}

bool SqliteConnection::hasOpenReferences() const {
  int open = 0;
  int unused = 0;
  sqlite3_db_status(database_, SQLITE_DBSTATUS_DEFERRED_FKS, &open, &unused, 0);
  return open != 0;
}

std::uint64_t SqliteConnection::logBytes() const {
  return static_cast<std::uint64_t>(log_pages_) *
         static_cast<std::uint64_t>(page_size_bytes_ + kLogFrameHeaderBytes);
}

bool SqliteConnection::checkpoint(int mode) {
  int pages = 0;
  int done = 0;
  if (sqlite3_wal_checkpoint_v2(database_, "main", mode, &pages, &done) != SQLITE_OK) {
    return false;
  }
  log_pages_ = pages < 0 ? 0 : pages;
  return true;
}

}  // namespace sub0::query
