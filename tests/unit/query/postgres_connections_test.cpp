// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <set>

#include "tests/unit/query/postgres_fixture.hpp"

namespace sub0::query {
namespace {

// Which connection does what: shared to read, shared to write, or for one statement alone.
class PostgresConnectionsTest : public PostgresTest {
 protected:
  std::unique_ptr<LoopHost> makeHost(std::int64_t result_limit) override {
    return std::make_unique<LoopHost>(
        sub0_plugin_v0(), Tree{{"DATABASE_URL", cluster().url()},
                               {"SUB0_RESULT_LIMIT", result_limit},
                               {"SUB0_POSTGRES_EXCLUSIVE_CONNECTIONS", std::int64_t{2}},
                               {"SUB0_POSTGRES_EXCLUSIVE_WAIT_MS", wait_ms_},
                               {"SUB0_SHARED_STATEMENT_TIMEOUT_MS", shared_timeout_ms_}});
  }
  // Once everything that is known of the statements at start is known.
  void becomeReady() {
    ASSERT_TRUE(becomesReady());
    const auto last = prepare("NOTIFY looked_at");  // by the connection that looks, behind that
    EXPECT_EQ(host().run(*last).code, SUB0_OK);
  }
  // Begins all in one turn; their ends.
  std::vector<LoopEnd> runTogether(const std::vector<LoopAction*>& actions) {
    std::vector<sub0_ticket> tickets;
    for (LoopAction* action : actions) {
      tickets.push_back(host().begin(*action));
    }
    std::vector<LoopEnd> ends;
    for (const sub0_ticket ticket : tickets) {
      ends.push_back(host().wait(ticket));
    }
    return ends;
  }
  std::size_t distinct(const std::vector<LoopEnd>& ends) {
    std::set<std::string> found;
    for (const LoopEnd& each : ends) {
      found.insert(each.json + each.log);
    }
    return found.size();
  }

