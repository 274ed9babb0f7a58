// SPDX-License-Identifier: Apache-2.0
// Real sockets, real threads: replies and broadcasts at once, through kernels' buffers made small,
// to clients that read in pieces of random sizes. Built under the thread sanitizer by `./dev soak`.
// What each client gets must be well-formed frames, its replies in order (S-114), its own
// broadcasts right behind them (S-116), those of others in the order in which their loop sent them,
// and none missing (Q-35).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "call/request.hpp"
#include "loop/pool.hpp"
#include "loop/real_io.hpp"
#include "net/server.hpp"
#include "tests/simulation/random.hpp"
#include "tests/simulation/strict_json.hpp"
#include "tests/simulation/strict_readers.hpp"

namespace sub0::simulation {
namespace {

constexpr std::size_t kLoops = 3;
constexpr std::size_t kClients = 24;
constexpr std::size_t kInFlight = 24;
constexpr int kBufferBytes = 4096;

class NoNames final : public call::Catalogue {
 public:
  const std::vector<std::string>& tokenSchemes() const override { return names_; }
  const std::vector<std::string>& keptHeaders() const override { return names_; }

 private:
  std::vector<std::string> names_;
};

/// In the place of the calls: gives the payload back, at once or by way of a thread of the pool,
/// and lets every third one broadcast to all.
class Answers final : public call::Dispatcher {
 public:
  Answers(loop::Loop& loop, loop::Pool& pool) : loop_(loop), pool_(pool) {}

  void dispatch(const call::Request& request) override {
    auto made = std::make_shared<Made>();
    made->sender = request.sender;
    made->port = request.reply_port;
    made->action = request.action_json;
    made->payload = request.payload_json;
    const std::uint64_t count = ++count_;
    if (count % 4 != 0) {
      answer(*made, count);
      return;
    }
    const bool is_taken = pool_.submit(
        [this, made, count] { loop_.post([this, made, count] { answer(*made, count); }); });
    if (!is_taken) answer(*made, count);
  }
  void abandon(std::uint64_t) override {}

  net::ws::Hub* hub = nullptr;
  std::atomic<std::uint64_t> answered{0};

 private:
  struct Made {
    call::Sender sender;
    call::ReplyPort* port;
    std::string action, payload;
  };

  void answer(const Made& made, std::uint64_t count) {
    const json::Value data = json::raw(made.payload);
    call::Reply reply;
    reply.data = &data;
    reply.action_json = made.action;
    reply.is_followed = count % 3 == 0;
    made.port->deliver(made.sender, reply);
    answered.fetch_add(1, std::memory_order_relaxed);
    if (!reply.is_followed) return;
    const std::string text = "{\"l\":" + std::to_string(loop_.index()) +
                             ",\"b\":" + std::to_string(++casts_) + ",\"of\":" + made.action + "}";
    const json::Value cast_data = json::raw(text);
    call::Broadcast broadcast;
    broadcast.action = "cast";
    broadcast.data = &cast_data;
    hub->send(broadcast, made.sender);
    made.port->followersSent(made.sender);
  }

  loop::Loop& loop_;
  loop::Pool& pool_;
  std::uint64_t count_ = 0;
  std::uint64_t casts_ = 0;
};

struct Unit {
  Unit(std::uint32_t index, loop::Pool& pool) : loop(index, io), answers(loop, pool) {}
  loop::RealIo io;
  loop::Loop loop;
  Answers answers;
  std::thread thread;
};

/// One client on a thread of its own.
class SoakClient {
 public:
  SoakClient(std::uint16_t port, std::uint64_t number, std::uint64_t seed)
      : port_(port), number_(number), random_(seed * 1000 + number) {}

  void run(const std::atomic<bool>& is_over) {
    if (!connect()) return;
    while (problem.empty()) {
      const bool may_ask = !is_over;
      // The broadcast of the last call may still be on its way.
      is_leaving_ = !may_ask && waiting_.empty();
      if (is_leaving_ && (missing_.empty() || ++rounds_left_ > 50)) break;
      while (may_ask && waiting_.size() < kInFlight && output_.size() < 20'000) ask();
      if (!exchange()) break;
    }
    ::close(socket_);
  }

  std::string problem;
  std::uint64_t replies = 0, casts = 0, reads = 0, bytes = 0;
  std::size_t missing() const { return missing_.size(); }

 private:
  bool fail(const std::string& text) {
    if (problem.empty()) problem = "client " + std::to_string(number_) + ": " + text;
    return false;
  }

  bool connect() {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int small = kBufferBytes;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      return fail("cannot connect");
    }
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
    output_ =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    return true;
  }

