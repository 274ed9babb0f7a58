// SPDX-License-Identifier: Apache-2.0
#include "result_tree.hpp"
#include "tests/unit/query/postgres_fixture.hpp"

namespace sub0::query {
namespace {

// What the caller is told where the answer of the server is not in, or not whole: after a write it
// must not read as if nothing had happened.
class PostgresAnswersTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    cluster().execute("CREATE TABLE t (a int, b text)");
  }
  static bool isUnknown(const LoopEnd& end) {
    return end.client.find("whether the change was made is not known") != std::string::npos;
  }
  // How many sessions wait for the lock that `other` has.
  std::string waitingForLock() {
    return cluster().execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sub0' AND wait_event_type "
        "= 'Lock'");
  }
  // A deferred trigger holds commits of what changed t up at the advisory lock 5.
  void holdCommits(OtherSession& other) {
    cluster().execute(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM "
        "pg_advisory_xact_lock(5); RETURN NULL; END$$; CREATE CONSTRAINT TRIGGER hold AFTER INSERT "
        "ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()");
    other.execute("SELECT pg_advisory_lock(5)");
  }
};

TEST_F(PostgresAnswersTest, AWriteAtItsDeadlineIsUnknownAReadIsNot) {
  const auto read = prepare("SELECT 1 AS a FROM pg_sleep(60)");
  const auto write = prepare("INSERT INTO t SELECT 1 FROM pg_sleep(60)");
  ASSERT_TRUE(becomesReady());
  const LoopEnd of_read = host().wait(host().begin(*read, {}, 0, 400));
  EXPECT_EQ(of_read.code, SUB0_TIMEOUT);
  EXPECT_FALSE(isUnknown(of_read)) << of_read.client;
  const LoopEnd of_write = host().wait(host().begin(*write, {}, 0, 400));
  EXPECT_EQ(of_write.code, SUB0_TIMEOUT);
  EXPECT_TRUE(isUnknown(of_write)) << of_write.client;
}

TEST_F(PostgresAnswersTest, ACommitAtItsDeadlineIsUnknownWhatWasBeforeItIsNot) {
  OtherSession other(cluster().url());
  holdCommits(other);
  const auto write = prepare("INSERT INTO t VALUES (1)");
  const auto slow = prepare("INSERT INTO t SELECT 1 FROM pg_sleep(60)");
  ASSERT_TRUE(becomesReady());
  EXPECT_EQ(host().wait(host().beginInCall(7, *write)).code, SUB0_OK);
  const LoopEnd of_commit = host().wait(host().beginCommit(7, 400));
  EXPECT_EQ(of_commit.code, SUB0_TIMEOUT);
  EXPECT_TRUE(isUnknown(of_commit)) << of_commit.client;
  host().rollback(7);
  const LoopEnd within = host().wait(host().beginInCall(8, *slow, {}, 400));
  EXPECT_EQ(within.code, SUB0_TIMEOUT);
  EXPECT_FALSE(isUnknown(within)) << within.client;
  host().rollback(8);
}

TEST_F(PostgresAnswersTest, ACommitIsUnknownWhereTheHostEnds) {
  OtherSession other(cluster().url());
  holdCommits(other);
  const auto write = prepare("INSERT INTO t VALUES (1)");
  const auto read = prepare("SELECT a FROM pg_sleep(60), t");
  ASSERT_TRUE(becomesReady());
  EXPECT_EQ(host().wait(host().beginInCall(7, *write)).code, SUB0_OK);
  const sub0_ticket committing = host().beginCommit(7);
  const sub0_ticket reading = host().begin(*read);
  ASSERT_TRUE(host().turnUntil([&] { return waitingForLock() == "1"; }));
  host().stop(0);
  EXPECT_EQ(host().end(committing).code, SUB0_UNAVAILABLE);
  EXPECT_TRUE(isUnknown(host().end(committing))) << host().end(committing).client;
  EXPECT_EQ(host().end(reading).code, SUB0_UNAVAILABLE);
  EXPECT_FALSE(isUnknown(host().end(reading))) << host().end(reading).client;
}

// The budget of all results: who only reads may try again, who has written must not.
TEST_F(PostgresAnswersTest, AReadWithoutMemoryForItsResultIsBusyAWriteWasMade) {
  shared_timeout_ms_ = 20000;
  host(10'000'000);
  ResultTree::setBudget(200'000, 0);
  const LoopEnd read = end("SELECT i, repeat('x', 300) AS b FROM generate_series(1, 2000) i");
  EXPECT_EQ(read.code, SUB0_BUSY);
  EXPECT_NE(read.client.find("SUB0_RESULT_BUDGET_BYTES"), std::string::npos) << read.client;
  const LoopEnd write =
      end("INSERT INTO t SELECT i, repeat('x', 300) FROM generate_series(1, 2000) i RETURNING b");
  EXPECT_EQ(write.code, SUB0_RESULT_TOO_LARGE);
  EXPECT_NE(write.client.find("SUB0_RESULT_BUDGET_BYTES"), std::string::npos) << write.client;
  EXPECT_NE(write.client.find("; the change was made"), std::string::npos) << write.client;
  ResultTree::setBudget(100'000'000, 0);
  EXPECT_EQ(end("SELECT b FROM t").code, SUB0_OK);
}

TEST_F(PostgresAnswersTest, AWriteWhoseResultIsTooLargeSaysThatItWasMade) {
  shared_timeout_ms_ = 20000;
  host(100000);
  const char* const made = "; the change was made";
  const LoopEnd many =
      end("INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 2000) i RETURNING b");
  EXPECT_EQ(many.code, SUB0_RESULT_TOO_LARGE);
  EXPECT_NE(many.client.find(made), std::string::npos) << many.client;
  EXPECT_EQ(cluster().execute("SELECT count(*) FROM t"), "2000");
  // What is not yet known of a statement has it run on a connection to itself, to its end.
  const auto insert = prepare("INSERT INTO t VALUES (1, repeat('x', 100000000)) RETURNING b");
  EXPECT_EQ(host().run(*prepare("NOTIFY looked_at")).code, SUB0_OK);
  const LoopEnd one = host().run(*insert);
  EXPECT_EQ(one.code, SUB0_RESULT_TOO_LARGE);
  EXPECT_NE(one.client.find(made), std::string::npos) << one.client;
  for (int i = 0; i < 2; ++i) {  // the second time it has a connection to itself
    const LoopEnd read = end("SELECT repeat('x', 100000000) AS a");
    EXPECT_EQ(read.code, SUB0_RESULT_TOO_LARGE);
    EXPECT_EQ(read.client.find("change"), std::string::npos) << read.client;
  }
  const LoopEnd rows = end("SELECT i FROM generate_series(1, 300000) i");
  EXPECT_EQ(rows.client.find("change"), std::string::npos) << rows.client;
}

}  // namespace
}  // namespace sub0::query
