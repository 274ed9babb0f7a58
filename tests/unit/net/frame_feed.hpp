// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/ws/frame_decoder.hpp"

// Client frames as bytes, and decoders fed with them however they are cut. What a decoder says is
// noted as one text per event: "text:hello", "ping:", "close:1000:bye", "error:1002". Memory of a
// feed is exactly as large as promised (64 spare bytes) and freed behind it, so that address
// sanitizers see every step beside it.
namespace sub0::net::ws::test {

inline constexpr std::size_t kSpareBytes = 64;

inline std::string bigEndian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t index = bytes; index > 0; --index) {
    out.push_back(static_cast<char>(value >> (8 * (index - 1)) & 0xFFu));
  }
  return out;
}

/// Header of a masked client frame. `length_bytes` 0: the shortest form.
inline std::string clientHeader(unsigned first_byte, std::uint64_t length,
                                std::size_t length_bytes = 0,
                                std::string_view key = "\x37\xFA\x21\x3D") {
  std::string out(1, static_cast<char>(first_byte));
  if (length_bytes == 0 && length > 125) length_bytes = length > 0xFFFF ? 8 : 2;
  const std::uint64_t marker = length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127;
  out.push_back(static_cast<char>(0x80u | marker));
  return out + bigEndian(length, length_bytes) + std::string(key);
}

/// A masked client frame; `first_byte` holds FIN, RSV and opcode.
inline std::string clientFrame(unsigned first_byte, std::string_view payload,
                               std::size_t length_bytes = 0,
                               std::string_view key = "\x37\xFA\x21\x3D") {
  std::string out = clientHeader(first_byte, payload.size(), length_bytes, key);
  for (std::size_t index = 0; index < payload.size(); ++index) {
    out.push_back(static_cast<char>(payload[index] ^ key[index % 4]));
  }
  return out;
}

inline std::string closeFrame(unsigned code, std::string_view reason = {}) {
  return clientFrame(0x88, bigEndian(code, 2) + std::string(reason));
}

using Events = std::vector<std::string>;

inline std::string describe(FrameEvent event, const Message& message) {
  const std::string payload(message.payload.begin(), message.payload.end());
  switch (event) {
    case FrameEvent::kText:
      return "text:" + payload;
    case FrameEvent::kBinary:
      return "binary:" + payload;
    case FrameEvent::kPing:
      return "ping:" + payload;
    case FrameEvent::kPong:
      return "pong:" + payload;
    case FrameEvent::kClose:
      return "close:" + std::to_string(message.close_code) + ":" + std::string(message.reason);
    case FrameEvent::kError:
      return "error:" + std::to_string(message.close_code);
    case FrameEvent::kNeedMore:
      break;
  }
  return "need more";
}

/// Hands `bytes` to the decoder as one read and notes what it says.
inline void feed(FrameDecoder& decoder, std::string_view bytes, const FrameLimits& limits,
                 Events& events) {
  const std::unique_ptr<char[]> memory(new char[bytes.size() + kSpareBytes]);
  if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
  std::memset(memory.get() + bytes.size(), 'S', kSpareBytes);
  std::span<char> input(memory.get(), bytes.size());
  Message message;
  while (true) {
    const FrameEvent event = decoder.next(input, limits, message);
    if (event == FrameEvent::kNeedMore) break;
    if (event == FrameEvent::kText || event == FrameEvent::kBinary) {
      volatile char behind = message.payload.data()[message.payload.size() + kSpareBytes - 1];
      static_cast<void>(behind);
    }
    events.push_back(describe(event, message));
  }
  EXPECT_TRUE(input.empty());
  const std::string spare(kSpareBytes, 'S');
  EXPECT_EQ(std::memcmp(memory.get() + bytes.size(), spare.data(), kSpareBytes), 0)
      << "wrote behind the input";
}

inline Events decodeWhole(std::string_view bytes, const FrameLimits& limits = {}) {
  FrameDecoder decoder;
  Events events;
  feed(decoder, bytes, limits, events);
  return events;
}

/// In pieces of `piece_bytes`.
inline Events decodeInPieces(std::string_view bytes, std::size_t piece_bytes,
                             const FrameLimits& limits = {}) {
  FrameDecoder decoder;
  Events events;
  for (std::size_t index = 0; index < bytes.size(); index += piece_bytes) {
    feed(decoder, bytes.substr(index, piece_bytes), limits, events);
  }
  return events;
}

inline Events decodeCutAt(std::string_view bytes, std::size_t cut, const FrameLimits& limits = {}) {
  FrameDecoder decoder;
  Events events;
  feed(decoder, bytes.substr(0, cut), limits, events);
  feed(decoder, bytes.substr(cut), limits, events);
  return events;
}

/// The same bytes whole, byte by byte, and cut once at every place (of long ones: at every place of
/// both ends, and at steps between) must give the same events.
inline void expectEvents(std::string_view bytes, const Events& expected,
                         const FrameLimits& limits = {}) {
  EXPECT_EQ(decodeWhole(bytes, limits), expected) << "whole";
  EXPECT_EQ(decodeInPieces(bytes, 1, limits), expected) << "byte by byte";
  constexpr std::size_t kEveryPlace = 1024;
  const std::size_t step = bytes.size() / 64 + 1;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    if (cut > kEveryPlace && bytes.size() - cut > kEveryPlace && cut % step != 0) continue;
    ASSERT_EQ(decodeCutAt(bytes, cut, limits), expected) << "cut at " << cut;
  }
}

}  // namespace sub0::net::ws::test
