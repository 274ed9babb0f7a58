// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/query/postgres_fixture.hpp"

namespace sub0::query {
namespace {

// Transactions of calls (sub0.call/1).
class PostgresTransactionsTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    cluster().execute("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 0)");
    add_ = prepare("UPDATE t SET a = a + 1 WHERE id = 1 RETURNING a");
    read_ = prepare("SELECT a FROM t WHERE id = 1");
    ASSERT_TRUE(becomesReady());
  }
  LoopEnd runInCall(std::uint64_t call, LoopAction& action, const std::vector<Tree>& values = {}) {
    return host().wait(host().beginInCall(call, action, values));
  }
  LoopEnd commit(std::uint64_t call) { return host().wait(host().beginCommit(call)); }
  std::string stored() { return cluster().execute("SELECT a FROM t WHERE id = 1"); }
  // How many of the host's connections are within a transaction.
  std::string openTransactions() {
    return cluster().execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sub0' AND xact_start IS "
        "NOT NULL");
  }

  std::unique_ptr<LoopAction> add_, read_;
};

TEST_F(PostgresTransactionsTest, WhatItDidLastsWithItsCommit) {
  EXPECT_EQ(runInCall(7, *add_).json, R"({"a":1})");
  EXPECT_EQ(runInCall(7, *add_).json, R"({"a":2})");
  EXPECT_EQ(runInCall(7, *read_).json, R"({"a":2})");  // itself sees it,
  EXPECT_EQ(host().run(*read_).json, R"({"a":0})");    // others do not
  EXPECT_EQ(stored(), "0");
  EXPECT_EQ(commit(7).code, SUB0_OK);
  EXPECT_EQ(stored(), "2");
  EXPECT_EQ(host().run(*read_).json, R"({"a":2})");
  EXPECT_TRUE(host().turnUntil([&] { return openTransactions() == "0"; }));
}

TEST_F(PostgresTransactionsTest, ACommitOfNothingSucceeds) { EXPECT_EQ(commit(8).code, SUB0_OK); }

TEST_F(PostgresTransactionsTest, ARollbackUndoesAll) {
  EXPECT_EQ(runInCall(7, *add_).json, R"({"a":1})");
  host().rollback(7);
  host().rollback(7);
  EXPECT_EQ(runInCall(9, *add_).json, R"({"a":1})");
  host().rollback(9);
  ASSERT_TRUE(host().turnUntil([&] { return openTransactions() == "0"; }));
  EXPECT_EQ(stored(), "0");
}

