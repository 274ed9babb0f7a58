// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_engine.hpp"

#include "parameter_text.hpp"
#include "postgres/postgres_session.hpp"

namespace sub0::query {

struct PostgresEngine::LateCheck {
  PostgresEngine* engine;
  StatementPointer statement;
};

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
    host_.loop()->post(host_.raw(), 0, &PostgresEngine::onLateCheck,
                       new LateCheck{this, statement});
  }
}

void PostgresEngine::onLateCheck(void* raw) {
  const std::unique_ptr<LateCheck> late(static_cast<LateCheck*>(raw));
  late->engine->check(late->statement);
}

void PostgresEngine::check(const StatementPointer& statement) {
  auto request = std::make_unique<PostgresRequest>();
  request->only_prepare = true;
  request->statement = statement;
  pipelines_[0]->add(std::move(request));
}

bool PostgresEngine::start(std::string& error) {
  if (host_.loop() == nullptr) {
    error = "this host offers no sub0.loop/1, which PostgreSQL needs";
    return false;
  }
  const std::uint32_t count = host_.loop()->count(host_.raw());
  for (std::uint32_t i = 0; i < count; ++i) {
    pipelines_.push_back(std::make_unique<PostgresPipeline>(host_, address_, result_limit_bytes_));
    pipelines_.back()->onChange([this](bool is_up) { up_count_ += is_up ? 1U : ~0U; });
  }
  is_started_ = true;
  return true;
}

void PostgresEngine::startLoop(std::uint32_t loop) {
  if (loop == 0) {
    for (const StatementPointer& statement : before_start_) {
      check(statement);
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
  return is_started_ && !is_stopping_ && up_count_ == pipelines_.size();
}

std::unique_ptr<SqlSession> PostgresEngine::openSession() {
  return std::make_unique<PostgresSession>(address_, result_limit_bytes_);
}

}  // namespace sub0::query
