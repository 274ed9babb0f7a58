// SPDX-License-Identifier: Apache-2.0
#include "call/calls.hpp"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "base/time_units.hpp"

namespace sub0::call {

Calls::Calls(loop::Loop& loop, plugin::TicketTable& tickets, BroadcastPort& broadcasts,
             std::shared_ptr<const PlanSet> plans, Options options)
    : loop_(loop),
      tickets_(tickets),
      broadcasts_(broadcasts),
      options_(std::move(options)),
      hashes_(loop, options_.hash_pool, counts_.hashes) {
  counts_.adopt(*plans);
  followed_.push_back({std::move(plans)});
}

Calls::~Calls() = default;

void Calls::setPlans(std::shared_ptr<const PlanSet> plans) {
  assert(plans != nullptr);
  counts_.adopt(*plans);
  if (followed_.back().call_count == 0) followed_.pop_back();
  followed_.push_back({std::move(plans)});
}

void Calls::dispatch(const Request& request) {
  const Plan* plan = followed_.back().plans->find(request.resource);
  if (plan == nullptr) {
    counts_.unknown.add();
    refuse(request, makeError(Code::kNotFound, "no resource named \"" +
                                                   text::beginning(request.resource, 100) + "\""));
    return;
  }
  take().start(*plan, request);
}

void Calls::abandon(std::uint64_t connection) {
  // All that waits here is a Call.
  waiting_.forEachOf(connection, [](WaitingCall& call) { static_cast<Call&>(call).cancel(); });
}

int32_t Calls::send(sub0_ticket ticket, const sub0_broadcast_message& message,
                    std::uint64_t* recipients) {
  plugin::RunOwner* owner = tickets_.owner(ticket);
  if (owner == nullptr) return SUB0_STALE_TICKET;
  // All runs of this table are opened by calls.
  return static_cast<Call*>(owner)->broadcastFrom(ticket, message, recipients);
}

inline Call& Calls::take() {
  counts_.under_way.add();
  if (free_ == nullptr) {
    calls_.push_back(std::make_unique<Call>(*this));
    free_ = calls_.back().get();
  }
  Call& call = *free_;
  free_ = call.next_free;
  call.followed = &followed_.back();
  ++call.followed->call_count;
  return call;
}

void Calls::recycle(Call& call) {
  assert(openCount() > 0);
  counts_.under_way.subtract();
  FollowedPlans& followed = *call.followed;
  assert(followed.call_count > 0);
  if (--followed.call_count == 0 && &followed != &followed_.back()) forget(followed);
  call.next_free = free_;
  free_ = &call;
}

void Calls::forget(const FollowedPlans& followed) {
  followed_.remove_if([&](const FollowedPlans& each) { return &each == &followed; });
}

bool Calls::mayLog(const Plan& plan) {
  constexpr std::size_t kLinesPerSecond = 10;
  constexpr std::size_t kMostLinesPerSecond = 50;
  const std::int64_t second = loop_.nowNs() / kNsPerSecond;
  if (second != log_second_) {
    log_second_ = second;
    logged_.clear();
    if (const std::uint64_t count = std::exchange(unlogged_, 0); count > 0) {
      log::warning("lines_left_out",
                   std::to_string(count) + " lines about failed calls were left out",
                   {{"count", count}});
    }
  }
  const bool is_first = std::find(logged_.begin(), logged_.end(), plan.resource) == logged_.end();
  if (logged_.size() < (is_first ? kMostLinesPerSecond : kLinesPerSecond)) {
    logged_.push_back(plan.resource);
    return true;
  }
  ++unlogged_;
  return false;
}

void refuse(const Request& request, const Error& error, std::string_view allow) {
  Reply reply;
  reply.code = error.code;
  reply.status = codeInfo(error.code).status;
  reply.message = error.clientMessage();
  reply.details = error.details;
  reply.action_json = request.action_json;
  reply.id_json = request.id_json;
  reply.allow = allow;
  request.reply_port->deliver(request.sender, reply);
}

}  // namespace sub0::call
