// SPDX-License-Identifier: Apache-2.0
// Random orders of everything that may happen to a run: ends, double, late and stale ones, from the
// run, the loop, threads and cancel; cancel, abandon and close at any moment; waits for max_running
// across two loops; exceptions and broken promises. What an owner must keep is freed the moment
// that the table allows it, so that a sanitizer sees who looks at it afterwards.
//   SUB0_WALL_ORDERS=10000000 SUB0_WALL_SEED=7 unit_wall_stress      a long run by hand
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/log.hpp"
#include "plugin/host_table.hpp"
#include "tests/unit/plugin/rig.hpp"

namespace sub0::plugin {
namespace {

constexpr std::size_t kLoops = 2;
constexpr std::size_t kMaxLive = 48;       // runs of one loop
constexpr std::size_t kMaxForgotten = 96;  // tickets that wait for a late end
constexpr std::int64_t kMagic = 0x5afe;

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {  // splitmix64
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
  }
  std::size_t below(std::size_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

std::uint64_t fromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// The plugin's side: five handlers, and tickets that its threads end some time.
class StressPlugin {
 public:
  struct Kind {
    const char* name;
    std::uint16_t placement;
    std::uint32_t max_running, flags;
  };
  static constexpr Kind kKinds[] = {{"LOOP", SUB0_PLACE_LOOP, 0, 0},
                                    {"PROMISE", SUB0_PLACE_LOOP, 0, SUB0_COMPLETES_IN_RUN},
                                    {"POOL", SUB0_PLACE_POOL, 0, 0},
                                    {"FEW", SUB0_PLACE_LOOP, 2, 0},
                                    {"FEW_IN_POOL", SUB0_PLACE_POOL, 2, 0}};

  StressPlugin() {
    for (std::size_t i = 0; i < std::size(kKinds); ++i) {
      sub0_handler& handler = handlers_[i];
      handler = base_.handler;
      handler.name = handler.config_key = json::toView(kKinds[i].name);
      handler.placement = kKinds[i].placement;
      handler.max_running = kKinds[i].max_running;
      handler.flags = kKinds[i].flags;
      handler.run = [](void* self, const sub0_run* run) {
        static_cast<StressPlugin*>(self)->run(*run);
      };
      handler.cancel = [](void* self, sub0_ticket ticket) {
        if (ticket % 3 == 0) static_cast<StressPlugin*>(self)->end(ticket, ticket);
      };
      handler.release = [](void*) {};
      pointers_[i] = &handler;
    }
    base_.descriptor.handlers = pointers_.data();
    base_.descriptor.handler_count = static_cast<std::uint32_t>(std::size(kKinds));
  }
  const sub0_plugin* descriptor() { return &base_.descriptor; }

  /// Ends a run as the dice say; whether it was in time is the host's matter.
  void end(sub0_ticket ticket, std::uint64_t dice) {
    orders.fetch_add(1, std::memory_order_relaxed);
    const json::Value number = json::integer(static_cast<std::int64_t>(ticket));
    const json::Value bad = json::text("\xff");
    switch (dice % 6) {
      case 0:
      case 1:
        return note(base_.complete(ticket, number));
      case 2:
        return note(base_.fail(ticket, SUB0_NOT_FOUND, std::to_string(ticket)));
      case 3:
        return endWithBlob(ticket, number);
      case 4:
        return note(base_.complete(ticket, bad));
      default:
        return note(base_.complete(ticket, json::array(&number, 1)));
    }
  }

  /// One ticket that somebody was given some time ago: under way, forgotten, or stale for long.
  void endSome(Random& random, bool ends_all) {
    sub0_ticket ticket = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!handed_over_.empty() && random.below(4) != 0) {
        ticket = handed_over_.front();
        handed_over_.pop_front();
      } else if (forgotten_.size() > (ends_all ? 0 : kMaxForgotten)) {
        ticket = forgotten_.front();
        forgotten_.pop_front();
      } else {
        ticket = old_[random.below(old_.size())];
      }
      old_[random.below(old_.size())] = ticket;
    }
    end(ticket, random.next());
    if (random.below(4) == 0) end(ticket, random.next());
  }

  std::atomic<std::uint64_t> orders{0}, ends_taken{0}, ends_refused{0};
  std::atomic<std::uint64_t> blobs_made{0}, blobs_released{0};

 private:
  struct Blob {
    StressPlugin& plugin;
    json::Value value;
  };

  void run(const sub0_run& run) {
    const auto dice = static_cast<std::uint64_t>(run.inputs[0].as.i);
    const sub0_ticket ticket = run.ticket;
    switch (dice % 8) {
      case 0:
      case 1:
        end(ticket, dice >> 8);
        break;
      case 2:
        end(ticket, dice >> 8);
        end(ticket, dice >> 16);
        break;
      case 3:
        throw std::runtime_error("boom");
      case 4:
      case 5: {
        const std::lock_guard lock(mutex_);
        handed_over_.push_back(ticket);
        break;
      }
      case 6: {
        const std::lock_guard lock(mutex_);
        forgotten_.push_back(ticket);
        break;
      }
      default:
        base_.complete(ticket, run.inputs[1]);  // an input, handed back
    }
    // Whatever others do meanwhile: the inputs live until this returns.
    if (run.inputs[1].as.i != kMagic || run.ticket != ticket) std::abort();
  }

