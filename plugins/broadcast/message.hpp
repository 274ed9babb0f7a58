// SPDX-License-Identifier: Apache-2.0
#pragma once

// What mode BROADCAST and effect broadcast_websocket_message have in common: the compiled
// configuration of one message (spec S-38, S-115), and its sending by sub0.broadcast/1.
// THREAD: made in prepare, then read only.

#include <sub0/broadcast.h>

#include <sub0/plugin.hpp>

namespace sub0::broadcast {

class Message {
 public:
  // Reports what is wrong with p.config(), but for unknown members: the host declares them all.
  Message(sub0::Preparation& p, bool is_effect);

  // Sends `data` on behalf of that run; false: it was refused, and the run has been failed.
  // *recipients: the connections that match.
  bool send(sub0::Run& run, const sub0_broadcast* broadcast, sub0::Value data,
            uint64_t* recipients) const;

 private:
  void compileType(sub0::Preparation& p);
  void compileRecipients(sub0::Preparation& p);
  void compileFlags(sub0::Preparation& p);
  bool findRecipients(const sub0::Run& run, sub0_broadcast_message& message,
                      sub0::Tree& parsed) const;

  void fail(sub0::Run& run, int32_t code, std::string_view reason) const;

  bool is_effect_;
  uint32_t type_ = 0;
  uint32_t flags_ = 0;
  sub0::Input to_;  // index -1: none
  std::string action_;
};

}  // namespace sub0::broadcast
