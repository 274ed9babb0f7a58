// SPDX-License-Identifier: Apache-2.0
#include "poco_data/data_keeper.hpp"

#include <algorithm>

namespace sub0::query {
namespace {

constexpr std::chrono::milliseconds kPauseWhileUp{1000};
constexpr std::chrono::milliseconds kFirstPauseWhileAway{50};
constexpr std::chrono::milliseconds kLongestPauseWhileAway{1000};
constexpr std::uint32_t kMostPauseDoublings = 5;

}  // namespace

void DataKeeper::start() {
  thread_ = std::thread([this] { work(); });
}

void DataKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  is_up_ = false;
}

void DataKeeper::look(const StatementPointer& statement) {
  const std::lock_guard lock(mutex_);
  to_look_at_.push_back(statement);
  is_poked_ = true;
  changed_.notify_one();
}

void DataKeeper::poke() {
  const std::lock_guard lock(mutex_);
  is_poked_ = true;
  changed_.notify_one();
}

void DataKeeper::work() {
  session_ = source_.makeSession(SessionUse::kLook);
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    is_poked_ = false;
    lock.unlock();
    lookAtDatabase();
    lock.lock();
    if (is_up_) {
      changed_.wait_for(lock, kPauseWhileUp, [this] { return is_stopping_ || is_poked_; });
    } else {
      const auto pause =
          std::min(kLongestPauseWhileAway,
                   kFirstPauseWhileAway * (1 << std::min(failures_, kMostPauseDoublings)));
      changed_.wait_for(lock, pause, [this] { return is_stopping_; });
    }
  }
  lock.unlock();
  session_.reset();
}

void DataKeeper::lookAtDatabase() {
  Failure failure;
  if (session_->isOpen() ? session_->ping(failure) : session_->connect(failure)) {
    if (!is_up_.exchange(true) && failures_ > 0) {
      host_.log(SUB0_LOG_INFO, "the database is back");
    }
    failures_ = 0;
    lookAtStatements();
  } else {
    session_->close();
    wentAway(failure.log);
  }
}

// While it is away the 1st, 2nd, 4th, 8th failure in a row are told.
void DataKeeper::wentAway(const std::string& why) {
  if (is_up_.exchange(false)) {
    ++epoch_;
    host_.log(SUB0_LOG_WARNING, "the connection to the database is lost: " + why);
  }
  ++failures_;
  if ((failures_ & (failures_ - 1)) == 0) {
    host_.log(SUB0_LOG_WARNING, "cannot connect to the database: " + why);
  }
}

void DataKeeper::lookAtStatements() {
  std::deque<StatementPointer> statements;
  {
    const std::lock_guard lock(mutex_);
    statements.swap(to_look_at_);
  }
  while (!statements.empty() && session_->isOpen()) {
    Failure failure;
    if (!session_->prepare(*statements.front(), failure) && failure.code != SUB0_UNAVAILABLE) {
      host_.log(SUB0_LOG_WARNING, statements.front()->place + ": " + failure.log +
                                      "; its calls fail until the database takes it");
    }
    statements.pop_front();
  }
}

}  // namespace sub0::query