  void endWithBlob(sub0_ticket ticket, const json::Value& value) {
    auto* owned = new Blob{*this, value};
    blobs_made.fetch_add(1, std::memory_order_relaxed);
    const sub0_blob blob{&owned->value,
                         [](void* owner) {
                           auto* released = static_cast<Blob*>(owner);
                           released->plugin.blobs_released.fetch_add(1, std::memory_order_relaxed);
                           delete released;
                         },
                         owned};
    note(base_.host->complete_blob(base_.host, ticket, &blob));
  }

  void note(int32_t status) {
    (status == SUB0_STALE_TICKET ? ends_refused : ends_taken).fetch_add(1);
  }

  test::ScriptedPlugin base_{"test.five", "BASE"};
  std::array<sub0_handler, std::size(kKinds)> handlers_{};
  std::array<const sub0_handler*, std::size(kKinds)> pointers_{};
  std::mutex mutex_;
  std::deque<sub0_ticket> handed_over_, forgotten_;
  std::array<sub0_ticket, 512> old_{};
};

/// The owners of one loop's runs.
class LoopSide {
 public:
  LoopSide(std::uint32_t index, loop::Pool& pool, std::uint64_t seed)
      : loop(index, io), tickets(loop, &pool), random_(seed) {}

  /// THREAD: this loop's, until `orders` of all have been given; then waits for what is left.
  void work(StressPlugin& plugin, Registry& registry, std::uint64_t orders) {
    while (plugin.orders.load(std::memory_order_relaxed) < orders) {
      loop.post([&] {
        for (int i = 0; i < 8; ++i) giveOrder(plugin, registry);
      });
      loop.turn(0);
    }
    while (!live_.empty() || unfreed_ > 0) {
      loop.post([&] {
        if (!live_.empty() && random_.below(8) == 0) abandon(any());
      });
      loop.turn(0);
      std::this_thread::yield();
    }
  }

  test::FakeIo io;
  loop::Loop loop;
  TicketTable tickets;
  std::uint64_t opened = 0, settled = 0, closed_before = 0, freed_later = 0, cancels = 0;

 private:
  struct Run final : RunOwner {
    LoopSide* side = nullptr;
    PreparedAction action;
    sub0_run run{};
    std::array<json::Value, 2> inputs{};
    Arena arena;
    std::size_t place = 0;
    bool is_settled = false, is_closed = false;

    void onSettled(sub0_ticket ticket) override { side->settle(*this, ticket); }
    void onFreed(sub0_ticket ticket) override {
      ASSERT_TRUE(is_closed && ticket == run.ticket);
      --side->unfreed_;
      ++side->freed_later;
      delete this;
    }
  };

  Run& any() { return *live_[random_.below(live_.size())]; }

  void giveOrder(StressPlugin& plugin, Registry& registry) {
    plugin.orders.fetch_add(1, std::memory_order_relaxed);
    const std::size_t order = random_.below(8);
    if (order < 3 || live_.empty()) {
      if (live_.size() < kMaxLive) start(plugin, registry);
    } else if (order == 3) {
      ++cancels;
      tickets.cancel(any().run.ticket);
    } else if (order == 4) {
      abandon(any());
    } else if (order == 5) {
      close(any());
    } else {
      plugin.endSome(random_, false);
    }
  }

  void start(StressPlugin& plugin, Registry& registry) {
    auto* run = new Run;
    run->side = this;
    run->action.handler = registry.handlers()[random_.below(registry.handlers().size())];
    run->action.site = &run->action.handler->site;
    run->action.action = &plugin;
    run->action.placement = static_cast<Placement>(run->action.handler->table->placement);
    run->inputs = {json::integer(static_cast<std::int64_t>(random_.next() >> 1)),
                   json::integer(kMagic)};
    run->run.struct_size = sizeof run->run;
    run->run.input_count = 2;
    run->run.inputs = run->inputs.data();
    run->run.resource = json::toView("stress");
    run->place = live_.size();
    live_.push_back(run);
    ++opened;
    run->run.ticket = tickets.open(*run, run->action, run->arena);
    ASSERT_NE(run->run.ticket, 0U);
    ASSERT_EQ(tickets.owner(run->run.ticket), run);
    // No ticket comes twice: what was kept of an earlier run of the slot means none that lives.
    const auto slot = static_cast<std::size_t>(run->run.ticket >> 32 & 0xffffff);
    if (slot >= generations_.size()) generations_.resize(slot + 1);
    ASSERT_GT(static_cast<std::uint32_t>(run->run.ticket), generations_[slot]);
    generations_[slot] = static_cast<std::uint32_t>(run->run.ticket);
    if (random_.below(64) == 0) return close(*run);  // never run at all
    if (tickets.run(run->run) == RunState::kSettled) settle(*run, run->run.ticket);
  }

