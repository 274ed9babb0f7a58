// SPDX-License-Identifier: Apache-2.0
// The load of the echo benchmark: bench_load PORT CONNECTIONS IN_FLIGHT MESSAGES [PAYLOAD_BYTES]
// opens CONNECTIONS WebSocket connections, keeps IN_FLIGHT messages of PAYLOAD_BYTES (64) under way
// on each until MESSAGES are answered, and fails unless every reply has the expected length.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "tests/bench/socket_calls.hpp"

namespace {

using sub0::bench::require;

struct Connection {
  int descriptor = -1;
  std::size_t reply_bytes = 0;  // of an unfinished reply
};

std::string makeMessage(std::size_t payload_bytes) {
  const std::string head = R"({"resource":"echo","action":"a","payload":")";
  const std::string tail = "\"}";
  require(payload_bytes >= head.size() + tail.size(), "payload too short");
  const std::string payload =
      head + std::string(payload_bytes - head.size() - tail.size(), 'p') + tail;
  const char key[4] = {0x12, 0x34, 0x56, 0x78};
  std::string frame(1, static_cast<char>(0x81));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0xFE));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size()));
  }
  frame.append(key, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(payload[i] ^ key[i % 4]));
  }
  return frame;
}

/// The reply is ten bytes shorter than the request: `uid` for `resource`, `data` for `payload`.
std::size_t replyBytes(std::size_t payload_bytes) {
  const std::size_t size = payload_bytes - 10;
  return size + (size < 126 ? 2 : 4);
}

int connectTo(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = sub0::bench::loopback(port);
  require(::connect(descriptor, sub0::bench::generic(address), sizeof address) == 0, "connect");
  sub0::bench::setNoDelay(descriptor);
  sub0::bench::sendAll(descriptor,
                       "GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: "
                       "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                       "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    char byte = 0;
    require(::recv(descriptor, &byte, 1, 0) == 1, "handshake");
    head.push_back(byte);
  }
  require(head.compare(0, 12, "HTTP/1.1 101") == 0, "handshake refused");
  return descriptor;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: bench_load PORT CONNECTIONS IN_FLIGHT MESSAGES [PAYLOAD_BYTES]\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::stoul(argv[1]));
  const std::size_t connection_count = std::stoul(argv[2]);
  const std::size_t in_flight = std::stoul(argv[3]);
  const std::size_t messages = std::stoul(argv[4]);
  const std::size_t payload_bytes = argc > 5 ? std::stoul(argv[5]) : 64;
  const std::string message = makeMessage(payload_bytes);
  const std::size_t reply_bytes = replyBytes(payload_bytes);
  std::string burst;
  for (std::size_t i = 0; i < in_flight; ++i) burst += message;

  const int epoll = ::epoll_create1(0);
  std::vector<Connection> connections(connection_count);
  for (std::size_t i = 0; i < connection_count; ++i) {
    connections[i].descriptor = connectTo(port);
    sub0::bench::watch(epoll, connections[i].descriptor, i);
  }
  const auto start = std::chrono::steady_clock::now();
  std::size_t sent = 0;
  std::size_t answered = 0;
  const auto say = [&](Connection& connection, std::size_t count) {
    count = std::min(count, messages - sent);
    if (count == 0) return;
    sub0::bench::sendAll(connection.descriptor, {burst.data(), count * message.size()});
    sent += count;
  };
  for (Connection& connection : connections) say(connection, in_flight);
  std::vector<epoll_event> events(256);
  std::vector<char> buffer(65536);
  while (answered < messages) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10'000);
    require(count > 0, "no reply within ten seconds");
    for (int i = 0; i < count; ++i) {
      Connection& connection = connections[events[static_cast<std::size_t>(i)].data.u64];
      const auto received = ::recv(connection.descriptor, buffer.data(), buffer.size(), 0);
      require(received > 0, "recv");
      if (connection.reply_bytes == 0) {
        require(buffer[0] == static_cast<char>(0x81), "a reply that is no text message");
      }
      connection.reply_bytes += static_cast<std::size_t>(received);
      const std::size_t replies = connection.reply_bytes / reply_bytes;
      connection.reply_bytes %= reply_bytes;
      answered += replies;
      say(connection, replies);
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  for (const Connection& connection : connections) {
    require(connection.reply_bytes == 0, "a reply of another length");
  }
  std::printf("%zu messages in %.3f s\n", answered, elapsed.count());
}
