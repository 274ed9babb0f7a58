// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "loop/loop.hpp"
#include "loop/pool.hpp"
#include "plugin/plugin.hpp"
#include "sub0/broadcast.h"

namespace sub0::plugin {

class Registry;
class TicketTable;
class LoopServices;

/// Takes what a plugin broadcasts; implemented above, where calls are known.
class BroadcastSink {
 public:
  /// THREAD: the loop of the ticket. The ticket is of a run of that plugin that has not ended;
  /// texts are UTF-8, `type` is known, values are well-formed. Copies what it needs. Returns a
  /// SUB0_ status.
  virtual int32_t send(sub0_ticket ticket, const sub0_broadcast_message& message,
                       std::uint64_t* recipients) = 0;

 protected:
  ~BroadcastSink() = default;
};

/// The host's side of the wall: what every plugin's sub0_host and extension tables stand on. One
/// per process. Set it up (loops, pool, tables, sinks) before Registry::createAll and leave it as
/// it is. THREAD: set…() control, before create; startLoop and stopLoop that loop's; the functions
/// of the tables check thread and state themselves (SUB0_WRONG_STATE). Must outlive all plugins'
/// threads.
class HostTable {
 public:
  HostTable();
  ~HostTable();
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  /// At most kMaxLoops; their index() must be their place. Without any (`check`), count() is 1.
  void setLoops(std::span<loop::Loop* const> loops);
  void setPool(loop::Pool* pool);
  /// The table of the loop with that index, of which the tickets are.
  void setTicketTable(std::uint32_t loop, TicketTable* table);
  /// One per loop.
  void setBroadcastSink(std::uint32_t loop, BroadcastSink* sink);

  /// THREAD: loop `index`, within a turn (post it), once, after startAll, before the first run: the
  /// plugins' loop_start.
  void startLoop(std::uint32_t index, const Registry& registry);
  /// THREAD: loop `index`, within a turn, once, after stopAll: loop_stop, then ends all timers and
  /// watches that plugins left. No callback comes any more.
  void stopLoop(std::uint32_t index, const Registry& registry);

  /// Makes plugin.host ready for create. Called by the registry.
  void adopt(Plugin& plugin);

  loop::Loop* loop(std::uint32_t index) const {
    return index < loop_count_ ? loops_[index] : nullptr;
  }
  std::uint32_t loopCount() const { return loop_count_; }
  loop::Pool* pool() const { return pool_; }
  TicketTable* ticketTable(std::uint32_t loop) const {
    return loop < kMaxLoops ? tables_[loop] : nullptr;
  }
  BroadcastSink* broadcastSink(std::uint32_t loop) const {
    return loop < kMaxLoops ? sinks_[loop] : nullptr;
  }
  LoopServices* services(std::uint32_t loop) const {
    return loop < loop_count_ ? services_[loop].get() : nullptr;
  }

 private:
  std::array<loop::Loop*, kMaxLoops> loops_{};
  std::array<TicketTable*, kMaxLoops> tables_{};
  std::array<BroadcastSink*, kMaxLoops> sinks_{};
  std::array<std::shared_ptr<LoopServices>, kMaxLoops> services_;
  std::uint32_t loop_count_ = 0;
  loop::Pool* pool_ = nullptr;
};

}  // namespace sub0::plugin
