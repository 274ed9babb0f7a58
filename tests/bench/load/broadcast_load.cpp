// SPDX-License-Identifier: Apache-2.0
// The load of the broadcast benchmark: bench_broadcast_load PORT CONNECTIONS BROADCASTS [single]
// The first of CONNECTIONS calls `notify-all` and waits until every connection, itself included,
// has its message and the caller its reply; then again. With `single` every connection has a uid of
// its own and it calls `notify-one` for each of the others in turn, and nobody else may get
// anything. One at a time, so that no two broadcasts share a send.
#include <chrono>
#include <vector>

#include "tests/bench/load/client.hpp"

namespace {

using sub0::bench::require;

constexpr std::size_t kWarm = 3;  // broadcasts before those that count

class Broadcasts {
 public:
  Broadcasts(std::uint16_t port, std::size_t connections, bool to_one) : to_one_(to_one) {
    require(connections >= 2, "at least two connections");
    for (std::size_t i = 0; i < connections; ++i) {
      const int descriptor =
          sub0::bench::openWebSocket(port, to_one ? "?uid=" + uidOf(i) : std::string());
      descriptors_.push_back(descriptor);
      sub0::bench::watch(epoll_, descriptor, i);
    }
    counters_.resize(connections);
    frames_.resize(connections);
    shares_.resize(connections);
  }

  /// The frames that one broadcast brings: a message to each receiver, and the caller's reply.
  std::size_t framesPerBroadcast() const { return to_one_ ? 2 : descriptors_.size() + 1; }

  void once() {
    const std::size_t receiver = 1 + broadcasts_++ % (descriptors_.size() - 1);
    sub0::bench::sendAll(descriptors_[0], to_one_ ? callFor(receiver) : call_to_all_);
    shares_[0] += 1;
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      if (!to_one_ || i == receiver) shares_[i] += 1;
    }
    std::size_t expected = framesPerBroadcast();
    while (expected > 0) {
      const int count =
          ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 10'000);
      require(count > 0, "no delivery within ten seconds");
      for (int i = 0; i < count; ++i) {
        const std::size_t frames = receive(events_[static_cast<std::size_t>(i)].data.u64);
        require(frames <= expected, "more frames than were sent");
        expected -= frames;
      }
    }
  }

  /// Every connection must have got its own share, not merely all of them the sum.
  void requireShares() const {
    require(frames_ == shares_, "a connection with another number of frames");
  }

 private:
  static std::string uidOf(std::size_t index) { return "bench" + std::to_string(index); }
  static std::string callFor(std::size_t receiver) {
    return sub0::bench::clientFrame(
        R"({"resource":"notify-one","action":"a","payload":{"balance":99.5,"uid":")" +
        uidOf(receiver) + "\"}}");
  }

  std::size_t receive(std::uint64_t index) {
    const auto received = ::recv(descriptors_[index], buffer_, sizeof buffer_, 0);
    require(received > 0, "recv");
    const std::size_t frames = counters_[index].feed(buffer_, static_cast<std::size_t>(received));
    frames_[index] += frames;
    return frames;
  }

  const bool to_one_;
  const int epoll_ = ::epoll_create1(0);
  const std::string call_to_all_ = sub0::bench::clientFrame(
      R"({"resource":"notify-all","action":"a","payload":{"balance":99.5}})");
  std::size_t broadcasts_ = 0;
  std::vector<int> descriptors_;
  std::vector<sub0::bench::FrameCounter> counters_;
  std::vector<std::size_t> frames_;  // got
  std::vector<std::size_t> shares_;  // to be got
  std::vector<epoll_event> events_{512};
  char buffer_[4096];
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: bench_broadcast_load PORT CONNECTIONS BROADCASTS [single]\n", stderr);
    return 2;
  }
  Broadcasts broadcasts(static_cast<std::uint16_t>(std::stoul(argv[1])), std::stoul(argv[2]),
                        argc > 4 && std::string_view(argv[4]) == "single");
  const std::size_t count = std::stoul(argv[3]);
  for (std::size_t i = 0; i < kWarm; ++i) broadcasts.once();
  sub0::bench::awaitGo();
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) broadcasts.once();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  broadcasts.requireShares();
  std::printf(R"({"broadcasts":%zu,"deliveries":%zu,"seconds":%.6f})"
              "\n",
              count, count * (broadcasts.framesPerBroadcast() - 1), elapsed.count());
  sub0::bench::awaitEndOfInput();
}
