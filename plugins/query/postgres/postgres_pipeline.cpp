// SPDX-License-Identifier: Apache-2.0
// PostgresPipeline: its life, and what it sends. What comes back is in
// postgres_pipeline_results.cpp, what time does in postgres_pipeline_deadlines.cpp.
#include "postgres/postgres_pipeline.hpp"

#include <array>
#include <utility>

#include "postgres/postgres_arrays.hpp"

namespace sub0::query {
namespace {

// Bounds what is held of results until their sync.
constexpr std::size_t kMostInBatch = 64;
// The server takes one after the other anyway: what comes meanwhile makes the next one larger.
constexpr std::size_t kMostBatchesUnderWay = 1;
// For so long a batch is not sent while it grows.
constexpr std::uint64_t kLongestGrowthNs = 100'000;

// Superusers are bound by the server's limit alone.
constexpr const char* kLimitQuery =
    "SELECT least(current_setting('max_connections')::int - CASE WHEN r.rolsuper THEN 0 ELSE "
    "current_setting('superuser_reserved_connections')::int + "
    "coalesce(current_setting('reserved_connections', true), '0')::int END, "
    "CASE WHEN r.rolsuper OR r.rolconnlimit < 0 THEN 1000000 ELSE r.rolconnlimit END, "
    "CASE WHEN r.rolsuper OR d.datconnlimit < 0 THEN 1000000 ELSE d.datconnlimit END) "
    "FROM pg_catalog.pg_roles r, pg_catalog.pg_database d "
    "WHERE r.rolname = session_user AND d.datname = current_database()";

// What one call may have left in a session that it had for itself.
constexpr std::array<const char*, 8> kCleaning = {
    "CLOSE ALL",    "RESET SESSION AUTHORIZATION",
    "RESET ROLE",   "RESET ALL",
    "UNLISTEN *",   "SELECT pg_catalog.pg_advisory_unlock_all()",
    "DISCARD TEMP", "DISCARD SEQUENCES"};

}  // namespace

void PostgresPipeline::open(bool asks_limit) {
  asks_limit_ = asks_limit;
  state_ = State::kConnecting;
  link_.open();
}

void PostgresPipeline::close() {
  link_.close();
  steps_.clear();
  stopTimers();
  endAll(closing());
  under_way_.clear();
  waiting_.clear();
}

void PostgresPipeline::endAll(const Failure& failure) {
  for (auto* requests : {&under_way_, &waiting_}) {
    for (const PostgresRequestPointer& request : *requests) {
      endEarly(*request, requests == &under_way_, failure);
    }
  }
}

// Ends its run while its answer is not in: what still comes is dropped.
void PostgresPipeline::endEarly(PostgresRequest& request, bool is_under_way, Failure failure) {
  if (!std::exchange(request.has_ended, true) && request.hasRun()) {
    const bool is_unknown = is_under_way && request.mayHaveChanged(isReader());
    host_.fail(request.ticket, is_unknown ? inDoubt(std::move(failure)) : failure);
  }
}

std::deque<PostgresRequestPointer> PostgresPipeline::makeAbsent() {
  std::deque<PostgresRequestPointer> unsent;
  unsent.swap(waiting_);
  close();
  state_ = State::kAbsent;
  return unsent;
}

void PostgresPipeline::add(PostgresRequestPointer request) {
  if (request->hasRun()) {
    watchDeadline(request->deadline_ns);
  }
  waiting_.push_back(std::move(request));
  // Behind others it is sent with them: they have asked for it, or wait for what is under way.
  if (link_.isUp() && waiting_.size() == 1) {
    host_.loop()->request_end_of_turn(host_.raw());
  }
}

void PostgresPipeline::send() {
  if (!link_.isUp() || waiting_.empty() || waitsForOthers()) {
    return;  // linkUp sends
  }
  const bool shares_sync = isReader();
  while (!waiting_.empty()) {
    std::size_t count = 0;
    bool may_add = true;
    while (!waiting_.empty() && may_add && count < kMostInBatch) {
      const bool is_single =
          !shares_sync || waiting_.front()->needs_own_sync || waiting_.front()->isLook();
      if (is_single && count > 0) {
        break;
      }
      if (!is_single && groups_under_way_ >= kMostBatchesUnderWay) {
        link_.flush();
        return;  // goes on when one has been settled
      }
      PostgresRequestPointer next = std::move(waiting_.front());
      waiting_.pop_front();
      if (next->has_ended) {
        next->attempts = 0;  // of what was sent nothing is left
        owner_.pipelineSettled(*this, std::move(next));
        continue;
      }
      under_way_.push_back(std::move(next));
      ++count;
      may_add = !is_single;
    }
    if (count > 0) {
      sendGroup(count);
    }
  }
  link_.flush();
}

// Whether what waits on a reader is to be sent in a later turn: a batch costs the server as much as
// ten of its statements, so while each turn brings more, and not for long, it grows.
bool PostgresPipeline::waitsForOthers() {
  if (!isReader()) {
    return false;
  }
  const std::uint64_t now_ns = host_.nowNs();
  if (batch_seen_ == 0) {
    batch_begun_ns_ = now_ns;
  }
  const bool has_grown = waiting_.size() > batch_seen_;
  if (groups_under_way_ > 0 || !has_grown || waiting_.size() >= kMostInBatch ||
      now_ns - batch_begun_ns_ > kLongestGrowthNs) {
    batch_seen_ = 0;
    return false;
  }
  batch_seen_ = waiting_.size();
  host_.loop()->post(
      host_.raw(), static_cast<std::uint32_t>(host_.currentLoop()),
      [](void* pipeline) { static_cast<PostgresPipeline*>(pipeline)->linkRead(); }, this);
  return true;
}

// The last `count` requests under way, which one sync settles.
void PostgresPipeline::sendGroup(std::size_t count) {
  const std::size_t first = under_way_.size() - count;
  PostgresRequest& request = *under_way_[first];
  PostgresRequest* const only = count == 1 ? &request : nullptr;
  const bool is_read_only = role_.kind == PostgresRole::Kind::kReader;
  const bool is_wrapped = !request.is_in_transaction && !request.isLook() &&
                          (!role_.opening.empty() || (request.must_not_write && !is_read_only));
  sendOpening(request);
  for (std::size_t i = first; i < under_way_.size(); ++i) {
    sendOne(*under_way_[i]);
  }
  if (is_wrapped) {
    // Behind a sync, so that it is sent to the server after an error as well: a ROLLBACK then.
    sendSync();
    sendOwn("COMMIT", only == nullptr ? StepKind::kOwn : StepKind::kCommit, only);
  }
  sendSync(count, only);
  if (request.cleans_behind) {
    sendCleaning();
  }
}

// What begins the transaction of a group, if it has one.
void PostgresPipeline::sendOpening(const PostgresRequest& request) {
  const char* const begin = request.must_not_write ? "BEGIN READ ONLY" : "BEGIN";
  if (request.is_in_transaction) {
    if (request.begins_transaction && request.attempts > 0) {
      sendOwn("ROLLBACK");
    }
    if (request.begins_transaction) {
      sendOwn(begin);
    }
    return;
  }
  if (request.isLook()) {
    return;
  }
  for (std::size_t i = 0; i < role_.opening.size(); ++i) {
    // The first begins it: on a writer so that writes are allowed, which the request's may not be.
    sendOwn(i == 0 && request.must_not_write ? begin : role_.opening[i]);
  }
  if (role_.opening.empty() && request.must_not_write &&
      role_.kind != PostgresRole::Kind::kReader) {
    sendOwn(begin);
  }
}

void PostgresPipeline::sendOne(PostgresRequest& request) {
  ++request.attempts;
  request.tree = nullptr;
  request.columns = nullptr;
  if (request.kind == PostgresRequest::Kind::kCommit) {
    sendOwn("COMMIT", StepKind::kCommit, &request);
  } else if (request.isLook()) {
    sendLook(request);
  } else if (role_.keeps_statements && !request.is_in_transaction) {
    sendNamed(request);
  } else {
    // In a transaction nothing can be sent twice, so nothing may rest on what was prepared before a
    // table changed.
    sendUnnamed(request);
  }
}

// Which of its parameters are arrays. Nothing is executed: it is sent again with the answer.
void PostgresPipeline::sendQuestion(PostgresRequest& request) {
  request.is_prepared_for = true;
  sendPrepare(request, {}, StepKind::kDescribe);
  sendOwn(PostgresTypes::kQuery, StepKind::kTypes, &request);  // some may be new
}

void PostgresPipeline::sendLook(PostgresRequest& request) {
  Prepared& prepared = preparedOf(*request.statement);
  request.generation = prepared.generation;
  request.form = request.traits->form();
  if (role_.keeps_statements && !prepared.is_sent) {
    sendNamedPrepare(request, prepared);
  } else {
    sendPrepare(request, {}, StepKind::kPrepareOwn);
  }
  if (request.traits->isUnknown()) {
    sendOwn(PostgresTraits::kLookUp, StepKind::kLookUp, &request,
            request.traits->calledNames().c_str());
  }
}

void PostgresPipeline::sendPrepare(PostgresRequest& request, const std::string& name,
                                   StepKind kind) {
  link_.output().prepare(name, request.form->sql(), request.form->types());
  link_.output().describeStatement(name);
  steps_.push_back(Step{kind, &request});
}

void PostgresPipeline::sendNamedPrepare(PostgresRequest& request, Prepared& prepared) {
  prepared.is_sent = true;
  prepared.form = request.form;
  prepared.columns = std::make_shared<PostgresColumns>();
  sendPrepare(request, prepared.name, StepKind::kPrepare);
}

// Its columns are described when it is prepared, and not again: they stay what they are, or it
// fails (0A000) and is prepared anew. Where none are known they are asked for: the answer is not in
// yet, or there are none before it runs (FETCH, EXECUTE).
void PostgresPipeline::sendNamed(PostgresRequest& request) {
  Prepared& prepared = preparedOf(*request.statement);
  request.putAs(prepared.is_sent ? prepared.form : request.traits->form());
  if (request.asks_types) {
    sendQuestion(request);
    return;
  }
  request.generation = prepared.generation;
  request.is_prepared_for = !prepared.is_sent;
  if (!prepared.is_sent) {
    sendNamedPrepare(request, prepared);
  }
  const bool is_described = !prepared.columns->columns.empty();
  request.columns = is_described ? prepared.columns : std::make_shared<PostgresColumns>();
  const PostgresBinding binding(request);
  link_.output().bind(prepared.name, binding.values(), binding.count());
  if (!is_described) {
    link_.output().describePortal();
  }
  link_.output().execute();
  steps_.push_back(Step{StepKind::kExecute, &request});
}

void PostgresPipeline::sendUnnamed(PostgresRequest& request) {
  request.putAs(request.traits->form());
  if (request.asks_types) {
    sendQuestion(request);
    return;
  }
  request.is_prepared_for = true;
  request.columns = std::make_shared<PostgresColumns>();
  const PostgresBinding binding(request);
  PostgresOutput& output = link_.output();
  output.prepare({}, request.form->sql(), request.form->types());
  output.bind({}, binding.values(), binding.count());
  output.describePortal();
  output.execute();
  steps_.push_back(Step{StepKind::kExecute, &request});
}

void PostgresPipeline::sendOwn(const std::string& sql, StepKind kind, PostgresRequest* request,
                               const char* parameter) {
  PostgresOutput& output = link_.output();
  output.prepare({}, sql);
  output.bind({}, &parameter, parameter == nullptr ? 0 : 1);
  output.execute();
  steps_.push_back(Step{kind, request});
}

void PostgresPipeline::sendSync(std::size_t settles, PostgresRequest* request) {
  link_.output().sync();
  steps_.push_back(Step{StepKind::kSync, request, settles});
  groups_under_way_ += settles > 0 ? 1 : 0;
}

PostgresPipeline::Prepared& PostgresPipeline::preparedOf(const Statement& statement) {
  Prepared& prepared = prepared_.of(statement.number, [this](std::uint32_t, const Prepared& gone) {
    if (gone.is_sent) {
      forget(gone);
    }
  });
  if (prepared.name.empty()) {
    prepared.name = nameOf(statement, prepared.generation);
  }
  return prepared;
}

// What is prepared and not used any more, the server may forget, too: between two syncs, so that a
// failure concerns nothing else. In a batch they make two of one to the server, which changes
// nothing for statements that read.
void PostgresPipeline::forget(const Prepared& prepared) {
  sendSync();
  sendOwn("DEALLOCATE " + prepared.name);
  sendSync();
}

void PostgresPipeline::clean() {
  sendCleaning();
  link_.flush();
}

void PostgresPipeline::sendCleaning() {
  sendOwn("ROLLBACK");
  sendSync();
  for (const char* sql : kCleaning) {
    sendOwn(sql, StepKind::kClean);
  }
  for (const std::string& sql : role_.address.sessionStatements()) {
    sendOwn(sql, StepKind::kClean);
  }
  link_.output().sync();
  steps_.push_back(Step{StepKind::kCleanSync, nullptr});
}

// What every new connection is asked and told first.
void PostgresPipeline::greet() {
  for (const std::string& sql : role_.address.sessionStatements()) {
    sendOwn(sql);
  }
  sendSync();
  sendOwn(PostgresTypes::kQuery, StepKind::kTypes);
  sendSync();
  if (asks_limit_) {
    sendOwn(kLimitQuery, StepKind::kLimit);
    sendSync();
  }
}

void PostgresPipeline::linkUp() {
  prepared_.forEach([](Prepared& prepared) { prepared.is_sent = false; });
  steps_.clear();
  groups_under_way_ = 0;
  state_ = State::kUp;
  owner_.pipelineUp(*this);
  if (!link_.isUp()) {
    return;
  }
  greet();
  link_.flush();
  was_owed_ = false;
  is_cancelling_ = std::make_shared<std::atomic<bool>>(false);  // one may hang at what is gone
  watchPresence();
  send();
}

void PostgresPipeline::linkFailed(const std::string& why) {
  state_ = State::kFailing;
  std::deque<PostgresRequestPointer> unsent;
  unsent.swap(waiting_);
  for (auto at = unsent.begin(); at != unsent.end();) {
    if ((*at)->has_ended) {
      at = unsent.erase(at);
    } else {
      ++at;
    }
  }
  owner_.pipelineFailed(*this, why, std::move(unsent));
}

void PostgresPipeline::abandon() {
  endAll(Failure{SUB0_ACTION_FAILED, "its transaction is given up", ""});
  cancelRunning();
  if (link_.isUp()) {
    link_.reset("nobody waits for the statement any more");
  }
}

}  // namespace sub0::query
