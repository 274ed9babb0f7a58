// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/count.hpp"

namespace sub0::net {

/// Classes of HTTP statuses: 1xx … 5xx.
inline constexpr std::size_t kStatusClasses = 5;

/// What went through the sockets of one loop; part of its Counters.
struct Traffic {
  Count received_bytes;
  Count sent_bytes;
  Count unsent_bytes;  // gauge: what connections whose peers are slow wait with
  Count broadcasts;    // sent, whoever received them
  std::array<Count, kStatusClasses> responses;

  void countResponse(int status) {
    const auto index = static_cast<std::size_t>(status / 100 - 1);
    if (index < kStatusClasses) responses[index].add();
  }
};

/// The sum over loops.
struct TrafficTotals {
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t unsent_bytes = 0;
  std::uint64_t broadcasts = 0;
  std::array<std::uint64_t, kStatusClasses> responses{};

  void add(const Traffic& traffic) {
    received_bytes += traffic.received_bytes.get();
    sent_bytes += traffic.sent_bytes.get();
    unsent_bytes += traffic.unsent_bytes.get();
    broadcasts += traffic.broadcasts.get();
    for (std::size_t i = 0; i < kStatusClasses; ++i) responses[i] += traffic.responses[i].get();
  }
};

}  // namespace sub0::net
