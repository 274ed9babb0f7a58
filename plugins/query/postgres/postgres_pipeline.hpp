// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

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
  bool is_passed_on = false;    // came from a loop without a connection
  StatementPointer statement;
  PostgresParameters parameters;

  std::unique_ptr<ResultTree> tree;
  Failure failure;
  std::string state;        // SQLSTATE of the failure
  std::size_t untyped = 0;  // of 42P08 and 42P18: which parameter
  std::uint32_t attempts = 0;
  bool has_ended = false;  // its run has: what still comes is dropped
};
using PostgresRequestPointer = std::unique_ptr<PostgresRequest>;

// A pipelined connection: statements that came in during a turn are sent together at its end, each
// with a sync of its own, so that an error or a slow commit concerns that statement alone; results
// come back in the same order. Statements are prepared on first use, their types left to the
// server. A statement cut off before its sync is never sent again: a write among them has an
// unknown outcome and says so. A server that answers nothing, not even to a cancellation, is given
// up. THREAD: one loop, but for addFromElsewhere and state. Does not choose between connections.
class PostgresPipeline final : private PostgresLink::Owner {
 public:
  // The other connections, as this one needs them. THREAD: the loop of the pipeline that calls.
  class Group {
   public:
    virtual void connectionUp() = 0;
    virtual void connectionLost(const std::string& why) = 0;
    virtual void connectionFailed(const std::string& why) = 0;
    // Whether the database answers some other loop.
    virtual bool isAnyUp() const = 0;
    // Hands a request that was never sent to a connection that is up; false: there is none.
    virtual bool passOn(PostgresRequestPointer& request) = 0;

   protected:
    ~Group() = default;
  };
  // kFailing: the last attempt to connect has failed, and none has succeeded since.
  enum class State { kConnecting, kUp, kFailing };

  PostgresPipeline(const HostPort& host, const PostgresAddress& address, Group& group,
                   std::uint32_t loop, std::size_t limit_bytes)
      : host_(host),
        link_(host, address, *this),
        group_(group),
        loop_(loop),
        limit_bytes_(limit_bytes) {}
  ~PostgresPipeline() override;

  void open() { link_.open(); }
  // Ends everything as unavailable.
  void close();
  void add(PostgresRequestPointer request);
  // Adds it on the pipeline's own loop. False: it is closed. THREAD: any.
  bool addFromElsewhere(PostgresRequestPointer& request);
  // Sends what was added; at the end of a turn.
  void send();
  // THREAD: any.
  State state() const { return state_.load(); }

 private:
  enum class StepKind { kTypes, kOwn, kOwnSync, kPrepare, kExecute, kSync };
  struct Step {
    StepKind kind;
    PostgresRequest* request;  // null: of nobody
  };
  struct Prepared {
    bool is_sent = false;
    std::uint32_t generation = 0;
    std::vector<Oid> types;  // 0: the server tells
  };

  void linkUp() override;
  void linkReadable(std::size_t bytes) override;
  void linkLost(const std::string& why) override;
  void linkFailed(const std::string& why) override;
  bool hasStandIn() const override { return group_.isAnyUp(); }

  bool sendOne(PostgresRequest& request);
  bool sendOwn(const char* sql);
  bool sendSync(StepKind kind, PostgresRequest* request);
  Prepared& preparedOf(const Statement& statement);
  void push(StepKind kind, PostgresRequest* request);
  void popStep();
  void useSingleRows();
  void take(const PGresult* result);
  void takeRows(PostgresRequest& request, const PGresult* result);
  void takeError(const Step& step, const PGresult* result);
  void finishFirst();
  bool mayRepeat(PostgresRequest& request);
  void end(PostgresRequest& request);
  void failAll(std::deque<PostgresRequestPointer>& requests, const std::string& why);
  void takePassedOn();
  void watchDeadline(std::uint64_t deadline_ns);
  void expire();
  void expireIn(std::deque<PostgresRequestPointer>& requests, std::uint64_t now_ns);
  void cancelRunning();
  void watchSilence();
  void lookAtSilence();
  void stopTimers();

  const HostPort& host_;
  PostgresLink link_;
  Group& group_;
  const std::uint32_t loop_;
  std::size_t limit_bytes_;
  PostgresTypes types_;
  std::atomic<State> state_{State::kConnecting};
  PreparedStatements<Prepared> prepared_;
  std::deque<PostgresRequestPointer> waiting_;
  std::deque<PostgresRequestPointer> under_way_;
  std::deque<Step> steps_;
  std::size_t bytes_since_result_ = 0;
  std::uint64_t timer_ = 0;
  std::uint64_t timer_deadline_ns_ = 0;  // 0: no timer
  std::uint64_t silence_timer_ = 0;
  bool has_silence_timer_ = false;
  bool has_heard_ = false;  // since the silence timer was started
  // Shared with the pool's thread that cancels, which may outlive this.
  std::shared_ptr<std::atomic<bool>> is_cancelling_ = std::make_shared<std::atomic<bool>>(false);

  std::mutex passed_on_mutex_;
  std::deque<PostgresRequestPointer> passed_on_;
  bool is_closed_ = false;
};

}  // namespace sub0::query
