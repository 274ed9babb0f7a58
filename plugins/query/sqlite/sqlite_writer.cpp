// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_writer.hpp"

#include <algorithm>
#include <utility>

namespace sub0::query {

using Outcome = SqliteConnection::Outcome;
using Status = SqliteConnection::Status;

namespace {

constexpr int kPagesWorthPuttingBack = 1000;
constexpr std::chrono::milliseconds kLongestWaitForReaders{100};
constexpr std::chrono::seconds kGraceOfQuietCalls{1};
constexpr std::chrono::milliseconds kLookAtLent{5};

Failure transactionIsOver() {
  return Failure{SUB0_ACTION_FAILED, "the transaction of the call has been rolled back", ""};
}

}  // namespace

SqliteWriter::SqliteWriter(const HostPort& host, std::size_t result_limit_bytes,
                           std::uint64_t log_limit_bytes, WriteCount& writes)
    : host_(host),
      log_limit_bytes_(log_limit_bytes),
      writes_(writes),
      connection_(SqliteConnection::Use::kWrite, result_limit_bytes),
      shorten_at_bytes_(log_limit_bytes) {}

bool SqliteWriter::start(const std::string& path, std::string& error) {
  if (!connection_.open(path, error)) {
    return false;
  }
  thread_ = std::thread([this] { work(); });
  return true;
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
    changed_.notify_one();
    const auto has_ended = [this] { return has_ended_; };
    if (!ended_.wait_for(lock, left, has_ended)) {
      is_late_ = true;
      do {  // a statement that has just begun misses an interrupt
        connection_.interrupt();
      } while (!ended_.wait_for(lock, std::chrono::milliseconds(5), has_ended));
    }
  }
  thread_.join();
}

SqliteWriter::TimePoint SqliteWriter::untilOf(std::uint64_t deadline_ns) const {
  return std::chrono::steady_clock::now() + timeLeft(deadline_ns, host_.nowNs());
}

void SqliteWriter::add(SqliteRequest request) {
  const TimePoint until = untilOf(request.deadline_ns);
  {
    const std::lock_guard lock(mutex_);
    if (!is_stopping_) {
      waiting_.push_back({std::move(request), nullptr, until});
      wakeForWork();
      return;
    }
  }
  host_.fail(request.ticket, isClosing());
}

// Not while the thread waits for a call, behind which it looks anyway. REQUIRES: mutex_ is held.
void SqliteWriter::wakeForWork() {
  if (!is_awaiting_) {
    changed_.notify_one();
  }
}

void SqliteWriter::addToCall(std::uint64_t call_id, SqliteRequest request) {
  ask(call_id, std::move(request));
}

void SqliteWriter::commitCall(std::uint64_t call_id, sub0_ticket ticket,
                              std::uint64_t deadline_ns) {
  SqliteRequest commit;
  commit.ticket = ticket;
  commit.deadline_ns = deadline_ns;
  ask(call_id, std::move(commit));
}

void SqliteWriter::ask(std::uint64_t call_id, SqliteRequest request) {
  const bool is_commit = request.statement == nullptr;
  const TimePoint until = untilOf(request.deadline_ns);
  std::unique_lock lock(mutex_);
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) {
    if (is_commit) {  // it has executed nothing
      host_.complete(request.ticket, std::make_unique<ResultTree>(0));
    } else if (is_stopping_) {
      host_.fail(request.ticket, isClosing());
    } else {
      const CallPointer call = std::make_shared<CallTransaction>();
      calls_[call_id] = call;
      Waiting waiting;
      waiting.request.statement = request.statement;
      waiting.call = call;
      waiting.until = call->until = until;
      call->asked = std::move(request);
      waiting_.push_back(std::move(waiting));
      wakeForWork();
    }
    return;
  }
  const CallPointer call = found->second;
  if (is_commit) {  // from here on it is not to be rolled back by others
    calls_.erase(found);
  }
  if (call->is_lost) {
    host_.fail(request.ticket, transactionIsOver());
    return;
  }
  call->until = until;
  if (is_awaiting_ && current_.call == call && !is_stopping_ && executeHere(lock, request)) {
    return;
  }
  call->asked = std::move(request);
  changed_.notify_one();
}

// On the loop, in the place of the thread: a statement, or the end of a call and the beginning of
// the one behind it. False: it is for the thread.
bool SqliteWriter::executeHere(std::unique_lock<std::mutex>& lock, SqliteRequest& request) {
  SqliteGroup& group = *open_group_;
  const bool is_commit = request.statement == nullptr;
  is_lent_ = true;
  lock.unlock();
  const bool is_mine = is_commit || group.isFast(request);
  std::optional<Waiting> next;
  if (is_commit) {
    group.commitCall(request.ticket);
    next = beginNext(group);
  } else if (is_mine) {
    group.executeInCall(request);
  }
  lock.lock();
  is_lent_ = false;
  if (next) {
    current_ = std::move(*next);
  } else if (is_commit && !group.isLost()) {
    current_ = Waiting();
  }
  // What came for the call behind while it was not current yet woke nobody.
  if (group.isLost() || is_stopping_ || current_.call == nullptr || current_.call->is_given_up ||
      current_.call->asked.has_value()) {
    changed_.notify_one();
  }
  return is_mine;
}

