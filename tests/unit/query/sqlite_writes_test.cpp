// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query {
namespace {

// Writes that wait together: another connection holds the file's lock until they do.
class SqliteWrites : public SqliteTest {
 protected:
  void SetUp() override {
    outside(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);"
        "CREATE TABLE child (a INTEGER REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)");
  }

  struct Write {
    std::unique_ptr<LoopAction> action;
    sub0_ticket ticket = 0;
  };

  // Executes the statements together; their ends, in order.
  std::vector<LoopEnd> together(const std::vector<std::string>& statements) {
    std::vector<Write> writes;
    for (const std::string& sql : statements) {
      writes.push_back({prepare(sql), 0});
    }
    OtherConnection other(file_);
    other.execute("BEGIN IMMEDIATE");
    for (Write& write : writes) {
      write.ticket = host().begin(*write.action);
    }
    watch_.forget();
    other.execute("ROLLBACK");
    std::vector<LoopEnd> ends;
    for (const Write& write : writes) {
      ends.push_back(host().wait(write.ticket));
    }
    return ends;
  }
  static std::string insert(int key) {
    return "INSERT INTO t VALUES (" + std::to_string(key) + ", 'x')";
  }
};

TEST_F(SqliteWrites, WhatWaitsTogetherSharesACommit) {
  std::vector<std::string> statements;
  for (int i = 0; i < 20; ++i) {
    statements.push_back(insert(i));
  }
  for (const LoopEnd& end : together(statements)) {
    EXPECT_EQ(end.code, SUB0_OK) << end.log;
  }
  EXPECT_EQ(watch_.count("INSERT"), 20U);
  EXPECT_LT(watch_.count("COMMIT"),
            10U);  // one, unless a machine that stands still makes more of it
  EXPECT_EQ(valueOutside("SELECT count(*) FROM t"), "20");
}

TEST_F(SqliteWrites, AGroupIsBounded) {
  std::vector<std::string> statements;
  for (int i = 0; i < 300; ++i) {
    statements.push_back(insert(i));
  }
  together(statements);
  EXPECT_EQ(valueOutside("SELECT count(*) FROM t"), "300");
  std::size_t inserts = 0;
  for (const SqliteWatch::Seen& seen : watch_.seen()) {
    inserts += seen.sql.compare(0, 6, "INSERT") == 0 ? 1 : 0;
    EXPECT_LE(inserts, 128U);
    inserts = seen.sql == "COMMIT" ? 0 : inserts;
  }
}

TEST_F(SqliteWrites, AFailureTakesBackItsOwnStatementAlone) {
  outside("INSERT INTO t VALUES (2, 'old')");
  const auto ends =
      together({insert(1), insert(2), "INSERT OR FAIL INTO t VALUES (3, 'x'), (2, 'x'), (4, 'x')",
                "INSERT INTO t VALUES (5, 'x') RETURNING a"});
  EXPECT_EQ(ends[0].code, SUB0_OK);
  EXPECT_EQ(ends[1].code, SUB0_CONSTRAINT);
  EXPECT_EQ(ends[1].client, "Operation Failed: a already exists");
  EXPECT_EQ(ends[2].code, SUB0_CONSTRAINT);
  EXPECT_EQ(ends[3].code, SUB0_OK) << ends[3].log;
  EXPECT_EQ(valueOutside("SELECT group_concat(a) FROM (SELECT a FROM t ORDER BY a)"), "1,2,5");
}

TEST_F(SqliteWrites, NeighboursOfALostGroupAreRepeatedOnce) {
  outside("INSERT INTO t VALUES (2, 'old')");
  const auto kept = prepare("INSERT OR ROLLBACK INTO t VALUES (2, 'x')");
  const auto ends = together({insert(1), "UPDATE t SET b = b || '!' WHERE a = 2",
                              "INSERT OR ROLLBACK INTO t VALUES (2, 'x')", insert(3)});
  EXPECT_EQ(ends[0].code, SUB0_OK) << ends[0].log;
  EXPECT_EQ(ends[1].code, SUB0_OK) << ends[1].log;
  EXPECT_EQ(ends[2].code, SUB0_CONSTRAINT);
  EXPECT_EQ(ends[3].code, SUB0_OK) << ends[3].log;
  EXPECT_EQ(valueOutside("SELECT group_concat(a || b) FROM (SELECT * FROM t ORDER BY a)"),
            "1x,2old!,3x");
  // It is known now, and begins a group, so that nobody has to be repeated.
  EXPECT_EQ(together({insert(11), "INSERT OR ROLLBACK INTO t VALUES (2, 'x')"})[0].code, SUB0_OK);
  EXPECT_EQ(watch_.count("INSERT INTO t VALUES (11"), 1U);
}

