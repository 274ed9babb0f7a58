// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sub0::call {

/// A call's place among those that wait; its base.
class WaitingCall {
 public:
  WaitingCall() = default;
  WaitingCall(const WaitingCall&) = delete;
  WaitingCall& operator=(const WaitingCall&) = delete;
  bool isWaiting() const { return previous_ != nullptr; }

 protected:
  ~WaitingCall() = default;

 private:
  friend class WaitingCalls;
  std::uint64_t connection_ = 0;
  WaitingCall* next_ = nullptr;
  WaitingCall** previous_ = nullptr;  // what points here; null: it does not wait
};

/// The calls of a loop that wait for a plugin, found by their connection: when it closes, the work
/// is that of its own calls, however many others wait. A hash table of intrusive lists, so a call
/// that begins or ends its wait allocates nothing; only the table grows. THREAD: the loop's.
/// OWNERSHIP: the calls are the caller's.
class WaitingCalls {
 public:
  WaitingCalls() : buckets_(kFirstBuckets) {}

  /// REQUIRES: it does not wait.
  void add(WaitingCall& call, std::uint64_t connection);
  /// No effect if it does not wait.
  void remove(WaitingCall& call);
  std::size_t size() const { return size_; }

  /// Visits the calls of `connection`; `visit` may remove the one that it is given. Returns how
  /// many calls were looked at.
  template <typename Visit>
  std::size_t forEachOf(std::uint64_t connection, Visit&& visit) {
    std::size_t looks = 0;
    for (WaitingCall* call = bucketOf(connection); call != nullptr; ++looks) {
      WaitingCall* const next = call->next_;
      if (call->connection_ == connection) visit(*call);
      call = next;
    }
    return looks;
  }

 private:
  static constexpr std::size_t kFirstBuckets = 16;

  WaitingCall*& bucketOf(std::uint64_t connection);
  void link(WaitingCall& call);
  void grow();

  std::vector<WaitingCall*> buckets_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace sub0::call
