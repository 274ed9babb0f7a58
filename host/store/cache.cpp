// SPDX-License-Identifier: Apache-2.0
#include "store/cache.hpp"

namespace sub0::store {

CacheWait* Cache::addWait(CacheFlight& flight, CacheListener& listener, loop::Loop& loop,
                          std::size_t place) {
  auto* wait = new CacheWait(listener, loop, place);
  wait->flight_ = &flight;
  wait->next_ = flight.waits;
  wait->previous_ = &flight.waits;
  if (wait->next_ != nullptr) wait->next_->previous_ = &wait->next_;
  flight.waits = wait;
  return wait;
}

void Cache::endWait(CacheWait& wait) {
  if (wait.flight_ == nullptr) {
    wait.listener_ = nullptr;
    return;
  }
  *wait.previous_ = wait.next_;
  if (wait.next_ != nullptr) wait.next_->previous_ = wait.previous_;
  delete &wait;
}

/// First come, first told.
CacheWait* Cache::takeWaits(CacheFlight& flight) {
  CacheWait* next = std::exchange(flight.waits, nullptr);
  CacheWait* oldest = nullptr;
  while (next != nullptr) {
    CacheWait* const wait = next;
    next = wait->next_;
    wait->flight_ = nullptr;
    wait->next_ = oldest;
    oldest = wait;
  }
  return oldest;
}

void Cache::tell(CacheWait* waits, const CachedPointer& value) {
  while (waits != nullptr) {
    CacheWait* const next = waits->next_;
    waits->value_ = value;
    waits->loop_.send(*waits);  // it may be gone from here on
    waits = next;
  }
}

}  // namespace sub0::store
