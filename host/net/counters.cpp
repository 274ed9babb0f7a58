// SPDX-License-Identifier: Apache-2.0
#include "net/counters.hpp"

namespace sub0::net {

std::string_view closeReasonName(CloseReason reason) {
  static constexpr std::array<std::string_view, kCloseReasons> kNames = {
      "peer",      "reset",       "done",     "refused",  "protocol_error", "unsupported",
      "too_large", "slow_reader", "overflow", "deadline", "no_pong",        "drain"};
  return kNames[static_cast<std::size_t>(reason)];
}

void Totals::add(const Counters& counters) {
  open_connections += counters.open_connections.get();
  open_sockets += counters.open_sockets.get();
  accepted += counters.accepted.get();
  accept_failures += counters.accept_failures.get();
  http_requests += counters.http_requests.get();
  messages += counters.messages.get();
  replies += counters.replies.get();
  broadcast_deliveries += counters.broadcast_deliveries.get();
  broadcast_overflows += counters.broadcast_overflows.get();
  for (std::size_t i = 0; i < kCloseReasons; ++i) closed[i] += counters.closed[i].get();
  traffic.add(counters.traffic);
}

}  // namespace sub0::net
