// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "app/admin_server.hpp"
#include "app/loop_group.hpp"
#include "app/observation.hpp"
#include "app/revocation_list.hpp"
#include "app/workspace.hpp"
#include "call/plan_sets.hpp"
#include "net/server.hpp"
#include "plugin/watchdog.hpp"
#include "store/local_cache.hpp"
#include "store/local_rate_limits.hpp"
#include "sub0/health.h"

namespace sub0::app {

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
  /// Whether the start makes the tables of the models (SUB0_MIGRATE).
  bool migratesAtStart() const;
  int listen();
  call::Options makeCallOptions();
  /// What calls of all loops share: cached results, counts of callers.
  void makeStores();
  /// Health and metrics: on the port of the calls, or on their own.
  void observe();
  int startAdmin();
  std::string unready() const;
  void announce();
  void waitForSignals();
  /// SIGHUP: the project's files are read anew and compiled; if that has no error, every loop takes
  /// the new plan set over in its mailbox, else the old one stays. All or nothing.
  void reload();
  void drain();
  std::uint64_t callsInBackground() const;
  bool isDatabaseReady() const;

  Workspace& workspace_;
  std::unique_ptr<store::LocalCache> cache_;  // what calls share goes last
  std::unique_ptr<store::LocalRateLimits> rate_limits_;
  std::unique_ptr<LoopGroup> loops_;
  std::unique_ptr<net::Server> server_;
  RevocationList revocation_list_;
  call::PlanSets plan_sets_;
  net::Options options_;
  net::Readiness readiness_;
  const sub0_health* health_ = nullptr;
  void* health_self_ = nullptr;
  std::atomic<bool> takes_calls_{false};
  std::atomic<bool> is_draining_{false};
  bool is_announced_ = false;
  std::unique_ptr<Observation> observation_;
  AdminServer admin_;
};

/// Blocks the signals that the process waits for, in this and all later threads. First thing of
/// `run`.
void blockSignals();

}  // namespace sub0::app
