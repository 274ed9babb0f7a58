// SPDX-License-Identifier: Apache-2.0
// The load of the churn benchmark: bench_churn_load PORT CYCLES [AT_ONCE]
// A cycle is connect, opening handshake, one call of `echo`, its reply, closing handshake, and the
// server's end of TCP; AT_ONCE (16) of them are under way until CYCLES are done. A cycle that goes
// another way ends the run with an error.
#include <chrono>
#include <vector>

#include "tests/bench/load/client.hpp"

namespace {

using sub0::bench::require;

constexpr std::size_t kEnvelopeBytes = 64;

enum class Stage { kUpgrading, kCalling, kClosing };

struct Cycle {
  int descriptor = -1;
  Stage stage = Stage::kUpgrading;
  std::string received;  // in this stage
};

class Churn {
 public:
  Churn(std::uint16_t port, std::size_t cycles, std::size_t at_once)
      : port_(port), to_begin_(cycles), to_end_(cycles), slots_(std::min(at_once, cycles)) {}

  void run() {
    for (std::size_t i = 0; i < slots_.size(); ++i) begin(i);
    while (to_end_ > 0) {
      const int count =
          ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 10'000);
      require(count > 0, "nothing within ten seconds");
      for (int i = 0; i < count; ++i) advance(events_[static_cast<std::size_t>(i)].data.u64);
    }
  }

 private:
  void begin(std::size_t slot) {
    if (to_begin_ == 0) return;
    --to_begin_;
    slots_[slot] = {sub0::bench::connectTo(port_), Stage::kUpgrading, {}};
    sub0::bench::watch(epoll_, slots_[slot].descriptor, slot);
    sub0::bench::sendUpgrade(slots_[slot].descriptor);
  }

  void advance(std::size_t slot) {
    Cycle& cycle = slots_[slot];
    const auto received = ::recv(cycle.descriptor, buffer_, sizeof buffer_, 0);
    require(received >= 0, "recv");
    if (received == 0) {
      require(cycle.stage == Stage::kClosing && cycle.received.size() == 4, "an early end");
      ::close(cycle.descriptor);
      --to_end_;
      begin(slot);
      return;
    }
    cycle.received.append(buffer_, static_cast<std::size_t>(received));
    if (cycle.stage == Stage::kUpgrading && cycle.received.ends_with("\r\n\r\n")) {
      require(cycle.received.starts_with("HTTP/1.1 101"), "handshake refused");
      go(cycle, Stage::kCalling, call_);
    } else if (cycle.stage == Stage::kCalling && cycle.received.size() >= reply_bytes_) {
      require(cycle.received.size() == reply_bytes_, "a reply of another length");
      go(cycle, Stage::kClosing, close_);
    }
  }

  static void go(Cycle& cycle, Stage stage, std::string_view frame) {
    cycle.stage = stage;
    cycle.received.clear();
    sub0::bench::sendAll(cycle.descriptor, frame);
  }

  const std::uint16_t port_;
  const std::string call_ = sub0::bench::echoFrame(kEnvelopeBytes);
  const std::size_t reply_bytes_ = sub0::bench::echoReplyBytes(kEnvelopeBytes);
  const std::string close_ = sub0::bench::clientFrame("\x03\xE8", 8);  // 1000
  const int epoll_ = ::epoll_create1(0);
  std::size_t to_begin_;
  std::size_t to_end_;
  std::vector<Cycle> slots_;
  std::vector<epoll_event> events_{256};
  char buffer_[4096];
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: bench_churn_load PORT CYCLES [AT_ONCE]\n", stderr);
    return 2;
  }
  const std::size_t cycles = std::stoul(argv[2]);
  Churn churn(static_cast<std::uint16_t>(std::stoul(argv[1])), cycles,
              argc > 3 ? std::stoul(argv[3]) : 16);
  sub0::bench::awaitGo();
  const auto start = std::chrono::steady_clock::now();
  churn.run();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf(R"({"cycles":%zu,"seconds":%.6f})"
              "\n",
              cycles, elapsed.count());
}
