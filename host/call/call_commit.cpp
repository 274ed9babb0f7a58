// SPDX-License-Identifier: Apache-2.0
// The part of Call that ends its transaction (S-22): committed after the last action and before the
// reply, since a commit can fail; rolled back with all that was held where anything fails.
#include "base/log.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"
#include "plugin/commits.hpp"

namespace sub0::call {

/// Effects run when the transaction is over.
bool Call::isOfTransaction(const PreparedStep& step) const {
  return plan_->commit && !is_sending_ && !is_committing_ && !is_revoking_ &&
         step.prepared.handler->plugin == plan_->commit->prepared.handler->plugin;
}

void Call::commit() {
  is_committing_ = true;
  if (run(*plan_->commit, nullptr, 0) == plugin::RunState::kPending) {
    wait();
  } else {
    takeCommit();
  }
}

void Call::takeCommit() {
  if (ticket_ == 0) {
    failForNow(makeError(Code::kBusy));
    return;
  }
  const plugin::Outcome& outcome = calls_.tickets().outcome(ticket_);
  if (outcome.code != Code::kOk) {
    if (!outcome.log_message.empty() && calls_.mayLog(*plan_)) {
      log::warning("commit_failed", outcome.log_message,
                   {{"code", codeInfo(outcome.code).name},
                    {"plugin", plan_->commit->prepared.handler->plugin->id},
                    {"resource", plan_->resource->id}});
    }
    Error error = makeError(outcome.code, std::string(outcome.client_message));
    closeRun();
    // Where the connection is lost nobody knows whether it was done.
    if (error.code == Code::kBusy) {
      failForNow(std::move(error));
    } else {
      fail(std::move(error));
    }
    return;
  }
  closeRun();
  has_transaction_ = is_committing_ = false;
  settleCaches();
  finish();
}

/// S-115: what did not last is not told to anybody.
void Call::rollBack() {
  held_first_ = held_last_ = nullptr;
  background_first_ = background_last_ = nullptr;
  dropCacheWork();
  if (!has_transaction_) return;
  has_transaction_ = false;
  plugin::rollback(plan_->commit->prepared, number_, calls_.tickets().mark());
}

}  // namespace sub0::call
