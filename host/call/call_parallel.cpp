// SPDX-License-Identifier: Apache-2.0
// The part of Call whose actions run side by side (S-20): each begins once what it depends on has
// ended. The rest of Call knows one action at a time; so whatever happens to one of them happens in
// its lane: what is kept for the current action is swapped in before and out after.
#include <algorithm>
#include <cassert>
#include <utility>

#include "call/call.hpp"
#include "call/calls.hpp"
#include "dialect/results.hpp"

namespace sub0::call {
namespace {

/// Puts the list `first` … `last` behind another one.
template <typename Node>
void append(Node*& whole_first, Node*& whole_last, Node* first, Node* last) {
  if (first == nullptr) return;
  (whole_last == nullptr ? whole_first : whole_last->next) = first;
  whole_last = last;
}

}  // namespace

/// S-10: first the validation of all `no_op` actions, since all that can begin does.
void Call::beginLanes() {
  const std::size_t count = plan_->actions.size();
  results_ = arena_.array<json::Value>(count);
  std::fill_n(results_, count, json::null());
  for (const PlanStep& step : plan_->steps) {
    if (step.is_validation && validateLate(step.action) == Progress::kEnded) return;
  }
  lanes_.resize(count);
  next_step_ = plan_->steps.size();
  goOnInLanes();
}

/// Begins what can begin, and what can because of that. Steps are in an order in which what is
/// depended on comes first, so that one look is enough.
void Call::goOnInLanes() {
  bool is_running = false;
  for (const PlanStep& step : plan_->steps) {
    Lane& lane = lanes_[step.action];
    if (step.is_validation) continue;
    if (lane.state == Lane::State::kNew && isReady(step.action)) {
      if (startLane(step.action) == Progress::kEnded) return;
    }
    is_running = is_running || lane.state == Lane::State::kRunning;
  }
  if (is_running) {
    if (!isWaiting()) wait();
    return;
  }
  gatherLanes();
  goOn();
}

bool Call::isReady(std::size_t index) const {
  const auto& dependencies = plan_->actions[index].model->depends_on;
  return std::all_of(dependencies.begin(), dependencies.end(), [this](const auto& dependency) {
    return std::all_of(dependency.actions.begin(), dependency.actions.end(),
                       [this](std::size_t i) { return lanes_[i].state == Lane::State::kDone; });
  });
}

Call::Progress Call::startLane(std::size_t index) {
  Lane& lane = lanes_[index];
  enterLane(lane);
  if (trace_) lane.begun_ns = traceNs();
  const Progress progress = startFromLane(index);
  if (progress == Progress::kEnded) return progress;
  lane.extracted = scope_.extracted;
  lane.extracted_count = scope_.extracted_count;
  leaveRun(lane, progress);
  return progress;
}

/// The lane is left with what it has begun, if anything.
void Call::leaveRun(Lane& lane, Progress progress) {
  lane.state = progress == Progress::kOn ? Lane::State::kDone : Lane::State::kRunning;
  lane.inputs = inputs_;
  lane.ticket = std::exchange(ticket_, 0);
  lane.wait = std::exchange(cache_wait_, nullptr);
  if (trace_ && lane.ticket != 0) trace_->dropStep();  // others come before it has ended
  leaveLane(lane);
}

void Call::enterLane(Lane& lane) {
  assert(lane_ == nullptr);
  lane_ = &lane;
  current_action_ = static_cast<std::size_t>(&lane - lanes_.data());
  scope_.extracted = lane.extracted;
  scope_.extracted_count = lane.extracted_count;
  inputs_ = lane.inputs;
  ticket_ = lane.ticket;
  held_first_ = lane.held_first;
  held_last_ = lane.held_last;
  cache_work_ = lane.work_first;
  cache_work_last_ = lane.work_last;
  std::swap(action_use_, lane.use);
}

void Call::leaveLane(Lane& lane) {
  assert(lane_ == &lane);
  lane_ = nullptr;
  ticket_ = 0;
  lane.held_first = std::exchange(held_first_, nullptr);
  lane.held_last = std::exchange(held_last_, nullptr);
  lane.work_first = std::exchange(cache_work_, nullptr);
  lane.work_last = std::exchange(cache_work_last_, nullptr);
  std::swap(action_use_, lane.use);
}

/// The run of one of them has ended.
void Call::settleLane(sub0_ticket ticket) {
  const auto found = std::find_if(lanes_.begin(), lanes_.end(), [ticket](const Lane& lane) {
    return lane.state == Lane::State::kRunning && lane.ticket == ticket;
  });
  assert(found != lanes_.end());
  if (found == lanes_.end()) return;
  enterLane(*found);
  found->ticket = 0;
  if (trace_) {
    const PlanAction& action = plan_->actions[current_action_];
    trace_->beginStep(action, action.run, inputs_, found->begun_ns);
  }
  finishLane(*found, takeResult(current_action_, ticket));
}

/// Another call's result has come for one of them, or it has failed.
void Call::takeCachedInLane(store::CacheWait& wait, const store::CachedPointer& value) {
  const auto found = std::find_if(lanes_.begin(), lanes_.end(),
                                  [&wait](const Lane& lane) { return lane.wait == &wait; });
  if (found == lanes_.end()) return;
  enterLane(*found);
  found->wait = nullptr;
  if (!value) markUse(action_use_);
  finishLane(*found, value ? takeCached(*value) : startUncached());
}

void Call::finishLane(Lane& lane, Progress progress) {
  if (progress == Progress::kEnded) return;  // the call has
  leaveRun(lane, progress);
  if (progress == Progress::kOn) goOnInLanes();
}

/// The end of all, or of the call because of one: what is under way is given up, and what was held
/// is in the order of the actions (S-115).
void Call::gatherLanes() {
  if (lane_ != nullptr) leaveLane(*lane_);
  calls_.removeWaiting(*this);
  stop();
  for (Lane& lane : lanes_) {
    giveUp(lane);
    append(held_first_, held_last_, lane.held_first, lane.held_last);
    append(cache_work_, cache_work_last_, lane.work_first, lane.work_last);
  }
  lanes_.clear();
}

void Call::giveUp(Lane& lane) {
  if (lane.ticket != 0) {
    calls_.tickets().cancel(lane.ticket);
    if (!calls_.tickets().close(lane.ticket)) ++unfreed_;
  }
  if (lane.wait != nullptr) calls_.options().cache->leave(*lane.wait);
  dropFlight(lane.use);
}

/// S-52: the deadline of the call is that of all its actions.
void Call::timeOutLanes() {
  for (Lane& lane : lanes_) {
    if (lane.ticket == 0) continue;
    if (!calls_.tickets().abandon(std::exchange(lane.ticket, 0))) ++unfreed_;
    if (!trace_) continue;
    const PlanAction& action = plan_->actions[static_cast<std::size_t>(&lane - lanes_.data())];
    trace_->beginStep(action, action.run, lane.inputs, lane.begun_ns);
    trace_->endStep(Code::kTimeout, nullptr, traceNs());
  }
  fail(makeError(Code::kTimeout));
}

/// The client has gone: what others wait for goes on.
void Call::cancelLanes() {
  if (resource_use_.flight) return;
  for (const Lane& lane : lanes_) {
    if (lane.ticket != 0 && !lane.use.flight) calls_.tickets().cancel(lane.ticket);
  }
}

/// A message of a run: into its lane.
int32_t Call::broadcastFrom(sub0_ticket ticket, const sub0_broadcast_message& message,
                            std::uint64_t* recipients) {
  const auto found = std::find_if(lanes_.begin(), lanes_.end(),
                                  [ticket](const Lane& lane) { return lane.ticket == ticket; });
  if (lane_ != nullptr || found == lanes_.end()) return broadcast(message, recipients);
  enterLane(*found);
  const int32_t status = broadcast(message, recipients);
  leaveLane(*found);
  return status;
}

}  // namespace sub0::call