// The call that waits in front, its first statement executed; none: the thread has to go on.
std::optional<SqliteWriter::Waiting> SqliteWriter::beginNext(SqliteGroup& group) {
  if (group.isLost() || group.isFull()) {
    return std::nullopt;
  }
  std::optional<Waiting> next = takeNext();
  if (!next) {
    return std::nullopt;
  }
  Failure failure;
  if (next->call == nullptr || next->is_alone || goesFirst(*next) || !group.isFast(next->request) ||
      !group.beginCall(failure)) {
    putBack(std::move(*next));
    return std::nullopt;
  }
  std::optional<SqliteRequest> asked;
  {
    const std::lock_guard lock(mutex_);
    asked = std::exchange(next->call->asked, std::nullopt);
  }
  group.executeInCall(*asked);
  return next;
}

void SqliteWriter::rollbackCall(std::uint64_t call_id) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) {
    return;
  }
  const CallPointer call = std::move(found->second);
  calls_.erase(found);
  call->is_given_up = true;
  if (executing_ == call.get()) {
    connection_.interrupt();
  }
  changed_.notify_one();
}

void SqliteWriter::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      has_ended_ = true;
      ended_.notify_all();
      return;
    }
    lock.unlock();
    writeGroup();
    lock.lock();
  }
}

void SqliteWriter::writeGroup() {
  SqliteGroup group(host_, connection_, writes_);
  if (!begin(group)) {
    return;
  }
  while (std::optional<Waiting> next = takeNext()) {
    if (!group.isEmpty() && (next->is_alone || goesFirst(*next))) {
      putBack(std::move(*next));
      break;
    }
    const bool is_alone = next->is_alone;
    const Fate fate =
        next->call == nullptr ? group.execute(next->request) : executeCall(group, std::move(*next));
    if (fate == Fate::kLost) {
      repeatSingly(group.takeLost());
      return;
    }
    if (is_alone || group.isFull()) {
      break;
    }
  }
  group.commit();
  if (!is_late_) {
    shortenLog();
  }
}

// Takes the file's lock for those who wait; false: nobody is left.
bool SqliteWriter::begin(SqliteGroup& group) {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        return false;
      }
    }
    connection_.setWait([this](int looks) {
      std::this_thread::sleep_for(pauseBetweenLooks(looks));
      return !is_late_ && std::chrono::steady_clock::now() < earliestUntil();
    });
    Outcome outcome;
    outcome.status = group.begin(outcome.failure);
    if (outcome.status == Status::kDone) {
      return true;
    }
    failBlocked(outcome);
  }
}

// Also of those who came while the lock is waited for; nobody waits: now.
SqliteWriter::TimePoint SqliteWriter::earliestUntil() {
  const std::lock_guard lock(mutex_);
  TimePoint earliest = waiting_.empty() ? TimePoint::min() : TimePoint::max();
  for (const Waiting& waiting : waiting_) {
    earliest = std::min(earliest, waiting.until);
  }
  return earliest;
}

// The group could not begin: who has no time left fails, or, where it is not for a lock, the first.
void SqliteWriter::failBlocked(const Outcome& outcome) {
  const TimePoint now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (outcome.status != Status::kBusy && !is_late_) {
    failWaiting(waiting_.front(), outcome.failure);
    waiting_.pop_front();
    return;
  }
  std::deque<Waiting> kept;
  for (Waiting& waiting : waiting_) {
    if (is_late_ || waiting.until <= now) {
      failWaiting(waiting, is_late_ ? isClosing() : isLocked());
    } else {
      kept.push_back(std::move(waiting));
    }
  }
  waiting_ = std::move(kept);
}

// REQUIRES: mutex_ is held.
void SqliteWriter::failWaiting(const Waiting& waiting, const Failure& failure) {
  if (waiting.call == nullptr) {
    host_.fail(waiting.request.ticket, failure);
    return;
  }
  host_.fail(waiting.call->asked->ticket, failure);
  waiting.call->asked.reset();
  waiting.call->is_lost = true;
}

std::optional<SqliteWriter::Waiting> SqliteWriter::takeNext() {
  const std::lock_guard lock(mutex_);
  if (is_late_) {
    for (Waiting& waiting : waiting_) {
      failWaiting(waiting, isClosing());
    }
    waiting_.clear();
  }
  if (waiting_.empty()) {
    return std::nullopt;
  }
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  return next;
}

