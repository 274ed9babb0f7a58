// SPDX-License-Identifier: Apache-2.0
#include "plugin/host_table.hpp"

#include <cassert>

#include "plugin/crash_report.hpp"
#include "plugin/host_functions.hpp"
#include "plugin/loop_services.hpp"
#include "plugin/registry.hpp"
#include "plugin/ticket_table.hpp"

namespace sub0::plugin {

HostTable::HostTable() = default;

HostTable::~HostTable() {
  for (std::uint32_t i = 0; i < loop_count_; ++i) services_[i]->stop();
}

void HostTable::setLoops(std::span<loop::Loop* const> loops) {
  assert(loops.size() <= kMaxLoops && loop_count_ == 0);
  for (loop::Loop* loop : loops) {
    assert(loop->index() == loop_count_);
    services_[loop_count_] = std::make_shared<LoopServices>(*loop);
    services_[loop_count_]->setTicketTable(tables_[loop_count_]);
    loops_[loop_count_++] = loop;
  }
}

void HostTable::setPool(loop::Pool* pool) { pool_ = pool; }

void HostTable::setTicketTable(std::uint32_t loop, TicketTable* table) {
  assert(loop < kMaxLoops);
  tables_[loop] = table;
  if (loop < loop_count_) services_[loop]->setTicketTable(table);
}

void HostTable::setBroadcastSink(std::uint32_t loop, BroadcastSink* sink) {
  assert(loop < kMaxLoops);
  sinks_[loop] = sink;
}

void HostTable::startLoop(std::uint32_t index, const Registry& registry) {
  assert(loop(index) != nullptr && loop::Loop::current() == loop(index));
  giveCrashStack();
  for (const auto& plugin : registry.plugins()) {
    if (plugin->hooks == nullptr || plugin->life.load() != Life::kStarted) continue;
    services_[index]->startHook(*plugin);
  }
}

void HostTable::stopLoop(std::uint32_t index, const Registry& registry) {
  assert(loop(index) != nullptr && loop::Loop::current() == loop(index));
  for (auto at = registry.plugins().rbegin(); at != registry.plugins().rend(); ++at) {
    if ((*at)->hooks == nullptr || (*at)->life.load() != Life::kStopped) continue;
    services_[index]->stopHook(**at);
  }
  services_[index]->stop();
}

void HostTable::adopt(Plugin& plugin) {
  fillHost(plugin.host);
  plugin.host.plugin = &plugin;
  plugin.host.shared.store(this, std::memory_order_release);
}

}  // namespace sub0::plugin
