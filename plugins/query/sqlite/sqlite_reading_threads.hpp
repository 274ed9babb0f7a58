// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sqlite/sqlite_connection.hpp"
#include "sqlite/sqlite_request.hpp"

namespace sub0::query {

// A few threads for reading statements that would hold up a loop, each with a connection of its
// own. Connections are there from the start, a thread when there is work for it. They wait for
// locks and end runs themselves, results do not pass the loop. Not the host's pool: what is under
// way must be ended at stop, and a long report must not keep the host's own work waiting. THREAD:
// start, stop: [control]; add: any.
class SqliteReadingThreads {
 public:
  SqliteReadingThreads(const HostPort& host, std::size_t result_limit_bytes);
  ~SqliteReadingThreads() { stop(0); }

  bool start(const std::string& path, std::string& error);
  void add(SqliteRequest request, std::shared_ptr<ReadPace> pace);
  // Executes what waits until the deadline, interrupts and fails the rest, ends the threads.
  void stop(std::uint64_t deadline_ns);

 private:
  struct Work {
    SqliteRequest request;
    std::shared_ptr<ReadPace> pace;
  };
  struct Reader {
    explicit Reader(std::size_t result_limit_bytes)
        : connection(SqliteConnection::Use::kRead, result_limit_bytes) {}
    SqliteConnection connection;
    std::thread thread;
  };

  void work(Reader& reader);
  void execute(Reader& reader, Work& work);

  const HostPort& host_;
  const std::size_t result_limit_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable ended_;
  std::deque<Work> waiting_;
  std::vector<std::unique_ptr<Reader>> readers_;  // the first of them have a thread
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  std::size_t running_ = 0;
  bool is_stopping_ = false;
  std::atomic<bool> is_late_{false};  // the deadline of stop has passed
};

}  // namespace sub0::query