  std::string label(std::uint64_t call) const {
    return "c" + std::to_string(number_) + "-" + std::to_string(call);
  }

  void ask() {
    const std::uint64_t call = ++asked_;
    const std::size_t pad = random_.oneIn(10) ? random_.below(6000) : random_.below(200);
    const std::string text = R"({"resource":"x","action":")" + label(call) +
                             R"(","payload":{"s":)" + std::to_string(call) + R"(,"pad":")" +
                             std::string(pad, 'p') + "\"}}";
    output_ += clientFrame(0x81, text, static_cast<std::uint32_t>(random_.next()));
    waiting_.push_back(call);
  }

  /// Writes and reads a little.
  bool exchange() {
    pollfd ready{socket_, static_cast<short>(POLLIN | (output_.empty() ? 0 : POLLOUT)), 0};
    constexpr int kPatienceMs = 30'000;
    if (::poll(&ready, 1, is_leaving_ ? 50 : kPatienceMs) == 0) {
      return is_leaving_ || fail("nothing comes for half a minute");
    }
    if ((ready.revents & POLLOUT) != 0) {
      const std::size_t size = 1 + random_.below(std::min<std::size_t>(output_.size(), 3000));
      const ssize_t sent = ::send(socket_, output_.data(), size, MSG_NOSIGNAL);
      if (sent > 0) output_.erase(0, static_cast<std::size_t>(sent));
    }
    if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return true;
    char buffer[8192];
    const std::size_t size = 1 + random_.below(random_.oneIn(3) ? 20 : sizeof buffer);
    const ssize_t got = ::recv(socket_, buffer, size, 0);
    if (got == 0) return fail("the server ended the connection");
    if (got < 0) return errno == EAGAIN || fail("reset");
    ++reads;
    bytes += static_cast<std::uint64_t>(got);
    input_.append(buffer, static_cast<std::size_t>(got));
    if (random_.oneIn(50)) {  // a reader that is away for a moment
      std::this_thread::sleep_for(std::chrono::microseconds(random_.below(3000)));
    }
    return take();
  }

  bool take() {
    std::string text;
    if (!has_joined_) {
      Response response;
      const Read read = readResponse(input_, true, response, text);
      if (read == Read::kMore) return true;
      if (read == Read::kBad || response.status != 101) return fail("handshake: " + text);
      has_joined_ = true;
    }
    while (true) {
      ServerFrame frame;
      const Read read = frames_.next(input_, frame, text);
      if (read == Read::kMore) return true;
      if (read == Read::kBad) return fail("frame: " + text);
      if (frame.kind == ServerFrame::Kind::kClose) {
        return fail("closed by " + std::to_string(frame.close_code) + " " + frame.payload);
      }
      if (frame.kind == ServerFrame::Kind::kPing) {
        output_ += clientFrame(0x8a, frame.payload, 1);
      } else if (!onText(frame.payload)) {
        return false;
      }
    }
  }

  bool onText(const std::string& text) {
    const auto message = Json::parse(text);
    if (!message || message->find("data") == nullptr) return fail("no JSON: " + text);
    const Json& data = *message->find("data");
    if (message->find("uid") != nullptr) {
      if (waiting_.empty()) return fail("a reply too many");
      const std::uint64_t call = waiting_.front();
      waiting_.pop_front();
      ++replies;
      last_reply_ = label(call);
      const Json* sequence = data.find("s");
      if (message->find("action")->text != last_reply_ || sequence == nullptr ||
          sequence->text != std::to_string(call)) {
        return fail("out of order: " + text.substr(0, 100) + " instead of " + last_reply_);
      }
      return true;
    }
    ++casts;
    return onCast(std::stoul(data.find("l")->text), std::stoull(data.find("b")->text),
                  data.find("of")->text);
  }

  bool onCast(std::size_t loop, std::uint64_t number, const std::string& of) {
    const bool is_own = of.rfind("c" + std::to_string(number_) + "-", 0) == 0;
    std::uint64_t& last = last_cast_[loop];
    if (is_own) {
      if (of != last_reply_) return fail("the broadcast of " + of + " behind " + last_reply_);
      missing_.erase({loop, number});
      if (number > last) own_early_.insert({loop, number});
      return true;
    }
    if (last != 0 && number <= last) return fail("broadcasts of a loop out of order");
    for (std::uint64_t i = last + 1; last != 0 && i < number; ++i) {
      if (own_early_.erase({loop, i}) == 0) missing_.insert({loop, i});
    }
    last = number;
    return true;
  }

