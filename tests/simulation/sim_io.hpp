// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "loop/io.hpp"
#include "tests/simulation/fiber.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/world.hpp"

namespace sub0::simulation {

/// What a loop knows of the world: the port that RealIo is otherwise. wait() really sleeps: the
/// loop's fiber pauses until something is ready, somebody wakes it, or its time is up. With
/// faults, a wait ends for nothing or tells of a part, other threads go on within a turn, and a
/// wake takes its time.
class SimIo final : public loop::Io, public Actor {
 public:
  SimIo(World& world, Network& network, std::uint64_t loop)
      : world_(world), network_(network), loop_(loop) {
    world_.add(*this);
  }
  ~SimIo() override { world_.remove(*this); }

  /// `body` runs the loop, from the first act() on.
  void start(std::function<void()> body) { fiber_ = std::make_unique<Fiber>(std::move(body)); }
  bool isFinished() const { return !fiber_ || fiber_->isFinished(); }
  /// In a wait whose time is not up.
  bool isAsleep() const {
    return is_asleep_ && (wake_due_ns_ < 0 || wake_due_ns_ > world_.nowNs());
  }
  /// Stopped in the middle of a turn: other threads go on.
  bool isPreempted() const { return !isFinished() && !is_asleep_; }
  /// Whether somebody has asked it to wake up.
  bool isWoken() const { return wake_at_ns_ >= 0; }
  /// Asleep, and no timer of it is running.
  bool sleepsForEver() const { return is_asleep_ && wake_due_ns_ < 0; }
  std::size_t watches() const { return watches_.size(); }

  std::span<const loop::IoEvent> wait(std::int64_t timeout_ns) override;
  bool watch(int descriptor, std::uint32_t interest, std::uint64_t token) override;
  bool rewatch(int descriptor, std::uint32_t interest, std::uint64_t token) override;
  void unwatch(int descriptor) override;
  loop::Accepted accept(int listener) override;
  loop::IoResult receive(int descriptor, char* buffer, std::size_t size) override;
  loop::IoResult send(int descriptor, const iovec* parts, int count) override;
  void shutdownWrite(int descriptor) override;
  void close(int descriptor) override;
  void wake() override;
  std::int64_t monotonicNs() override { return world_.nowNs(); }
  std::int64_t wallMs() override { return 1'700'000'000'000 + world_.nowNs() / kMs; }
  void random(char* buffer, std::size_t size) override;

  bool isReady() override;
  void act() override;
  std::int64_t dueNs() override;

 private:
  struct Watch {
    std::uint32_t interest;
    std::uint64_t token;
  };
  std::uint32_t readyFlags(int descriptor, const Watch& watch) const;
  bool hasEvents() const;
  void collect();
  bool check(int descriptor, const char* what);

  World& world_;
  Network& network_;
  const std::uint64_t loop_;
  std::unique_ptr<Fiber> fiber_;
  std::map<int, Watch> watches_;
  std::vector<loop::IoEvent> events_;
  bool is_asleep_ = false;
  bool ends_for_nothing_ = false;
  std::int64_t wake_due_ns_ = -1;  // when the wait's time is up; negative: never
  std::int64_t wake_at_ns_ = -1;   // when a wake() is felt
  std::int64_t stalled_until_ns_ = 0;
};

}  // namespace sub0::simulation
