// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine.hpp"
#include "sqlite/sqlite_connection.hpp"
#include "sqlite/sqlite_group.hpp"
#include "sqlite/sqlite_request.hpp"

namespace sub0::query {

// The one thread that writes to the database file. It takes what waits together, in the order in
// which it came, and commits it as one group (SqliteGroup); every run ends after its write is
// durable. A transaction of a call is one piece of such a group: from its first statement to its
// commit or rollback everybody else waits. While the thread waits for what a call does next, the
// loop that brings it executes it, if it is known to be fast, and then begins the next call that
// waits: the way to the thread and back costs more than most statements. Where another process
// holds the file's lock it waits up to the deadlines of the runs. Between groups it keeps the log
// (the -wal file) short. THREAD: start, stop: [control]; the others: any, those of one call in
// order.
class SqliteWriter {
 public:
  SqliteWriter(const HostPort& host, std::size_t result_limit_bytes, std::uint64_t log_limit_bytes,
               WriteCount& writes);
  ~SqliteWriter() { stop(0); }  // of a start that failed half way

  bool start(const std::string& path, std::string& error);
  // Executes what waits until the deadline, interrupts and fails the rest, ends the thread.
  void stop(std::uint64_t deadline_ns);

  void add(SqliteRequest request);
  // The next statement of a call's transaction, which begins with the first.
  void addToCall(std::uint64_t call_id, SqliteRequest request);
  void commitCall(std::uint64_t call_id, sub0_ticket ticket, std::uint64_t deadline_ns);
  // Takes back what the call did, interrupts what runs for it; nothing where it is over.
  void rollbackCall(std::uint64_t call_id);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Fate = SqliteGroup::Fate;
  // The transaction of a call. Guarded by mutex_.
  struct CallTransaction {
    std::optional<SqliteRequest> asked;  // without a statement: to commit
    TimePoint until{};                   // of what was asked last
    bool is_given_up = false;            // by rollbackCall
    bool is_lost = false;                // it was rolled back, and does not know yet
  };
  using CallPointer = std::shared_ptr<CallTransaction>;
  struct Waiting {
    SqliteRequest request;  // of a call: its first statement alone
    CallPointer call;       // null: a write of its own
    TimePoint until{};
    bool is_alone = false;  // in a group of its own
  };

  TimePoint untilOf(std::uint64_t deadline_ns) const;
  void wakeForWork();
  void ask(std::uint64_t call_id, SqliteRequest request);
  bool executeHere(std::unique_lock<std::mutex>& lock, SqliteRequest& request);
  std::optional<Waiting> beginNext(SqliteGroup& group);
  void work();
  void writeGroup();
  bool begin(SqliteGroup& group);
  TimePoint earliestUntil();
  void failBlocked(const SqliteConnection::Outcome& outcome);
  void failWaiting(const Waiting& waiting, const Failure& failure);
  std::optional<Waiting> takeNext();
  bool goesFirst(const Waiting& waiting);
  void putBack(Waiting waiting);
  Fate executeCall(SqliteGroup& group, Waiting waiting);
  std::optional<SqliteRequest> waitForAsk(SqliteGroup& group);
  void repeatSingly(std::vector<SqliteRequest> requests);
  void shortenLog();

  const HostPort& host_;
  const std::uint64_t log_limit_bytes_;
  WriteCount& writes_;
  SqliteConnection connection_;
  std::uint64_t shorten_at_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;  // for the thread
  std::condition_variable ended_;
  std::deque<Waiting> waiting_;
  std::unordered_map<std::uint64_t, CallPointer> calls_;
  const CallTransaction* executing_ = nullptr;  // the call for which a statement runs
  Waiting current_;                             // the call whose transaction is open
  SqliteGroup* open_group_ = nullptr;           // what it is a piece of
  bool is_awaiting_ = false;                    // the thread waits for what it does next,
  bool is_lent_ = false;                        // and keeps off while a loop executes it
  bool is_stopping_ = false;
  bool has_ended_ = false;
  std::atomic<bool> is_late_{false};  // the deadline of stop has passed
  std::thread thread_;
};

}  // namespace sub0::query