  const std::uint16_t port_;
  const std::uint64_t number_;
  Random random_;
  int socket_ = -1;
  bool has_joined_ = false;
  bool is_leaving_ = false;
  int rounds_left_ = 0;
  std::string output_, input_;
  FrameReader frames_;
  std::uint64_t asked_ = 0;
  std::deque<std::uint64_t> waiting_;
  std::string last_reply_;
  std::uint64_t last_cast_[kLoops] = {};
  std::set<std::pair<std::size_t, std::uint64_t>> missing_;    // own ones, not here yet
  std::set<std::pair<std::size_t, std::uint64_t>> own_early_;  // before those sent before them
};

int soak(double minutes, std::uint64_t seed) {
  loop::Pool pool(2);
  std::vector<std::unique_ptr<Unit>> units;  // outlive the server
  net::Options options;
  options.allow_websocket = true;
  options.hard_unsent_bytes = std::size_t{64} << 20;  // a slow reader is not the subject
  options.stall_deadline_ms = 120'000;
  options.pong_deadline_ms = 600'000;  // nor one whose ping waits behind all that
  net::Server server(options);
  server.setLoops(kLoops);
  const auto listening = server.listen("127.0.0.1", 0);
  if (!listening) {
    std::cerr << listening.error().message << "\n";
    return 1;
  }
  const int small = kBufferBytes;  // what accept() returns inherits it
  ::setsockopt(server.listener().descriptor(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  ::setsockopt(server.listener().descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    units.push_back(std::make_unique<Unit>(i, pool));
    units.back()->answers.hub = &server.hub();
    server.addLoop(units.back()->loop, units.back()->answers, std::make_shared<NoNames>());
  }
  server.start();
  for (auto& unit : units) unit->thread = std::thread([&loop = unit->loop] { loop.run(); });
  std::atomic<bool> is_over{false};
  std::vector<std::unique_ptr<SoakClient>> clients;
  std::vector<std::thread> threads;
  for (std::uint64_t i = 1; i <= kClients; ++i) {
    clients.push_back(std::make_unique<SoakClient>(server.listener().port(), i, seed));
    threads.emplace_back([&client = *clients.back(), &is_over] { client.run(is_over); });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(minutes * 60));
  is_over = true;
  for (auto& thread : threads) thread.join();
  for (auto& unit : units) unit->loop.stop();
  for (auto& unit : units) unit->thread.join();
  const net::Totals totals = server.totals();
  for (std::size_t i = 0; i < totals.closed.size(); ++i) {
    if (totals.closed[i] == 0) continue;
    std::cout << totals.closed[i]
              << " connections ended: " << net::closeReasonName(static_cast<net::CloseReason>(i))
              << "\n";
  }
  std::uint64_t replies = 0, casts = 0, reads = 0, bytes = 0;
  int failed = 0;
  for (const auto& client : clients) {
    replies += client->replies;
    casts += client->casts;
    reads += client->reads;
    bytes += client->bytes;
    std::string problem = client->problem;
    if (problem.empty() && client->missing() > 0) {
      problem = std::to_string(client->missing()) + " broadcasts never came";
    }
    if (problem.empty()) continue;
    ++failed;
    std::cout << problem << "\n";
  }
  std::cout << kClients << " clients, " << replies << " replies in order, " << casts
            << " broadcasts, " << bytes << " bytes in " << reads << " reads; " << failed
            << " clients found a fault\n";
  return failed == 0 && replies > 0 && casts > 0 ? 0 : 1;
}

}  // namespace
}  // namespace sub0::simulation

int main(int count, char** words) {
  double minutes = 10;
  std::uint64_t seed = 1;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--minutes" && i + 1 < count) {
      minutes = std::stod(words[++i]);
    } else if (word == "--seed" && i + 1 < count) {
      seed = std::stoull(words[++i]);
    } else {
      std::cerr << "soak [--minutes M] [--seed S]\n";
      return word == "--help" ? 0 : 2;
    }
  }
  sub0::log::setSink([](std::string_view) {});
  return sub0::simulation::soak(minutes, seed);
}
