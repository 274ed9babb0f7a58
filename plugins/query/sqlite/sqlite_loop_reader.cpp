// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_loop_reader.hpp"

namespace sub0::query {

using Control = SqliteConnection::Control;
using Status = SqliteConnection::Status;

SqliteConnection::Prepared* SqliteLoopReader::prepare(const Statement& statement,
                                                      Failure& failure) {
  if (hasBatch() && writes_.load(std::memory_order_acquire) != writes_seen_) {
    endBatch();
  }
  return connection_.prepare(statement, failure);
}

SqliteLoopReader::End SqliteLoopReader::read(SqliteConnection::Prepared& prepared,
                                             const SqliteParameters& parameters,
                                             std::chrono::nanoseconds time_left,
                                             SqliteConnection::Outcome& outcome) {
  if (!hasBatch()) {
    // Before the batch begins: a write in between only costs a further batch.
    writes_seen_ = writes_.load(std::memory_order_acquire);
    if (connection_.control(Control::kBegin, outcome.failure) != Status::kDone) {
      return End::kFailed;
    }
  }
  const bool is_shortened = time_left > kLongestOnLoop;
  const auto begun = std::chrono::steady_clock::now();
  outcome = connection_.execute(
      prepared, parameters, is_shortened ? std::chrono::nanoseconds(kLongestOnLoop) : time_left);
  if (is_shortened && outcome.status == Status::kFailed && outcome.failure.code == SUB0_TIMEOUT) {
    prepared.pace->moveOff();
    return End::kTooSlow;
  }
  prepared.pace->tookOnLoop(std::chrono::steady_clock::now() - begun);
  if (outcome.status == Status::kBusy) {
    return End::kBusy;
  }
  return outcome.status == Status::kDone ? End::kDone : End::kFailed;
}

void SqliteLoopReader::endBatch() {
  Failure ignored;  // a reading transaction ends either way
  if (connection_.control(Control::kCommit, ignored) != Status::kDone) {
    connection_.control(Control::kRollback, ignored);
  }
}

}  // namespace sub0::query
