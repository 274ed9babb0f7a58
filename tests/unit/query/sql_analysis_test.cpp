// SPDX-License-Identifier: Apache-2.0
#include "sql_analysis.hpp"

#include <gtest/gtest.h>

namespace sub0::query {
namespace {

Analysis look(const std::string& sql, Dialect dialect = Dialect::kPostgres) {
  return analyse(tokenize(sql, dialect), dialect);
}

// spec S-30
TEST(SqlAnalysis, CountsTheHighestParameterOutsideOfTexts) {
  const std::pair<const char*, std::uint32_t> cases[] = {
      {"SELECT 1", 0},
      {"SELECT $1", 1},
      {"SELECT $2, $1, $2", 2},
      {"SELECT '$3', \"$4\", $1 -- $5\n /* $6 */", 1},
      {"SELECT $a$ $7 $a$, E'\\'$8', $2", 2},
      {"SELECT data ? 'k', data ?| $1 FROM t", 1},
      {"SELECT $12::int", 12},
  };
  for (const auto& [sql, count] : cases) {
    const Analysis analysis = look(sql);
    EXPECT_EQ(analysis.parameter_count, count) << sql;
    EXPECT_TRUE(analysis.errors.empty()) << sql;
  }
  EXPECT_FALSE(look("SELECT $0").errors.empty());
  EXPECT_FALSE(look("SELECT $99999999999").errors.empty());
  for (const char* sql :
       {"SELECT :name", "SELECT :0", "SELECT @name", "SELECT @1", "SELECT $name", "SELECT $$"}) {
    EXPECT_FALSE(look(sql, Dialect::kSqlite).errors.empty()) << sql;
  }
}

// spec S-35
TEST(SqlAnalysis, RefusesWhatDoesNotBelongIntoAQuery) {
  const char* refused[] = {
      "",
      " ;",
      "-- only this",
      "SELECT 1; SELECT 2",
      "SELECT 1;; SELECT 2",
      "BEGIN",
      "begin transaction",
      "START TRANSACTION",
      "COMMIT",
      "END",
      "ROLLBACK TO a",
      "ABORT",
      "SAVEPOINT a",
      "RELEASE a",
      "SET ROLE admin",
      "/* x */ set local a = 1",
      "RESET ALL",
      "LISTEN a",
      "UNLISTEN *",
      "COPY t FROM STDIN",
      "PREPARE a AS SELECT 1",
      "PREPARE TRANSACTION 'a'",
      "EXECUTE a",
      "DEALLOCATE a",
      "DISCARD ALL",
      "DECLARE c CURSOR FOR SELECT 1",
      "LOAD 'auto_explain'",
      "SELECT 'open",
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 2",
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2",
      "CREATE TABLE t (a int); BEGIN; DELETE FROM t; END",
  };
  for (const char* sql : refused) {
    EXPECT_FALSE(look(sql).errors.empty()) << sql;
  }
  for (const char* sql :
       {"ATTACH 'a' AS b", "DETACH b", "PRAGMA user_version", "VACUUM", "LOCK TABLE t"}) {
    EXPECT_FALSE(look(sql, Dialect::kSqlite).errors.empty()) << sql;
  }
  EXPECT_FALSE(look("CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM s; END; DELETE FROM t",
                    Dialect::kSqlite)
                   .errors.empty());
  for (const char* sql :
       {"CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM s; SELECT CASE WHEN 1 THEN 2 END; "
        "END",
        "create temp trigger if not exists r after insert on t begin delete from s; end;"}) {
    EXPECT_TRUE(look(sql, Dialect::kSqlite).errors.empty()) << sql;
  }
  const char* allowed[] = {
      "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;",
      "CREATE PROCEDURE p() BEGIN ATOMIC DELETE FROM t; END",
      "SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)",
      "SELECT set_config('a.b', $1, false)",
      "SELECT pg_catalog.\"set_config\"('a.b', 'c', true)",
      "SELECT pg_advisory_lock(1)",
      "SELECT PG_Try_Advisory_Lock_Shared (1)",
      "SELECT pg_advisory_unlock_all()",
      "SELECT set_config FROM t",
      "SELECT 1;",
      "SELECT 1 ; ;",
      "SELECT ';' ; -- end",
      "SELECT f($1)",
      "UPDATE t SET a = 1",
      "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
      "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a",
      "SELECT data ? 'x' AS \"camelCase\" FROM t",
      "CREATE TABLE t (a int)",
      "NOTIFY a",
      "DO $$ BEGIN; END $$",
      "LOCK TABLE t IN SHARE MODE",
      "CHECKPOINT",
      "REASSIGN OWNED BY a TO b",
      "SECURITY LABEL ON TABLE t IS 'a'",
  };
  for (const char* sql : allowed) {
    EXPECT_TRUE(look(sql).errors.empty()) << sql;
  }
}

// spec S-50
TEST(SqlAnalysis, ReadsOnlyIsSaidOfWhatIsProven) {
  const char* reading[] = {
      "SELECT 1",
      "  (SELECT 1) UNION (SELECT 2)",
      "VALUES (1)",
      "TABLE t",
      "WITH a AS (SELECT 1) SELECT * FROM a",
      ("WITH RECURSIVE a(n) AS (SELECT 1 UNION SELECT n FROM a), "
       "b AS MATERIALIZED (SELECT 2) SELECT * FROM a"),
      "SELECT 'for update', \"into\" FROM t",
      "SELECT f(1)",
      "SELECT updated_at FROM t",
      "EXPLAIN SELECT 1",
      "EXPLAIN (VERBOSE, COSTS off) DELETE FROM t",
  };
  for (const char* sql : reading) {
    EXPECT_TRUE(look(sql).reads_only) << sql;
  }
  const char* writing[] = {
      "INSERT INTO t SELECT 1",
      "UPDATE t SET a = 1 RETURNING a",
      "DELETE FROM t",
      "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
      "SELECT * FROM t FOR UPDATE",
      "SELECT * FROM t FOR NO KEY UPDATE",
      "SELECT * FROM (SELECT * FROM t FOR SHARE) s",
      "SELECT 1 INTO t",
      "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
      "WITH a AS NOT MATERIALIZED (UPDATE t SET a = 1 RETURNING *) SELECT * FROM a",
      "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
      "CREATE TABLE t (a int)",
      "EXPLAIN ANALYZE DELETE FROM t",
      "EXPLAIN (ANALYSE) SELECT 1",
      "CALL p()",
      "LOCK TABLE t",
  };
  for (const char* sql : writing) {
    EXPECT_FALSE(look(sql).reads_only) << sql;
  }
  for (const char* sql : {"SELECT * FROM t FOR UPDATE", "LOCK TABLE t"}) {
    EXPECT_TRUE(look(sql).only_locks) << sql;
  }
  for (const char* sql : {"SELECT 1", "SELECT 1 INTO t FROM u FOR SHARE",
                          "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a FOR UPDATE"}) {
    EXPECT_FALSE(look(sql).only_locks) << sql;
  }
}

// spec S-41
TEST(SqlAnalysis, ReturningIsAddedWhereAWriteHasNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1) RETURNING *"},
      {"INSERT INTO t VALUES (1);", "INSERT INTO t VALUES (1) RETURNING *;"},
      {"INSERT INTO t VALUES (1) ; -- end", "INSERT INTO t VALUES (1) RETURNING * ; -- end"},
      {"UPDATE t SET a = 'RETURNING' -- x", "UPDATE t SET a = 'RETURNING' RETURNING * -- x"},
      {"DELETE FROM t /* a */", "DELETE FROM t RETURNING * /* a */"},
      {"WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a;",
       "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a RETURNING *;"},
      {"WITH a AS (DELETE FROM s RETURNING *) UPDATE t SET b = 1",
       "WITH a AS (DELETE FROM s RETURNING *) UPDATE t SET b = 1 RETURNING *"},
      {"INSERT INTO t VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = $2",
       "INSERT INTO t VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = $2 RETURNING *"},
      {"UPDATE t SET a = 1 returning a", "UPDATE t SET a = 1 returning a"},
      {"SELECT 1", "SELECT 1"},
      {"WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a",
       "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a"},
      {"CREATE TABLE t (a int)", "CREATE TABLE t (a int)"},
  };
  for (const auto& [sql, expected] : cases) {
    const TokenList list = tokenize(sql, Dialect::kPostgres);
    EXPECT_EQ(withReturningAll(list, analyse(list, Dialect::kPostgres)), expected);
  }
}

