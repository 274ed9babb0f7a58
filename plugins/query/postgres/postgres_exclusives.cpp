// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_exclusives.hpp"

#include <algorithm>
#include <utility>

#include "deadline.hpp"

namespace sub0::query {
namespace {

Failure busy(const std::string& why) {
  return Failure{SUB0_BUSY,
                 "no connection for a call that needs one of its own (setting "
                 "SUB0_POSTGRES_EXCLUSIVE_CONNECTIONS): " +
                     why,
                 ""};
}

Failure rolledBack() {
  return Failure{SUB0_ACTION_FAILED, "the transaction has failed before", ""};
}

// What comes after the connection of a transaction was lost between two of its statements: it was
// rolled back for sure, so a commit fails for now (busy), not with an outcome that nobody knows.
Failure lostBefore(const PostgresRequest& request) {
  const bool is_commit = request.kind == PostgresRequest::Kind::kCommit;
  return Failure{is_commit ? SUB0_BUSY : SUB0_UNAVAILABLE,
                 "the connection was lost within the transaction, which was rolled back", ""};
}

}  // namespace

PostgresExclusives::~PostgresExclusives() { close(); }

void PostgresExclusives::close() {
  is_closed_ = true;
  stopTimer();
  for (const auto& connection : connections_) {
    connection->pipeline->close();
    release(*connection, Use::kClosed);
  }
  for (auto& [key, errand] : errands_) {
    for (PostgresRequestPointer& request : errand->queue) {
      failRequest(*request, "closed", closing());
      endRequest(host_, *request, limits_.result_bytes);
    }
  }
  waiting_.clear();
  transactions_.clear();
  errands_.clear();
}

void PostgresExclusives::allow(std::uint32_t most) {
  is_allowed_ = true;
  most_ = most;
  while (connections_.size() < most_) {
    auto connection = std::make_unique<Connection>();
    PostgresPipeline::Owner& owner = *this;
    connection->pipeline =
        std::make_unique<PostgresPipeline>(host_, role_, owner, limits_.result_bytes);
    connections_.push_back(std::move(connection));
  }
  if (most_ == 0) {
    failWaiting(busy("the database takes too few connections"));
  }
  lend();
}

void PostgresExclusives::send() {
  for (const auto& connection : connections_) {
    connection->pipeline->send();
  }
}

// The errand that the request belongs to, made where it begins one; null: there is none.
PostgresExclusives::Errand* PostgresExclusives::errandOf(const PostgresRequest& request) {
  if (request.is_in_transaction) {
    const auto found = transactions_.find(request.call_id);
    if (found != transactions_.end()) {
      return found->second;
    }
    if (request.kind != PostgresRequest::Kind::kRun) {
      return nullptr;
    }
  }
  auto made = std::make_unique<Errand>();
  Errand* const errand = made.get();
  errand->call_id = request.is_in_transaction ? request.call_id : 0;
  errands_[errand] = std::move(made);
  if (request.is_in_transaction) {
    transactions_[request.call_id] = errand;
  }
  return errand;
}

void PostgresExclusives::add(PostgresRequestPointer request) {
  if (is_closed_) {
    failRequest(*request, "closed", closing());
    end(std::move(request));
    return;
  }
  Errand* const errand = errandOf(*request);
  if (errand == nullptr) {  // the end of a transaction that did nothing
    end(std::move(request));
    return;
  }
  if (request->kind == PostgresRequest::Kind::kRollback) {
    rollBack(*errand);
    return;
  }
  errand->queue.push_back(std::move(request));
  if (errand->has_failed) {
    fail(*errand, errand->is_lost ? lostBefore(*errand->queue.front()) : rolledBack());
  } else if (errand->connection != nullptr) {
    goOn(*errand);
  } else if (!errand->is_waiting) {
    wait(*errand);
  }
}

void PostgresExclusives::rollBack(Errand& errand) {
  stopWaiting(errand);
  for (PostgresRequestPointer& request : std::exchange(errand.queue, {})) {
    failRequest(*request, "rolled back", rolledBack());
    end(std::move(request));
  }
  Connection* const connection = errand.connection;
  if (connection != nullptr && errand.is_running) {
    forget(errand);  // first: abandoning ends runs
    connection->pipeline->abandon();
    return;
  }
  finish(errand);
}

void PostgresExclusives::wait(Errand& errand) {
  if (is_allowed_ && most_ == 0) {
    fail(errand, busy("the database takes too few connections"));
    return;
  }
  errand.is_waiting = true;
  errand.wait_until_ns = host_.nowNs() + limits_.wait_ms * kNanosecondsPerMs;
  waiting_.push_back(&errand);
  lend();
  watchWaiting();
}

void PostgresExclusives::stopWaiting(Errand& errand) {
  if (std::exchange(errand.is_waiting, false)) {
    waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), &errand), waiting_.end());
  }
}

