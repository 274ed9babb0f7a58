// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Timespan.h>
#include <Poco/Timestamp.h>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/arena.hpp"
#include "json/parser.hpp"
#include "json/value.hpp"
#include "loop/loop.hpp"
#include "loop/real_io.hpp"
#include "net/server.hpp"
#include "tests/unit/net/manual_clock.hpp"

// A whole network side on real loopback sockets: N loops on threads, a dispatcher that answers by
// the resource's name, and clients that block with a deadline. No sleeps: everything is waited for.
namespace sub0::net::testing {

/// After so long a test is taken to hang; nothing is measured by it.
inline constexpr long kHangSeconds = 120;

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class TestCatalogue final : public call::Catalogue {
 public:
  const std::vector<std::string>& tokenSchemes() const override { return schemes; }
  const std::vector<std::string>& keptHeaders() const override { return kept; }
  std::vector<std::string> schemes{"x-access-token", "Authorization"};
  std::vector<std::string> kept{"x-trace"};
};

/// `echo`: the payload. `hold`: answered by a later `release` (oldest) or `release-last`. `who`:
/// loop, uid, ip, scheme, trace, method. `big`: {"size":n} bytes. `notify`: {"to":…,"data":…,
/// "exclude":bool} is broadcast behind the reply, which is the count. `hold-notify`: held like
/// `hold`, and broadcasts when it is released. `guarded`: a bad token. Anything else: not found.
class TestDispatcher final : public call::Dispatcher {
 public:
  void dispatch(const call::Request& request) override {
    call_ = {request.sender, request.reply_port, std::string(request.action_json),
             std::string(request.id_json), std::string(request.payload_json)};
    if (call_.payload.empty()) call_.payload = "{}";
    if (request.resource == "echo") return answer(call_, json::raw(call_.payload));
    if (request.resource == "who") return answer(call_, json::raw(describe(request)));
    if (request.resource == "big") return answerBig();
    if (request.resource == "notify") return notify(call_);
    if (request.resource == "hold" || request.resource == "hold-notify") {
      call_.is_notify = request.resource == "hold-notify";
      held.push_back(call_);
      return;
    }
    if (request.resource == "release" || request.resource == "release-last") {
      release(request.resource == "release");
      return answer(call_, json::raw("true"));
    }
    if (request.resource == "guarded") return fail(call_, Code::kTokenInvalid);
    fail(call_, request.resource == "limited" ? Code::kRateLimited : Code::kNotFound);
  }
  void abandon(std::uint64_t) override { ++abandoned; }

  /// Ends the oldest held call. THREAD: the loop's.
  void releaseHeld() { release(true); }

  struct HeldCall {
    call::Sender sender;
    call::ReplyPort* port = nullptr;
    std::string action, id, payload;
    bool is_notify = false;
  };
  std::deque<HeldCall> held;
  std::atomic<int> abandoned{0};
  ws::Hub* hub = nullptr;

