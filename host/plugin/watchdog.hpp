// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plugin/ticket_table.hpp"

namespace sub0::plugin {

/// Names the handler that holds a loop: a call that is the same at two looks 100 ms or more
/// apart is over the budget and counted; after each full second it is logged again. THREAD: one,
/// not a loop's; look() every 50 ms or so.
class Watchdog {
 public:
  static constexpr std::int64_t kBudgetNs = 100'000'000;

  explicit Watchdog(std::span<TicketTable* const> tables);
  /// Returns how many loops are held up at this moment.
  std::size_t look(std::int64_t now_ns);

 private:
  struct Seen {
    TicketTable* table;
    std::uint64_t number;
    std::int64_t since_ns;
    std::int64_t logged_ns;  // how long it had taken at the last log line
  };
  std::vector<Seen> seen_;
};

}  // namespace sub0::plugin
