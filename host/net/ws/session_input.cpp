// SPDX-License-Identifier: Apache-2.0
// The part of Session that bounds what has come and is not used up: the memory and the time of an
// unfinished message, the memory of those that wait.
#include <algorithm>

#include "net/connection_table.hpp"
#include "net/ws/close_codes.hpp"
#include "net/ws/frame_encoder.hpp"
#include "net/ws/session.hpp"

namespace sub0::net::ws {

void Session::watchInput() {
  const std::size_t waiting_bytes = cold_ ? cold_->waiting_bytes : 0;
  const std::size_t held_bytes = decoder_.heldBytes() + waiting_bytes;
  holds_input_ = held_bytes > 0;
  if (!connection_.holdInput(held_bytes)) return refuseInput();
  watchMessage();
}

/// What is held goes at once; what else comes is not looked at.
void Session::refuseInput() {
  decoder_ = FrameDecoder();
  if (cold_) {
    cold_->waiting.clear();
    cold_->waiting_bytes = 0;
  }
  connection_.holdInput(0);
  if (state_ == State::kOpen) {
    if (ClosedRecord* record = connection_.record()) record->code_sent = kTryLater;
    appendClose(connection_.output().tail(), kTryLater,
                "the server's memory for unfinished messages is used up");
  }
  state_ = State::kEnded;
  connection_.finish(CloseReason::kOverflow, services_.options.close_deadline_ms);
}

/// The rules of a request body: a minimum rate over a window, and a time in all.
void Session::watchMessage() {
  std::int64_t* const since_ms = decoder_.messageSince();
  if (since_ms == nullptr || state_ != State::kOpen) {
    message_timer_.reset();
    return;
  }
  if (*since_ms != 0) return;
  *since_ms = std::max<std::int64_t>(connection_.nowMs(), 1);
  if (message_timer_) return;  // of the message before: looks too early, and then again
  message_timer_ = std::make_unique<MessageTimer>(*this);
  services_.loop.startTimer(
      *message_timer_, static_cast<std::int64_t>(std::min(services_.options.body_rate_window_ms,
                                                          services_.options.body_deadline_ms)));
}

void Session::checkMessage() {
  std::int64_t* const since_ms = decoder_.messageSince();
  if (since_ms == nullptr || state_ != State::kOpen || !connection_.isOpen()) return;
  const Options& options = services_.options;
  const std::int64_t now_ms = connection_.nowMs();
  if (!connection_.isReading()) *since_ms = now_ms;  // the peer cannot go on
  const auto passed_ms = static_cast<std::uint64_t>(now_ms - *since_ms);
  const bool is_slow = passed_ms >= options.body_rate_window_ms &&
                       decoder_.messageBytes() * 1000 < options.body_min_rate * passed_ms;
  if (is_slow || passed_ms >= options.body_deadline_ms) {
    connection_.table().refused(Refusal::kSlowBody, connection_);
    close(kPolicyViolation,
          "too slow: a message under SUB0_BODY_MIN_RATE or over SUB0_BODY_DEADLINE_MS",
          CloseReason::kDeadline);
    return;
  }
  const std::uint64_t left_ms = options.body_deadline_ms - passed_ms;
  const std::uint64_t window_ms = passed_ms < options.body_rate_window_ms
                                      ? options.body_rate_window_ms - passed_ms
                                      : options.body_rate_window_ms;
  services_.loop.startTimer(*message_timer_,
                            static_cast<std::int64_t>(std::min(window_ms, left_ms)));
}

}  // namespace sub0::net::ws
