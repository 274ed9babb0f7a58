// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query {
namespace {

constexpr std::uint64_t kOne = 1001;
constexpr std::uint64_t kTwo = 1002;

class SqliteTransactions : public SqliteTest {
 protected:
  void SetUp() override {
    outside(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER); INSERT INTO t VALUES (1, 10), (2, 20);"
        "CREATE TABLE child (a INTEGER REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)");
    take_ = prepare("UPDATE t SET b = b - 5 WHERE a = 1");
    give_ = prepare("UPDATE t SET b = b + 5 WHERE a = 2");
    insert_ = prepare("INSERT INTO t VALUES (3, 0)");
    insert_or_rollback_ = prepare("INSERT OR ROLLBACK INTO t VALUES (1, 0)");
    select_ = prepare("SELECT group_concat(b) AS b FROM (SELECT b FROM t ORDER BY a)");
  }

  LoopEnd inCall(std::uint64_t call, LoopAction& action) {
    return host().wait(host().beginInCall(call, action));
  }
  LoopEnd commit(std::uint64_t call) { return host().wait(host().beginCommit(call)); }
  std::string balances() { return host().run(*select_).json; }

  std::unique_ptr<LoopAction> take_, give_, insert_, insert_or_rollback_, select_;
};

TEST_F(SqliteTransactions, AllOrNothingAndSeenByNobodyBefore) {
  EXPECT_EQ(inCall(kOne, *take_).code, SUB0_OK);
  EXPECT_EQ(inCall(kOne, *give_).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"10,20"})");
  EXPECT_EQ(inCall(kOne, *select_).json, R"({"b":"5,25"})");
  EXPECT_EQ(commit(kOne).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"5,25"})");
  EXPECT_EQ(inCall(kTwo, *take_).code, SUB0_OK);
  host().rollback(kTwo);
  EXPECT_EQ(host().run(*insert_).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"5,25,0"})");
}

TEST_F(SqliteTransactions, StatementsKnownToBeFastAreExecutedOnTheLoop) {
  // Several tries: a machine that stood still makes a statement look slow.
  std::size_t here = 0;
  for (int i = 0; i < 50 && here == 0; ++i) {
    inCall(kOne, *take_);
    watch_.forget();
    EXPECT_EQ(inCall(kOne, *give_).code, SUB0_OK);
    here = watch_.seen().front().thread == std::this_thread::get_id() ? 1 : 0;
    EXPECT_TRUE(here == 0 || i >= 2);
    EXPECT_EQ(commit(kOne).code, SUB0_OK);
  }
  EXPECT_EQ(here, 1U);
  // Also one that gives the transaction up.
  for (int i = 0; i < 5; ++i) {
    inCall(kTwo, *take_);
    const sub0_ticket single = host().begin(*prepare("DELETE FROM child"));
    EXPECT_EQ(inCall(kTwo, *insert_or_rollback_).code, SUB0_CONSTRAINT);
    host().rollback(kTwo);
    EXPECT_EQ(host().wait(single).code, SUB0_OK);
  }
  EXPECT_EQ(valueOutside("SELECT sum(b) FROM t"), "30");
}

TEST_F(SqliteTransactions, TheCommitIsDurableBeforeItEnds) {
  inCall(kOne, *take_);
  watch_.makeCommitsFail(true);
  EXPECT_NE(commit(kOne).code, SUB0_OK);
  host().rollback(kOne);
  watch_.makeCommitsFail(false);
  EXPECT_EQ(balances(), R"({"b":"10,20"})");
}

TEST_F(SqliteTransactions, OthersWaitUntilItsEnd) {
  inCall(kOne, *take_);
  const sub0_ticket single = host().begin(*insert_);
  const sub0_ticket second = host().beginInCall(kTwo, *give_);
  inCall(kOne, *give_);
  EXPECT_EQ(host().end(single).times, 0);
  EXPECT_EQ(host().end(second).times, 0);
  host().rollback(kOne);
  EXPECT_EQ(host().wait(second).code, SUB0_OK);
  EXPECT_EQ(commit(kTwo).code, SUB0_OK);
  EXPECT_EQ(host().end(single).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"10,25,0"})");
}

