// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_writer.hpp"

#include <algorithm>

namespace sub0::query {

constexpr std::uint64_t kMarginNs = 10000000;

using Status = SqliteConnection::Status;

bool SqliteWriter::start(const std::string& path, std::string& error) {
  if (!connection_.open(path, error)) {
    return false;
  }
  thread_ = std::thread([this] { work(); });
  return true;
}

void SqliteWriter::add(SqliteRequest request) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopping_) {
      waiting_.push_back(std::move(request));
      changed_.notify_one();
      return;
    }
  }
  host_.fail(request.ticket, Failure{SUB0_UNAVAILABLE, "the database is being closed", ""});
}

void SqliteWriter::stop(std::uint64_t deadline_ns) {
  if (!thread_.joinable()) {
    return;
  }
  const std::uint64_t now_ns = host_.nowNs();
  const std::chrono::nanoseconds left(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
  {
    std::unique_lock lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
    if (!changed_.wait_for(lock, left, [this] { return has_ended_; })) {
      is_late_ = true;
      connection_.interrupt();
    }
  }
  thread_.join();
}

void SqliteWriter::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      has_ended_ = true;
      changed_.notify_all();
      return;
    }
    SqliteRequest request = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    if (is_late_) {
      host_.fail(request.ticket, Failure{SUB0_UNAVAILABLE, "the database is being closed", ""});
    } else {
      execute(request);
    }
    lock.lock();
  }
}

void SqliteWriter::execute(SqliteRequest& request) {
  const std::uint64_t now_ns = host_.nowNs();
  SqliteConnection::Outcome outcome;
  if (request.deadline_ns <= now_ns) {
    outcome.failure = Failure{SUB0_TIMEOUT, "the statement waited past the deadline", ""};
    end(request, outcome);
    return;
  }
  // Ended a little before the deadline, so that the host need not do it.
  const std::uint64_t left_ns = request.deadline_ns - now_ns;
  const std::chrono::nanoseconds time_left(left_ns - std::min(left_ns / 2, kMarginNs));
  const auto until = std::chrono::steady_clock::now() + time_left;
  connection_.setWait([this, until](int calls) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(calls + 1, 5)));
    return !is_late_ && std::chrono::steady_clock::now() < until;
  });
  const Status begun = connection_.control("BEGIN IMMEDIATE", outcome.failure);
  if (begun == Status::kDone) {
    outcome = connection_.execute(*request.statement, request.parameters, time_left);
    if (outcome.status == Status::kDone) {
      outcome.status = connection_.control("COMMIT", outcome.failure, request.statement->sql);
    }
    if (outcome.status != Status::kDone) {
      Failure ignored;
      connection_.control("ROLLBACK", ignored);
    }
  } else {
    outcome.status = begun;
  }
  end(request, outcome);
}

void SqliteWriter::end(const SqliteRequest& request, SqliteConnection::Outcome& outcome) {
  if (outcome.status == Status::kDone) {
    host_.complete(request.ticket, std::move(outcome.tree));
  } else if (outcome.status == Status::kBusy) {
    host_.fail(request.ticket,
               Failure{SUB0_BUSY, "another process holds the lock of the database file",
                       "the database is busy"});
  } else {
    host_.fail(request.ticket, outcome.failure);
  }
}

}  // namespace sub0::query
