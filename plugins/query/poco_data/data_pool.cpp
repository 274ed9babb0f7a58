// SPDX-License-Identifier: Apache-2.0
#include "poco_data/data_pool.hpp"

#include <algorithm>
#include <utility>

#include "deadline.hpp"

namespace sub0::query {

using End = DataSession::End;

namespace {

constexpr std::size_t kMostWaiting = 1000;
constexpr std::chrono::seconds kGraceOfQuietCalls{1};
constexpr std::chrono::seconds kBetweenInterrupts{1};

Failure isAway() {
  return Failure{SUB0_UNAVAILABLE, "the database cannot be reached",
                 "the database cannot be reached"};
}

Failure waitedTooLong() {
  return Failure{SUB0_BUSY, "the statement waited too long for a connection",
                 "the database is busy"};
}

Failure ranTooLong() {
  return Failure{SUB0_TIMEOUT, "a statement ran past the deadline of its call", ""};
}

Failure transactionIsOver(bool has_connection_ended = false) {
  const char* const why = "the transaction of the call has been rolled back";
  return has_connection_ended ? Failure{SUB0_UNAVAILABLE, why, isAway().client}
                              : Failure{SUB0_ACTION_FAILED, why, ""};
}

}  // namespace

DataPool::DataPool(const HostPort& host, const DataSource& source, DataKeeper& keeper,
                   Options options)
    : host_(host), source_(source), keeper_(keeper), options_(options) {}

void DataPool::start() {
  watch_thread_ = std::thread([this] { watch(); });
}

void DataPool::stop(std::uint64_t deadline_ns) {
  if (!watch_thread_.joinable()) {
    return;
  }
  {
    std::unique_lock lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
    for (auto& [id, call] : calls_) {
      call->changed.notify_all();
    }
    const std::uint64_t now_ns = host_.nowNs();
    const std::chrono::nanoseconds left(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    if (!ended_.wait_for(lock, left, [this] { return running_ == 0; })) {
      is_late_ = true;
      for (Waiting& waiting : waiting_) {
        failWaiting(waiting, isClosing());
      }
      waiting_.clear();
      for (const std::unique_ptr<Worker>& worker : workers_) {
        worker->until = std::min(worker->until, std::chrono::steady_clock::now());
      }
      watch_changed_.notify_one();
      next_look_ = TimePoint::min();
      ended_.wait(lock, [this] { return running_ == 0; });
    }
    has_watch_ended_ = true;
    watch_changed_.notify_one();
  }
  watch_thread_.join();
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->thread.join();
  }
  workers_.clear();
}

DataPool::TimePoint DataPool::untilOf(std::uint64_t deadline_ns) const {
  const std::uint64_t now_ns = host_.nowNs();
  const std::uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
  return std::chrono::steady_clock::now() + std::chrono::nanoseconds(left_ns - marginNs(left_ns));
}

// ---- what comes ---------------------------------------------------------------------------------

void DataPool::add(DataRequest request) {
  const sub0_ticket ticket = request.ticket;
  const TimePoint until =
      std::min(untilOf(request.deadline_ns),
               std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.wait_ms));
  Failure failure;
  {
    const std::lock_guard lock(mutex_);
    if (push(Waiting{std::move(request), nullptr, until}, failure)) {
      return;
    }
  }
  host_.fail(ticket, failure);
}

// REQUIRES: mutex_ is held.
bool DataPool::push(Waiting waiting, Failure& failure) {
  if (is_stopping_ || waiting_.size() >= kMostWaiting) {
    failure = is_stopping_ ? isClosing() : waitedTooLong();
    return false;
  }
  lookBy(waiting.until);
  waiting_.push_back(std::move(waiting));
  if (waiting_.size() > idle_ && workers_.size() < options_.connections) {
    workers_.push_back(std::make_unique<Worker>());
    Worker& worker = *workers_.back();
    ++running_;
    worker.thread = std::thread([this, &worker] { work(worker); });  // waits for mutex_
  }
  changed_.notify_one();
  return true;
}

