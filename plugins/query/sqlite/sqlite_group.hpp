// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "sqlite/sqlite_connection.hpp"
#include "sqlite/sqlite_loop_reader.hpp"
#include "sqlite/sqlite_request.hpp"

namespace sub0::query {

// One transaction of the database file that several writes share, since what costs is the wait for
// the disk at its end. Each write, and each transaction of a call, has a savepoint of its own, so a
// failure takes back its own work alone; it is told at once, success when the group is durable.
// Some errors make SQLite give up the whole transaction (OR ROLLBACK, an interrupt, a full disk):
// the group is lost then, and its owner gets the writes back to repeat them one by one. References
// are checked before a savepoint is released, where it is still known who violates them. THREAD:
// one at a time. Does not know queues or who waits.
class SqliteGroup {
 public:
  enum class Fate { kStands, kLost };
  static constexpr std::size_t kMostWrites = 128;
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20U;
  static constexpr std::chrono::milliseconds kLongest{5};
  static constexpr std::chrono::milliseconds kFast{1};
  static constexpr std::uint8_t kFastRuns = 2;

  SqliteGroup(const HostPort& host, SqliteConnection& connection, WriteCount& writes)
      : host_(host), connection_(connection), writes_(writes) {}

  // Takes the file's lock.
  SqliteConnection::Status begin(Failure& failure);
  // Nobody waits for its end yet.
  bool isEmpty() const { return done_.empty(); }
  bool isLost() const { return !connection_.isInTransaction(); }
  // Enough for one wait for the disk: by number, by what the results hold, by how long the first
  // has waited.
  bool isFull() const;

  // A write of its own.
  Fate execute(SqliteRequest& request);

  // Whether it was fast whenever it was executed lately.
  bool isFast(const SqliteRequest& request);

  // The transaction of a call. Statements end their runs at once.
  bool beginCall(Failure& failure);
  Fate executeInCall(SqliteRequest& request);
  Fate commitCall(sub0_ticket ticket);
  Fate rollbackCall();

  // Makes everything durable and ends the runs.
  void commit();
  // The writes of a lost group that can be repeated; the others are ended.
  std::vector<SqliteRequest> takeLost();

  // Fails a run for an outcome that is not kDone.
  static void fail(const HostPort& host, sub0_ticket ticket,
                   const SqliteConnection::Outcome& outcome);

 private:
  struct Done {
    SqliteRequest request;  // without a statement: the commit of a call
    std::unique_ptr<ResultTree> tree;
  };

  SqliteConnection::Outcome executeStatement(SqliteRequest& request);
  void checkReferences(SqliteConnection::Outcome& outcome, const std::string& blamed_sql) const;
  void keep(SqliteRequest request, std::unique_ptr<ResultTree> tree);
  Fate takeBack();
  Fate fate() const { return connection_.isInTransaction() ? Fate::kStands : Fate::kLost; }
  Failure commitFailure(Failure failure);

  const HostPort& host_;
  SqliteConnection& connection_;
  WriteCount& writes_;
  std::vector<Done> done_;
  std::size_t held_bytes_ = 0;
  std::string blamed_sql_;  // of the call: since when a reference refers to nothing
  bool has_call_failed_ = false;
  std::chrono::steady_clock::time_point first_done_{};
};

}  // namespace sub0::query
