// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/world.hpp"

#include <algorithm>
#include <utility>

#include "tests/simulation/fiber.hpp"

namespace sub0::simulation {

std::string_view faultName(std::uint32_t bit) {
  static constexpr std::string_view kNames[kFaultClasses] = {
      "short-reads",     "short-writes", "delays", "resets",     "small-buffers", "spurious-wakes",
      "refused-accepts", "late-wakes",   "stalls", "preemption", "partial-events"};
  return kNames[bit];
}

World* World::current_ = nullptr;

World::World(std::uint64_t seed, std::uint32_t faults, bool keeps_lines)
    : now_ns_(0), random_(seed), trace_(keeps_lines), faults_(faults) {
  now_ns_ = 1'000 * kMs + random_.between(0, kMs - 1);
  current_ = this;
}

World::~World() { current_ = nullptr; }

void World::fail(std::string_view oracle, std::string text) {
  if (hasFailed()) return;
  failed_oracle_ = oracle;
  failure_ = std::move(text);
  note("oracle", 0, oracle, 0, failure_);
}

void World::remove(Actor& actor) {
  actors_.erase(std::remove(actors_.begin(), actors_.end(), &actor), actors_.end());
}

void World::mayBePreempted() {
  Fiber* const fiber = Fiber::current();
  if (fiber == nullptr || !has(kPreemption) || !random_.oneIn(12)) return;
  note("thread", 0, "is preempted");
  fiber->pause();
}

void World::at(std::int64_t when_ns, std::function<void()> work) {
  events_.push_back({std::max(when_ns, now_ns_), next_event_++, std::move(work)});
  std::push_heap(events_.begin(), events_.end());
}

bool World::runDueEvent() {
  if (events_.empty() || events_.front().when_ns > now_ns_) return false;
  std::pop_heap(events_.begin(), events_.end());
  const Event event = std::move(events_.back());
  events_.pop_back();
  if (event.work) event.work();
  return true;
}

bool World::jump(std::int64_t until_ns) {
  std::int64_t next_ns = events_.empty() ? -1 : events_.front().when_ns;
  for (Actor* actor : actors_) {
    const std::int64_t due_ns = actor->dueNs();
    if (due_ns >= 0 && (next_ns < 0 || due_ns < next_ns)) next_ns = due_ns;
  }
  if (next_ns < 0) return false;
  now_ns_ = std::max(now_ns_, std::min(next_ns, until_ns));
  return true;
}

World::End World::run(const std::function<bool()>& is_done, std::int64_t until_ns) {
  while (!is_done()) {
    if (now_ns_ >= until_ns) return End::kTooLate;
    if (++steps_ > kMaxSteps) return End::kTooManySteps;
    ready_.clear();
    for (Actor* actor : actors_) {
      if (actor->isReady()) ready_.push_back(actor);
    }
    const bool is_event_due = !events_.empty() && events_.front().when_ns <= now_ns_;
    const std::size_t choices = ready_.size() + (is_event_due ? 1 : 0);
    if (choices == 0) {
      if (!jump(until_ns)) return End::kNothingToDo;
      continue;
    }
    const std::size_t choice = random_.below(choices);
    if (choice < ready_.size()) {
      ready_[choice]->act();
    } else {
      runDueEvent();
    }
    now_ns_ += static_cast<std::int64_t>(random_.below(20'000));  // work takes time
  }
  return End::kDone;
}

}  // namespace sub0::simulation
