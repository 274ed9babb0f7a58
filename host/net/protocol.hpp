// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "call/request.hpp"

namespace sub0::net {

/// What speaks on a connection: HTTP first (http::Exchange), after an upgrade WebSocket
/// (ws::Session). The connection owns it and tells it what happens; it writes to the connection's
/// output. One loop's thread. It lives until its connection is reaped, also after onClosed().
class Protocol {
 public:
  Protocol() = default;
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  virtual ~Protocol() = default;

  /// "http" or "ws", for the log.
  virtual std::string_view name() const { return "http"; }
  /// Who sent the request at hand, where that is not the peer (behind a trusted proxy); else empty.
  virtual std::string_view clientAddress() const { return {}; }

  /// Bytes came, 64 readable ones behind them: uses or stores all, unless it hands over to a
  /// successor (Connection::become), which gets what is left.
  virtual void onInput(std::span<char>& input) = 0;
  /// The most that onInput may be given now; 0: nothing, reading has to stop.
  virtual std::size_t readRoomBytes() const = 0;
  /// The peer sends no more.
  virtual void onEndOfInput() = 0;
  /// The deadline set last has passed.
  virtual void onDeadline() = 0;
  /// A peer that took its bytes too slowly has taken all of them.
  virtual void onCaughtUp() {}
  /// After Connection::resumeLater(), in the ready phase.
  virtual void onResume() = 0;
  /// A reply of a call that this protocol started.
  virtual void deliver(std::uint64_t slot, const call::Reply& reply) = 0;
  /// What follows a reply with `is_followed` has been handed over.
  virtual void followersSent() {}
  /// The process ends: close in order after `delay_ms`, or after the calls under way, at the latest
  /// after `window_ms`.
  virtual void drain(std::int64_t delay_ms, std::int64_t window_ms) = 0;
  /// Once, when the connection takes no more: leave lists. No call into the dispatcher.
  virtual void onClosed() = 0;
  /// In the reap phase, before destruction: abandons calls under way.
  virtual void onReaped() = 0;
};

}  // namespace sub0::net
