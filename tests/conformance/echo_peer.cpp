// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/echo_peer.hpp"

#include <cstring>
#include <memory>
#include <span>

#include "net/ws/frame_encoder.hpp"

namespace sub0::conformance {

using net::ws::FrameEvent;
using net::ws::Message;
using net::ws::Opcode;

EchoPeer::EchoPeer() {
  limits_.max_message_bytes = 32u << 20;
  limits_.max_fragments = 1u << 20;
  limits_.accept_binary = true;
}

void EchoPeer::receive(std::string_view bytes) {
  constexpr std::size_t kSpareBytes = 64;
  const std::unique_ptr<char[]> memory(new char[bytes.size() + kSpareBytes]());
  if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
  std::span<char> input(memory.get(), bytes.size());
  Message message;
  while (true) {
    const FrameEvent event = decoder_.next(input, limits_, message);
    if (event == FrameEvent::kNeedMore) return;
    answer(event, message);
  }
}

void EchoPeer::answer(FrameEvent event, const Message& message) {
  const std::string_view payload(message.payload.data(), message.payload.size());
  switch (event) {
    case FrameEvent::kText:
      return net::ws::appendFrame(sent_, Opcode::kText, payload);
    case FrameEvent::kBinary:
      return net::ws::appendFrame(sent_, Opcode::kBinary, payload);
    case FrameEvent::kPing:
      return net::ws::appendFrame(sent_, Opcode::kPong, payload);
    case FrameEvent::kClose:
    case FrameEvent::kError:
      return net::ws::appendClose(sent_, message.close_code,
                                  event == FrameEvent::kError ? message.reason : "");
    case FrameEvent::kPong:
    case FrameEvent::kNeedMore:
      return;
  }
}

bool readServerFrames(std::string_view bytes, std::vector<ServerFrame>& frames) {
  while (!bytes.empty()) {
    if (bytes.size() < 2) return false;
    const auto first = static_cast<std::uint8_t>(bytes[0]);
    const auto second = static_cast<std::uint8_t>(bytes[1]);
    if ((first & 0xF0u) != 0x80u || second > 127) return false;
    const std::size_t length_bytes = second < 126 ? 0 : second == 126 ? 2 : 8;
    if (bytes.size() < 2 + length_bytes) return false;
    std::uint64_t length = length_bytes == 0 ? second : 0;
    for (std::size_t index = 0; index < length_bytes; ++index) {
      length = length << 8 | static_cast<std::uint8_t>(bytes[2 + index]);
    }
    if (length_bytes == 2 && length < 126) return false;
    if (length_bytes == 8 && length < 65536) return false;
    bytes.remove_prefix(2 + length_bytes);
    if (length > bytes.size()) return false;
    frames.push_back({first & 0x0Fu, std::string(bytes.substr(0, length))});
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace sub0::conformance