// Calls of two kinds at once, so that each path of one into the next is taken many times.
TEST_F(SqliteTransactions, ManyCallsAndWritesAtOnceLeaveWhatTheyShould) {
  const auto add = prepare("UPDATE t SET b = b + 1 WHERE a = 1");
  int commits = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<sub0_ticket> firsts, singles, ends;
    for (std::uint64_t call = 0; call < 8; ++call) {
      firsts.push_back(host().beginInCall(2000 + call, *take_));
      singles.push_back(host().begin(*add));
    }
    for (std::uint64_t call = 0; call < 8; ++call) {
      EXPECT_EQ(host().wait(firsts[call]).code, SUB0_OK);
      EXPECT_EQ(inCall(2000 + call, *give_).code, SUB0_OK);
      if ((round + static_cast<int>(call)) % 3 == 0) {
        host().rollback(2000 + call);
      } else {
        ends.push_back(host().beginCommit(2000 + call));
        ++commits;
      }
    }
    for (const sub0_ticket ticket : ends) {
      EXPECT_EQ(host().wait(ticket).code, SUB0_OK);
    }
    for (const sub0_ticket ticket : singles) {
      EXPECT_EQ(host().wait(ticket).code, SUB0_OK);
    }
  }
  EXPECT_EQ(valueOutside("SELECT b FROM t WHERE a = 1"), std::to_string(10 - 5 * commits + 800));
  EXPECT_EQ(valueOutside("SELECT b FROM t WHERE a = 2"), std::to_string(20 + 5 * commits));
}

// A machine that stands still in between ends the group; so it has several tries.
TEST_F(SqliteTransactions, CallsThatWaitShareACommit) {
  bool was_shared = false;
  for (int i = 0; i < 50 && !was_shared; ++i) {
    inCall(kOne, *take_);
    watch_.forget();
    const sub0_ticket second = host().beginInCall(kTwo, *give_);
    const sub0_ticket first_commit = host().beginCommit(kOne);
    EXPECT_EQ(host().wait(second).code, SUB0_OK);
    was_shared = host().end(first_commit).times == 0 && watch_.count("COMMIT") == 0;
    EXPECT_EQ(commit(kTwo).code, SUB0_OK);
    EXPECT_EQ(host().wait(first_commit).code, SUB0_OK);
    EXPECT_EQ(balances(),
              "{\"b\":\"" + std::to_string(5 - 5 * i) + "," + std::to_string(25 + 5 * i) + "\"}");
  }
  EXPECT_TRUE(was_shared);
}

TEST_F(SqliteTransactions, ACallThatIsRolledBackLeavesTheOthersOfItsGroup) {
  inCall(kOne, *take_);
  const sub0_ticket second = host().beginInCall(kTwo, *insert_);
  const sub0_ticket first_commit = host().beginCommit(kOne);
  EXPECT_EQ(host().wait(second).code, SUB0_OK);
  host().rollback(kTwo);
  EXPECT_EQ(host().wait(first_commit).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"5,20"})");
}

TEST_F(SqliteTransactions, AStatementThatFailsFailsTheCommit) {
  const auto wrong = prepare("INSERT INTO t VALUES (1, 1)");
  inCall(kOne, *take_);
  EXPECT_EQ(inCall(kOne, *wrong).client, "Operation Failed: a already exists");
  EXPECT_NE(commit(kOne).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"10,20"})");
}

TEST_F(SqliteTransactions, ReferencesAreCheckedAtItsCommit) {
  const auto refer = prepare("INSERT INTO child VALUES (3)");
  const auto remove = prepare("DELETE FROM t WHERE a = 3");
  EXPECT_EQ(inCall(kOne, *refer).code, SUB0_OK);
  EXPECT_EQ(inCall(kOne, *insert_).code, SUB0_OK);
  EXPECT_EQ(commit(kOne).code, SUB0_OK);
  EXPECT_EQ(inCall(kTwo, *take_).code, SUB0_OK);
  EXPECT_EQ(inCall(kTwo, *remove).code, SUB0_OK);
  const LoopEnd refused = commit(kTwo);
  EXPECT_EQ(refused.code, SUB0_CONSTRAINT);
  EXPECT_EQ(refused.client, "Operation Failed: the deletion is not allowed");
  host().rollback(kTwo);
  EXPECT_EQ(balances(), R"({"b":"10,20,0"})");
}

