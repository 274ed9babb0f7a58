// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_reading_threads.hpp"

#include <algorithm>

namespace sub0::query {

using Status = SqliteConnection::Status;

SqliteReadingThreads::SqliteReadingThreads(const HostPort& host, std::size_t result_limit_bytes)
    : host_(host), result_limit_bytes_(result_limit_bytes) {}

bool SqliteReadingThreads::start(const std::string& path, std::string& error) {
  const std::size_t count = std::clamp(std::thread::hardware_concurrency(), 2U, 4U);
  for (std::size_t i = 0; i < count; ++i) {
    readers_.push_back(std::make_unique<Reader>(result_limit_bytes_));
    if (!readers_.back()->connection.open(path, error)) {
      return false;
    }
  }
  return true;
}

void SqliteReadingThreads::add(SqliteRequest request, std::shared_ptr<ReadPace> pace) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopping_) {
      waiting_.push_back({std::move(request), std::move(pace)});
      if (waiting_.size() > idle_ && threads_ < readers_.size()) {
        Reader& reader = *readers_[threads_];
        reader.thread = std::thread([this, &reader] { work(reader); });  // waits for mutex_
        ++threads_;
        ++running_;
      }
      changed_.notify_one();
      return;
    }
  }
  host_.fail(request.ticket, isClosing());
}

void SqliteReadingThreads::stop(std::uint64_t deadline_ns) {
  {
    std::unique_lock lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
    const std::uint64_t now_ns = host_.nowNs();
    const std::chrono::nanoseconds left(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    if (!ended_.wait_for(lock, left, [this] { return running_ == 0; })) {
      is_late_ = true;
      while (running_ > 0) {  // one that has just begun misses an interrupt
        for (const std::unique_ptr<Reader>& reader : readers_) {
          reader->connection.interrupt();
        }
        ended_.wait_for(lock, std::chrono::milliseconds(5), [this] { return running_ == 0; });
      }
    }
  }
  for (const std::unique_ptr<Reader>& reader : readers_) {
    if (reader->thread.joinable()) {
      reader->thread.join();
    }
  }
  readers_.clear();
}

void SqliteReadingThreads::work(Reader& reader) {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) {
      --running_;
      ended_.notify_all();
      return;
    }
    Work taken = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    execute(reader, taken);
    lock.lock();
  }
}

void SqliteReadingThreads::execute(Reader& reader, Work& work) {
  SqliteRequest& request = work.request;
  Failure failure;
  const std::chrono::nanoseconds time_left = timeLeft(request.deadline_ns, host_.nowNs());
  if (is_late_) {
    return host_.fail(request.ticket, isClosing());
  }
  if (time_left.count() <= 0) {
    return host_.fail(request.ticket, waitedPastDeadline());
  }
  const auto begun = std::chrono::steady_clock::now();
  reader.connection.setWait([this, until = begun + time_left](int looks) {
    std::this_thread::sleep_for(pauseBetweenLooks(looks));
    return !is_late_ && std::chrono::steady_clock::now() < until;
  });
  SqliteConnection::Outcome outcome;
  SqliteConnection::Prepared* const prepared =
      reader.connection.prepare(*request.statement, outcome.failure);
  if (prepared == nullptr) {
    outcome.status = outcome.failure.code == SUB0_BUSY ? Status::kBusy : Status::kFailed;
  } else {
    outcome = reader.connection.execute(*prepared, request.parameters, time_left);
  }
  if (outcome.status == Status::kDone) {
    work.pace->tookOffLoop(std::chrono::steady_clock::now() - begun);
    host_.complete(request.ticket, std::move(outcome.tree));
  } else if (outcome.status == Status::kBusy) {
    host_.fail(request.ticket, isLocked());
  } else {
    outcome.failure.log = request.statement->place + ": " + outcome.failure.log;
    host_.fail(request.ticket, is_late_ ? isClosing() : outcome.failure);
  }
}

}  // namespace sub0::query
