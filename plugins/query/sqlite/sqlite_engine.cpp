// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_engine.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "deadline.hpp"
#include "parameter_text.hpp"
#include "sqlite/sqlite_rewrite.hpp"
#include "sqlite/sqlite_session.hpp"

namespace sub0::query {
namespace {

constexpr std::uint32_t kLongestRetryMs = 5;

// What SQLite's parser says of a statement where no table exists: only what no schema can mend.
std::string syntaxError(const std::string& sql) {
  sqlite3* nothing = nullptr;
  std::string error;
  if (sqlite3_open(":memory:", &nothing) == SQLITE_OK) {
    addFunctions(nothing);
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(nothing, sql.data(), static_cast<int>(sql.size()), &statement,
                           nullptr) != SQLITE_OK) {
      const std::string message = sqlite3_errmsg(nothing);
      if (message.find("syntax error") != std::string::npos ||
          message.find("unrecognized token") != std::string::npos ||
          message.find("incomplete input") != std::string::npos ||
          message.find("no such function") != std::string::npos ||
          message.find("wrong number of arguments") != std::string::npos) {
        error = message;
      }
    }
    sqlite3_finalize(statement);
  }
  sqlite3_close(nothing);
  return error;
}

}  // namespace

// A read that met a lock, until its timer is due.
struct SqliteEngine::Retry {
  SqliteEngine* engine;
  LoopState* loop;
  SqliteRequest request;
  std::uint32_t attempt;
  std::uint64_t timer;
};

SqliteEngine::SqliteEngine(const HostPort& host, std::string path, const EngineOptions& options)
    : host_(host),
      path_(std::move(path)),
      result_limit_bytes_(options.result_limit_bytes),
      options_(options.sqlite),
      writer_(host, result_limit_bytes_, options_.log_limit_bytes, writes_),
      reading_threads_(host, result_limit_bytes_) {}

SqliteEngine::~SqliteEngine() = default;

std::string SqliteEngine::translate(const TokenList& list, std::vector<std::string>& errors) const {
  Rewritten rewritten = rewriteForSqlite(list);
  errors.insert(errors.end(), rewritten.errors.begin(), rewritten.errors.end());
  if (errors.empty()) {
    const std::string error = syntaxError(rewritten.sql);
    if (!error.empty()) {
      errors.push_back(error);
    }
  }
  return rewritten.sql;
}

void SqliteEngine::add(const StatementPointer& statement) {
  if (checker_ == nullptr) {
    before_start_.push_back(statement);
  } else {
    check(*statement);
  }
}

void SqliteEngine::check(const Statement& statement) {
  Failure failure;
  if (checker_->prepare(statement, failure) == nullptr) {
    host_.log(SUB0_LOG_WARNING, statement.place + ": " + failure.log +
                                    "; its calls fail until the database takes it");
  }
}

void SqliteEngine::makeFolder() const {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) {
    std::filesystem::create_directories(folder, ignored);
  }
}

bool SqliteEngine::start(std::string& error) {
  makeFolder();
  if (options_.owns_file && !lock_.take(path_, error)) {
    return false;
  }
  if (!writer_.start(path_, error) || !reading_threads_.start(path_, error)) {
    return false;
  }
  const std::uint32_t count = host_.loop() == nullptr ? 0 : host_.loop()->count(host_.raw());
  loops_.resize(count);
  for (LoopState& loop : loops_) {
    loop.reader = std::make_unique<SqliteLoopReader>(result_limit_bytes_, writes_);
    if (!loop.reader->open(path_, error)) {
      return false;
    }
  }
  checker_ = std::make_unique<SqliteConnection>(SqliteConnection::Use::kRead, result_limit_bytes_);
  if (!checker_->open(path_, error)) {
    return false;
  }
  for (const StatementPointer& statement : before_start_) {
    check(*statement);
  }
  before_start_.clear();
  is_ready_ = true;
  return true;
}

void SqliteEngine::stop(std::uint64_t deadline_ns) {
  is_ready_ = false;
  writer_.stop(deadline_ns);
  reading_threads_.stop(deadline_ns);
}

void SqliteEngine::stopLoop(std::uint32_t index) {
  LoopState& loop = loops_[index];
  for (const std::unique_ptr<Retry>& retry : loop.retries) {
    host_.loop()->stop_timer(host_.raw(), retry->timer);
    host_.fail(retry->request.ticket, isClosing());
  }
  loop.retries.clear();
  endTurn(index);
}

void SqliteEngine::endTurn(std::uint32_t index) {
  if (loops_[index].reader->hasBatch()) {
    loops_[index].reader->endBatch();
  }
}

