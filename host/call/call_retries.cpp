// SPDX-License-Identifier: Apache-2.0
// The part of Call that does again what failed only for now (S-90): an action, or with a
// transaction all of it, since the database has undone the rest. After a pause that doubles, within
// the deadline of the call.
#include <algorithm>

#include "base/time_units.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"

namespace sub0::call {
namespace {

constexpr std::int64_t kFirstPauseMs = 50;
constexpr std::int64_t kLongestPauseMs = 5'000;

bool isTransient(Code code) {
  return code == Code::kBusy || code == Code::kUnavailable || code == Code::kTimeout ||
         code == Code::kRateLimited;
}

/// Between a half of it and all of it: calls that failed together do not come back together.
std::int64_t withJitter(std::int64_t pause_ms, loop::Io& io) {
  std::uint32_t random = 0;
  io.random(reinterpret_cast<char*>(&random), sizeof random);
  return pause_ms - static_cast<std::int64_t>(random) % (pause_ms / 2);
}

}  // namespace

/// An action or a commit has failed: the call ends with it, or begins to pause.
void Call::failForNow(Error error) {
  const std::uint32_t retries =
      plan_->commit ? plan_->resource->retries : plan_->actions[current_action_].model->retries;
  if (attempt_ >= retries || !isTransient(error.code) || is_abandoned_) {
    fail(std::move(error));
    return;
  }
  const std::int64_t doubled_ms = kFirstPauseMs << std::min(attempt_, 10U);
  const std::int64_t pause_ms =
      withJitter(std::min(doubled_ms, kLongestPauseMs), calls_.loop().io());
  if (pause_ms * kNsPerMs >= deadline_ns_ - calls_.loop().nowNs()) {
    fail(std::move(error));
    return;
  }
  if (plan_->commit) {
    rollBack();
  } else {
    dropHeld();
  }
  ++attempt_;
  is_pausing_ = true;
  is_committing_ = false;
  calls_.loop().startTimer(*this, pause_ms);
  calls_.addWaiting(*this);
}

/// What the failed attempt has broadcast.
void Call::dropHeld() {
  held_last_ = held_before_;
  (held_last_ == nullptr ? held_first_ : held_last_->next) = nullptr;
}

void Call::endPause() {
  is_pausing_ = false;
  if (is_abandoned_) {
    fail(makeError(Code::kUnavailable));
    return;
  }
  if (plan_->commit) {
    number_ = calls_.nextNumber();  // the old one is that of a transaction that is over
    next_step_ = 0;
    std::fill_n(results_, plan_->actions.size(), json::null());
    goOn();
    return;
  }
  repeatAction();
}

}  // namespace sub0::call
