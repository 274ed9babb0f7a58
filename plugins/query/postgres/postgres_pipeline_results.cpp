// SPDX-License-Identifier: Apache-2.0
// PostgresPipeline: what the server answers, and what is made of it.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "postgres/postgres_errors.hpp"
#include "postgres/postgres_pipeline.hpp"

namespace sub0::query {
namespace {

constexpr std::uint32_t kMostAttempts = 4;
// So much of a result that was to come whole is held.
constexpr std::size_t kMostWhole = std::size_t{1} << 20U;
// States of ours. An error that no server reported: the connection is mostly lost.
constexpr const char* kOfLibpq = "libpq";
// The table has other columns than when the statement was prepared.
constexpr const char* kChanged = "changed";
// The server has no such prepared statement, or had one already.
constexpr const char* kUnprepared = "unprepared";

// What comes of parameters that have other types now than when the statement was prepared, or its
// arrays were asked about: no such operator or function, no such cast, a value that is none of the
// old type, which there may be no more. (A value that a client sent may be why, too.)
bool mayBeOfTypes(const PostgresRequest& request) {
  const std::string& state = request.state;
  if (request.failure.code == SUB0_CONSTRAINT) {
    return false;
  }
  return state == "42883" || state == "42804" || state == "42846" || state == "22P02" ||
         state == "22003" || state == "22007" || state == "22008" || state == "XX000";
}

// Whether an error is about what the request was sent with: a function may raise the same.
bool namesStatement(const PostgresRequest& request, const std::string& state,
                    const PGresult* result) {
  const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return (state == "26000" || state == "42P05") && request.statement != nullptr &&
         text != nullptr &&
         std::string_view(text).find('"' + nameOf(*request.statement, request.generation) + '"') !=
             std::string_view::npos;
}

// Each form of a statement may be refused before one fits.
std::size_t mostAttempts(const PostgresRequest& request) {
  return kMostAttempts + (request.form == nullptr ? 0 : 2 * request.form->count());
}

}  // namespace

void PostgresPipeline::push(const Step& step) {
  steps_.push_back(step);
  if (steps_.size() == 1) {
    chooseRows();
  }
}

void PostgresPipeline::popStep() {
  steps_.pop_front();
  chooseRows();
}

// Rows one by one, so that a large result is given up at its limit and not first held whole; but
// whole, which costs libpq half as much, where it was small the last times and can be read once
// more if it is not. To be said of a statement before any of its answer is looked at.
void PostgresPipeline::chooseRows() {
  if (!steps_.empty() && steps_.front().kind == StepKind::kExecute) {
    PostgresRequest& request = *steps_.front().request;
    request.comes_whole = isReader() && request.traits->comesWhole();
    if (!request.comes_whole) {
      PQsetSingleRowMode(link_.raw());
    }
  }
}

void PostgresPipeline::linkReadable(std::size_t bytes) {
  PGconn* const connection = link_.raw();
  bytes_since_result_ += bytes;
  has_heard_ = true;
  int nothing = 0;
  bool is_null_next = false;  // as behind each last result of a statement
  while (!steps_.empty() && nothing < 3 && (is_null_next || PQisBusy(connection) == 0)) {
    PGresult* result = PQgetResult(connection);
    const StepKind kind = steps_.front().kind;
    const bool is_sync = kind == StepKind::kSync || kind == StepKind::kCleanSync;
    is_null_next = result != nullptr && !is_sync && PQresultStatus(result) != PGRES_SINGLE_TUPLE;
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
    if (link_.raw() != connection || PQstatus(connection) == CONNECTION_BAD) {
      return;  // it has been given up, or the link will say so
    }
  }
  if (holdsTooMuch()) {
    giveUpResult();
  } else if (!waiting_.empty()) {
    host_.loop()->request_end_of_turn(host_.raw());
  }
}

// What libpq holds until it is whole: a row, which may be larger than any result may, or all rows
// of a result that was taken for a small one.
bool PostgresPipeline::holdsTooMuch() const {
  if (steps_.empty() || steps_.front().request == nullptr) {
    return false;
  }
  return bytes_since_result_ >
         kMostWhole + (steps_.front().request->comes_whole ? 0 : 3 * limit_bytes_);
}

// It costs the connection. What else is under way on a reader has changed nothing: it is sent
// again, and so is a statement whose rows were to come whole, for which they come one by one from
// then on. One with such a row shares no connection any more.
void PostgresPipeline::giveUpResult() {
  PostgresRequest& request = *steps_.front().request;
  const bool was_whole = request.comes_whole;
  if (was_whole) {
    request.traits->learnThatItGrows();
  } else {
    const Failure failure = resultTooLarge(limit_bytes_);
    failRequest(request, "row", request.mayHaveChanged(isReader()) ? inDoubt(failure) : failure);
    if (request.traits != nullptr) {
      request.traits->learnThatItIsLarge();
    }
  }
  if (role_.kind == PostgresRole::Kind::kReader) {
    std::deque<PostgresRequestPointer> others;
    others.swap(under_way_);
    for (PostgresRequestPointer& each : others) {
      const bool is_lost =
          (each.get() == &request && !was_whole) || each->attempts >= kMostAttempts;
      if (!is_lost) {
        each->makeAsNew(each->attempts);
      }
      auto& list = is_lost ? under_way_ : waiting_;
      list.push_back(std::move(each));
    }
  }
  link_.reset(was_whole ? "a result is much larger than those before it, and is read anew"
                        : "a row is larger than SUB0_RESULT_LIMIT");
}

void PostgresPipeline::take(const PGresult* result) {
  const Step step = steps_.front();
  switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
      takeTuples(step, result);
      break;
    case PGRES_COMMAND_OK:
      if (step.kind == StepKind::kDescribe) {
        step.request->arrays->types.clear();
        for (int i = 0; i < PQnparams(result); ++i) {
          step.request->arrays->types.push_back(PQparamtype(result, i));
        }
      }
      // The COMMIT of a transaction that has failed is answered so.
      if (step.kind == StepKind::kCommit &&
          std::string_view(PQcmdStatus(const_cast<PGresult*>(result))) != "COMMIT") {
        failRequest(
            *step.request, "rolled back",
            Failure{SUB0_ACTION_FAILED, "the database has rolled the transaction back", ""});
      }
      break;
    case PGRES_PIPELINE_SYNC:
      popStep();
      if (step.kind == StepKind::kCleanSync) {
        owner_.pipelineCleaned(*this);
      } else if (step.settles > 0) {
        settle(step.settles);
      }
      break;
    case PGRES_PIPELINE_ABORTED:
      takeAborted(step);
      break;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
      takeError(step, result);
      break;
    default:
      break;
  }
}

