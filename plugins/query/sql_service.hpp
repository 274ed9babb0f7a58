// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sub0/sql.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine.hpp"

namespace sub0::query {

// sub0.sql/1: the database for the host's own use (`sub0-host sql`, its tables). One thread with a
// session of its own, made on first use; jobs are executed one after another, so a script never
// meets a call's statements on its connection. THREAD: add: any; the callbacks come on this thread.
// At most kMaxWaiting wait. What is under way at stop is cancelled, what still
// waits ends as unavailable.
class SqlService {
 public:
  explicit SqlService(Engine& engine);
  ~SqlService();
  SqlService(const SqlService&) = delete;
  SqlService& operator=(const SqlService&) = delete;

  std::int32_t add(const sub0_text_view& sql, bool is_script, const sub0_value* parameters,
                   sub0_sql_done done, void* user);
  void stop();

 private:
  static constexpr std::size_t kMaxWaiting = 1000;
  struct Job;
  void work();
  void execute(Job& job);

  Engine& engine_;
  std::unique_ptr<SqlSession> session_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace sub0::query
