// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_pipeline.hpp"

#include <algorithm>

#include "postgres/postgres_errors.hpp"

namespace sub0::query {
namespace {

constexpr Oid kTextType = 25;

Failure closing() { return Failure{SUB0_UNAVAILABLE, "the database is being closed", ""}; }

Failure unreachable(const std::string& why) {
  return Failure{SUB0_UNAVAILABLE, "the database cannot be reached: " + why,
                 "the database cannot be reached"};
}

std::string nameOf(std::uint32_t index, std::uint32_t generation) {
  return "sub0_" + std::to_string(index) + "_" + std::to_string(generation);
}

}  // namespace

PostgresPipeline::~PostgresPipeline() { close(); }

void PostgresPipeline::close() {
  link_.close();
  steps_.clear();
  stopTimers();
  const std::lock_guard lock(passed_on_mutex_);
  is_closed_ = true;
  for (auto* requests : {&under_way_, &waiting_, &passed_on_}) {
    for (const PostgresRequestPointer& request : *requests) {
      if (!request->only_prepare && !request->has_ended) {
        host_.fail(request->ticket, closing());
      }
    }
    requests->clear();
  }
}

void PostgresPipeline::add(PostgresRequestPointer request) {
  if (!link_.isUp() && link_.isFailing() && !request->only_prepare) {
    if (!group_.passOn(request)) {
      host_.fail(request->ticket, unreachable("no connection"));
    }
    return;
  }
  if (!request->only_prepare) {
    watchDeadline(request->deadline_ns);
  }
  waiting_.push_back(std::move(request));
  if (link_.isUp()) {
    host_.loop()->request_end_of_turn(host_.raw());
  }
}

bool PostgresPipeline::addFromElsewhere(PostgresRequestPointer& request) {
  {
    const std::lock_guard lock(passed_on_mutex_);
    if (is_closed_) {
      return false;
    }
    passed_on_.push_back(std::move(request));
    if (passed_on_.size() > 1) {
      return true;  // asked already
    }
  }
  host_.loop()->post(
      host_.raw(), loop_,
      [](void* pipeline) { static_cast<PostgresPipeline*>(pipeline)->takePassedOn(); }, this);
  return true;
}

void PostgresPipeline::takePassedOn() {
  std::deque<PostgresRequestPointer> taken;
  {
    const std::lock_guard lock(passed_on_mutex_);
    taken.swap(passed_on_);
  }
  for (PostgresRequestPointer& request : taken) {
    add(std::move(request));
  }
}

void PostgresPipeline::send() {
  if (!link_.isUp()) {
    return;  // linkUp sends
  }
  while (!waiting_.empty()) {
    under_way_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (under_way_.back()->has_ended) {
      under_way_.pop_back();
    } else if (!sendOne(*under_way_.back())) {
      link_.reset(PQerrorMessage(link_.raw()));
      return;
    }
  }
  link_.flush();
}

bool PostgresPipeline::sendOne(PostgresRequest& request) {
  PGconn* connection = link_.raw();
  const Statement& statement = *request.statement;
  ++request.attempts;
  request.tree = std::make_unique<ResultTree>(limit_bytes_);
  Prepared& prepared = preparedOf(statement);
  if (request.must_not_write && !sendOwn("BEGIN READ ONLY")) {
    return false;
  }
  const std::string name = nameOf(*statement.number, prepared.generation);
  if (!prepared.is_sent) {
    if (PQsendPrepare(connection, name.c_str(), statement.sql.c_str(),
                      static_cast<int>(prepared.types.size()), prepared.types.data()) == 0) {
      return false;
    }
    prepared.is_sent = true;
    push(StepKind::kPrepare, &request);
  }
  if (!request.only_prepare) {
    std::vector<const char*> values;
    for (const PostgresParameter& parameter : request.parameters) {
      values.push_back(parameter.has_value() ? parameter->c_str() : nullptr);
    }
    if (PQsendQueryPrepared(connection, name.c_str(), static_cast<int>(values.size()),
                            values.data(), nullptr, nullptr, 0) == 0) {
      return false;
    }
    push(StepKind::kExecute, &request);
  }
  if (!sendSync(StepKind::kSync, &request)) {
    return false;
  }
  // After an error this is a ROLLBACK.
  return !request.must_not_write || (sendOwn("COMMIT") && sendSync(StepKind::kOwnSync, nullptr));
}

bool PostgresPipeline::sendOwn(const char* sql) {
  if (PQsendQueryParams(link_.raw(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
    return false;
  }
  push(StepKind::kOwn, nullptr);
  return true;
}

// What is prepared of statements that are no more, the server may forget, too: each with a sync of
// its own, so that a failure concerns nothing else. Where it cannot be sent the link says so soon.
PostgresPipeline::Prepared& PostgresPipeline::preparedOf(const Statement& statement) {
  return prepared_.of(statement.number, [this](std::uint32_t number, const Prepared& gone) {
    if (gone.is_sent && sendOwn(("DEALLOCATE " + nameOf(number, gone.generation)).c_str())) {
      sendSync(StepKind::kOwnSync, nullptr);
    }
  });
}

bool PostgresPipeline::sendSync(StepKind kind, PostgresRequest* request) {
  if (PQpipelineSync(link_.raw()) == 0) {
    return false;
  }
  push(kind, request);
  return true;
}

void PostgresPipeline::push(StepKind kind, PostgresRequest* request) {
  steps_.push_back(Step{kind, request});
  if (steps_.size() == 1) {
    useSingleRows();
  }
}

void PostgresPipeline::popStep() {
  steps_.pop_front();
  useSingleRows();
}

// Rows one by one, so that a large result is given up at its limit and not first held whole. To be
// said of a statement before any of its answer is looked at.
void PostgresPipeline::useSingleRows() {
  if (!steps_.empty() && steps_.front().kind == StepKind::kExecute) {
    PQsetSingleRowMode(link_.raw());
  }
}

void PostgresPipeline::linkUp() {
  prepared_.forEach([](Prepared& prepared) { prepared.is_sent = false; });
  steps_.clear();
  bytes_since_result_ = 0;
  state_ = State::kUp;
  group_.connectionUp();
  if (PQsendQueryParams(link_.raw(), PostgresTypes::kQuery, 0, nullptr, nullptr, nullptr, nullptr,
                        0) == 0) {
    link_.reset(PQerrorMessage(link_.raw()));
    return;
  }
  push(StepKind::kTypes, nullptr);
  if (!sendSync(StepKind::kOwnSync, nullptr)) {
    link_.reset(PQerrorMessage(link_.raw()));
    return;
  }
  send();
}

void PostgresPipeline::linkReadable(std::size_t bytes) {
  PGconn* const connection = link_.raw();
  bytes_since_result_ += bytes;
  has_heard_ = true;
  int nothing = 0;
  while (!steps_.empty() && nothing < 3 && PQisBusy(connection) == 0) {
    PGresult* result = PQgetResult(connection);
    const StepKind kind = steps_.front().kind;
    const bool is_sync = kind == StepKind::kSync || kind == StepKind::kOwnSync;
    if (result == nullptr) {
      nothing = is_sync ? nothing + 1 : 0;
      if (!is_sync) {
        popStep();
      }
      continue;
    }
    nothing = 0;
    bytes_since_result_ = 0;
    take(result);
    PQclear(result);
    if (PQstatus(connection) == CONNECTION_BAD) {
      return;  // the link will say so
    }
  }
  // One row may be larger than any result may: libpq would hold it whole.
  if (bytes_since_result_ > 3 * limit_bytes_ + (std::size_t{1} << 20U) && !under_way_.empty()) {
    PostgresRequest& request = *under_way_.front();
    request.failure = resultTooLarge(limit_bytes_);
    request.state = "row";
    link_.reset("a row is larger than SUB0_RESULT_LIMIT");
  } else if (!waiting_.empty()) {
    host_.loop()->request_end_of_turn(host_.raw());
  }
}

void PostgresPipeline::take(const PGresult* result) {
  const Step step = steps_.front();
  switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
      if (step.kind == StepKind::kTypes) {
        types_.learn(result);
      } else if (step.request != nullptr) {
        takeRows(*step.request, result);
      }
      break;
    case PGRES_PIPELINE_SYNC:
      popStep();
      if (step.kind == StepKind::kSync) {
        finishFirst();
      }
      break;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
      takeError(step, result);
      break;
    default:
      break;
  }
}

void PostgresPipeline::takeRows(PostgresRequest& request, const PGresult* result) {
  ResultTree& tree = *request.tree;
  const int columns = PQnfields(result);
  if (!tree.hasColumns() && columns > 0) {
    std::vector<std::string_view> names;
    for (int i = 0; i < columns; ++i) {
      names.emplace_back(PQfname(result, i));
    }
    tree.setColumns(names);
  }
  for (int row = 0; row < PQntuples(result) && !tree.isOver(); ++row) {
    tree.beginRow();
    for (int i = 0; i < columns && !tree.isOver(); ++i) {
      if (PQgetisnull(result, row, i) == 0) {
        const std::string_view text(PQgetvalue(result, row, i),
                                    static_cast<std::size_t>(PQgetlength(result, row, i)));
        tree.column(static_cast<std::size_t>(i)) =
            fromPostgres(types_, PQftype(result, i), text, tree);
      }
    }
  }
}

void PostgresPipeline::takeError(const Step& step, const PGresult* result) {
  if (step.request == nullptr) {
    return;
  }
  PostgresRequest& request = *step.request;
  if (step.kind == StepKind::kPrepare) {
    prepared_.at(request.statement->number).is_sent = false;
  }
  if (!request.state.empty()) {
    return;  // the first error counts
  }
  request.failure = postgresFailure(result, request.statement->sql);
  request.state = sqlStateOf(result);
  if (request.state == "25006" && request.must_not_write) {
    request.failure.code = SUB0_METHOD_NOT_ALLOWED;
    request.failure.client = kMustNotWrite;
  }
  request.untyped = untypedParameter(result);
  const char* function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  if (request.state == "0A000" && function != nullptr &&
      std::string_view(function) == "RevalidateCachedQuery") {
    request.state = "changed";  // the table has other columns than when it was prepared
  }
}

// The first statement under way has had its sync: nothing about it can change any more.
void PostgresPipeline::finishFirst() {
  PostgresRequestPointer request = std::move(under_way_.front());
  under_way_.pop_front();
  if (mayRepeat(*request)) {
    request->failure = Failure{};
    request->state.clear();
    waiting_.push_front(std::move(request));
    return;
  }
  end(*request);
}

// Whether a statement that failed has changed nothing and may well succeed when it is sent once
// more.
bool PostgresPipeline::mayRepeat(PostgresRequest& request) {
  Prepared& prepared = prepared_.at(request.statement->number);
  const std::string& state = request.state;
  if (request.has_ended || state.empty()) {
    return false;
  }
  if (state == "42P08" || state == "42P18") {
    const std::size_t count = request.statement->inputs.size();
    if (request.attempts > count + 1) {
      return false;
    }
    prepared.types.resize(count, 0);
    if (request.untyped >= 1 && request.untyped <= count) {
      prepared.types[request.untyped - 1] = kTextType;
    } else {
      std::fill(prepared.types.begin(), prepared.types.end(), kTextType);
    }
    return true;
  }
  if (state == "26000" && request.attempts < 3) {  // the statement before it failed to prepare it
    prepared.is_sent = false;
    return true;
  }
  if (state == "changed" && request.attempts < 3) {
    ++prepared.generation;
    prepared.is_sent = false;
    return true;
  }
  // Cancelled although nobody asked: it stood behind one whose cancelling came too late.
  return state == "57014" && request.attempts < 3 && request.deadline_ns > host_.nowNs();
}

void PostgresPipeline::end(PostgresRequest& request) {
  if (request.has_ended) {
    return;
  }
  request.has_ended = true;
  if (request.only_prepare) {
    if (!request.state.empty()) {
      host_.log(SUB0_LOG_WARNING, request.statement->place + ": " + request.failure.log +
                                      "; its calls fail until the database takes it");
    }
  } else if (!request.state.empty()) {
    request.failure.log = request.statement->place + ": " + request.failure.log;
    host_.fail(request.ticket, request.failure);
  } else if (request.tree->isOver()) {
    host_.fail(request.ticket, resultTooLarge(limit_bytes_));
  } else {
    host_.complete(request.ticket, std::move(request.tree));
  }
}

void PostgresPipeline::linkLost(const std::string& why) {
  steps_.clear();
  state_ = State::kConnecting;
  group_.connectionLost(why);
  std::deque<PostgresRequestPointer> lost;
  lost.swap(under_way_);
  failAll(lost, why);
}

void PostgresPipeline::linkFailed(const std::string& why) {
  state_ = State::kFailing;
  group_.connectionFailed(why);
  std::deque<PostgresRequestPointer> left;
  left.swap(waiting_);
  for (PostgresRequestPointer& request : left) {
    if (request->only_prepare) {
      waiting_.push_back(std::move(request));  // looked at once there is a connection
    } else if (!request->has_ended && !group_.passOn(request)) {
      request->has_ended = true;
      host_.fail(request->ticket, unreachable(why));
    }
  }
}

void PostgresPipeline::failAll(std::deque<PostgresRequestPointer>& requests,
                               const std::string& why) {
  for (PostgresRequestPointer& request : requests) {
    const bool has_own_failure = !request->state.empty() && !endsConnection(request->state);
    if (request->only_prepare) {
      request->attempts = 0;
      request->failure = Failure{};
      request->state.clear();
      waiting_.push_back(std::move(request));  // looked at again once the database is back
      continue;
    }
    if (!has_own_failure) {
      const bool is_unknown =
          request->attempts > 0 && !request->must_not_write && !request->statement->reads_only;
      request->state = "lost";
      request->failure =
          Failure{SUB0_UNAVAILABLE, "the connection to the database is lost: " + why,
                  is_unknown ? "the connection to the database was lost; whether the change was "
                               "made is not known"
                             : "the database cannot be reached"};
    }
    end(*request);
  }
}

}  // namespace sub0::query
