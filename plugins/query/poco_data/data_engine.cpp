// SPDX-License-Identifier: Apache-2.0
#include "poco_data/data_engine.hpp"

#include <utility>

#include "parameter_text.hpp"

namespace sub0::query {

DataEngine::DataEngine(const HostPort& host, std::unique_ptr<DataSource> source,
                       const EngineOptions& options)
    : host_(host),
      source_(std::move(source)),
      keeper_(host, *source_),
      pool_(host, *source_, keeper_,
            DataPool::Options{options.pool.connections, options.pool.wait_ms}) {}

void DataEngine::add(const StatementPointer& statement) {
  if (is_started_) {
    keeper_.look(statement);
  } else {
    before_start_.push_back(statement);
  }
}

bool DataEngine::start(std::string&) {
  for (const StatementPointer& statement : before_start_) {
    keeper_.look(statement);
  }
  before_start_.clear();
  is_started_ = true;
  keeper_.start();
  pool_.start();
  return true;
}

void DataEngine::stop(std::uint64_t deadline_ns) {
  pool_.stop(deadline_ns);
  keeper_.stop();
}

void DataEngine::run(const StatementPointer& statement, const sub0_run& run) {
  DataRequest request;
  request.ticket = run.ticket;
  request.deadline_ns = run.deadline_ns;
  request.statement = statement;
  request.must_not_write = (run.flags & SUB0_RUN_READ_ONLY) != 0;
  request.parameters.reserve(statement->inputs.size());
  for (const std::uint32_t input : statement->inputs) {
    if (holdsNul(run.inputs[input])) {
      host_.fail(run.ticket, holdsNulFailure());
      return;
    }
    request.parameters.push_back(toDataParameter(run.inputs[input]));
  }
  if (source_->dialect() == Dialect::kMysql) {  // which has no null there
    for (const RowCount& count : statement->row_counts) {
      request.parameters[count.place] =
          toRowCount(run.inputs[statement->inputs[count.place]], count.is_offset);
    }
  }
  if ((run.flags & SUB0_RUN_IN_TRANSACTION) != 0) {
    pool_.addToCall(run.call_id, std::move(request));
  } else {
    pool_.add(std::move(request));
  }
}

void DataEngine::commit(const sub0_run& run) {
  pool_.commitCall(run.call_id, run.ticket, run.deadline_ns);
}

}  // namespace sub0::query
