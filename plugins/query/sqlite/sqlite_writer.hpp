// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "engine.hpp"
#include "sqlite/sqlite_connection.hpp"

namespace sub0::query {

// A statement that waits for its turn, with what it needs when that comes.
struct SqliteRequest {
  sub0_ticket ticket = 0;
  std::uint64_t deadline_ns = 0;
  StatementPointer statement;
  SqliteParameters parameters;
};

// The one thread that writes to the database file. Requests are executed in the order in which they
// came, each in a transaction of its own that is durable before its run ends. Where another process
// holds the file's lock it waits up to the deadline of the run. THREAD: add and stop: any; the
// connection is the thread's own.
class SqliteWriter {
 public:
  SqliteWriter(const HostPort& host, std::size_t result_limit_bytes)
      : host_(host), connection_(SqliteConnection::Use::kWrite, result_limit_bytes) {}
  ~SqliteWriter() { stop(0); }  // of a start that failed half way

  bool start(const std::string& path, std::string& error);
  void add(SqliteRequest request);
  // Executes what waits until the deadline, interrupts and fails the rest, ends the thread.
  void stop(std::uint64_t deadline_ns);

 private:
  void work();
  void execute(SqliteRequest& request);
  void end(const SqliteRequest& request, SqliteConnection::Outcome& outcome);

  const HostPort& host_;
  SqliteConnection connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SqliteRequest> waiting_;
  bool is_stopping_ = false;
  bool has_ended_ = false;
  std::atomic<bool> is_late_{false};  // the deadline of stop has passed
  std::thread thread_;
};

}  // namespace sub0::query