void SqliteEngine::run(const StatementPointer& statement, const sub0_run& run) {
  const std::int32_t current = host_.currentLoop();
  if (current < 0) {
    host_.fail(run.ticket, Failure{SUB0_INTERNAL, "a run of QUERY came on no loop", ""});
    return;
  }
  const bool must_not_write = (run.flags & SUB0_RUN_READ_ONLY) != 0;
  LoopState& loop = loops_[static_cast<std::size_t>(current)];
  SqliteRequest request{run.ticket, run.deadline_ns, statement,
                        std::exchange(loop.spare_parameters, {}), must_not_write};
  request.parameters.reserve(statement->inputs.size());
  for (const std::uint32_t input : statement->inputs) {
    if (holdsNul(run.inputs[input])) {
      host_.fail(run.ticket, holdsNulFailure());
      return;
    }
    request.parameters.push_back(toSqlite(run.inputs[input]));
  }
  if ((run.flags & SUB0_RUN_IN_TRANSACTION) != 0) {
    writer_.addToCall(run.call_id, std::move(request));
  } else {
    execute(loop, std::move(request), 0);
  }
}

// A statement of its own: read here, or sent to where it belongs.
void SqliteEngine::execute(LoopState& loop, SqliteRequest request, std::uint32_t attempt) {
  Failure failure;
  const Statement& statement = *request.statement;
  SqliteConnection::Prepared* const prepared = loop.reader->prepare(statement, failure);
  if (prepared == nullptr && failure.code == SUB0_BUSY) {
    retryLater(loop, std::move(request), attempt + 1);
  } else if (prepared == nullptr) {
    failure.log = statement.place + ": " + failure.log;
    host_.fail(request.ticket, failure);
  } else if (prepared->only_reads) {
    read(loop, *prepared, std::move(request), attempt);
  } else if (request.must_not_write) {
    host_.fail(request.ticket, mustNotWrite(statement));
  } else {
    writer_.add(std::move(request));
  }
}

void SqliteEngine::read(LoopState& loop, SqliteConnection::Prepared& prepared,
                        SqliteRequest request, std::uint32_t attempt) {
  if (prepared.pace == nullptr) {
    prepared.pace = paces_.of(request.statement->number);
  }
  if (prepared.pace->isSlow()) {
    reading_threads_.add(std::move(request), prepared.pace);
    return;
  }
  const std::uint64_t now_ns = host_.nowNs();
  const std::uint64_t left_ns = request.deadline_ns > now_ns ? request.deadline_ns - now_ns : 1;
  host_.loop()->request_end_of_turn(host_.raw());
  SqliteConnection::Outcome outcome;
  switch (
      loop.reader->read(prepared, request.parameters, std::chrono::nanoseconds(left_ns), outcome)) {
    case SqliteLoopReader::End::kDone:
      host_.complete(request.ticket, std::move(outcome.tree));
      request.parameters.clear();
      loop.spare_parameters = std::move(request.parameters);
      break;
    case SqliteLoopReader::End::kBusy:
      retryLater(loop, std::move(request), attempt + 1);
      break;
    case SqliteLoopReader::End::kTooSlow:
      reading_threads_.add(std::move(request), prepared.pace);
      break;
    case SqliteLoopReader::End::kFailed:
      outcome.failure.log = request.statement->place + ": " + outcome.failure.log;
      host_.fail(request.ticket, outcome.failure);
      break;
  }
}

void SqliteEngine::retryLater(LoopState& loop, SqliteRequest request, std::uint32_t attempt) {
  const std::uint64_t delay_ms = std::min(attempt, kLongestRetryMs);
  if (host_.nowNs() + delay_ms * kNanosecondsPerMs >= request.deadline_ns) {
    host_.fail(request.ticket, isLocked());
    return;
  }
  loop.retries.push_back(
      std::make_unique<Retry>(Retry{this, &loop, std::move(request), attempt, 0}));
  Retry& retry = *loop.retries.back();
  host_.loop()->start_timer(host_.raw(), delay_ms, &SqliteEngine::onRetry, &retry, &retry.timer);
}

void SqliteEngine::onRetry(void* raw) {
  Retry& due = *static_cast<Retry*>(raw);
  SqliteEngine& engine = *due.engine;
  LoopState& loop = *due.loop;
  SqliteRequest request = std::move(due.request);
  const std::uint32_t attempt = due.attempt;
  loop.retries.remove_if([&](const std::unique_ptr<Retry>& retry) { return retry.get() == &due; });
  engine.execute(loop, std::move(request), attempt);
}

void SqliteEngine::commit(const sub0_run& run) {
  writer_.commitCall(run.call_id, run.ticket, run.deadline_ns);
}

void SqliteEngine::rollback(std::uint64_t call_id) { writer_.rollbackCall(call_id); }

std::unique_ptr<SqlSession> SqliteEngine::openSession(AfterLoss /*after_loss*/) {
  makeFolder();  // a migration comes before start
  return makeSqliteSession(path_, result_limit_bytes_, writes_);
}

}  // namespace sub0::query