void DataPool::addToCall(std::uint64_t call_id, DataRequest request) {
  const sub0_ticket ticket = request.ticket;
  const TimePoint deadline = untilOf(request.deadline_ns);
  Failure failure;
  {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(call_id);
    if (found != calls_.end() && found->second->is_lost) {
      failure = transactionIsOver(found->second->has_connection_ended);
    } else if (found != calls_.end()) {
      Call& call = *found->second;
      call.until = deadline;
      call.asked = std::move(request);
      call.changed.notify_all();
      return;
    } else {
      const CallPointer call = std::make_shared<Call>();
      call->asked = std::move(request);
      call->until = deadline;
      const TimePoint until = std::min(
          deadline, std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.wait_ms));
      if (push(Waiting{DataRequest{}, call, until}, failure)) {
        calls_[call_id] = call;
        return;
      }
    }
  }
  host_.fail(ticket, failure);
}

void DataPool::commitCall(std::uint64_t call_id, sub0_ticket ticket, std::uint64_t deadline_ns) {
  bool has_connection_ended = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(call_id);
    if (found != calls_.end()) {
      const CallPointer call = std::move(found->second);
      calls_.erase(found);
      if (!call->is_lost) {
        call->until = untilOf(deadline_ns);
        call->asked.emplace();
        call->asked->ticket = ticket;
        call->asked->deadline_ns = deadline_ns;
        call->changed.notify_all();
        return;
      }
      has_connection_ended = call->has_connection_ended;
    } else {  // it has executed nothing
      host_.complete(ticket, std::make_unique<ResultTree>(0));
      return;
    }
  }
  host_.fail(ticket, transactionIsOver(has_connection_ended));
}

void DataPool::rollbackCall(std::uint64_t call_id) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) {
    return;
  }
  const CallPointer call = std::move(found->second);
  calls_.erase(found);
  call->is_given_up = true;
  call->changed.notify_all();
  if (call->worker != nullptr) {  // its statement may be under way
    call->worker->until = std::min(call->worker->until, std::chrono::steady_clock::now());
    lookBy(TimePoint::min());
  }
}

// ---- the threads --------------------------------------------------------------------------------

void DataPool::work(Worker& worker) {
  worker.session = source_.makeSession(SessionUse::kWork);
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) {
      break;
    }
    Waiting taken = std::move(waiting_.front());
    waiting_.pop_front();
    if (taken.call != nullptr) {
      taken.call->worker = &worker;
      lock.unlock();
      serveCall(worker, *taken.call);
    } else {
      lock.unlock();
      serve(worker, taken.request);
    }
    lock.lock();
  }
  lock.unlock();
  worker.session.reset();
  lock.lock();
  --running_;
  ended_.notify_all();
}

// From here on until leave() the watch may interrupt.
void DataPool::enter(Worker& worker, TimePoint until) {
  const std::lock_guard lock(mutex_);
  {
    const std::lock_guard guard(worker.guard);
    ++worker.piece;
    worker.is_running = true;
    worker.is_interrupted = false;
  }
  worker.attempts = 0;
  worker.until = is_late_ ? TimePoint::min() : until;
  lookBy(worker.until);
}

bool DataPool::leave(Worker& worker) {
  bool was_interrupted = false;
  {
    const std::lock_guard guard(worker.guard);
    worker.is_running = false;
    was_interrupted = worker.is_interrupted;
  }
  const std::lock_guard lock(mutex_);
  worker.until = TimePoint::max();
  return was_interrupted;
}