TEST_F(PostgresTransactionsTest, ARollbackEndsWhatRuns) {
  const auto slow = prepare("SELECT 1 AS a FROM pg_sleep(60)");
  runInCall(7, *add_);
  const sub0_ticket running = host().beginInCall(7, *slow);
  ASSERT_TRUE(host().turnUntil([&] {
    return cluster().execute(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1";
  }));
  host().rollback(7);
  EXPECT_EQ(host().end(running).times, 1);  // a host that has given it up ignores that
  EXPECT_EQ(host().end(running).code, SUB0_ACTION_FAILED);
  ASSERT_TRUE(host().turnUntil([&] { return openTransactions() == "0"; }));
  EXPECT_EQ(runInCall(8, *add_).json, R"({"a":1})");
  EXPECT_EQ(commit(8).code, SUB0_OK);
}

TEST_F(PostgresTransactionsTest, AFailureEndsIt) {
  runInCall(7, *add_);
  const auto duplicate = prepare("INSERT INTO t VALUES (1, 5)");
  const LoopEnd failed = runInCall(7, *duplicate);
  EXPECT_EQ(failed.code, SUB0_CONSTRAINT);
  EXPECT_EQ(failed.client, "Operation Failed: id already exists");
  EXPECT_EQ(runInCall(7, *add_).code, SUB0_ACTION_FAILED);
  EXPECT_NE(commit(7).code, SUB0_OK);
  host().rollback(7);
  ASSERT_TRUE(host().turnUntil([&] { return openTransactions() == "0"; }));
  EXPECT_EQ(stored(), "0");
  EXPECT_EQ(runInCall(7, *add_).json, R"({"a":1})");  // begins anew
  EXPECT_EQ(commit(7).code, SUB0_OK);
}

// S-52: a deferred constraint is told at the commit, in the same words
TEST_F(PostgresTransactionsTest, DeferredConstraintsAreToldAtTheCommit) {
  cluster().execute(
      "CREATE TABLE child (id int, t_id int REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED);"
      "CREATE TABLE u (a int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO u VALUES (1);"
      "CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree (id) "
      "DEFERRABLE INITIALLY DEFERRED);"
      "INSERT INTO child VALUES (1, 1)");
  struct Case {
    const char* sql;
    const char* client;
  };
  const Case cases[] = {
      {"INSERT INTO child VALUES (2, 99)", "Operation Failed: t_id refers to nothing"},
      {"DELETE FROM t WHERE id = 1", "Operation Failed: id is not allowed"},
      {"INSERT INTO u VALUES (1)", "Operation Failed: a already exists"},
      {"INSERT INTO tree VALUES (1, 5)", "Operation Failed: up refers to nothing"},
  };
  std::uint64_t call = 100;
  for (const Case& each : cases) {
    const auto action = prepare(each.sql);
    ++call;
    EXPECT_EQ(runInCall(call, *action).code, SUB0_OK) << each.sql;
    const LoopEnd ended = commit(call);
    EXPECT_EQ(ended.code, SUB0_CONSTRAINT) << each.sql << ": " << ended.log;
    EXPECT_EQ(ended.client, each.client) << ended.log;
    host().rollback(call);
  }
  EXPECT_EQ(cluster().execute("SELECT (SELECT count(*) FROM child) + (SELECT count(*) FROM u)"),
            "2");
}

TEST_F(PostgresTransactionsTest, ALostConnectionLosesIt) {
  runInCall(7, *add_);
  cluster().killBackends();
  const LoopEnd after = runInCall(7, *add_);
  EXPECT_EQ(after.code, SUB0_UNAVAILABLE);
  EXPECT_EQ(after.client.find("not known"), std::string::npos) << after.client;
  EXPECT_EQ(commit(7).code, SUB0_BUSY);
  host().rollback(7);
  EXPECT_EQ(stored(), "0");
  ASSERT_TRUE(host().turnUntil([&] { return host().run(*read_).code == SUB0_OK; }));
  EXPECT_EQ(runInCall(8, *add_).json, R"({"a":1})");
  EXPECT_EQ(commit(8).code, SUB0_OK);
}

// spec S-90: it may be tried again as a whole
TEST_F(PostgresTransactionsTest, ALossBetweenTwoStatementsIsOneForNow) {
  runInCall(7, *add_);
  runInCall(9, *read_);
  cluster().killBackends();
  ASSERT_TRUE(host().turnUntil([&] { return host().run(*read_).code == SUB0_OK; }));
  EXPECT_EQ(commit(9).code, SUB0_BUSY) << "it is known that nothing was done";
  EXPECT_EQ(runInCall(7, *add_).code, SUB0_UNAVAILABLE);
  host().rollback(7);
  host().rollback(9);
  EXPECT_EQ(stored(), "0");
}

TEST_F(PostgresTransactionsTest, ACommitWhoseAnswerIsLostIsUnknown) {
  // A deferred trigger holds the commit up at a lock, where it can be killed.
  cluster().execute(
      "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM "
      "pg_advisory_xact_lock(5); RETURN NULL; END$$; CREATE CONSTRAINT TRIGGER hold AFTER UPDATE "
      "ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()");
  OtherSession other(cluster().url());
  other.execute("SELECT pg_advisory_lock(5)");
  runInCall(7, *add_);
  const sub0_ticket committing = host().beginCommit(7);
  ASSERT_TRUE(host().turnUntil([&] {
    return cluster().execute(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event = "
               "'advisory'") == "1";
  }));
  cluster().execute(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'");
  const LoopEnd lost = host().wait(committing);
  EXPECT_EQ(lost.code, SUB0_UNAVAILABLE);
  EXPECT_NE(lost.client.find("not known"), std::string::npos) << lost.client;
  host().rollback(7);
}

// Q-98: it holds a row, others wait for it, it goes on
TEST_F(PostgresTransactionsTest, OthersThatWaitForItStopNobody) {
  runInCall(7, *add_);
  std::vector<sub0_ticket> waiting;
  for (int i = 0; i < 64; ++i) {
    waiting.push_back(host().begin(*add_));
  }
  const auto elsewhere = prepare("INSERT INTO t VALUES ($1::int, 0)", 1);
  EXPECT_EQ(host().run(*elsewhere, {Tree(Literal(2))}).code, SUB0_OK);
  EXPECT_EQ(runInCall(7, *elsewhere, {Tree(Literal(3))}).code, SUB0_OK);
  EXPECT_EQ(runInCall(7, *add_).json, R"({"a":2})");
  EXPECT_EQ(commit(7).code, SUB0_OK);
  int done = 0;
  for (const sub0_ticket ticket : waiting) {
    const LoopEnd ended = host().wait(ticket);
    done += ended.code == SUB0_OK ? 1 : 0;
    EXPECT_TRUE(ended.code == SUB0_OK || ended.code == SUB0_BUSY) << ended.log;
  }
  EXPECT_EQ(stored(), std::to_string(2 + done));
}

// A first statement whose parameter has no type is sent again, and the transaction with it.
TEST_F(PostgresTransactionsTest, AParameterWithoutATypeIsText) {
  const auto untyped = prepare("SELECT $1 IS NULL AS a, json_build_object('v', $1) AS o", 1);
  EXPECT_EQ(runInCall(7, *untyped, {Tree(Literal("x"))}).code, SUB0_OK);
  runInCall(7, *add_);
  EXPECT_EQ(commit(7).code, SUB0_OK);
  EXPECT_EQ(stored(), "1");
}

// A table that changed under what was prepared before is no matter within a transaction.
TEST_F(PostgresTransactionsTest, AChangedTableIsReadAnew) {
  for (int i = 0; i < 6; ++i) {
    runInCall(7, *read_);
  }
  EXPECT_EQ(commit(7).code, SUB0_OK);
  cluster().execute("ALTER TABLE t ALTER a TYPE text USING 'x' || a");
  const auto other = prepare("SELECT 1 AS a");
  runInCall(8, *other);
  EXPECT_EQ(runInCall(8, *read_).json, R"({"a":"x0"})");
  EXPECT_EQ(commit(8).code, SUB0_OK);
}

}  // namespace
}  // namespace sub0::query