// Gives free connections to those that wait, and makes further ones where there are too few.
void PostgresExclusives::lend() {
  while (!waiting_.empty()) {
    Connection* const connection = findConnection();
    if (connection == nullptr) {
      return;
    }
    Errand& errand = *waiting_.front();
    waiting_.pop_front();
    errand.is_waiting = false;
    errand.connection = connection;
    connection->use = Use::kLent;
    connection->errand = &errand;
    goOn(errand);
  }
}

PostgresExclusives::Connection* PostgresExclusives::findConnection() {
  std::size_t coming = 0;
  Connection* closed = nullptr;
  for (const auto& connection : connections_) {
    if (connection->use == Use::kFree) {
      return connection.get();
    }
    coming += connection->use == Use::kConnecting || connection->use == Use::kCleaning ? 1 : 0;
    if (connection->use == Use::kClosed && closed == nullptr) {
      closed = connection.get();
    }
  }
  if (closed != nullptr && coming < waiting_.size()) {
    closed->use = Use::kConnecting;
    closed->pipeline->open();
  }
  return nullptr;
}

// Sends the errand's next request, if nothing of it is under way.
void PostgresExclusives::goOn(Errand& errand) {
  if (errand.is_running || errand.queue.empty() || errand.connection == nullptr) {
    return;
  }
  PostgresRequestPointer request = std::move(errand.queue.front());
  errand.queue.pop_front();
  if (request->kind == PostgresRequest::Kind::kCommit) {
    request->transaction_sql = "COMMIT of " + errand.sql;
  } else if (errand.call_id != 0) {
    request->begins_transaction = !std::exchange(errand.has_begun, true);
    errand.sql += request->statement->sql + "; ";
  }
  errand.is_running = true;
  request->cleans_behind = request->kind == PostgresRequest::Kind::kCommit || errand.call_id == 0;
  errand.connection->pipeline->add(std::move(request));
}

void PostgresExclusives::pipelineSettled(PostgresPipeline& pipeline,
                                         PostgresRequestPointer request) {
  Connection& connection = connectionOf(pipeline);
  Errand* const errand = connection.errand;
  const bool has_failed = !request->state.empty() || request->has_ended;
  if (!has_failed && request->traits != nullptr && request->traits->isUnknown()) {
    neighbours_.lookAgain(*request);
  }
  if (errand == nullptr) {  // it was rolled back meanwhile
    end(std::move(request));
  } else if (request->cleans_behind && request->attempts == 0) {  // ended before it was sent
    end(std::move(request));
    finish(*errand);
  } else if (request->cleans_behind) {
    // Answered once nobody can find any more what it left: its locks, say.
    connection.held = std::move(request);
    connection.use = Use::kCleaning;
    forget(*errand);
  } else {
    errand->is_running = false;
    end(std::move(request));
    if (has_failed) {
      fail(*errand, rolledBack());
    } else {
      goOn(*errand);
    }
  }
}

void PostgresExclusives::pipelineUp(PostgresPipeline& pipeline) {
  connectionOf(pipeline).use = Use::kFree;
  lend();
}

void PostgresExclusives::pipelineLost(PostgresPipeline& pipeline, const std::string&) {
  Connection& connection = connectionOf(pipeline);
  release(connection, Use::kConnecting);
  if (Errand* const errand = std::exchange(connection.errand, nullptr)) {
    errand->connection = nullptr;  // of a transaction: what was under way has been settled
    errand->is_running = false;
    errand->is_lost = true;
    fail(*errand, errand->queue.empty() ? rolledBack() : lostBefore(*errand->queue.front()));
  }
}

