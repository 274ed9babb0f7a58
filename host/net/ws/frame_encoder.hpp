// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Frames that a server sends: unmasked, unfragmented, no extension (RFC 6455 section 5.2). Pure
// functions on the caller's memory; any thread.
namespace sub0::net::ws {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

inline constexpr std::size_t kMaxHeaderBytes = 10;
inline constexpr std::size_t kMaxControlPayloadBytes = 125;

/// Length of the header that a payload of that size gets: 2, 4 or 10.
constexpr std::size_t headerBytes(std::uint64_t payload_bytes) {
  return payload_bytes < 126 ? 2 : payload_bytes <= 0xFFFF ? 4 : 10;
}

/// Writes the header of a whole message into `out` (room: kMaxHeaderBytes); returns its length.
std::size_t writeHeader(char* out, Opcode opcode, std::uint64_t payload_bytes);

/// Appends a whole frame. REQUIRES: at most 125 bytes of payload for control frames.
void appendFrame(std::string& out, Opcode opcode, std::string_view payload);

/// Payload of a close frame: code in network order and reason, cut to 123 bytes at the end of a
/// code point; code 0: empty.
std::string closePayload(std::uint16_t code, std::string_view reason);

/// Appends a close frame; code 0: without payload.
void appendClose(std::string& out, std::uint16_t code, std::string_view reason);

}  // namespace sub0::net::ws
