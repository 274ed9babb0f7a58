// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "auth/revoked_tokens.hpp"
#include "base/budget.hpp"
#include "call/call.hpp"
#include "call/call_counts.hpp"
#include "call/hashes.hpp"
#include "call/plan_set.hpp"
#include "call/request.hpp"
#include "call/waiting_calls.hpp"
#include "dialect/generators.hpp"
#include "json/parser.hpp"
#include "plugin/host_table.hpp"
#include "plugin/ticket_table.hpp"
#include "store/cache.hpp"
#include "store/rate_limits.hpp"

namespace sub0::call {

struct Options {
  std::int64_t deadline_ms = 30'000;                // of a call, from its start
  std::size_t max_bulk_uids = 10'000;               // uids of one BULK broadcast
  std::string allow_without_get = "POST, OPTIONS";  // the Allow header where a GET is refused
  bool trace = false;                               // a log line for each call
  std::int64_t token_leeway_s = 0;                  // for clocks that differ
  auth::RevokedTokens* revoked_tokens = nullptr;    // of all loops (S-74); null: none is revoked
  loop::Pool* hash_pool = nullptr;                  // of passwords (S-95); null: none are hashed
  std::uint32_t max_bcrypt_cost = 31;               // of stored hashes that are compared
  store::Cache* cache = nullptr;                    // shared by all loops; null: nothing is kept
  store::RateLimits* rate_limits = nullptr;         // likewise; null: nobody is limited
  Budget* input_budget = nullptr;  // of payloads, likewise; null: they may take what they need
};

/// A plan set and how many calls of this loop follow it; counted here, since a count that all loops
/// share would cost every call.
struct FollowedPlans {
  std::shared_ptr<const PlanSet> plans;
  std::size_t call_count = 0;
};

/// All calls of one loop: the entry for transports, and the sink for broadcasts of plugins. Keeps
/// ended Call objects for reuse. THREAD: the loop's.
class Calls final : public Dispatcher, public plugin::BroadcastSink {
 public:
  /// OWNERSHIP: all references outlive this.
  Calls(loop::Loop& loop, plugin::TicketTable& tickets, BroadcastPort& broadcasts,
        std::shared_ptr<const PlanSet> plans, Options options);
  ~Calls();

  /// Calls that begin from now on follow `plans`; those under way end on the set that they began
  /// with, which is held until then.
  void setPlans(std::shared_ptr<const PlanSet> plans);

  void dispatch(const Request& request) override;
  void abandon(std::uint64_t connection) override;
  int32_t send(sub0_ticket ticket, const sub0_broadcast_message& message,
               std::uint64_t* recipients) override;

  /// Calls that have not ended, those that were answered at their deadline included.
  std::size_t openCount() const { return counts_.under_way.get(); }
  /// THREAD: any.
  const CallCounts& counts() const { return counts_; }

  // For Call.
  loop::Loop& loop() { return loop_; }
  plugin::TicketTable& tickets() { return tickets_; }
  BroadcastPort& broadcasts() { return broadcasts_; }
  json::Parser& parser() { return parser_; }
  ResourceCounts& countsOf(const Plan& plan) { return counts_.of(plan.index); }
  Hashes& hashes() { return hashes_; }
  Count& inBackground() { return counts_.in_background; }
  const Options& options() const { return options_; }
  dialect::GeneratorState& generatorState() { return generator_state_; }
  std::uint64_t nextNumber() {
    return static_cast<std::uint64_t>(loop_.index()) << 48 | ++last_number_;
  }
  void addWaiting(Call& call) { waiting_.add(call, call.connection()); }
  void removeWaiting(Call& call) { waiting_.remove(call); }
  void recycle(Call& call);
  /// At most ten lines a second about what calls cause, and for some more resources the first of
  /// each, so that none hides another's. Tells how many it has left out.
  bool mayLog(const Plan& plan);

 private:
  Call& take();
  void forget(const FollowedPlans& followed);

  loop::Loop& loop_;
  plugin::TicketTable& tickets_;
  BroadcastPort& broadcasts_;
  std::list<FollowedPlans> followed_;  // the last one serves; the others have calls under way
  const Options options_;
  json::Parser parser_;
  std::vector<std::unique_ptr<Call>> calls_;
  Call* free_ = nullptr;
  WaitingCalls waiting_;
  CallCounts counts_;
  Hashes hashes_;  // gone before the calls that wait for it
  dialect::GeneratorState generator_state_;
  std::uint64_t last_number_ = 0;
  std::int64_t log_second_ = 0;
  std::vector<const dialect::Resource*> logged_;  // in that second; only compared
  std::uint64_t unlogged_ = 0;
};

/// Answers a request that became no call.
void refuse(const Request& request, const Error& error, std::string_view allow = {});

}  // namespace sub0::call