 private:
  static call::Reply replyTo(const HeldCall& held_call) {
    call::Reply reply;
    reply.action_json = held_call.action;
    reply.id_json = held_call.id;
    return reply;
  }
  static void answer(const HeldCall& held_call, json::Value data) {
    call::Reply reply = replyTo(held_call);
    reply.data = &data;
    held_call.port->deliver(held_call.sender, reply);
  }
  static void fail(const HeldCall& held_call, Code code) {
    call::Reply reply = replyTo(held_call);
    reply.code = code;
    reply.status = codeInfo(code).status;
    reply.retry_after_s = 7;
    held_call.port->deliver(held_call.sender, reply);
  }
  void answerBig() {
    const std::string digits = call_.payload.substr(call_.payload.find(':') + 1);
    const std::string text(std::stoul(digits), 'x');
    answer(call_, json::text(text));
  }
  void release(bool is_oldest) {
    if (held.empty()) return;
    const HeldCall held_call = is_oldest ? held.front() : held.back();
    if (is_oldest) {
      held.pop_front();
    } else {
      held.pop_back();
    }
    if (held_call.is_notify) return notify(held_call);
    answer(held_call, json::raw(held_call.payload));
  }
  void notify(const HeldCall& held_call) {
    Arena arena;
    auto parsed = parser_.parseCopy(held_call.payload, arena);
    ASSERT_TRUE(parsed);
    const json::Value* to = json::find(*parsed, "to");
    call::Broadcast broadcast;
    std::vector<std::string_view> uids;
    if (to != nullptr && json::isText(*to)) {
      broadcast.audience = call::Audience::kSingle;
      uids.push_back(json::chars(*to));
    } else if (to != nullptr) {
      broadcast.audience = call::Audience::kBulk;
      for (std::size_t i = 0; i < to->count; ++i) uids.push_back(json::chars(to->as.items[i]));
    }
    broadcast.uids = uids;
    broadcast.action = "update";
    broadcast.data = json::find(*parsed, "data");
    broadcast.exclude_sender = json::find(*parsed, "exclude") != nullptr;
    const auto count = static_cast<std::int64_t>(hub->count(broadcast, held_call.sender));
    call::Reply reply = replyTo(held_call);
    const json::Value data = json::integer(count);
    reply.data = &data;
    reply.is_followed = true;
    held_call.port->deliver(held_call.sender, reply);
    hub->send(broadcast, held_call.sender);
    held_call.port->followersSent(held_call.sender);
  }
  static std::string describe(const call::Request& request) {
    std::string trace;
    for (const HeaderField& field : request.headers) {
      if (field.name == "x-trace") trace = field.value;
    }
    std::string query;
    for (const HeaderField& field : request.query) {
      query.append(field.name).append("=").append(field.value).append(";");
    }
    return R"({"loop":)" + std::to_string(request.sender.loop) + R"(,"uid":)" +
           (request.uid_json.empty() ? "null" : std::string(request.uid_json)) + R"(,"ip":")" +
           std::string(request.peer_address) + R"(","scheme":")" +
           std::string(request.token_scheme) + R"(","token":")" + std::string(request.token) +
           R"(","trace":")" + trace + R"(","method":")" + std::string(request.method) +
           R"(","type":")" + std::string(request.content_type) + R"(","query":")" + query + R"("})";
  }

  HeldCall call_;
  json::Parser parser_;
};

/// The server under test.
class TestServer {
 public:
  /// `clock`: the loops' time, which then stands still but for advance(); null: the real one.
  explicit TestServer(Options options = {}, std::size_t loops = 1, Readiness readiness = {},
                      ManualClock* clock = nullptr)
      : catalogue(std::make_shared<TestCatalogue>()),
        server(std::move(options), std::move(readiness)),
        clock_(clock) {
    EXPECT_TRUE(server.listen("127.0.0.1", 0));
    server.setLoops(loops);
    for (std::uint32_t i = 0; i < loops; ++i) {
      if (clock != nullptr) {
        ios_.push_back(std::make_unique<ManualClockIo>(*clock));
      } else {
        ios_.push_back(std::make_unique<loop::RealIo>());
      }
      loops_.push_back(std::make_unique<loop::Loop>(i, *ios_.back()));
      dispatchers.push_back(std::make_unique<TestDispatcher>());
      dispatchers.back()->hub = &server.hub();
      server.addLoop(*loops_.back(), *dispatchers.back(), catalogue);
    }
    server.start();
    for (auto& loop : loops_) threads_.emplace_back([&loop] { loop->run(); });
  }
  ~TestServer() {
    for (auto& loop : loops_) loop->stop();
    for (auto& thread : threads_) thread.join();
  }
  std::uint16_t port() const { return server.listener().port(); }
  loop::Loop& loop(std::size_t index) { return *loops_[index]; }

