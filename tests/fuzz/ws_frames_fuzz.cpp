// SPDX-License-Identifier: Apache-2.0
// Frames of a client: the decoder says the same however they are cut, promises what it delivers
// and holds no more than came. Any payload, framed by us in fragments,
// comes out as it was.
#include <algorithm>

#include "net/ws/frame_decoder.hpp"
#include "net/ws/frame_encoder.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0::net::ws {
namespace {

using fuzz::Padded;

FrameLimits limitsOf(std::uint8_t steer) {
  FrameLimits limits;
  limits.max_message_bytes = (steer & 1) != 0 ? 100 : std::uint64_t{1} << 20;
  limits.max_fragments = (steer & 2) != 0 ? 3 : 1024;
  limits.accept_binary = (steer & 4) != 0;
  return limits;
}

void judgeMessage(FrameEvent event, const Message& message, const FrameLimits& limits) {
  const std::string_view payload(message.payload.data(), message.payload.size());
  switch (event) {
    case FrameEvent::kText:
      FUZZ_CHECK(fuzz::isUtf8(payload));
      FUZZ_CHECK(payload.size() <= limits.max_message_bytes);
      break;
    case FrameEvent::kBinary:
      FUZZ_CHECK(limits.accept_binary);
      FUZZ_CHECK(payload.size() <= limits.max_message_bytes);
      break;
    case FrameEvent::kPing:
    case FrameEvent::kPong:
      FUZZ_CHECK(payload.size() <= kMaxControlPayloadBytes);
      break;
    case FrameEvent::kClose:
      FUZZ_CHECK(message.close_code == 0 || isCloseCodeAllowed(message.close_code));
      FUZZ_CHECK(fuzz::isUtf8(message.reason) && message.reason.size() <= 123);
      break;
    case FrameEvent::kError:
      FUZZ_CHECK(message.close_code == 1002 || message.close_code == 1003 ||
                 message.close_code == 1007 || message.close_code == 1008 ||
                 message.close_code == 1009);
      break;
    case FrameEvent::kNeedMore:
      break;
  }
}

/// Feeds one read; notes "EVENT:code:payload;" for each event.
void feed(FrameDecoder& decoder, std::string_view piece, const FrameLimits& limits,
          std::string& log) {
  Padded memory(piece);
  std::span<char> input = memory.span();
  while (true) {
    Message message;
    const bool was_finished = decoder.isFinished();
    const FrameEvent event = decoder.next(input, limits, message);
    if (event == FrameEvent::kNeedMore) break;
    FUZZ_CHECK(!was_finished);
    judgeMessage(event, message, limits);
    if (event == FrameEvent::kText || event == FrameEvent::kBinary) {
      // 64 readable bytes behind a message
      volatile char last = message.payload.data()[message.payload.size() + Padded::kSpareBytes - 1];
      static_cast<void>(last);
    }
    log += std::to_string(static_cast<int>(event)) + ":" + std::to_string(message.close_code) + ":";
    if (event != FrameEvent::kError) {
      log.append(message.payload.data(), message.payload.size());
    }
    log += ";";
  }
  FUZZ_CHECK(input.empty());
}

std::string decodeInPieces(const fuzz::Input& input, bool is_by_bytes, const FrameLimits& limits) {
  FrameDecoder decoder;
  fuzz::Choices choices(input);
  std::string log;
  for (std::size_t at = 0; at < input.bytes.size();) {
    const std::size_t size = is_by_bytes ? 1 : choices.piece(input.bytes.size() - at);
    feed(decoder, input.bytes.substr(at, size), limits, log);
    at += size;
    FUZZ_CHECK(decoder.heldBytes() <= 2 * at + 4096 + 1024);  // by what came, not by what was said
    FUZZ_CHECK(!decoder.isFinished() || !decoder.isInsideMessage());
  }
  return log;
}

std::string clientFrame(unsigned first_byte, std::string_view payload, std::uint32_t key) {
  std::string frame;
  char header[kMaxHeaderBytes];
  frame.append(header, writeHeader(header, Opcode::kText, payload.size()));
  frame[0] = static_cast<char>(first_byte);
  frame[1] = static_cast<char>(frame[1] | 0x80);
  frame.append(reinterpret_cast<const char*>(&key), 4);
  const std::size_t start = frame.size();
  frame.append(payload);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame[start + i] =
        static_cast<char>(frame[start + i] ^ reinterpret_cast<const char*>(&key)[i % 4]);
  }
  return frame;
}

/// The input as a payload: in fragments, pings between them, the pieces cut once more.
void roundTrip(const fuzz::Input& input) {
  fuzz::Choices choices(input);
  const bool is_text = fuzz::isUtf8(input.bytes);
  std::string wire;
  std::string expected;
  unsigned opcode = is_text ? 1 : 2;
  for (std::size_t at = 0;;) {
    const std::size_t left = input.bytes.size() - at;
    const std::size_t size = left == 0 ? 0 : choices.piece(left);
    const bool is_last = at + size == input.bytes.size();
    wire += clientFrame(opcode | (is_last ? 0x80u : 0u), input.bytes.substr(at, size),
                        static_cast<std::uint32_t>(choices.below(1u << 30)));
    at += size;
    if (is_last) break;
    opcode = 0;
    if (choices.below(4) != 0) continue;
    wire += clientFrame(0x89, "p", 7);
    expected += std::to_string(static_cast<int>(FrameEvent::kPing)) + ":0:p;";
  }
  expected += std::to_string(static_cast<int>(is_text ? FrameEvent::kText : FrameEvent::kBinary)) +
              ":0:" + std::string(input.bytes) + ";";
  FrameLimits limits;
  limits.max_fragments = 1u << 20;
  limits.accept_binary = true;
  FrameDecoder decoder;
  std::string log;
  for (std::size_t at = 0; at < wire.size();) {
    const std::size_t size = choices.piece(wire.size() - at);
    feed(decoder, std::string_view(wire).substr(at, size), limits, log);
    at += size;
  }
  fuzz::checkEqual(log, expected, "a payload framed by us");
  FUZZ_CHECK(!decoder.isInsideMessage());
}

}  // namespace
}  // namespace sub0::net::ws

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0::net::ws;
  const sub0::fuzz::Input input(data, size);
  const FrameLimits limits = limitsOf(input.steer);
  FrameDecoder decoder;
  std::string whole;
  feed(decoder, input.bytes, limits, whole);
  sub0::fuzz::checkEqual(whole, decodeInPieces(input, false, limits), "whole and in pieces");
  sub0::fuzz::checkEqual(whole, decodeInPieces(input, true, limits), "whole and byte by byte");
  if (size <= 4096) roundTrip(input);
  return 0;
}
