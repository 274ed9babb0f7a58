// SPDX-License-Identifier: Apache-2.0
#include "app/loop_group.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <future>

#include "base/time_units.hpp"

namespace sub0::app {

plugin::TicketLimits ticketLimits(const Settings& settings) {
  constexpr std::int64_t kMaxResultBytes = std::int64_t{1} << 40;
  constexpr std::size_t kSlackBytes = std::size_t{1} << 20;
  plugin::TicketLimits limits;
  const std::int64_t bytes =
      std::clamp<std::int64_t>(settings.whole("SUB0_RESULT_LIMIT"), 0, kMaxResultBytes);
  limits.max_result_bytes =
      std::max(limits.max_result_bytes, static_cast<std::size_t>(bytes) * 2 + kSlackBytes);
  return limits;
}

LoopGroup::LoopGroup(std::size_t loops, std::size_t pool_threads, plugin::TicketLimits limits)
    : pool_(std::make_unique<loop::Pool>(pool_threads)),
      table_(std::make_unique<plugin::HostTable>()) {
  std::vector<loop::Loop*> pointers;
  for (std::size_t index = 0; index < loops; ++index) {
    units_.push_back(
        std::make_unique<LoopUnit>(static_cast<std::uint32_t>(index), pool_.get(), limits));
    pointers.push_back(&units_.back()->loop);
  }
  table_->setLoops(pointers);
  table_->setPool(pool_.get());
  for (std::size_t index = 0; index < loops; ++index) {
    table_->setTicketTable(static_cast<std::uint32_t>(index), &units_[index]->tickets);
  }
}

/// Pool threads may still end runs, and the table still looks at loops: the units go last.
LoopGroup::~LoopGroup() {
  stopThreads();
  pool_.reset();
  hash_pool_.reset();
  table_.reset();
}

loop::Pool& LoopGroup::startHashPool(std::size_t threads, std::size_t max_waiting) {
  constexpr int kStepsBack = 5;
  // Of this thread alone, as Linux has it.
  const auto give_way = [] {
    (void)::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kStepsBack);
  };
  hash_pool_ = std::make_unique<loop::Pool>(threads, max_waiting, give_way);
  return *hash_pool_;
}

void LoopGroup::startThreads() {
  has_threads_ = true;
  for (auto& unit : units_) {
    unit->thread = std::thread([&loop = unit->loop] { loop.run(); });
  }
}

void LoopGroup::onEveryLoop(const std::function<void(LoopUnit&)>& work) {
  std::vector<std::promise<void>> done(units_.size());
  for (std::size_t index = 0; index < units_.size(); ++index) {
    LoopUnit& unit = *units_[index];
    unit.loop.post([&work, &unit, &finished = done[index]] {
      work(unit);
      finished.set_value();
    });
  }
  for (auto& finished : done) finished.get_future().wait();
}

bool LoopGroup::startPlugins(plugin::Registry& registry) {
  if (!registry.startAll()) return false;
  onEveryLoop([&](LoopUnit& unit) { table_->startLoop(unit.loop.index(), registry); });
  return true;
}

void LoopGroup::stopPlugins(plugin::Registry& registry, std::int64_t grace_ms) {
  const std::int64_t now_ns = units_.front()->io.monotonicNs();
  registry.stopAll(static_cast<std::uint64_t>(now_ns + grace_ms * kNsPerMs));
  onEveryLoop([&](LoopUnit& unit) { table_->stopLoop(unit.loop.index(), registry); });
}

void LoopGroup::stopThreads() {
  if (!has_threads_) return;
  has_threads_ = false;
  for (auto& unit : units_) unit->loop.stop();
  for (auto& unit : units_) unit->thread.join();
}

}  // namespace sub0::app
