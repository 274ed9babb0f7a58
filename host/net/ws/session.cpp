// SPDX-License-Identifier: Apache-2.0
#include "net/ws/session.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/text.hpp"
#include "base/time_units.hpp"
#include "json/plain_envelope.hpp"
#include "net/spare_bytes.hpp"
#include "net/ws/close_codes.hpp"
#include "net/ws/envelope.hpp"
#include "net/ws/frame_encoder.hpp"
#include "net/ws/hub.hpp"

namespace sub0::net::ws {
namespace {
constexpr std::size_t kSpareSlots = 64;

/// What a message that waits takes, the empty one too.
std::size_t waitingCost(std::size_t text_bytes) {
  return text_bytes + kSpareBytes + sizeof(std::string);
}

std::size_t appendBusy(std::string& out, std::string_view uid_json, const call::Reply& reply) {
  call::Reply busy;
  busy.code = Code::kBusy;
  busy.status = codeInfo(Code::kBusy).status;
  busy.action_json = reply.action_json;
  busy.id_json = reply.id_json;
  return appendReplyFrame(out, uid_json, busy);
}
}  // namespace

Session::Session(Connection& connection, LoopServices& services, std::unique_ptr<Identity> identity)
    : connection_(connection), services_(services), identity_(std::move(identity)) {}

Session::~Session() {
  if (is_listed_) services_.hub.forget(services_.loop.index(), *this);
}

std::unique_ptr<Protocol> Session::make(Connection& connection, LoopServices& services,
                                        const Handshake& handshake, const http::Request& request) {
  std::unique_ptr<Identity> identity;
  const auto wanted = [&identity]() -> Identity& {
    if (!identity) identity = std::make_unique<Identity>();
    return *identity;
  };
  if (!handshake.uid.empty()) {
    wanted().uid = handshake.uid;
    identity->uid_json.clear();
    text::appendJsonString(identity->uid_json, handshake.uid);
  }
  if (!handshake.token.empty()) {
    wanted().token_scheme = handshake.protocol;
    identity->token = handshake.token;
  }
  for (const std::string& name : services.catalogue->keptHeaders()) {
    const auto value = request.header(name);
    if (value) wanted().headers.emplace_back(name, *value);
  }
  if (identity) {
    for (const auto& [name, value] : identity->headers) {
      identity->header_views.push_back({name, value});
    }
  }
  auto session = std::make_unique<Session>(connection, services, std::move(identity));
  if (!services.hub.join(services.loop.index(), *session)) return nullptr;
  session->is_joined_ = true;
  session->is_listed_ = true;
  session->schedulePing();
  return session;
}

std::size_t Session::readRoomBytes() const {
  if (!cold_ || state_ != State::kOpen) return loop::Loop::kReadBytes;
  const std::size_t limit_bytes = services_.options.max_waiting_bytes;
  return limit_bytes - std::min(limit_bytes, cold_->waiting_bytes);
}

void Session::onInput(std::span<char>& input) {
  has_heard_ = true;
  takeFrames(input);
  if (decoder_.holdsMemory() || holds_input_) watchInput();
}

inline void Session::takeFrames(std::span<char>& input) {
  Message message;
  while (connection_.isOpen()) {
    switch (decoder_.next(input, services_.frame_limits, message)) {
      case FrameEvent::kNeedMore:
        return;
      case FrameEvent::kText:
        onMessage(message.payload);
        if (input.empty() && !decoder_.holdsMemory()) return;
        break;
      case FrameEvent::kBinary:
        close(kUnsupportedData, "binary messages are not taken", CloseReason::kUnsupported);
        break;
      case FrameEvent::kPing:
        onPing(message.payload);
        break;
      case FrameEvent::kPong:
        break;
      case FrameEvent::kClose:
        onCloseFrame(message);
        return;
      case FrameEvent::kError:
        onFrameError(message);
        return;
    }
  }
}

void Session::onMessage(std::span<char> text) {
  if (state_ != State::kOpen || is_draining_) return;
  services_.counters.messages.add();
  if (services_.options.message_rate != 0 && isTooFast()) return;
  if ((cold_ && !cold_->waiting.empty()) || isPaused()) {
    wait(text);
    return;
  }
  handle({text.data(), text.size()});
}

/// A leaky bucket that holds a second's worth.
bool Session::isTooFast() {
  const auto rate = static_cast<std::int64_t>(services_.options.message_rate);
  const std::int64_t interval_ns = std::max<std::int64_t>(kNsPerSecond / rate, 1);
  const std::int64_t now_ns = services_.loop.nowNs();
  paid_until_ns_ = std::max(paid_until_ns_, now_ns) + interval_ns;
  if (paid_until_ns_ - now_ns <= interval_ns * rate) return false;
  connection_.table().refused(Refusal::kMessageRate, connection_);
  close(kPolicyViolation, "too fast: over SUB0_MESSAGE_RATE", CloseReason::kTooFast);
  return true;
}

bool Session::isPaused() {
  const Options& options = services_.options;
  if (calls_under_way_ >= options.max_calls_under_way) return true;
  if (cold_ && cold_->span() >= ReplySlots::kMaxSpan) return true;
  const std::size_t held_bytes = cold_ ? cold_->held_bytes : 0;
  if (connection_.unsentBytes() + held_bytes < options.soft_unsent_bytes) return false;
  connection_.flush();
  if (connection_.unsentBytes() + held_bytes < options.soft_unsent_bytes) return false;
  connection_.resumeWhenSent();
  return true;
}

void Session::wait(std::span<char> text) {
  ReplySlots& slots = cold();
  std::string& copy = slots.waiting.emplace_back();
  copy.reserve(text.size() + kSpareBytes);
  copy.assign(text.data(), text.size());
  copy.append(kSpareBytes, '\0');
  slots.waiting_bytes += waitingCost(text.size());
  holds_input_ = true;
  if (slots.waiting_bytes >= services_.options.max_waiting_bytes) connection_.setReading(false);
}

void Session::onResume() {
  answerPing();
  if (is_draining_ && !owesAnything()) return sayGoingAway();
  while (cold_ && !cold_->waiting.empty() && state_ == State::kOpen && !is_draining_ &&
         !isPaused()) {
    const std::string text = std::move(cold_->waiting.front());
    cold_->waiting.pop_front();
    cold_->waiting_bytes -= waitingCost(text.size() - kSpareBytes);
    handle({text.data(), text.size() - kSpareBytes});
  }
  releaseCold();
  if (!connection_.isReading() && readRoomBytes() > 0) {
    connection_.setReading(true);
    if (std::int64_t* since_ms = decoder_.messageSince()) *since_ms = connection_.nowMs();
  }
  if (holds_input_) watchInput();
}

void Session::handle(std::string_view padded_text) {
  json::Envelope envelope;
  if (!json::readPlainEnvelope(padded_text, envelope)) {
    auto parsed = services_.parser.parseEnvelope(padded_text);
    if (!parsed) {
      refuse(parsed.error().code, parsed.error().clientMessage(), {});
      return;
    }
    envelope = *parsed;
  }
  if (!envelope.has_resource) {
    refuse(Code::kBadRequest,
           envelope.has_odd_resource ? "the member `resource` must be a text"
                                     : "the member `resource` is missing",
           envelope);
    return;
  }
  if (!services_.readiness.is_ready()) {
    refuse(Code::kUnavailable, {}, envelope);
    return;
  }
  dispatch(envelope);
}

void Session::beginCall(bool is_ordered) {
  const std::uint64_t slot = next_slot_++;
  inline_slot_ = slot;
  // Behind open slots the order is theirs to keep: this one is open from the start.
  if (cold_ && cold_->hasSlots()) {
    cold_->open(slot, is_ordered);
    inline_slot_ = 0;
  }
  ++calls_under_way_;
}

void Session::endDispatch(bool is_ordered) {
  if (inline_slot_ == 0) return;
  cold().open(inline_slot_, is_ordered);
  inline_slot_ = 0;
}

void Session::refuse(Code code, std::string_view message, const json::Envelope& envelope) {
  call::Reply reply;
  reply.code = code;
  reply.status = codeInfo(code).status;
  reply.message = message;
  reply.action_json = envelope.action_json;
  reply.id_json = envelope.id_json;
  beginCall(envelope.id_json.empty());
  deliver(next_slot_ - 1, reply);
}

void Session::dispatch(const json::Envelope& envelope) {
  if (ClosedRecord* record = connection_.record()) ++record->calls;
  const bool is_ordered = envelope.id_json.empty();
  beginCall(is_ordered);
  call::Request request;
  request.sender = {services_.loop.index(), connection_.id(), next_slot_ - 1, true};
  request.reply_port = &services_.replies;
  request.resource = envelope.resource;
  request.payload_json = envelope.payload_json;
  request.payload_is_valid = true;
  request.peer_address = connection_.peerAddress();
  request.uid_json = uidJson();
  request.action_json = envelope.action_json;
  request.action_is_plain = envelope.is_plain;
  request.id_json = envelope.id_json;
  request.connection_number = connection_.number();
  if (identity_) {
    request.headers = identity_->header_views;
    request.uid = identity_->uid;
    request.token_scheme = identity_->token_scheme;
    request.token = identity_->token;
    request.verified_tokens = &identity_->verified_tokens;
    request.tokens_last = true;  // in identity_, too
  }
  services_.dispatcher.dispatch(request);
  endDispatch(is_ordered);
}

void Session::deliver(std::uint64_t slot, const call::Reply& reply) {
  assert(calls_under_way_ > 0);
  if (slot == inline_slot_) {
    inline_slot_ = 0;
    --calls_under_way_;
    if (reply.is_followed) ++followers_due_;
    write(reply);
    return;
  }
  ReplySlots::Slot* open = cold_ ? cold_->find(slot) : nullptr;
  if (open == nullptr || open->is_done) return;
  open->is_done = true;
  --calls_under_way_;
  if (open->is_ordered && cold_->isHeldBack(slot)) {
    hold(open->held, reply);
  } else {
    write(reply);
  }
  if (reply.is_followed) {
    ++followers_due_;
  } else {
    releaseHeld();
  }
}

/// S-116: broadcasts of a call come right behind its reply, so what was held back waits for them.
void Session::followersSent() {
  if (followers_due_ == 0) return;
  --followers_due_;
  releaseHeld();
}

void Session::releaseHeld() {
  if (cold_) cold_->releaseHeld([this](const std::string& frames) { release(frames); });
  afterReply();
}

void Session::afterReply() {
  if (is_draining_ && !owesAnything()) {
    // Not here: the call's broadcasts go first (S-116).
    connection_.resumeLater();
    return;
  }
  if (!cold_) return;
  if (cold_->waiting.empty()) {
    releaseCold();
  } else {
    connection_.resumeLater();
  }
}

void Session::write(const call::Reply& reply) {
  if (state_ != State::kOpen) return;
  services_.counters.replies.add();
  std::string& out = connection_.output().tail();
  const std::size_t size_bytes = appendReplyFrame(out, uidJson(), reply);
  const Admission admission = connection_.admit(size_bytes);
  if (admission != Admission::kOverBudget) {
    if (admission != Admission::kAdmitted) judge(admission);
    return;
  }
  connection_.output().removeTail(size_bytes);
  out.shrink_to_fit();  // many of a turn's replies may be refused before it is sent
  appendBusy(out, uidJson(), reply);
}

void Session::hold(std::string& held, const call::Reply& reply) {
  services_.counters.replies.add();
  std::size_t size_bytes = appendReplyFrame(held, uidJson(), reply);
  if (cold_->held_bytes + size_bytes > services_.options.hard_unsent_bytes) {
    held = std::string();
    size_bytes = appendBusy(held, uidJson(), reply);
  }
  cold_->held_bytes += size_bytes;
}

void Session::release(const std::string& frames) {
  if (state_ != State::kOpen) return;
  connection_.output().tail().append(frames);
  judge(connection_.admit(frames.size()));
}

void Session::sendFrame(const SharedBytes& frame) {
  if (state_ != State::kOpen) return;
  services_.counters.broadcast_deliveries.add();
  const Admission admission = connection_.share(frame);
  if (admission != Admission::kAdmitted) judge(admission);
}

void Session::sendBehind(std::uint64_t slot, const SharedBytes& frame) {
  ReplySlots::Slot* held = cold_ ? cold_->find(slot) : nullptr;
  if (held == nullptr) {
    sendFrame(frame);
    return;
  }
  services_.counters.broadcast_deliveries.add();
  held->held.append(*frame);
  cold_->held_bytes += frame->size();
  if (cold_->held_bytes <= services_.options.hard_unsent_bytes) return;
  connection_.table().refused(Refusal::kUnsent, connection_);
  judge(Admission::kOverLimit);
}

void Session::judge(Admission admission) {
  switch (admission) {
    case Admission::kAdmitted:
      return;
    case Admission::kOverBudget:
      close(kTryLater, "the server's memory for unsent messages is used up",
            CloseReason::kOverflow);
      return;
    case Admission::kOverLimit:
      close(kPolicyViolation, "too slow: over SUB0_UNSENT_LIMIT_BYTES unsent",
            CloseReason::kSlowReader);
      return;
  }
}

void Session::onPing(std::span<char> payload) {
  if (state_ != State::kOpen) return;
  if (services_.options.message_rate != 0 && isTooFast()) return;
  if (!connection_.isBlocked()) {
    if (cold_) cold_->has_ping = false;  // an older one, which waited, is answered by this one too
    appendFrame(connection_.output().tail(), Opcode::kPong, {payload.data(), payload.size()});
    return;
  }
  // The peer does not read: of several pings the latest is answered (RFC 6455 section 5.5.3).
  cold().has_ping = true;
  cold_->ping.assign(payload.data(), payload.size());
  connection_.resumeWhenSent();
}

void Session::answerPing() {
  if (!cold_ || !cold_->has_ping || state_ != State::kOpen) return;
  cold_->has_ping = false;
  appendFrame(connection_.output().tail(), Opcode::kPong, cold_->ping);
}

void Session::onCloseFrame(const Message& message) {
  const bool is_answer = state_ == State::kClosing;
  if (ClosedRecord* record = connection_.record()) {
    record->code_received = message.close_code;
    if (!is_answer) record->code_sent = message.close_code;
  }
  if (!is_answer) appendClose(connection_.output().tail(), message.close_code, {});
  state_ = State::kEnded;
  connection_.finish(CloseReason::kPeer, services_.options.close_deadline_ms);
}

void Session::onFrameError(const Message& message) {
  if (state_ == State::kOpen) {
    if (ClosedRecord* record = connection_.record()) record->code_sent = message.close_code;
    appendClose(connection_.output().tail(), message.close_code, message.reason);
  }
  state_ = State::kEnded;
  CloseReason reason = CloseReason::kProtocolError;
  if (message.close_code == kUnsupportedData) reason = CloseReason::kUnsupported;
  if (message.close_code == kPolicyViolation || message.close_code == kTooBig)
    reason = CloseReason::kTooLarge;
  connection_.finish(reason, services_.options.close_deadline_ms);
}

void Session::close(std::uint16_t code, std::string_view text, CloseReason reason) {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  onClosed();
  if (ClosedRecord* record = connection_.record()) record->code_sent = code;
  appendClose(connection_.output().tail(), code, text);
  const Options& options = services_.options;
  connection_.endsBecause(reason);
  connection_.setDeadline(reason == CloseReason::kSlowReader ? options.overflow_close_ms
                                                             : options.close_deadline_ms);
  connection_.setReading(true);
}

void Session::onEndOfInput() {
  state_ = State::kEnded;
  connection_.abort(CloseReason::kReset);
}

void Session::onClosed() {
  if (is_joined_) services_.hub.leave(services_.loop.index(), *this);
  is_joined_ = false;
  if (state_ == State::kOpen) state_ = State::kEnded;
}

void Session::onReaped() {
  if (calls_under_way_ > 0) services_.dispatcher.abandon(connection_.id());
}

ReplySlots& Session::cold() {
  if (cold_) return *cold_;
  auto& spare = services_.spare_slots;
  if (spare.empty()) {
    cold_ = std::make_unique<ReplySlots>();
  } else {
    cold_ = std::move(spare.back());
    spare.pop_back();
  }
  return *cold_;
}

void Session::releaseCold() {
  if (!cold_ || !cold_->empty()) return;
  auto& spare = services_.spare_slots;
  if (spare.size() < kSpareSlots) spare.push_back(std::move(cold_));
  cold_.reset();
}

}  // namespace sub0::net::ws