std::string whyNoRowOf(const std::string& sql, Dialect dialect = Dialect::kPostgres) {
  return whyNoRow(look(sql, dialect), dialect, false);
}

// spec S-25, spec S-87
TEST(SqlAnalysis, NoRowIsSaidOfWhatNeverHasOne) {
  const char* without[] = {
      "INSERT INTO t VALUES (1)",
      "UPDATE t SET a = (SELECT 1)",
      "DELETE FROM t WHERE a IN (SELECT 'returning')",
      "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) INSERT INTO u SELECT * FROM a",
      "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
  };
  for (const char* sql : without) {
    EXPECT_NE(whyNoRowOf(sql), "") << sql;
    EXPECT_NE(whyNoRowOf(sql, Dialect::kSqlite), "") << sql;
    EXPECT_NE(whyNoRowOf(sql, Dialect::kMysql), "") << sql;
    EXPECT_EQ(whyNoRowOf(sql, Dialect::kOdbc), "") << sql << " (OUTPUT, triggers that select)";
  }
  const char* perhaps[] = {
      "SELECT make_user($1)",
      "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a",
      "INSERT INTO t VALUES (1) RETURNING a",
      "DELETE FROM t RETURNING *;",
      "CALL p()",
      "DO $$ BEGIN; END $$",
      "EXPLAIN UPDATE t SET a = 1",
      "CREATE TABLE t (a int)",
      "VALUES (1)",
      "TABLE t",
  };
  for (const char* sql : perhaps) {
    EXPECT_EQ(whyNoRowOf(sql), "") << sql;
  }
  EXPECT_NE(whyNoRowOf("UPDATE t SET a = 1", Dialect::kMysql).find("SELECT"), std::string::npos);
  EXPECT_EQ(
      whyNoRow(look("UPDATE t SET a = 1", Dialect::kMysql), Dialect::kMysql, true).find("soft"),
      0U);
}

// spec S-30
TEST(SqlAnalysis, AccessorsInTextsAreDoubted) {
  const auto doubts = [](const std::string& sql) {
    return literalAccessors(tokenize(sql, Dialect::kPostgres)).size();
  };
  EXPECT_EQ(doubts("SELECT '$PAYLOAD.n', \"$ENV.A\", 'a $$HEADER.ip and $PAYLOAD.n'"), 3U);
  EXPECT_EQ(doubts("SELECT '$PAYLOADS', '$1', '$.a', '$payload', 'PAYLOAD $', $1 -- '$PAYLOAD'"),
            0U);
  EXPECT_NE(look("SELECT $PAYLOAD.n").errors.front().find("into parameters"), std::string::npos);
  EXPECT_EQ(look("SELECT :name", Dialect::kSqlite).errors.front().find("into parameters"),
            std::string::npos);
}

}  // namespace
}  // namespace sub0::query
