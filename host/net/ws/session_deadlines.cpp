// SPDX-License-Identifier: Apache-2.0
// The part of Session that time drives: pings and the silence behind them, the end of the service.
#include <algorithm>

#include "net/ws/close_codes.hpp"
#include "net/ws/frame_encoder.hpp"
#include "net/ws/session.hpp"

namespace sub0::net::ws {

void Session::sayGoingAway() { close(kGoingAway, "the service is stopping", CloseReason::kDrain); }

void Session::schedulePing(std::uint64_t waited_ms) {
  const std::uint64_t interval_ms = services_.options.ping_interval_ms;
  if (interval_ms == 0) return;
  const std::uint64_t jitter_ms = interval_ms / 10;
  watching_ = Watching::kPing;
  const std::uint64_t delay_ms = interval_ms - jitter_ms + services_.random() % (2 * jitter_ms + 1);
  connection_.setDeadline(delay_ms > waited_ms ? delay_ms - waited_ms : 1);
}

void Session::onDeadline() {
  if (state_ != State::kOpen) {
    connection_.abort(CloseReason::kPeer);
    return;
  }
  switch (watching_) {
    case Watching::kPing:
      if (connection_.isBlocked()) return schedulePing();
      has_heard_ = false;
      appendFrame(connection_.output().tail(), Opcode::kPing, {});
      watching_ = Watching::kPong;
      connection_.setDeadline(services_.options.pong_deadline_ms);
      return;
    case Watching::kPong:
      return checkPong();
    case Watching::kDrain:
      return startLastCalls();
    case Watching::kLastCalls:
      return sayGoingAway();
  }
}

void Session::checkPong() {
  // While we do not read we cannot have heard it.
  if (has_heard_ || !connection_.isReading()) {
    schedulePing(services_.options.pong_deadline_ms);
  } else {
    connection_.abort(CloseReason::kNoPong);
  }
}

void Session::drain(std::int64_t delay_ms, std::int64_t window_ms) {
  if (state_ != State::kOpen) return;
  last_calls_ms_ = static_cast<std::uint32_t>(std::max<std::int64_t>(window_ms - delay_ms, 0));
  watching_ = Watching::kDrain;
  connection_.setDeadline(static_cast<std::uint64_t>(std::max<std::int64_t>(delay_ms, 0)));
}

/// Replies that wait behind the broadcasts of another call have no call under way any more.
bool Session::owesAnything() const {
  return calls_under_way_ > 0 || followers_due_ > 0 || (cold_ && cold_->held_bytes > 0);
}

void Session::startLastCalls() {
  is_draining_ = true;
  if (!owesAnything()) return sayGoingAway();
  watching_ = Watching::kLastCalls;
  connection_.setDeadline(last_calls_ms_);
}

}  // namespace sub0::net::ws
