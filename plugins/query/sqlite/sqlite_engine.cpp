// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_engine.hpp"

#include <algorithm>
#include <filesystem>

#include "parameter_text.hpp"
#include "sqlite/sqlite_rewrite.hpp"

namespace sub0::query {
namespace {

using Status = SqliteConnection::Status;

constexpr std::uint32_t kLongestRetryMs = 5;
constexpr std::uint64_t kNanosecondsPerMs = 1000000;

// Waits for locks on a thread of its own, so the file's own waiting will do.
class SqliteSession final : public SqlSession {
 public:
  SqliteSession(std::string path, std::size_t limit_bytes)
      : path_(std::move(path)), connection_(SqliteConnection::Use::kFree, limit_bytes) {}

  std::unique_ptr<ResultTree> execute(std::string_view sql, bool is_script,
                                      const sub0_value& parameters, Failure& failure) override {
    std::string error;
    if (!is_open_ && !connection_.open(path_, error)) {
      failure = Failure{SUB0_UNAVAILABLE, error, ""};
      return nullptr;
    }
    is_open_ = true;
    connection_.setWait([](int calls) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return calls < 1000;
    });
    Rewritten rewritten = rewriteForSqlite(tokenize(sql, Dialect::kSqlite));
    if (!rewritten.errors.empty()) {
      failure = Failure{SUB0_ACTION_FAILED, rewritten.errors.front(), ""};
      return nullptr;
    }
    SqliteParameters bound;
    for (std::uint32_t i = 0; parameters.type == SUB0_ARRAY && i < parameters.count; ++i) {
      bound.push_back(toSqlite(parameters.as.items[i]));
    }
    std::string_view rest = rewritten.sql;
    std::unique_ptr<ResultTree> last;
    do {
      SqliteConnection::Outcome outcome = connection_.executeOnce(rest, bound, &rest);
      if (outcome.status != Status::kDone) {
        failure = outcome.status == Status::kBusy
                      ? Failure{SUB0_BUSY, "another process holds the database file's lock", ""}
                      : outcome.failure;
        return nullptr;
      }
      last = outcome.tree == nullptr ? std::move(last) : std::move(outcome.tree);
    } while (is_script && !rest.empty());
    return last == nullptr ? std::make_unique<ResultTree>(0) : std::move(last);
  }

 private:
  std::string path_;
  SqliteConnection connection_;
  bool is_open_ = false;
};

// What SQLite's parser says of a statement where no table exists: only what no schema can mend.
std::string syntaxError(const std::string& sql) {
  sqlite3* nothing = nullptr;
  std::string error;
  if (sqlite3_open(":memory:", &nothing) == SQLITE_OK) {
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

struct SqliteEngine::Retry {
  SqliteEngine* engine;
  LoopState* loop;
  SqliteRequest request;
  std::uint32_t attempt;
  std::uint64_t timer;
};

SqliteEngine::SqliteEngine(const HostPort& host, std::string path, std::size_t result_limit_bytes)
    : host_(host),
      path_(std::move(path)),
      result_limit_bytes_(result_limit_bytes),
      writer_(host, result_limit_bytes) {}

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
  if (checker_->prepared(statement, failure) == nullptr) {
    host_.log(SUB0_LOG_WARNING, statement.place + ": " + failure.log +
                                    "; its calls fail until the database takes it");
  }
}

bool SqliteEngine::start(std::string& error) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) {
    std::filesystem::create_directories(folder, ignored);
  }
  if (!writer_.start(path_, error)) {
    return false;
  }
  using Use = SqliteConnection::Use;
  const std::uint32_t count = host_.loop() == nullptr ? 0 : host_.loop()->count(host_.raw());
  loops_.resize(count);
  for (LoopState& loop : loops_) {
    loop.reader = std::make_unique<SqliteConnection>(Use::kRead, result_limit_bytes_);
    if (!loop.reader->open(path_, error)) {
      return false;
    }
  }
  checker_ = std::make_unique<SqliteConnection>(Use::kRead, result_limit_bytes_);
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
}

void SqliteEngine::stopLoop(std::uint32_t index) {
  LoopState& loop = loops_[index];
  for (const std::unique_ptr<Retry>& retry : loop.retries) {
    host_.loop()->stop_timer(host_.raw(), retry->timer);
    host_.fail(retry->request.ticket,
               Failure{SUB0_UNAVAILABLE, "the database is being closed", ""});
  }
  loop.retries.clear();
}

void SqliteEngine::run(const StatementPointer& statement, const sub0_run& run) {
  const std::int32_t current = host_.currentLoop();
  if (current < 0) {
    host_.fail(run.ticket, Failure{SUB0_INTERNAL, "a run of QUERY came on no loop", ""});
    return;
  }
  SqliteRequest request{run.ticket, run.deadline_ns, statement, {}};
  request.parameters.reserve(statement->inputs.size());
  for (const std::uint32_t input : statement->inputs) {
    if (holdsNul(run.inputs[input])) {
      host_.fail(run.ticket, holdsNulFailure());
      return;
    }
    request.parameters.push_back(toSqlite(run.inputs[input]));
  }
  LoopState& loop = loops_[static_cast<std::size_t>(current)];
  Failure failure;
  sqlite3_stmt* prepared = loop.reader->prepared(*statement, failure);
  if (prepared == nullptr && failure.code != SUB0_BUSY) {
    failure.log = statement->place + ": " + failure.log;
    host_.fail(run.ticket, failure);
  } else if (prepared == nullptr || sqlite3_stmt_readonly(prepared) != 0) {
    read(loop, std::move(request), 0);
  } else if ((run.flags & SUB0_RUN_READ_ONLY) != 0) {
    host_.fail(run.ticket, Failure{SUB0_METHOD_NOT_ALLOWED,
                                   statement->place + ": the statement writes, the call must not",
                                   kMustNotWrite});
  } else {
    writer_.add(std::move(request));
  }
}

void SqliteEngine::read(LoopState& loop, SqliteRequest request, std::uint32_t attempt) {
  const std::uint64_t now_ns = host_.nowNs();
  const std::uint64_t left_ns = request.deadline_ns > now_ns ? request.deadline_ns - now_ns : 1;
  SqliteConnection::Outcome outcome = loop.reader->execute(*request.statement, request.parameters,
                                                           std::chrono::nanoseconds(left_ns));
  if (outcome.status == Status::kDone) {
    host_.complete(request.ticket, std::move(outcome.tree));
  } else if (outcome.status == Status::kBusy) {
    retryLater(loop, std::move(request), attempt + 1);
  } else {
    outcome.failure.log = request.statement->place + ": " + outcome.failure.log;
    host_.fail(request.ticket, outcome.failure);
  }
}

void SqliteEngine::retryLater(LoopState& loop, SqliteRequest request, std::uint32_t attempt) {
  const std::uint64_t delay_ms = std::min(attempt, kLongestRetryMs);
  if (host_.nowNs() + delay_ms * kNanosecondsPerMs >= request.deadline_ns) {
    host_.fail(request.ticket, Failure{SUB0_BUSY, "another process holds the database file's lock",
                                       "the database is busy"});
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
  engine.read(loop, std::move(request), attempt);
}

std::unique_ptr<SqlSession> SqliteEngine::openSession() {
  return std::make_unique<SqliteSession>(path_, result_limit_bytes_);
}

}  // namespace sub0::query