  std::int64_t wait_ms_ = 5000;
};

// now() is the start of the transaction, and a sync ends one.
TEST_F(PostgresConnectionsTest, ReadsOfATurnShareASync) {
  const auto time = prepare("SELECT now()::text AS t");
  const auto wrong = prepare("SELECT 1 / a FROM (VALUES (0)) v (a)");
  becomeReady();
  host().run(*time);
  EXPECT_EQ(distinct(runTogether({time.get(), time.get(), time.get()})), 1U);
  const std::vector<LoopEnd> ends = runTogether({time.get(), wrong.get(), time.get(), time.get()});
  EXPECT_EQ(ends[1].code, SUB0_ACTION_FAILED);
  EXPECT_EQ(distinct({ends[0], ends[2], ends[3]}), 3U);  // two were skipped, and sent one by one
  EXPECT_EQ(ends[2].code, SUB0_OK) << ends[2].log;
}

TEST_F(PostgresConnectionsTest, AWriteThatOnlyTheServerSeesIsRememberedAsOne) {
  cluster().execute("CREATE SEQUENCE s");
  const auto next = prepare("SELECT nextval('s') AS n");
  const auto time = prepare("SELECT now()::text AS t");
  becomeReady();
  std::vector<LoopEnd> ends = runTogether({next.get(), time.get(), time.get()});
  EXPECT_EQ(ends[0].json, R"({"n":1})") << ends[0].log;
  EXPECT_NE(ends[1].json, ends[2].json);  // the refusal broke up their batch
  ends = runTogether({next.get(), time.get(), time.get()});
  EXPECT_EQ(ends[0].json, R"({"n":2})");
  EXPECT_EQ(ends[1].json, ends[2].json);
  EXPECT_EQ(host().run(*next, {}, SUB0_RUN_READ_ONLY).code, SUB0_METHOD_NOT_ALLOWED);
  EXPECT_EQ(host().run(*next).json, R"({"n":3})");
}

TEST_F(PostgresConnectionsTest, ASlowStatementGoesOnByItself) {
  const auto slow = prepare("SELECT 's' AS a FROM pg_sleep(0.3)");
  const auto quick = prepare("SELECT pg_backend_pid() AS pid");
  const auto time = prepare("SELECT now()::text AS t");
  becomeReady();
  const std::string reader = host().run(*quick).json;
  const sub0_ticket first = host().begin(*slow);
  EXPECT_EQ(host().run(*quick).json, reader);
  EXPECT_EQ(host().end(first).times, 0);
  EXPECT_EQ(host().wait(first).json, R"({"a":"s"})");
  // Remembered: nothing waits behind it even once, so that the two are one batch.
  host().run(*time);
  const std::vector<LoopEnd> ends = runTogether({time.get(), slow.get(), time.get()});
  EXPECT_EQ(ends[0].json, ends[2].json);
  EXPECT_EQ(ends[1].json, R"({"a":"s"})");
}

TEST_F(PostgresConnectionsTest, AWriteThatWaitsForALockHoldsUpNobody) {
  cluster().execute("CREATE TABLE t (id int, a int); INSERT INTO t VALUES (1, 0), (2, 0)");
  const auto add = prepare("UPDATE t SET a = a + 1 WHERE id = $1::int RETURNING a", 1);
  becomeReady();
  OtherSession other(cluster().url());
  other.execute("BEGIN; UPDATE t SET a = 10 WHERE id = 1");
  const sub0_ticket waits = host().begin(*add, {Tree(Literal(1))});
  EXPECT_EQ(host().run(*add, {Tree(Literal(2))}).json, R"({"a":1})");
  EXPECT_EQ(host().end(waits).times, 0);
  other.execute("COMMIT");
  EXPECT_EQ(host().wait(waits).json, R"({"a":11})");
}

// Q-99: whatever a call leaves in its session, no later call finds
TEST_F(PostgresConnectionsTest, WhatACallLeavesInItsSessionNobodyFinds) {
  cluster().execute(
      "CREATE FUNCTION leave() RETURNS text LANGUAGE sql AS $$SELECT set_config('a.b', 'f', "
      "false)$$; CREATE SEQUENCE s; CREATE ROLE somebody");
  const char* leaving[] = {
      "SELECT set_config('a.b', 'left', false)",
      "SELECT set_config('TimeZone', 'Asia/Tokyo', false)",
      "SELECT set_config('role', 'somebody', false)",
      "SELECT pg_advisory_lock(7)",
      "SELECT leave()",
      "CREATE TEMPORARY TABLE pg_class (a int)",
      "SELECT 1 AS a INTO TEMP TABLE left_over",
      "DO $$BEGIN PERFORM set_config('a.b', 'do', false); PERFORM pg_advisory_lock(8); END$$",
  };
  const auto look = prepare(
      "SELECT coalesce(current_setting('a.b', true), '') AS b, current_setting('TimeZone') AS z, "
      "current_user::text AS u, (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') "
      "AS l, (SELECT count(*)::int FROM pg_class WHERE relpersistence = 't') AS t");
  const auto look_alone = prepare(
      "SELECT coalesce(current_setting('a.b', true), '') AS b, current_setting('TimeZone') AS z, "
      "current_user::text AS u, (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') "
      "AS l, (SELECT count(*)::int FROM pg_class WHERE relpersistence = 't') AS t, "
      "set_config('c.d', '', true) AS c");
  std::vector<std::unique_ptr<LoopAction>> actions;  // known before they run
  for (const char* sql : leaving) {
    actions.push_back(prepare(sql));
  }
  becomeReady();
  const std::string clean = R"({"b":"","z":"UTC","u":"postgres","l":0,"t":0)";
  for (std::size_t n = 0; n < actions.size(); ++n) {
    const char* const sql = leaving[n];
    const LoopEnd left = host().run(*actions[n]);
    EXPECT_EQ(left.code, SUB0_OK) << sql << left.log;
    for (int i = 0; i < 3; ++i) {  // behind one another: on whichever connection that is free
      EXPECT_EQ(host().run(*look).json, clean + "}") << sql;
      EXPECT_EQ(host().run(*look_alone).json, clean + R"(,"c":""})") << sql;
    }
  }
  cluster().execute("DROP ROLE somebody");
}

TEST_F(PostgresConnectionsTest, WhoGetsNoConnectionOfItsOwnInTimeIsBusy) {
  wait_ms_ = 200;
  const auto slow = prepare("SELECT set_config('a.b', 'c', true) FROM pg_sleep(2)");
  const auto quick = prepare("SELECT 1 AS a");
  becomeReady();
  const sub0_ticket first = host().begin(*slow);
  const sub0_ticket second = host().begin(*slow);
  const LoopEnd third = host().run(*slow);
  EXPECT_EQ(third.code, SUB0_BUSY) << third.log;
  EXPECT_NE(third.log.find("SUB0_POSTGRES_EXCLUSIVE_CONNECTIONS"), std::string::npos);
  EXPECT_EQ(host().run(*quick).json, R"({"a":1})");
  EXPECT_EQ(host().wait(first).code, SUB0_OK);
  EXPECT_EQ(host().wait(second).code, SUB0_OK);
  EXPECT_EQ(host().run(*slow).code, SUB0_OK);
}

// A deadline ends a statement that has a connection to itself, and frees it.
TEST_F(PostgresConnectionsTest, ADeadlineFreesTheConnection) {
  const auto slow = prepare("SELECT set_config('a.b', 'c', true) FROM pg_sleep(60)");
  const auto own = prepare("SELECT set_config('a.b', 'd', true) AS a");
  becomeReady();
  std::vector<sub0_ticket> tickets;
  for (int i = 0; i < 2; ++i) {
    tickets.push_back(host().begin(*slow, {}, 0, 200));
  }
  EXPECT_EQ(host().run(*own).json, R"({"a":"d"})");
  for (const sub0_ticket ticket : tickets) {
    EXPECT_EQ(host().wait(ticket).code, SUB0_TIMEOUT);
  }
  ASSERT_TRUE(host().turnUntil([&] {
    return cluster().execute(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "0";
  }));
}

// S-30: a statement that was prepared before its table changed is prepared once more
TEST_F(PostgresConnectionsTest, AStatementOutlivesAChangeOfItsTable) {
  cluster().execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  const auto read = prepare("SELECT a FROM t");
  const auto write = prepare("UPDATE t SET a = a RETURNING a");
  const auto other = prepare("SELECT 2 AS a");
  becomeReady();
  EXPECT_EQ(host().run(*read).json, R"({"a":1})");
  EXPECT_EQ(host().run(*write).json, R"({"a":1})");
  cluster().execute("ALTER TABLE t ALTER a TYPE text USING 'x' || a");
  const std::vector<LoopEnd> ends = runTogether({other.get(), read.get(), other.get()});
  EXPECT_EQ(ends[1].json, R"({"a":"x1"})") << ends[1].log;
  EXPECT_EQ(ends[2].json, R"({"a":2})");
  EXPECT_EQ(host().run(*write).json, R"({"a":"x1"})");
}

// S-30: nor does what its parameters were bind them for ever: neither a comparison that there is no
// more, nor a value that was none of the old type.
TEST_F(PostgresConnectionsTest, AStatementOutlivesAChangeOfItsParametersTypes) {
  cluster().execute("CREATE TABLE t (a int); INSERT INTO t VALUES (5)");
  const auto read = prepare("SELECT a FROM t WHERE a = $1", 1);
  const auto write = prepare("INSERT INTO t VALUES ($1) RETURNING a", 1);
  becomeReady();
  EXPECT_EQ(host().run(*read, {Tree(Literal(5))}).json, R"({"a":5})");
  EXPECT_EQ(host().run(*write, {Tree(Literal(6))}).json, R"({"a":6})");
  cluster().execute("ALTER TABLE t ALTER a TYPE varchar(9)");
  EXPECT_EQ(host().run(*read, {Tree(Literal("5"))}).json, R"({"a":"5"})");
  const LoopEnd end = host().run(*write, {Tree(Literal("x"))});
  EXPECT_EQ(end.json, R"({"a":"x"})") << end.log;
  EXPECT_EQ(host().run(*read, {Tree(Literal("x"))}).json, R"({"a":"x"})");
}

// A value that never fits costs one more try, and leaves one prepared statement behind, not many.
TEST_F(PostgresConnectionsTest, AValueThatDoesNotFitLeavesNothingBehind) {
  cluster().execute("CREATE TABLE t (a int)");
  const auto write = prepare("INSERT INTO t VALUES ($1)", 1);
  const auto count = prepare(
      "INSERT INTO t SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE "
      "'INSERT INTO t VALUES%' RETURNING a");
  becomeReady();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(host().run(*write, {Tree(Literal("x"))}).code, SUB0_ACTION_FAILED);
    EXPECT_EQ(host().run(*write, {Tree(Literal(1))}).code, SUB0_OK);
  }
  EXPECT_EQ(host().run(*count).json, R"({"a":1})");
}

// Looked at again while its table was away, it is still prepared under its name.
TEST_F(PostgresConnectionsTest, AFailedLookLeavesWhatIsPreparedAlone) {
  cluster().execute("CREATE TABLE t (a int)");
  const auto write = prepare("INSERT INTO t VALUES (1)");
  becomeReady();
  EXPECT_EQ(host().run(*write).code, SUB0_OK);
  cluster().execute("DROP TABLE t");
  const auto again = prepare("INSERT INTO t VALUES (1)");
  ASSERT_TRUE(host().turnUntil([&] { return host().hasLogged("\"t\" does not exist"); }));
  cluster().execute("CREATE TABLE t (a int)");
  EXPECT_EQ(host().run(*write).code, SUB0_OK);
  EXPECT_EQ(host().run(*again).code, SUB0_OK);
  EXPECT_EQ(cluster().execute("SELECT count(*) FROM t"), "2");
}

// Nothing keeps a statement from preparing under the names that are used here.
TEST_F(PostgresConnectionsTest, ANameThatIsTakenIsReplacedByTheNext) {
  const auto own = prepare("SELECT set_config('a.b', 'c', true) AS a");
  const auto take = prepare(
      "DO $$BEGIN FOR i IN 0..9 LOOP EXECUTE 'PREPARE sub0_' || i || '_0 AS SELECT 1'; END LOOP; "
      "EXCEPTION WHEN duplicate_prepared_statement THEN NULL; END$$");
  becomeReady();
  EXPECT_EQ(host().run(*take).code, SUB0_OK);
  for (int i = 0; i < 3; ++i) {
    const LoopEnd end = host().run(*own);
    EXPECT_EQ(end.json, R"({"a":"c"})") << end.log;
  }
}

// A look has no deadline of its own: what waits behind it past its own has it given up.
TEST_F(PostgresConnectionsTest, ALookThatIsHeldUpIsGivenUpForWhatIsBehindIt) {
  shared_timeout_ms_ = 20000;
  cluster().execute("CREATE TABLE t (a int); CREATE TABLE u (a int)");
  const auto write = prepare("INSERT INTO t VALUES (1)");
  becomeReady();
  OtherSession other(cluster().url());
  other.execute("BEGIN; LOCK TABLE u");
  const auto looked_at = prepare("INSERT INTO u VALUES (1)");
  host().turn(0);
  EXPECT_EQ(host().wait(host().begin(*write, {}, 0, 300)).code, SUB0_TIMEOUT);
  EXPECT_EQ(host().wait(host().begin(*write, {}, 0, 5000)).code, SUB0_OK);
}

// A standing-in writer of a pooler begins a transaction for each statement.
class PostgresStandInTest : public PostgresTest {
 protected:
  std::unique_ptr<LoopHost> makeHost(std::int64_t) override {
    std::string url = cluster().url();
    url.replace(url.find("postgres@"), 9, "lonely@");
    return std::make_unique<LoopHost>(
        sub0_plugin_v0(), Tree{{"DATABASE_URL", url},
                               {"SUB0_POSTGRES_NAMED_STATEMENTS", Literal(false)},
                               {"SUB0_SHARED_STATEMENT_TIMEOUT_MS", Literal(std::int64_t{20000})}});
  }
};

TEST_F(PostgresStandInTest, AWriterThatStandsInForAReaderWritesNothing) {
  cluster().execute(
      "DROP ROLE IF EXISTS lonely; CREATE ROLE lonely LOGIN CONNECTION LIMIT 1; CREATE SEQUENCE s; "
      "GRANT USAGE ON SCHEMA public TO lonely; GRANT ALL ON SEQUENCE s TO lonely");
  const auto next = prepare("SELECT nextval('s') AS n");
  ASSERT_TRUE(becomesReady());
  // A connection that the engine has closed counts at the server for a while: busy.
  const auto run_when_free = [&](std::uint32_t flags) {
    LoopEnd end = host().run(*next, {}, flags);
    while (end.code == SUB0_BUSY) end = host().run(*next, {}, flags);
    return end;
  };
  EXPECT_EQ(run_when_free(SUB0_RUN_READ_ONLY).code, SUB0_METHOD_NOT_ALLOWED);
  EXPECT_EQ(run_when_free(0).json, R"({"n":1})");
  host_.reset();
  cluster().execute("DROP OWNED BY lonely; DROP ROLE lonely");
}

std::size_t memoryOf(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == field) {
      std::size_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  }
  return 0;
}

// Q-72: a row above the limit is dropped as it comes
TEST_F(PostgresConnectionsTest, ALargeRowCostsItsNeighboursNothing) {
  shared_timeout_ms_ = 20000;
  host(100000);
  const auto large = prepare("SELECT repeat('x', 100000000) AS a");
  const auto quick = prepare("SELECT 1 AS a");
  becomeReady();
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
  [[maybe_unused]] const std::size_t before = memoryOf("VmRSS:");
  const std::vector<LoopEnd> ends = runTogether({quick.get(), large.get(), quick.get()});
  EXPECT_EQ(ends[0].json, R"({"a":1})") << ends[0].log;
  EXPECT_EQ(ends[1].code, SUB0_RESULT_TOO_LARGE);
  EXPECT_EQ(ends[2].json, R"({"a":1})") << ends[2].log;
#ifndef __SANITIZE_ADDRESS__  // which keeps what was freed
  EXPECT_LT(memoryOf("VmHWM:"), before + 50'000'000);
#endif
  EXPECT_EQ(host().run(*large).code, SUB0_RESULT_TOO_LARGE);
  EXPECT_FALSE(host().hasLogged("is lost")) << "the connections stay";
}

TEST_F(PostgresConnectionsTest, ALargeRowOfAWriteCostsItsNeighboursNothing) {
  shared_timeout_ms_ = 20000;
  cluster().execute("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (0, '')");
  host(100000);
  const auto add = prepare("INSERT INTO t VALUES (1, '') RETURNING a");
  const auto large = prepare("UPDATE t SET b = repeat('x', 5000000) WHERE a = 0 RETURNING b");
  becomeReady();
  const std::vector<LoopEnd> ends = runTogether({add.get(), large.get(), add.get(), add.get()});
  EXPECT_EQ(ends[1].code, SUB0_RESULT_TOO_LARGE);
  EXPECT_NE(ends[1].client.find("; the change was made"), std::string::npos) << ends[1].client;
  EXPECT_EQ(ends[2].json, R"({"a":1})") << ends[2].log;
  EXPECT_EQ(ends[3].json, R"({"a":1})") << ends[3].log;
  EXPECT_FALSE(host().hasLogged("is lost"));
  EXPECT_EQ(cluster().execute("SELECT count(*) FROM t"), "4");
}

// Q-72: rows are taken one by one, however many there are and whatever there were before
TEST_F(PostgresConnectionsTest, AResultThatHasGrownCostsNoConnection) {
  shared_timeout_ms_ = 20000;
  cluster().execute(
      "CREATE TABLE numbers (i integer, t text); INSERT INTO numbers VALUES (1, NULL), (2, 'b')");
  const auto all = prepare("SELECT i, t FROM numbers ORDER BY i");
  const auto quick = prepare("SELECT 1 AS a");
  becomeReady();
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(host().run(*all).json, R"([{"i":1,"t":null},{"i":2,"t":"b"}])");
  }
  cluster().execute("INSERT INTO numbers SELECT i, 'c' FROM generate_series(3, 100000) i");
  for (int i = 0; i < 2; ++i) {
    const std::vector<LoopEnd> ends = runTogether({quick.get(), all.get(), quick.get()});
    EXPECT_EQ(ends[0].json, R"({"a":1})") << ends[0].log;
    EXPECT_EQ(std::count(ends[1].json.begin(), ends[1].json.end(), '{'), 100000) << ends[1].log;
    EXPECT_EQ(ends[2].json, R"({"a":1})") << ends[2].log;
  }
  EXPECT_FALSE(host().hasLogged("a connection to the database is lost")) << host().allLogs();
}

