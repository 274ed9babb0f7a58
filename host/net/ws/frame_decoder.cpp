// SPDX-License-Identifier: Apache-2.0
#include "net/ws/frame_decoder.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "net/spare_bytes.hpp"
#include "net/ws/close_codes.hpp"
#include "net/ws/frame_encoder.hpp"

namespace sub0::net::ws {
namespace {

constexpr std::size_t kMaxClientHeaderBytes = 14;
constexpr std::size_t kFirstBufferBytes = 1024;

/// The fields of a frame's header that matter once it has been checked.
struct FrameHeader {
  std::uint64_t payload_bytes;
  std::uint32_t key;  // as it lies in memory
  std::uint8_t opcode;
  bool fin;
};

/// What has been seen of the message before this frame.
struct MessageSoFar {
  std::uint64_t bytes = 0;
  std::uint32_t fragments = 0;  // 0: no message has begun
};

enum class HeaderState : std::uint8_t { kComplete, kIncomplete, kRefused };

struct HeaderResult {
  HeaderState state;
  std::uint8_t header_bytes;  // kComplete
  std::uint16_t close_code;   // kRefused
  const char* reason;         // kRefused
};

constexpr HeaderResult refuse(std::uint16_t code, const char* reason) {
  return {HeaderState::kRefused, 0, code, reason};
}

constexpr HeaderResult kIncompleteHeader{HeaderState::kIncomplete, 0, 0, nullptr};

constexpr bool isControl(std::uint8_t opcode) { return (opcode & 8u) != 0; }

constexpr std::uint8_t codeOf(Opcode opcode) { return static_cast<std::uint8_t>(opcode); }

/// Rules of the first byte: reserved bits, opcode, its place in the message.
HeaderResult checkFirstByte(std::uint8_t first, const FrameLimits& limits,
                            const MessageSoFar& message) {
  if ((first & 0x70u) != 0) return refuse(kProtocolError, "reserved bit set without an extension");
  const std::uint8_t opcode = first & 0x0Fu;
  if (isControl(opcode)) {
    if (opcode > codeOf(Opcode::kPong)) return refuse(kProtocolError, "unknown opcode");
    if ((first & 0x80u) == 0) return refuse(kProtocolError, "fragmented control frame");
    return kIncompleteHeader;
  }
  if (opcode > codeOf(Opcode::kBinary)) return refuse(kProtocolError, "unknown opcode");
  const bool continues = opcode == codeOf(Opcode::kContinuation);
  if (continues && message.fragments == 0)
    return refuse(kProtocolError, "continuation without a start");
  if (!continues && message.fragments != 0) {
    return refuse(kProtocolError, "new message inside a fragmented one");
  }
  if (opcode == codeOf(Opcode::kBinary) && !limits.accept_binary) {
    return refuse(kUnsupportedData, "binary messages are not accepted");
  }
  if (message.fragments >= limits.max_fragments)
    return refuse(kPolicyViolation, "too many fragments");
  return kIncompleteHeader;
}

/// Reads `count` bytes in network order.
std::uint64_t readBigEndian(const std::uint8_t* data, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t index = 0; index < count; ++index) value = value << 8 | data[index];
  return value;
}

/// Reads and checks a header as far as its bytes are there: a fault is found with its byte, a
/// length over the limit before the masking key.
HeaderResult readHeader(const char* data, std::size_t size, const FrameLimits& limits,
                        const MessageSoFar& message, FrameHeader& header) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(data);
  if (size == 0) return kIncompleteHeader;
  const HeaderResult first = checkFirstByte(bytes[0], limits, message);
  if (first.state == HeaderState::kRefused) return first;
  if (size < 2) return kIncompleteHeader;
  if ((bytes[1] & 0x80u) == 0) return refuse(kProtocolError, "unmasked client frame");
  header.opcode = bytes[0] & 0x0Fu;
  header.fin = (bytes[0] & 0x80u) != 0;
  const std::uint8_t short_length = bytes[1] & 0x7Fu;
  if (isControl(header.opcode) && short_length > kMaxControlPayloadBytes) {
    return refuse(kProtocolError, "control frame over 125 bytes");
  }
  const std::size_t length_bytes = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
  if (size < 2 + length_bytes) return kIncompleteHeader;
  header.payload_bytes = length_bytes == 0 ? short_length : readBigEndian(bytes + 2, length_bytes);
  if (length_bytes == 2 && header.payload_bytes < 126) {
    return refuse(kProtocolError, "length not in its shortest form");
  }
  if (length_bytes == 8) {
    if (header.payload_bytes <= 0xFFFF)
      return refuse(kProtocolError, "length not in its shortest form");
    if (header.payload_bytes >> 63 != 0)
      return refuse(kProtocolError, "length with the top bit set");
  }
  if (!isControl(header.opcode) &&
      (message.bytes > limits.max_message_bytes ||
       header.payload_bytes > limits.max_message_bytes - message.bytes)) {
    return refuse(kTooBig, "message too big");
  }
  const std::size_t header_bytes = 2 + length_bytes + 4;
  if (size < header_bytes) return kIncompleteHeader;
  std::memcpy(&header.key, data + 2 + length_bytes, 4);
  return {HeaderState::kComplete, static_cast<std::uint8_t>(header_bytes), 0, nullptr};
}

