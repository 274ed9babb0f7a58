// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace sub0::net::ws {

/// What a decoder accepts; one object for all connections.
struct FrameLimits {
  std::uint64_t max_message_bytes = 1u << 20;  // over it: 1009, from the header alone
  std::uint32_t max_fragments = 1024;          // over it: 1008
  bool accept_binary = false;                  // false: 1003 at the first binary header
};

enum class FrameEvent : std::uint8_t {
  kNeedMore,  // the input is used up
  kText,      // a whole message, well-formed UTF-8
  kBinary,    // a whole message
  kPing,      // answer with a pong of the same payload
  kPong,
  kClose,  // the peer closes: echo the code (an empty close if close_code is 0); decoding ends
  kError,  // close with close_code and reason; decoding ends
};

/// One event's content. REQUIRES: used before the next call of the decoder.
struct Message {
  std::span<char> payload;       // unmasked; at least 64 readable bytes follow those of a message
  std::uint16_t close_code = 0;  // kClose: the peer's code, 0 if it sent none; kError: ours
  std::string_view reason;       // kClose: the peer's text; kError: ours, a literal
};

/// Server side of RFC 6455 framing. The owner reads into a big buffer and calls `next` until it
/// says kNeedMore: frames are checked, unmasked and handed out in place. Only a frame or message
/// that the input ends inside is copied, into a partial state that exists while it is unfinished,
/// so an idle connection costs 16 bytes. Memory grows with bytes received, never with bytes
/// declared. One thread; knows no socket, no extension, no reply: the owner answers.
class FrameDecoder {
 public:
  FrameDecoder();
  ~FrameDecoder();
  FrameDecoder(FrameDecoder&&) noexcept;
  FrameDecoder& operator=(FrameDecoder&&) noexcept;

  /// The next event of `input`, whose used part is cut off its front. REQUIRES: 64 readable bytes
  /// behind the input. Call it until kNeedMore, which also frees the last message's memory, or
  /// until the input is used up and it holds no memory.
  FrameEvent next(std::span<char>& input, const FrameLimits& limits, Message& out);

  /// Whether a frame or message has begun and is not complete.
  bool isInsideMessage() const;

  /// After kClose or kError: all further input is dropped.
  bool isFinished() const { return finished_; }

  /// Whether a message that came in parts, delivered or not, is held.
  bool holdsMemory() const { return partial_ != nullptr; }

  /// Where the owner notes when the unfinished message began; 0 at first. Null: none has begun with
  /// a whole header.
  std::int64_t* messageSince();

  /// Bytes of the unfinished message that have come.
  std::size_t messageBytes() const;

  /// Bytes held for an unfinished message, for limits and metrics.
  std::size_t heldBytes() const;

 private:
  struct Partial;

  FrameEvent nextPartial(std::span<char>& input, const FrameLimits& limits, Message& out);
  FrameEvent deliverControl(std::uint8_t opcode, std::span<char> payload, Message& out);
  FrameEvent fail(std::uint16_t code, std::string_view reason, Message& out);

  std::unique_ptr<Partial> partial_;
  bool finished_ = false;
};

/// Whether a peer may send `code` in a close frame (RFC 6455 section 7.4, Q-31).
bool isCloseCodeAllowed(std::uint16_t code);

/// XORs `bytes` with the masking key, whose first byte belongs to bytes[0]; true if all results
/// are ASCII.
bool unmask(std::span<char> bytes, std::uint32_t key);

}  // namespace sub0::net::ws
