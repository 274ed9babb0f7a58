// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/exchange.hpp"
#include "net/loop_services.hpp"

namespace sub0::net::http {

/// What a request is for: OPTIONS (before all gates), `/healthz`, `/readyz`, `/metrics`, the
/// WebSocket endpoint, or a call. Judges methods and readiness; everything about resources, bodies
/// and tokens is the call's matter. One per loop.
class Endpoint {
 public:
  explicit Endpoint(LoopServices& services);

  LoopServices& services() { return services_; }
  std::unique_ptr<Exchange> open(Connection& connection);

  /// Answers `request`, starts its call, or upgrades.
  void handle(Exchange& exchange, const Request& request);

  /// CORS lines for `origin`.
  std::string_view corsLines(const std::string* origin);

 private:
  void answerOptions(Exchange& exchange, const Request& request);
  /// False: the path is none of the process's own.
  bool answerOperator(Exchange& exchange, const Request& request);
  void answerReadiness(Exchange& exchange);
  void answerMetrics(Exchange& exchange, const Request& request);
  void upgrade(Exchange& exchange, const Request& request);
  bool identify(Exchange& exchange, const Request& request, ws::Handshake& handshake);
  void refuseToken(Exchange& exchange, const Error& error);
  void collectHeaders(const Request& request);
  bool countUpgrade(Connection& connection);
  void call(Exchange& exchange, const Request& request);
  bool isMethodAllowed(std::string_view method) const;

  LoopServices& services_;
  std::vector<std::string> methods_;
  std::string allow_;  // "GET, HEAD, POST, OPTIONS"
  std::string websocket_path_;
  std::string cors_lines_;
};

}  // namespace sub0::net::http
