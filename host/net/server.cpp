// SPDX-License-Identifier: Apache-2.0
#include "net/server.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "net/http/refused_connection.hpp"

namespace sub0::net {

struct Server::Part {
  Part(Server& server, loop::Loop& loop, call::Dispatcher& dispatcher,
       std::shared_ptr<const call::Catalogue> catalogue, Counters& counters)
      : services(loop, server.options_, counters, *server.guard_, dispatcher, std::move(catalogue),
                 server.readiness_, *server.hub_),
        endpoint(services),
        acceptor(
            loop, server.listener_, server.options_.accept_pause_ms, counters,
            [&server] { return server.averageConnections(); },
            [this, &server](const loop::Accepted& accepted) { accept(server, accepted); }),
        next_number(loop.index() + 1) {}

  // Protocols use the endpoint until they are freed.
  ~Part() { services.connections.closeAll(); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void accept(const Server& server, const loop::Accepted& accepted) {
    const std::uint64_t number = next_number;
    next_number += server.loops_;
    const std::string_view address(accepted.address, accepted.address_size);
    Guard& guard = *server.guard_;
    Admissions::Ticket ticket;
    if (const auto refusal = guard.admissions.enter(guard.countedKey(address), ticket)) {
      guard.refused(services.counters, *refusal, address, services.loop.nowNs());
      return refuse(accepted, number, *refusal);
    }
    http::Exchange* exchange = nullptr;
    const auto make_protocol = [&](Connection& made) {
      auto protocol = endpoint.open(made);
      exchange = protocol.get();
      return protocol;
    };
    Connection* connection = services.connections.add(accepted, number, ticket, make_protocol);
    if (connection != nullptr) exchange->startDeadline();
  }

  void refuse(const loop::Accepted& accepted, std::uint64_t number, Refusal refusal) {
    if (services.open_refusals >= http::RefusedConnection::kMaxOpen) {
      services.loop.io().close(accepted.descriptor);
      services.counters.closed[static_cast<std::size_t>(CloseReason::kRefused)].add();
      return;
    }
    Connection* connection = services.connections.add(accepted, number, {}, [&](Connection&) {
      return std::make_unique<http::RefusedConnection>(services.open_refusals);
    });
    if (connection == nullptr) return;
    http::RefusedConnection::answer(*connection, endpoint, refusal);
  }

  LoopServices services;
  http::Endpoint endpoint;
  Acceptor acceptor;
  std::uint64_t next_number;
};

Server::Server(Options options, Readiness readiness)
    : options_(std::move(options)), readiness_(std::move(readiness)) {}

Server::~Server() {
  // Letters under way name the hub and the parts; one may send another.
  bool is_empty = false;
  while (!is_empty) {
    is_empty = true;
    for (const auto& part : parts_) {
      if (part->services.loop.drainMailbox()) is_empty = false;
    }
  }
}

Result<Done> Server::listen(const std::string& host, std::uint16_t port) {
  return listener_.open(host, port);
}

void Server::setLoops(std::size_t loops) {
  assert(loops > 0 && loops_ == 0);
  loops_ = loops;
  hub_ = std::make_unique<ws::Hub>(loops, options_.uid_policy);
  counters_ = std::make_unique<Counters[]>(loops);
}

void Server::makeGuard(loop::Loop& loop) {
  if (guard_) return;
  std::uint64_t seed = 0;
  loop.io().random(reinterpret_cast<char*>(&seed), sizeof seed);
  guard_ = std::make_unique<Guard>(options_, seed);
}

void Server::addLoop(loop::Loop& loop, call::Dispatcher& dispatcher,
                     std::shared_ptr<const call::Catalogue> catalogue) {
  assert(loop.index() == parts_.size() && parts_.size() < loops_);
  makeGuard(loop);
  Counters& counters = counters_[loop.index()];
  parts_.push_back(std::make_unique<Part>(*this, loop, dispatcher, std::move(catalogue), counters));
  hub_->attach(loop, parts_.back()->services.connections, counters);
}

void Server::start() {
  assert(parts_.size() == loops_);
  accepting_ = loops_;
  for (const auto& part : parts_) part->acceptor.start();
}

LoopServices& Server::services(std::size_t loop) { return parts_[loop]->services; }

void Server::setCatalogue(std::size_t loop, std::shared_ptr<const call::Catalogue> catalogue) {
  Part& part = *parts_[loop];
  part.services.loop.post([&part, next = std::move(catalogue)]() mutable {
    part.services.catalogue = std::move(next);
  });
}

std::uint64_t Server::averageConnections() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < loops_; ++i) total += counters_[i].open_connections.get();
  return total / loops_;
}

void Server::drain(std::int64_t window_ms) {
  for (const auto& part : parts_) {
    part->services.loop.post([this, &part, window_ms] { drainPart(*part, window_ms); });
  }
}

void Server::drainPart(Part& part, std::int64_t window_ms) {
  part.acceptor.close();
  // New connections are refused, and do not wait in the listener's queue for nobody.
  if (--accepting_ == 0) listener_.close();
  part.services.is_draining = true;
  part.services.delayed.releaseAll();
  // The end of the window is left for the closing handshakes, the rest is for calls under way
  // who has none goes in its first half.
  constexpr std::int64_t kHandshakeMs = 500;
  const std::int64_t calls_ms = std::max(window_ms - kHandshakeMs, window_ms / 2);
  const auto spread_ms = static_cast<std::uint64_t>(window_ms / 2);
  part.services.connections.forEach([&](Connection& connection) {
    if (!connection.isOpen()) return;
    const std::uint64_t delay_ms = spread_ms == 0 ? 0 : part.services.random() % spread_ms;
    connection.protocol().drain(static_cast<std::int64_t>(delay_ms), calls_ms);
  });
}

Totals Server::totals() const {
  Totals totals;
  for (std::size_t i = 0; i < loops_; ++i) totals.add(counters_[i]);
  return totals;
}

Totals Server::totalsOf(std::size_t loop) const {
  Totals totals;
  totals.add(counters_[loop]);
  return totals;
}

}  // namespace sub0::net
