// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/socket_client.hpp"

#include <algorithm>
#include <optional>

namespace sub0::simulation {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 section 1.3
constexpr std::uint8_t kFin = 0x80;

std::string percentEncoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return out;
}

}  // namespace

void SocketClient::onConnected() {
  heard_.client = plan_.number;
  heard_.uid = plan_.uid;
  std::string request = "GET /ws";
  if (!plan_.uid.empty()) request += "?uid=" + percentEncoded(plan_.uid);
  request += " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  request += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + std::string(kKey) + "\r\n\r\n";
  if (plan_.style == Style::kHalfHead) request.resize(1 + random_.below(request.size() - 3));
  if (plan_.style == Style::kGarbage) request = "\x16\x03\x01 no request at all\r\n\r\n";
  write(request);
  wakeIn(patienceMs());
}

void SocketClient::onTime() {
  if (state_ == State::kOpen) {
    if (step() != nullptr) {
      takeStep();
    } else {
      afterSteps();
    }
    return;
  }
  // Time is up for the handshake, or for the server's part of the close.
  if (judge_.isDraining() && state_ == State::kHandshake) {  // nobody accepts any more
    becomeOver(true);
    return;
  }
  fail("hangs", state_ == State::kHandshake ? "the handshake is never answered"
                                            : "the server does not end the connection");
  becomeOver(true);
}

void SocketClient::takeStep() {
  const Step& next = *step();
  ++next_step_;
  const bool is_middle = next_step_ > plan_.steps.size() / 2;
  if (is_middle && plan_.style == Style::kResets) return becomeOver(true);
  if (is_middle && plan_.style == Style::kVanishes) {
    heard_.leaving_ns = world_.nowNs();
    finishWriting();
    state_ = State::kClosing;
    wakeIn(patienceMs());
    return;
  }
  if (is_middle && plan_.style == Style::kBreaksFrames) return breakFrames();
  switch (next.kind) {
    case Step::Kind::kCall:
      sendCall(next);
      break;
    case Step::Kind::kBadJson:
      ordered_.push_back({0, "bad_request"});
      sendMessage(R"({"resource": "echo", )", next.is_fragmented);
      break;
    case Step::Kind::kNoObject:
      ordered_.push_back({0, "bad_request"});
      sendMessage("[1,2]", next.is_fragmented);
      break;
    case Step::Kind::kUnknown:
      if (next.has_id) {
        refused_with_id_.push_back({0, "not_found"});
      } else {
        ordered_.push_back({0, "not_found"});
      }
      sendMessage(next.has_id ? R"({"resource":"nowhere","id":"x"})" : R"({"resource":"nowhere"})",
                  next.is_fragmented);
      break;
    case Step::Kind::kPing:
      pings_.push_back("ping " + std::to_string(next.number));
      world_.note("client", plan_.number, "pings", 0, pings_.back());
      sendFrame(kFin | 9, pings_.back());
      break;
    case Step::Kind::kUnaskedPong:
      sendFrame(kFin | 10, "unasked");
      break;
    case Step::Kind::kPause:
      break;
  }
  if (plan_.style == Style::kNeverReads) setReading(false);
  wakeIn(step() != nullptr ? step()->gap_ms : plan_.stay_ms);
}

/// Who answers no ping is closed within two intervals with their tenth more, and the time for the
/// pong; a second for the rest.
std::int64_t SocketClient::longestSilenceMs() const {
  const net::Options& options = scenario_.options;
  return static_cast<std::int64_t>(options.ping_interval_ms * 22 / 10 + options.pong_deadline_ms) +
         1000;
}

/// All is sent: waits for what is owed, stays for a while, then leaves.
void SocketClient::afterSteps() {
  if (!has_done_steps_) {
    has_done_steps_ = true;
    wakeIn(patienceMs());
    if (plan_.style == Style::kNoPong && scenario_.options.ping_interval_ms > 0) {
      wakeIn(longestSilenceMs());
      return;
    }
    if (plan_.style != Style::kNeverReads) mayLeave();
    return;
  }
  if (plan_.style == Style::kNoPong && scenario_.options.ping_interval_ms > 0) {
    // Nobody is asked while the server still has something for him, however slowly he takes it, nor
    // closed while his messages wait for his calls and so are not read.
    const std::int64_t left_ms =
        longestSilenceMs() - (isSlow() ? sinceLastReadMs() : msSince(last_text_ns_));
    if (left_ms > 0 && !judge_.isDraining()) {
      wakeIn(left_ms);
      return;
    }
    if (!judge_.isDraining()) fail("deadline", "it answers no ping and was not closed");
    becomeOver(true);
    return;
  }
  if (plan_.style == Style::kNeverReads) {  // the server need not mind while nothing is unsent
    becomeOver(true);
    return;
  }
  fail("hangs", "no reply: " + std::to_string(ordered_.size()) + " in order, " +
                    std::to_string(with_id_.size()) + " with id, " + std::to_string(pings_.size()) +
                    " pings are not answered");
  becomeOver(true);
}

