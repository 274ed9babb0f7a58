// SPDX-License-Identifier: Apache-2.0
#include "store/local_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "json/writer.hpp"
#include "tests/unit/plugin/rig.hpp"

namespace sub0::store::local_cache_test {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

struct Listener final : CacheListener {
  std::vector<std::string> told;
  void onCached(CacheWait&, CachedPointer value) override {
    told.push_back(value ? json::toString(value->value()) : "nothing");
  }
};

class LocalCacheTest : public testing::Test {
 protected:
  static CachedPointer text(std::string_view chars) { return CachedValue::make(json::text(chars)); }
  std::string at(std::string_view key, std::int64_t now_ns = 0) {
    const auto value = cache.look(key, now_ns);
    return value ? json::toString(value->value()) : "nothing";
  }
  Cache::Found find(std::string_view key) { return cache.find(key, 0, listener, loop); }
  void put(std::string_view key, CachedPointer value) {
    cache.put(key, std::move(value), kSecondNs, cache.mark(key));
  }

  plugin::test::FakeIo io;
  loop::Loop loop{0, io};
  Listener listener;
  LocalCache cache{std::size_t{1} << 20};
};

// spec S-93: a value is kept for its time, to the nanosecond, and is a copy of its own
TEST_F(LocalCacheTest, ValueIsThereUntilItsTime) {
  {
    std::string gone = "short-lived";
    put("k", text(gone));
    gone.assign(gone.size(), 'x');
  }
  EXPECT_EQ(at("k"), "\"short-lived\"");
  EXPECT_EQ(at("k", kSecondNs - 1), "\"short-lived\"");
  EXPECT_EQ(at("k", kSecondNs), "nothing");
  EXPECT_EQ(cache.totals().entries, 0U);
  EXPECT_EQ(cache.totals().size_bytes, 0U);
}

// spec S-93: digits of exact numbers, JSON columns and nesting stay as they were
TEST_F(LocalCacheTest, ValueKeepsItsDigits) {
  const json::Value items[] = {json::number("12345678901234567890.0123456789"),
                               json::raw(R"({"a" : 1e400})"), json::real(0.1), json::null()};
  const json::Member member{json::toView("list"), json::array(items, 4)};
  put("k", CachedValue::make(json::object(&member, 1)));
  EXPECT_EQ(at("k"), R"({"list":[12345678901234567890.0123456789,{"a" : 1e400},0.1,null]})");
}

// spec S-93: null is not kept
TEST_F(LocalCacheTest, NullIsNotKept) {
  put("k", CachedValue::make(json::null()));
  EXPECT_EQ(cache.totals().entries, 0U);
}

// spec S-93: concurrent misses run once
TEST_F(LocalCacheTest, OneWorksAndTheOthersAreTold) {
  auto first = find("k");
  ASSERT_TRUE(first.flight);
  EXPECT_TRUE(find("k").wait);
  EXPECT_TRUE(find("k").wait);
  EXPECT_TRUE(find("other").flight) << "another key is another matter";
  cache.land(std::move(first.flight), text("v"), kSecondNs);
  EXPECT_TRUE(listener.told.empty()) << "never from within";
  loop.turn(0);
  EXPECT_EQ(listener.told, (std::vector<std::string>{"\"v\"", "\"v\""}));
  EXPECT_TRUE(find("k").value);
  EXPECT_EQ(cache.totals().shared, 2U);
}

// spec S-93: errors are not kept; those that waited hear that nothing comes
TEST_F(LocalCacheTest, FailedFlightTellsThatNothingComes) {
  auto first = find("k");
  EXPECT_TRUE(find("k").wait);
  cache.land(std::move(first.flight), nullptr, 0);
  loop.turn(0);
  EXPECT_EQ(listener.told, std::vector<std::string>{"nothing"});
  EXPECT_TRUE(find("k").flight);
}

// spec S-93: who was told a null need not ask again, and nobody finds it
TEST_F(LocalCacheTest, NullIsSharedAndNotKept) {
  auto first = find("k");
  EXPECT_TRUE(find("k").wait);
  cache.land(std::move(first.flight), CachedValue::make(json::null()), kSecondNs);
  loop.turn(0);
  EXPECT_EQ(listener.told, std::vector<std::string>{"null"});
  EXPECT_EQ(at("k"), "nothing");
}

TEST_F(LocalCacheTest, WhoLeavesIsNotTold) {
  auto first = find("k");
  CacheWait* const before = find("k").wait;
  CacheWait* const after = find("k").wait;
  cache.leave(*before);
  cache.land(std::move(first.flight), text("v"), kSecondNs);
  cache.leave(*after);  // its letter is on its way
  loop.turn(0);
  EXPECT_TRUE(listener.told.empty());
}

// spec S-93: what was begun before an invalidation is out of date when it comes
TEST_F(LocalCacheTest, ResultBegunBeforeAnInvalidationIsNotKept) {
  auto old = find("k");
  EXPECT_TRUE(find("k").wait);
  cache.erase("k");
  auto fresh = find("k");
  ASSERT_TRUE(fresh.flight) << "it does not wait for the old one";
  cache.land(std::move(old.flight), text("old"), kSecondNs);
  EXPECT_EQ(at("k"), "nothing");
  cache.land(std::move(fresh.flight), text("new"), kSecondNs);
  EXPECT_EQ(at("k"), "\"new\"");
  loop.turn(0);
  EXPECT_EQ(listener.told, std::vector<std::string>{"\"old\""}) << "it asked before";
}

// spec S-93: read_from_cache false
TEST_F(LocalCacheTest, WriteWinsOverWhatWasBegunBefore) {
  auto old = find("k");
  put("k", text("new"));
  cache.land(std::move(old.flight), text("old"), kSecondNs);
  EXPECT_EQ(at("k"), "\"new\"");
}

// spec S-93: a write that was begun before an invalidation drops the key rather than to be wrong
TEST_F(LocalCacheTest, WriteBegunBeforeAnInvalidationDropsTheKey) {
  const std::uint64_t mark = cache.mark("k");
  cache.erase("k");
  put("k", text("later"));
  cache.put("k", text("early"), kSecondNs, mark);
  EXPECT_EQ(at("k"), "nothing");
}

// spec S-93: memory is bounded, and what was not used for longest goes
TEST_F(LocalCacheTest, LeastRecentlyUsedMakesRoom) {
  const std::string kilobyte(1000, 'x');
  put("kept", text("used all the time"));
  for (int i = 0; i < 20'000; ++i) {
    put("k" + std::to_string(i), text(kilobyte));
    ASSERT_NE(at("kept"), "nothing") << i;
  }
  const CacheTotals totals = cache.totals();
  EXPECT_LE(totals.size_bytes, std::size_t{1} << 20);
  EXPECT_GT(totals.size_bytes, std::size_t{3} << 18) << "the room is used";
  EXPECT_GT(totals.evicted, 18'000U);
  EXPECT_EQ(at("k0"), "nothing");
  EXPECT_NE(at("k19999"), "nothing");
}

// spec S-93: one result never drives out all others, and an old one does not outlive it
TEST_F(LocalCacheTest, TooLargeValueIsNotKept) {
  put("small", text("v"));
  put("large", text("v"));
  put("large", text(std::string((std::size_t{1} << 20) / LocalCache::kShards, 'x')));
  EXPECT_EQ(at("large"), "nothing");
  EXPECT_EQ(at("small"), "\"v\"");
  EXPECT_EQ(cache.totals().refused, 1U);
}

// spec S-93: loops share it; a wait ends on its own loop, and leaving races with landing
TEST(LocalCache, LoopsRaceForFewKeys) {
  constexpr int kThreads = 4;
  LocalCache cache(std::size_t{1} << 16);
  std::vector<std::thread> threads;
  std::atomic<int> told{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      struct Counter final : CacheListener {
        std::atomic<int>* told = nullptr;
        int open = 0;
        void onCached(CacheWait&, CachedPointer) override {
          ++*told;
          --open;
        }
      } counter;
      counter.told = &told;
      plugin::test::FakeIo io;
      loop::Loop loop(static_cast<std::uint32_t>(t), io);
      for (int i = 0; i < 5000; ++i) {
        const std::string key = "k" + std::to_string(i % 3);
        auto found = cache.find(key, i, counter, loop);
        if (found.flight) {
          if (i % 5 == 0) cache.erase(key);
          loop.turn(0);
          cache.land(std::move(found.flight),
                     i % 7 == 0 ? nullptr : CachedValue::make(json::integer(i)), i + 10);
        }
        if (found.wait != nullptr) {
          if (i % 2 == 0) {
            cache.leave(*found.wait);
          } else {
            ++counter.open;
          }
        }
        loop.turn(0);
      }
      while (counter.open > 0) loop.turn(0);  // whoever works it out lands it
      loop.turn(0);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(cache.totals().misses > 0, true);
}

// spec S-93: what is put under other keys meanwhile makes nothing stale
TEST_F(LocalCacheTest, WritesOfOtherKeysDoNotDropAWrite) {
  int kept = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t mark = cache.mark("k");
    put("other" + std::to_string(i), text("v"));
    cache.put("k", text("v"), kSecondNs, mark);
    if (at("k") != "nothing") ++kept;
    cache.erase("k");
  }
  EXPECT_GE(kept, 198) << "marks are shared by few keys";
}

}  // namespace
}  // namespace sub0::store::local_cache_test
