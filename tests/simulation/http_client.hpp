// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>

#include "tests/simulation/client.hpp"

namespace sub0::simulation {

/// An HTTP client that holds the server to RFC 9112, S-51 and S-52, one request after the other or
/// pipelined; or one that misbehaves as its plan says.
class HttpClient final : public Client {
 public:
  using Client::Client;

 private:
  struct Waiting {
    std::uint64_t call = 0;  // 0: /healthz, or a resource that is not there
    int status = 0;          // of such a request
  };

  void onConnected() override;
  void onTime() override;
  void onInput() override;
  void onEnd(bool is_reset) override;

  void sendRequest(const Step& step);
  void misbehave();
  /// The server has its deadline, and a second for closing and stalls; more for accepting where
  /// descriptors run out.
  void expectEndIn(std::uint64_t deadline_ms) {
    if (!isSlow() && waiting_.empty()) {
      const std::int64_t rest_ms = world_.has(kRefusedAccepts) ? 10'000 : 1000;
      must_end_ns_ = world_.nowNs() + (static_cast<std::int64_t>(deadline_ms) + rest_ms) * kMs;
    }
  }
  void next();
  void onResponse(const Response& response);

  std::deque<Waiting> waiting_;
  std::int64_t idle_since_ns_ = 0;
  std::int64_t idled_ns_ = 0;      // before the request that waits
  std::int64_t must_end_ns_ = -1;  // by then the server has lost patience
  bool is_ending_ = false;         // what comes now is the end
  bool has_misbehaved_ = false;
  bool was_told_ = false;  // the server said that it closes
};

}  // namespace sub0::simulation
