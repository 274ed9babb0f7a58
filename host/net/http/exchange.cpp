// SPDX-License-Identifier: Apache-2.0
#include "net/http/exchange.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "net/connection_table.hpp"
#include "net/http/endpoint.hpp"
#include "net/http/reply_body.hpp"
#include "net/spare_bytes.hpp"

namespace sub0::net::http {

Exchange::Exchange(Connection& connection, Endpoint& endpoint)
    : connection_(connection), endpoint_(endpoint) {}

void Exchange::startDeadline() {
  waiting_ = Waiting::kFirst;
  connection_.setDeadline(endpoint_.services().options.head_deadline_ms);
}

std::size_t Exchange::backlogBytes() const { return backlog_ ? backlog_->size() - kSpareBytes : 0; }

std::size_t Exchange::readRoomBytes() const {
  const std::size_t limit_bytes = endpoint_.services().options.max_waiting_bytes;
  if (!is_call_under_way_ && !is_paused_ && !backlog_) return loop::Loop::kReadBytes;
  return limit_bytes - std::min(limit_bytes, backlogBytes());
}

void Exchange::onInput(std::span<char>& input) {
  if (is_call_under_way_ || is_paused_ || backlog_) {
    keep(input);
    input = {};
    if (!holdInput()) refuseInput();
    return;
  }
  serve(input);
  if (connection_.table().successor()) return;
  if (!input.empty() && connection_.isOpen()) keep(input);
  input = {};
  if (!holdInput()) refuseInput();
  watchDeadline();
}

bool Exchange::holdInput() { return connection_.holdInput(parser_.heldBytes() + backlogBytes()); }

/// A reply under way is the last one; what came behind its request is dropped.
void Exchange::refuseInput() {
  backlog_.reset();
  parser_ = RequestParser();
  connection_.holdInput(0);
  if (!connection_.isOpen()) return;
  if (is_call_under_way_) {
    keeps_alive_ = false;
    connection_.setReading(false);
  } else if (is_paused_) {
    connection_.finishWhenSent(CloseReason::kRefused);
  } else {
    forgetRequest();
    respondFailure(Code::kBusy, "the server's memory for unfinished requests is used up", {});
  }
}

void Exchange::keep(std::span<char> input) {
  if (!backlog_) backlog_ = std::make_unique<std::string>(kSpareBytes, '\0');
  backlog_->insert(backlogBytes(), input.data(), input.size());
  if (backlogBytes() >= endpoint_.services().options.max_waiting_bytes) {
    connection_.setReading(false);
  }
}

void Exchange::serve(std::span<char>& input) {
  LoopServices& services = endpoint_.services();
  while (connection_.isOpen() && !is_call_under_way_) {
    if (connection_.unsentBytes() >= services.options.soft_unsent_bytes) connection_.flush();
    if (connection_.unsentBytes() >= services.options.soft_unsent_bytes) {
      is_paused_ = true;
      connection_.resumeWhenSent();
      return;
    }
    ParseFailure failure;
    switch (parser_.next(input, services.request_limits, services.request, failure)) {
      case ParseEvent::kNeedMore:
        return;
      case ParseEvent::kSendContinue:
        connection_.output().tail().append(kContinueResponse);
        break;
      case ParseEvent::kRequest:
        start(services.request);
        if (connection_.table().successor()) return;
        // A call that outlives its dispatch has copied what it reads.
        if (is_call_under_way_) parser_.release();
        break;
      case ParseEvent::kError: {
        forgetRequest();
        if (!failure.origin.empty()) origin_ = std::make_unique<std::string>(failure.origin);
        const Code code = failure.status == 413 ? Code::kPayloadTooLarge : Code::kBadRequest;
        respondFailure(code, failure.reason, {.status = failure.status});
        return;
      }
    }
  }
}

void Exchange::start(const Request& request) {
  LoopServices& services = endpoint_.services();
  services.counters.http_requests.add();
  connection_.establish();
  waiting_ = Waiting::kNone;
  keeps_alive_ = request.keep_alive && !is_draining_;
  is_head_ = request.isHead();
  if (!services.options.cors.allowsEveryOrigin()) {
    const auto origin = request.header("Origin");
    origin_ = origin ? std::make_unique<std::string>(*origin) : nullptr;
  }
  endpoint_.handle(*this, request);
}

/// What comes is not for the request before.
void Exchange::forgetRequest() {
  keeps_alive_ = false;
  is_head_ = false;
  origin_.reset();
}

void Exchange::setClientAddress(const std::string& address) {
  if (client_address_ && *client_address_ == address) return;
  client_address_ = std::make_unique<std::string>(address);
}

std::uint64_t Exchange::beginCall() {
  assert(!is_call_under_way_);
  if (ClosedRecord* record = connection_.record()) ++record->calls;
  is_call_under_way_ = true;
  is_dispatching_ = true;
  return ++slot_;
}

void Exchange::deliver(std::uint64_t slot, const call::Reply& reply) {
  if (!is_call_under_way_ || slot != slot_) return;
  LoopServices& services = endpoint_.services();
  is_call_under_way_ = false;
  std::string& body = services.scratch;
  body.clear();
  appendReply(body, reply);
  ResponseHead head;
  head.status = reply.status;
  head.allow = reply.allow;
  if (reply.status == 429) head.retry_after_s = std::max(reply.retry_after_s, 1);
  respond(head, body);
  if (is_dispatching_) return;
  holdInput();
  if (!connection_.isOpen()) return;
  if (backlog_ || has_input_ended_) connection_.resumeLater();
  watchDeadline();
}

void Exchange::respond(ResponseHead head, std::string_view body) {
  LoopServices& services = endpoint_.services();
  head.close = !keeps_alive_ || head.close;
  head.is_head = is_head_;
  head.date = services.date();
  const std::string lines =
      std::string(endpoint_.corsLines(origin_.get())).append(head.extra_lines);
  head.extra_lines = lines;
  std::string& out = connection_.output().tail();
  const std::size_t before = out.size();
  writeResponse(out, head, body);
  services.counters.replies.add();
  switch (connection_.admit(out.size() - before)) {
    case Admission::kAdmitted:
      break;
    case Admission::kOverBudget: {
      connection_.output().removeTail(out.size() - before);
      out.shrink_to_fit();  // many of a turn's replies may be refused before it is sent
      std::string busy;
      appendFailure(busy, Code::kBusy, {}, {});
      head.status = codeInfo(Code::kBusy).status;
      writeResponse(out, head, busy);
      break;
    }
    case Admission::kOverLimit:
      connection_.abort(CloseReason::kSlowReader);
      return;
  }
  services.counters.traffic.countResponse(head.status);
  if (head.close) {
    const CloseReason reason = head.status == 408  ? CloseReason::kDeadline
                               : head.status < 400 ? CloseReason::kDone
                                                   : CloseReason::kRefused;
    connection_.finishWhenSent(reason);
  }
}

void Exchange::respondFailure(Code code, std::string_view message, ResponseHead head) {
  std::string body;
  appendFailure(body, code, message, {});
  if (head.status == 200) head.status = codeInfo(code).status;
  respond(head, body);
}

void Exchange::onResume() {
  is_paused_ = false;
  if (is_call_under_way_) return;
  if (backlog_) {
    // The text may outlive this object: an upgrade hands its rest to the successor.
    const auto text = std::move(backlog_);
    Connection& connection = connection_;
    const bool has_input_ended = has_input_ended_;
    connection.feed({text->data(), text->size() - kSpareBytes});
    if (!connection.isOpen()) return;
    connection.setReading(connection.protocol().readRoomBytes() > 0);
    if (has_input_ended) connection.protocol().onEndOfInput();
    return;
  }
  if (is_draining_ && !has_input_ended_ && parser_.phase() == RequestParser::Phase::kIdle) {
    connection_.finishWhenSent(CloseReason::kDrain);
  }
  endIfIdle();
  watchDeadline();
}

void Exchange::onEndOfInput() {
  has_input_ended_ = true;
  endIfIdle();
}

void Exchange::endIfIdle() {
  if (!has_input_ended_ || is_call_under_way_ || is_paused_ || backlog_) return;
  connection_.finishWhenSent(CloseReason::kPeer);
}

void Exchange::watchDeadline() {
  if (!connection_.isOpen()) return;
  const Options& options = endpoint_.services().options;
  if (is_call_under_way_ || is_paused_) {
    waiting_ = Waiting::kNone;
    connection_.clearDeadline();
    return;
  }
  switch (parser_.phase()) {
    case RequestParser::Phase::kIdle:
      if (waiting_ == Waiting::kFirst || waiting_ == Waiting::kIdle) return;
      waiting_ = Waiting::kIdle;
      connection_.setDeadline(options.keep_alive_ms);
      return;
    case RequestParser::Phase::kHead:
      if (waiting_ == Waiting::kFirst || waiting_ == Waiting::kHead) return;
      waiting_ = Waiting::kHead;
      connection_.setDeadline(options.head_deadline_ms);
      return;
    case RequestParser::Phase::kBody:
      if (waiting_ == Waiting::kBody) return;
      waiting_ = Waiting::kBody;
      body_since_ms_ = connection_.nowMs();
      watchBody();
      return;
    case RequestParser::Phase::kFailed:
      return;
  }
}

/// The body's deadline, or before it the next look at its rate.
void Exchange::watchBody() {
  const Options& options = endpoint_.services().options;
  const auto passed_ms = static_cast<std::uint64_t>(connection_.nowMs() - body_since_ms_);
  const std::uint64_t left_ms =
      options.body_deadline_ms - std::min(options.body_deadline_ms, passed_ms);
  connection_.setDeadline(
      options.body_min_rate == 0 ? left_ms : std::min(options.body_rate_window_ms, left_ms));
}

bool Exchange::mayBodyGoOn() {
  const Options& options = endpoint_.services().options;
  const auto passed_ms = static_cast<std::uint64_t>(connection_.nowMs() - body_since_ms_);
  if (passed_ms >= options.body_deadline_ms) return false;
  return parser_.bodyBytes() * 1000 >= options.body_min_rate * passed_ms;
}

void Exchange::onDeadline() {
  const RequestParser::Phase phase = parser_.phase();
  if (phase == RequestParser::Phase::kIdle && connection_.unsentBytes() > 0) {
    // A reply is still going out: the stall deadline guards that; once it is out, time begins anew.
    connection_.setDeadline(endpoint_.services().options.keep_alive_ms);
    return;
  }
  if (phase == RequestParser::Phase::kBody && mayBodyGoOn()) return watchBody();
  if (phase == RequestParser::Phase::kBody) {
    connection_.table().refused(Refusal::kSlowBody, connection_);
  } else if (phase == RequestParser::Phase::kHead || waiting_ == Waiting::kFirst) {
    connection_.table().refused(Refusal::kSlowHead, connection_);
  }
  if (phase == RequestParser::Phase::kHead || phase == RequestParser::Phase::kBody) {
    forgetRequest();
    respondFailure(Code::kTimeout, "the request did not come in time", {.status = 408});
    return;
  }
  connection_.finishWhenSent(CloseReason::kDeadline);
}

void Exchange::onCaughtUp() {
  if (waiting_ != Waiting::kIdle) return;
  connection_.setDeadline(endpoint_.services().options.keep_alive_ms);
}

void Exchange::drain(std::int64_t /*delay_ms*/, std::int64_t /*window_ms*/) {
  is_draining_ = true;
  keeps_alive_ = false;
  if (is_call_under_way_ || is_paused_ || backlog_) return;
  if (parser_.phase() != RequestParser::Phase::kIdle) return;
  connection_.finishWhenSent(CloseReason::kDrain);
}

void Exchange::onReaped() {
  if (is_call_under_way_) endpoint_.services().dispatcher.abandon(connection_.id());
}

}  // namespace sub0::net::http
