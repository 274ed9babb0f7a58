// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sub0/broadcast.h"
#include "sub0/loop.h"
#include "sub0/plugin.h"
#include "sub0/pool.h"
#include "tests/simulation/judge.hpp"

namespace sub0::simulation {

/// A plugin that ends its runs as the caller's payload says: at once, late, twice, never, on the
/// loop, from another one, from a pool's thread or one of its own, in seeded order. Modes SCRIPT,
/// POOL (placed on the pool), FEW (two at a time), and an effect that broadcasts after a while.
/// Linked statically; one at a time in the process.
class ScriptPlugin {
 public:
  ScriptPlugin(World& world, Judge& judge);
  ~ScriptPlugin();
  ScriptPlugin(const ScriptPlugin&) = delete;
  ScriptPlugin& operator=(const ScriptPlugin&) = delete;

  const sub0_plugin& descriptor() const { return descriptor_; }
  /// Runs that have not been ended, never ones included.
  std::size_t pending() const { return pending_.size(); }
  /// Whether only those are left that never end by themselves.
  bool isQuiet() const;
  /// Ends those that would never end, from another thread.
  void endAll();

 private:
  enum class Kind : std::uint8_t { kMode, kEffect };
  struct Action {
    ScriptPlugin* plugin;
    Kind kind;
    std::size_t index;
    std::int64_t id;
    std::uint32_t input;
    std::int64_t effect_ms;
  };
  /// A run that has not ended.
  struct Pending {
    ScriptPlugin* plugin = nullptr;
    std::list<std::unique_ptr<Pending>>::iterator place;
    sub0_ticket ticket = 0;
    std::uint64_t call = 0;
    std::int64_t deadline_ns = 0;
    How how;
    bool is_effect = false;
    std::int64_t id = 0;
    std::string pad;
    std::vector<sub0_value> deps;
  };

  static void fill(sub0_handler& handler, std::uint16_t kind, std::uint16_t placement,
                   const char* name, const char* key, std::uint32_t max_running);
  static std::int32_t prepare(void* self, sub0_preparation* p, const sub0_value* config,
                              void** action);
  void run(const Action& action, const sub0_run& run);
  void runEffect(const Action& action, const sub0_run& run);
  void schedule(Pending& pending);
  void endTurn(std::uint32_t loop);
  void end(Pending& pending);
  void complete(const Pending& pending, bool is_first);
  bool fails(const Pending& pending);
  void castLate(const Pending& pending);
  const sub0_loop& loops() const { return *loop_table_; }

  World& world_;
  Judge& judge_;
  const sub0_host* host_ = nullptr;
  const sub0_loop* loop_table_ = nullptr;
  const sub0_pool* pool_table_ = nullptr;
  const sub0_broadcast* broadcast_table_ = nullptr;
  sub0_plugin descriptor_{};
  sub0_handler script_{}, pool_{}, few_{}, effect_{};
  const sub0_handler* handlers_[4] = {&script_, &pool_, &few_, &effect_};
  sub0_loop_hooks hooks_{};
  std::list<std::unique_ptr<Pending>> pending_;
  std::vector<std::vector<Pending*>> end_of_turn_;
  std::map<std::uint64_t, std::uint32_t> failed_;  // attempts, by call
};

}  // namespace sub0::simulation
