// SPDX-License-Identifier: Apache-2.0
// Any calls over WebSocket: bench_call_load PORT CONNECTIONS IN_FLIGHT SECONDS EXPECTED HEADER
// [PID...] keeps IN_FLIGHT calls under way on each of CONNECTIONS connections for SECONDS. The
// messages come from stdin, one a line, and are sent in turn; every reply must hold the text
// EXPECTED, else the run fails. HEADER is one more line of the handshake, or empty. Prints one JSON
// line: calls and seconds of the measured part, CPU per call of this client and of each PID in µs,
// and how many calls were answered over all.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/database/window.hpp"
#include "tests/bench/load/client.hpp"

namespace {

using sub0::bench::require;

/// The frames of the messages, and one burst of them for each way to begin.
class Messages {
 public:
  explicit Messages(std::istream& lines) {
    for (std::string line; std::getline(lines, line);) {
      frames_.push_back(sub0::bench::clientFrame(line));
    }
    require(!frames_.empty(), "no messages on stdin");
  }

  void append(std::size_t count, std::string& bytes) {
    for (std::size_t i = 0; i < count; ++i) {
      bytes += frames_[next_];
      next_ = next_ + 1 == frames_.size() ? 0 : next_ + 1;
    }
  }

 private:
  std::vector<std::string> frames_;
  std::size_t next_ = 0;
};

/// One connection's replies, put together from what arrives.
class Replies {
 public:
  /// Counts whole replies, each of which must hold `expected`.
  std::size_t feed(std::string_view bytes, std::string_view expected) {
    unread_ += bytes;
    std::string_view rest = unread_;
    std::size_t count = 0;
    while (const std::size_t size = frameBytes(rest)) {
      const std::string_view reply = rest.substr(0, size);
      if (reply.find(expected) == std::string_view::npos) {
        std::fprintf(stderr, "no %s in this reply: %.*s\n", std::string(expected).c_str(),
                     static_cast<int>(reply.size()), reply.data());
        std::exit(1);
      }
      rest.remove_prefix(size);
      ++count;
    }
    unread_.erase(0, unread_.size() - rest.size());
    return count;
  }

 private:
  /// The size of the whole frame at the start of `bytes`; 0 while it is unfinished.
  static std::size_t frameBytes(std::string_view bytes) {
    if (bytes.size() < 4) return 0;
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    require(at(0) == 0x81 && at(1) < 127, "a frame that is no text below 64 KiB");
    const std::size_t size = at(1) < 126 ? at(1) + 2U : at(2) * 256U + at(3) + 4U;
    return bytes.size() < size ? 0 : size;
  }

  std::string unread_;
};

struct Connection {
  int descriptor = -1;
  Replies replies;
};

int openConnection(std::uint16_t port, const std::string& header) {
  const int descriptor = sub0::bench::connectTo(port);
  const std::string tail(sub0::bench::kUpgradeTail);
  const std::string line = header.empty() ? "" : "\r\n" + header;
  sub0::bench::sendAll(descriptor,
                       "GET /ws HTTP/1.1" + line + tail.substr(std::string(" HTTP/1.1").size()));
  sub0::bench::expectUpgraded(descriptor);
  return descriptor;
}

struct Load {
  std::uint16_t port;
  std::size_t connection_count;
  std::size_t in_flight;
  double seconds;
  std::string expected;
  std::string header;
  std::vector<pid_t> processes;
};

void run(const Load& load) {
  Messages messages(std::cin);
  const int epoll = ::epoll_create1(0);
  std::vector<Connection> connections(load.connection_count);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].descriptor = openConnection(load.port, load.header);
    sub0::bench::watch(epoll, connections[i].descriptor, i);
  }
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::string burst;
  const auto say = [&](const Connection& connection, std::size_t count) {
    burst.clear();
    messages.append(count, burst);
    sub0::bench::sendAll(connection.descriptor, burst);
    sent += count;
  };
  sub0::bench::Window window(load.seconds, load.processes);
  for (const Connection& connection : connections) say(connection, load.in_flight);
  std::vector<epoll_event> events(256);
  std::vector<char> buffer(65536);
  for (bool goes_on = true; answered < sent;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10'000);
    require(count > 0, "no reply within ten seconds");
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      Connection& connection = connections[events[i].data.u64];
      const auto received = ::recv(connection.descriptor, buffer.data(), buffer.size(), 0);
      require(received > 0, "recv");
      const std::size_t replies = connection.replies.feed(
          {buffer.data(), static_cast<std::size_t>(received)}, load.expected);
      answered += replies;
      if (goes_on && replies > 0) say(connection, replies);
    }
    goes_on = goes_on && window.look(answered);
  }
  std::printf(R"({"calls":%llu,"seconds":%.6f,"client_cpu_us":%.4f,"cpu_us":[)",
              static_cast<unsigned long long>(window.count()), window.seconds(),
              window.cpuMicroseconds(load.processes.size() - 1));
  for (std::size_t i = 0; i + 1 < load.processes.size(); ++i) {
    std::printf("%s%.4f", i == 0 ? "" : ",", window.cpuMicroseconds(i));
  }
  std::printf("],\"answered\":%llu}\n", static_cast<unsigned long long>(answered));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    std::fputs(
        "usage: bench_call_load PORT CONNECTIONS IN_FLIGHT SECONDS EXPECTED HEADER [PID...]\n",
        stderr);
    return 2;
  }
  Load load{static_cast<std::uint16_t>(std::stoul(argv[1])),
            std::stoul(argv[2]),
            std::stoul(argv[3]),
            std::stod(argv[4]),
            argv[5],
            argv[6],
            {}};
  for (int i = 7; i < argc; ++i) load.processes.push_back(static_cast<pid_t>(std::stoi(argv[i])));
  load.processes.push_back(0);  // this client, last
  run(load);
}
