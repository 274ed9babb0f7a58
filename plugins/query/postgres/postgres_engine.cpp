// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_engine.hpp"

#include <algorithm>

#include "parameter_text.hpp"
#include "postgres/postgres_arrays.hpp"
#include "postgres/postgres_session.hpp"

namespace sub0::query {
namespace {

PostgresRequestPointer requestOf(PostgresRequest::Kind kind, const sub0_run& run) {
  PostgresRequestPointer request = PostgresRequest::make(kind);
  request->ticket = run.ticket;
  request->call_id = run.call_id;
  request->deadline_ns = run.deadline_ns;
  return request;
}

}  // namespace

PostgresEngine::PostgresEngine(const HostPort& host, const EngineOptions& options)
    : host_(host), exclusives_per_loop_(options.postgres.exclusive_connections) {}

std::unique_ptr<Engine> PostgresEngine::make(const HostPort& host, const EngineOptions& options,
                                             std::string& error) {
  PostgresAddress address;
  if (!address.parse(options.url, !options.postgres.keeps_statements, error)) {
    return nullptr;
  }
  std::unique_ptr<PostgresEngine> engine(new PostgresEngine(host, options));
  engine->setUp(address, options);
  return engine;
}

// Readers and writers give slow statements up, by the settings of their sessions, or where a pooler
// takes none, by those of each transaction.
void PostgresEngine::setUp(const PostgresAddress& address, const EngineOptions& options) {
  const std::string limit = std::to_string(options.postgres.shared_timeout_ms);
  setup_.result_limit_bytes = options.result_limit_bytes;
  setup_.exclusive_wait_ms = options.postgres.exclusive_wait_ms;
  setup_.reader.address = setup_.writer.address = setup_.exclusive.address = address;
  if (options.postgres.keeps_statements) {
    const std::string limits = "-c statement_timeout=" + limit + " -c lock_timeout=" + limit;
    setup_.reader.address.addOptions("-c default_transaction_read_only=on " + limits);
    setup_.writer.address.addOptions(limits);
    return;
  }
  const std::string limits = "SELECT set_config('statement_timeout', '" + limit +
                             "', true), set_config('lock_timeout', '" + limit + "', true)";
  setup_.reader.opening = {"BEGIN READ ONLY", limits};
  setup_.writer.opening = {"BEGIN", limits};
  for (PostgresRole* role : {&setup_.reader, &setup_.writer, &setup_.exclusive}) {
    role->keeps_statements = false;
  }
}

void PostgresEngine::add(const StatementPointer& statement) {
  if (!is_started_) {
    before_start_.push_back(statement);
  } else {
    PostgresRequestPointer request = lookAt(statement, nullptr);
    loops_[0]->addFromElsewhere(request);
  }
}

bool PostgresEngine::start(std::string& error) {
  if (host_.loop() == nullptr) {
    error = "this host offers no sub0.loop/1, which PostgreSQL needs";
    return false;
  }
  const std::uint32_t count = host_.loop()->count(host_.raw());
  for (std::uint32_t i = 0; i < count; ++i) {
    PostgresLoop::Group& group = *this;
    loops_.push_back(std::make_unique<PostgresLoop>(host_, setup_, group, i));
  }
  is_started_ = true;
  return true;
}

void PostgresEngine::startLoop(std::uint32_t loop) {
  if (loop == 0) {
    for (const StatementPointer& statement : before_start_) {
      loops_[0]->add(lookAt(statement, nullptr));
    }
    before_start_.clear();
    loops_[0]->openFirst();
  }
}

PostgresLoop* PostgresEngine::currentLoop() {
  const std::int32_t current = host_.currentLoop();
  return current < 0 ? nullptr : loops_[static_cast<std::size_t>(current)].get();
}

void PostgresEngine::run(const StatementPointer& statement, const sub0_run& run) {
  PostgresLoop* const loop = currentLoop();
  if (loop == nullptr) {
    host_.fail(run.ticket, Failure{SUB0_INTERNAL, "a run of QUERY came on no loop", ""});
    return;
  }
  PostgresRequestPointer request = requestOf(PostgresRequest::Kind::kRun, run);
  request->must_not_write = (run.flags & SUB0_RUN_READ_ONLY) != 0;
  request->is_in_transaction = (run.flags & SUB0_RUN_IN_TRANSACTION) != 0;
  request->statement = statement;
  request->parameters.reserve(statement->inputs.size());
  for (const std::uint32_t input : statement->inputs) {
    if (holdsNul(run.inputs[input])) {
      host_.fail(run.ticket, holdsNulFailure());
      return;
    }
    if (isJsonArray(run.inputs[input])) {
      if (request->arrays == nullptr) {
        request->arrays = std::make_unique<PostgresArrays>();
      }
      request->arrays->given.push_back(static_cast<std::size_t>(request->parameters.count()));
    }
    request->parameters.add(run.inputs[input]);
  }
  loop->add(std::move(request));
}

void PostgresEngine::commit(const sub0_run& run) {
  PostgresLoop* const loop = currentLoop();
  if (loop == nullptr) {
    host_.fail(run.ticket, Failure{SUB0_INTERNAL, "a commit came on no loop", ""});
    return;
  }
  PostgresRequestPointer request = requestOf(PostgresRequest::Kind::kCommit, run);
  request->is_in_transaction = true;
  loop->add(std::move(request));
}

void PostgresEngine::rollback(std::uint64_t call_id) {
  PostgresLoop* const loop = currentLoop();
  if (loop == nullptr) {
    return;
  }
  PostgresRequestPointer request = PostgresRequest::make(PostgresRequest::Kind::kRollback);
  request->call_id = call_id;
  request->is_in_transaction = true;
  loop->add(std::move(request));
}

bool PostgresEngine::isReady() const {
  return is_started_ && !is_stopping_ && is_shared_out_ && isAnyUp() &&
         std::none_of(loops_.begin(), loops_.end(),
                      [](const auto& each) { return each->isConnecting(); });
}

std::size_t PostgresEngine::upCount() const {
  return static_cast<std::size_t>(std::count_if(loops_.begin(), loops_.end(),
                                                [](const auto& each) { return each->isUp(true); }));
}

void PostgresEngine::connectionUp() {
  if (failures_.exchange(0) > 0) {
    host_.log(SUB0_LOG_INFO, "the database is back");
  }
}

void PostgresEngine::connectionLost(const std::string& why) {
  host_.log(SUB0_LOG_WARNING, "a connection to the database is lost: " + why);
}

// While none is up, the 1st, 2nd, 4th, 8th failure in a row are told; a shortage once.
void PostgresEngine::connectionFailed(const std::string& why) {
  if (isAnyUp()) {
    if (why.find("FATAL:") != std::string::npos) {  // the server's word, no silence or absence
      tellShortage("refused one: " + why);
    }
    return;
  }
  const std::uint32_t failures = ++failures_;
  if ((failures & (failures - 1)) == 0) {
    host_.log(SUB0_LOG_WARNING, "cannot connect to the database: " + why);
  }
  if (!is_shared_out_) {
    for (const auto& loop : loops_) {
      loop->tellAway();
    }
  }
}

// `most` 0: it is not known. What a pooler takes the server cannot say.
void PostgresEngine::limitLearned(std::uint32_t most) {
  const auto loops = static_cast<std::uint32_t>(loops_.size());
  const bool is_unknown = most == 0 || !setup_.writer.keeps_statements;
  const std::uint32_t wanted = loops * (2 + exclusives_per_loop_);
  const std::vector<PostgresShare> shares =
      planConnections(loops, exclusives_per_loop_, is_unknown ? wanted + 1 : most);
  if (countConnections(shares) < wanted) {
    tellShortage("allows " + std::to_string(most));
  }
  for (std::uint32_t i = 0; i < loops; ++i) {
    loops_[i]->open(shares[i]);
  }
  is_shared_out_ = true;
}

void PostgresEngine::tellShortage(const std::string& why) {
  if (!has_told_shortage_.exchange(true)) {
    host_.log(SUB0_LOG_WARNING,
              "the database takes fewer connections than this host would use (for each of its " +
                  std::to_string(loops_.size()) + " loops 2 and up to " +
                  std::to_string(exclusives_per_loop_) +
                  " exclusive ones): what there is is shared; raise the limit of the role or the "
                  "server, or lower SUB0_LOOPS or SUB0_POSTGRES_EXCLUSIVE_CONNECTIONS: it " +
                  why);
  }
}

bool PostgresEngine::passOn(PostgresRequestPointer& request, bool reads) {
  if (request->is_passed_on || request->attempts > 0) {
    return false;
  }
  const std::size_t count = loops_.size();
  const std::size_t first = next_stand_in_++;
  for (std::size_t i = 0; i < count; ++i) {
    PostgresLoop& other = *loops_[(first + i) % count];
    if (!other.isUp(reads)) {
      continue;
    }
    request->is_passed_on = true;
    if (other.addFromElsewhere(request)) {
      return true;
    }
  }
  return false;
}

void PostgresEngine::passTo(std::uint32_t loop, PostgresRequestPointer request) {
  if (!loops_[loop]->addFromElsewhere(request)) {
    failRequest(*request, "closed", closing());
    endRequest(host_, *request, setup_.result_limit_bytes);
  }
}

std::unique_ptr<SqlSession> PostgresEngine::openSession(AfterLoss after_loss) {
  return std::make_unique<PostgresSession>(setup_.exclusive.address, setup_.result_limit_bytes,
                                           after_loss);
}

}  // namespace sub0::query
