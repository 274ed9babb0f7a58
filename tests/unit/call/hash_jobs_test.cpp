// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "call/hashes.hpp"
#include "tests/unit/plugin/rig.hpp"

// The way of a password to the pool and back. The pool has no threads: its work is done when the
// test says so.
namespace sub0::call::test {
namespace {

struct Waiter final : HashWaiter {
  int told = 0;
  std::vector<HashWork> works;
  void onHashed(HashJob& job) override {
    ++told;
    works = job.works();
  }
};

class Hashing : public testing::Test {
 protected:
  HashJob* submit() {
    HashWork work;
    work.cost = auth::costOfNew(auth::HashAlgorithm::kBcrypt, 4);
    work.password = "secret";
    std::vector<HashWork> works{work, work};
    return hashes->submit(waiter, std::move(works));
  }

  plugin::test::FakeIo io;
  loop::Loop loop{0, io};
  loop::Pool pool{0, 1};
  HashCounts counts;
  Waiter waiter;
  std::unique_ptr<Hashes> hashes = std::make_unique<Hashes>(loop, &pool, counts);
};

TEST_F(Hashing, ResultsComeBackByTheMailboxAndPasswordsAreWiped) {
  HashJob* const job = submit();
  io.clock_ns += 3'000'000;
  ASSERT_TRUE(pool.runOne());
  EXPECT_EQ(waiter.told, 0);
  for (const HashWork& work : job->works()) EXPECT_TRUE(work.password.empty());
  loop.turn(0);
  EXPECT_EQ(waiter.told, 1);
  ASSERT_EQ(waiter.works.size(), 2u);
  EXPECT_EQ(waiter.works[1].code, Code::kOk);
  EXPECT_EQ(waiter.works[1].hash.substr(0, 7), "$2b$04$");
  EXPECT_EQ(counts.durations[1].get(), 1u);  // 3 ms
  EXPECT_EQ(counts.duration_ns.get(), 3'000'000u);
}

TEST_F(Hashing, WhatNobodyWaitsForIsNotDone) {
  HashJob* const job = submit();
  hashes->abandon(*job);
  ASSERT_TRUE(pool.runOne());
  for (const HashWork& work : job->works()) {
    EXPECT_EQ(work.code, Code::kUnavailable);
    EXPECT_TRUE(work.hash.empty());
    EXPECT_TRUE(work.password.empty());
  }
  loop.turn(0);
  EXPECT_EQ(waiter.told, 0);
  EXPECT_EQ(counts.abandoned.get(), 1u);
  EXPECT_EQ(counts.durations[0].get(), 0u);
}

TEST_F(Hashing, BeyondTheBoundItIsRefused) {
  EXPECT_NE(submit(), nullptr);
  EXPECT_EQ(submit(), nullptr);
  EXPECT_EQ(counts.refused.get(), 1u);
  ASSERT_TRUE(pool.runOne());
  loop.turn(0);
  EXPECT_EQ(waiter.told, 1);
  Hashes without_pool(loop, nullptr, counts);
  EXPECT_EQ(without_pool.submit(waiter, {}), nullptr);
}

TEST_F(Hashing, ItMayGoBeforeItsResults) {
  HashJob* const job = submit();
  hashes.reset();
  ASSERT_TRUE(pool.runOne());
  EXPECT_TRUE(job->works()[0].hash.empty());
  loop.turn(0);
  EXPECT_EQ(waiter.told, 0);
}

}  // namespace
}  // namespace sub0::call::test
