// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_engine.hpp"

#include <algorithm>

#include "parameter_text.hpp"
#include "postgres/postgres_session.hpp"

namespace sub0::query {

namespace {

PostgresRequestPointer checkOf(const StatementPointer& statement) {
  auto request = std::make_unique<PostgresRequest>();
  request->only_prepare = true;
  request->statement = statement;
  return request;
}

}  // namespace

std::unique_ptr<Engine> PostgresEngine::make(const HostPort& host, const std::string& url,
                                             std::size_t result_limit_bytes, std::string& error) {
  std::unique_ptr<PostgresEngine> engine(new PostgresEngine(host, result_limit_bytes));
  if (!engine->address_.parse(url, error)) {
    return nullptr;
  }
  return engine;
}

void PostgresEngine::add(const StatementPointer& statement) {
  if (!is_started_) {
    before_start_.push_back(statement);
  } else {
    PostgresRequestPointer request = checkOf(statement);
    pipelines_[0]->addFromElsewhere(request);
  }
}

bool PostgresEngine::start(std::string& error) {
  if (host_.loop() == nullptr) {
    error = "this host offers no sub0.loop/1, which PostgreSQL needs";
    return false;
  }
  const std::uint32_t count = host_.loop()->count(host_.raw());
  for (std::uint32_t i = 0; i < count; ++i) {
    PostgresPipeline::Group& group = *this;
    pipelines_.push_back(
        std::make_unique<PostgresPipeline>(host_, address_, group, i, result_limit_bytes_));
  }
  is_started_ = true;
  return true;
}

void PostgresEngine::startLoop(std::uint32_t loop) {
  if (loop == 0) {
    for (const StatementPointer& statement : before_start_) {
      pipelines_[0]->add(checkOf(statement));
    }
    before_start_.clear();
  }
  pipelines_[loop]->open();
}

void PostgresEngine::run(const StatementPointer& statement, const sub0_run& run) {
  const std::int32_t current = host_.currentLoop();
  if (current < 0) {
    host_.fail(run.ticket, Failure{SUB0_INTERNAL, "a run of QUERY came on no loop", ""});
    return;
  }
  auto request = std::make_unique<PostgresRequest>();
  request->ticket = run.ticket;
  request->deadline_ns = run.deadline_ns;
  request->must_not_write = (run.flags & SUB0_RUN_READ_ONLY) != 0;
  request->statement = statement;
  request->parameters.reserve(statement->inputs.size());
  for (const std::uint32_t input : statement->inputs) {
    if (holdsNul(run.inputs[input])) {
      host_.fail(run.ticket, holdsNulFailure());
      return;
    }
    request->parameters.push_back(toPostgres(run.inputs[input]));
  }
  pipelines_[static_cast<std::size_t>(current)]->add(std::move(request));
}

bool PostgresEngine::isReady() const {
  using State = PostgresPipeline::State;
  return is_started_ && !is_stopping_ && isAnyUp() &&
         std::none_of(pipelines_.begin(), pipelines_.end(),
                      [](const auto& each) { return each->state() == State::kConnecting; });
}

std::size_t PostgresEngine::upCount() const {
  using State = PostgresPipeline::State;
  return static_cast<std::size_t>(
      std::count_if(pipelines_.begin(), pipelines_.end(),
                    [](const auto& each) { return each->state() == State::kUp; }));
}

void PostgresEngine::connectionUp() {
  if (failures_.exchange(0) > 0) {
    host_.log(SUB0_LOG_INFO, "the database is back");
  }
  if (upCount() == pipelines_.size()) {
    has_told_shortage_ = false;
  }
}

void PostgresEngine::connectionLost(const std::string& why) {
  host_.log(SUB0_LOG_WARNING, "a connection to the database is lost: " + why);
}

// While none is up, the 1st, 2nd, 4th, 8th failure in a row are told; a shortage once.
void PostgresEngine::connectionFailed(const std::string& why) {
  const std::size_t up_count = upCount();
  if (up_count == 0) {
    const std::uint32_t failures = ++failures_;
    if ((failures & (failures - 1)) == 0) {
      host_.log(SUB0_LOG_WARNING, "cannot connect to the database: " + why);
    }
  } else if (!has_told_shortage_.exchange(true)) {
    host_.log(SUB0_LOG_WARNING,
              "the database takes fewer connections than the " + std::to_string(pipelines_.size()) +
                  " that there are loops: the loops share those that it takes; raise the limit of "
                  "the role or the server, or lower SUB0_LOOPS: " +
                  why);
  }
}

bool PostgresEngine::passOn(PostgresRequestPointer& request) {
  if (request->is_passed_on || request->attempts > 0) {
    return false;
  }
  const std::size_t count = pipelines_.size();
  const std::size_t first = next_stand_in_++;
  for (std::size_t i = 0; i < count; ++i) {
    PostgresPipeline& other = *pipelines_[(first + i) % count];
    if (other.state() != PostgresPipeline::State::kUp) {
      continue;
    }
    request->is_passed_on = true;
    if (other.addFromElsewhere(request)) {
      return true;
    }
  }
  return false;
}

std::unique_ptr<SqlSession> PostgresEngine::openSession() {
  return std::make_unique<PostgresSession>(address_, result_limit_bytes_);
}

}  // namespace sub0::query