void PostgresExclusives::pipelineFailed(PostgresPipeline& pipeline, const std::string& why,
                                        std::deque<PostgresRequestPointer> unsent) {
  for (PostgresRequestPointer& request : unsent) {
    failRequest(*request, "unsent", unreachable(why));
    end(std::move(request));
  }
  pipeline.close();  // the next errand tries again
  connectionOf(pipeline).use = Use::kClosed;
  const bool has_others = std::any_of(connections_.begin(), connections_.end(),
                                      [](const auto& each) { return each->use != Use::kClosed; });
  if (!has_others) {
    failWaiting(neighbours_.isAnyUp() ? busy(why) : unreachable(why));
  }
}

void PostgresExclusives::pipelineCleaned(PostgresPipeline& pipeline) {
  Connection& connection = connectionOf(pipeline);
  if (connection.errand == nullptr) {  // else its statement is sent once more
    release(connection, Use::kFree);
    lend();
  }
}

void PostgresExclusives::release(Connection& connection, Use use) {
  connection.use = use;
  if (connection.held != nullptr) {
    end(std::move(connection.held));
  }
}

PostgresExclusives::Connection& PostgresExclusives::connectionOf(const PostgresPipeline& pipeline) {
  return **std::find_if(connections_.begin(), connections_.end(),
                        [&](const auto& each) { return each->pipeline.get() == &pipeline; });
}

void PostgresExclusives::failWaiting(const Failure& failure) {
  for (Errand* errand : std::exchange(waiting_, {})) {
    errand->is_waiting = false;
    fail(*errand, failure);
  }
}

// Fails what the errand still has to do. A transaction stays until its call rolls it back.
void PostgresExclusives::fail(Errand& errand, const Failure& failure) {
  errand.has_failed = true;
  for (PostgresRequestPointer& request : std::exchange(errand.queue, {})) {
    failRequest(*request, "failed", failure);
    end(std::move(request));
  }
  if (errand.call_id == 0) {
    finish(errand);
  }
}

// The errand is over; its connection, if it has one, is cleaned.
void PostgresExclusives::finish(Errand& errand) {
  Connection* const connection = errand.connection;
  forget(errand);
  if (connection != nullptr && connection->pipeline->isUp()) {
    connection->use = Use::kCleaning;
    connection->pipeline->clean();
  }
}

void PostgresExclusives::forget(Errand& errand) {
  if (errand.connection != nullptr) {
    errand.connection->errand = nullptr;
  }
  if (errand.call_id != 0) {
    transactions_.erase(errand.call_id);
  }
  errands_.erase(&errand);
}

void PostgresExclusives::end(PostgresRequestPointer request) {
  endRequest(host_, *request, limits_.result_bytes);
}

// A timer for whoever gives up waiting first.
void PostgresExclusives::watchWaiting() {
  if (waiting_.empty()) {
    return;
  }
  std::uint64_t first_ns = waiting_.front()->wait_until_ns;
  for (const Errand* errand : waiting_) {
    for (const PostgresRequestPointer& request : errand->queue) {
      first_ns =
          std::min(first_ns, request->deadline_ns - std::min(request->deadline_ns, kMarginNs));
    }
  }
  if (timer_at_ns_ != 0 && timer_at_ns_ <= first_ns) {
    return;
  }
  stopTimer();
  timer_at_ns_ = first_ns;
  const std::uint64_t now_ns = host_.nowNs();
  host_.loop()->start_timer(
      host_.raw(), first_ns > now_ns ? (first_ns - now_ns) / kNanosecondsPerMs : 0,
      [](void* raw) { static_cast<PostgresExclusives*>(raw)->expireWaiting(); }, this, &timer_);
}

void PostgresExclusives::stopTimer() {
  if (std::exchange(timer_at_ns_, 0) != 0) {
    host_.loop()->stop_timer(host_.raw(), timer_);
  }
}

void PostgresExclusives::expireWaiting() {
  timer_at_ns_ = 0;
  const std::uint64_t now_ns = host_.nowNs() + kNanosecondsPerMs;
  const std::deque<Errand*> before = waiting_;
  for (Errand* errand : before) {
    const bool is_late = std::any_of(
        errand->queue.begin(), errand->queue.end(),
        [&](const auto& request) { return request->deadline_ns <= now_ns + kMarginNs; });
    if (is_late || errand->wait_until_ns <= now_ns) {
      stopWaiting(*errand);
      fail(*errand, busy("none was free in time"));
    }
  }
  watchWaiting();
}

}  // namespace sub0::query
