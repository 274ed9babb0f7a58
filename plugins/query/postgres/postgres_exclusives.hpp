// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "postgres/postgres_pipeline.hpp"

namespace sub0::query {

// The connections of a loop that one errand has for itself at a time: a statement that must not
// share one, or all statements of a call's transaction. Made on demand, up to a bound; an errand
// that gets none in time ends as busy. Before a connection is used again the session is made as
// new. A transaction begins with its first statement, which is one at a time; where one fails, or
// the connection is lost, its other runs fail until its call rolls it back. THREAD: one loop.
class PostgresExclusives final : private PostgresPipeline::Owner {
 public:
  struct Limits {
    std::size_t result_bytes;
    std::uint64_t wait_ms;  // for a connection
  };
  // What it asks of the loop's other connections.
  class Neighbours {
   public:
    // Whether the database answers anybody.
    virtual bool isAnyUp() const = 0;
    // A statement that nothing is known of has run: now it can be looked at.
    virtual void lookAgain(const PostgresRequest& request) = 0;

   protected:
    ~Neighbours() = default;
  };

  PostgresExclusives(const HostPort& host, const PostgresRole& role, const Limits& limits,
                     Neighbours& neighbours)
      : host_(host), role_(role), limits_(limits), neighbours_(neighbours) {}
  ~PostgresExclusives();

  // How many connections there may be.
  void allow(std::uint32_t most);
  // A run, a commit or a rollback.
  void add(PostgresRequestPointer request);
  // The database is away: whoever waits gets nothing.
  void failWaiting(const Failure& failure);
  void send();
  void close();

 private:
  struct Errand;
  enum class Use { kClosed, kConnecting, kFree, kLent, kCleaning };
  struct Connection {
    std::unique_ptr<PostgresPipeline> pipeline;
    Use use = Use::kClosed;
    Errand* errand = nullptr;
    PostgresRequestPointer held;  // the errand's last, answered when the session is clean again
  };
  struct Errand {
    std::uint64_t call_id = 0;  // of a transaction; 0: a single statement
    Connection* connection = nullptr;
    std::deque<PostgresRequestPointer> queue;
    std::uint64_t wait_until_ns = 0;
    std::string sql;  // of a transaction so far
    bool is_waiting = false;
    bool is_running = false;
    bool has_begun = false;
    bool has_failed = false;
    bool is_lost = false;  // its connection was, with all that it had done
  };

  void pipelineUp(PostgresPipeline& pipeline) override;
  void pipelineLost(PostgresPipeline& pipeline, const std::string& why) override;
  void pipelineFailed(PostgresPipeline& pipeline, const std::string& why,
                      std::deque<PostgresRequestPointer> unsent) override;
  void pipelineSettled(PostgresPipeline& pipeline, PostgresRequestPointer request) override;
  void pipelineCleaned(PostgresPipeline& pipeline) override;
  void limitLearned(std::uint32_t) override {}
  bool hasStandIn(const PostgresPipeline&) const override { return true; }

  Errand* errandOf(const PostgresRequest& request);
  Connection& connectionOf(const PostgresPipeline& pipeline);
  void rollBack(Errand& errand);
  void wait(Errand& errand);
  void stopWaiting(Errand& errand);
  void lend();
  Connection* findConnection();
  void goOn(Errand& errand);
  void fail(Errand& errand, const Failure& failure);
  void finish(Errand& errand);
  void forget(Errand& errand);
  void release(Connection& connection, Use use);
  void end(PostgresRequestPointer request);
  void watchWaiting();
  void expireWaiting();
  void stopTimer();

  const HostPort& host_;
  const PostgresRole& role_;
  const Limits limits_;
  Neighbours& neighbours_;
  std::uint32_t most_ = 0;
  bool is_allowed_ = false;  // `allow` has come
  bool is_closed_ = false;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unordered_map<Errand*, std::unique_ptr<Errand>> errands_;
  std::unordered_map<std::uint64_t, Errand*> transactions_;  // by call
  std::deque<Errand*> waiting_;
  std::uint64_t timer_ = 0;
  std::uint64_t timer_at_ns_ = 0;  // 0: no timer
};

}  // namespace sub0::query