void SocketClient::mayLeave() {
  if (!has_done_steps_ || state_ != State::kOpen) return;
  if (plan_.style == Style::kNoPong && scenario_.options.ping_interval_ms > 0) return;
  if (!ordered_.empty() || !with_id_.empty() || !refused_with_id_.empty() || !pings_.empty()) {
    return;
  }
  startClosing();
}

void SocketClient::startClosing() {
  heard_.leaving_ns = world_.nowNs();
  state_ = State::kClosing;
  has_sent_close_ = true;
  sendFrame(kFin | 8, std::string("\x03\xe8", 2) + "bye");
  wakeIn(patienceMs());
}

void SocketClient::sendCall(const Step& step) {
  const std::string pad = padOf(step);
  const bool is_held_by_none = step.has_id || ordered_.empty();
  judge_.sent(plan_.number, step, true, is_held_by_none && !isSlow() && isFaithful(), pad);
  const std::string number = std::to_string(step.number);
  std::string text = R"({"resource":")" + scenario_.resources[step.resource].id +
                     R"(","action":"c)" + number + "\"";
  if (step.has_id) {
    text += step.number % 2 == 0 ? R"(,"id":)" + number : R"(,"id":"i)" + number + "\"";
    with_id_.insert(step.number);
  } else {
    ordered_.push_back({step.number, {}});
  }
  text += R"(,"payload":)" + payloadOf(step.hows, step.number, pad, step.to) + "}";
  world_.note("client", plan_.number, "calls", step.number, text);
  sendMessage(text, step.is_fragmented);
}

void SocketClient::sendMessage(std::string_view text, bool is_fragmented) {
  if (!is_fragmented || text.size() < 2) {
    sendFrame(kFin | 1, text);
    return;
  }
  const std::size_t first = random_.below(text.size());
  sendFrame(1, text.substr(0, first));
  if (random_.oneIn(3)) {
    pings_.push_back("between " + std::to_string(++pings_between_));
    world_.note("client", plan_.number, "pings", 0, pings_.back());
    sendFrame(kFin | 9, pings_.back());
  }
  const std::size_t second = random_.below(text.size() - first);
  sendFrame(0, text.substr(first, second));
  sendFrame(kFin | 0, text.substr(first + second));
}

void SocketClient::sendFrame(std::uint8_t first, std::string_view payload) {
  write(clientFrame(first, payload, static_cast<std::uint32_t>(random_.next())));
}

void SocketClient::breakFrames() {
  heard_.leaving_ns = world_.nowNs();
  has_broken_ = true;
  state_ = State::kClosing;
  world_.note("client", plan_.number, "breaks the rules, way", plan_.breakage % 8);
  switch (plan_.breakage % 8) {
    case 0:  // not masked
      write(std::string("\x81\x02{}", 4));
      break;
    case 1:  // a reserved bit
      sendFrame(kFin | 0x40 | 1, "{}");
      break;
    case 2:  // an opcode that is none
      sendFrame(kFin | 5, "{}");
      break;
    case 3:  // a ping of 126 bytes
      sendFrame(kFin | 9, std::string(126, 'p'));
      break;
    case 4:  // a fragment of nothing
      sendFrame(kFin | 0, "{}");
      break;
    case 5:  // no UTF-8
      sendFrame(kFin | 1, "\"\xc3\x28\"");
      break;
    case 6:  // binary
      sendFrame(kFin | 2, "{}");
      break;
    default:  // larger than is allowed, by its header
      write(std::string("\x81\xff\x00\x00\x00\x00\x80\x00\x00\x00", 10));
      break;
  }
  wakeIn(patienceMs());
}