void PostgresPipeline::takeTuples(const Step& step, const PGresult* result) {
  const auto number = [&] {
    return PQntuples(result) == 1 ? std::strtoul(PQgetvalue(result, 0, 0), nullptr, 10) : 0;
  };
  if (step.kind == StepKind::kTypes) {
    types_.learn(result);
  } else if (step.kind == StepKind::kLimit) {
    asks_limit_ = false;
    owner_.limitLearned(static_cast<std::uint32_t>(number()));
  } else if (step.kind == StepKind::kLookUp) {
    step.request->traits->learnForeignFunctions(number() > 0);
  } else if (step.kind == StepKind::kExecute) {
    takeRows(*step.request, result);
  }
}

void PostgresPipeline::takeRows(PostgresRequest& request, const PGresult* result) {
  if (request.tree == nullptr) {
    request.tree = std::make_unique<ResultTree>(limit_bytes_);
  }
  ResultTree& tree = *request.tree;
  const int columns = PQnfields(result);
  if (!tree.hasColumns() && columns > 0) {
    tree.setColumns(static_cast<std::size_t>(columns), [result](std::size_t i) {
      return std::string_view(PQfname(result, static_cast<int>(i)));
    });
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
  if (step.kind == StepKind::kClean || step.kind == StepKind::kCleanSync) {
    link_.reset("the session cannot be cleaned: " + sqlStateOf(result));
    return;
  }
  const std::string state = sqlStateOf(result);
  if (step.kind == StepKind::kLimit && !state.empty() && !endsConnection(state)) {
    asks_limit_ = false;  // where the connection is lost instead, the next one asks again
    owner_.limitLearned(0);
  }
  if (step.request == nullptr) {
    has_group_failed_ = has_group_failed_ || step.settles > 0;
    return;
  }
  PostgresRequest& request = *step.request;
  if (step.kind == StepKind::kPrepare) {
    unprepare(request);
  }
  if (!request.state.empty()) {
    return;  // the first error counts
  }
  request.failure = postgresFailure(result, request.sql());
  request.state = state.empty() ? kOfLibpq : state;
  if (request.state == "25006" && request.must_not_write) {
    request.failure.code = SUB0_METHOD_NOT_ALLOWED;
    request.failure.client = kMustNotWrite;
  }
  request.untyped = untypedParameter(result);
  request.is_refused = refusesTypes(result);
  const char* function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  if (request.state == "0A000" && function != nullptr &&
      std::string_view(function) == "RevalidateCachedQuery") {
    request.state = kChanged;
  } else if (namesStatement(request, request.state, result)) {
    request.state = kUnprepared;
  }
}

// The server has skipped it, since something before it and before the same sync has failed.
void PostgresPipeline::takeAborted(const Step& step) {
  if (step.request == nullptr) {
    return;
  }
  step.request->is_aborted = true;
  if (step.kind == StepKind::kPrepare) {
    unprepare(*step.request);
  }
}

// The first `count` requests under way have had their sync: nothing about them can change any more.
void PostgresPipeline::settle(std::size_t count) {
  --groups_under_way_;
  std::vector<PostgresRequestPointer> settled = std::move(settled_);  // with its memory
  const auto last = under_way_.begin() + static_cast<std::ptrdiff_t>(count);
  settled.assign(std::make_move_iterator(under_way_.begin()), std::make_move_iterator(last));
  under_way_.erase(under_way_.begin(), last);
  std::vector<PostgresRequestPointer> again;
  const bool has_group_failed = std::exchange(has_group_failed_, false);
  for (PostgresRequestPointer& request : settled) {
    if (has_group_failed || mayRepeat(*request)) {
      request->makeAsNew(request->attempts);
      request->needs_own_sync = true;
      again.push_back(std::move(request));
    } else if (request->state.empty() && request->is_aborted) {
      failRequest(*request, "aborted", Failure{SUB0_ACTION_FAILED, "PostgreSQL skipped it", ""});
    } else if (request->state.empty() && isReader() && request->tree != nullptr) {
      request->traits->learnSize(*request->tree);
    }
  }
  for (PostgresRequestPointer& request : settled) {
    if (request != nullptr) {
      owner_.pipelineSettled(*this, std::move(request));
    }
  }
  // What has been found to be slow by then is to wait where it holds up nobody.
  const auto stay = std::stable_partition(
      again.begin(), again.end(), [this](const auto& request) { return mustMove(*request); });
  waiting_.insert(waiting_.begin(), std::make_move_iterator(stay),
                  std::make_move_iterator(again.end()));
  for (auto moved = again.begin(); moved != stay; ++moved) {
    (*moved)->state = PostgresRequest::kIsSlow;
    owner_.pipelineSettled(*this, std::move(*moved));
  }
  settled.clear();
  settled_ = std::move(settled);
}

bool PostgresPipeline::mustMove(const PostgresRequest& request) const {
  return !isExclusive() && request.kind == PostgresRequest::Kind::kRun &&
         !request.traits->mayShare(host_.nowNs());
}

// Whether a statement that failed has changed nothing and may well succeed when it is sent once
// more.
bool PostgresPipeline::mayRepeat(PostgresRequest& request) {
  const std::string& state = request.state;
  if (request.has_ended || request.statement == nullptr) {
    return false;
  }
  if (request.arrays != nullptr && mayBeOfTypes(request)) {
    request.form->forgetElements(host_.nowNs());
  }
  if (request.is_refused && request.is_prepared_for) {
    return mayRepeatRefused(request);
  }
  if (request.asks_types && state.empty() && !request.is_aborted) {
    learnArrays(request);
    return true;
  }
  if (request.is_in_transaction && !request.begins_transaction) {
    return false;
  }
  if (state.empty()) {
    return request.is_aborted && request.attempts < kMostAttempts;
  }
  if (!role_.keeps_statements || request.attempts >= mostAttempts(request)) {
    return false;
  }
  if (state == kUnprepared) {
    // Where another was to prepare it, that one has failed: this one has not been tried.
    request.attempts -= request.is_prepared_for ? 0 : 1;
    unprepare(request);
    return true;
  }
  // What is sent then is prepared after this failure, so the next one counts.
  if (state == kChanged ? request.attempts < kMostAttempts
                        : !request.is_prepared_for && mayBeOfTypes(request) &&
                              !std::exchange(request.is_renewed, true)) {
    renew(request);
    return true;
  }
  return false;
}

// What the request was sent with is not prepared. It is the next time, under the next name, unless
// somebody has done so since.
void PostgresPipeline::unprepare(const PostgresRequest& request) {
  Prepared* const prepared = prepared_.find(request.statement->number);
  if (prepared != nullptr && prepared->generation == request.generation) {
    prepared->is_sent = false;
    prepared->takeNextName();
  }
}

// It is prepared, and out of date.
void PostgresPipeline::renew(const PostgresRequest& request) {
  const Prepared* const prepared = prepared_.find(request.statement->number);
  if (prepared != nullptr && prepared->generation == request.generation && prepared->is_sent) {
    forget(*prepared);
  }
  unprepare(request);
}

// In another form, where there is one.
bool PostgresPipeline::mayRepeatRefused(PostgresRequest& request) {
  const Failure* const first = request.form->firstFailure();
  const bool may_learn = request.attempts <= mostAttempts(request);
  const bool has_learned =
      may_learn &&
      request.traits->learnRefusal(request.form, request.state, request.untyped, request.failure);
  if (has_learned && (!request.is_in_transaction || request.begins_transaction)) {
    return true;  // the rest of a transaction is lost: its next one finds the other form
  }
  if (first != nullptr) {
    request.failure = *first;
  }
  return false;
}

void PostgresPipeline::learnArrays(PostgresRequest& request) {
  std::vector<Oid> elements;
  for (const Oid type : request.arrays->types) {
    elements.push_back(types_.elementOf(type));
  }
  request.form->learnElements(std::move(elements));
}

void PostgresPipeline::linkLost(const std::string& why) {
  steps_.clear();
  has_group_failed_ = false;
  state_ = State::kConnecting;
  loseAll(why);
  owner_.pipelineLost(*this, why);
}

// What a loss means for each that was under way.
void PostgresPipeline::loseAll(const std::string& why) {
  std::deque<PostgresRequestPointer> lost;
  lost.swap(under_way_);
  if (isExclusive()) {  // the next connection is another session
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(lost));
    waiting_.clear();
  }
  for (PostgresRequestPointer& request : lost) {
    if (request->isLook()) {
      request->makeAsNew();
      waiting_.push_back(std::move(request));  // looked at again once the database is back
      continue;
    }
    if (endsConnection(request->state) || request->state == kOfLibpq) {
      request->state.clear();
    }
    Failure failure{SUB0_UNAVAILABLE, "the connection to the database is lost: " + why,
                    "the database cannot be reached"};
    if (request->mayHaveChanged(isReader())) {
      failure.client = "the connection to the database was lost";
      failure = inDoubt(std::move(failure));
    }
    failRequest(*request, "lost", failure);
    owner_.pipelineSettled(*this, std::move(request));
  }
}

}  // namespace sub0::query
