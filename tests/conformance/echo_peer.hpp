// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/ws/frame_decoder.hpp"

namespace sub0::conformance {

/// A server reduced to the codec: what comes in as frames goes out as frames. Messages are echoed
/// with their type, pings answered, a close echoed; a fault is answered with its close code. Each
/// `receive` is one read of a loop.
class EchoPeer {
 public:
  EchoPeer();

  void receive(std::string_view bytes);

  /// All bytes that the server has sent.
  const std::string& sent() const { return sent_; }
  bool isClosed() const { return decoder_.isFinished(); }
  std::size_t heldBytes() const { return decoder_.heldBytes(); }

 private:
  void answer(net::ws::FrameEvent event, const net::ws::Message& message);

  net::ws::FrameDecoder decoder_;
  net::ws::FrameLimits limits_;
  std::string sent_;
};

/// A frame of the server, as a client reads it.
struct ServerFrame {
  unsigned opcode = 0;
  std::string payload;
  bool operator==(const ServerFrame&) const = default;
};

/// Parses what a server has sent with a reader of its own: unmasked, FIN, no reserved bits,
/// shortest lengths. False: malformed or cut.
bool readServerFrames(std::string_view bytes, std::vector<ServerFrame>& frames);

}  // namespace sub0::conformance