  /// Moves the manual clock on; every loop has seen it and fired its timers when this returns.
  void advance(std::int64_t ms) {
    clock_->advance(ms);
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      onLoop(i, [] {});
    }
  }

  /// Connections of a uid on all loops.
  std::uint64_t countOf(std::string_view uid) {
    call::Broadcast broadcast;
    broadcast.audience = call::Audience::kSingle;
    broadcast.uids = {&uid, 1};
    return server.hub().count(broadcast, {});
  }
  Connection* connection(std::size_t index, const call::Sender& sender) {
    return server.services(index).connections.find(sender.connection);
  }

  /// Runs `function` on a loop and waits for it.
  void onLoop(std::size_t index, const std::function<void()>& function) {
    std::promise<void> done;
    loops_[index]->post([&] {
      function();
      done.set_value();
    });
    done.get_future().wait();
  }

  /// Waits until `holds` of the totals; false after ten seconds.
  template <typename Holds>
  bool waitUntil(Holds holds) {
    const Poco::Timestamp start;
    while (!holds(server.totals())) {
      if (start.isElapsed(Poco::Timespan(kHangSeconds, 0).totalMicroseconds())) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::shared_ptr<TestCatalogue> catalogue;
  std::vector<std::unique_ptr<loop::Io>> ios_;
  std::vector<std::unique_ptr<loop::Loop>> loops_;
  std::vector<std::unique_ptr<TestDispatcher>> dispatchers;
  Server server;

 private:
  ManualClock* clock_;
  std::vector<std::thread> threads_;
};

inline Options socketOptions() {
  Options options;
  options.allow_websocket = true;
  return options;
}

/// A blocking client with a deadline of ten seconds on everything.
class Client {
 public:
  /// `from`: one of the addresses 127.0.0.1 to 127.255.255.254.
  explicit Client(std::uint16_t port, const char* from = nullptr) {
    if (from == nullptr) {
      socket_.connect(Poco::Net::SocketAddress("127.0.0.1", port));
    } else {
      socket_ = Poco::Net::StreamSocket(new Poco::Net::StreamSocketImpl(connectFrom(from, port)));
    }
    socket_.setReceiveTimeout(Poco::Timespan(kHangSeconds, 0));
    socket_.setSendTimeout(Poco::Timespan(kHangSeconds, 0));
    socket_.setNoDelay(true);
  }
  Poco::Net::StreamSocket& socket() { return socket_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = socket_.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Reads more; false at the end of the stream, a reset, or the deadline.
  bool fill() {
    char buffer[65536];
    try {
      const int received = socket_.receiveBytes(buffer, sizeof buffer);
      if (received <= 0) return false;
      buffered_.append(buffer, static_cast<std::size_t>(received));
      return true;
    } catch (const Poco::TimeoutException&) {
      ADD_FAILURE() << "nothing came; so far: " << buffered_.substr(0, 200);
      return false;
    } catch (const Poco::Exception&) {
      return false;
    }
  }
  /// Everything up to the end of the stream.
  std::string readToEnd() {
    while (fill()) {
    }
    return std::exchange(buffered_, {});
  }
  std::string take(std::size_t size) {
    while (buffered_.size() < size) {
      if (!fill()) return {};
    }
    std::string result = buffered_.substr(0, size);
    buffered_.erase(0, size);
    return result;
  }
  /// Head and body of one HTTP response.
  std::string response(bool has_body = true) {
    std::size_t end = 0;
    while ((end = buffered_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return std::exchange(buffered_, {});
    }
    std::size_t size = end + 4;
    const std::size_t length = buffered_.find("Content-Length: ");
    if (has_body && length < end) size += std::stoul(buffered_.substr(length + 16));
    return take(size);
  }
  std::string& buffered() { return buffered_; }

 private:
  static int connectFrom(const char* from, std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &address.sin_addr);
    EXPECT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(port);
    EXPECT_EQ(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return descriptor;
  }

  Poco::Net::StreamSocket socket_;
  std::string buffered_;
};

inline std::string maskedFrame(std::uint8_t first, std::string_view payload,
                               bool is_masked = true) {
  std::string out(1, static_cast<char>(first));
  const char mask = static_cast<char>(is_masked ? 0x80 : 0);
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(mask | static_cast<char>(payload.size())));
  } else if (payload.size() <= 0xFFFF) {
    out.push_back(static_cast<char>(mask | 126));
    for (int shift = 8; shift >= 0; shift -= 8) {
      out.push_back(static_cast<char>(payload.size() >> shift));
    }
  } else {
    out.push_back(static_cast<char>(mask | 127));
    for (int shift = 56; shift >= 0; shift -= 8) {
      out.push_back(static_cast<char>(payload.size() >> shift));
    }
  }
  if (!is_masked) return out.append(payload);
  const std::string key = "\x11\x22\x33\x44";
  out.append(key);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out.push_back(static_cast<char>(payload[i] ^ key[i % 4]));
  }
  return out;
}

