// SPDX-License-Identifier: Apache-2.0
// The part of Call that has passwords hashed and compared (S-95), by the pool of hashes: an action
// with `hashables` waits for its hashes before its inputs are evaluated, one with
// `verify_hashables` for the comparison before anybody sees its result. A call hashes once, however
// often it tries again.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"
#include "call/hashable_faults.hpp"
#include "dialect/results.hpp"

namespace sub0::call {
namespace {

const json::Value* firstRow(const json::Value& result) {
  const json::Value* row = json::isArray(result) ? json::at(result, 0) : &result;
  return row != nullptr && json::isObject(*row) ? row : nullptr;
}

std::vector<std::string> propertiesOf(const std::vector<dialect::Hashable>& hashables) {
  std::vector<std::string> names;
  for (const auto& hashable : hashables) names.push_back(hashable.property);
  return names;
}

}  // namespace

/// Before the action at `index` begins: with a transaction before all of it, since nobody should
/// wait for its rows meanwhile. kOn: all hashes are there.
Call::Progress Call::hashFirst(std::size_t index) {
  if (hashed_ == nullptr) {
    hashed_ = arena_.array<json::Value>(plan_->actions.size());
    std::fill_n(hashed_, plan_->actions.size(), json::null());
  }
  Error error = makeError(Code::kValidationFailed);
  std::vector<HashWork> works;
  works.reserve(plan_->actions[index].hash_count);  // no copy of a password stays behind
  for (const auto& hashable : plan_->actions[index].model->verify_hashables) {
    const json::Value* field = fieldOf(payload_, hashable);
    if (field != nullptr) addHashFault(*field, hashable, true, error.details);
  }
  for (const std::size_t action : plan_->actions[index].hashed_first) {
    if (json::isNull(hashed_[action])) addHashWorks(action, works, error.details);
  }
  if (!error.details.empty()) {
    error.message = error.details.front();
    fail(std::move(error));
    return Progress::kEnded;
  }
  current_action_ = index;
  return works.empty() ? Progress::kOn : askForHashes(std::move(works), false);
}

void Call::addHashWorks(std::size_t action, std::vector<HashWork>& works,
                        std::vector<std::string>& faults) {
  for (const auto& hashable : plan_->actions[action].model->hashables) {
    const json::Value* field = fieldOf(payload_, hashable);
    if (field == nullptr) continue;  // there is no hash of nothing
    const std::size_t before = faults.size();
    addHashFault(*field, hashable, false, faults);
    if (faults.size() > before) continue;
    HashWork& work = works.emplace_back();
    work.cost = auth::costOfNew(algorithmOf(hashable), hashable.rounds_cost);
    work.password = json::chars(*field);
    auth::HashSalt random{};
    calls_.loop().io().random(reinterpret_cast<char*>(random.data()), random.size());
    work.salt = auth::foldSalt(random, hashable.salt);
  }
}

Call::Progress Call::askForHashes(std::vector<HashWork> works, bool is_comparing) {
  hash_job_ = calls_.hashes().submit(*this, std::move(works), peer_);
  is_comparing_ = is_comparing;
  if (hash_job_ != nullptr) return Progress::kWaiting;
  fail(makeError(Code::kBusy));
  return Progress::kEnded;
}

void Call::onHashed(HashJob& job) {
  hash_job_ = nullptr;
  calls_.removeWaiting(*this);
  stop();
  for (const HashWork& work : job.works()) {
    if (work.code == Code::kOk) continue;
    fail(makeError(work.code));
    return;
  }
  if (is_comparing_) {
    takeComparison(job);
  } else {
    takeHashes(job);
    startHashed();
  }
}

/// The payload of each action gets its hashes, in the order of addHashWorks().
void Call::takeHashes(HashJob& job) {
  const auto* work = job.works().data();
  for (const std::size_t action : plan_->actions[current_action_].hashed_first) {
    if (!json::isNull(hashed_[action])) continue;
    auto* members = arena_.array<json::Member>(payload_.count);
    std::copy(payload_.as.members, payload_.as.members + payload_.count, members);
    for (const auto& hashable : plan_->actions[action].model->hashables) {
      if (fieldOf(payload_, hashable) == nullptr) continue;
      const std::string_view hash = arena_.copy(work->hash);
      secrets_ = withSecret(hash, secrets_);
      for (std::uint32_t i = 0; i < payload_.count; ++i) {
        if (json::toText(members[i].key) != hashable.property) continue;
        members[i].value = json::text(hash);
      }
      ++work;
    }
    hashed_[action] = json::object(members, payload_.count);
  }
}

/// What `$PAYLOAD` is for the action: with its hashes, where it has any.
const json::Value* Call::payloadOf(std::size_t index) const {
  const bool is_hashed = hashed_ != nullptr && !json::isNull(hashed_[index]);
  return is_hashed ? &hashed_[index] : &payload_;
}

/// The result of the action is there: the client's word against the first row. Without a row, or
/// with a value that is no hash, the same time is spent.
Call::Progress Call::compare(std::size_t index) {
  const json::Value* row = firstRow(results_[index]);
  std::vector<HashWork> works;
  works.reserve(plan_->actions[index].model->verify_hashables.size());
  for (const auto& hashable : plan_->actions[index].model->verify_hashables) {
    HashWork& work = works.emplace_back();
    work.is_comparison = true;
    work.cost = calls_.hashes().usual(algorithmOf(hashable));
    const json::Value* field = fieldOf(payload_, hashable);
    if (field != nullptr) work.password = json::chars(*field);
    const json::Value* stored = row == nullptr ? nullptr : json::find(*row, hashable.property);
    const std::string_view text =
        stored != nullptr && json::isText(*stored) ? json::chars(*stored) : std::string_view();
    const auto cost = auth::costOfStored(algorithmOf(hashable), text);
    const bool is_known = cost && auth::isAffordable(*cost, calls_.options().max_bcrypt_cost);
    if (is_known) {
      calls_.hashes().setUsual(*cost);
      secrets_ = withSecret(text, secrets_);
      work.cost = *cost;
      if (field != nullptr) work.stored = text;
    } else if (!dialect::hasNoRow(results_[index])) {
      logBadHash(index, hashable, stored == nullptr, cost.has_value());
    }
  }
  return askForHashes(std::move(works), true);
}

void Call::logBadHash(std::size_t index, const dialect::Hashable& hashable, bool is_missing,
                      bool is_too_costly) const {
  if (!calls_.mayLog(*plan_)) return;
  const auto& action = plan_->actions[index];
  const char* what = is_missing      ? "the row has no such column"
                     : is_too_costly ? "the stored hash would take too long to compare"
                                     : "the stored value is no hash of this algorithm";
  const bool is_bcrypt = hashable.algorithm == dialect::HashAlgorithm::kBcrypt;
  log::warning("bad_hash", what,
               {{"property", hashable.property},
                {"algorithm", is_bcrypt ? "BCRYPT" : "ARGON2"},
                {"resource", plan_->homeOf(action).id},
                {"action", action.model->id}});
}

void Call::takeComparison(HashJob& job) {
  auto& result = results_[current_action_];
  if (!dialect::hasNoRow(result)) {
    const auto& works = job.works();
    const bool all_match =
        std::all_of(works.begin(), works.end(), [](const HashWork& work) { return work.is_match; });
    if (!all_match) {
      fail(makeError(Code::kHashMismatch));
      return;
    }
    const auto& hashables = plan_->actions[current_action_].model->verify_hashables;
    result =
        dialect::dropMembers(withoutStored(result, hashables), propertiesOf(hashables), arena_);
  }
  finishCompared();
}

/// What may leave the call of an action's result: a new hash stays inside.
json::Value Call::dropHashes(std::size_t index) {
  const json::Value result = leaving(results_[index]);
  const auto& hashables = plan_->actions[index].model->hashables;
  if (hashables.empty()) return result;
  return dialect::dropMembers(result, propertiesOf(hashables), arena_);
}

/// At the deadline, or when the client has gone.
void Call::leaveHashes() {
  calls_.hashes().abandon(*std::exchange(hash_job_, nullptr));
  fail(makeError(is_abandoned_ ? Code::kUnavailable : Code::kTimeout));
}

/// The hashes that the action has waited for are there.
void Call::startHashed() {
  const Progress progress = startFromLane(current_action_);
  if (progress == Progress::kOn) goOn();
  if (progress == Progress::kWaiting) wait();
}

/// So is the comparison of its result.
void Call::finishCompared() {
  if (finishCached() == Progress::kOn) goOn();
}

}  // namespace sub0::call
