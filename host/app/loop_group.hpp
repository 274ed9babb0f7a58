// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "app/settings.hpp"
#include "call/calls.hpp"
#include "loop/loop.hpp"
#include "loop/pool.hpp"
#include "loop/real_io.hpp"
#include "plugin/host_table.hpp"
#include "plugin/registry.hpp"
#include "plugin/ticket_table.hpp"

namespace sub0::app {

/// One loop with what belongs to it. Built and freed by the control thread, used by its own thread
/// in between.
struct LoopUnit {
  LoopUnit(std::uint32_t index, loop::Pool* pool, plugin::TicketLimits limits)
      : loop(index, io), tickets(loop, pool, limits) {}
  loop::RealIo io;
  loop::Loop loop;
  plugin::TicketTable tickets;
  std::unique_ptr<call::Calls> calls;
  std::thread thread;
};

/// How large a result may be: what SUB0_RESULT_LIMIT allows a statement, with room for its tree;
/// never below the default, which is there for all other plugins.
plugin::TicketLimits ticketLimits(const Settings& settings);

/// The loops, with the plugins running on them: what `run` and `sql` have in common. THREAD:
/// control. Order of life: constructor, (plugins are created on table()), startThreads,
/// startPlugins, stopPlugins, stopThreads.
class LoopGroup {
 public:
  LoopGroup(std::size_t loops, std::size_t pool_threads, plugin::TicketLimits limits = {});
  ~LoopGroup();
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;

  plugin::HostTable& table() { return *table_; }
  const loop::Pool& pool() const { return *pool_; }
  std::vector<std::unique_ptr<LoopUnit>>& units() { return units_; }

  /// The pool of passwords (S-95): small, apart from that of plugins, and of a lower priority than
  /// loops. Once.
  loop::Pool& startHashPool(std::size_t threads, std::size_t max_waiting);
  /// Null before startHashPool().
  const loop::Pool* hashPool() const { return hash_pool_.get(); }

  void startThreads();
  /// False: a plugin did not start (see Registry::problems). Its loop_start hooks have run when
  /// this returns.
  bool startPlugins(plugin::Registry& registry);
  void stopPlugins(plugin::Registry& registry, std::int64_t grace_ms);
  void stopThreads();
  /// Runs `work` on each loop's thread and waits for all.
  void onEveryLoop(const std::function<void(LoopUnit&)>& work);

 private:
  std::unique_ptr<loop::Pool> pool_;
  std::unique_ptr<loop::Pool> hash_pool_;
  std::unique_ptr<plugin::HostTable> table_;
  std::vector<std::unique_ptr<LoopUnit>> units_;
  bool has_threads_ = false;
};

}  // namespace sub0::app