inline std::string textFrame(std::string_view payload) { return maskedFrame(0x81, payload); }

inline std::string upgradeRequest(std::string_view target = "/ws", std::string_view extra = {}) {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(extra) + "\r\n";
}

struct Frame {
  int opcode = -1;  // -1: the stream has ended
  std::string payload;
  int closeCode() const {
    if (opcode != 8 || payload.size() < 2) return opcode == 8 ? 0 : -1;
    return static_cast<std::uint8_t>(payload[0]) << 8 | static_cast<std::uint8_t>(payload[1]);
  }
};

class SocketClient : public Client {
 public:
  explicit SocketClient(std::uint16_t port, std::string_view target = "/ws",
                        std::string_view extra = {})
      : Client(port) {
    send(upgradeRequest(target, extra));
    handshake = response(false);
    EXPECT_EQ(handshake.substr(0, 12), "HTTP/1.1 101") << handshake;
  }
  void say(std::string_view text) { send(textFrame(text)); }
  void call(std::string_view resource, std::string_view action, std::string_view payload,
            std::string_view id = {}) {
    say(envelope(resource, action, payload, id));
  }
  static std::string envelope(std::string_view resource, std::string_view action,
                              std::string_view payload, std::string_view id = {}) {
    std::string text = R"({"resource":")" + std::string(resource) + R"(","action":")" +
                       std::string(action) + R"(","payload":)" + std::string(payload);
    if (!id.empty()) text.append(R"(,"id":)").append(id);
    return text + "}";
  }
  Frame frame() {
    const std::string head = take(2);
    if (head.size() < 2) return {};
    Frame result;
    result.opcode = head[0] & 0x0F;
    EXPECT_EQ(head[1] & 0x80, 0) << "a server does not mask";
    std::uint64_t size = static_cast<std::uint8_t>(head[1]);
    if (size >= 126) {
      const std::string length = take(size == 126 ? 2 : 8);
      size = 0;
      for (const char byte : length) size = size << 8 | static_cast<std::uint8_t>(byte);
    }
    result.payload = take(size);
    if (result.payload.size() != size) result.opcode = -1;
    return result;
  }
  /// The next message's text; "" when something else comes.
  std::string text() {
    Frame next = frame();
    return next.opcode == 1 ? next.payload : "";
  }
  std::string handshake;
};

/// Which loop a socket is on.
inline int loopOf(SocketClient& client) {
  client.call("who", "w", "{}");
  const std::string answer = client.text();
  return std::stoi(answer.substr(answer.find("\"loop\":") + 7));
}

/// A client for `target` on every loop, so that receivers are surely spread.
inline std::vector<std::unique_ptr<SocketClient>> clientsOnEachLoop(TestServer& server,
                                                                    std::size_t loops,
                                                                    const std::string& target) {
  std::vector<std::unique_ptr<SocketClient>> kept(loops);
  std::vector<std::unique_ptr<SocketClient>> others;
  const std::uint64_t before = server.server.totals().open_sockets;
  for (int i = 0; i < 400; ++i) {
    auto client = std::make_unique<SocketClient>(server.port(), target);
    auto& place = kept[static_cast<std::size_t>(loopOf(*client))];
    (place ? others.emplace_back() : place) = std::move(client);
    if (std::all_of(kept.begin(), kept.end(), [](const auto& c) { return c != nullptr; })) break;
  }
  for (const auto& client : kept) EXPECT_NE(client, nullptr);
  others.clear();
  EXPECT_TRUE(server.waitUntil(
      [&](const Totals& totals) { return totals.open_sockets == before + loops; }));
  return kept;
}

}  // namespace sub0::net::testing
