// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/ServerSocket.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "loop/loop.hpp"
#include "net/counters.hpp"

namespace sub0::net {

/// The listening socket of the process, shared by all loops. No SO_REUSEPORT: a second host on the
/// port must fail, and closing one of two listeners would reset connections. Any thread.
class Listener {
 public:
  static constexpr int kBacklog = 1024;

  /// Binds and listens. `host`: a name or address ("127.0.0.1", "::", "[::1]"); port 0: the system
  /// chooses. ERRORS: kUnavailable with the reason and the setting to change (exit 69).
  Result<Done> open(const std::string& host, std::uint16_t port);

  /// Takes a listening descriptor of the loops' Io (simulation); whoever made it closes it.
  void adopt(int descriptor) { adopted_ = descriptor; }

  int descriptor() const { return adopted_ >= 0 ? adopted_ : socket_.impl()->sockfd(); }
  std::uint16_t port() const { return port_; }
  /// "127.0.0.1" or "[::1]", as in a URL.
  const std::string& host() const { return host_; }
  void close() { socket_.close(); }
  /// Whether a line about a pause may be written: one a second, for all loops together.
  bool maySayPause(std::int64_t now_ns) const;

 private:
  Poco::Net::ServerSocket socket_;
  int adopted_ = -1;
  std::uint16_t port_ = 0;
  std::string host_;
  mutable std::atomic<std::int64_t> quiet_until_ns_{0};
};

/// One loop's ear at the listener: takes a few connections per event. A loop that has well above
/// the average takes the listener out of its set for a while; when descriptors are used up it
/// pauses, with one line in the log per pause.
class Acceptor final : public loop::EventSink, private loop::Timer {
 public:
  using OnAccept = std::function<void(const loop::Accepted&)>;

  /// `average` gives the mean number of open connections per loop.
  Acceptor(loop::Loop& loop, const Listener& listener, std::uint64_t pause_ms, Counters& counters,
           std::function<std::uint64_t()> average, OnAccept on_accept);
  ~Acceptor() override;

  void start();
  /// Stops for good.
  void close();

 private:
  static constexpr int kAcceptsPerEvent = 64;
  static constexpr std::int64_t kBusyPauseMs = 20;

  void onEvent(std::uint32_t flags) override;
  void onTimer() override;
  void pause(std::int64_t delay_ms);
  bool hasTooMany() const;

  loop::Loop& loop_;
  const Listener& listener_;
  const std::uint64_t pause_ms_;
  Counters& counters_;
  std::function<std::uint64_t()> average_;
  OnAccept on_accept_;
  loop::WatchHandle watch_ = 0;
  bool is_closed_ = false;
};

}  // namespace sub0::net
