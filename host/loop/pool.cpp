// SPDX-License-Identifier: Apache-2.0
#include "loop/pool.hpp"

#include <utility>

namespace sub0::loop {

Pool::Pool(std::size_t threads, std::size_t max_waiting, const std::function<void()>& begin)
    : max_waiting_(max_waiting) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, begin] {
      if (begin) begin();
      work();
    });
  }
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

/// REQUIRES: locked.
bool Pool::hasRoom(std::uint64_t owner) const {
  if (queue_.size() >= max_waiting_) return false;
  const auto own = waiting_of_.find(owner);
  return own == waiting_of_.end() || own->second <= max_waiting_ - queue_.size();
}

bool Pool::submit(std::function<void()> work, std::uint64_t owner) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !hasRoom(owner)) return false;
    queue_.push_back({std::move(work), owner});
    if (owner != 0) ++waiting_of_[owner];
  }
  changed_.notify_one();
  return true;
}

bool Pool::hasWork() {
  const std::lock_guard lock(mutex_);
  return !queue_.empty();
}

/// REQUIRES: locked, and something waits.
std::function<void()> Pool::takeNext() {
  Piece next = std::move(queue_.front());
  queue_.pop_front();
  const auto own = waiting_of_.find(next.owner);
  if (own != waiting_of_.end() && --own->second == 0) waiting_of_.erase(own);
  return std::move(next.work);
}

bool Pool::runOne() {
  std::function<void()> next;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    next = takeNext();
  }
  next();
  return true;
}

std::size_t Pool::waitingCount() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Pool::work() {
  while (true) {
    std::function<void()> next;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      next = takeNext();
    }
    next();
  }
}

}  // namespace sub0::loop
