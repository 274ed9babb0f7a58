// SPDX-License-Identifier: Apache-2.0
#include "plugin/loop_services.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "plugin/faults.hpp"
#include "plugin/ticket_table.hpp"

namespace sub0::plugin {

struct LoopServices::Watch final : loop::EventSink {
  LoopServices* services = nullptr;
  Plugin* plugin = nullptr;  // null: free
  sub0_ready_callback callback = nullptr;
  void* user = nullptr;
  loop::WatchHandle loop_handle = 0;
  std::uint32_t index = 0, generation = 1;

  void onEvent(std::uint32_t flags) override {
    // Its callback may unwatch it, and watch another descriptor with the same entry.
    const sub0_ready_callback called = callback;
    void* const with = user;
    services->call(*plugin, "a callback of a watch", [=] { called(with, flags); });
  }
};

struct LoopServices::PluginTimer final : loop::Timer {
  LoopServices* services = nullptr;
  Plugin* plugin = nullptr;
  sub0_loop_callback callback = nullptr;
  void* user = nullptr;
  std::uint32_t index = 0, generation = 1;

  void onTimer() override {
    const sub0_loop_callback called = callback;
    void* const with = user;
    Plugin& owner = *plugin;
    services->freeTimer(*this);
    services->call(owner, "a callback of a timer", [=] { called(with); });
  }
};

struct LoopServices::EndOfTurn final : loop::Task {
  LoopServices* services = nullptr;
  Plugin* plugin = nullptr;
  void run() override {
    const sub0_loop_hooks* hooks = plugin->hooks;
    services->call(*plugin, "end_of_turn",
                   [&] { hooks->end_of_turn(plugin->hooks_user, services->loop_.index()); });
  }
};

struct LoopServices::Post final : loop::Letter {
  std::shared_ptr<LoopServices> services;
  Plugin* plugin = nullptr;
  sub0_loop_callback callback = nullptr;
  void* user = nullptr;
  void run() override {
    const std::unique_ptr<Post> self(this);
    services->call(*plugin, "a callback of a post", [&] { callback(user); });
  }
};

LoopServices::LoopServices(loop::Loop& loop) : loop_(loop) {}
LoopServices::~LoopServices() = default;

template <typename Call>
void LoopServices::call(Plugin& plugin, const char* function, Call&& callback) {
  if (is_stopped_) return;
  const std::int64_t started_ns = loop_.io().monotonicNs();
  RunningMark* const mark = table_ == nullptr ? nullptr : &table_->mark();
  callPlugin(plugin.callbacks.site, function, 0, mark, std::forward<Call>(callback));
  static const RunningMark kUnmarked;
  noteDuration(plugin.callbacks.site, function, loop_.io().monotonicNs() - started_ns,
               mark == nullptr ? kUnmarked : *mark);
}

std::uint64_t LoopServices::handleOf(std::uint32_t index, std::uint32_t generation) const {
  return static_cast<std::uint64_t>(loop_.index()) << 56 | static_cast<std::uint64_t>(index) << 32 |
         generation;
}

template <typename Entry>
Entry& LoopServices::take(std::vector<std::unique_ptr<Entry>>& entries,
                          std::vector<std::uint32_t>& free) {
  if (free.empty()) {
    entries.push_back(std::make_unique<Entry>());
    entries.back()->services = this;
    entries.back()->index = static_cast<std::uint32_t>(entries.size() - 1);
    return *entries.back();
  }
  Entry& entry = *entries[free.back()];
  free.pop_back();
  return entry;
}

template <typename Entry>
Entry* LoopServices::find(std::vector<std::unique_ptr<Entry>>& entries, const Plugin& plugin,
                          std::uint64_t handle) const {
  const auto index = static_cast<std::uint32_t>(handle >> 32) & 0xffffffU;
  if (handle >> 56 != loop_.index() || index >= entries.size()) return nullptr;
  Entry& entry = *entries[index];
  const bool is_same =
      entry.plugin == &plugin && entry.generation == static_cast<std::uint32_t>(handle);
  return is_same ? &entry : nullptr;
}

int32_t LoopServices::watch(Plugin& plugin, int descriptor, std::uint32_t events,
                            sub0_ready_callback callback, void* user, std::uint64_t* handle) {
  if (is_stopped_) return SUB0_WRONG_STATE;
  Watch& entry = take(watches_, free_watches_);
  entry.loop_handle = loop_.watch(descriptor, events, entry);
  if (entry.loop_handle == 0) {
    free_watches_.push_back(entry.index);
    return SUB0_INVALID_ARGUMENT;
  }
  entry.plugin = &plugin;
  entry.callback = callback;
  entry.user = user;
  *handle = handleOf(entry.index, entry.generation);
  return SUB0_OK;
}

int32_t LoopServices::rewatch(Plugin& plugin, std::uint64_t handle, std::uint32_t events) {
  Watch* entry = find(watches_, plugin, handle);
  if (entry == nullptr) return SUB0_STALE_TICKET;
  loop_.rewatch(entry->loop_handle, events);
  return SUB0_OK;
}

int32_t LoopServices::unwatch(Plugin& plugin, std::uint64_t handle) {
  Watch* entry = find(watches_, plugin, handle);
  if (entry == nullptr) return SUB0_STALE_TICKET;
  freeWatch(*entry);
  return SUB0_OK;
}

void LoopServices::freeWatch(Watch& watch) {
  loop_.unwatch(watch.loop_handle);
  watch.plugin = nullptr;
  ++watch.generation;
  free_watches_.push_back(watch.index);
}

int32_t LoopServices::startTimer(Plugin& plugin, std::uint64_t delay_ms,
                                 sub0_loop_callback callback, void* user, std::uint64_t* handle) {
  constexpr std::uint64_t kLongestMs = std::uint64_t{4} * 3600 * 1000;
  if (is_stopped_) return SUB0_WRONG_STATE;
  if (delay_ms > kLongestMs) return SUB0_INVALID_ARGUMENT;
  PluginTimer& entry = take(timers_, free_timers_);
  entry.plugin = &plugin;
  entry.callback = callback;
  entry.user = user;
  loop_.startTimer(entry, static_cast<std::int64_t>(delay_ms));
  *handle = handleOf(entry.index, entry.generation);
  return SUB0_OK;
}

int32_t LoopServices::stopTimer(Plugin& plugin, std::uint64_t handle) {
  PluginTimer* entry = find(timers_, plugin, handle);
  if (entry == nullptr) return SUB0_STALE_TICKET;
  freeTimer(*entry);
  return SUB0_OK;
}

void LoopServices::freeTimer(PluginTimer& timer) {
  timer.stop();
  timer.plugin = nullptr;
  ++timer.generation;
  free_timers_.push_back(timer.index);
}

void LoopServices::post(Plugin& plugin, sub0_loop_callback callback, void* user) {
  auto letter = std::make_unique<Post>();
  letter->services = shared_from_this();
  letter->plugin = &plugin;
  letter->callback = callback;
  letter->user = user;
  loop_.send(*letter.release());
}

void LoopServices::requestEndOfTurn(Plugin& plugin) {
  assert(plugin.hooks != nullptr);
  if (plugin.place >= ends_of_turn_.size()) ends_of_turn_.resize(plugin.place + 1);
  std::unique_ptr<EndOfTurn>& task = ends_of_turn_[plugin.place];
  if (task == nullptr) {
    task = std::make_unique<EndOfTurn>();
    task->services = this;
    task->plugin = &plugin;
  }
  loop_.schedule(loop::Phase::kEndOfTurn, *task);
}

void LoopServices::startHook(Plugin& plugin) {
  call(plugin, "loop_start", [&] { plugin.hooks->loop_start(plugin.hooks_user, loop_.index()); });
}

void LoopServices::stopHook(Plugin& plugin) {
  call(plugin, "loop_stop", [&] { plugin.hooks->loop_stop(plugin.hooks_user, loop_.index()); });
}

void LoopServices::stop() {
  is_stopped_ = true;
  for (const auto& entry : watches_) {
    if (entry->plugin != nullptr) freeWatch(*entry);
  }
  for (const auto& entry : timers_) {
    if (entry->plugin != nullptr) freeTimer(*entry);
  }
}

}  // namespace sub0::plugin