bool SqliteWriter::goesFirst(const Waiting& waiting) {
  Failure ignored;
  const auto* prepared = connection_.prepare(*waiting.request.statement, ignored);
  return prepared != nullptr && (prepared->was_slow || prepared->loses_others);
}

void SqliteWriter::putBack(Waiting waiting) {
  const std::lock_guard lock(mutex_);
  waiting_.push_front(std::move(waiting));
}

SqliteWriter::Fate SqliteWriter::executeCall(SqliteGroup& group, Waiting waiting) {
  Failure failure;
  if (!group.beginCall(failure)) {
    const std::lock_guard lock(mutex_);
    failWaiting(waiting, failure);
    return group.isLost() ? Fate::kLost : Fate::kStands;
  }
  current_ = std::move(waiting);
  while (std::optional<SqliteRequest> asked = waitForAsk(group)) {
    if (asked->statement == nullptr) {
      return group.commitCall(asked->ticket);
    }
    if (group.executeInCall(*asked) == Fate::kLost) {
      break;
    }
  }
  {
    const std::lock_guard lock(mutex_);
    executing_ = nullptr;
    if (group.isLost()) current_.call->is_lost = true;
  }
  if (group.isLost()) {
    Failure ignored;
    if (auto* first = connection_.prepare(*current_.request.statement, ignored)) {
      first->loses_others = true;
    }
    return Fate::kLost;
  }
  // Taking back may last; nobody waits for the mutex meanwhile.
  return current_.call == nullptr ? Fate::kStands : group.rollbackCall();
}

// What the current call asks for next; nothing: its transaction is to be rolled back, or is lost,
// or a loop has ended it, and nobody's is current.
std::optional<SqliteRequest> SqliteWriter::waitForAsk(SqliteGroup& group) {
  std::unique_lock lock(mutex_);
  executing_ = nullptr;
  is_awaiting_ = true;
  open_group_ = &group;
  const auto patience = [this] { return current_.call->until + kGraceOfQuietCalls; };
  const auto is_over = [&] {
    return current_.call == nullptr || current_.call->asked.has_value() ||
           current_.call->is_given_up || is_stopping_ || group.isLost() ||
           std::chrono::steady_clock::now() >= patience();
  };
  while (is_lent_ || !is_over()) {
    changed_.wait_until(lock,
                        is_lent_ ? std::chrono::steady_clock::now() + kLookAtLent : patience());
  }
  is_awaiting_ = false;
  open_group_ = nullptr;
  if (current_.call == nullptr) {
    return std::nullopt;
  }
  CallTransaction& call = *current_.call;
  std::optional<SqliteRequest> asked = std::exchange(call.asked, std::nullopt);
  const bool is_commit = asked && asked->statement == nullptr;
  if (asked && !call.is_given_up && (is_commit || !is_stopping_)) {
    executing_ = &call;
    return asked;
  }
  if (asked) {
    host_.fail(asked->ticket, is_stopping_ ? isClosing() : transactionIsOver());
  }
  call.is_lost = true;
  return std::nullopt;
}

void SqliteWriter::repeatSingly(std::vector<SqliteRequest> requests) {
  const std::lock_guard lock(mutex_);
  for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
    const TimePoint until = untilOf(request->deadline_ns);
    waiting_.push_front({std::move(*request), nullptr, until, true});
  }
}

// Puts the log's pages back into the database, which SQLite would do within a commit, before its
// run has ended. Where readers never leave a moment for it to begin anew it only grows; then it is
// emptied as a whole. For that SQLite waits until nobody reads from its older part; who begins to
// read meanwhile is not held up, so the wait is as long as the reads that are under way.
void SqliteWriter::shortenLog() {
  const std::uint64_t size_bytes = connection_.logBytes();
  if (size_bytes < shorten_at_bytes_) {
    shorten_at_bytes_ = size_bytes < log_limit_bytes_ ? log_limit_bytes_ : shorten_at_bytes_;
    if (connection_.logPages() >= kPagesWorthPuttingBack) {
      connection_.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    }
    return;
  }
  const TimePoint until = std::chrono::steady_clock::now() + kLongestWaitForReaders;
  connection_.setWait([until](int looks) {
    std::this_thread::sleep_for(pauseBetweenLooks(looks));
    return std::chrono::steady_clock::now() < until;
  });
  // A report that reads for minutes would cost every write this wait: the next try is for later.
  shorten_at_bytes_ = connection_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE)
                          ? log_limit_bytes_
                          : size_bytes + log_limit_bytes_ / 4;
}

}  // namespace sub0::query
