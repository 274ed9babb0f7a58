// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/count.hpp"
#include "net/traffic.hpp"

namespace sub0::net {

/// Why a connection ended; each is a metric label.
enum class CloseReason : std::uint8_t {
  kPeer,           // the peer ended it in order
  kReset,          // the peer vanished or the socket failed
  kDone,           // an HTTP reply with `Connection: close`
  kRefused,        // a refused request or handshake
  kProtocolError,  // 1002, 1007
  kUnsupported,    // 1003
  kTooLarge,       // 1009, 1008 for too many fragments
  kSlowReader,     // over the unsent limit, or takes nothing
  kOverflow,       // 1013: broadcasts came faster than the loops pass them on
  kDeadline,       // head, body, keep-alive, close handshake
  kNoPong,
  kDrain,  // 1001
};
inline constexpr std::size_t kCloseReasons = 12;
std::string_view closeReasonName(CloseReason reason);

/// What one loop counts; Server::totals() sums them when read.
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
  std::array<Count, kCloseReasons> closed;
  Traffic traffic;
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
  std::array<std::uint64_t, kCloseReasons> closed{};
  TrafficTotals traffic;

  void add(const Counters& counters);
  std::uint64_t closedBy(CloseReason reason) const {
    return closed[static_cast<std::size_t>(reason)];
  }
};

}  // namespace sub0::net
