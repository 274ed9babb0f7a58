// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/count.hpp"
#include "net/traffic.hpp"

namespace sub0::net {

/// Why a connection ended; each is a metric label.
enum class CloseReason : std::uint8_t {
  kPeer,           // the peer ended it in order
  kReset,          // the peer vanished or the socket failed
  kDone,           // an HTTP reply with `Connection: close`
  kRefused,        // a refused request, handshake or connection
  kProtocolError,  // 1002, 1007
  kUnsupported,    // 1003
  kTooLarge,       // 1009, 1008 for too many fragments
  kSlowReader,     // over the unsent limit, or takes nothing
  kOverflow,       // 1013: broadcasts came faster than the loops pass them on, a budget is used up
  kDeadline,       // head, body, keep-alive, close handshake
  kNoPong,
  kDrain,     // 1001
  kTooFast,   // 1008: over the message rate
  kReplaced,  // 1008: a newer connection has its uid
};
inline constexpr std::size_t kCloseReasons = 14;
std::string_view closeReasonName(CloseReason reason);

/// What was refused for the sake of others; each is a metric label and a line in the log, at most
/// one a second.
enum class Refusal : std::uint8_t {
  kConnections,         // 503: SUB0_CONNECTION_LIMIT
  kAddressConnections,  // 429: SUB0_CONNECTIONS_PER_ADDRESS
  kPending,             // 503: SUB0_PENDING_LIMIT
  kAddressPending,      // 429: SUB0_PENDING_PER_ADDRESS
  kOrigin,              // 403: ALLOWED_ORIGINS, of a handshake
  kUidTaken,            // 409: SUB0_UID_CONNECTIONS=refuse
  kMessageRate,         // 1008: SUB0_MESSAGE_RATE
  kBadTokens,           // 429 in place of 401: SUB0_BAD_TOKENS_PER_SECOND
  kSlowHead,            // 408 or silence: SUB0_HEAD_DEADLINE_MS
  kSlowBody,            // 408, 1008: SUB0_BODY_DEADLINE_MS, SUB0_BODY_MIN_RATE
  kUnsent,              // 1008: SUB0_UNSENT_LIMIT_BYTES, SUB0_STALL_DEADLINE_MS
  kUnsentBudget,        // busy or 1013: SUB0_UNSENT_BUDGET_BYTES
  kInputBudget,         // busy or 1013: SUB0_INPUT_BUDGET_BYTES
};
inline constexpr std::size_t kRefusals = 13;
std::string_view refusalName(Refusal refusal);

/// What one loop counts; Server::totals() sums them when read. A new one needs a row in
/// counterTable().
struct alignas(64) Counters {
  Count open_connections;
  Count open_sockets;  // WebSocket connections that take broadcasts
  Count accepted;
  Count accept_failures;
  Count http_requests;
  Count messages;  // WebSocket messages received
  Count replies;
  Count broadcast_deliveries;
  Count broadcast_overflows;  // letters that found the mailbox full
  Count delayed_replies;      // 401, held back
  std::array<Count, kCloseReasons> closed;
  Traffic traffic;
  std::array<Count, kRefusals> refused;
};

/// The sum over loops.
struct Totals {
  std::uint64_t open_connections = 0;
  std::uint64_t open_sockets = 0;
  std::uint64_t accepted = 0;
  std::uint64_t accept_failures = 0;
  std::uint64_t http_requests = 0;
  std::uint64_t messages = 0;
  std::uint64_t replies = 0;
  std::uint64_t broadcast_deliveries = 0;
  std::uint64_t broadcast_overflows = 0;
  std::uint64_t delayed_replies = 0;
  std::array<std::uint64_t, kCloseReasons> closed{};
  TrafficTotals traffic;
  std::array<std::uint64_t, kRefusals> refused{};

  void add(const Counters& counters);
  std::uint64_t closedBy(CloseReason reason) const {
    return closed[static_cast<std::size_t>(reason)];
  }
  std::uint64_t refusedBy(Refusal refusal) const {
    return refused[static_cast<std::size_t>(refusal)];
  }
};

/// A number that is not counted by reason. `closed` and `refused` are those that are, named by
/// closeReasonName() and refusalName().
struct CounterRow {
  std::string_view name;  // "http_requests"
  std::string_view text;
  bool is_gauge;  // goes up and down
  Count Counters::*count;
  std::uint64_t Totals::*total;
};
std::span<const CounterRow> counterTable();

}  // namespace sub0::net
