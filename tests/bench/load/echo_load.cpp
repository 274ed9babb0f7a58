// SPDX-License-Identifier: Apache-2.0
// The load of the echo benchmark: bench_echo_load PORT CONNECTIONS IN_FLIGHT MESSAGES [BYTES]
// opens CONNECTIONS WebSocket connections, keeps IN_FLIGHT envelopes of BYTES (64) under way on
// each until MESSAGES are answered (after a tenth of them to warm), and fails unless every reply is
// a text of the expected length.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/bench/load/client.hpp"

namespace {

using sub0::bench::require;

struct Connection {
  int descriptor = -1;
  std::size_t reply_bytes = 0;  // of an unfinished reply
};

class Echoes {
 public:
  Echoes(std::uint16_t port, std::size_t connections, std::size_t in_flight, std::size_t bytes)
      : message_(sub0::bench::echoFrame(bytes)),
        reply_bytes_(sub0::bench::echoReplyBytes(bytes)),
        in_flight_(in_flight),
        connections_(connections) {
    for (std::size_t i = 0; i < in_flight; ++i) burst_ += message_;
    for (std::size_t i = 0; i < connections; ++i) {
      connections_[i].descriptor = sub0::bench::openWebSocket(port);
      sub0::bench::watch(epoll_, connections_[i].descriptor, i);
    }
  }

  void run(std::size_t messages) {
    to_send_ = messages;
    std::size_t answered = 0;
    for (Connection& connection : connections_) say(connection, in_flight_);
    while (answered < messages) {
      const int count =
          ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 10'000);
      require(count > 0, "no reply within ten seconds");
      for (int i = 0; i < count; ++i) {
        Connection& connection = connections_[events_[static_cast<std::size_t>(i)].data.u64];
        const std::size_t replies = receive(connection);
        answered += replies;
        say(connection, replies);
      }
    }
    for (const Connection& connection : connections_) {
      require(connection.reply_bytes == 0, "a reply of another length");
    }
  }

 private:
  void say(Connection& connection, std::size_t count) {
    count = std::min(count, to_send_);
    if (count == 0) return;
    sub0::bench::sendAll(connection.descriptor, {burst_.data(), count * message_.size()});
    to_send_ -= count;
  }

  std::size_t receive(Connection& connection) {
    const auto received = ::recv(connection.descriptor, buffer_.data(), buffer_.size(), 0);
    require(received > 0, "recv");
    if (connection.reply_bytes == 0) {
      require(buffer_[0] == static_cast<char>(0x81), "a reply that is no text message");
    }
    connection.reply_bytes += static_cast<std::size_t>(received);
    const std::size_t replies = connection.reply_bytes / reply_bytes_;
    connection.reply_bytes %= reply_bytes_;
    return replies;
  }

  const std::string message_;
  const std::size_t reply_bytes_;
  const std::size_t in_flight_;
  const int epoll_ = ::epoll_create1(0);
  std::string burst_;
  std::size_t to_send_ = 0;
  std::vector<Connection> connections_;
  std::vector<epoll_event> events_{256};
  std::vector<char> buffer_ = std::vector<char>(65536);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: bench_echo_load PORT CONNECTIONS IN_FLIGHT MESSAGES [BYTES]\n", stderr);
    return 2;
  }
  const std::size_t messages = std::stoul(argv[4]);
  Echoes echoes(static_cast<std::uint16_t>(std::stoul(argv[1])), std::stoul(argv[2]),
                std::stoul(argv[3]), argc > 5 ? std::stoul(argv[5]) : 64);
  echoes.run(messages / 10);
  sub0::bench::awaitGo();
  const auto start = std::chrono::steady_clock::now();
  echoes.run(messages);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf(R"({"messages":%zu,"seconds":%.6f})"
              "\n",
              messages, elapsed.count());
  sub0::bench::awaitEndOfInput();
}
