// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "call/calls.hpp"
#include "call/plan_set.hpp"
#include "loop/loop.hpp"
#include "loop/pool.hpp"
#include "net/server.hpp"
#include "plugin/host_table.hpp"
#include "plugin/registry.hpp"
#include "plugin/ticket_table.hpp"
#include "tests/simulation/fiber.hpp"
#include "tests/simulation/judge.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/scenario.hpp"
#include "tests/simulation/script_plugin.hpp"
#include "tests/simulation/sim_io.hpp"

namespace sub0::simulation {

/// The host as sub0-host wires it, on simulated Ios: real loops, pool without threads, tickets,
/// plugins value and broadcast, calls compiled from JSON, server. OWNERSHIP: the world outlives it.
class Host {
 public:
  Host(World& world, Network& network, Judge& judge, const Scenario& scenario);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// False: told to the world.
  bool start();
  void drain();
  void reload();
  bool isIdle() const;
  /// Whether no call goes on but those whose run never ends.
  bool isQuiet() const;
  /// As after a drain: plugins stop, then everything must be over.
  void stopPlugins();
  /// What is left that ought to be over.
  void checkNothingIsLeft();
  /// Whether a loop sleeps although there is a letter for it.
  bool findLostWake(std::string& text) const;
  void stopLoops();
  bool hasStopped() const;

  ScriptPlugin& plugin() { return script_; }
  net::Totals totals() const { return server_->totals(); }

 private:
  /// Tells the judge of every broadcast that leaves a call, then hands it on.
  class Tap final : public call::BroadcastPort {
   public:
    Tap(Host& host, std::uint32_t loop) : host_(host), loop_(loop) {}
    std::uint64_t count(const call::Broadcast& broadcast, const call::Sender& sender) override;
    void send(const call::Broadcast& broadcast, const call::Sender& sender) override;

   private:
    Host& host_;
    std::uint32_t loop_;
  };
  struct Unit {
    Unit(Host& host, std::uint32_t index);
    SimIo io;
    loop::Loop loop;
    plugin::TicketTable tickets;
    Tap tap;
    std::unique_ptr<call::Calls> calls;
  };
  /// One of the pool's threads.
  class PoolThread final : public Actor {
   public:
    PoolThread(Host& host, std::uint64_t number) : host_(host), number_(number) {}
    bool isIdle() const { return fiber_ == nullptr; }
    bool isReady() override;
    void act() override;

   private:
    Host& host_;
    const std::uint64_t number_;
    std::unique_ptr<Fiber> fiber_;
  };

  std::shared_ptr<const call::PlanSet> compile(bool with_circle);
  bool createPlugins();
  bool isPoolIdle() const;

  World& world_;
  Network& network_;
  Judge& judge_;
  const Scenario& scenario_;
  loop::Pool pool_;
  plugin::HostTable table_;
  plugin::Registry registry_;
  ScriptPlugin script_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::shared_ptr<const call::PlanSet> plans_;
  std::vector<std::weak_ptr<const call::PlanSet>> old_plans_;  // nobody keeps them for ever
  std::unique_ptr<net::Server> server_;
  PoolThread pool_threads_[2];
};

}  // namespace sub0::simulation
