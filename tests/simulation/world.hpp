// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/random.hpp"
#include "tests/simulation/trace.hpp"

namespace sub0::simulation {

/// What may go wrong in a run, each class by itself, so that a failing run can be looked at with
/// one class less.
enum Fault : std::uint32_t {
  kShortReads = 1,
  kShortWrites = 2,
  kDelays = 4,
  kResets = 8,
  kSmallBuffers = 16,
  kSpuriousWakes = 32,
  kRefusedAccepts = 64,
  kLateWakes = 128,
  kStalls = 256,          // a loop's thread is not scheduled for a while
  kPreemption = 512,      // other threads go on in the middle of a turn or of a pool's work
  kPartialEvents = 1024,  // a wait tells of some of what is ready
};
inline constexpr std::uint32_t kFaultClasses = 11;
/// "short-reads", … by bit number.
std::string_view faultName(std::uint32_t bit);

inline constexpr std::int64_t kMs = 1'000'000;

/// Somebody who acts when there is something to do: a loop, a client, the pool.
class Actor {
 public:
  virtual bool isReady() = 0;
  virtual void act() = 0;
  /// When it will be ready although nothing happens; negative: never.
  virtual std::int64_t dueNs() { return -1; }

 protected:
  ~Actor() = default;
};

/// A world of one thread: its clock, its chance, who acts in it, and what happened. The scheduler
/// picks by chance among those that have something to do; when nobody has, the clock jumps to where
/// somebody will. OWNERSHIP: actors outlive run() or leave before.
class World {
 public:
  World(std::uint64_t seed, std::uint32_t faults, bool keeps_lines);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  /// The one of this process, or null.
  static World* current() { return current_; }

  std::int64_t nowNs() const { return now_ns_; }
  Random& random() { return random_; }
  Trace& trace() { return trace_; }
  bool has(Fault fault) const { return (faults_ & fault) != 0; }

  void note(std::string_view actor, std::uint64_t number, std::string_view what,
            std::uint64_t amount = 0, std::string_view text = {}) {
    trace_.note(now_ns_, actor, number, what, amount, text);
  }

  /// The first thing that is wrong counts; the run goes on to its end.
  void fail(std::string_view oracle, std::string text);
  bool hasFailed() const { return !failed_oracle_.empty(); }
  const std::string& failedOracle() const { return failed_oracle_; }
  const std::string& failure() const { return failure_; }

  void add(Actor& actor) { actors_.push_back(&actor); }
  void remove(Actor& actor);

  /// Here a thread may stop and others go on: by chance, in runs with that fault.
  void mayBePreempted();

  /// Calls `work` at that time, from no loop's thread.
  void at(std::int64_t when_ns, std::function<void()> work);
  /// Something becomes visible then: the clock stops there.
  void stopAt(std::int64_t when_ns) {
    if (when_ns > now_ns_) at(when_ns, nullptr);
  }

  enum class End : std::uint8_t { kDone, kNothingToDo, kTooLate, kTooManySteps };
  /// Runs until `is_done`, or until there is nothing to do, or the clock passes `until_ns`.
  End run(const std::function<bool()>& is_done, std::int64_t until_ns);

  std::uint64_t steps() const { return steps_; }

 private:
  struct Event {
    std::int64_t when_ns;
    std::uint64_t number;
    std::function<void()> work;
    bool operator<(const Event& other) const {  // for a heap with the earliest on top
      return when_ns != other.when_ns ? when_ns > other.when_ns : number > other.number;
    }
  };
  bool runDueEvent();
  bool jump(std::int64_t until_ns);

  static constexpr std::uint64_t kMaxSteps = 4'000'000;
  static World* current_;
  std::int64_t now_ns_;
  Random random_;
  Trace trace_;
  const std::uint32_t faults_;
  std::vector<Actor*> actors_;
  std::vector<Actor*> ready_;
  std::vector<Event> events_;
  std::uint64_t next_event_ = 0;
  std::uint64_t steps_ = 0;
  std::string failed_oracle_;
  std::string failure_;
};

}  // namespace sub0::simulation
