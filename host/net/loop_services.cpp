// SPDX-License-Identifier: Apache-2.0
#include "net/loop_services.hpp"

#include <utility>

#include "base/time_units.hpp"
#include "net/http/response_writer.hpp"
#include "net/ws/reply_slots.hpp"
#include "net/ws/session.hpp"

namespace sub0::net {

LoopServices::LoopServices(loop::Loop& loop_in, const Options& options_in, Counters& counters_in,
                           Guard& guard, call::Dispatcher& dispatcher_in,
                           std::shared_ptr<const call::Catalogue> catalogue_in,
                           const Readiness& readiness_in, ws::Hub& hub_in)
    : loop(loop_in),
      options(options_in),
      counters(counters_in),
      dispatcher(dispatcher_in),
      catalogue(std::move(catalogue_in)),
      readiness(readiness_in),
      hub(hub_in),
      connections(loop_in, options_in, counters_in, guard),
      replies(*this),
      delayed(loop_in,
              [this](const call::Sender& sender, const call::Reply& reply) {
                Connection* connection = connections.find(sender.connection);
                if (connection == nullptr || !connection->isOpen()) return;
                connection->protocol().deliver(sender.reply_slot, reply);
              }),
      make_session(&ws::Session::make) {
  request_limits.max_body_bytes = options.max_payload_bytes;
  frame_limits.max_message_bytes = options.max_payload_bytes;
  frame_limits.max_fragments = static_cast<std::uint32_t>(options.max_fragments);
  frame_limits.accept_binary = options.accept_binary;
  loop.io().random(reinterpret_cast<char*>(&random_state_), sizeof random_state_);
  random_state_ |= 1;
}

LoopServices::~LoopServices() = default;

void LoopServices::Replies::deliver(const call::Sender& sender, const call::Reply& reply) {
  Connection* connection = services_.connections.find(sender.connection);
  if (connection == nullptr || !connection->isOpen()) return;
  if (reply.status == 401 && slowDown(*connection, sender, reply)) return;
  connection->protocol().deliver(sender.reply_slot, reply);
}

/// Whether the reply has been dealt with.
bool LoopServices::Replies::slowDown(Connection& connection, const call::Sender& sender,
                                     const call::Reply& reply) {
  if (services_.is_draining) return false;
  const std::string_view client = connection.protocol().clientAddress();
  const std::string_view address = client.empty() ? connection.peerAddress() : client;
  Guard& guard = services_.connections.guard();
  const auto verdict = guard.bad_tokens.note(addressKey(address), services_.loop.nowNs());
  if (verdict.delay_ms == 0) return false;
  if (!verdict.is_refused && services_.delayed.hold(sender, reply, verdict.delay_ms)) {
    services_.counters.delayed_replies.add();
    return true;
  }
  guard.refused(services_.counters, Refusal::kBadTokens, address, services_.loop.nowNs());
  call::Reply limited;
  limited.code = Code::kRateLimited;
  limited.status = codeInfo(limited.code).status;
  limited.message = "too many bad tokens from this address";
  limited.action_json = reply.action_json;
  limited.id_json = reply.id_json;
  limited.retry_after_s = static_cast<int>((verdict.delay_ms + 999) / 1000);
  connection.protocol().deliver(sender.reply_slot, limited);
  return true;
}

void LoopServices::Replies::followersSent(const call::Sender& sender) {
  Connection* connection = services_.connections.find(sender.connection);
  if (connection != nullptr && connection->isOpen()) connection->protocol().followersSent();
}

std::uint64_t LoopServices::random() {
  // xorshift64 (G. Marsaglia, 2003).
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return random_state_;
}

std::string_view LoopServices::date() {
  if (loop.nowNs() >= date_until_ns_) {
    const std::int64_t wall_ms = loop.io().wallMs();
    date_ = http::formatDate(wall_ms / 1000);
    date_until_ns_ = loop.nowNs() + (1000 - wall_ms % 1000) * kNsPerMs;
  }
  return date_;
}

}  // namespace sub0::net