TEST_F(SqliteWrites, AReferenceToNothingFailsItsStatementAlone) {
  const auto ends = together({insert(1), "INSERT INTO child VALUES (99)",
                              "INSERT INTO child VALUES (1)", "DELETE FROM t WHERE a = 1"});
  EXPECT_EQ(ends[0].code, SUB0_OK);
  EXPECT_EQ(ends[1].code, SUB0_CONSTRAINT);
  EXPECT_EQ(ends[1].client, "Operation Failed: a reference refers to nothing");
  EXPECT_EQ(ends[2].code, SUB0_OK) << ends[2].log;
  EXPECT_EQ(ends[3].client, "Operation Failed: the deletion is not allowed");
  EXPECT_EQ(valueOutside("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(valueOutside("SELECT group_concat(a) FROM child"), "1");
}

TEST_F(SqliteWrites, ACommitThatFailsFailsAllThatShareIt) {
  host();
  watch_.makeCommitsFail(true);
  for (const LoopEnd& end : together({insert(1), insert(2), insert(3)})) {
    EXPECT_NE(end.code, SUB0_OK);
    EXPECT_EQ(end.times, 1);
  }
  watch_.makeCommitsFail(false);
  EXPECT_EQ(query("SELECT count(*) AS n FROM t"), R"({"n":0})");
  EXPECT_EQ(query(insert(1)), "null");
  EXPECT_EQ(query("SELECT count(*) AS n FROM t"), R"({"n":1})");
}

TEST_F(SqliteWrites, ASlowStatementKeepsNobodyWaitingOnceItIsKnown) {
  const std::string slow =
      "UPDATE t SET b = (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
      "300000) SELECT count(*) FROM n)";
  const auto kept = prepare(slow);
  query(insert(1));
  query(slow);
  const auto ends = together({insert(2), slow, insert(3)});
  EXPECT_EQ(ends[1].code, SUB0_OK);
  const std::string words = watch_.words();
  EXPECT_NE(words.find("INSERT,COMMIT,BEGIN,UPDATE"), std::string::npos) << words;
}

TEST_F(SqliteWrites, WhoHasNoTimeLeftFailsAndTheOthersGoOn) {
  const auto first = prepare(insert(1));
  const auto second = prepare(insert(2));
  OtherConnection other(file_);
  other.execute("BEGIN IMMEDIATE");
  const sub0_ticket patient = host().begin(*first);
  while (watch_.count("BEGIN IMMEDIATE") < 2) {  // the plugin waits for the other's lock
    std::this_thread::yield();
  }
  const sub0_ticket impatient = host().begin(*second, {}, 0, 30);
  const LoopEnd end = host().wait(impatient);
  EXPECT_TRUE(end.code == SUB0_BUSY || end.code == SUB0_TIMEOUT) << end.code;
  EXPECT_EQ(host().end(patient).times, 0);
  other.execute("COMMIT");
  EXPECT_EQ(host().wait(patient).code, SUB0_OK);
  EXPECT_EQ(valueOutside("SELECT group_concat(a) FROM t"), "1");
}

TEST_F(SqliteWrites, AStatementPastItsDeadlineTakesNobodyWithIt) {
  const auto endless = prepare(
      "UPDATE t SET b = (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
      "count(*) FROM n)");
  const auto first = prepare(insert(1));
  const auto last = prepare(insert(2));
  OtherConnection other(file_);
  other.execute("BEGIN IMMEDIATE");
  const sub0_ticket before = host().begin(*first);
  const sub0_ticket stopped = host().begin(*endless, {}, 0, 1000);
  const sub0_ticket behind = host().begin(*last);
  other.execute("COMMIT");
  EXPECT_EQ(host().wait(stopped).code, SUB0_TIMEOUT);
  EXPECT_EQ(host().wait(before).code, SUB0_OK);
  EXPECT_EQ(host().wait(behind).code, SUB0_OK);
  EXPECT_EQ(valueOutside("SELECT group_concat(a || b) FROM t"), "1x,2x");
}

TEST_F(SqliteWrites, PragmasAreRefusedAndFullTextSearchWorks) {
  EXPECT_EQ(end("SELECT name FROM pragma_table_info('t')").code, SUB0_ACTION_FAILED);
  EXPECT_EQ(end("SELECT * FROM pragma_database_list").code, SUB0_ACTION_FAILED);
  outside(
      "CREATE VIRTUAL TABLE papers USING fts5(body); CREATE VIRTUAL TABLE old USING fts4(body)");
  for (const std::string table : {"papers", "old"}) {
    EXPECT_EQ(query("INSERT INTO " + table + " VALUES ('a small bird')"), "null");
    EXPECT_EQ(query("SELECT body FROM " + table + " WHERE " + table + " MATCH 'bird'"),
              R"({"body":"a small bird"})");
  }
  // What an index of search asks by itself is no way to ask it.
  EXPECT_EQ(end("SELECT * FROM pragma_journal_mode('delete')").code, SUB0_ACTION_FAILED);
}

class SqliteLog : public SqliteWrites {
 protected:
  void addSettings(Tree& settings) override {
    settings.set("SUB0_SQLITE_LOG_LIMIT", Tree(Literal(262144)));
  }

  std::uintmax_t logBytes() { return std::filesystem::file_size(file_ + "-wal"); }
};

TEST_F(SqliteLog, IsEmptiedWhenReadersLetIt) {
  const auto insert_large = prepare("INSERT INTO t (b) VALUES (hex(zeroblob(5000)))");
  const auto select = prepare("SELECT count(*) AS n FROM t");
  {
    OtherConnection reader(file_);
    reader.execute("BEGIN; SELECT * FROM t");
    for (int i = 0; i < 60; ++i) {
      EXPECT_EQ(host().run(*insert_large).code, SUB0_OK);
      EXPECT_EQ(host().run(*select).json, "{\"n\":" + std::to_string(i + 1) + "}");
    }
    EXPECT_GT(logBytes(), 262144U);
    reader.execute("COMMIT");
  }
  // The next tries are for when it has grown by a quarter.
  int writes = 0;
  while (logBytes() > 262144 && ++writes < 60) {
    EXPECT_EQ(host().run(*insert_large).code, SUB0_OK);
    host().turnUntil([&] { return logBytes() == 0; }, 20);
  }
  EXPECT_LT(writes, 60);
}

TEST_F(SqliteLog, IsEmptiedWhileLoopsGoOnReading) {
  const auto insert_large = prepare("INSERT INTO t (b) VALUES (hex(zeroblob(50000)))");
  const auto select = prepare("SELECT count(*) AS n FROM t");
  bool was_emptied = false;
  std::uintmax_t before = 0;
  for (int i = 0; i < 40; ++i) {
    const sub0_ticket write = host().begin(*insert_large);
    while (host().end(write).times == 0) {
      EXPECT_EQ(host().run(*select).code, SUB0_OK);
    }
    was_emptied = was_emptied || logBytes() < before;
    before = logBytes();
  }
  EXPECT_TRUE(was_emptied);
  EXPECT_LT(before, 1048576U);
}

class SqliteLock : public SqliteTest {
 protected:
  void addSettings(Tree& settings) override { settings.set("SUB0_SERVES", Tree(Literal(serves_))); }
  bool serves_ = true;
};

TEST_F(SqliteLock, ASecondHostOfAFileDoesNotStart) {
  auto first = createHost();
  first->start();
  EXPECT_EQ(first->start_code, SUB0_OK) << first->allLogs();
  auto second = createHost();
  second->start();
  EXPECT_NE(second->start_code, SUB0_OK);
  EXPECT_TRUE(second->hasLogged("another sub0-host is running on the database file " + file_))
      << second->allLogs();
  std::filesystem::create_symlink(file_, folder_ + "/other.db");
  file_ = folder_ + "/other.db";
  auto third = createHost();
  third->start();
  EXPECT_NE(third->start_code, SUB0_OK);
  serves_ = false;  // a tool for a moment
  auto tool = createHost();
  tool->start();
  EXPECT_EQ(tool->start_code, SUB0_OK) << tool->allLogs();
  first.reset();
  serves_ = true;
  auto next = createHost();
  next->start();
  EXPECT_EQ(next->start_code, SUB0_OK) << next->allLogs();
}

}  // namespace
}  // namespace sub0::query
