// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "loop/pool.hpp"
#include "loop/real_io.hpp"

namespace sub0::loop {
namespace {

class Recorder final : public Task {
 public:
  Recorder(std::string& log, char name) : log_(log), name_(name) {}
  void run() override {
    log_.push_back(name_);
    if (loop != nullptr && repeats-- > 0) loop->schedule(phase, *this);
  }
  Loop* loop = nullptr;
  Phase phase = Phase::kReady;
  int repeats = 0;

 private:
  std::string& log_;
  char name_;
};

class ReadingSink final : public EventSink {
 public:
  void onEvent(std::uint32_t flags) override {
    seen |= flags;
    ++calls;
    if (on_event) on_event();
  }
  std::uint32_t seen = 0;
  int calls = 0;
  std::function<void()> on_event;
};

struct SocketPair {
  SocketPair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0); }
  ~SocketPair() {
    for (const int end : ends) ::close(end);
  }
  std::array<int, 2> ends{};
};

TEST(Loop, RunsPhasesInOrderWithinOneTurn) {
  RealIo io;
  Loop loop(0, io);
  std::string log;
  Recorder reap(log, 'r');
  Recorder flush(log, 'f');
  Recorder ready(log, 'c');
  Recorder end(log, 'e');
  loop.schedule(Phase::kReap, reap);
  loop.schedule(Phase::kFlush, flush);
  loop.schedule(Phase::kReady, ready);
  loop.schedule(Phase::kEndOfTurn, end);
  loop.turn(0);
  EXPECT_EQ(log, "ecfr");
}

TEST(Loop, EndOfTurnAndReadyRepeatAtMostEightRounds) {
  RealIo io;
  Loop loop(0, io);
  std::string log;
  Recorder ready(log, 'c');
  ready.loop = &loop;
  ready.repeats = 100;
  loop.schedule(Phase::kReady, ready);
  loop.turn(0);
  EXPECT_EQ(log, "cccccccc");
  loop.turn(-1);  // does not wait: something is ready
  EXPECT_EQ(log.size(), 16u);
}

TEST(Loop, TaskIsQueuedOnce) {
  RealIo io;
  Loop loop(0, io);
  std::string log;
  Recorder task(log, 'x');
  loop.schedule(Phase::kReady, task);
  loop.schedule(Phase::kReady, task);
  EXPECT_TRUE(task.isQueued());
  loop.turn(0);
  EXPECT_EQ(log, "x");
}

TEST(Loop, ReportsReadinessToTheSink) {
  RealIo io;
  Loop loop(0, io);
  SocketPair pair;
  ReadingSink sink;
  const WatchHandle handle = loop.watch(pair.ends[0], kReadable, sink);
  ASSERT_NE(handle, 0u);
  loop.turn(0);
  EXPECT_EQ(sink.calls, 0);
  ASSERT_EQ(::write(pair.ends[1], "x", 1), 1);
  loop.turn(0);
  EXPECT_EQ(sink.seen, kReadable);
  loop.rewatch(handle, kWritable);
  sink.seen = 0;
  loop.turn(0);
  EXPECT_EQ(sink.seen, kWritable);
}

TEST(Loop, AfterUnwatchNoEventComesEvenOneAlreadyFetched) {
  RealIo io;
  Loop loop(0, io);
  SocketPair first;
  SocketPair second;
  ReadingSink first_sink;
  ReadingSink second_sink;
  const WatchHandle first_handle = loop.watch(first.ends[0], kReadable, first_sink);
  const WatchHandle second_handle = loop.watch(second.ends[0], kReadable, second_sink);
  first_sink.on_event = [&] { loop.unwatch(second_handle); };
  second_sink.on_event = [&] { loop.unwatch(first_handle); };
  ASSERT_EQ(::write(first.ends[1], "x", 1), 1);
  ASSERT_EQ(::write(second.ends[1], "x", 1), 1);
  loop.turn(0);
  EXPECT_EQ(first_sink.calls + second_sink.calls, 1);
}

TEST(Loop, StaleWatchHandleIsHarmless) {
  RealIo io;
  Loop loop(0, io);
  SocketPair pair;
  ReadingSink sink;
  const WatchHandle handle = loop.watch(pair.ends[0], kReadable, sink);
  loop.unwatch(handle);
  const WatchHandle next = loop.watch(pair.ends[0], kReadable, sink);
  EXPECT_NE(handle, next);
  loop.unwatch(handle);
  ASSERT_EQ(::write(pair.ends[1], "x", 1), 1);
  loop.turn(0);
  EXPECT_EQ(sink.calls, 1);
}

TEST(Loop, PostsFromOneThreadArriveInOrderAndWakeTheLoop) {
  RealIo io;
  Loop loop(0, io);
  std::vector<int> order;
  std::thread sender([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&order, i] { order.push_back(i); });
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  sender.join();
  ASSERT_EQ(order.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(Loop, EveryPostOfManyThreadsWakesASleepingLoop) {
  RealIo io;
  Loop loop(0, io);
  std::atomic<int> received{0};
  std::vector<std::thread> senders;
  for (int thread = 0; thread < 4; ++thread) {
    senders.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        loop.post([&] {
          if (received.fetch_add(1) + 1 == 8000) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (auto& sender : senders) sender.join();
  EXPECT_EQ(received.load(), 8000);
}

TEST(Loop, CurrentIsTheLoopOfTheTurn) {
  RealIo io;
  Loop loop(3, io);
  Loop* seen = nullptr;
  loop.post([&] { seen = Loop::current(); });
  loop.turn(0);
  EXPECT_EQ(seen, &loop);
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST(Mailbox, BulkBudgetIsBoundedAndGivenBack) {
  Mailbox mailbox;
  EXPECT_TRUE(mailbox.reserveBulk(Mailbox::kBulkBytes - 1));
  EXPECT_FALSE(mailbox.reserveBulk(2));
  EXPECT_TRUE(mailbox.reserveBulk(1));
  mailbox.releaseBulk(Mailbox::kBulkBytes);
  EXPECT_TRUE(mailbox.reserveBulk(Mailbox::kBulkBytes));
}

TEST(Pool, NoOwnerTakesMoreThanIsLeftForTheOthers) {
  Pool pool(0, 100);
  const auto fill = [&pool](std::uint64_t owner) {
    int count = 0;
    while (pool.submit([] {}, owner)) ++count;
    return count;
  };
  EXPECT_EQ(fill(1), 51);
  EXPECT_EQ(fill(2), 25);
  EXPECT_EQ(fill(3), 13);
  EXPECT_FALSE(pool.submit([] {}, 1));
  EXPECT_TRUE(pool.submit([] {}, 4));
  EXPECT_EQ(fill(0), 10) << "who is nobody's may take what there is";
  while (pool.runOne()) continue;
  EXPECT_EQ(fill(2), 51) << "places are given back";
}

TEST(Pool, RunsWorkAndRefusesBeyondItsBound) {
  std::atomic<int> done{0};
  std::mutex gate;
  gate.lock();
  {
    Pool pool(1, 2);
    std::atomic<bool> started{false};
    ASSERT_TRUE(pool.submit([&] {
      started = true;
      const std::lock_guard wait(gate);
      ++done;
    }));
    while (!started) std::this_thread::yield();
    EXPECT_TRUE(pool.submit([&] { ++done; }));
    EXPECT_TRUE(pool.submit([&] { ++done; }));
    EXPECT_FALSE(pool.submit([&] { ++done; }));
    gate.unlock();
  }
  EXPECT_EQ(done.load(), 3);
}

}  // namespace
}  // namespace sub0::loop
