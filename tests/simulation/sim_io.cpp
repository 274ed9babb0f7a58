// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/sim_io.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sub0::simulation {

std::uint32_t SimIo::readyFlags(int descriptor, const Watch& watch) const {
  const std::uint32_t wanted =
      (watch.interest & (loop::kReadable | loop::kWritable)) | loop::kHangup;
  return network_.readiness(descriptor) & wanted;
}

bool SimIo::hasEvents() const {
  return std::any_of(watches_.begin(), watches_.end(), [this](const auto& entry) {
    return readyFlags(entry.first, entry.second) != 0;
  });
}

bool SimIo::isReady() {
  if (isFinished() || world_.nowNs() < stalled_until_ns_) return false;
  if (!is_asleep_ || ends_for_nothing_) return true;
  const std::int64_t now_ns = world_.nowNs();
  if (wake_due_ns_ >= 0 && wake_due_ns_ <= now_ns) return true;
  if (wake_at_ns_ >= 0 && wake_at_ns_ <= now_ns) return true;
  return hasEvents();
}

std::int64_t SimIo::dueNs() {
  if (isFinished()) return -1;
  if (world_.nowNs() < stalled_until_ns_) return stalled_until_ns_;
  if (!is_asleep_) return world_.nowNs();
  if (wake_at_ns_ >= 0 && (wake_due_ns_ < 0 || wake_at_ns_ < wake_due_ns_)) return wake_at_ns_;
  return wake_due_ns_;
}

void SimIo::act() {
  if (world_.has(kStalls) && world_.random().oneIn(400)) {
    stalled_until_ns_ = world_.nowNs() + world_.random().between(1, 20) * kMs;
    world_.note("loop", loop_, "is not scheduled until",
                static_cast<std::uint64_t>(stalled_until_ns_));
    return;
  }
  fiber_->resume();
}

std::span<const loop::IoEvent> SimIo::wait(std::int64_t timeout_ns) {
  wake_due_ns_ = -1;
  if (timeout_ns >= 0) {  // whole milliseconds, as epoll has them
    wake_due_ns_ = world_.nowNs() + (timeout_ns + kMs - 1) / kMs * kMs;
  }
  ends_for_nothing_ = world_.has(kSpuriousWakes) && world_.random().oneIn(50);
  is_asleep_ = true;
  fiber_->pause();
  is_asleep_ = false;
  wake_due_ns_ = -1;
  collect();
  return events_;
}

void SimIo::collect() {
  const std::int64_t now_ns = world_.nowNs();
  if (wake_at_ns_ >= 0 && wake_at_ns_ <= now_ns) wake_at_ns_ = -1;
  events_.clear();
  if (std::exchange(ends_for_nothing_, false)) return;
  Random& random = world_.random();
  for (const auto& [descriptor, watch] : watches_) {
    std::uint32_t flags = readyFlags(descriptor, watch);
    if (flags == 0 && world_.has(kSpuriousWakes) && random.oneIn(60)) {
      flags = watch.interest & (loop::kReadable | loop::kWritable);
    }
    if (flags != 0) events_.push_back({watch.token, flags});
  }
  for (std::size_t i = events_.size(); i > 1; --i)
    std::swap(events_[i - 1], events_[random.below(i)]);
  if (world_.has(kPartialEvents) && events_.size() > 1 && random.oneIn(3)) {
    events_.resize(1 + random.below(events_.size() - 1));
  }
  world_.note("loop", loop_, "turns, events", events_.size());
}

bool SimIo::check(int descriptor, const char* what) {
  if (network_.isKnown(descriptor)) return true;
  world_.fail("descriptors", std::string("the host ") + what + " descriptor " +
                                 std::to_string(descriptor) + ", which is not open");
  return false;
}

bool SimIo::watch(int descriptor, std::uint32_t interest, std::uint64_t token) {
  if (descriptor != Network::kListener && !check(descriptor, "watches")) return false;
  if (!watches_.emplace(descriptor, Watch{interest, token}).second) {
    world_.fail("descriptors", "a descriptor is watched twice");
    return false;
  }
  return true;
}

bool SimIo::rewatch(int descriptor, std::uint32_t interest, std::uint64_t token) {
  const auto found = watches_.find(descriptor);
  if (found == watches_.end()) {
    world_.fail("descriptors", "a descriptor is watched again that was not watched");
    return false;
  }
  found->second = {interest, token};
  return true;
}

void SimIo::unwatch(int descriptor) {
  if (watches_.erase(descriptor) == 0) {
    world_.fail("descriptors", "a watch is ended that was none");
  }
}

loop::Accepted SimIo::accept(int) {
  world_.mayBePreempted();
  loop::Accepted accepted;
  if (!network_.hasBacklog()) {
    accepted.status = loop::IoStatus::kWouldBlock;
    return accepted;
  }
  if (network_.refusesAccept()) {
    accepted.status = loop::IoStatus::kExhausted;
    world_.note("loop", loop_, "has no descriptor left for a connection");
    return accepted;
  }
  const auto link = network_.accept();
  accepted.descriptor = link->descriptor;
  accepted.address_size = static_cast<std::uint8_t>(link->address.size());
  std::memcpy(accepted.address, link->address.data(), link->address.size());
  world_.note("loop", loop_, "accepts connection", link->number);
  return accepted;
}

loop::IoResult SimIo::receive(int descriptor, char* buffer, std::size_t size) {
  world_.mayBePreempted();
  if (!check(descriptor, "reads from")) return {loop::IoStatus::kFailed, 0, EBADF};
  const loop::IoResult result = network_.receive(descriptor, buffer, size);
  world_.note("loop", loop_, "receives", result.bytes,
              std::string_view(buffer, result.status == loop::IoStatus::kOk ? result.bytes : 0));
  return result;
}

loop::IoResult SimIo::send(int descriptor, const iovec* parts, int count) {
  world_.mayBePreempted();
  if (!check(descriptor, "writes to")) return {loop::IoStatus::kFailed, 0, EBADF};
  const loop::IoResult result = network_.send(descriptor, parts, count);
  world_.note("loop", loop_, "sends", result.bytes);
  return result;
}

void SimIo::shutdownWrite(int descriptor) {
  if (check(descriptor, "ends")) network_.finish(descriptor);
}

void SimIo::close(int descriptor) {
  if (!check(descriptor, "closes")) return;
  if (watches_.count(descriptor) != 0) {
    world_.fail("descriptors", "a descriptor is closed while it is watched");
  }
  world_.note("loop", loop_, "closes connection", network_.find(descriptor)->number);
  network_.close(descriptor);
}

void SimIo::wake() {
  if (wake_at_ns_ >= 0) return;
  wake_at_ns_ = world_.nowNs();
  if (world_.has(kLateWakes) && world_.random().oneIn(3)) {
    wake_at_ns_ += world_.random().between(1, 5'000) * 1'000;
  }
}

void SimIo::random(char* buffer, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) buffer[i] = static_cast<char>(world_.random().next());
}

}  // namespace sub0::simulation
