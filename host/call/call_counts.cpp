// SPDX-License-Identifier: Apache-2.0
#include "call/call_counts.hpp"

#include <algorithm>

#include "base/time_units.hpp"
#include "call/plan_set.hpp"

namespace sub0::call {

static_assert(static_cast<std::size_t>(Code::kTimeout) + 1 == kCodes);

namespace {

std::size_t classOf(std::int64_t elapsed_ns) {
  const auto* bound =
      std::find_if(kDurationBoundsMs.begin(), kDurationBoundsMs.end(),
                   [elapsed_ns](std::int64_t ms) { return elapsed_ns <= ms * kNsPerMs; });
  return static_cast<std::size_t>(bound - kDurationBoundsMs.begin());
}

}  // namespace

void HashCounts::add(std::int64_t elapsed_ns) {
  durations[classOf(elapsed_ns)].add();
  duration_ns.add(static_cast<std::uint64_t>(elapsed_ns));
}

void HashTotals::add(const HashCounts& counts) {
  refused += counts.refused.get();
  abandoned += counts.abandoned.get();
  for (std::size_t i = 0; i < kDurationClasses; ++i) durations[i] += counts.durations[i].get();
  duration_ns += counts.duration_ns.get();
}

void ResourceCounts::addDuration(std::int64_t elapsed_ns) {
  durations[classOf(elapsed_ns)].add();
  duration_ns.add(static_cast<std::uint64_t>(elapsed_ns));
}

void ResourceTotals::add(const ResourceCounts& counts) {
  for (std::size_t i = 0; i < kCodes; ++i) ended[i] += counts.ended[i].get();
  for (std::size_t i = 0; i < kDurationClasses; ++i) durations[i] += counts.durations[i].get();
  duration_ns += counts.duration_ns.get();
}

void CallCounts::adopt(const PlanSet& plans) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, entry] : by_id_) entry->is_current = false;
  by_index_.clear();
  for (const auto& plan : plans.plans()) {
    const auto& resource = *plan->resource;
    auto& entry = by_id_[resource.id.empty() ? resource.route : resource.id];
    if (!entry) entry = std::make_unique<Entry>();
    entry->is_current = true;
    by_index_.push_back(&entry->counts);
  }
}

void CallCounts::addTo(std::map<std::string, ResourceTotals>& totals) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : by_id_) {
    if (entry->is_current) totals[id].add(entry->counts);
  }
}

}  // namespace sub0::call
