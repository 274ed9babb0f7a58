// SPDX-License-Identifier: Apache-2.0
// Latency under an open loop: bench_open_load PORT CONNECTIONS RATE SECONDS [PAYLOAD_BYTES]
// Message k is due at start + k / RATE, whatever became of those before, and its latency counts
// from that moment: a server that stops for a while is charged with every message that it kept
// waiting, not with one (no coordinated omission). Prints the percentiles in µs as a JSON line,
// and how late the client itself was in sending, so that a figure that is the client's is seen.
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <deque>
#include <vector>

#include "tests/bench/load/client.hpp"

namespace {

using sub0::bench::require;
using Clock = std::chrono::steady_clock;

struct Connection {
  int descriptor = -1;
  std::size_t reply_bytes = 0;      // of an unfinished reply
  std::deque<std::int64_t> due_ns;  // of the messages under way, in order
};

class OpenLoop {
 public:
  OpenLoop(std::uint16_t port, std::size_t connections, double rate, std::size_t payload_bytes)
      : message_(sub0::bench::echoFrame(payload_bytes)),
        reply_bytes_(sub0::bench::echoReplyBytes(payload_bytes)),
        interval_ns_(1e9 / rate),
        connections_(connections) {
    for (std::size_t i = 0; i < connections; ++i) {
      connections_[i].descriptor = sub0::bench::openWebSocket(port);
      sub0::bench::watch(epoll_, connections_[i].descriptor, i);
    }
  }

  void run(std::size_t messages) {
    latencies_.reserve(messages);
    delays_.reserve(messages);
    start_ = Clock::now();
    std::size_t sent = 0;
    while (latencies_.size() < messages) {
      while (sent < messages && now() >= dueAt(sent)) send(sent++);
      receive(sent < messages ? dueAt(sent) - now() : std::int64_t{10'000'000'000});
    }
  }

  void report() {
    std::sort(latencies_.begin(), latencies_.end());
    std::sort(delays_.begin(), delays_.end());
    std::printf(R"({"messages":%zu,"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,"max_us":%.1f,)"
                R"("client_late_p99_us":%.1f})"
                "\n",
                latencies_.size(), at(latencies_, 0.5), at(latencies_, 0.99), at(latencies_, 0.999),
                at(latencies_, 1), at(delays_, 0.99));
  }

 private:
  std::int64_t now() const { return (Clock::now() - start_).count(); }
  std::int64_t dueAt(std::size_t k) const {
    return static_cast<std::int64_t>(interval_ns_ * static_cast<double>(k));
  }
  static double at(const std::vector<std::int64_t>& sorted, double share) {
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
    return static_cast<double>(sorted[std::min(rank, sorted.size() - 1)]) / 1e3;
  }

  void send(std::size_t k) {
    Connection& connection = connections_[k % connections_.size()];
    delays_.push_back(now() - dueAt(k));
    connection.due_ns.push_back(dueAt(k));
    sub0::bench::sendAll(connection.descriptor, message_);
  }

  void receive(std::int64_t wait_ns) {
    const timespec timeout{wait_ns > 0 ? wait_ns / 1'000'000'000 : 0,
                           wait_ns > 0 ? wait_ns % 1'000'000'000 : 0};
    const int count =
        ::epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
    require(count > 0 || wait_ns < 10'000'000'000, "no reply within ten seconds");
    for (int i = 0; i < count; ++i) {
      Connection& connection = connections_[events_[static_cast<std::size_t>(i)].data.u64];
      const auto received = ::recv(connection.descriptor, buffer_.data(), buffer_.size(), 0);
      require(received > 0, "recv");
      connection.reply_bytes += static_cast<std::size_t>(received);
      for (; connection.reply_bytes >= reply_bytes_; connection.reply_bytes -= reply_bytes_) {
        require(!connection.due_ns.empty(), "a reply that nobody asked for");
        latencies_.push_back(now() - connection.due_ns.front());
        connection.due_ns.pop_front();
      }
    }
  }

  const std::string message_;
  const std::size_t reply_bytes_;
  const double interval_ns_;
  const int epoll_ = ::epoll_create1(0);
  std::vector<Connection> connections_;
  std::vector<epoll_event> events_{256};
  std::vector<char> buffer_ = std::vector<char>(65536);
  Clock::time_point start_;
  std::vector<std::int64_t> latencies_;
  std::vector<std::int64_t> delays_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: bench_open_load PORT CONNECTIONS RATE SECONDS [PAYLOAD_BYTES]\n", stderr);
    return 2;
  }
  ::prctl(PR_SET_TIMERSLACK, 1);
  const double rate = std::stod(argv[3]);
  OpenLoop loop(static_cast<std::uint16_t>(std::stoul(argv[1])), std::stoul(argv[2]), rate,
                argc > 5 ? std::stoul(argv[5]) : 64);
  sub0::bench::awaitGo();
  loop.run(static_cast<std::size_t>(rate * std::stod(argv[4])));
  loop.report();
}