void SocketClient::onInput() {
  if (state_ == State::kHandshake) readHandshake();
  while (state_ == State::kOpen || state_ == State::kClosing) {
    ServerFrame frame;
    std::string problem;
    const Read read = frames_.next(input_, frame, problem);
    if (read == Read::kMore) return;
    if (read == Read::kBad) {
      fail("frames", problem);
      becomeOver(true);
      return;
    }
    onFrame(frame);
  }
}

void SocketClient::readHandshake() {
  Response response;
  std::string problem;
  const Read read = readResponse(input_, true, response, problem);
  if (read == Read::kMore) return;
  if (read == Read::kBad) return fail("frames", "handshake: " + problem);
  if (response.status != 101) {
    judge_.sawResponse();
    judge_.lost();
    const bool is_refused = plan_.style == Style::kHalfHead || plan_.style == Style::kGarbage;
    const bool is_draining = judge_.isDraining() && response.status == 503;
    const bool is_slow = response.status == 408 && (isSlow() || !isFaithful());
    if (!is_refused && !is_draining && !is_slow) {
      fail("handshake", "refused with " + std::to_string(response.status));
    }
    state_ = State::kClosing;
    heard_.is_faithful = false;
    return;
  }
  const std::string* accept = response.header("sec-websocket-accept");
  if (accept == nullptr || *accept != kAccept) fail("handshake", "wrong Sec-WebSocket-Accept");
  state_ = State::kOpen;
  heard_.joined_ns = world_.nowNs();
  heard_.is_faithful = plan_.isGood();
  wakeIn(step() != nullptr ? step()->gap_ms : 0);
}

void SocketClient::onFrame(const ServerFrame& frame) {
  switch (frame.kind) {
    case ServerFrame::Kind::kText:
      onText(frame.payload);
      break;
    case ServerFrame::Kind::kPing:
      if (plan_.style != Style::kNoPong && !has_sent_close_) sendFrame(kFin | 10, frame.payload);
      break;
    case ServerFrame::Kind::kPong: {
      // Of several pings the latest may be answered alone (RFC 6455 section 5.5.3).
      const auto found = std::find(pings_.begin(), pings_.end(), frame.payload);
      world_.note("client", plan_.number, "gets a pong", 0, frame.payload);
      if (found == pings_.end()) {
        fail("frames", "a pong for no ping: " + frame.payload);
      } else {
        pings_.erase(pings_.begin(), found + 1);
      }
      mayLeave();
      break;
    }
    case ServerFrame::Kind::kClose:
      onCloseFrame(frame);
      break;
  }
}

void SocketClient::onText(const std::string& text) {
  last_text_ns_ = world_.nowNs();
  const auto message = Json::parse(text);
  if (!message || message->type != Json::Type::kObject) {
    return fail("frames", "no JSON object: " + text.substr(0, 200));
  }
  const Json* action = message->find("action");
  const Json* data = message->find("data");
  if (action == nullptr || data == nullptr) return fail("reply-shape", "no action or no data");
  if (message->find("uid") != nullptr) return onReply(*message);
  const Json* number = data->find("n");
  Heard::Item item;
  item.label = action->text;
  if (number != nullptr) item.call = std::stoull(number->text);
  heard_.items.push_back(item);
}

void SocketClient::onReply(const Json& message) {
  judge_.sawResponse();
  const Json& uid = *message.find("uid");
  if (plan_.uid.empty() ? !uid.isNull() : uid.text != plan_.uid) {
    fail("reply-shape", "a reply with another uid: " + uid.toString());
  }
  const Json* status = message.find("status");
  const int code = status == nullptr ? 200 : std::stoi(status->text);
  const Json* id = message.find("id");
  const Json& action = *message.find("action");
  if (id == nullptr) {
    if (ordered_.empty()) return fail("one-reply", "a reply that nobody asked for");
    const Waiting waiting = ordered_.front();
    ordered_.pop_front();
    const std::string expected = waiting.call == 0 ? "" : "c" + std::to_string(waiting.call);
    if (action.text != expected) {
      return fail("reply-order", "the reply for \"" + action.text + "\" came where that for \"" +
                                     expected + "\" was due (S-114)");
    }
    heard_.items.push_back({true, waiting.call, {}});
    if (waiting.call == 0) {
      judge_.refused(plan_.number, message, waiting.error);
    } else {
      judge_.replied(plan_.number, waiting.call, message, code);
    }
  } else if (action.isNull()) {
    if (refused_with_id_.empty()) return fail("one-reply", "a refusal that nobody asked for");
    judge_.refused(plan_.number, message, refused_with_id_.front().error);
    refused_with_id_.pop_front();
    heard_.items.push_back({true, 0, {}});
  } else {
    const std::uint64_t call = std::stoull(action.text.substr(1));
    const bool is_text = call % 2 != 0;
    const std::string expected = (is_text ? "i" : "") + std::to_string(call);
    if (with_id_.erase(call) == 0 || id->text != expected || id->isText() != is_text) {
      return fail("one-reply", "a reply with id " + id->toString() + " for " + action.text);
    }
    heard_.items.push_back({true, call, {}});
    judge_.replied(plan_.number, call, message, code);
  }
  mayLeave();
}

