// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "call/request.hpp"
#include "json/parser.hpp"
#include "loop/loop.hpp"
#include "net/connection_table.hpp"
#include "net/delayed_replies.hpp"
#include "net/http/request_parser.hpp"
#include "net/ws/frame_decoder.hpp"

namespace sub0::net {

namespace ws {
class Hub;
class ReplySlots;
struct Handshake;
}  // namespace ws

/// What the process says of itself; handed in by app, any thread.
struct Readiness {
  /// False: calls get 503 `unavailable`.
  std::function<bool()> is_ready = [] { return true; };
  /// Why /readyz says 503, in words; empty: it says 200 where calls are taken.
  std::function<std::string()> reason = [] { return std::string(); };
  /// Why /healthz says 503; empty: 200.
  std::function<std::string()> fault = [] { return std::string(); };
  /// The text of /metrics; null: there are none.
  std::function<std::string()> metrics;
  /// False: /healthz, /readyz and /metrics are served on a port of their own, and here they are
  /// names like others.
  bool is_served_here = true;
};

/// What all connections of one loop share: the ports to calls, the parsers' scratch memory, the
/// random numbers, the date. One loop's thread. OWNERSHIP: the server's.
struct LoopServices {
  LoopServices(loop::Loop& loop_in, const Options& options_in, Counters& counters_in, Guard& guard,
               call::Dispatcher& dispatcher_in, std::shared_ptr<const call::Catalogue> catalogue_in,
               const Readiness& readiness_in, ws::Hub& hub_in);
  ~LoopServices();
  LoopServices(const LoopServices&) = delete;
  LoopServices& operator=(const LoopServices&) = delete;

  /// Delivers replies to whichever protocol asked; those to bad tokens perhaps later.
  class Replies final : public call::ReplyPort {
   public:
    explicit Replies(LoopServices& services) : services_(services) {}
    void deliver(const call::Sender& sender, const call::Reply& reply) override;
    void followersSent(const call::Sender& sender) override;

   private:
    bool slowDown(Connection& connection, const call::Sender& sender, const call::Reply& reply);
    LoopServices& services_;
  };

  /// Not secure: for jitter.
  std::uint64_t random();
  /// The current Date header, made once a second.
  std::string_view date();

  loop::Loop& loop;
  const Options& options;
  Counters& counters;
  call::Dispatcher& dispatcher;
  std::shared_ptr<const call::Catalogue> catalogue;
  const Readiness& readiness;
  ws::Hub& hub;
  ConnectionTable connections;
  Replies replies;
  DelayedReplies delayed;
  /// Makes what speaks behind a handshake (ws::Session); null: there may be no second one of that
  /// uid. A test server can put its own here.
  using MakeSession = std::unique_ptr<Protocol> (*)(Connection&, LoopServices&,
                                                    const ws::Handshake&, const http::Request&);
  MakeSession make_session;
  std::size_t open_refusals = 0;  // of http::RefusedConnection
  json::Parser parser;
  http::RequestLimits request_limits;
  ws::FrameLimits frame_limits;
  http::Request request;                   // the one being handled
  std::vector<HeaderField> header_fields;  // its headers and query, for the call
  std::vector<HeaderField> query_fields;
  std::string scratch;
  std::vector<std::unique_ptr<ws::ReplySlots>> spare_slots;
  bool is_draining = false;

 private:
  std::uint64_t random_state_;
  std::int64_t date_until_ns_ = 0;
  std::string date_;
};

}  // namespace sub0::net
