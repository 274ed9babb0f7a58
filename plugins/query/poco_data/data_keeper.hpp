// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "poco_data/data_session.hpp"

namespace sub0::query {

// Knows whether a database is there: a thread with a connection of its own that asks once a second,
// sooner when somebody has met a failure, and connects again by itself. So a host notices a loss
// while nobody calls, and calls fail at once while it lasts. It also looks at statements, and warns
// of those that the database refuses. THREAD: start, stop: [control]; the rest: any. Q-85
class DataKeeper {
 public:
  DataKeeper(const HostPort& host, const DataSource& source) : host_(host), source_(source) {}
  ~DataKeeper() { stop(); }
  DataKeeper(const DataKeeper&) = delete;
  DataKeeper& operator=(const DataKeeper&) = delete;

  void start();
  void stop();
  void look(const StatementPointer& statement);

  bool isUp() const { return is_up_.load(); }
  // Grows whenever the database was lost: connections of an earlier epoch are not to be used.
  std::uint64_t epoch() const { return epoch_.load(); }
  // A connection was lost, or could not be made: looks at once.
  void poke();

 private:
  void work();
  void lookAtDatabase();
  void lookAtStatements();
  void wentAway(const std::string& why);

  const HostPort& host_;
  const DataSource& source_;
  std::unique_ptr<DataSession> session_;  // of the thread
  std::uint32_t failures_ = 0;            // in a row
  std::atomic<bool> is_up_{false};
  std::atomic<std::uint64_t> epoch_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<StatementPointer> to_look_at_;
  bool is_poked_ = false;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace sub0::query
