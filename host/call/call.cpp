// SPDX-License-Identifier: Apache-2.0
#include "call/call.hpp"

#include <cassert>
#include <utility>

#include "base/log.hpp"
#include "base/time_units.hpp"
#include "call/calls.hpp"
#include "dialect/results.hpp"

namespace sub0::call {
namespace {

/// What a call may keep of its request without being counted.
constexpr std::size_t kFreeInputBytes = std::size_t{16} << 10;

/// No row: what must_return_value refuses.
bool isNoValue(const json::Value& result) { return dialect::hasNoRow(result); }

}  // namespace

void Call::start(const Plan& plan, const Request& request) {
  assert(!is_in_use_);
  is_in_use_ = true;
  plan_ = &plan;
  counts_ = &calls_.countsOf(plan);
  number_ = calls_.nextNumber();
  start_ns_ = calls_.loop().nowNs();
  deadline_ns_ = start_ns_ + calls_.options().deadline_ms * kNsPerMs;
  if (trace_) trace_->begin(request, traceNs());
  takeIn(request);
  if (!passGates(request)) {
    fail(std::exchange(refusal_, Error()));
    return;
  }
  if (arena_.capacity() > kFreeInputBytes && !reserveInput()) {
    fail(std::exchange(refusal_, Error()));
    return;
  }
  if (plan.begins_specially && !beginSpecially()) return;
  beginActions();
}

inline void Call::beginActions() {
  const std::size_t count = plan_->actions.size();
  results_ = arena_.array<json::Value>(count);
  for (std::size_t index = 0; index < count; ++index) results_[index] = json::null();
  advance();
}

inline void Call::advance() {
  while (next_step_ < plan_->steps.size()) {
    const PlanStep& step = plan_->steps[next_step_++];
    switch (takeStep(step)) {
      case Progress::kOn:
        break;
      case Progress::kWaiting:
        wait();
        return;
      case Progress::kEnded:
        return;
    }
  }
  succeed();
}

void Call::goOn() { advance(); }

/// Behind a wait for the cache.
void Call::goOnWithActions() {
  if (plan_->is_parallel) {
    beginLanes();
  } else {
    beginActions();
  }
}

void Call::repeatAction() {
  const Progress progress = runAction();
  if (progress == Progress::kOn) advance();
  if (progress == Progress::kWaiting) wait();
}

[[gnu::always_inline]] inline Call::Progress Call::takeStep(const PlanStep& step) {
  return step.is_validation ? validateLate(step.action) : startAction(step.action);
}

/// S-10: the validation of a `no_op` action is done before its dependencies, when it is its turn.
Call::Progress Call::validateLate(std::size_t index) {
  Error error = makeError(Code::kValidationFailed);
  const auto& validation = plan_->actions[index].model->validation;
  if (validation.validate(payload_, from_text_, error.details)) return Progress::kOn;
  error.message = error.details.front();
  fail(std::move(error));
  return Progress::kEnded;
}

// Nearly every call comes here from takeStep(): the others have a copy of their own.
[[gnu::always_inline]] inline Call::Progress Call::startAction(std::size_t index) {
  const PlanAction& action = plan_->actions[index];
  std::size_t extracted_count = 0;
  for (const auto& dependency : action.model->depends_on) {
    extracted_count += dependency.extractions.size();
  }
  auto* extracted = arena_.array<dialect::NamedValue>(extracted_count);
  scope_.extracted = extracted;
  scope_.extracted_count = extracted_count;
  for (const auto& dependency : action.model->depends_on) {
    if (!dialect::extract(dependency, results_, extracted)) return skip(index);
    extracted += dependency.extractions.size();
  }
  if (action.has_hashes) {
    const Progress progress = hashFirst(index);
    if (progress != Progress::kOn) return progress;
  }
  if (plan_->has_hashes) scope_.payload = payloadOf(index);
  if (action.starts_specially) {
    if (action.cache) return startCached(index);
    holdBackground(action, evaluate(action.run, 0));
    return Progress::kOn;
  }
  current_action_ = index;
  held_before_ = held_last_;
  inputs_ = evaluate(action.run, 0);
  return runAction();
}

Call::Progress Call::startFromLane(std::size_t index) { return startAction(index); }

/// The same for the current action, from elsewhere.
Call::Progress Call::evaluateAndRun() {
  inputs_ = evaluate(plan_->actions[current_action_].run, 0);
  return runAction();
}

inline Call::Progress Call::runAction() {
  const PlanAction& action = plan_->actions[current_action_];
  if (trace_) trace_->beginStep(action, action.run, inputs_, traceNs());
  if (run(action.run, inputs_, action.run.inputs.size()) == plugin::RunState::kPending) {
    return Progress::kWaiting;
  }
  return takeResult(current_action_, ticket_);
}

/// S-87: what it depends on has no row.
Call::Progress Call::skip(std::size_t index) {
  if (trace_) trace_->skip(plan_->actions[index]);
  if (!plan_->actions[index].model->must_return_value) return Progress::kOn;
  fail(makeError(Code::kNoValue));
  return Progress::kEnded;
}

inline const json::Value* Call::evaluate(const PreparedStep& step, std::size_t reserved) {
  auto* inputs = arena_.array<json::Value>(reserved + step.inputs.size());
  json::Value* input = inputs + reserved;
  for (const auto& parameter : step.inputs) {
    *input++ = parameter.evaluate(scope_, arena_, step.allows_raw && raw_payload_);
  }
  return inputs;
}

plugin::RunState Call::run(const PreparedStep& step, const json::Value* inputs, std::size_t count) {
  ticket_ = calls_.tickets().open(*this, step.prepared, arena_);
  if (ticket_ == 0) return plugin::RunState::kSettled;
  auto* run = arena_.make<sub0_run>();
  run->struct_size = sizeof(sub0_run);
  run->input_count = static_cast<std::uint32_t>(count);
  run->ticket = ticket_;
  run->inputs = inputs;
  run->deadline_ns = static_cast<std::uint64_t>(deadline_ns_);
  run->call_id = number_;
  run->uid = json::toView(uid_);
  run->resource = json::toView(plan_->resource->id);
  run->action = json::toView(label_);
  run->flags = is_read_only_ ? SUB0_RUN_READ_ONLY : 0;
  const bool is_of_transaction = isOfTransaction(step);
  const bool goes_on = is_of_transaction && has_transaction_;
  if (is_of_transaction) {
    run->flags |= SUB0_RUN_IN_TRANSACTION;
    has_transaction_ = true;
  }
  return calls_.tickets().run(*run, goes_on);
}

/// Not the loop's time, which stands still within a turn.
std::int64_t Call::traceNs() const { return calls_.loop().io().monotonicNs(); }

Call::Progress Call::takeResult(std::size_t index, sub0_ticket ticket) {
  const PlanAction& action = plan_->actions[index];
  if (ticket == 0) {
    if (trace_) trace_->endStep(Code::kBusy, nullptr, traceNs());
    failForNow(makeError(Code::kBusy));
    return Progress::kEnded;
  }
  const plugin::Outcome& outcome = calls_.tickets().outcome(ticket);
  const bool is_ok = outcome.code == Code::kOk;
  if (trace_) trace_->endStep(outcome.code, is_ok ? &outcome.value : nullptr, traceNs());
  if (!is_ok) {
    Error error = fault(outcome, action);
    closeRun();
    failForNow(std::move(error));
    return Progress::kEnded;
  }
  if (attempt_ != 0 && !plan_->commit) attempt_ = 0;
  results_[index] = outcome.is_in_arena ? outcome.value : json::copy(outcome.value, arena_);
  if (action.is_extracted) results_[index] = expandRaw(results_[index]);
  closeRun();
  const bool compares = plan_->has_hashes && !action.model->verify_hashables.empty();
  return compares ? compare(index) : finishResult(index);
}

[[gnu::always_inline]] inline Call::Progress Call::finishResult(std::size_t index) {
  const PlanAction& action = plan_->actions[index];
  const bool has_sequel = action.has_sequel;
  if (has_sequel && action.cache) keepResult(index);
  if (action.model->must_return_value && isNoValue(results_[index])) {
    fail(makeError(Code::kNoValue));
    return Progress::kEnded;
  }
  if (has_sequel) holdEffects(action, withoutHashes(index));
  return Progress::kOn;
}

Call::Progress Call::finishCached() { return finishResult(current_action_); }

void Call::holdEffects(const PlanAction& action, const json::Value& result) {
  const auto& own = action.model->returnables;
  const auto& keys = own ? own : plan_->homeOf(action).returnables;
  for (const auto& effect : action.effects) {
    const json::Value* inputs = evaluate(effect, 1);
    // Input 0 is the result as S-115 trims it; evaluate() left room for it.
    const json::Value trimmed = keys ? dialect::keepMembers(result, *keys, arena_) : result;
    const_cast<json::Value*>(inputs)[0] = effect.allows_raw ? trimmed : expandRaw(trimmed);
    auto* held = arena_.make<Held>();
    held->action = &action;
    held->effect = &effect;
    held->inputs = inputs;
    (held_last_ != nullptr ? held_last_->next : held_first_) = held;
    held_last_ = held;
  }
}

bool Call::closeRun() {
  const bool is_over = calls_.tickets().close(ticket_);
  if (!is_over) ++unfreed_;
  ticket_ = 0;
  return is_over;
}

void Call::wait() {
  const std::int64_t left_ns = deadline_ns_ - calls_.loop().nowNs();
  calls_.loop().startTimer(*this, left_ns > 0 ? left_ns / kNsPerMs : 0);
  calls_.addWaiting(*this);
}

void Call::onSettled(sub0_ticket ticket) {
  if (ticket != ticket_) {
    settleLane(ticket);
    return;
  }
  calls_.removeWaiting(*this);
  stop();
  if (is_sending_) {
    finishEffect();
    releaseHeld();
  } else if (is_revoking_) {
    takeRevocation();
  } else if (is_committing_) {
    takeCommit();
  } else {
    const Progress progress = takeResult(current_action_, ticket);
    if (progress == Progress::kOn) advance();
    if (progress == Progress::kWaiting) wait();  // a comparison with a hash
  }
}

void Call::onFreed(sub0_ticket) {
  assert(unfreed_ > 0);
  --unfreed_;
  if (late_work_ != nullptr) dropLate();
  endIfOver();
}

/// The end of a pause; else the deadline: the run is given up, and lives on until its plugin has
/// let go of it.
void Call::onTimer() {
  calls_.removeWaiting(*this);
  if (is_pausing_) {
    endPause();
    return;
  }
  if (endOtherWait()) return;
  if (!calls_.tickets().abandon(ticket_)) ++unfreed_;
  ticket_ = 0;
  if (trace_) trace_->endStep(Code::kTimeout, nullptr, traceNs());
  if (is_sending_) {
    if (current_held_->is_background) endBackground(makeError(Code::kTimeout));
    releaseHeld();
  } else if (is_revoking_) {
    giveUpRevocation();
  } else if (is_committing_) {
    fail(makeError(Code::kTimeout,
                   "the commit took too long; whether the changes were made is "
                   "not known"));
  } else {
    fail(makeError(Code::kTimeout));
  }
}

void Call::cancel() {
  if (in_background_) return;
  is_abandoned_ = true;
  if (is_pausing_ || hash_job_ != nullptr || cache_wait_ != nullptr) {
    calls_.loop().startTimer(*this, 0);
  } else if (!lanes_.empty()) {
    cancelLanes();
  } else if (!leadsFlight()) {  // others wait for the same
    calls_.tickets().cancel(ticket_);
  }
}

void Call::fail(Error error) {
  if (plan_->ends_specially) undo();
  if (has_replied_) {
    logBackground(error);
    releaseHeld();
    return;
  }
  Reply reply;
  reply.code = error.code;
  reply.status = codeInfo(error.code).status;
  reply.message = error.clientMessage();
  reply.details = error.details;
  if (error.code == Code::kRateLimited) reply.retry_after_s = std::exchange(retry_after_s_, 1);
  if (error.code == Code::kMethodNotAllowed) reply.allow = calls_.options().allow_without_get;
  deliver(reply);
  releaseHeld();
}

[[gnu::noinline]] void Call::failToIssue(Error error) {
  if (calls_.mayLog(*plan_)) {
    log::warning("token_not_issued", error.log, {{"resource", plan_->resource->id}});
  }
  fail(std::move(error));
}

inline void Call::succeed() {
  if (!has_replied_) {
    auto data = result();
    if (!data) return failToIssue(std::move(data.error()));
    data_ = *data;
  }
  if (plan_->ends_specially) {
    endSpecially();
  } else {
    answer();
  }
}

void Call::answer() {
  if (!has_replied_) {
    Reply reply;
    reply.data = &data_;
    deliver(reply);
  }
  releaseHeld();
}

/// S-53: the reply comes before the actions. False: the call is refused.
bool Call::accept() {
  if (!enterBackground()) {
    fail(makeError(Code::kBusy));
    return false;
  }
  Reply reply;
  reply.data = &data_;
  reply.message = "Accepted";
  deliver(reply);
  return true;
}

inline void Call::deliver(Reply& reply) {
  assert(!has_replied_);
  has_replied_ = true;
  counts_->add(reply.code, calls_.loop().nowNs() - start_ns_);
  if (trace_) trace_->reply(reply.code, traceNs());
  reply.action_json = action_json_;
  reply.id_json = id_json_;
  reply.is_followed = is_followed_ = held_first_ != nullptr;
  reply_port_->deliver(sender_, reply);
}

/// S-115, S-116: after the reply, in the order of the actions; what the call earned before a
/// failure too. Then what runs in the background (S-91).
void Call::releaseHeld() {
  is_sending_ = true;
  while (const Held* held = nextHeld()) {
    if (held->effect == nullptr) {
      send(held->message);
      continue;
    }
    if (held->is_background && !enterBackground()) {
      logBackground(makeError(Code::kBusy));
      continue;
    }
    current_held_ = held;
    const json::Value* own_inputs = held->inputs + (held->is_background ? 0 : 1);
    if (trace_) trace_->beginStep(*held->action, *held->effect, own_inputs, traceNs());
    const std::size_t count = held->effect->inputs.size() + (held->is_background ? 0 : 1);
    deadline_ns_ = calls_.loop().nowNs() + calls_.options().deadline_ms * kNsPerMs;
    if (run(*held->effect, held->inputs, count) == plugin::RunState::kPending) {
      wait();
      return;
    }
    finishEffect();
  }
  if (trace_) trace_->write(*plan_);
  is_over_ = true;
  endIfOver();
}

/// The slot of the reply is held until all that belongs behind it has gone.
inline const Held* Call::nextHeld() {
  const Held* held = held_first_;
  if (held == nullptr) {
    if (is_followed_) reply_port_->followersSent(sender_);
    is_followed_ = false;
    held_last_ = nullptr;
    held = background_first_;
    if (held == nullptr) return nullptr;
    background_first_ = held->next;
  } else {
    held_first_ = held->next;
  }
  return held;
}

/// A failed effect changes no reply: it is logged.
void Call::finishEffect() {
  if (trace_) {
    const Code code = ticket_ == 0 ? Code::kBusy : calls_.tickets().outcome(ticket_).code;
    trace_->endStep(code, nullptr, traceNs());
  }
  if (ticket_ == 0) {
    if (current_held_->is_background) endBackground(makeError(Code::kBusy));
    return;
  }
  const plugin::Outcome& outcome = calls_.tickets().outcome(ticket_);
  if (outcome.code != Code::kOk && calls_.mayLog(*plan_)) logEffect(outcome);
  if (outcome.code == Code::kOk && current_held_->is_background) {
    takeBackground(*current_held_, outcome);
  }
  closeRun();
  if (current_held_->is_background) dropBehindBackground();
}

void Call::endIfOver() {
  if (!is_over_ || unfreed_ > 0) return;
  if (arena_.hasGrown()) releaseInput();
  arena_.reset();  // what start() sets anew, whatever the plan, stays as it is
  scope_.payload = nullptr;
  scope_.payload_json = {};
  scope_.extracted_count = 0;
  scope_.claims = nullptr;
  scope_.ip = scope_.connection_uid = scope_.connection_id = {};
  generated_ = dialect::GeneratedValues{};
  payload_ = claims_ = data_ = json::null();
  from_text_ = {};
  next_step_ = current_action_ = 0;
  inputs_ = nullptr;
  assert(hash_job_ == nullptr);
  hashed_ = nullptr;
  secrets_ = nullptr;
  attempt_ = 0;
  is_pausing_ = is_abandoned_ = false;
  held_first_ = held_last_ = held_before_ = nullptr;
  background_first_ = background_last_ = nullptr;
  current_held_ = nullptr;
  leaveBackground();
  has_transaction_ = is_committing_ = is_revoking_ = false;
  revoked_count_ = revoked_next_ = 0;
  raw_payload_ = is_read_only_ = has_replied_ = is_sending_ = is_over_ = is_in_use_ = false;
  calls_.recycle(*this);
}

}  // namespace sub0::call