bool DataPool::connect(Worker& worker, Failure& failure) {
  const std::uint64_t epoch = keeper_.epoch();
  if (worker.epoch == epoch && worker.session->isOpen()) {
    return true;
  }
  worker.session->close();
  if (!keeper_.isUp()) {
    failure = isAway();
    return false;
  }
  if (worker.session->connect(failure)) {
    worker.epoch = epoch;
    return true;
  }
  keeper_.poke();
  failure.code = SUB0_UNAVAILABLE;
  failure.client = isAway().client;
  return false;
}

DataPool::Outcome DataPool::executeIn(Worker& worker, const DataRequest& request) {
  Outcome outcome;
  enter(worker, untilOf(request.deadline_ns));
  if (connect(worker, outcome.failure)) {
    outcome =
        worker.session->execute(*request.statement, request.parameters, request.must_not_write);
  }
  judge(worker, leave(worker), !request.statement->reads_only && !request.must_not_write, outcome);
  return outcome;
}

// A connection that was interrupted or lost is not used again; a write whose answer was lost may
// have been done.
void DataPool::judge(Worker& worker, bool was_interrupted, bool may_have_changed,
                     Outcome& outcome) {
  if (was_interrupted) {
    worker.session->close();
    if (outcome.end != End::kDone) {
      outcome.failure = ranTooLong();
    }
  }
  if (outcome.end == End::kLost) {
    worker.session->close();
    keeper_.poke();
    if (may_have_changed) {
      outcome.failure.client += outcome.failure.client.empty() ? "" : "; ";
      outcome.failure.client += "whether the change was made is not known";
    }
  }
}

void DataPool::serve(Worker& worker, DataRequest& request) {
  Outcome outcome = executeIn(worker, request);
  end(request, outcome);
}

void DataPool::end(const DataRequest& request, Outcome& outcome) {
  if (outcome.end == End::kDone) {
    if (outcome.tree == nullptr) {
      outcome.tree = std::make_unique<ResultTree>(0);
    }
    host_.complete(request.ticket, std::move(outcome.tree));
    return;
  }
  const std::string place = request.statement == nullptr ? "the commit" : request.statement->place;
  outcome.failure.log = place + ": " + outcome.failure.log;
  host_.fail(request.ticket, outcome.failure);
}

// ---- transactions -------------------------------------------------------------------------------

void DataPool::serveCall(Worker& worker, Call& call) {
  bool has_begun = false;
  while (const std::optional<DataRequest> asked = nextOf(call)) {
    if (!has_begun && !beginCall(worker, call, *asked)) {
      return;
    }
    has_begun = true;
    if (!executeInCall(worker, call, *asked)) {
      break;
    }
    if (asked->statement == nullptr) {  // committed
      return;
    }
  }
  if (has_begun && worker.session->isOpen()) {
    enter(worker, std::chrono::steady_clock::now() + kGraceOfQuietCalls);
    Outcome outcome = worker.session->rollback();
    judge(worker, leave(worker), false, outcome);
    if (outcome.end != End::kDone) {
      worker.session->close();
    }
  }
}

bool DataPool::beginCall(Worker& worker, Call& call, const DataRequest& first) {
  Outcome outcome;
  enter(worker, untilOf(first.deadline_ns));
  if (connect(worker, outcome.failure)) {
    outcome = worker.session->begin(first.must_not_write);
  }
  judge(worker, leave(worker), false, outcome);
  if (outcome.end == End::kDone) {
    return true;
  }
  loseCall(call, false);
  end(first, outcome);
  return false;
}

// One statement, or the commit; false: the transaction is over without one. After a failure
// nothing more is done in it: what the database has undone of it by then differs.
bool DataPool::executeInCall(Worker& worker, Call& call, const DataRequest& request) {
  Outcome outcome;
  const bool is_commit = request.statement == nullptr;
  enter(worker, untilOf(request.deadline_ns));
  if (is_commit) {
    outcome = worker.session->commit();
  } else {
    outcome =
        worker.session->execute(*request.statement, request.parameters, request.must_not_write);
  }
  judge(worker, leave(worker), is_commit, outcome);
  const bool is_done = outcome.end == End::kDone && worker.session->isOpen();
  if (!is_done || is_commit) {
    loseCall(call, outcome.end == End::kDone);
  }
  end(request, outcome);
  return is_done;
}