  void settle(Run& run, sub0_ticket ticket) {
    ASSERT_TRUE(!run.is_settled && !run.is_closed && ticket == run.run.ticket);
    run.is_settled = true;
    ++settled;
    const Outcome& outcome = tickets.outcome(ticket);
    const json::Value& value = outcome.value;
    if (outcome.code == Code::kOk) {  // its own end, not one that was meant for another run
      const std::int64_t number = value.type == SUB0_ARRAY ? value.as.items[0].as.i : value.as.i;
      ASSERT_TRUE(number == static_cast<std::int64_t>(ticket) || number == kMagic);
    } else if (outcome.code == Code::kNotFound) {
      ASSERT_EQ(outcome.client_message, std::to_string(ticket));
    }
    if (random_.below(2) == 0) close(run);
  }

  void close(Run& run) { leave(run, tickets.close(run.run.ticket)); }
  void abandon(Run& run) { leave(run, tickets.abandon(run.run.ticket)); }

  void leave(Run& run, bool is_over) {
    ASSERT_FALSE(run.is_closed);
    run.is_closed = true;
    if (!run.is_settled) ++closed_before;
    live_[run.place] = live_.back();
    live_[run.place]->place = run.place;
    live_.pop_back();
    ASSERT_EQ(tickets.owner(run.run.ticket), nullptr);
    if (is_over) {
      delete &run;
    } else {
      ++unfreed_;
    }
  }

  Random random_;
  std::vector<Run*> live_;
  std::vector<std::uint32_t> generations_;  // the last of each slot
  std::size_t unfreed_ = 0;
};

/// Two loops, two threads that end, a pool, and what must hold when all is over.
void stress(std::uint64_t seed, std::uint64_t orders) {
  log::setSink([](std::string_view) {});
  StressPlugin plugin;
  Registry registry;
  HostTable host;
  auto pool = std::make_unique<loop::Pool>(2);
  std::array<std::unique_ptr<LoopSide>, kLoops> sides;
  std::vector<loop::Loop*> loops;
  for (std::uint32_t i = 0; i < kLoops; ++i) {
    sides[i] = std::make_unique<LoopSide>(i, *pool, seed * kLoops + i);
    loops.push_back(&sides[i]->loop);
  }
  host.setLoops(loops);
  host.setPool(pool.get());
  for (std::uint32_t i = 0; i < kLoops; ++i) host.setTicketTable(i, &sides[i]->tickets);
  ASSERT_TRUE(registry.add(plugin.descriptor()));
  ASSERT_TRUE(registry.createAll(host, [](std::string_view) { return std::nullopt; }));
  ASSERT_TRUE(registry.startAll());

  std::atomic<bool> is_over{false};
  std::vector<std::thread> enders;
  for (std::uint64_t i = 0; i < 2; ++i) {
    enders.emplace_back([&, i] {
      Random random(~(seed * 2 + i));
      while (!is_over.load()) {
        plugin.endSome(random, plugin.orders.load(std::memory_order_relaxed) >= orders);
        if (random.below(16) == 0) std::this_thread::yield();
      }
    });
  }
  std::thread second([&] { sides[1]->work(plugin, registry, orders); });
  sides[0]->work(plugin, registry, orders);
  second.join();
  is_over = true;
  for (std::thread& ender : enders) ender.join();
  pool.reset();
  for (auto& side : sides) side->loop.turn(0);  // blobs that were refused
  log::setSink(nullptr);

  for (auto& side : sides) {
    EXPECT_EQ(side->tickets.openCount(), 0U);
    EXPECT_EQ(side->opened, side->settled + side->closed_before);  // each exactly once
    std::printf(
        "loop: %llu opened, %llu settled, %llu left before, %llu freed later, %llu cancels\n",
        static_cast<unsigned long long>(side->opened),
        static_cast<unsigned long long>(side->settled),
        static_cast<unsigned long long>(side->closed_before),
        static_cast<unsigned long long>(side->freed_later),
        static_cast<unsigned long long>(side->cancels));
  }
  for (const Handler* handler : registry.handlers()) {
    EXPECT_EQ(handler->counters.running.load(), 0) << handler->name;
    EXPECT_EQ(handler->counters.abandoned.load(), 0) << handler->name;
    EXPECT_TRUE(handler->waiting.empty()) << handler->name;
  }
  EXPECT_EQ(plugin.blobs_made.load(), plugin.blobs_released.load());
  std::printf("seed %llu: %llu orders, %llu ends taken, %llu refused\n",
              static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(plugin.orders.load()),
              static_cast<unsigned long long>(plugin.ends_taken.load()),
              static_cast<unsigned long long>(plugin.ends_refused.load()));
  registry.stopAll(0);
  registry.destroyAll();
}

//
TEST(WallStress, RandomOrdersSettleEachRunOnceAndFreeEverything) {
  stress(fromEnvironment("SUB0_WALL_SEED", 1), fromEnvironment("SUB0_WALL_ORDERS", 100'000));
}

}  // namespace
}  // namespace sub0::plugin
