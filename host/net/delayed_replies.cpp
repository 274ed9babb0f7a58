// SPDX-License-Identifier: Apache-2.0
#include "net/delayed_replies.hpp"

#include <algorithm>
#include <utility>

#include "base/time_units.hpp"

namespace sub0::net {
bool DelayedReplies::hold(const call::Sender& sender, const call::Reply& reply,
                          std::int64_t delay_ms) {
  if (held_.size() >= kMaxReplies) return false;
  const std::int64_t due_ms = loop_.nowNs() / kNsPerMs + delay_ms;
  const bool is_first = held_.empty() || due_ms < held_.begin()->first;
  held_.emplace(due_ms, Held{sender,
                             reply.code,
                             reply.status,
                             std::string(reply.message),
                             std::string(reply.action_json),
                             std::string(reply.id_json),
                             {reply.details.begin(), reply.details.end()}});
  if (is_first) arm();
  return true;
}

void DelayedReplies::releaseAll() {
  stop();
  release(held_.end());
}

void DelayedReplies::onTimer() {
  release(held_.upper_bound(loop_.nowNs() / kNsPerMs));
  arm();
}

/// Those before `end`, in their order.
void DelayedReplies::release(std::multimap<std::int64_t, Held>::iterator end) {
  std::multimap<std::int64_t, Held> due;
  while (held_.begin() != end) due.insert(due.end(), held_.extract(held_.begin()));
  for (const auto& [due_ms, held] : due) {
    call::Reply reply;
    reply.code = held.code;
    reply.status = held.status;
    reply.message = held.message;
    reply.action_json = held.action_json;
    reply.id_json = held.id_json;
    reply.details = held.details;
    deliver_(held.sender, reply);
  }
}

void DelayedReplies::arm() {
  if (held_.empty()) return;
  const std::int64_t now_ms = loop_.nowNs() / kNsPerMs;
  loop_.startTimer(*this, std::max<std::int64_t>(held_.begin()->first - now_ms, 0));
}

}  // namespace sub0::net
