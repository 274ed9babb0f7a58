// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "call/plan_set.hpp"

namespace sub0::call {

/// The plan sets that are alive: the one that serves, and old ones that calls under way still
/// follow. A reload may be asked for at any time; it has to wait while two old sets are left, so
/// that memory stays bounded, and what is asked meanwhile is one reload. Actions of plugins are
/// released where they were made, so a set is freed here and nowhere else: nobody may keep one
/// longer than this. THREAD: control. Does not compile, and does not tell the loops.
class PlanSets {
 public:
  static constexpr std::size_t kMaxOld = 2;

  const std::shared_ptr<const PlanSet>& current() const { return current_; }

  /// `next` serves from now on. REQUIRES: hasRoom().
  void add(std::shared_ptr<const PlanSet> next);

  /// Frees the old sets that no loop and no call holds any more.
  void collect();
  /// Whether another set may come: after collect(), at most one old one is left.
  bool hasRoom() const { return old_.size() < kMaxOld; }
  std::size_t oldCount() const { return old_.size(); }

  /// A reload is wanted; several are one.
  void request() { is_requested_ = true; }
  /// Whether a reload is to be done now; it counts as done then. Frees what can be.
  bool takeRequest();

  /// Frees all. REQUIRES: no loop runs, and nobody else holds a set.
  void clear();

 private:
  std::shared_ptr<const PlanSet> current_;
  std::vector<std::shared_ptr<const PlanSet>> old_;
  bool is_requested_ = false;
};

}  // namespace sub0::call
