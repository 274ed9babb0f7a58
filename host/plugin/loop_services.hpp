// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "loop/loop.hpp"
#include "plugin/plugin.hpp"

namespace sub0::plugin {

class TicketTable;

/// What plugins have on one loop by sub0.loop/1: watches, timers, posts, end-of-turn requests. All
/// callbacks pass through call(): attributed, under the catch-all, none after stop(). THREAD: the
/// loop's, except post(). Handles are loop, slot and generation, and only good for their plugin.
class LoopServices : public std::enable_shared_from_this<LoopServices> {
 public:
  explicit LoopServices(loop::Loop& loop);
  ~LoopServices();
  LoopServices(const LoopServices&) = delete;
  LoopServices& operator=(const LoopServices&) = delete;

  /// For the watchdog's mark; may be null.
  void setTicketTable(TicketTable* table) { table_ = table; }

  int32_t watch(Plugin& plugin, int descriptor, std::uint32_t events, sub0_ready_callback callback,
                void* user, std::uint64_t* handle);
  int32_t rewatch(Plugin& plugin, std::uint64_t handle, std::uint32_t events);
  int32_t unwatch(Plugin& plugin, std::uint64_t handle);
  int32_t startTimer(Plugin& plugin, std::uint64_t delay_ms, sub0_loop_callback callback,
                     void* user, std::uint64_t* handle);
  int32_t stopTimer(Plugin& plugin, std::uint64_t handle);
  /// THREAD: any.
  void post(Plugin& plugin, sub0_loop_callback callback, void* user);
  void requestEndOfTurn(Plugin& plugin);

  /// Runs the plugins' hook, under attribution.
  void startHook(Plugin& plugin);
  void stopHook(Plugin& plugin);
  /// Ends all watches and timers; no callback comes any more.
  void stop();

 private:
  struct Watch;
  struct PluginTimer;
  struct EndOfTurn;
  struct Post;

  template <typename Call>
  void call(Plugin& plugin, const char* function, Call&& callback);
  template <typename Entry>
  Entry& take(std::vector<std::unique_ptr<Entry>>& entries, std::vector<std::uint32_t>& free);
  template <typename Entry>
  Entry* find(std::vector<std::unique_ptr<Entry>>& entries, const Plugin& plugin,
              std::uint64_t handle) const;
  void freeWatch(Watch& watch);
  void freeTimer(PluginTimer& timer);
  std::uint64_t handleOf(std::uint32_t index, std::uint32_t generation) const;

  loop::Loop& loop_;
  TicketTable* table_ = nullptr;
  bool is_stopped_ = false;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<std::uint32_t> free_watches_;
  std::vector<std::unique_ptr<PluginTimer>> timers_;
  std::vector<std::uint32_t> free_timers_;
  std::vector<std::unique_ptr<EndOfTurn>> ends_of_turn_;  // by Plugin::place
};

}  // namespace sub0::plugin