/// The key for a payload that goes on `offset` bytes behind its start.
std::uint32_t keyAt(std::uint32_t key, std::uint64_t offset) {
  const int bits = static_cast<int>(offset & 3u) * 8;
  return std::endian::native == std::endian::little ? std::rotr(key, bits) : std::rotl(key, bits);
}

std::string_view viewOf(std::span<char> bytes) { return {bytes.data(), bytes.size()}; }

/// The common case in a few instructions: a whole text message that lies in the input, of less than
/// 64 KiB. Empty: anything else, which readHeader judges. Its payload is the rest behind the
/// header.
struct WholeText {
  std::size_t header_bytes = 0;  // 0: not this case
  std::size_t payload_bytes = 0;
};

inline WholeText findWholeText(std::span<char> input, const FrameLimits& limits) {
  constexpr std::size_t kLongestHeader = 8;
  if (input.size() < kLongestHeader || input[0] != static_cast<char>(0x81)) return {};
  const auto second = static_cast<std::uint8_t>(input[1]);
  WholeText found{6, second & 0x7Fu};
  if (second == (0x80u | 126u)) {
    found.header_bytes = 8;
    found.payload_bytes = static_cast<std::size_t>(static_cast<std::uint8_t>(input[2])) << 8 |
                          static_cast<std::uint8_t>(input[3]);
    if (found.payload_bytes < 126) return {};
  } else if (second < 0x80u || found.payload_bytes > 125) {
    return {};
  }
  const bool is_whole = input.size() - found.header_bytes >= found.payload_bytes;
  return is_whole && found.payload_bytes <= limits.max_message_bytes ? found : WholeText{};
}

using Block = std::uint64_t __attribute__((vector_size(16)));

Block loadBlock(const char* data) {
  Block block;
  std::memcpy(&block, data, sizeof(block));
  return block;
}

}  // namespace

bool unmask(std::span<char> bytes, std::uint32_t key) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080u;
  const std::uint64_t wide_key = static_cast<std::uint64_t>(key) << 32 | key;
  const Block block_key = {wide_key, wide_key};
  Block seen = {0, 0};
  char* data = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 16; left -= 16, data += 16) {
    const Block block = loadBlock(data) ^ block_key;
    seen |= block;
    std::memcpy(data, &block, sizeof(block));
  }
  std::uint64_t all = seen[0] | seen[1];
  if (left >= 8) {
    std::uint64_t word;
    std::memcpy(&word, data, 8);
    word ^= wide_key;
    all |= word;
    std::memcpy(data, &word, 8);
    data += 8;
    left -= 8;
  }
  if (left >= 4) {
    std::uint32_t word;
    std::memcpy(&word, data, 4);
    word ^= key;
    all |= word;
    std::memcpy(data, &word, 4);
    data += 4;
    left -= 4;
  }
  char key_bytes[4];
  std::memcpy(key_bytes, &key, 4);
  for (std::size_t index = 0; index < left; ++index) {
    data[index] = static_cast<char>(data[index] ^ key_bytes[index]);
    all |= static_cast<std::uint8_t>(data[index]);
  }
  return (all & kHighBits) == 0;
}