// Q-72: of a result that is far above the limit no more is held because those before it were small
TEST_F(PostgresConnectionsTest, AResultThatHasGrownPastTheLimitIsNotHeld) {
  shared_timeout_ms_ = 60000;
  host(100000);
  cluster().execute("CREATE TABLE numbers (i integer); INSERT INTO numbers VALUES (1)");
  const auto all = prepare("SELECT i FROM numbers");
  becomeReady();
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(host().run(*all).json, R"({"i":1})");
  }
  cluster().execute("INSERT INTO numbers SELECT i FROM generate_series(1, 2000000) i");
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
  [[maybe_unused]] const std::size_t before = memoryOf("VmRSS:");
  EXPECT_EQ(host().run(*all).code, SUB0_RESULT_TOO_LARGE);
#ifndef __SANITIZE_ADDRESS__  // which keeps what was freed
  EXPECT_LT(memoryOf("VmHWM:"), before + 30'000'000);
#endif
}

// An error behind the first rows of a result that comes whole is the result's.
TEST_F(PostgresConnectionsTest, AResultThatComesWholeMayFail) {
  cluster().execute("CREATE TABLE numbers (i integer); INSERT INTO numbers VALUES (1), (2)");
  const auto all = prepare("SELECT 2 / i AS a FROM numbers");
  const auto quick = prepare("SELECT 1 AS a");
  becomeReady();
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(host().run(*all).json, R"([{"a":2},{"a":1}])");
  }
  cluster().execute("INSERT INTO numbers VALUES (0)");
  const std::vector<LoopEnd> ends = runTogether({quick.get(), all.get(), quick.get()});
  EXPECT_EQ(ends[0].json, R"({"a":1})") << ends[0].log;
  EXPECT_EQ(ends[1].code, SUB0_ACTION_FAILED);
  EXPECT_EQ(ends[2].json, R"({"a":1})") << ends[2].log;
}

// What raises a notice writes nothing to the host's log.
TEST_F(PostgresConnectionsTest, NoticesAreNobodys) {
  becomeReady();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(end("DO $$BEGIN RAISE WARNING 'shout'; END$$").code, SUB0_OK);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace sub0::query
