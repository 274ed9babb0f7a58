// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "call/request.hpp"
#include "loop/loop.hpp"

namespace sub0::net {

/// Replies that are held back for a while (BadTokens), copied, on one timer of the loop. At most
/// kMaxReplies; their connections wait as for a slow call. One loop's thread.
class DelayedReplies final : private loop::Timer {
 public:
  static constexpr std::size_t kMaxReplies = 1024;

  using Deliver = std::function<void(const call::Sender&, const call::Reply&)>;

  /// `deliver` gets each when its time has come; its connection may have gone.
  DelayedReplies(loop::Loop& loop, Deliver deliver) : loop_(loop), deliver_(std::move(deliver)) {}

  /// False: there is no room.
  bool hold(const call::Sender& sender, const call::Reply& reply, std::int64_t delay_ms);
  /// All that is held goes out now.
  void releaseAll();
  std::size_t size() const { return held_.size(); }

 private:
  struct Held {
    call::Sender sender;
    Code code;
    int status;
    std::string message, action_json, id_json;
    std::vector<std::string> details;
  };
  void onTimer() override;
  void release(std::multimap<std::int64_t, Held>::iterator end);
  void arm();

  loop::Loop& loop_;
  Deliver deliver_;
  std::multimap<std::int64_t, Held> held_;  // by the time in ms when they go out
};

}  // namespace sub0::net
