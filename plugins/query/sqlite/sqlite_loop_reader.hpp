// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "sqlite/sqlite_connection.hpp"

namespace sub0::query {

// How often the database file was written by this process. Counted before a write's run ends.
using WriteCount = std::atomic<std::uint64_t>;

// The reading connection of one loop. Taking and giving back the file's lock costs more than a read
// by key, so the reads of a turn share one transaction (a batch), which ends with the turn. A batch
// sees what was there when it began; so after a write of this process the next read begins a new
// one, and a call that writes and then reads sees its row. Never waits for a lock. Statements that
// occupy the loop are stopped after kLongestOnLoop: they are for the reading threads. THREAD: the
// loop's.
class SqliteLoopReader {
 public:
  static constexpr std::chrono::milliseconds kLongestOnLoop{20};
  enum class End { kDone, kBusy, kFailed, kTooSlow };

  SqliteLoopReader(std::size_t result_limit_bytes, const WriteCount& writes)
      : writes_(writes), connection_(SqliteConnection::Use::kRead, result_limit_bytes) {}

  bool open(const std::string& path, std::string& error) { return connection_.open(path, error); }

  // As SqliteConnection::prepare, by the newest schema.
  SqliteConnection::Prepared* prepare(const Statement& statement, Failure& failure);
  // Executes a statement of prepare that only reads; kTooSlow: it has been stopped, and has no
  // result.
  End read(SqliteConnection::Prepared& prepared, const SqliteParameters& parameters,
           std::chrono::nanoseconds time_left, SqliteConnection::Outcome& outcome);

  bool hasBatch() const { return connection_.isInTransaction(); }
  void endBatch();

 private:
  const WriteCount& writes_;
  std::uint64_t writes_seen_ = 0;
  SqliteConnection connection_;
};

}  // namespace sub0::query
