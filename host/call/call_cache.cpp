// SPDX-License-Identifier: Apache-2.0
// The part of Call that asks the cache before it works, and gives it what it has worked out
// (S-93): the result of the call, or of one action. Who asks for what another call is working out
// waits for that one; where that fails, those that waited work for themselves.
#include <algorithm>
#include <string>
#include <utility>

#include "call/call.hpp"
#include "call/calls.hpp"
#include "call/hashable_faults.hpp"

namespace sub0::call {
namespace {

constexpr std::size_t kLongestKey = 4096;  // a longer one is none

// One name, two results: that of an action is whole, that of a resource is trimmed for its callers.
constexpr char kOfAction = 'a';
constexpr char kOfResource = 'r';

bool isName(std::string_view name) { return !name.empty() && name.size() <= kLongestKey; }

/// Both results of each name, and what was not to be kept after all.
void eraseAll(store::Cache& cache, const CacheWork* first) {
  for (const CacheWork* work = first; work != nullptr; work = work->next) {
    if (work->kind == nullptr) {
      if (work->result == nullptr) cache.erase(work->key);
      continue;
    }
    for (const char kind : {kOfAction, kOfResource}) {
      *work->kind = kind;
      cache.erase(work->key);
    }
  }
}

}  // namespace

Call::~Call() {
  leaveCache();
  dropFlights();
  for (Lane& lane : lanes_) {
    if (lane.wait != nullptr) calls_.options().cache->leave(*lane.wait);
    dropFlight(lane.use);
  }
}

/// Null: nothing was found, and `use` says what is owed to the cache. cache_wait_: it is waited
/// for.
store::CachedPointer Call::lookUp(const CachePlan& plan, CacheUse& use) {
  store::Cache* const cache = calls_.options().cache;
  use.plan = nullptr;  // one is left where a transaction is done again
  if (cache == nullptr || !plan.key) return nullptr;
  const std::string_view name = textOf(plan.key->evaluate(scope_, arena_));
  if (!isName(name)) return nullptr;
  use.plan = &plan;
  use.key = {keyOf(&use == &resource_use_ ? kOfResource : kOfAction, name), name.size() + 1};
  const std::string_view key = use.key;
  const std::int64_t now_ns = calls_.loop().nowNs();
  // Who holds locks of a database waits for nobody that may wait for these.
  if (!plan.reads || plan_->commit) {
    use.mark = cache->mark(key);
    return plan.reads ? cache->look(key, now_ns) : nullptr;
  }
  auto found = cache->find(key, now_ns, *this, calls_.loop());
  use.flight = std::move(found.flight);
  cache_wait_ = found.wait;
  return std::move(found.value);
}

/// S-10: behind the token, before any validation. False: what is to be done is done, or waits.
bool Call::beginSpecially() {
  if (plan_->cache && plan_->cache->key) {
    if (const auto cached = lookUp(*plan_->cache, resource_use_)) {
      answerCached(*cached);
      return false;
    }
    if (cache_wait_ != nullptr) {
      wait();
      return false;
    }
  }
  if (!passBehindCache()) return false;
  if (!plan_->is_parallel) return true;
  beginLanes();
  return false;
}

bool Call::passBehindCache() {
  // Before anything is done: at the end it would be too late to refuse the call.
  if (plan_->drops_many) {
    const bool is_within = noteInvalidations(*plan_->cache);
    dropCacheWork();
    if (!is_within) {
      fail(tooManyNames());
      return false;
    }
  }
  if (plan_->validates_behind_cache && !validateAll()) {
    fail(std::exchange(refusal_, Error()));
    return false;
  }
  if (!plan_->resource->run_in_background) return true;
  if (plan_->has_hashes) {  // behind `Accepted` nobody would hear of it
    Error error = makeError(Code::kValidationFailed);
    addHashFaults(*plan_, payload_, error.details);
    if (!error.details.empty()) {
      error.message = error.details.front();
      fail(std::move(error));
      return false;
    }
  }
  return accept();
}

/// `cached` need not live on: the reply is written when it is delivered.
void Call::answerCached(const store::CachedValue& cached) {
  resource_use_.plan = nullptr;
  data_ = cached.value();
  answer();
}

/// An action whose result may be there already.
Call::Progress Call::startCached(std::size_t index) {
  const PlanAction& action = plan_->actions[index];
  current_action_ = index;
  held_before_ = held_last_;
  if (const auto cached = lookUp(*action.cache, action_use_)) return takeCached(*cached);
  return cache_wait_ != nullptr ? Progress::kWaiting : startUncached();
}

Call::Progress Call::startUncached() {
  if (!noteInvalidations(*plan_->actions[current_action_].cache)) {
    fail(tooManyNames());
    return Progress::kEnded;
  }
  return evaluateAndRun();
}

/// The result of a run that there was before: what follows one is done as ever.
Call::Progress Call::takeCached(const store::CachedValue& cached) {
  const PlanAction& action = plan_->actions[current_action_];
  action_use_.plan = nullptr;
  if (trace_) trace_->cached(action);
  json::Value& result = results_[current_action_] = json::copy(cached.value(), arena_);
  const bool is_read = action.is_extracted || action.model->result_is_read;
  if (is_read) result = expandRaw(result);  // whoever kept it may not have read it
  return finishCached();
}

/// Another call's result has come, or it has failed.
void Call::onCached(store::CacheWait& wait, store::CachedPointer value) {
  if (&wait != cache_wait_) {
    takeCachedInLane(wait, value);
    return;
  }
  cache_wait_ = nullptr;
  calls_.removeWaiting(*this);
  stop();
  if (next_step_ == 0) {  // no action has begun
    if (value) {
      answerCached(*value);
    } else if (markUse(resource_use_); passBehindCache()) {
      goOnWithActions();
    }
    return;
  }
  if (!value) markUse(action_use_);
  const Progress progress = value ? takeCached(*value) : startUncached();
  if (progress == Progress::kOn) goOn();
  if (progress == Progress::kWaiting) this->wait();
}

void Call::markUse(CacheUse& use) { use.mark = calls_.options().cache->mark(use.key); }

void Call::leaveCache() {
  if (cache_wait_ == nullptr) return;
  calls_.options().cache->leave(*std::exchange(cache_wait_, nullptr));
}

/// The deadline of a call that does not wait for one run. False: it does.
bool Call::endOtherWait() {
  if (hash_job_ != nullptr) {
    leaveHashes();
  } else if (cache_wait_ != nullptr) {
    leaveCache();
    fail(makeError(is_abandoned_ ? Code::kUnavailable : Code::kTimeout));
  } else if (!lanes_.empty()) {
    timeOutLanes();
  } else {
    return false;
  }
  return true;
}

/// S-93: of a string its one name, of an array all of its items. False: these are too many.
bool Call::noteInvalidations(const CachePlan& plan) {
  std::size_t left = calls_.options().max_bulk_uids;
  for (const auto& name : plan.invalidations) {
    const json::Value value = name.evaluate(scope_, arena_);
    if (!json::isArray(value)) {
      noteInvalidation(textOf(value));
    } else if (!noteInvalidationsOf(value, left)) {
      return false;
    }
  }
  return true;
}

/// Of equal names one. `left`: how many more there may be.
bool Call::noteInvalidationsOf(const json::Value& list, std::size_t& left) {
  auto* const names = arena_.array<std::string_view>(list.count);
  std::string_view* end = names;
  for (std::uint32_t i = 0; i < list.count; ++i) {
    *end = textOf(list.as.items[i]);
    if (isName(*end)) ++end;
  }
  std::sort(names, end);
  end = std::unique(names, end);
  const auto count = static_cast<std::size_t>(end - names);
  if (count > left) return false;
  left -= count;
  for (const auto* name = names; name != end; ++name) noteInvalidation(*name);
  return true;
}

void Call::noteInvalidation(std::string_view name) {
  if (!isName(name)) return;
  CacheWork& work = addCacheWork();
  work.kind = keyOf(kOfAction, name);
  work.key = {work.kind, name.size() + 1};
}

Error Call::tooManyNames() const {
  return makeError(Code::kLimitExceeded, "invalidate_cache_keys: at most " +
                                             std::to_string(calls_.options().max_bulk_uids) +
                                             " names at once (setting SUB0_BULK_LIMIT)");
}

char* Call::keyOf(char kind, std::string_view name) {
  char* key = arena_.array<char>(name.size() + 1);
  *key = kind;
  std::copy(name.begin(), name.end(), key + 1);
  return key;
}

CacheWork& Call::addCacheWork() {
  auto* work = arena_.make<CacheWork>();
  (cache_work_last_ != nullptr ? cache_work_last_->next : cache_work_) = work;
  return *(cache_work_last_ = work);
}

/// An action has its result: before anybody hears of it, no cache knows an older one.
void Call::keepResult(std::size_t index) {
  const json::Value& result = results_[index];
  if (plan_->commit) {
    if (action_use_.plan == nullptr) return;
    CacheWork& work = addCacheWork();
    work.key = action_use_.key;
    work.result = &result;
    work.duration_ns = action_use_.plan->duration_ns;
    work.mark = action_use_.mark;
    action_use_.plan = nullptr;
    return;
  }
  settleUse(action_use_, result);
  doCacheWork();
}

void Call::settleUse(CacheUse& use, const json::Value& result) {
  if (use.plan == nullptr) return;
  store::Cache& cache = *calls_.options().cache;
  auto value = store::CachedValue::make(leaving(result));
  const std::int64_t until_ns = calls_.loop().nowNs() + use.plan->duration_ns;
  if (use.flight) {
    cache.land(std::move(use.flight), std::move(value), until_ns);
  } else {
    cache.put(use.key, std::move(value), until_ns, use.mark);
  }
  use.plan = nullptr;
}

/// What is kept first: a key that the same call drops is gone.
void Call::doCacheWork() {
  store::Cache* const cache = calls_.options().cache;
  if (cache == nullptr || cache_work_ == nullptr) {
    dropCacheWork();
    return;
  }
  for (const CacheWork* work = cache_work_; work != nullptr; work = work->next) {
    if (work->result == nullptr) continue;
    cache->put(work->key, store::CachedValue::make(leaving(*work->result)),
               calls_.loop().nowNs() + work->duration_ns, work->mark);
  }
  eraseAll(*cache, cache_work_);
  if (unfreed_ > 0) {
    cache_work_last_->next = late_work_;
    late_work_ = cache_work_;
  }
  dropCacheWork();
}

/// A run that was given up has ended: it may have written since its keys were dropped.
void Call::dropLate() {
  store::Cache* const cache = calls_.options().cache;
  if (cache != nullptr) eraseAll(*cache, late_work_);
  if (unfreed_ == 0) late_work_ = nullptr;
}

/// The same of an action that runs behind the reply, and behind what was dropped before it.
void Call::dropBehindBackground() {
  if (plan_->cache && background_first_ == nullptr) invalidateOwn();
}

void Call::dropCacheWork() { cache_work_ = cache_work_last_ = nullptr; }

/// Before the reply, behind a commit.
void Call::settleCaches() {
  settleUse(resource_use_, data_);
  invalidateOwn();
}

void Call::invalidateOwn() {
  scope_.extracted_count = 0;
  if (plan_->cache) noteInvalidations(*plan_->cache);
  doCacheWork();
}

/// Without a transaction what was done stays (S-22), and what failed may have been done all the
/// same: whatever it would have changed is dropped from the cache.
void Call::undo() {
  if (!lanes_.empty()) gatherLanes();
  const bool may_last = !plan_->commit || is_committing_;
  if (may_last && next_step_ > 0) {
    for (CacheWork* work = cache_work_; work != nullptr; work = work->next) work->result = nullptr;
    invalidateOwn();
  }
  if (plan_->resource->transaction && !is_revoking_) rollBack();
  dropFlights();
}

/// Those that wait are told that nothing comes.
void Call::dropFlights() {
  dropFlight(resource_use_);
  dropFlight(action_use_);
}

void Call::dropFlight(CacheUse& use) {
  use.plan = nullptr;
  if (use.flight) calls_.options().cache->land(std::move(use.flight), nullptr, 0);
}

void Call::endSpecially() {
  if (has_transaction_) {
    commit();
    return;
  }
  settleCaches();
  finish();
}

}  // namespace sub0::call
