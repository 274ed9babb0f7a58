// SPDX-License-Identifier: Apache-2.0
// PostgresPipeline: what the server answers, and what is made of it.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "postgres/postgres_errors.hpp"
#include "postgres/postgres_pipeline.hpp"

namespace sub0::query {
namespace {

constexpr std::uint32_t kMostAttempts = 4;
// States of ours. The error came without one.
constexpr const char* kWithoutState = "none";
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
bool namesStatement(const PostgresRequest& request, const PostgresError& error) {
  const std::string& state = request.state;
  return (state == "26000" || state == "42P05") && request.statement != nullptr &&
         error.text().find('"' + nameOf(*request.statement, request.generation) + '"') !=
             std::string::npos;
}

// Each form of a statement may be refused before one fits.
std::size_t mostAttempts(const PostgresRequest& request) {
  return kMostAttempts + (request.form == nullptr ? 0 : 2 * request.form->count());
}

}  // namespace

bool PostgresPipeline::isSync(const Step& step) {
  return step.kind == StepKind::kSync || step.kind == StepKind::kCleanSync ||
         step.kind == StepKind::kPing;
}

bool PostgresPipeline::endsWithDescription(const Step& step) {
  return step.kind == StepKind::kPrepare || step.kind == StepKind::kPrepareOwn ||
         step.kind == StepKind::kDescribe;
}

void PostgresPipeline::linkMessage(const PostgresMessage& message) {
  ++messages_;
  if (steps_.empty()) {
    return;  // a notice, a setting that has changed, or last words
  }
  switch (message.type) {
    case 't':  // ParameterDescription
    case 'T':  // RowDescription
    case 'n':  // NoData
      takeDescription(message);
      break;
    case 'D':  // DataRow
      takeRow(message.body);
      break;
    case 'C':  // CommandComplete
    case 'I':  // EmptyQueryResponse
      takeEnd(message.body);
      break;
    case 'E':  // ErrorResponse
      takeError(PostgresError(message.body));
      break;
    case 'Z':  // ReadyForQuery
      takeSync();
      break;
    case 'G':  // CopyInResponse: it waits for what nobody has
      link_.reset("COPY FROM STDIN is not supported");
      break;
    default:
      break;
  }
}

void PostgresPipeline::linkRead() {
  if (!waiting_.empty()) {
    host_.loop()->request_end_of_turn(host_.raw());
  } else if (!link_.output().unsent().empty()) {
    link_.flush();  // what a failure has had forgotten
  }
}

// The statement with such a row shares no connection any more: the row holds up the others.
void PostgresPipeline::linkTooLarge() {
  ++messages_;
  if (steps_.empty() || steps_.front().kind != StepKind::kExecute) {
    return;
  }
  PostgresRequest& request = *steps_.front().request;
  treeOf(request).giveUp();
  request.traits->learnThatItIsLarge();
}

void PostgresPipeline::takeDescription(const PostgresMessage& message) {
  const Step step = steps_.front();
  if (message.type == 't') {
    if (step.kind == StepKind::kDescribe) {
      step.request->arrays->types = parameterTypesOf(message.body);
    }
    return;
  }
  PostgresColumns* columns = nullptr;
  if (step.kind == StepKind::kPrepare) {
    Prepared* const prepared = preparedFor(*step.request);
    columns = prepared == nullptr ? nullptr : prepared->columns.get();
  } else if (step.kind == StepKind::kExecute) {
    columns = step.request->columns.get();
  }
  if (message.type == 'T' && columns != nullptr) {
    columns->read(message.body);
  }
  if (endsWithDescription(step)) {
    steps_.pop_front();
  }
}

void PostgresPipeline::takeRow(std::string_view body) {
  const Step step = steps_.front();
  PostgresRow row(body);
  const auto number = [&row] {
    std::string_view text;
    unsigned long value = 0;
    if (row.next(text)) {
      std::from_chars(text.data(), text.data() + text.size(), value);
    }
    return value;
  };
  if (step.kind == StepKind::kExecute) {
    takeRow(*step.request, row);
  } else if (step.kind == StepKind::kTypes) {
    const auto array = static_cast<Oid>(number());
    types_.learn(array, static_cast<Oid>(number()));
  } else if (step.kind == StepKind::kLimit) {
    asks_limit_ = false;
    owner_.limitLearned(static_cast<std::uint32_t>(number()));
  } else if (step.kind == StepKind::kLookUp) {
    step.request->traits->learnForeignFunctions(number() > 0);
  }
}

ResultTree& PostgresPipeline::treeOf(PostgresRequest& request) const {
  const std::vector<PostgresColumns::Column>& columns = request.columns->columns;
  if (request.tree == nullptr) {
    request.tree = std::make_unique<ResultTree>(limit_bytes_);
    request.tree->setColumns(columns.size(),
                             [&](std::size_t i) { return std::string_view(columns[i].name); });
  }
  return *request.tree;
}

void PostgresPipeline::takeRow(PostgresRequest& request, PostgresRow row) {
  const std::vector<PostgresColumns::Column>& columns = request.columns->columns;
  ResultTree& tree = treeOf(request);
  if (row.count() != columns.size()) {
    failRequest(
        request, "columns",
        Failure{SUB0_ACTION_FAILED, "PostgreSQL: a row has other columns than it said", ""});
  }
  if (tree.isOver() || !request.state.empty()) {
    return;
  }
  tree.beginRow();
  std::string_view text;
  for (std::size_t i = 0; i < columns.size() && !tree.isOver(); ++i) {
    if (row.next(text)) {
      tree.column(i) = fromPostgres(types_, columns[i].type, text, tree);
    }
  }
}

void PostgresPipeline::takeEnd(std::string_view tag) {
  const Step step = steps_.front();
  // The COMMIT of a transaction that has failed is answered so.
  if (step.kind == StepKind::kCommit && tag.substr(0, 6) != "COMMIT") {
    failRequest(*step.request, "rolled back",
                Failure{SUB0_ACTION_FAILED, "the database has rolled the transaction back", ""});
  }
  if (!isSync(step)) {
    steps_.pop_front();
  }
}

// What the server was at has failed, and it skips what stands before the next sync.
void PostgresPipeline::takeError(const PostgresError& error) {
  const Step step = steps_.front();
  if (step.kind == StepKind::kClean || step.kind == StepKind::kCleanSync) {
    link_.reset("the session cannot be cleaned: " + error.state());
    return;
  }
  takeErrorOf(step, error);
  if (isSync(step)) {
    return;
  }
  for (steps_.pop_front(); !steps_.empty() && !isSync(steps_.front()); steps_.pop_front()) {
    takeAborted(steps_.front());
  }
}

void PostgresPipeline::takeSync() {
  const Step step = steps_.front();
  if (!isSync(step)) {
    link_.reset("the server says that it is ready where it is not");
    return;
  }
  steps_.pop_front();
  if (step.kind == StepKind::kCleanSync) {
    owner_.pipelineCleaned(*this);
  } else if (step.settles > 0) {
    settle(step.settles);
  }
}

void PostgresPipeline::takeErrorOf(const Step& step, const PostgresError& error) {
  const std::string state = error.state().empty() ? kWithoutState : error.state();
  if (step.kind == StepKind::kLimit && !endsConnection(state)) {
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
  request.failure = postgresFailure(error, request.sql());
  request.state = state;
  if (request.state == "25006" && request.must_not_write) {
    request.failure.code = SUB0_METHOD_NOT_ALLOWED;
    request.failure.client = kMustNotWrite;
  }
  request.untyped = untypedParameter(error);
  request.is_refused = refusesTypes(error);
  if (request.state == "0A000" && error.field(PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery") {
    request.state = kChanged;
  } else if (namesStatement(request, error)) {
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

// What the request was sent with; null: it is no more.
PostgresPipeline::Prepared* PostgresPipeline::preparedFor(const PostgresRequest& request) {
  Prepared* const prepared = prepared_.find(request.statement->number);
  return prepared != nullptr && prepared->generation == request.generation ? prepared : nullptr;
}

// What the request was sent with is not prepared. It is the next time, under the next name, unless
// somebody has done so since.
void PostgresPipeline::unprepare(const PostgresRequest& request) {
  if (Prepared* const prepared = preparedFor(request)) {
    prepared->is_sent = false;
    prepared->takeNextName();
  }
}

// It is prepared, and out of date.
void PostgresPipeline::renew(const PostgresRequest& request) {
  const Prepared* const prepared = preparedFor(request);
  if (prepared != nullptr && prepared->is_sent) {
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
    if (endsConnection(request->state)) {
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