bool isCloseCodeAllowed(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

/// An unfinished frame or message. `header` fills until it is whole; then the payload goes to
/// `control` or to the end of `content`.
struct FrameDecoder::Partial {
  char header[kMaxClientHeaderBytes];
  std::uint8_t header_size = 0;
  bool in_payload = false;  // `frame` holds the current frame
  bool delivered = false;   // the content has been handed out
  bool is_text = false;
  FrameHeader frame{};
  std::uint64_t frame_received = 0;
  MessageSoFar message;  // frames whose header is complete
  std::int64_t since = 0;
  Utf8Validator utf8;
  std::unique_ptr<char[]> content;
  std::size_t content_size = 0;
  std::size_t content_capacity = 0;
  std::size_t control_size = 0;
  char control[kMaxControlPayloadBytes + kSpareBytes];

  /// Room for `more` bytes and the spare ones behind them; at least doubles.
  char* grow(std::size_t more) {
    const std::size_t needed = content_size + more + kSpareBytes;
    if (needed > content_capacity) {
      const std::size_t capacity = std::max({needed, content_capacity * 2, kFirstBufferBytes});
      std::unique_ptr<char[]> larger(new char[capacity]);
      if (content_size > 0) std::memcpy(larger.get(), content.get(), content_size);
      content = std::move(larger);
      content_capacity = capacity;
    }
    return content.get() + content_size;
  }

  /// Takes payload of the current data frame; false for invalid UTF-8.
  bool appendContent(std::span<char> piece) {
    char* place = grow(piece.size());
    if (!piece.empty()) std::memcpy(place, piece.data(), piece.size());
    const bool is_ascii = unmask({place, piece.size()}, keyAt(frame.key, frame_received));
    content_size += piece.size();
    if (!is_text || (is_ascii && utf8.isComplete())) return true;
    return utf8.feed({place, piece.size()});
  }

  void appendControl(std::span<char> piece) {
    assert(control_size + piece.size() <= kMaxControlPayloadBytes);
    if (!piece.empty()) std::memcpy(control + control_size, piece.data(), piece.size());
    unmask({control + control_size, piece.size()}, keyAt(frame.key, frame_received));
    control_size += piece.size();
  }

  void beginFrame(const FrameHeader& next) {
    frame = next;
    frame_received = 0;
    header_size = 0;
    in_payload = true;
    control_size = 0;
    if (isControl(frame.opcode)) return;
    if (message.fragments == 0) is_text = frame.opcode == codeOf(Opcode::kText);
    ++message.fragments;
    message.bytes += frame.payload_bytes;
  }
};

FrameDecoder::FrameDecoder() = default;
FrameDecoder::~FrameDecoder() = default;
FrameDecoder::FrameDecoder(FrameDecoder&&) noexcept = default;
FrameDecoder& FrameDecoder::operator=(FrameDecoder&&) noexcept = default;

bool FrameDecoder::isInsideMessage() const {
  return !finished_ && partial_ != nullptr && !partial_->delivered &&
         (partial_->in_payload || partial_->header_size > 0 || partial_->message.fragments > 0);
}

std::int64_t* FrameDecoder::messageSince() {
  const bool has_begun =
      partial_ != nullptr && !partial_->delivered && partial_->message.fragments > 0;
  return has_begun ? &partial_->since : nullptr;
}

std::size_t FrameDecoder::messageBytes() const {
  return partial_ == nullptr ? 0 : partial_->content_size;
}

std::size_t FrameDecoder::heldBytes() const {
  return partial_ == nullptr ? 0 : sizeof(Partial) + partial_->content_capacity;
}

FrameEvent FrameDecoder::fail(std::uint16_t code, std::string_view reason, Message& out) {
  finished_ = true;
  partial_.reset();
  out = {};
  out.close_code = code;
  out.reason = reason;
  return FrameEvent::kError;
}

FrameEvent FrameDecoder::deliverControl(std::uint8_t opcode, std::span<char> payload,
                                        Message& out) {
  out = {};
  out.payload = payload;
  if (opcode == codeOf(Opcode::kPing)) return FrameEvent::kPing;
  if (opcode == codeOf(Opcode::kPong)) return FrameEvent::kPong;
  if (payload.size() == 1) return fail(kProtocolError, "close frame with one byte", out);
  if (payload.size() >= 2) {
    const auto code = static_cast<std::uint16_t>(
        readBigEndian(reinterpret_cast<const std::uint8_t*>(payload.data()), 2));
    if (!isCloseCodeAllowed(code)) return fail(kProtocolError, "invalid close code", out);
    if (!text::isUtf8(viewOf(payload.subspan(2)))) {
      return fail(kInvalidText, "close reason is not UTF-8", out);
    }
    out.close_code = code;
    out.reason = viewOf(payload.subspan(2));
  }
  finished_ = true;
  return FrameEvent::kClose;
}

FrameEvent FrameDecoder::next(std::span<char>& input, const FrameLimits& limits, Message& out) {
  if (finished_) {
    input = input.subspan(input.size());
    return FrameEvent::kNeedMore;
  }
  if (partial_ != nullptr) {
    if (!partial_->delivered) return nextPartial(input, limits, out);
    partial_.reset();
  }
  if (input.empty()) return FrameEvent::kNeedMore;
  const WholeText whole = findWholeText(input, limits);
  if (whole.header_bytes != 0) {
    std::uint32_t key;
    std::memcpy(&key, input.data() + whole.header_bytes - 4, 4);
    out.payload = input.subspan(whole.header_bytes, whole.payload_bytes);
    input = input.subspan(whole.header_bytes + whole.payload_bytes);
    if (unmask(out.payload, key) || text::isUtf8(viewOf(out.payload))) return FrameEvent::kText;
    return fail(kInvalidText, "text is not UTF-8", out);
  }
  FrameHeader header;
  const HeaderResult result = readHeader(input.data(), input.size(), limits, {}, header);
  if (result.state == HeaderState::kRefused) return fail(result.close_code, result.reason, out);
  if (result.state == HeaderState::kIncomplete ||
      input.size() - result.header_bytes < header.payload_bytes ||
      (!header.fin && !isControl(header.opcode))) {
    return nextPartial(input, limits, out);
  }
  const auto payload =
      input.subspan(result.header_bytes, static_cast<std::size_t>(header.payload_bytes));
  input = input.subspan(result.header_bytes + payload.size());
  const bool is_ascii = unmask(payload, header.key);
  if (isControl(header.opcode)) return deliverControl(header.opcode, payload, out);
  out.payload = payload;
  if (header.opcode == codeOf(Opcode::kBinary)) return FrameEvent::kBinary;
  if (!is_ascii && !text::isUtf8(viewOf(payload)))
    return fail(kInvalidText, "text is not UTF-8", out);
  return FrameEvent::kText;
}

FrameEvent FrameDecoder::nextPartial(std::span<char>& input, const FrameLimits& limits,
                                     Message& out) {
  if (partial_ == nullptr) partial_ = std::make_unique<Partial>();
  Partial& partial = *partial_;
  while (true) {
    if (!partial.in_payload) {
      FrameHeader header;
      const std::size_t known = partial.header_size;
      const std::size_t taken = std::min(input.size(), kMaxClientHeaderBytes - known);
      if (taken == 0) return FrameEvent::kNeedMore;
      std::memcpy(partial.header + known, input.data(), taken);
      const HeaderResult result =
          readHeader(partial.header, known + taken, limits, partial.message, header);
      if (result.state == HeaderState::kRefused) return fail(result.close_code, result.reason, out);
      if (result.state == HeaderState::kIncomplete) {
        partial.header_size = static_cast<std::uint8_t>(known + taken);
        input = input.subspan(taken);
        return FrameEvent::kNeedMore;
      }
      assert(result.header_bytes > known);
      input = input.subspan(result.header_bytes - known);
      partial.beginFrame(header);
    }
    const FrameHeader& frame = partial.frame;
    const auto piece = input.first(static_cast<std::size_t>(
        std::min<std::uint64_t>(input.size(), frame.payload_bytes - partial.frame_received)));
    input = input.subspan(piece.size());
    if (isControl(frame.opcode)) {
      partial.appendControl(piece);
    } else if (!partial.appendContent(piece)) {
      return fail(kInvalidText, "text is not UTF-8", out);
    }
    partial.frame_received += piece.size();
    if (partial.frame_received < frame.payload_bytes) return FrameEvent::kNeedMore;
    partial.in_payload = false;
    if (isControl(frame.opcode)) {
      partial.delivered = partial.message.fragments == 0;
      return deliverControl(frame.opcode, {partial.control, partial.control_size}, out);
    }
    if (!frame.fin) continue;
    if (partial.is_text && !partial.utf8.isComplete()) {
      return fail(kInvalidText, "text ends inside a code point", out);
    }
    partial.delivered = true;
    out = {};
    out.payload = {partial.content.get(), partial.content_size};
    return partial.is_text ? FrameEvent::kText : FrameEvent::kBinary;
  }
}

}  // namespace sub0::net::ws
