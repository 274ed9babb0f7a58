// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "net/connection.hpp"
#include "net/loop_services.hpp"
#include "net/ws/frame_decoder.hpp"
#include "net/ws/handshake.hpp"

namespace sub0::conformance {

/// What speaks behind the handshake of the echo server: messages go back as they came, text and
/// binary, on the host's own connections. Reading stops while much is unsent. One loop's thread.
class EchoSession final : public net::Protocol {
 public:
  explicit EchoSession(net::Connection& connection);

  /// In place of ws::Session::make.
  static std::unique_ptr<net::Protocol> make(net::Connection& connection, net::LoopServices&,
                                             const net::ws::Handshake&, const net::http::Request&);

  void onInput(std::span<char>& input) override;
  std::size_t readRoomBytes() const override { return loop::Loop::kReadBytes; }
  void onEndOfInput() override { connection_.abort(net::CloseReason::kPeer); }
  void onDeadline() override { connection_.abort(net::CloseReason::kDeadline); }
  void onResume() override { connection_.setReading(true); }
  void deliver(std::uint64_t, const call::Reply&) override {}
  void drain(std::int64_t, std::int64_t) override {}
  void onClosed() override {}
  void onReaped() override {}

 private:
  void answer(net::ws::FrameEvent event, const net::ws::Message& message);
  void close(const net::ws::Message& message, std::string_view reason);

  net::Connection& connection_;
  net::ws::FrameDecoder decoder_;
  net::ws::FrameLimits limits_;
};

/// Accepts every call with `unavailable`: there are no resources here.
class NoCalls final : public call::Dispatcher {
 public:
  void dispatch(const call::Request& request) override;
  void abandon(std::uint64_t) override {}
};

class NoResources final : public call::Catalogue {
 public:
  const std::vector<std::string>& tokenSchemes() const override { return none_; }
  const std::vector<std::string>& keptHeaders() const override { return none_; }

 private:
  std::vector<std::string> none_;
};

}  // namespace sub0::conformance
