// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/http_client.hpp"

#include <algorithm>

namespace sub0::simulation {

void HttpClient::onConnected() {
  idle_since_ns_ = world_.nowNs();
  if (plan_.style == Style::kSilent) {
    has_misbehaved_ = true;
    expectEndIn(scenario_.options.head_deadline_ms);
    wakeIn(patienceMs());
    return;
  }
  wakeIn(step()->gap_ms);
}

void HttpClient::onTime() {
  if (is_ending_ || has_misbehaved_) {
    if (!judge_.isDraining() && plan_.style != Style::kNeverReads) {
      fail("hangs", "the server does not end the connection");
    }
    leave(true);
    return;
  }
  if (step() != nullptr && (plan_.pipelines || waiting_.empty())) {
    next();
    return;
  }
  if (step() == nullptr && waiting_.empty()) {
    is_ending_ = true;
    finishWriting();
    wakeIn(patienceMs());
    return;
  }
  // Nothing came in all the time.
  if (plan_.style != Style::kNeverReads && !judge_.isDraining()) {
    fail("hangs", std::to_string(waiting_.size()) + " requests are not answered");
  }
  leave(true);
}

void HttpClient::next() {
  const Step& next_step = *step();
  ++next_step_;
  const bool is_middle = next_step_ > plan_.steps.size() / 2;
  if (is_middle && !plan_.isGood() && plan_.style != Style::kNeverReads) {
    misbehave();
    return;
  }
  sendRequest(next_step);
  if (plan_.style == Style::kNeverReads) setReading(false);
  const bool goes_on = plan_.pipelines && step() != nullptr;
  wakeIn(goes_on ? step()->gap_ms : patienceMs());
}

void HttpClient::sendRequest(const Step& step) {
  if (waiting_.empty()) idled_ns_ = world_.nowNs() - idle_since_ns_;
  if (step.number % 9 == 0) {
    const bool is_health = step.number % 2 == 0;
    waiting_.push_back({0, is_health ? 200 : 404});
    write(is_health ? "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    : "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  const std::string pad = padOf(step);
  judge_.sent(plan_.number, step, false, false, pad);
  const std::string body = payloadOf(step.hows, step.number, pad, step.to);
  std::string request = "POST /at/" + scenario_.resources[step.resource].id +
                        " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  if (step.is_fragmented) {
    request += "Transfer-Encoding: chunked\r\n\r\n";
    const std::size_t first = 1 + random_.below(body.size() - 1);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", first);
    request += size + body.substr(0, first) + "\r\n";
    std::snprintf(size, sizeof size, "%zx\r\n", body.size() - first);
    request += size + body.substr(first) + "\r\n0\r\n\r\n";
  } else {
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  waiting_.push_back({step.number, 0});
  world_.note("client", plan_.number, "requests", step.number, body);
  write(request);
}

void HttpClient::misbehave() {
  has_misbehaved_ = true;
  world_.note("client", plan_.number, "misbehaves, style", static_cast<std::uint64_t>(plan_.style));
  switch (plan_.style) {
    case Style::kResets:
      leave(true);
      return;
    case Style::kVanishes:
      finishWriting();
      break;
    case Style::kHalfHead:
      write("POST /at/echo HTTP/1.1\r\nHost: loc");
      expectEndIn(scenario_.options.head_deadline_ms);
      break;
    case Style::kHalfBody:
      write("POST /at/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{\"n\":");
      expectEndIn(scenario_.options.body_deadline_ms);
      break;
    default:
      write("GET  /at/echo HTTP/9\r\n\r\n");
      break;
  }
  wakeIn(patienceMs());
}

void HttpClient::onInput() {
  while (!isDone()) {
    Response response;
    std::string problem;
    const Read read = readResponse(input_, true, response, problem);
    if (read == Read::kMore) return;
    if (read == Read::kBad) {
      fail("frames", problem);
      leave(true);
      return;
    }
    onResponse(response);
  }
}

void HttpClient::onResponse(const Response& response) {
  judge_.sawResponse();
  if (response.status == 408) judge_.lost();
  const auto body = Json::parse(response.body);
  if (!body || body->find("success") == nullptr || body->find("data") == nullptr) {
    return fail("reply-shape", "no JSON reply: " + response.body.substr(0, 200));
  }
  if (was_told_) fail("frames", "a response behind Connection: close");
  was_told_ = was_told_ || response.closes;
  if (response.status == 408 && (isSlow() || has_misbehaved_)) {
    waiting_.clear();  // its time was up
  } else if (waiting_.empty()) {
    if (!has_misbehaved_) fail("one-reply", "a response that nobody asked for");
  } else {
    const Waiting waiting = waiting_.front();
    waiting_.pop_front();
    if (waiting.call != 0) {
      judge_.replied(plan_.number, waiting.call, *body, response.status);
    } else if (response.status != waiting.status) {
      fail("reply-shape", "status " + std::to_string(response.status) + " instead of " +
                              std::to_string(waiting.status));
    }
  }
  if (waiting_.empty()) idle_since_ns_ = world_.nowNs();
  if (response.closes) {
    if (isFaithful() && !judge_.isDraining() && response.status != 408) {
      fail("closed", "the server closes after " + std::to_string(response.status));
    }
    is_ending_ = true;
    wakeIn(patienceMs());
    return;
  }
  if (has_misbehaved_) return;
  if (step() == nullptr || !plan_.pipelines) {
    if (waiting_.empty()) wakeIn(step() != nullptr ? step()->gap_ms : plan_.stay_ms);
  }
}

void HttpClient::onEnd(bool is_reset) {
  if (must_end_ns_ >= 0 && world_.nowNs() > must_end_ns_ && !judge_.isDraining()) {
    fail("deadline", "a request that does not come was waited for too long");
  }
  if (isFaithful() && is_reset && !judge_.isDraining()) fail("closed", "reset");
  const bool may_end = is_ending_ || judge_.isDraining() || has_misbehaved_;
  // An idle connection is closed in its time, perhaps with a request on its way (RFC 9112 9.6).
  const net::Options& options = scenario_.options;
  const auto patience_ms =
      static_cast<std::int64_t>(std::min(options.head_deadline_ms, options.keep_alive_ms));
  const bool was_idle = idled_ns_ > (patience_ms - 200) * kMs;
  if (was_idle && !waiting_.empty()) judge_.lost();
  const bool is_idle = waiting_.empty() || was_idle;
  if (isFaithful() && !may_end && !is_idle) {
    fail("closed",
         "the connection ended with " + std::to_string(waiting_.size()) + " requests not answered");
  }
  if (!input_.empty() && isFaithful()) fail("frames", "the connection ended in a response");
  leave(false);
}

}  // namespace sub0::simulation
