// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "postgres/postgres_exclusives.hpp"
#include "postgres/postgres_plan.hpp"

namespace sub0::query {

// What the connections of all loops have in common.
struct PostgresSetup {
  PostgresRole reader{PostgresRole::Kind::kReader, {}, {}, true};
  PostgresRole writer{PostgresRole::Kind::kWriter, {}, {}, true};
  PostgresRole exclusive{PostgresRole::Kind::kExclusive, {}, {}, true};
  std::size_t result_limit_bytes = 0;
  std::uint64_t exclusive_wait_ms = 0;
};

// The connections of one loop, and the choice between them. A statement that may be one that reads
// starts on the reader; where the server says there that it writes it runs again on the writer, and
// that is remembered. What must not share a connection, or took too long on one, gets one of its
// own. A loop without connections passes its work on to another. THREAD: its loop, but for
// addFromElsewhere and the questions.
class PostgresLoop final : private PostgresPipeline::Owner, private PostgresExclusives::Neighbours {
 public:
  // The other loops, as this one needs them. THREAD: any.
  class Group {
   public:
    virtual void connectionUp() = 0;
    virtual void connectionLost(const std::string& why) = 0;
    virtual void connectionFailed(const std::string& why) = 0;
    virtual void limitLearned(std::uint32_t most) = 0;
    // Whether the database answers some loop.
    virtual bool isAnyUp() const = 0;
    // The last that was heard of the database is that it cannot be reached.
    virtual bool isAway() const = 0;
    // Hands a request that was never sent to a loop that can do it; false: there is none.
    virtual bool passOn(PostgresRequestPointer& request, bool reads) = 0;
    // Hands it to that loop.
    virtual void passTo(std::uint32_t loop, PostgresRequestPointer request) = 0;
    virtual PostgresTraitsPointer traitsOf(const Statement& statement) = 0;

   protected:
    ~Group() = default;
  };

  PostgresLoop(const HostPort& host, const PostgresSetup& setup, Group& group, std::uint32_t index);

  // The first connection, which asks how many there may be.
  void openFirst();
  // The connections that it shall have. THREAD: any.
  void open(const PostgresShare& share);
  // The database is away before anything is known of it. THREAD: any.
  void tellAway();

  // Routes a run, a look, a commit or a rollback.
  void add(PostgresRequestPointer request);
  // The same from another loop. False: it is closed. THREAD: any.
  bool addFromElsewhere(PostgresRequestPointer& request);
  void send();
  void close();

  // THREAD: any.
  bool isUp(bool reads) const;
  bool isConnecting() const;

 private:
  void pipelineUp(PostgresPipeline& pipeline) override;
  void pipelineLost(PostgresPipeline& pipeline, const std::string& why) override;
  void pipelineFailed(PostgresPipeline& pipeline, const std::string& why,
                      std::deque<PostgresRequestPointer> unsent) override;
  void pipelineSettled(PostgresPipeline& pipeline, PostgresRequestPointer request) override;
  void pipelineCleaned(PostgresPipeline&) override {}
  void limitLearned(std::uint32_t most) override { group_.limitLearned(most); }
  bool hasStandIn(const PostgresPipeline&) const override { return group_.isAnyUp(); }
  bool isAnyUp() const override { return group_.isAnyUp(); }
  void lookAgain(const PostgresRequest& request) override;

  void addExclusive(PostgresRequestPointer request);
  void addShared(PostgresRequestPointer request, bool reads);
  void post();
  void takePosted();
  void openShare(const PostgresShare& share);
  void giveBack(std::deque<PostgresRequestPointer> unsent);

  const HostPort& host_;
  const PostgresSetup& setup_;
  Group& group_;
  const std::uint32_t index_;
  PostgresPipeline reader_;
  PostgresPipeline writer_;
  PostgresExclusives exclusives_;
  PreparedStatements<PostgresTraitsPointer> known_;
  bool is_first_ = false;   // its writer is open before the share is known
  bool is_opened_ = false;  // has its share
  std::uint32_t exclusive_loop_;

  std::mutex posted_mutex_;
  std::deque<PostgresRequestPointer> posted_;
  PostgresShare posted_share_;
  bool has_posted_share_ = false;
  bool has_posted_away_ = false;
  bool is_posted_ = false;
  bool is_closed_ = false;
};

}  // namespace sub0::query
