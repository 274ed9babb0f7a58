// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <set>
#include <string>

#include "tests/simulation/client.hpp"

namespace sub0::simulation {

/// A WebSocket client that holds the server to RFC 6455, S-112, S-114, S-115 and S-116; or one that
/// misbehaves as its plan says.
class SocketClient final : public Client {
 public:
  using Client::Client;
  void report() override;

 private:
  enum class State : std::uint8_t { kHandshake, kOpen, kClosing, kOver };
  struct Waiting {
    std::uint64_t call = 0;  // 0: a message that was no call
    std::string_view error;  // of such a message
  };

  void onConnected() override;
  void onTime() override;
  void onInput() override;
  void onEnd(bool is_reset) override;

  void readHandshake();
  void takeStep();
  std::int64_t longestSilenceMs() const;
  void afterSteps();
  void sendCall(const Step& step);
  void sendMessage(std::string_view text, bool is_fragmented);
  void sendFrame(std::uint8_t first, std::string_view payload);
  void breakFrames();
  void onFrame(const ServerFrame& frame);
  void onText(const std::string& text);
  void onReply(const Json& message);
  void onCloseFrame(const ServerFrame& frame);
  void startClosing();
  void mayLeave();
  void becomeOver(bool by_reset);
  bool expectsClose() const;

  State state_ = State::kHandshake;
  FrameReader frames_;
  std::deque<Waiting> ordered_;          // messages without id, in order
  std::set<std::uint64_t> with_id_;      // calls with id
  std::deque<Waiting> refused_with_id_;  // messages with id that were no call
  std::deque<std::string> pings_;        // not yet answered
  Heard heard_;
  std::uint16_t close_code_ = 0;
  std::uint64_t pings_between_ = 0;
  bool has_sent_close_ = false;
  std::int64_t last_text_ns_ = 0;
  bool has_done_steps_ = false;
  bool has_broken_ = false;
};

}  // namespace sub0::simulation
