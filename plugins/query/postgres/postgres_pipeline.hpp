// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "postgres/postgres_link.hpp"
#include "postgres/postgres_request.hpp"

namespace sub0::query {

// What a connection is for. One that others wait behind (reader, writer) gives a statement up that
// is slow; one that a call has for itself lets it take the call's time.
struct PostgresRole {
  enum class Kind { kReader, kWriter, kExclusive };
  Kind kind;
  PostgresAddress address;  // with the session of the role
  // Where the session cannot be told so (PgBouncer): what begins each batch, as a transaction.
  std::vector<std::string> opening;
  bool keeps_statements = true;  // prepares each under a name
};

// A pipelined connection: what came in during a turn is sent together at its end, and results come
// back in the same order. A reader's statements share one sync; where one fails it alone gets the
// error, and those that the server skipped are sent again, a sync each. A writer's have a sync
// each, since an error may come only there, and a slow commit concerns its statement alone.
// Statements are prepared on first use, their types left to the server, and once more where that
// helps. A server that answers nothing, not even to a cancellation, is given up. THREAD: one loop,
// but for state. Neither ends runs (but past their deadline) nor chooses between connections: what
// has been answered goes back to the owner.
class PostgresPipeline final : private PostgresLink::Owner {
 public:
  class Owner {
   public:
    virtual void pipelineUp(PostgresPipeline& pipeline) = 0;
    // After what was under way has been settled as lost.
    virtual void pipelineLost(PostgresPipeline& pipeline, const std::string& why) = 0;
    // An attempt to connect has failed; what was not sent comes back.
    virtual void pipelineFailed(PostgresPipeline& pipeline, const std::string& why,
                                std::deque<PostgresRequestPointer> unsent) = 0;
    // It has its rows or its failure, or its run has ended meanwhile.
    virtual void pipelineSettled(PostgresPipeline& pipeline, PostgresRequestPointer request) = 0;
    // Once for each request that cleans behind it, and for each `clean`.
    virtual void pipelineCleaned(PostgresPipeline& pipeline) = 0;
    // How many connections server, role and database allow.
    virtual void limitLearned(std::uint32_t most) = 0;
    virtual bool hasStandIn(const PostgresPipeline& pipeline) const = 0;

   protected:
    ~Owner() = default;
  };
  // kFailing: the last attempt to connect has failed, and none has succeeded since. kAbsent: there
  // is none, others do its work.
  enum class State { kConnecting, kUp, kFailing, kAbsent };

  PostgresPipeline(const HostPort& host, const PostgresRole& role, Owner& owner,
                   std::size_t limit_bytes)
      : host_(host),
        role_(role),
        link_(host, role.address, *this, kMostAboveLimit + 3 * limit_bytes),
        owner_(owner),
        limit_bytes_(limit_bytes) {}
  ~PostgresPipeline() override { close(); }

  // `asks_limit`: asks for the number of connections that are allowed, once.
  void open(bool asks_limit = false);
  // Ends everything as unavailable.
  void close();
  // What was not sent yet.
  std::deque<PostgresRequestPointer> takeUnsent() { return std::exchange(waiting_, {}); }
  // There shall be none; what was not sent is given back.
  std::deque<PostgresRequestPointer> makeAbsent();
  void add(PostgresRequestPointer request);
  // Sends what was added; at the end of a turn.
  void send();
  // Makes the session as new.
  void clean();
  // Nobody waits for what is under way any more: cancelled, and the connection made anew.
  void abandon();
  // THREAD: any.
  State state() const { return state_.load(); }
  bool isUp() const { return link_.isUp(); }

 private:
  // A message that is so much larger than three times the limit holds a row past it for sure,
  // whatever its text becomes.
  static constexpr std::size_t kMostAboveLimit = std::size_t{1} << 20U;

  // What is answered as one: by a description, by a command's end, or, a sync, by itself.
  enum class StepKind {
    kPrepare,     // under a name
    kPrepareOwn,  // without one
    kDescribe,    // prepares without a name, for the types of the parameters
    kTypes,
    kLimit,
    kOwn,
    kLookUp,
    kExecute,
    kCommit,
    kClean,
    kCleanSync,
    kPing,  // a sync that asks whether the server is there
    kSync
  };
  struct Step {
    StepKind kind;
    PostgresRequest* request;  // null: of nobody, or of several
    std::size_t settles = 0;   // of a sync: how many requests have been answered with it
  };
  struct Prepared {
    void takeNextName() {
      ++generation;
      name.clear();
    }

