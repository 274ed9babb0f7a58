// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "net/connection.hpp"
#include "net/http/endpoint.hpp"
#include "net/protocol.hpp"

namespace sub0::net::http {

/// A connection that is over a limit: it gets 503 or 429 unasked, whatever it would have
/// sent, and is closed in order, so that the client can read why. Few are open at a time; beyond,
/// sockets are closed without a word. One loop's thread.
class RefusedConnection final : public Protocol {
 public:
  static constexpr std::size_t kMaxOpen = 64;

  /// `open` counts those that are.
  explicit RefusedConnection(std::size_t& open) : open_(open) { ++open_; }
  ~RefusedConnection() override { --open_; }

  static void answer(Connection& connection, Endpoint& endpoint, Refusal refusal);

  void onInput(std::span<char>& input) override { input = {}; }
  std::size_t readRoomBytes() const override { return loop::Loop::kReadBytes; }
  void onEndOfInput() override {}
  void onDeadline() override {}
  void onResume() override {}
  void deliver(std::uint64_t, const call::Reply&) override {}
  void drain(std::int64_t, std::int64_t) override {}
  void onClosed() override {}
  void onReaped() override {}

 private:
  std::size_t& open_;
};

}  // namespace sub0::net::http
