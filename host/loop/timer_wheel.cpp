// SPDX-License-Identifier: Apache-2.0
#include "loop/timer_wheel.hpp"

#include <algorithm>
#include <bit>

#include "base/time_units.hpp"

namespace sub0::loop {
namespace {

constexpr int kSlotBits = 8;
constexpr std::int64_t kSlotMask = 255;
constexpr std::int64_t kMaxDelayMs = (std::int64_t{1} << (3 * kSlotBits)) - 512;

}  // namespace

void Timer::stop() {
  if (previous_ == nullptr) return;
  *previous_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  next_ = nullptr;
  previous_ = nullptr;
}

TimerWheel::TimerWheel(std::int64_t now_ns) : tick_ms_(now_ns / kNsPerMs) {}

void TimerWheel::start(Timer& timer, std::int64_t delay_ms) {
  timer.stop();
  // The turn's clock may be up to 1 ms into its tick: one more tick, so that no timer fires early.
  timer.due_ms_ = tick_ms_ + std::clamp<std::int64_t>(delay_ms, 0, kMaxDelayMs) + 1;
  insert(timer);
}

void TimerWheel::insert(Timer& timer) {
  const std::int64_t distance = std::max<std::int64_t>(timer.due_ms_ - tick_ms_, 0);
  int level = 0;
  while (level + 1 < kLevels && distance >= (std::int64_t{1} << ((level + 1) * kSlotBits))) ++level;
  const auto slot = static_cast<std::size_t>((timer.due_ms_ >> (level * kSlotBits)) & kSlotMask);
  Timer*& head = slots_[static_cast<std::size_t>(level)][slot];
  occupied_[static_cast<std::size_t>(level)][slot / 64] |= std::uint64_t{1} << (slot % 64);
  timer.next_ = head;
  timer.previous_ = &head;
  if (head != nullptr) head->previous_ = &timer.next_;
  head = &timer;
}

void TimerWheel::cascade(int level) {
  const auto slot = static_cast<std::size_t>((tick_ms_ >> (level * kSlotBits)) & kSlotMask);
  Timer*& head = slots_[static_cast<std::size_t>(level)][slot];
  while (head != nullptr) {
    Timer* timer = head;
    timer->stop();
    insert(*timer);
  }
}

void TimerWheel::fireSlot() {
  // The list is moved away first: a timer that is started in onTimer() never fires in the same slot
  // again.
  Timer*& head = slots_[0][static_cast<std::size_t>(tick_ms_ & kSlotMask)];
  Timer* due = head;
  if (due == nullptr) return;
  due->previous_ = &due;
  head = nullptr;
  while (due != nullptr) {
    Timer* timer = due;
    timer->stop();
    timer->onTimer();
  }
}

void TimerWheel::advance(std::int64_t now_ns) {
  const std::int64_t now_ms = now_ns / kNsPerMs;
  while (tick_ms_ < now_ms) {
    ++tick_ms_;
    if ((tick_ms_ & kSlotMask) == 0) {
      if (((tick_ms_ >> kSlotBits) & kSlotMask) == 0) cascade(2);
      cascade(1);
    }
    fireSlot();
  }
}

bool TimerWheel::hasTimer(std::size_t level, std::size_t slot) const {
  std::uint64_t& word = occupied_[level][slot / 64];
  const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
  if ((word & bit) == 0) return false;
  if (slots_[level][slot] != nullptr) return true;
  word &= ~bit;  // stopped meanwhile: a timer does not know its wheel
  return false;
}

bool TimerWheel::hasLaterTimer() const {
  for (std::size_t level = 1; level < kLevels; ++level) {
    for (std::size_t word = 0; word < kSlots / 64; ++word) {
      while (occupied_[level][word] != 0) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(occupied_[level][word]));
        if (hasTimer(level, word * 64 + bit)) return true;
      }
    }
  }
  return false;
}

std::int64_t TimerWheel::untilNextNs(std::int64_t now_ns) const {
  // At the start of a round of level 0, a slot of a higher level is spread out: look again then.
  const std::int64_t round_end = (tick_ms_ | kSlotMask) + 1;
  std::int64_t due = hasLaterTimer() ? round_end : -1;
  std::int64_t tick = tick_ms_ + 1;
  while (tick <= tick_ms_ + kSlotMask && (due < 0 || tick < due)) {
    const auto slot = static_cast<std::size_t>(tick & kSlotMask);
    const std::uint64_t rest = occupied_[0][slot / 64] >> (slot % 64);
    if (rest == 0) {
      tick += static_cast<std::int64_t>(64 - slot % 64);
      continue;
    }
    tick += std::countr_zero(rest);
    if (tick <= tick_ms_ + kSlotMask && hasTimer(0, static_cast<std::size_t>(tick & kSlotMask))) {
      due = due < 0 ? tick : std::min(due, tick);
      break;
    }
    ++tick;
  }
  return due < 0 ? -1 : std::max<std::int64_t>(due * kNsPerMs - now_ns, 0);
}

}  // namespace sub0::loop