    bool is_sent = false;
    std::uint32_t generation = 0;
    std::string name;                // at the server; empty: to be made
    PostgresFormPointer form;        // of what is sent
    PostgresColumnsPointer columns;  // the same; filled by the answer
  };

  void linkUp() override;
  void linkMessage(const PostgresMessage& message) override;
  void linkRead() override;
  void linkTooLarge() override;
  void linkLost(const std::string& why) override;
  void linkFailed(const std::string& why) override;
  bool hasStandIn() const override { return owner_.hasStandIn(*this); }

  bool isExclusive() const { return role_.kind == PostgresRole::Kind::kExclusive; }
  bool isReader() const { return role_.kind == PostgresRole::Kind::kReader; }
  bool isHeldUp() const;
  bool waitsForOthers();
  void endAll(const Failure& failure);
  void endEarly(PostgresRequest& request, bool is_under_way, Failure failure);
  void greet();
  void sendGroup(std::size_t count);
  void sendCleaning();
  void sendOpening(const PostgresRequest& request);
  void sendOne(PostgresRequest& request);
  void sendLook(PostgresRequest& request);
  void sendPrepare(PostgresRequest& request, const std::string& name, StepKind kind);
  void sendNamedPrepare(PostgresRequest& request, Prepared& prepared);
  void sendNamed(PostgresRequest& request);
  void sendUnnamed(PostgresRequest& request);
  void sendQuestion(PostgresRequest& request);
  void sendOwn(const std::string& sql, StepKind kind = StepKind::kOwn,
               PostgresRequest* request = nullptr, const char* parameter = nullptr);
  void sendSync(std::size_t settles = 0, PostgresRequest* request = nullptr);
  Prepared& preparedOf(const Statement& statement);
  void forget(const Prepared& prepared);
  Prepared* preparedFor(const PostgresRequest& request);
  void unprepare(const PostgresRequest& request);
  void renew(const PostgresRequest& request);
  static bool isSync(const Step& step);
  static bool endsWithDescription(const Step& step);
  void takeDescription(const PostgresMessage& message);
  void takeRow(std::string_view body);
  ResultTree& treeOf(PostgresRequest& request) const;
  void takeRow(PostgresRequest& request, PostgresRow row);
  void takeEnd(std::string_view tag);
  void takeError(const PostgresError& error);
  void takeErrorOf(const Step& step, const PostgresError& error);
  void takeAborted(const Step& step);
  void takeSync();
  void settle(std::size_t count);
  bool mayRepeat(PostgresRequest& request);
  bool mayRepeatRefused(PostgresRequest& request);
  bool mustMove(const PostgresRequest& request) const;
  void learnArrays(PostgresRequest& request);
  void loseAll(const std::string& why);
  void watchDeadline(std::uint64_t deadline_ns);
  void expire();
  void expireIn(std::deque<PostgresRequestPointer>& requests, std::uint64_t now_ns);
  void cancelRunning();
  void watchPresence();
  void lookAtPresence();
  void stopPresenceTimer();
  bool owesAnswer() const;
  void stopTimers();

  const HostPort& host_;
  const PostgresRole& role_;
  PostgresLink link_;
  Owner& owner_;
  std::size_t limit_bytes_;
  PostgresTypes types_;
  std::atomic<State> state_{State::kConnecting};
  bool asks_limit_ = false;
  PreparedStatements<Prepared> prepared_;
  std::deque<PostgresRequestPointer> waiting_;
  std::deque<PostgresRequestPointer> under_way_;
  std::vector<PostgresRequestPointer> settled_;  // empty, its memory is kept
  std::deque<Step> steps_;
  std::size_t groups_under_way_ = 0;
  std::size_t batch_seen_ = 0;  // how many waited when a turn ended before; 0: none have
  std::uint64_t batch_begun_ns_ = 0;
  bool has_group_failed_ = false;  // its sync has, and no statement in it
  std::uint64_t timer_ = 0;
  std::uint64_t timer_deadline_ns_ = 0;  // 0: no timer
  std::uint64_t presence_timer_ = 0;
  bool has_presence_timer_ = false;
  bool was_owed_ = false;              // an answer was, when the timer was started
  std::uint64_t messages_ = 0;         // that have come
  std::uint64_t messages_before_ = 0;  // when the timer was started
  // Shared with the thread that cancels, which may outlive this.
  std::shared_ptr<std::atomic<bool>> is_cancelling_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace sub0::query