TEST_F(SqliteTransactions, OneThatSqliteGivesUpIsToldSo) {
  const auto note = prepare("INSERT INTO t VALUES (9, 9)");
  inCall(kOne, *take_);
  const sub0_ticket waiting = host().begin(*note);
  EXPECT_EQ(inCall(kOne, *insert_or_rollback_).code, SUB0_CONSTRAINT);
  EXPECT_EQ(host().wait(waiting).code, SUB0_OK);
  EXPECT_NE(inCall(kOne, *give_).code, SUB0_OK);
  EXPECT_NE(commit(kOne).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"10,20,9"})");
}

TEST_F(SqliteTransactions, WhatIsLostWithAnotherIsNotCalledDone) {
  const auto note = prepare("INSERT INTO t VALUES (9, 9)");
  inCall(kOne, *take_);
  const sub0_ticket single = host().begin(*note);
  const sub0_ticket second = host().beginInCall(kTwo, *insert_);
  const sub0_ticket first_commit = host().beginCommit(kOne);
  EXPECT_EQ(host().wait(second).code, SUB0_OK);
  EXPECT_EQ(inCall(kTwo, *insert_or_rollback_).code, SUB0_CONSTRAINT);
  host().rollback(kTwo);
  EXPECT_EQ(host().wait(single).code, SUB0_OK);
  const LoopEnd first = host().wait(first_commit);
  if (first.code == SUB0_OK) {  // the machine stood still, and it had a commit of its own
    EXPECT_EQ(balances(), R"({"b":"5,20,9"})");
  } else {
    EXPECT_EQ(first.code, SUB0_BUSY);
    EXPECT_NE(first.client.find("nothing was written"), std::string::npos);
    EXPECT_EQ(balances(), R"({"b":"10,20,9"})");
  }
}

TEST_F(SqliteTransactions, ARollbackInterruptsWhatRuns) {
  const auto endless = prepare(
      "UPDATE t SET b = (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
      "count(*) FROM n)");
  inCall(kOne, *take_);
  watch_.forget();
  const sub0_ticket running = host().beginInCall(kOne, *endless);
  ASSERT_TRUE(host().turnUntil([&] { return watch_.count("UPDATE") == 1; }));
  host().rollback(kOne);
  EXPECT_EQ(host().wait(running).code, SUB0_ACTION_FAILED);  // not at its deadline
  EXPECT_EQ(host().run(*insert_).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"10,20,0"})");
}

TEST_F(SqliteTransactions, OneWithoutStatementsCommitsAndOneThatIsOverRollsBack) {
  EXPECT_EQ(commit(kOne).code, SUB0_OK);
  host().rollback(kOne);
  inCall(kTwo, *take_);
  const sub0_ticket waiting = host().beginInCall(kOne, *give_);
  host().rollback(kOne);  // before its turn
  EXPECT_EQ(commit(kTwo).code, SUB0_OK);
  EXPECT_NE(host().wait(waiting).code, SUB0_OK);
  host().rollback(kTwo);
  EXPECT_EQ(balances(), R"({"b":"5,20"})");
}

TEST_F(SqliteTransactions, ACallThatGoesQuietDoesNotHoldTheFileForEver) {
  EXPECT_EQ(host().wait(host().beginInCall(kOne, *take_, {}, 1000)).code, SUB0_OK);
  EXPECT_EQ(host().run(*insert_).code, SUB0_OK);
  EXPECT_NE(inCall(kOne, *give_).code, SUB0_OK);
  EXPECT_EQ(balances(), R"({"b":"10,20,0"})");
}

TEST_F(SqliteTransactions, AStopTakesBackWhatIsOpen) {
  inCall(kOne, *take_);
  const sub0_ticket waiting = host().beginInCall(kTwo, *give_);
  const sub0_ticket single = host().begin(*insert_);
  host().stop(2000);
  EXPECT_EQ(host().end(waiting).code, SUB0_UNAVAILABLE);
  EXPECT_EQ(host().end(single).code, SUB0_OK);
  EXPECT_EQ(valueOutside("SELECT group_concat(b) FROM (SELECT b FROM t ORDER BY a)"), "10,20,0");
}

}  // namespace
}  // namespace sub0::query
