// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/count.hpp"
#include "base/error.hpp"

namespace sub0::call {

class PlanSet;

/// Codes that a call may end with, kOk among them.
inline constexpr std::size_t kCodes = std::size_t{SUB0_TIMEOUT} + 1;
/// Upper bounds of the classes of durations; one more class takes what is longer.
inline constexpr std::array<std::int64_t, 7> kDurationBoundsMs = {1, 5, 25, 100, 500, 2500, 10'000};
inline constexpr std::size_t kDurationClasses = kDurationBoundsMs.size() + 1;

/// What one loop counted of one resource's calls.
struct ResourceCounts {
  std::array<Count, kCodes> ended;
  std::array<Count, kDurationClasses> durations;
  Count duration_ns;

  /// A call was answered with `code`, `elapsed_ns` after its start by the clock of turns.
  void add(Code code, std::int64_t elapsed_ns) {
    ended[static_cast<std::size_t>(code)].add();
    if (elapsed_ns == 0) {
      durations[0].add();  // within one turn, as most
    } else {
      addDuration(elapsed_ns);
    }
  }

 private:
  void addDuration(std::int64_t elapsed_ns);
};

/// What one loop counted of passwords that were hashed or compared; the time is that until the
/// result was back, waiting included.
struct HashCounts {
  Count refused;    // too many waited
  Count abandoned;  // nobody waited for the result any more
  std::array<Count, kDurationClasses> durations;
  Count duration_ns;

  void add(std::int64_t elapsed_ns);
};

/// The same as plain numbers, summed over loops.
struct HashTotals {
  std::uint64_t refused = 0, abandoned = 0;
  std::array<std::uint64_t, kDurationClasses> durations{};
  std::uint64_t duration_ns = 0;
  void add(const HashCounts& counts);
};

/// The same as plain numbers, summed over loops.
struct ResourceTotals {
  std::array<std::uint64_t, kCodes> ended{};
  std::array<std::uint64_t, kDurationClasses> durations{};
  std::uint64_t duration_ns = 0;
  void add(const ResourceCounts& counts);
};

/// What one loop counts of calls. THREAD: the loop's; the gets and addTo() any. A resource keeps
/// its counts through reloads, by its id; those of resources that have gone are kept for their last
/// calls, and not shown.
class CallCounts {
 public:
  /// From now on `plans` are called.
  void adopt(const PlanSet& plans);
  /// REQUIRES: `index` is Plan::index of a plan adopted last. Lives as long as this.
  ResourceCounts& of(std::size_t index) { return *by_index_[index]; }

  void addTo(std::map<std::string, ResourceTotals>& totals) const;

  Count under_way;      // not ended, those that were answered at their deadline included
  Count in_background;  // of these: answered, and at work yet (S-91)
  Count unknown;        // messages for no resource
  HashCounts hashes;    // of passwords (S-95)

 private:
  struct Entry {
    ResourceCounts counts;
    bool is_current = false;
  };
  std::vector<ResourceCounts*> by_index_;
  mutable std::mutex mutex_;  // of the list, not of the counts: taken at adopt() and addTo() only
  std::map<std::string, std::unique_ptr<Entry>> by_id_;
};

}  // namespace sub0::call
