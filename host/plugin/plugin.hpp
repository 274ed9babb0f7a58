// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.hpp"
#include "sub0/call.h"
#include "sub0/loop.h"
#include "sub0/plugin.h"

// A loaded plugin and its handlers as the host sees them, with what they did (Q-87: everything that
// a plugin causes is attributed to plugin and handler). They live as long as the Registry: a plugin
// is never unmapped. Counters may be read on any thread.
namespace sub0::plugin {

class HostTable;
struct Handler;
struct Plugin;
struct Slot;

inline constexpr std::uint32_t kMaxLoops = 64;
/// Runs that nobody ended, per handler, from which on it answers `unavailable`.
inline constexpr std::int64_t kMaxAbandoned = 1000;
/// Runs that wait because of max_running, per handler; further ones fail as `busy`.
inline constexpr std::size_t kMaxWaiting = 1000;

/// Written by one loop only, so that counting a run costs no locked instruction.
struct alignas(64) LoopCounter {
  std::atomic<std::uint64_t> value{0};
  void add() { value.store(value.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
};

/// What a handler did. Relaxed: for metrics and limits, not for order.
struct HandlerCounters {
  std::array<LoopCounter, kMaxLoops> runs_of_loop;
  std::atomic<std::uint64_t> failures{0};             // runs that ended with an error code
  std::atomic<std::uint64_t> exceptions{0};           // left run, prepare, cancel or a callback
  std::atomic<std::uint64_t> broken_promises{0};      // COMPLETES_IN_RUN, and not ended
  std::atomic<std::uint64_t> double_ends{0};          // ended twice
  std::atomic<std::uint64_t> late_ends{0};            // ended after the host gave up waiting
  std::atomic<std::uint64_t> never_ended{0};          // given up at the deadline
  std::atomic<std::uint64_t> bad_results{0};          // not well-formed, or too large
  std::atomic<std::uint64_t> over_budget{0};          // held a loop for 100 ms or more
  std::atomic<std::uint64_t> refused_busy{0};         // max_running, pool or tickets used up
  std::atomic<std::uint64_t> refused_unavailable{0};  // kMaxAbandoned reached
  std::atomic<std::int64_t> abandoned{0};             // gauge: given up, and still not over
  std::atomic<std::int64_t> running{0};               // gauge: only with max_running
  std::uint64_t runs() const {
    std::uint64_t sum = 0;
    for (const LoopCounter& counter : runs_of_loop) {
      sum += counter.value.load(std::memory_order_relaxed);
    }
    return sum;
  }
};

/// Whose code runs, and for which resource (empty: for none). Made at prepare and never freed
/// before its handler, so that a watchdog or a crash report may read it at any moment.
struct CallSite {
  Handler& handler;
  std::string_view resource;
};

/// At most ten lines a second about the faults of one handler. THREAD: any.
class FaultLogLimit {
 public:
  /// True: may be logged; `left_out` is how many lines were not since the last one.
  bool allows(std::int64_t now_ns, std::uint64_t* left_out);

 private:
  std::atomic<std::int64_t> second_{-1};
  std::atomic<std::uint32_t> lines_{0};
  std::atomic<std::uint64_t> left_out_{0};
};

/// One mode or effect of a plugin. The texts point into the plugin's static descriptor.
struct Handler {
  const sub0_handler* table = nullptr;
  Plugin* plugin = nullptr;
  std::string_view name, config_key, schema, description;
  HandlerCounters counters;
  FaultLogLimit fault_log;
  const CallSite site{*this, {}};

  /// The site of a resource; the empty one's is `site`. THREAD: control.
  const CallSite& siteOf(std::string_view resource);

  bool isEffect() const { return table->kind == SUB0_EFFECT; }
  bool completesInRun() const { return (table->flags & SUB0_COMPLETES_IN_RUN) != 0; }
  bool acceptsRaw() const { return (table->flags & SUB0_ACCEPTS_RAW) != 0; }

  // Runs that wait for max_running, first in first out; a short lock, never held in a plugin's
  // call.
  std::mutex waiting_mutex;
  std::deque<Slot*> waiting;

 private:
  std::map<std::string, CallSite, std::less<>> sites_;
};

enum class Life : std::uint8_t {
  kLoaded,
  kCreating,
  kCreated,
  kStarting,
  kStarted,
  kStopping,
  kStopped,
  kDestroyed
};

/// The sub0_host of one plugin: what it hands back with every call tells who it is.
struct PluginHost : sub0_host {
  Plugin* plugin = nullptr;
  std::atomic<HostTable*> shared{nullptr};
};

/// A setting that a plugin declares, for `sub0-host config`.
struct DeclaredSetting {
  std::string name, default_value, description, plugin_id;
  std::uint32_t type = SUB0_TEXT;
  bool is_secret = false;
};

/// An error of a plugin that is no line of the log yet. No site: there is none.
struct KeptError {
  const CallSite* site = nullptr;
  bool is_fault = false;
  std::string text;
};

struct Plugin {
  std::string file;  // real path; empty: linked into the process
  std::string id, version;
  std::string glibc, libstdcxx;  // of its build, from the card
  const sub0_plugin* descriptor = nullptr;
  std::deque<Handler> handlers;
  std::vector<DeclaredSetting> settings;
  PluginHost host;
  void* self = nullptr;
  std::atomic<Life> life{Life::kLoaded};
  std::atomic<std::uint64_t> stale_ends{0};  // with a ticket that is no run of its any more
  const sub0_loop_hooks* hooks = nullptr;    // sub0.loop/1
  void* hooks_user = nullptr;
  const sub0_call_hooks* call_hooks = nullptr;  // sub0.call/1
  void* call_hooks_user = nullptr;
  Handler commits;          // what call_hooks->commit does: a run like any other
  Handler statements;       // of the host itself, by sub0.sql/1 (sql_runs.hpp)
  std::uint32_t place = 0;  // among the plugins of the registry
  Handler callbacks;        // what happens in timers, watches, posts, hooks is counted here
  std::mutex error_mutex;   // of kept_error: any thread of the plugin may log
  KeptError kept_error;     // see kept_error.hpp
};

}  // namespace sub0::plugin
