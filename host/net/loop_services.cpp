// SPDX-License-Identifier: Apache-2.0
#include "net/loop_services.hpp"

#include <utility>

#include "net/http/response_writer.hpp"
#include "net/ws/reply_slots.hpp"

namespace sub0::net {

LoopServices::LoopServices(loop::Loop& loop_in, const Options& options_in, Counters& counters_in,
                           UnsentBudget& budget, call::Dispatcher& dispatcher_in,
                           std::shared_ptr<const call::Catalogue> catalogue_in,
                           const Readiness& readiness_in, ws::Hub& hub_in)
    : loop(loop_in),
      options(options_in),
      counters(counters_in),
      dispatcher(dispatcher_in),
      catalogue(std::move(catalogue_in)),
      readiness(readiness_in),
      hub(hub_in),
      connections(loop_in, options_in, counters_in, budget),
      replies(*this) {
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
  connection->protocol().deliver(sender.reply_slot, reply);
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
    date_until_ns_ = loop.nowNs() + (1000 - wall_ms % 1000) * 1'000'000;
  }
  return date_;
}

}  // namespace sub0::net
