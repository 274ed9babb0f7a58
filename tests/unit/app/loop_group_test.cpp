// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <future>

#include "app/host_process.hpp"

namespace sub0::app {
namespace {

TEST(LoopGroup, ResultsMayBeAsLargeAsTheSettingSaysNeverSmallerThanTheDefault) {
  const std::size_t usual = plugin::TicketLimits().max_result_bytes;
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  const struct {
    std::optional<std::string> setting;
    std::size_t expected;
  } kCases[] = {{std::nullopt, usual},
                {"0", usual},
                {"-1", usual},
                {"1048576", usual},
                {"67108864", 129 * kMiB},
                {"9223372036854775807", (std::size_t{2} << 40) + kMiB}};
  for (const auto& each : kCases) {
    const Settings settings(
        {}, [&](std::string_view) { return each.setting; }, "/dev/null");
    EXPECT_EQ(ticketLimits(settings).max_result_bytes, each.expected)
        << each.setting.value_or("unset");
  }
}

TEST(LoopGroup, WorkOnEveryLoopIsDoneOnItsOwnThread) {
  LoopGroup group(3, 1);
  group.startThreads();
  std::vector<std::thread::id> threads(3);
  std::vector<loop::Loop*> current(3);
  group.onEveryLoop([&](LoopUnit& unit) {
    threads[unit.loop.index()] = std::this_thread::get_id();
    current[unit.loop.index()] = loop::Loop::current();
  });
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(current[i], &group.units()[i]->loop);
    EXPECT_EQ(threads[i], group.units()[i]->thread.get_id());
  }
  group.stopThreads();
}

// spec S-95: who signs in does not keep everybody else waiting
TEST(LoopGroup, ThePoolOfPasswordsGivesWayToLoops) {
  LoopGroup group(1, 1);
  EXPECT_EQ(group.hashPool(), nullptr);
  std::promise<int> priority;
  loop::Pool& pool = group.startHashPool(1, 1);
  EXPECT_EQ(group.hashPool(), &pool);
  ASSERT_TRUE(pool.submit([&] { priority.set_value(::getpriority(PRIO_PROCESS, 0)); }));
  EXPECT_GT(priority.get_future().get(), ::getpriority(PRIO_PROCESS, 0));
}

}  // namespace
}  // namespace sub0::app
