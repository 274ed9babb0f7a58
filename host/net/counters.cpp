// SPDX-License-Identifier: Apache-2.0
#include "net/counters.hpp"

namespace sub0::net {

std::string_view closeReasonName(CloseReason reason) {
  static constexpr std::array<std::string_view, kCloseReasons> kNames = {
      "peer",        "reset",     "done",        "refused",  "protocol_error",
      "unsupported", "too_large", "slow_reader", "overflow", "deadline",
      "no_pong",     "drain",     "too_fast",    "replaced"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view refusalName(Refusal refusal) {
  static constexpr std::array<std::string_view, kRefusals> kNames = {
      "connections", "address_connections", "pending",     "address_pending", "origin",
      "uid_taken",   "message_rate",        "bad_tokens",  "slow_head",       "slow_body",
      "unsent",      "unsent_budget",       "input_budget"};
  return kNames[static_cast<std::size_t>(refusal)];
}

std::span<const CounterRow> counterTable() {
  static constexpr CounterRow kRows[] = {
      {"open_connections", "Connections that are open.", true, &Counters::open_connections,
       &Totals::open_connections},
      {"open_sockets", "WebSocket connections that take broadcasts.", true, &Counters::open_sockets,
       &Totals::open_sockets},
      {"accepted", "Connections accepted.", false, &Counters::accepted, &Totals::accepted},
      {"accept_failures", "Times that no descriptor or memory was left for a new connection.",
       false, &Counters::accept_failures, &Totals::accept_failures},
      {"http_requests", "HTTP requests.", false, &Counters::http_requests, &Totals::http_requests},
      {"messages", "WebSocket messages received.", false, &Counters::messages, &Totals::messages},
      {"replies", "Replies written.", false, &Counters::replies, &Totals::replies},
      {"broadcast_deliveries", "Broadcasts written to a connection.", false,
       &Counters::broadcast_deliveries, &Totals::broadcast_deliveries},
      {"broadcast_overflows", "Broadcasts that found another loop's mailbox full.", false,
       &Counters::broadcast_overflows, &Totals::broadcast_overflows},
      {"delayed_replies", "Replies 401 that were held back.", false, &Counters::delayed_replies,
       &Totals::delayed_replies},
  };
  return kRows;
}

void Totals::add(const Counters& counters) {
  for (const CounterRow& row : counterTable()) this->*row.total += (counters.*row.count).get();
  for (std::size_t i = 0; i < kCloseReasons; ++i) closed[i] += counters.closed[i].get();
  traffic.add(counters.traffic);
  for (std::size_t i = 0; i < kRefusals; ++i) refused[i] += counters.refused[i].get();
}

}  // namespace sub0::net
