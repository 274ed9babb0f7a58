// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

// The port of S-94: how many calls there were in the window that is open now. The gate of a call
// never waits, so an answer comes at once, from what this process knows; a store that nodes share
// brings the counts of the others in behind it. THREAD: any. Times are the monotonic clock's and
// passed in.
namespace sub0::store {

struct RateRule {
  std::string_view resource;  // whose windows these are
  std::int64_t limit = 1;     // calls in a window
  std::int64_t window_ns = 0;
};

struct RateTotals {
  std::uint64_t refused = 0;   // calls
  std::uint64_t windows = 0;   // open now, or not looked at since they ended
  std::uint64_t overflow = 0;  // calls that shared a window, since there were too many identifiers
};

class RateLimits {
 public:
  RateLimits() = default;
  RateLimits(const RateLimits&) = delete;
  RateLimits& operator=(const RateLimits&) = delete;

  /// Counts a call of `identifier`, whose first one opens a window. Below 0: it may go on; else
  /// refused, and how many ns are left of the window.
  virtual std::int64_t count(const RateRule& rule, std::string_view identifier,
                             std::int64_t now_ns) = 0;
  virtual RateTotals totals() const = 0;

 protected:
  virtual ~RateLimits() = default;
};

}  // namespace sub0::store
