// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "tests/bench/socket_calls.hpp"

// What the load programs share: a WebSocket client of bare sockets that trusts its server in
// nothing that it measures (lengths, opcodes, states are required), and costs as little as it can,
// since it shares two cores with the server. THREAD: one. It checks no accept key and masks all
// frames alike, which no browser would do.
namespace sub0::bench {

inline constexpr char kMask[4] = {0x12, 0x34, 0x56, 0x78};
inline constexpr std::string_view kUpgradeTail =
    " HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A whole masked frame; `opcode` 1 is text, 8 is close.
inline std::string clientFrame(std::string_view payload, unsigned char opcode = 1) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    require(payload.size() < 65536, "payload too long for this client");
    frame.push_back(static_cast<char>(0xFE));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size()));
  }
  frame.append(kMask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(payload[i] ^ kMask[i % 4]));
  }
  return frame;
}

/// A call of `echo` whose envelope is exactly `bytes` long.
inline std::string echoFrame(std::size_t bytes) {
  const std::string head = R"({"resource":"echo","action":"a","payload":")";
  const std::string tail = "\"}";
  require(bytes >= head.size() + tail.size(), "payload too short");
  return clientFrame(head + std::string(bytes - head.size() - tail.size(), 'p') + tail);
}

/// Its reply with the frame's head: ten bytes shorter, `uid` for `resource`, `data` for `payload`.
inline std::size_t echoReplyBytes(std::size_t bytes) {
  const std::size_t size = bytes - 10;
  return size + (size < 126 ? 2 : 4);
}

/// A connected socket. Client addresses go round in 127.0.0.0/8, so that the ports of one address
/// do not run out while closed connections wait for their end (TIME_WAIT).
inline int connectTo(std::uint16_t port) {
  static std::uint32_t next = 0;
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(descriptor >= 0, "socket");
  sockaddr_in own = loopback(0);
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 +
                              (static_cast<std::uint32_t>(::getpid()) << 6) % 65536 + next++ % 64);
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  require(::bind(descriptor, generic(own), sizeof own) == 0, "bind");
  const sockaddr_in address = loopback(port);
  require(::connect(descriptor, generic(address), sizeof address) == 0, "connect");
  setNoDelay(descriptor);
  return descriptor;
}

inline void sendUpgrade(int descriptor, std::string_view query = "") {
  sendAll(descriptor, "GET /ws" + std::string(query) + std::string(kUpgradeTail));
}

/// Reads the answer to an upgrade to its end; a server says nothing more before it is asked.
inline void expectUpgraded(int descriptor) {
  char head[1024];
  std::size_t size = 0;
  while (size < 4 || std::memcmp(head + size - 4, "\r\n\r\n", 4) != 0) {
    require(size < sizeof head, "a long answer to the handshake");
    const auto received = ::recv(descriptor, head + size, sizeof head - size, 0);
    require(received > 0, "handshake");
    size += static_cast<std::size_t>(received);
  }
  require(std::string_view(head, size).substr(0, 12) == "HTTP/1.1 101", "handshake refused");
}

inline int openWebSocket(std::uint16_t port, std::string_view query = "") {
  const int descriptor = connectTo(port);
  sendUpgrade(descriptor, query);
  expectUpgraded(descriptor);
  return descriptor;
}

/// Says that all is connected and warm, and waits for a line (or the end) of standard input: what
/// is measured is what lies between that line and the result, without connects and closes.
inline void awaitGo() {
  std::puts(R"({"ready":true})");
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0 && byte != '\n') {
  }
}

/// The same at the other end: connections are held until standard input ends.
inline void awaitEndOfInput() {
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

/// Counts the whole frames in a stream of short unmasked text frames; anything else ends the run.
class FrameCounter {
 public:
  std::size_t feed(const char* bytes, std::size_t size) {
    std::size_t frames = 0;
    for (std::size_t i = 0; i < size;) {
      if (head_size_ < 2) {
        head_[head_size_++] = static_cast<unsigned char>(bytes[i++]);
        if (head_size_ < 2) continue;
        require(head_[0] == 0x81 && head_[1] < 126, "a frame that is no short text");
        remaining_ = head_[1];
      }
      const std::size_t step = remaining_ < size - i ? remaining_ : size - i;
      remaining_ -= step;
      i += step;
      if (remaining_ > 0) break;
      head_size_ = 0;
      ++frames;
    }
    return frames;
  }

 private:
  unsigned char head_[2] = {};
  std::size_t head_size_ = 0;
  std::size_t remaining_ = 0;
};

}  // namespace sub0::bench
