// SPDX-License-Identifier: Apache-2.0
#include "call/plan_sets.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sub0::call {

void PlanSets::add(std::shared_ptr<const PlanSet> next) {
  assert(next != nullptr && hasRoom());
  if (current_ != nullptr) old_.push_back(std::move(current_));
  current_ = std::move(next);
}

/// Nobody takes a new reference to an old set, so a count of one stays one; giving up the last
/// reference orders what the loops did with it before.
void PlanSets::collect() {
  const auto is_free = [](const auto& set) { return set.use_count() == 1; };
  old_.erase(std::remove_if(old_.begin(), old_.end(), is_free), old_.end());
}

bool PlanSets::takeRequest() {
  collect();
  if (!is_requested_ || !hasRoom()) return false;
  is_requested_ = false;
  return true;
}

void PlanSets::clear() {
  old_.clear();
  current_.reset();
}

}  // namespace sub0::call
