// SPDX-License-Identifier: Apache-2.0
#include "sqlite/read_pace.hpp"
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query {
namespace {

// Counts as far as its parameter says: as slow as one likes.
constexpr const char* kCount =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT count(*) "
    "AS c FROM n";

class SqliteReads : public SqliteTest {
 protected:
  void SetUp() override { outside("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)"); }
};

TEST_F(SqliteReads, ReadsOfOneTurnShareATransaction) {
  const auto select = prepare("SELECT a FROM t");
  host().run(*select);
  watch_.forget();
  for (int turn = 0; turn < 2; ++turn) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(host().end(host().begin(*select)).json, R"({"a":1})");
    }
    host().turn(0);
  }
  EXPECT_EQ(watch_.words(),
            "BEGIN,SELECT,SELECT,SELECT,SELECT,SELECT,COMMIT,BEGIN,SELECT,SELECT,SELECT,SELECT,"
            "SELECT,COMMIT");
}

TEST_F(SqliteReads, AReadSeesEveryWriteThatEndedBeforeIt) {
  const auto select = prepare("SELECT a FROM t");
  const auto update = prepare("UPDATE t SET a = a + 1");
  for (int i = 1; i < 20; ++i) {
    EXPECT_EQ(host().end(host().begin(*select)).json, "{\"a\":" + std::to_string(i) + "}");
    EXPECT_EQ(waitWithinTurn(host().begin(*update)).code, SUB0_OK);
  }
}

TEST_F(SqliteReads, AReadSeesATableThatAWriteBeforeItMade) {
  const auto select = prepare("SELECT a FROM t");
  const auto later = prepare("SELECT b FROM later");
  const auto create = prepare("CREATE TABLE later AS SELECT 7 AS b");
  EXPECT_EQ(host().end(host().begin(*select)).json, R"({"a":1})");
  EXPECT_EQ(host().end(host().begin(*later)).code, SUB0_ACTION_FAILED);
  EXPECT_EQ(waitWithinTurn(host().begin(*create)).code, SUB0_OK);
  EXPECT_EQ(host().end(host().begin(*later)).json, R"({"b":7})");
}

TEST_F(SqliteReads, NoTransactionOfAReadOutlastsItsTurn) {
  const auto select = prepare("SELECT a FROM t");
  host().run(*select);
  OtherConnection other(file_);
  other.execute("UPDATE t SET a = 5");
  EXPECT_EQ(other.value("PRAGMA wal_checkpoint(TRUNCATE)"), "0");  // 1: somebody reads
  EXPECT_EQ(host().run(*select).json, R"({"a":5})");
}

TEST_F(SqliteReads, AStatementThatWasSlowTwiceLeavesTheLoop) {
  const auto count = prepare(kCount, 1);
  watch_.forget();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(host().run(*count, {Tree(Literal(20000))}).json, R"({"c":20000})");
  }
  const std::vector<SqliteWatch::Seen> seen = watch_.seen();
  EXPECT_EQ(seen.front().thread, std::this_thread::get_id());
  EXPECT_NE(seen.back().thread, std::this_thread::get_id());
  // And others do not.
  const auto select = prepare("SELECT a FROM t");
  EXPECT_EQ(host().end(host().begin(*select)).json, R"({"a":1})");
}

TEST_F(SqliteReads, AStatementThatWouldHoldUpTheLoopIsStoppedAndGoesOnElsewhere) {
  const auto count = prepare(kCount, 1);
  host().run(*prepare("SELECT a FROM t"));
  watch_.forget();
  EXPECT_EQ(host().run(*count, {Tree(Literal(1000000))}).json, R"({"c":1000000})");
  std::size_t here = 0;
  std::size_t elsewhere = 0;
  for (const SqliteWatch::Seen& seen : watch_.seen()) {
    if (seen.sql.compare(0, 4, "WITH") == 0) {
      (seen.thread == std::this_thread::get_id() ? here : elsewhere) += 1;
    }
  }
  EXPECT_EQ(here, 1U);
  EXPECT_EQ(elsewhere, 1U);
}

TEST_F(SqliteReads, WhatIsFastAgainReturnsToTheLoop) {
  const auto count = prepare(kCount, 1);
  EXPECT_EQ(host().run(*count, {Tree(Literal(1000000))}).json, R"({"c":1000000})");
  bool is_back = false;
  for (int i = 0; i < 20000 && !is_back; ++i) {
    const sub0_ticket ticket = host().begin(*count, {Tree(Literal(1))});
    is_back =
        host().end(ticket).times == 1 && watch_.seen().back().thread == std::this_thread::get_id();
    EXPECT_EQ(host().wait(ticket).json, R"({"c":1})");
  }
  EXPECT_TRUE(is_back);
}

TEST_F(SqliteReads, AReportSeesWritesBeforeItAndMayWaitForALock) {
  const auto slow = prepare(std::string(kCount) + ", t WHERE a > 0", 1);
  host().run(*slow, {Tree(Literal(1000000))});
  outside("INSERT INTO t VALUES (2)");
  EXPECT_EQ(host().run(*slow, {Tree(Literal(10))}).json, R"({"c":20})");
}

TEST_F(SqliteReads, StoppingEndsAReportThatIsUnderWay) {
  const auto endless = prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM "
      "n");
  std::vector<sub0_ticket> tickets;
  for (int i = 0; i < 6; ++i) {  // more than there are threads
    tickets.push_back(host().begin(*endless));
  }
  host().stop(50);
  for (const sub0_ticket ticket : tickets) {
    EXPECT_EQ(host().end(ticket).times, 1);
    EXPECT_EQ(host().end(ticket).code, SUB0_UNAVAILABLE);
  }
}

TEST_F(SqliteReads, SeveralReportsRunAtTheSameTime) {
  const auto endless = prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM "
      "n");
  const auto count = prepare(kCount, 1);
  const sub0_ticket report = host().begin(*endless);
  EXPECT_EQ(host().run(*count, {Tree(Literal(1000000))}).json, R"({"c":1000000})");
  EXPECT_EQ(host().end(report).times, 0);
  host().stop(50);
}

TEST(ReadPace, IsSlowAfterTwoSlowRunsAndFastAfterManyFastOnes) {
  ReadPace pace;
  pace.tookOnLoop(std::chrono::milliseconds(5));
  pace.tookOnLoop(std::chrono::microseconds(5));
  EXPECT_FALSE(pace.isSlow());
  pace.tookOnLoop(std::chrono::milliseconds(5));
  EXPECT_TRUE(pace.isSlow());
  for (std::uint32_t i = 1; i < ReadPace::kFastRuns; ++i) {
    pace.tookOffLoop(std::chrono::microseconds(5));
  }
  pace.tookOffLoop(std::chrono::milliseconds(5));
  EXPECT_TRUE(pace.isSlow());
  for (std::uint32_t i = 0; i < ReadPace::kFastRuns; ++i) {
    pace.tookOffLoop(std::chrono::microseconds(5));
  }
  EXPECT_FALSE(pace.isSlow());
  pace.tookOnLoop(std::chrono::milliseconds(5));
  EXPECT_FALSE(pace.isSlow());
}

}  // namespace
}  // namespace sub0::query
