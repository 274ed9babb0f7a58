// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "net/connection.hpp"
#include "net/http/request_parser.hpp"
#include "net/http/response_writer.hpp"
#include "net/protocol.hpp"

namespace sub0::net::http {

class Endpoint;

/// HTTP on one connection: requests one after the other, one call at a time; pipelined input waits
/// (64 KiB, then reading stops) and is answered in order. Deadlines for head, body and keep-alive.
/// What a request means is the Endpoint's matter. One loop's thread.
class Exchange final : public Protocol {
 public:
  Exchange(Connection& connection, Endpoint& endpoint);

  std::string_view clientAddress() const override {
    return client_address_ ? std::string_view(*client_address_) : std::string_view();
  }
  void onInput(std::span<char>& input) override;
  std::size_t readRoomBytes() const override;
  void onEndOfInput() override;
  void onDeadline() override;
  void onCaughtUp() override;
  void onResume() override;
  void deliver(std::uint64_t slot, const call::Reply& reply) override;
  void drain(std::int64_t delay_ms, std::int64_t window_ms) override;
  void onClosed() override {}
  void onReaped() override;

  Connection& connection() { return connection_; }
  /// The connection of the first request's head deadline starts with the connection.
  void startDeadline();

  /// Writes a response to the request at hand; closes behind it where head.close or the request
  /// asks for that. Date, CORS lines, HEAD and Connection are added.
  void respond(ResponseHead head, std::string_view body);
  void respondFailure(Code code, std::string_view message, ResponseHead head = {});

  /// The number of the call that is about to be dispatched.
  std::uint64_t beginCall();
  /// Of the request at hand, where it came through a trusted proxy.
  void setClientAddress(const std::string& address);
  call::VerifiedTokens& verifiedTokens() { return verified_tokens_; }
  void endDispatch() { is_dispatching_ = false; }

 private:
  enum class Waiting : std::uint8_t { kNone, kFirst, kIdle, kHead, kBody };
  void serve(std::span<char>& input);
  void keep(std::span<char> input);
  bool holdInput();
  void refuseInput();
  void start(const Request& request);
  void forgetRequest();
  void watchDeadline();
  void watchBody();
  bool mayBodyGoOn();
  void endIfIdle();
  std::size_t backlogBytes() const;

  Connection& connection_;
  Endpoint& endpoint_;
  RequestParser parser_;
  std::uint32_t slot_ = 0;
  bool is_call_under_way_ : 1 = false;
  bool is_dispatching_ : 1 = false;
  bool is_paused_ : 1 = false;  // over the soft mark
  bool keeps_alive_ : 1 = true;
  bool is_head_ : 1 = false;
  bool has_input_ended_ : 1 = false;
  bool is_draining_ : 1 = false;
  Waiting waiting_ = Waiting::kNone;
  std::int64_t body_since_ms_ = 0;  // when the head of the body under way was whole
  call::VerifiedTokens verified_tokens_;
  std::unique_ptr<std::string> backlog_;  // with 64 bytes behind the input
  std::unique_ptr<std::string> origin_;   // of the request at hand, where the policy asks
  std::unique_ptr<std::string> client_address_;
};

}  // namespace sub0::net::http
