// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/echo_session.hpp"

#include "net/ws/frame_encoder.hpp"

namespace sub0::conformance {
namespace {

constexpr std::uint64_t kLargestMessageBytes = 32U << 20;
constexpr std::size_t kUnsentBytes = 256U << 10;
constexpr std::uint64_t kCloseDeadlineMs = 2'000;

}  // namespace

using net::ws::FrameEvent;
using net::ws::Message;
using net::ws::Opcode;

EchoSession::EchoSession(net::Connection& connection) : connection_(connection) {
  limits_.max_message_bytes = kLargestMessageBytes;
  limits_.max_fragments = 1U << 20;
  limits_.accept_binary = true;
}

std::unique_ptr<net::Protocol> EchoSession::make(net::Connection& connection, net::LoopServices&,
                                                 const net::ws::Handshake&,
                                                 const net::http::Request&) {
  return std::make_unique<EchoSession>(connection);
}

void EchoSession::onInput(std::span<char>& input) {
  Message message;
  while (connection_.isOpen()) {
    const FrameEvent event = decoder_.next(input, limits_, message);
    if (event == FrameEvent::kNeedMore) break;
    answer(event, message);
  }
  if (!connection_.isOpen() || connection_.unsentBytes() < kUnsentBytes) return;
  connection_.setReading(false);
  connection_.resumeWhenSent();
}

void EchoSession::answer(FrameEvent event, const Message& message) {
  const std::string_view payload(message.payload.data(), message.payload.size());
  switch (event) {
    case FrameEvent::kText:
      return net::ws::appendFrame(connection_.output().tail(), Opcode::kText, payload);
    case FrameEvent::kBinary:
      return net::ws::appendFrame(connection_.output().tail(), Opcode::kBinary, payload);
    case FrameEvent::kPing:
      return net::ws::appendFrame(connection_.output().tail(), Opcode::kPong, payload);
    case FrameEvent::kClose:
      return close(message, {});
    case FrameEvent::kError:
      return close(message, message.reason);
    case FrameEvent::kPong:
    case FrameEvent::kNeedMore:
      return;
  }
}

void EchoSession::close(const Message& message, std::string_view reason) {
  net::ws::appendClose(connection_.output().tail(), message.close_code, reason);
  connection_.finish(net::CloseReason::kPeer, kCloseDeadlineMs);
}

void NoCalls::dispatch(const call::Request& request) {
  call::Reply reply;
  reply.code = Code::kUnavailable;
  reply.status = codeInfo(reply.code).status;
  request.reply_port->deliver(request.sender, reply);
}

}  // namespace sub0::conformance
