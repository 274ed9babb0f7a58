// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/client.hpp"

#include <algorithm>

#include "tests/simulation/http_client.hpp"
#include "tests/simulation/socket_client.hpp"

namespace sub0::simulation {

Client::Client(World& world, Network& network, Judge& judge, const Scenario& scenario,
               const ClientPlan& plan)
    : world_(world),
      network_(network),
      judge_(judge),
      scenario_(scenario),
      plan_(plan),
      random_(scenario.seed * 1'000'003 + plan.number),
      due_ns_(world.nowNs() + plan.connect_ms * kMs) {
  world_.add(*this);
}

Client::~Client() { world_.remove(*this); }

std::string Client::describe() const {
  return "client " + std::to_string(plan_.number) + (plan_.is_socket ? " (socket" : " (http") +
         ", style " + std::to_string(static_cast<int>(plan_.style)) + ", step " +
         std::to_string(next_step_) + " of " + std::to_string(plan_.steps.size()) + ")";
}

void Client::fail(std::string_view oracle, const std::string& text) {
  world_.fail(oracle, describe() + ": " + text);
}

bool Client::isReady() {
  if (is_done_ || !mayConnect()) return false;
  const std::int64_t now_ns = world_.nowNs();
  if (due_ns_ >= 0 && due_ns_ <= now_ns) return true;
  if (!link_) return false;
  if (is_reading_ && network_.clientHasInput(*link_)) return true;
  return hasOutput() && network_.clientHasRoom(*link_);
}

std::int64_t Client::dueNs() { return is_done_ || !mayConnect() ? -1 : due_ns_; }

bool Client::mayConnect() const { return plan_.after == 0 || judge_.hasLeft(plan_.after); }

void Client::act() {
  if (!link_) {
    connect();
    return;
  }
  const bool is_due = due_ns_ >= 0 && due_ns_ <= world_.nowNs();
  const bool has_input = is_reading_ && network_.clientHasInput(*link_);
  const bool can_send = hasOutput() && network_.clientHasRoom(*link_);
  const std::size_t choice = random_.below(3);  // what comes first is chance
  if (has_input && (choice == 0 || (!is_due && !can_send))) return receive();
  if (can_send && (choice == 1 || !is_due)) return send();
  if (!is_due) return;
  due_ns_ = -1;
  onTime();
}

void Client::connect() {
  due_ns_ = -1;
  link_ = network_.connect(plan_.up_bytes, plan_.down_bytes, plan_.max_delay_ms * kMs,
                           "10.0.0." + std::to_string(plan_.number));
  world_.note("client", plan_.number, "connects as connection", link_->number);
  if (plan_.reset_ms >= 0) {
    world_.at(world_.nowNs() + plan_.reset_ms * kMs, [this] {
      if (is_done_) return;
      is_hurt_ = true;
      world_.note("network", link_->number, "breaks the connection");
      network_.clientReset(*link_);
      onEnd(true);
      is_done_ = true;
    });
  }
  onConnected();
}

void Client::send() {
  std::size_t size = output_.size() - output_sent_;
  if (plan_.write_bytes != 0) size = std::min(size, 1 + random_.below(plan_.write_bytes));
  const std::size_t sent =
      network_.clientSend(*link_, std::string_view(output_).substr(output_sent_, size));
  world_.note("client", plan_.number, "writes", sent);
  output_sent_ += sent;
  if (hasOutput()) return;
  output_.clear();
  output_sent_ = 0;
  if (finishes_) network_.clientFinish(*link_);
}

void Client::receive() {
  std::size_t size = std::size_t{64} << 10;
  if (plan_.read_bytes != 0) size = 1 + random_.below(plan_.read_bytes);
  const std::size_t before = input_.size();
  switch (network_.clientReceive(*link_, size, input_)) {
    case Received::kNothing:
      return;
    case Received::kSome:
      last_read_ns_ = world_.nowNs();
      world_.note("client", plan_.number, "reads", input_.size() - before,
                  std::string_view(input_).substr(before));
      onInput();
      return;
    case Received::kEnd:
    case Received::kReset: {
      const bool is_reset = network_.clientReceive(*link_, 1, input_) == Received::kReset;
      world_.note("client", plan_.number, is_reset ? "is reset" : "sees the end");
      setReading(false);
      onEnd(is_reset);
      return;
    }
  }
}

void Client::finishWriting() {
  finishes_ = true;
  if (!hasOutput()) network_.clientFinish(*link_);
}

void Client::leave(bool by_reset) {
  if (is_done_) return;
  world_.note("client", plan_.number, by_reset ? "resets" : "closes");
  judge_.left(plan_.number);
  if (link_) by_reset ? network_.clientReset(*link_) : network_.clientClose(*link_);
  is_done_ = true;
}

bool Client::isSlow() const {
  return plan_.write_bytes != 0 || plan_.read_bytes != 0 || plan_.up_bytes < 5000 ||
         plan_.max_delay_ms > 0;
}

std::string Client::padOf(const Step& step) {
  std::string pad;
  pad.reserve(step.pad_bytes);
  for (std::size_t i = 0; i < step.pad_bytes; ++i) {
    pad.push_back(static_cast<char>('a' + (step.number + i) % 26));
  }
  return pad;
}

std::int64_t Client::patienceMs() const {
  // Calls one after the other at their deadline, and every deadline of the network once.
  const auto steps = static_cast<std::int64_t>(plan_.steps.size());
  const std::int64_t whole_ms = 20'000 + steps * scenario_.call_deadline_ms * 6;
  return isSlow() ? whole_ms * 4 : whole_ms;
}

std::unique_ptr<Client> makeClient(World& world, Network& network, Judge& judge,
                                   const Scenario& scenario, const ClientPlan& plan) {
  if (plan.is_socket) {
    return std::make_unique<SocketClient>(world, network, judge, scenario, plan);
  }
  return std::make_unique<HttpClient>(world, network, judge, scenario, plan);
}

}  // namespace sub0::simulation
