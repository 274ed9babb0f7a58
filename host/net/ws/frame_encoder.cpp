// SPDX-License-Identifier: Apache-2.0
#include "net/ws/frame_encoder.hpp"

#include <cassert>

namespace sub0::net::ws {

std::size_t writeHeader(char* out, Opcode opcode, std::uint64_t payload_bytes) {
  const std::size_t size = headerBytes(payload_bytes);
  out[0] = static_cast<char>(0x80u | static_cast<unsigned>(opcode));
  if (size == 2) {
    out[1] = static_cast<char>(payload_bytes);
    return size;
  }
  out[1] = static_cast<char>(size == 4 ? 126 : 127);
  for (std::size_t index = size; index > 2; --index) {
    out[index - 1] = static_cast<char>(payload_bytes & 0xFFu);
    payload_bytes >>= 8;
  }
  return size;
}

void appendFrame(std::string& out, Opcode opcode, std::string_view payload) {
  assert(opcode < Opcode::kClose || payload.size() <= kMaxControlPayloadBytes);
  char header[kMaxHeaderBytes];
  out.append(header, writeHeader(header, opcode, payload.size())).append(payload);
}

std::string closePayload(std::uint16_t code, std::string_view reason) {
  std::string payload;
  if (code == 0) return payload;
  payload.push_back(static_cast<char>(code >> 8));
  payload.push_back(static_cast<char>(code & 0xFFu));
  std::size_t size = reason.size();
  if (size > kMaxControlPayloadBytes - 2) {
    size = kMaxControlPayloadBytes - 2;
    while (size > 0 && (static_cast<std::uint8_t>(reason[size]) & 0xC0u) == 0x80u) --size;
  }
  payload.append(reason.substr(0, size));
  return payload;
}

void appendClose(std::string& out, std::uint16_t code, std::string_view reason) {
  appendFrame(out, Opcode::kClose, closePayload(code, reason));
}

}  // namespace sub0::net::ws
