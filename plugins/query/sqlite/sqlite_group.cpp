// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_group.hpp"

#include "sqlite/sqlite_errors.hpp"

namespace sub0::query {

using Control = SqliteConnection::Control;
using Outcome = SqliteConnection::Outcome;
using Status = SqliteConnection::Status;

Status SqliteGroup::begin(Failure& failure) {
  const Status status = connection_.control(Control::kBeginImmediate, failure);
  if (status != Status::kDone && connection_.isInTransaction()) {  // interrupted behind its work
    Failure ignored;
    connection_.control(Control::kRollback, ignored);
  }
  return status;
}

bool SqliteGroup::isFull() const {
  return !done_.empty() && (done_.size() >= kMostWrites || held_bytes_ >= kMostBytes ||
                            std::chrono::steady_clock::now() - first_done_ >= kLongest);
}

SqliteGroup::Fate SqliteGroup::execute(SqliteRequest& request) {
  Outcome outcome;
  outcome.status = connection_.control(Control::kSavepoint, outcome.failure);
  if (outcome.status != Status::kDone) {
    fail(host_, request.ticket, outcome);
    return fate();
  }
  outcome = executeStatement(request);
  checkReferences(outcome, request.statement->sql);
  if (outcome.status == Status::kDone) {
    outcome.status = connection_.control(Control::kRelease, outcome.failure);
  }
  if (outcome.status == Status::kDone) {
    keep(std::move(request), std::move(outcome.tree));
    return Fate::kStands;
  }
  fail(host_, request.ticket, outcome);
  return takeBack();
}

bool SqliteGroup::isFast(const SqliteRequest& request) {
  Failure ignored;
  const auto* prepared = connection_.prepare(*request.statement, ignored);
  return prepared != nullptr && prepared->fast_runs >= kFastRuns;
}

bool SqliteGroup::beginCall(Failure& failure) {
  has_call_failed_ = false;
  blamed_sql_.clear();
  return connection_.control(Control::kSavepoint, failure) == Status::kDone;
}

SqliteGroup::Fate SqliteGroup::executeInCall(SqliteRequest& request) {
  Outcome outcome = executeStatement(request);
  if (outcome.status == Status::kDone) {
    if (!connection_.hasOpenReferences()) {
      blamed_sql_.clear();
    } else if (blamed_sql_.empty()) {
      blamed_sql_ = request.statement->sql;
    }
    host_.complete(request.ticket, std::move(outcome.tree));
    return Fate::kStands;
  }
  has_call_failed_ = true;
  fail(host_, request.ticket, outcome);
  return fate();
}

SqliteGroup::Fate SqliteGroup::commitCall(sub0_ticket ticket) {
  Outcome outcome;
  if (has_call_failed_) {
    outcome.failure = Failure{SUB0_ACTION_FAILED, "a statement of the transaction failed", ""};
  } else {
    outcome.status = Status::kDone;
    checkReferences(outcome, blamed_sql_);
  }
  if (outcome.status == Status::kDone) {
    outcome.status = connection_.control(Control::kRelease, outcome.failure);
  }
  if (outcome.status == Status::kDone) {
    SqliteRequest commit;
    commit.ticket = ticket;
    keep(std::move(commit), std::make_unique<ResultTree>(0));
    return Fate::kStands;
  }
  fail(host_, ticket, outcome);
  return takeBack();
}

void SqliteGroup::keep(SqliteRequest request, std::unique_ptr<ResultTree> tree) {
  if (done_.empty()) {
    first_done_ = std::chrono::steady_clock::now();
  }
  held_bytes_ += tree->sizeBytes();
  done_.push_back({std::move(request), std::move(tree)});
}

SqliteGroup::Fate SqliteGroup::rollbackCall() { return takeBack(); }

Outcome SqliteGroup::executeStatement(SqliteRequest& request) {
  Outcome outcome;
  const std::chrono::nanoseconds time_left = timeLeft(request.deadline_ns, host_.nowNs());
  if (time_left.count() <= 0) {
    outcome.failure = waitedPastDeadline();
    return outcome;
  }
  SqliteConnection::Prepared* const prepared =
      connection_.prepare(*request.statement, outcome.failure);
  if (prepared == nullptr) {
    outcome.status = outcome.failure.code == SUB0_BUSY ? Status::kBusy : Status::kFailed;
    return outcome;
  }
  if (request.must_not_write && !prepared->only_reads) {
    outcome.failure = mustNotWrite(*request.statement);
    return outcome;
  }
  const auto begun = std::chrono::steady_clock::now();
  outcome = connection_.execute(*prepared, request.parameters, time_left);
  const auto took = std::chrono::steady_clock::now() - begun;
  prepared->was_slow = took >= kLongest;
  if (took > kFast) {
    prepared->fast_runs = 0;
  } else if (prepared->fast_runs < kFastRuns) {
    ++prepared->fast_runs;
  }
  prepared->loses_others = prepared->loses_others || !connection_.isInTransaction();
  return outcome;
}

void SqliteGroup::checkReferences(Outcome& outcome, const std::string& blamed_sql) const {
  if (outcome.status == Status::kDone && connection_.hasOpenReferences()) {
    outcome.status = Status::kFailed;
    outcome.failure = sqliteFailure(SQLITE_CONSTRAINT_FOREIGNKEY, "FOREIGN KEY constraint failed",
                                    blamed_sql, 0, Shown::kNoValues);
  }
}

// The innermost savepoint and what was done since.
SqliteGroup::Fate SqliteGroup::takeBack() {
  Failure ignored;
  if (connection_.isInTransaction() &&
      (connection_.control(Control::kRollbackTo, ignored) != Status::kDone ||
       connection_.control(Control::kRelease, ignored) != Status::kDone)) {
    connection_.control(Control::kRollback, ignored);
  }
  return fate();
}

void SqliteGroup::commit() {
  Failure failure;
  if (done_.empty()) {
    connection_.control(Control::kRollback, failure);
    return;
  }
  const Status status = connection_.control(Control::kCommit, failure);
  if (status != Status::kDone) {
    failure = commitFailure(std::move(failure));
    for (const Done& done : done_) {
      host_.fail(done.request.ticket, failure);
    }
    return;
  }
  writes_.fetch_add(1, std::memory_order_release);
  for (Done& done : done_) {
    host_.complete(done.request.ticket, std::move(done.tree));
  }
}

// Where the disk failed, a part of the log may have reached it, and a later start would take it for
// committed.
Failure SqliteGroup::commitFailure(Failure failure) {
  if ((connection_.errorCode() & 0xff) == SQLITE_IOERR) {
    failure.client = "the outcome is not known: the write may have been done or not";
  }
  Failure ignored;
  if (connection_.isInTransaction()) {
    connection_.control(Control::kRollback, ignored);
  }
  return failure;
}

std::vector<SqliteRequest> SqliteGroup::takeLost() {
  std::vector<SqliteRequest> repeated;
  for (Done& done : done_) {
    if (done.request.statement != nullptr) {
      repeated.push_back(std::move(done.request));
    } else {
      host_.fail(done.request.ticket,
                 Failure{SUB0_BUSY, "the transaction was lost with one that shared its commit",
                         "the transaction was rolled back, nothing was written; try again"});
    }
  }
  done_.clear();
  return repeated;
}

void SqliteGroup::fail(const HostPort& host, sub0_ticket ticket, const Outcome& outcome) {
  host.fail(ticket, outcome.status == Status::kBusy ? isLocked() : outcome.failure);
}

}  // namespace sub0::query
