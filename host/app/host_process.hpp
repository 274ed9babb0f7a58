// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/workspace.hpp"
#include "call/calls.hpp"
#include "call/plan_sets.hpp"
#include "loop/loop.hpp"
#include "loop/pool.hpp"
#include "loop/real_io.hpp"
#include "net/server.hpp"
#include "plugin/host_table.hpp"
#include "plugin/ticket_table.hpp"
#include "plugin/watchdog.hpp"
#include "sub0/health.h"

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
  std::vector<std::unique_ptr<LoopUnit>>& units() { return units_; }

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
  std::unique_ptr<plugin::HostTable> table_;
  std::vector<std::unique_ptr<LoopUnit>> units_;
  bool has_threads_ = false;
};

/// `sub0-host run`: from a loaded workspace to a listening process, new resources in between
/// (SIGHUP), and its orderly end (SIGTERM, SIGINT). THREAD: control, which keeps the watchdog and
/// waits for signals meanwhile.
class HostProcess {
 public:
  explicit HostProcess(Workspace& workspace);
  ~HostProcess();

  /// Returns the exit code.
  int run();

 private:
  bool prepare();
  void readNetworkOptions();
  int listen();
  void announce();
  void waitForSignals();
  /// SIGHUP: the project's files are read anew and compiled; if that has no error, every loop takes
  /// the new plan set over in its mailbox, else the old one stays. All or nothing.
  void reload();
  void drain();
  bool isDatabaseReady() const;

  Workspace& workspace_;
  std::unique_ptr<LoopGroup> loops_;
  std::unique_ptr<net::Server> server_;
  call::PlanSets plan_sets_;
  net::Options options_;
  net::Readiness readiness_;
  const sub0_health* health_ = nullptr;
  void* health_self_ = nullptr;
  std::atomic<bool> takes_calls_{false};
  std::atomic<bool> is_draining_{false};
  bool is_announced_ = false;
};

/// Blocks the signals that the process waits for, in this and all later threads. First thing of
/// `run`.
void blockSignals();

}  // namespace sub0::app