bool SocketClient::expectsClose() const {
  if (has_sent_close_) return true;
  switch (close_code_) {
    case 1001:
      return judge_.isDraining();
    case 1008:  // a message that takes too long
      if (isSlow()) return true;
      [[fallthrough]];
    case 1013:  // too slow, by limits that this run made small
      return scenario_.isShortOfMemory();
    default:
      return false;
  }
}

void SocketClient::onCloseFrame(const ServerFrame& frame) {
  close_code_ = frame.close_code;
  world_.note("client", plan_.number, "is closed by", frame.close_code, frame.payload);
  if (isFaithful() && !expectsClose()) {
    fail("closed", "closed by " + std::to_string(frame.close_code) + " " + frame.payload);
  }
  if (has_broken_) {
    static constexpr std::uint16_t kCodes[] = {1002, 1002, 1002, 1002, 1002, 1007, 1003, 1009};
    const std::uint16_t expected = kCodes[plan_.breakage % 8];
    const bool is_drained = frame.close_code == 1001 && judge_.isDraining();
    const bool is_slow = frame.close_code == 1008 || frame.close_code == 1013;
    if (frame.close_code != expected && !is_drained && !is_slow) {
      fail("closed", "a broken frame was answered by " + std::to_string(frame.close_code) +
                         " instead of " + std::to_string(expected));
    }
  }
  if (heard_.leaving_ns < 0) heard_.leaving_ns = world_.nowNs();
  if (close_code_ == 1001) {
    for (const Waiting& waiting : ordered_) judge_.leftUnanswered(waiting.call);
    for (const std::uint64_t call : with_id_) judge_.leftUnanswered(call);
  }
  if (close_code_ == 1008 || close_code_ == 1013) {
    heard_.is_faithful = false;
    judge_.lost();
  }
  state_ = State::kClosing;
  if (plan_.style != Style::kIgnoresClose && !has_sent_close_ && !has_broken_) {
    has_sent_close_ = true;
    sendFrame(kFin | 8, std::string("\x03\xe8", 2));
  }
  wakeIn(patienceMs());  // now the server ends the connection
}

void SocketClient::onEnd(bool is_reset) {
  if (is_hurt_) heard_.is_faithful = false;
  const bool is_in_order = close_code_ != 0 || state_ == State::kClosing;
  // Too slow for a deadline or limit of this run, and too slow to hear of it.
  const bool is_hurried = judge_.isDraining() || scenario_.options.ping_interval_ms > 0 ||
                          scenario_.isShortOfMemory() || hasOutput();  // a message has a deadline
  // It closed, and did not take what was before the answer in the time that closing has.
  const bool is_cut = has_sent_close_ && close_code_ == 0 &&
                      world_.nowNs() - heard_.leaving_ns >=
                          static_cast<std::int64_t>(scenario_.options.close_deadline_ms) * kMs;
  const bool is_refused = judge_.isDraining() && state_ == State::kHandshake;
  if ((isSlow() && (is_hurried || is_cut)) || is_refused) {
    heard_.is_faithful = false;
    judge_.lost();
  } else if (isFaithful() && (!is_in_order || is_reset)) {
    fail("closed", is_reset ? "reset" : "the connection ended without a close frame");
  }
  if (heard_.leaving_ns < 0) heard_.leaving_ns = world_.nowNs();
  becomeOver(false);
}

void SocketClient::becomeOver(bool by_reset) {
  if (heard_.leaving_ns < 0) heard_.leaving_ns = world_.nowNs();
  state_ = State::kOver;
  leave(by_reset);
}

void SocketClient::report() { judge_.heard(heard_); }

}  // namespace sub0::simulation
