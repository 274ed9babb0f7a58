// SPDX-License-Identifier: Apache-2.0
#include "call/waiting_calls.hpp"

#include <cassert>

namespace sub0::call {

void WaitingCalls::add(WaitingCall& call, std::uint64_t connection) {
  assert(!call.isWaiting());
  if (size_ == buckets_.size()) grow();
  call.connection_ = connection;
  link(call);
  ++size_;
}

void WaitingCalls::remove(WaitingCall& call) {
  if (!call.isWaiting()) return;
  *call.previous_ = call.next_;
  if (call.next_ != nullptr) call.next_->previous_ = call.previous_;
  call.previous_ = nullptr;
  call.next_ = nullptr;
  --size_;
}

/// Slots of connections count from 0 and generations change slowly: a multiplication spreads both.
WaitingCall*& WaitingCalls::bucketOf(std::uint64_t connection) {
  constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;
  return buckets_[((connection * kGoldenRatio) >> 32) & (buckets_.size() - 1)];
}

void WaitingCalls::link(WaitingCall& call) {
  WaitingCall*& first = bucketOf(call.connection_);
  call.next_ = first;
  call.previous_ = &first;
  if (first != nullptr) first->previous_ = &call.next_;
  first = &call;
}

void WaitingCalls::grow() {
  std::vector<WaitingCall*> old(buckets_.size() * 2);
  old.swap(buckets_);
  for (WaitingCall* call : old) {
    while (call != nullptr) {
      WaitingCall* const next = call->next_;
      link(*call);
      call = next;
    }
  }
}

}  // namespace sub0::call
