// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "tests/unit/query/postgres_fixture.hpp"

namespace sub0::query {
namespace {

// Q-85
TEST_F(PostgresTest, ABackendKilledInTheMiddleOfAStatementIsReplaced) {
  cluster().execute("CREATE TABLE t (a int)");
  ASSERT_TRUE(becomesReady());
  const auto slow_read = prepare("SELECT 1 AS a FROM pg_sleep(60)");
  const auto slow_write = prepare("INSERT INTO t SELECT 1 FROM pg_sleep(60)");
  const auto quick = prepare("SELECT 2 AS a");
  for (const auto* action : {&slow_read, &slow_write}) {
    const sub0_ticket running = host().begin(**action);
    const sub0_ticket behind = host().begin(*quick);
    host().turnUntil([&] {
      return cluster().execute(
                 "SELECT count(*) FROM pg_stat_activity WHERE wait_event = "
                 "'PgSleep'") == "1";
    });
    EXPECT_EQ(host().wait(behind).json, R"({"a":2})");  // what is slow has a connection of its own
    EXPECT_GE(cluster().killBackends(), 3);
    const LoopEnd lost = host().wait(running);
    EXPECT_EQ(lost.code, SUB0_UNAVAILABLE);
    EXPECT_EQ(lost.client.find("not known") != std::string::npos, *action == slow_write)
        << lost.client;
    // One connection may be back while the loss of another is still to be noticed.
    ASSERT_TRUE(host().turnUntil([&] { return host().run(*quick).json == R"({"a":2})"; }));
    EXPECT_TRUE(becomesReady());
  }
  EXPECT_EQ(cluster().execute("SELECT count(*) FROM t"), "0");
}

// The server keeps its answer to BEGIN until the statement behind it has ended.
TEST_F(PostgresTest, AFirstStatementThatTakesLongIsNotTheSilenceOfTheServer) {
  ASSERT_TRUE(becomesReady());
  const auto slow = prepare("SELECT 1 AS a FROM pg_sleep(11)");
  const sub0_ticket in_transaction = host().beginInCall(7, *slow);
  const sub0_ticket of_get = host().begin(*slow, {}, SUB0_RUN_READ_ONLY);
  EXPECT_EQ(host().wait(in_transaction).json, R"({"a":1})") << host().end(in_transaction).log;
  EXPECT_EQ(host().wait(of_get).json, R"({"a":1})") << host().end(of_get).log;
  host().rollback(7);
}

// Q-85
TEST_F(PostgresTest, AServerThatWasAwayIsFoundAgain) {
  ASSERT_TRUE(becomesReady());
  const auto quick = prepare("SELECT $1::int AS a", 1);
  EXPECT_EQ(host().run(*quick, {Tree(Literal(1))}).json, R"({"a":1})");
  cluster().stop();
  ASSERT_TRUE(host().turnUntil([&] { return !isReady(); }));
  const LoopEnd away = host().run(*quick, {Tree(Literal(2))});
  EXPECT_EQ(away.code, SUB0_UNAVAILABLE);
  EXPECT_EQ(away.client, "the database cannot be reached");
  ASSERT_TRUE(host().turnUntil([&] { return host().hasLogged("cannot connect"); }));
  const sub0_ticket at_once = host().begin(*quick, {Tree(Literal(3))});
  EXPECT_EQ(host().end(at_once).code, SUB0_UNAVAILABLE);
  cluster().start();
  ASSERT_TRUE(becomesReady());
  EXPECT_EQ(host().run(*quick, {Tree(Literal(4))}).json, R"({"a":4})");
  EXPECT_EQ(host().end(at_once).times, 1);
}

// Q-85
TEST_F(PostgresTest, AServerThatIsAwayAtStartIsFoundLater) {
  const auto quick = prepare("SELECT 1 AS a");
  cluster().stop();
  host().start();
  is_started_ = true;
  EXPECT_EQ(host().start_code, SUB0_OK);
  EXPECT_EQ(host().run(*quick).code, SUB0_UNAVAILABLE);
  EXPECT_FALSE(isReady());
  cluster().start();
  ASSERT_TRUE(becomesReady());
  EXPECT_EQ(host().run(*quick).json, R"({"a":1})");
}

// The question how many connections there may be waits behind one for the types, which is held up.
TEST_F(PostgresTest, AConnectionThatIsLostBeforeItKnowsTheLimitAsksAgain) {
  OtherSession other(cluster().url());
  other.execute("BEGIN; LOCK TABLE pg_catalog.pg_type IN ACCESS EXCLUSIVE MODE");
  startedHost();
  ASSERT_TRUE(host().turnUntil([&] {
    other.execute(
        "SELECT pg_stat_clear_snapshot(); SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'sub0' AND wait_event_type = 'Lock'");
    return host().hasLogged("a connection to the database is lost");
  }));
  other.execute("ROLLBACK");
  EXPECT_TRUE(becomesReady());
}

TEST_F(PostgresTest, ARunPastItsDeadlineEndsAndFreesTheConnection) {
  ASSERT_TRUE(becomesReady());
  const auto slow = prepare("SELECT pg_sleep(60)");
  const auto quick = prepare("SELECT 1 AS a");
  const sub0_ticket late = host().begin(*slow, {}, 0, 200);
  const sub0_ticket behind = host().begin(*quick);
  EXPECT_EQ(host().wait(late).code, SUB0_TIMEOUT);
  EXPECT_EQ(host().wait(behind).json, R"({"a":1})");  // the server was asked to give up
  EXPECT_EQ(host().end(late).times, 1);
}

TEST_F(PostgresTest, SlowStatementsHoldUpNoLoop) {
  ASSERT_TRUE(becomesReady());
  const auto slow = prepare("SELECT $1::int AS a FROM pg_sleep(0.02)", 1);
  std::vector<sub0_ticket> tickets;
  auto longest = std::chrono::steady_clock::duration::zero();
  for (int i = 0; i < 64; ++i) {
    tickets.push_back(host().begin(*slow, {Tree(Literal(i))}));
  }
  while (host().end(tickets.back()).times == 0) {
    const auto before = std::chrono::steady_clock::now();
    host().turn(0);
    longest = std::max(longest, std::chrono::steady_clock::now() - before);
  }
  EXPECT_LT(longest, std::chrono::seconds(1));  // all of them take longer than that
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(host().wait(tickets[static_cast<std::size_t>(i)]).json,
              "{\"a\":" + std::to_string(i) + "}");
  }
}

TEST_F(PostgresTest, WhatIsUnderWayAtTheEndIsEnded) {
  ASSERT_TRUE(becomesReady());
  const auto slow = prepare("SELECT pg_sleep(60)");
  const auto action = prepare("SELECT 1 AS a");
  host().begin(*slow);
  host().turn(0);
  host().begin(*action);  // its end is looked at by the sanitizers: nothing may be left
}

TEST_F(PostgresTest, AnAddressThatIsNoneIsRefusedWithoutItsPassword) {
  LoopHost broken(sub0_plugin_v0(), Tree{{"DATABASE_URL", "postgres://me:hidden@[::1/x"}});
  EXPECT_NE(broken.create_code, SUB0_OK);
  EXPECT_TRUE(broken.hasLogged("DATABASE_URL"));
  EXPECT_FALSE(broken.hasLogged("hidden"));
}

}  // namespace
}  // namespace sub0::query
