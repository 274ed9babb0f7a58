// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "call/cache_use.hpp"
#include "call/hashes.hpp"
#include "call/lane.hpp"
#include "call/plan.hpp"
#include "call/request.hpp"
#include "call/trace.hpp"
#include "call/waiting_calls.hpp"
#include "dialect/scope.hpp"
#include "loop/loop.hpp"
#include "plugin/ticket_table.hpp"
#include "sub0/broadcast.h"

namespace sub0::call {

class Calls;
struct ResourceCounts;
struct FollowedPlans;

/// What a call holds back until it has ended, in the order of its actions (S-115, S-116): an effect
/// that is to run, or a message that a mode sent. Everything lives in the call's arena.
struct Held {
  const PlanAction* action = nullptr;    // of the effect
  const PreparedStep* effect = nullptr;  // null: `message`
  const json::Value* inputs = nullptr;
  Broadcast message;
  bool is_background = false;                      // `effect` is the action itself
  const dialect::NamedValue* extracted = nullptr;  // at its place, for its own effects
  std::size_t extracted_count = 0;
  Held* next = nullptr;
};

/// The life of one call: gates, then the actions of its plan one after another, then the reply,
/// then what was held back. A small state machine: it goes on at once while runs end within `run`,
/// and in onSettled() otherwise; no recursion. Reused: all its memory is an arena that is reset.
/// THREAD: its loop's. OWNERSHIP: Calls'. It outlives its reply for as long as a plugin may still
/// use its inputs. Knows no transport.
class Call final : public plugin::RunOwner,
                   public WaitingCall,
                   private HashWaiter,
                   private loop::Timer,
                   private store::CacheListener {
 public:
  explicit Call(Calls& calls);
  ~Call() override;

  /// Runs the gates and starts the actions. The reply is delivered once, in here or later.
  void start(const Plan& plan, const Request& request);

  /// sub0.broadcast/1 of one of its runs: held until the end, or sent at once by an effect.
  int32_t broadcast(const sub0_broadcast_message& message, std::uint64_t* recipients);

  /// The same of a call whose actions run side by side.
  int32_t broadcastFrom(sub0_ticket ticket, const sub0_broadcast_message& message,
                        std::uint64_t* recipients);

  /// The client has gone: the plugin that is waited for is told; nothing else changes.
  void cancel();

  std::uint64_t connection() const { return sender_.connection; }

  void onSettled(sub0_ticket ticket) override;
  void onFreed(sub0_ticket ticket) override;

  // For Calls: its lists, and what keeps plan_ alive.
  FollowedPlans* followed = nullptr;
  Call* next_free = nullptr;

 private:
  void takeIn(const Request& request);
  void copyHeaders(std::span<const HeaderField> headers);
  // False: refusal_ says why.
  bool passGates(const Request& request);
  bool passGuarded(const Request& request);
  bool passRateLimit();
  std::string_view networkOf(std::string_view ip);
  bool verifyToken(const Request& request);
  bool takePayload(const Request& request);
  bool takeGuardedPayload(const Request& request);
  bool takeForm(const Request& request);
  bool validateAll();
  bool refuse(Error error);
  bool reserveInput();
  void releaseInput();
  json::Value withUid(const json::Value& payload);
  json::Value withQuery(const json::Value& payload, std::span<const HeaderField> query);

  void beginActions();
  void advance();
  void goOn();  // the same, from elsewhere
  void goOnWithActions();
  enum class Progress : std::uint8_t { kOn, kWaiting, kEnded };
  Progress takeStep(const PlanStep& step);
  Progress validateLate(std::size_t index);
  Progress startAction(std::size_t index);
  Progress runAction();
  Progress evaluateAndRun();
  Progress takeResult(std::size_t index, sub0_ticket ticket);
  Progress finishResult(std::size_t index);
  Progress finishCached();
  Progress skip(std::size_t index);
  void holdEffects(const PlanAction& action, const json::Value& result);
  json::Value expandRaw(const json::Value& value);
  const json::Value* evaluate(const PreparedStep& step, std::size_t reserved);
  plugin::RunState run(const PreparedStep& step, const json::Value* inputs, std::size_t count);
  std::int64_t traceNs() const;
  bool closeRun();

  // What the cache knows, or is to know (call_cache.cpp).
  store::CachedPointer lookUp(const CachePlan& plan, CacheUse& use);
  bool beginSpecially();
  bool passBehindCache();
  void answerCached(const store::CachedValue& cached);
  Progress startCached(std::size_t index);
  Progress startUncached();
  Progress takeCached(const store::CachedValue& cached);
  void onCached(store::CacheWait& wait, store::CachedPointer value) override;
  void markUse(CacheUse& use);
  void leaveCache();
  bool endOtherWait();
  bool noteInvalidations(const CachePlan& plan);
  bool noteInvalidationsOf(const json::Value& list, std::size_t& left);
  void noteInvalidation(std::string_view name);
  Error tooManyNames() const;
  CacheWork& addCacheWork();
  void keepResult(std::size_t index);
  void settleUse(CacheUse& use, const json::Value& result);
  void doCacheWork();
  void dropLate();
  void dropBehindBackground();
  void dropCacheWork();
  void settleCaches();
  void invalidateOwn();
  void undo();
  void dropFlights();
  void dropFlight(CacheUse& use);
  void endSpecially();
  bool leadsFlight() const { return resource_use_.flight || action_use_.flight; }
  std::string_view textOf(const json::Value& value);
  char* keyOf(char kind, std::string_view name);

  // Actions side by side (call_parallel.cpp).
  void beginLanes();
  void goOnInLanes();
  bool isReady(std::size_t index) const;
  Progress startLane(std::size_t index);
  Progress startFromLane(std::size_t index);
  void leaveRun(Lane& lane, Progress progress);
  void enterLane(Lane& lane);
  void leaveLane(Lane& lane);
  void settleLane(sub0_ticket ticket);
  void takeCachedInLane(store::CacheWait& wait, const store::CachedPointer& value);
  void finishLane(Lane& lane, Progress progress);
  void gatherLanes();
  void giveUp(Lane& lane);
  void timeOutLanes();
  void cancelLanes();

  // What is done again (call_retries.cpp).
  void failForNow(Error error);
  void dropHeld();
  void endPause();
  void repeatAction();

  // Passwords (call_hashes.cpp).
  Progress hashFirst(std::size_t index);
  void addHashWorks(std::size_t action, std::vector<HashWork>& works,
                    std::vector<std::string>& faults);
  Progress askForHashes(std::vector<HashWork> works, bool is_comparing);
  void onHashed(HashJob& job) override;
  void takeHashes(HashJob& job);
  const json::Value* payloadOf(std::size_t index) const;
  Progress compare(std::size_t index);
  void logBadHash(std::size_t index, const dialect::Hashable& hashable, bool is_missing,
                  bool is_too_costly) const;
  void takeComparison(HashJob& job);
  void startHashed();
  void finishCompared();
  json::Value withoutHashes(std::size_t index) {
    return plan_->has_hashes ? dropHashes(index) : results_[index];
  }
  json::Value dropHashes(std::size_t index);
  void leaveHashes();

  // What must not leave (call_secrets.cpp).
  struct Secret;
  const Secret* withSecret(std::string_view hash, const Secret* others);
  static bool holds(std::string_view text, const Secret* secrets);
  static bool isSecret(const json::Value& value, const Secret* secrets);
  json::Value without(const json::Value& value, const Secret* secrets);
  json::Value leaving(const json::Value& value);
  json::Value withoutStored(const json::Value& row,
                            const std::vector<dialect::Hashable>& hashables);
  void send(const Broadcast& broadcast);
  static auth::HashAlgorithm algorithmOf(const dialect::Hashable& hashable) {
    return hashable.algorithm == dialect::HashAlgorithm::kArgon2 ? auth::HashAlgorithm::kArgon2
                                                                 : auth::HashAlgorithm::kBcrypt;
  }

  // What comes behind the reply (call_background.cpp).
  bool accept();
  bool enterBackground();
  void leaveBackground();
  void holdBackground(const PlanAction& action, const json::Value* inputs);
  void takeBackground(const Held& held, const plugin::Outcome& outcome);
  void endBackground(const Error& error);
  void logEffect(const plugin::Outcome& outcome) const;
  void logBackground(const Error& error) const;

  // Tokens that are refused from now on (call_revocation.cpp).
  struct Revoked;
  bool takeTokens();
  void takeToken(std::string_view token);
  void finish();
  void revokeNext();
  void takeRevocation();
  void giveUpRevocation();

  // The end of a transaction (call_commit.cpp).
  bool isOfTransaction(const PreparedStep& step) const;
  void commit();
  void takeCommit();
  void rollBack();

  Result<json::Value> result();
  Error fault(const plugin::Outcome& outcome, const PlanAction& action) const;
  void failToIssue(Error error);
  void succeed();
  void answer();
  void fail(Error error);
  void deliver(Reply& reply);
  void releaseHeld();
  const Held* nextHeld();
  void finishEffect();
  void wait();
  void endIfOver();
  void onTimer() override;

  bool resolveRecipients(const sub0_broadcast_message& message, Broadcast& broadcast);
  bool appendUid(const json::Value& value, std::string_view& uid);
  std::string_view actionLabel(std::string_view action_json);

  Calls& calls_;
  Arena arena_;
  std::size_t reserved_bytes_ = 0;      // of the budget for input
  const std::unique_ptr<Trace> trace_;  // null: not wanted
  const Plan* plan_ = nullptr;
  ResourceCounts* counts_ = nullptr;  // of its resource
  Sender sender_;
  ReplyPort* reply_port_ = nullptr;
  std::string_view action_json_, id_json_, uid_, label_;
  std::span<const HeaderField> headers_;
  dialect::Scope scope_;
  dialect::GeneratedValues generated_;
  json::Value payload_{}, claims_{};
  std::span<const std::string_view>
      from_text_;             // payload fields that came as text: of a form or query
  bool raw_payload_ = false;  // scope_.payload_json is the payload as it counts
  bool is_read_only_ = false;

  Error refusal_;
  json::Value* results_ = nullptr;  // of the actions, before their returnables
  std::size_t next_step_ = 0;
  std::size_t current_action_ = 0;
  const json::Value* inputs_ = nullptr;  // of the current action
  std::uint32_t attempt_ = 0;            // how many have failed, of it or of the transaction
  sub0_ticket ticket_ = 0;               // of the run that is waited for
  Held* held_first_ = nullptr;
  Held* held_last_ = nullptr;
  Held* held_before_ = nullptr;  // the last of those before the current action
  Held* background_first_ = nullptr;
  Held* background_last_ = nullptr;
  const Held* current_held_ = nullptr;
  Revoked* revoked_ = nullptr;  // what the call revokes
  std::size_t revoked_count_ = 0;
  std::size_t revoked_next_ = 0;
  json::Value* hashed_ = nullptr;    // of each action: the payload with its hashes; null: none yet
  const Secret* secrets_ = nullptr;  // the hashes that were made or compared
  HashJob* hash_job_ = nullptr;      // that is waited for
  AddressKey peer_ = 0;              // whom the hashes are for
  bool is_comparing_ = false;
  CacheUse resource_use_, action_use_;      // the latter of the current action
  store::CacheWait* cache_wait_ = nullptr;  // another call's result is waited for
  CacheWork* cache_work_ = nullptr;         // in the arena
  CacheWork* cache_work_last_ = nullptr;
  CacheWork* late_work_ = nullptr;  // dropped once more when a run that was given up is freed
  std::vector<Lane> lanes_;  // of the actions, where they run side by side, until all have ended
  Lane* lane_ = nullptr;     // whose turn it is
  int retry_after_s_ = 1;
  std::uint32_t unfreed_ = 0;  // runs whose inputs a plugin may still use
  std::uint64_t number_ = 0;
  std::int64_t start_ns_ = 0;
  std::int64_t deadline_ns_ = 0;
  json::Value data_{};            // of the reply, once all actions have succeeded
  bool has_transaction_ = false;  // a run of it has begun: it is to be committed or rolled back
  bool is_committing_ = false;
  bool is_revoking_ = false;
  bool is_pausing_ = false;    // before the next attempt
  bool is_abandoned_ = false;  // the client has gone
  bool in_background_ = false;
  bool has_replied_ = false;
  bool is_followed_ = false;  // the reply said that effects come behind it
  bool is_sending_ = false;   // what was held is going out
  bool is_over_ = false;      // replied, and nothing is held any more
  bool is_in_use_ = false;
};

}  // namespace sub0::call
