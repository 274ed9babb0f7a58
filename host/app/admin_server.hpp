// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace sub0::app {

/// /healthz, /readyz and /metrics on a port of their own (SUB0_ADMIN_PORT), by threads that no loop
/// waits for: it answers while every loop is blocked. Poco's HTTP server with a few threads; not
/// meant for the world. THREAD: control; the answers are asked for on its own threads.
class AdminServer {
 public:
  struct Answers {
    std::function<std::string()> fault;    // empty: /healthz says 200
    std::function<std::string()> unready;  // empty: /readyz says 200
    std::function<std::string()> metrics;
  };
  AdminServer();
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  /// ERRORS: the address cannot be bound (exit 69).
  Result<Done> start(const std::string& host, std::uint16_t port, Answers answers);
  /// No effect unless started; waits for answers under way.
  void stop();
  /// "http://127.0.0.1:9100"
  std::string url() const;
  std::uint16_t port() const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace sub0::app
