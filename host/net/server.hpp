// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "call/request.hpp"
#include "loop/loop.hpp"
#include "net/counters.hpp"
#include "net/guard.hpp"
#include "net/http/endpoint.hpp"
#include "net/listener.hpp"
#include "net/loop_services.hpp"
#include "net/options.hpp"
#include "net/ws/hub.hpp"

namespace sub0::net {

/// The network side of the process: one listener, and for every loop its acceptor, connections,
/// endpoint and part of the hub. Made and started by app before the loops run; destroyed after they
/// have stopped. OWNERSHIP: loops and dispatchers are the caller's and outlive it.
class Server {
 public:
  explicit Server(Options options, Readiness readiness = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// ERRORS: the address cannot be bound (exit 69).
  Result<Done> listen(const std::string& host, std::uint16_t port);
  /// Instead: on a listening descriptor of the loops' Io (simulation).
  void listenOn(int descriptor) { listener_.adopt(descriptor); }

  /// Adds a loop. REQUIRES: loops come in the order of their index; `loops` is fixed at setLoops().
  void setLoops(std::size_t loops);
  /// guard() is there from here on, by the random numbers of `loop`; the first addLoop() does the
  /// same.
  void makeGuard(loop::Loop& loop);
  void addLoop(loop::Loop& loop, call::Dispatcher& dispatcher,
               std::shared_ptr<const call::Catalogue> catalogue);
  /// Begins to accept. REQUIRES: listen() and every addLoop(), and no loop runs yet.
  void start();

  /// Where broadcasts leave. REQUIRES: setLoops().
  ws::Hub& hub() { return *hub_; }
  const Listener& listener() const { return listener_; }
  const Options& options() const { return options_; }

  /// THREAD: the loop's.
  LoopServices& services(std::size_t loop);
  /// THREAD: any. Swaps what `loop` knows of the resources.
  void setCatalogue(std::size_t loop, std::shared_ptr<const call::Catalogue> catalogue);

  /// THREAD: any, once. Stops accepting, ends idle HTTP connections, closes WebSocket
  /// connections by 1001: those without calls spread over the first half of `window_ms`, others
  /// when their calls have ended, at the latest shortly before its end.
  void drain(std::int64_t window_ms);
  /// What all loops share. REQUIRES: addLoop().
  Guard& guard() { return *guard_; }
  /// THREAD: any. Whether nothing is open.
  bool isIdle() const { return totals().open_connections == 0; }

  /// THREAD: any.
  Totals totals() const;
  Totals totalsOf(std::size_t loop) const;

 private:
  struct Part;
  std::uint64_t averageConnections() const;
  void drainPart(Part& part, std::int64_t window_ms);

  const Options options_;
  const Readiness readiness_;
  Listener listener_;
  std::atomic<std::size_t> accepting_{0};  // parts that have not been told to drain
  std::unique_ptr<Guard> guard_;
  std::unique_ptr<ws::Hub> hub_;
  std::size_t loops_ = 0;
  std::unique_ptr<Counters[]> counters_;
  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace sub0::net