void DataPool::loseCall(Call& call, bool has_connection_ended) {
  const std::lock_guard lock(mutex_);
  call.is_lost = true;
  call.has_connection_ended = has_connection_ended;
  call.worker = nullptr;
}

// What the call asks for next; nothing: its transaction is to be rolled back.
std::optional<DataRequest> DataPool::nextOf(Call& call) {
  std::unique_lock lock(mutex_);
  const auto is_over = [&] {
    return call.asked.has_value() || call.is_given_up || is_stopping_ ||
           std::chrono::steady_clock::now() >= call.until + kGraceOfQuietCalls;
  };
  while (!is_over()) {
    call.changed.wait_until(lock, call.until + kGraceOfQuietCalls);
  }
  std::optional<DataRequest> asked = std::exchange(call.asked, std::nullopt);
  const bool is_commit = asked && asked->statement == nullptr;
  if (asked && !call.is_given_up && (is_commit || !is_stopping_)) {
    return asked;
  }
  call.is_lost = true;
  call.worker = nullptr;
  if (asked) {
    host_.fail(asked->ticket, is_stopping_ ? isClosing() : transactionIsOver());
  }
  return std::nullopt;
}

// ---- the watch ----------------------------------------------------------------------------------

// REQUIRES: mutex_ is held.
void DataPool::lookBy(TimePoint until) {
  if (until < next_look_) {
    next_look_ = until;
    watch_changed_.notify_one();
  }
}

// REQUIRES: mutex_ is held.
void DataPool::failWaiting(Waiting& waiting, const Failure& failure) {
  if (waiting.call == nullptr) {
    host_.fail(waiting.request.ticket, failure);
    return;
  }
  waiting.call->is_lost = true;
  if (waiting.call->asked) {
    host_.fail(waiting.call->asked->ticket, failure);
    waiting.call->asked.reset();
  }
}

void DataPool::watch() {
  std::unique_lock lock(mutex_);
  while (!has_watch_ended_) {
    const TimePoint next = next_look_;
    if (std::chrono::steady_clock::now() < next) {
      if (next == TimePoint::max()) {
        watch_changed_.wait(lock);
      } else {
        watch_changed_.wait_until(lock, next);
      }
      continue;
    }
    next_look_ = TimePoint::max();
    const TimePoint found = lookAtDeadlines(lock);
    next_look_ = std::min(next_look_, found);
  }
}

DataPool::TimePoint DataPool::lookAtDeadlines(std::unique_lock<std::mutex>& lock) {
  const TimePoint now = std::chrono::steady_clock::now();
  TimePoint next = TimePoint::max();
  std::deque<Waiting> kept;
  for (Waiting& waiting : waiting_) {
    if (waiting.until <= now) {
      failWaiting(waiting, waitedTooLong());
    } else {
      next = std::min(next, waiting.until);
      kept.push_back(std::move(waiting));
    }
  }
  waiting_.swap(kept);
  std::vector<Due> due;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    if (worker->until <= now) {
      due.push_back({worker.get(), worker->piece, worker->attempts++});
      worker->until = now + kBetweenInterrupts;
    }
    next = std::min(next, worker->until);
  }
  if (!due.empty()) {
    const bool is_late = is_late_;
    lock.unlock();
    for (Due& each : due) {
      each.attempt += is_late ? 1 : 0;
      interrupt(each);
    }
    lock.lock();
  }
  return next;
}

void DataPool::interrupt(const Due& due) {
  const std::lock_guard guard(due.worker->guard);
  if (due.worker->is_running && due.worker->piece == due.piece) {
    due.worker->is_interrupted = true;
    due.worker->session->interrupt(due.attempt);
  }
}

}  // namespace sub0::query
