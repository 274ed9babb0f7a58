// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/shared_bytes.hpp"
#include "call/request.hpp"
#include "json/parser.hpp"
#include "net/loop_services.hpp"
#include "net/protocol.hpp"
#include "net/ws/directory.hpp"
#include "net/ws/frame_decoder.hpp"
#include "net/ws/handshake.hpp"
#include "net/ws/reply_slots.hpp"

namespace sub0::net::ws {

/// What a session keeps of its handshake, unchanged; none for a connection without uid, token and
/// kept headers. The token never leaves it but to the call.
struct Identity {
  std::string uid;
  std::string uid_json = "null";
  Directory::Claim uid_claim = 0;
  std::string token_scheme;
  std::string token;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<HeaderField> header_views;
  call::VerifiedTokens verified_tokens;
};

/// A WebSocket connection after the 101: messages become calls (S-111, S-118), replies go out in
/// their slots (S-112, S-114), broadcasts of the own calls right behind them (S-116). Messages
/// wait while 32 calls are under way or the peer reads too slowly; pings are answered meanwhile.
/// A call that ends inside dispatch, with nothing open before it, is written straight to the
/// output. One loop's thread.
class Session final : public Protocol {
 public:
  Session(Connection& connection, LoopServices& services, std::unique_ptr<Identity> identity);
  ~Session() override;

  /// Of an accepted handshake; joins the hub. Null: the hub wants no second connection of that
  /// uid.
  static std::unique_ptr<Protocol> make(Connection& connection, LoopServices& services,
                                        const Handshake& handshake, const http::Request& request);

  std::string_view name() const override { return "ws"; }
  void onInput(std::span<char>& input) override;
  std::size_t readRoomBytes() const override;
  void onEndOfInput() override;
  void onDeadline() override;
  void onResume() override;
  void deliver(std::uint64_t slot, const call::Reply& reply) override;
  void followersSent() override;
  void drain(std::int64_t delay_ms, std::int64_t window_ms) override;
  void onClosed() override;
  void onReaped() override;

  Connection& connection() { return connection_; }
  std::string_view uid() const { return identity_ ? identity_->uid : std::string_view(); }
  /// Its place among the connections of its uid. REQUIRES: it has one.
  Directory::Claim uidClaim() const { return identity_->uid_claim; }
  void setUidClaim(Directory::Claim claim) { identity_->uid_claim = claim; }
  /// Whether it takes broadcasts.
  bool isOpen() const { return state_ == State::kOpen; }

  /// Whether it takes no more messages and ends with its last call.
  bool isDraining() const { return is_draining_; }

  /// A broadcast of somebody else.
  void sendFrame(const SharedBytes& frame);
  /// A broadcast of the own call in `slot`: right behind its reply (S-116).
  void sendBehind(std::uint64_t slot, const SharedBytes& frame);
  /// Sends a close frame; then the peer has the close deadline to answer.
  void close(std::uint16_t code, std::string_view text, CloseReason reason);

  /// Place in the hub's list.
  std::uint32_t hub_index = 0;

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kEnded };
  enum class Watching : std::uint8_t { kPing, kPong, kDrain, kLastCalls };

  /// Looks at a message that does not end.
  class MessageTimer final : public loop::Timer {
   public:
    explicit MessageTimer(Session& session) : session_(session) {}
    void onTimer() override { session_.checkMessage(); }

   private:
    Session& session_;
  };

  void takeFrames(std::span<char>& input);
  void watchInput();
  void refuseInput();
  void watchMessage();
  void checkMessage();
  void onMessage(std::span<char> text);
  void onPing(std::span<char> payload);
  void onCloseFrame(const Message& message);
  void onFrameError(const Message& message);
  bool isTooFast();
  void wait(std::span<char> text);
  bool isPaused();
  void handle(std::string_view padded_text);
  void refuse(Code code, std::string_view message, const json::Envelope& envelope);
  void dispatch(const json::Envelope& envelope);
  void beginCall(bool is_ordered);
  void endDispatch(bool is_ordered);
  void write(const call::Reply& reply);
  void hold(std::string& held, const call::Reply& reply);
  void release(const std::string& frames);
  void releaseHeld();
  void afterReply();
  void judge(Admission admission);
  void answerPing();
  void schedulePing(std::uint64_t waited_ms = 0);  // of the interval, since the last ping
  void checkPong();
  bool owesAnything() const;
  void startLastCalls();
  void sayGoingAway();
  ReplySlots& cold();
  void releaseCold();
  std::string_view uidJson() const {
    return identity_ ? std::string_view(identity_->uid_json) : std::string_view("null");
  }

  Connection& connection_;
  LoopServices& services_;
  FrameDecoder decoder_;
  std::unique_ptr<Identity> identity_;
  std::unique_ptr<ReplySlots> cold_;
  std::unique_ptr<MessageTimer> message_timer_;  // while a message is unfinished
  std::uint64_t next_slot_ = 1;
  std::uint64_t inline_slot_ = 0;   // the call being dispatched, while nothing is open before it
  std::int64_t paid_until_ns_ = 0;  // what has come takes until then at the message rate
  std::uint16_t calls_under_way_ = 0;
  std::uint32_t followers_due_ = 0;  // replies whose broadcasts are still to come
  State state_ = State::kOpen;
  Watching watching_ = Watching::kPing;
  bool has_heard_ : 1 = false;
  bool is_draining_ : 1 = false;  // takes no more messages, ends with its last call
  bool is_joined_ : 1 = false;
  bool is_listed_ : 1 = false;
  bool holds_input_ : 1 = false;     // watchInput() has found some, or has to look
  std::uint32_t last_calls_ms_ = 0;  // draining: the time for the calls under way
};

}  // namespace sub0::net::ws
