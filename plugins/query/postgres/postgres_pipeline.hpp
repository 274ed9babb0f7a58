// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "engine.hpp"
#include "postgres/postgres_link.hpp"
#include "postgres/postgres_values.hpp"

namespace sub0::query {

// One statement on its way through a connection.
struct PostgresRequest {
  sub0_ticket ticket = 0;
  std::uint64_t deadline_ns = 0;
  bool must_not_write = false;  // a GET: between BEGIN READ ONLY and COMMIT
  bool only_prepare = false;    // the look at start; has no ticket
  StatementPointer statement;
  PostgresParameters parameters;

  std::unique_ptr<ResultTree> tree;
  Failure failure;
  std::string state;        // SQLSTATE of the failure
  std::size_t untyped = 0;  // of 42P08 and 42P18: which parameter
  std::uint32_t attempts = 0;
  bool has_ended = false;  // its run has: what still comes is dropped
};

// A pipelined connection: statements that came in during a turn are sent together at its end, each
// with a sync of its own, so that an error or a slow commit concerns that statement alone; results
// come back in the same order. Statements are prepared on first use, their types left to the
// server. A statement cut off before its sync is never sent again: a write among them has an
// unknown outcome and says so. THREAD: one loop. Does not choose between connections.
class PostgresPipeline final : private PostgresLink::Owner {
 public:
  PostgresPipeline(const HostPort& host, const PostgresAddress& address, std::size_t limit_bytes)
      : host_(host), link_(host, address, *this), limit_bytes_(limit_bytes) {}
  ~PostgresPipeline() override;

  void open() { link_.open(); }
  // Ends everything as unavailable.
  void close();
  void add(std::unique_ptr<PostgresRequest> request);
  // Sends what was added; at the end of a turn.
  void send();
  // Called when the connection has come (true) or gone (false).
  void onChange(std::function<void(bool)> changed) { changed_ = std::move(changed); }

 private:
  enum class StepKind { kTypes, kTypesSync, kBegin, kPrepare, kExecute, kSync, kCommit, kLastSync };
  struct Step {
    StepKind kind;
    PostgresRequest* request;  // null: of nobody
  };
  struct Prepared {
    enum class State { kNone, kSent } state = State::kNone;
    std::uint32_t generation = 0;
    std::vector<Oid> types;  // 0: the server tells
  };

  void linkUp() override;
  void linkReadable(std::size_t bytes) override;
  void linkLost(const std::string& why) override;
  void linkFailed(const std::string& why) override;

  bool sendOne(PostgresRequest& request);
  bool sendSync(StepKind kind, PostgresRequest* request);
  void push(StepKind kind, PostgresRequest* request);
  void popStep();
  void useSingleRows();
  void take(const PGresult* result);
  void takeRows(PostgresRequest& request, const PGresult* result);
  void takeError(const Step& step, const PGresult* result);
  void finishFirst();
  bool mayRepeat(PostgresRequest& request);
  void end(PostgresRequest& request);
  void failAll(std::deque<std::unique_ptr<PostgresRequest>>& requests, const std::string& why);
  void watchDeadline(std::uint64_t deadline_ns);
  void expire();
  void expireIn(std::deque<std::unique_ptr<PostgresRequest>>& requests, std::uint64_t now_ns);
  void cancelRunning();
  static void onDeadline(void* pipeline);

  const HostPort& host_;
  PostgresLink link_;
  std::size_t limit_bytes_;
  PostgresTypes types_;
  std::function<void(bool)> changed_;
  std::unordered_map<std::uint32_t, Prepared> prepared_;
  std::deque<std::unique_ptr<PostgresRequest>> waiting_;
  std::deque<std::unique_ptr<PostgresRequest>> under_way_;
  std::deque<Step> steps_;
  std::size_t bytes_since_result_ = 0;
  std::uint64_t timer_ = 0;
  std::uint64_t timer_deadline_ns_ = 0;  // 0: no timer
};

}  // namespace sub0::query
