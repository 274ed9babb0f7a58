// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "net/counters.hpp"
#include "net/options.hpp"

namespace sub0::net {

/// What the log's line about a closed connection tells (event "closed"). A connection has one only
/// where such lines are written: SUB0_LOG_CLOSED, or level debug; else nothing is counted. One
/// loop's thread.
struct ClosedRecord {
  std::int64_t opened_ns = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t calls = 0;
  std::uint16_t code_sent = 0;  // of close frames; 0: none
  std::uint16_t code_received = 0;

  /// Null: no line is wanted.
  static std::unique_ptr<ClosedRecord> make(const Options& options, std::int64_t now_ns);

  void write(const Options& options, std::uint64_t number, std::string_view address,
             std::string_view protocol, CloseReason reason, std::int64_t now_ns) const;
};

}  // namespace sub0::net
