// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_rewrite.hpp"

#include <gtest/gtest.h>

#include "poco_data/mysql_instants.hpp"
#include "row_counts.hpp"
#include "row_times.hpp"
#include "sql_analysis.hpp"

namespace sub0::query::mysql_rewrite_test {
namespace {

Rewritten rewrite(const std::string& sql) {
  return rewriteForMysql(tokenize(sql, Dialect::kMysql));
}

using Pair = std::pair<std::string, std::string>;

// spec S-30
TEST(MysqlRewrite, SpellsPostgresqlTheWayMariadbReadsIt) {
  const Pair cases[] = {
      {"SELECT $2 - $1, '$3', \"$4\", `$5`", "SELECT ? - ?, '$3', \"$4\", `$5`"},
      {"SELECT $1 -- # $2\n, '#' /* # */, $3 -- $4\n - $5",
       "SELECT ? -- # $2\n, '#' /* # */, ? -- $4\n - ?"},
      {"SELECT 3--$1, 'a\\', $2", "SELECT 3--?, 'a\\', ?"},
      {"SELECT $1::int + $2::bigint", "SELECT CAST(? AS SIGNED) + CAST(? AS SIGNED)"},
      {"SELECT $1::float8", "SELECT CAST(? AS DOUBLE)"},
      {"SELECT (a + b)::numeric(10,2)", "SELECT CAST((a + b) AS DECIMAL(10,2))"},
      {"SELECT a.b::text, c", "SELECT CAST(a.b AS CHAR), c"},
      {"SELECT $1::varchar(20)", "SELECT CAST(? AS CHAR(20))"},
      {"SELECT $1::timestamptz, $2::date", "SELECT CAST(? AS DATETIME(6)), CAST(? AS DATE)"},
      {"SELECT $1::jsonb", "SELECT JSON_EXTRACT(?,'$')"},
      {"SELECT name || ' ' || $1::text, a - 1", "SELECT name || ' ' || CAST(? AS CHAR), a - 1"},
      {"SELECT $1::boolean", "SELECT (LOWER(?) IN ('true','t','yes','y','on','1'))"},
      {"SELECT '5'::int::text", "SELECT CAST(CAST('5' AS SIGNED) AS CHAR)"},
      {"SELECT CAST($1 AS SIGNED), CAST(a AS CHAR(3))",
       "SELECT CAST(?  AS SIGNED), CAST(a  AS CHAR(3))"},
      {"SELECT now(), CURRENT_TIMESTAMP, now(6), t.now",
       "SELECT CURRENT_TIMESTAMP(3), CURRENT_TIMESTAMP(3), now(6), t.now"},
      {"CREATE TABLE t (a DATETIME DEFAULT CURRENT_TIMESTAMP)",
       "CREATE TABLE t (a DATETIME DEFAULT CURRENT_TIMESTAMP)"},
      {"SELECT a = ANY (SELECT 1), INTERVAL '1' DAY + a, ~a, a && b",
       "SELECT a = ANY (SELECT 1), INTERVAL '1' DAY + a, ~a, a && b"},
      {"INSERT INTO t (a) VALUES ($1) ON DUPLICATE KEY UPDATE a = $1 RETURNING a",
       "INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = ? RETURNING a"},
      {"SELECT @@version", "SELECT @@version"},
      {"SELECT CONCAT(a, LEFT(b, 2)), app.age(c), EXTRACT(YEAR FROM d), STDDEV(e) FROM t",
       "SELECT CONCAT(a, LEFT(b, 2)), app.age(c), EXTRACT(YEAR FROM d), STDDEV(e) FROM t"},
      {"CREATE TABLE IF NOT EXISTS unnest (a INT REFERENCES initcap (b))",
       "CREATE TABLE IF NOT EXISTS unnest (a INT REFERENCES initcap (b))"},
      {"SELECT LENGTH(a), t.length, length FROM t WHERE length ($1) > 2",
       "SELECT CHAR_LENGTH(a), t.length, length FROM t WHERE CHAR_LENGTH (?) > 2"},
      {"INSERT INTO length (a) VALUES (1)", "INSERT INTO length (a) VALUES (1)"},
      {"CREATE PROCEDURE p() BEGIN SELECT LENGTH(a) FROM t LIMIT n; END",
       "CREATE PROCEDURE p() BEGIN SELECT LENGTH(a) FROM t LIMIT n; END"},
      {"UPDATE t SET a = TRIM(BOTH 'x' FROM a) WHERE b IN (SELECT b FROM (SELECT b FROM u LIMIT 1) "
       "AS few)",
       "UPDATE t SET a = TRIM(BOTH 'x' FROM a) WHERE b IN (SELECT b FROM (SELECT b FROM u LIMIT 1) "
       "AS few)"},
      {"SELECT random(), a ISNULL, b NOTNULL, ISNULL(a), current_database(), nextval(s)",
       "SELECT RAND(), a IS NULL, b IS NOT NULL, ISNULL(a), DATABASE(), nextval(s)"},
      {"INSERT INTO t DEFAULT VALUES RETURNING a", "INSERT INTO t () VALUES () RETURNING a"},
      {"WITH w AS MATERIALIZED (SELECT 1), v AS NOT MATERIALIZED (SELECT 2) SELECT * FROM w, v",
       "WITH w AS  (SELECT 1), v AS  (SELECT 2) SELECT * FROM w, v"},
      {"SELECT now() - INTERVAL '7' DAY, INTERVAL 1 DAY + CURRENT_DATE, a::date + INTERVAL 1 "
       "YEAR_MONTH, -1 * b - a",
       "SELECT CURRENT_TIMESTAMP(3) - INTERVAL '7' DAY, INTERVAL 1 DAY + CURRENT_DATE, CAST(a AS "
       "DATE) + INTERVAL 1 YEAR_MONTH, -1 * b - a"},
      {"SELECT a FROM t UNION ALL (SELECT b FROM u LIMIT 1)",
       "SELECT a FROM t UNION ALL (SELECT b FROM u LIMIT 1)"},
  };
  for (const auto& [sql, expected] : cases) {
    const Rewritten made = rewrite(sql);
    EXPECT_TRUE(made.errors.empty()) << sql << ": " << made.errors.front();
    EXPECT_EQ(made.sql, expected);
  }
}

// spec S-30: what these databases have no words for is named with its place
TEST(MysqlRewrite, NamesWhatMariadbCannot) {
  const Pair cases[] = {
      {"SELECT a ILIKE $1", "ILIKE at character 10"},
      {"SELECT DISTINCT ON (a) b FROM t", "DISTINCT ON at character 8"},
      {"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "ON DUPLICATE KEY UPDATE"},
      {"UPDATE t SET a = 1 RETURNING a", "UPDATE ... RETURNING at character 20"},
      {"SELECT a = ANY($1)", "ANY(...) at character 12"},
      {"SELECT a @> $1", "the operator @> at character 10"},
      {"SELECT a ~ $1", "the operator ~ at character 10"},
      {"SELECT 2 ^ 3", "the operator ^ of PostgreSQL (write POW) at character 10"},
      {"SELECT a->'b'", "the operator -> (write JSON_EXTRACT or JSON_VALUE) at character 9"},
      {"SELECT a ->> 'b'", "the operator ->> (write JSON_EXTRACT or JSON_VALUE) at character 10"},
      {"SELECT $1::numeric", "the type NUMERIC without digits, such as (20,4), at character 10"},
      {"SELECT $1::interval", "the type INTERVAL (write INTERVAL 10 MINUTE) at character 10"},
      {"SELECT $1::int[]", "the type INT[]"},
      {"SELECT INTERVAL '1 day'",
       "INTERVAL without a unit (write INTERVAL 10 MINUTE) at character 8"},
      {"SELECT a FROM t WHERE b > now() - interval '7 days' AND c", "INTERVAL without a unit"},
      {"SELECT a FROM t WHERE b > now() - interval '7 days' ORDER BY c", "at character 35"},
      {"SELECT now() - interval '1 hour' AS b", "INTERVAL without a unit"},
      {"SELECT a FROM t WHERE b > now() - interval '1 day' LIMIT 1", "INTERVAL without a unit"},
      {"SELECT '2026-01-31'::date + 1",
       "the + of dates (write a + INTERVAL 1 DAY, DATEDIFF(a, b)) at character 27"},
      {"SELECT a::date - b::date FROM t", "the - of dates"},
      {"SELECT CAST(a AS date) - 1 FROM t", "the - of dates"},
      {"SELECT 7 + a::date FROM t", "the + of dates"},
      {"SELECT a FROM t WHERE b = CURRENT_DATE - 1", "the - of dates"},
      {"SELECT now() - a FROM t", "the - of dates"},
      {"SELECT age(a) FROM t", "the function age at character 8"},
      {"SELECT timezone('utc', a) FROM t", "the function timezone"},
      {"SELECT to_date(a, 'YYYY'), 1 FROM t", "the function to_date"},
      {"SELECT to_number(a, '9') FROM t", "the function to_number"},
      {"SELECT lastval()", "the function lastval (write NEXTVAL(name), LAST_INSERT_ID())"},
      {"SELECT nextval('s')", "the function nextval"},
      {"SELECT a BETWEEN SYMMETRIC 1 AND 2", "BETWEEN SYMMETRIC at character 18"},
      {"SELECT a FROM t ORDER BY a COLLATE \"C\"", "COLLATE \"C\" (write COLLATE utf8mb4_bin)"},
      {"SELECT extract(epoch FROM a)", "EXTRACT(EPOCH ...) (write UNIX_TIMESTAMP(a))"},
      {"MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE", "MERGE"},
      {"UPDATE t SET (a, b) = (1, 2)", "SET (a, b) = (write SET a = ..., b = ...)"},
      {"UPDATE t SET updated_at = f(1), (a, b) = (1, 2) WHERE (c)",
       "SET (a, b) = (write SET a = ..., b = ...) at character 10"},
      {"DELETE FROM t USING u WHERE t.a = u.a", "DELETE FROM t USING u (write DELETE t FROM t"},
      {"DELETE FROM s.t AS x USING t WHERE x.a = t.a", "DELETE FROM t USING u"},
      {"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
       "WITH before INSERT (write INSERT INTO t WITH ... SELECT) at character 22"},
      {"SELECT mode() WITHIN GROUP (ORDER BY a) FROM t", "mode(...) WITHIN GROUP at character 8"},
      {"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
       "percentile_cont(...) WITHIN GROUP without OVER"},
      {"SHOW server_version", "SHOW server_version at character 1"},
      {"SELECT ts_rank(a, b) FROM t", "the function ts_rank at character 8"},
      {"SELECT jsonb_typeof(a) FROM t", "the function jsonb_typeof at character 8"},
      {"SELECT websearch_to_tsquery($1)", "the function websearch_to_tsquery at character 8"},
      {"SELECT E'a'", "the string form E'"},
      {"SELECT $$it's$$", "the dollar-quoted string at character 8"},
      {"UPDATE d SET p = p || $1::jsonb",
       "the operator || of jsonb (write JSON_MERGE_PATCH(a, b)) at character 20"},
      {"SELECT $1::jsonb - 'a'", "the operator - of jsonb (write JSON_REMOVE(a, '$.key'))"},
      {"SELECT string_agg(a, ',') FROM t", "the function string_agg at character 8"},
      {"SELECT count(*) FILTER (WHERE a) FROM t", "FILTER (WHERE ...)"},
      {"SELECT a AT TIME ZONE 'UTC'", "AT TIME ZONE"},
      {"SELECT a FROM t ORDER BY a NULLS LAST", "NULLS LAST"},
      {"SELECT a FROM t FULL JOIN u ON a = b", "FULL JOIN"},
      {"SELECT a FROM t WHERE b = ?", "the ? at character 27 is no parameter here; write $1"},
      {"SELECT a FROM t LIMIT COALESCE($1, 2)",
       "an expression behind LIMIT (write a number or $1) at character 23"},
      {"SELECT a FROM t LIMIT ALL", "an expression behind LIMIT"},
      {"SELECT a FROM t LIMIT 1 OFFSET ($1 - 1)", "an expression behind OFFSET"},
      {"SELECT a FROM t LIMIT 1, $1 * 2", "an expression behind LIMIT"},
      {"SELECT a FROM t OFFSET $1", "OFFSET without LIMIT before it at character 17"},
      {"UPDATE t SET a = (SELECT b FROM v) FROM u WHERE t.c = u.c",
       "UPDATE ... FROM (write UPDATE t JOIN u ON ... SET ...) at character 36"},
      {"DELETE FROM t WHERE a IN (SELECT a FROM u ORDER BY a LIMIT 2)",
       "IN (SELECT ... LIMIT) (put a SELECT around it: SELECT * FROM (...) AS few) at character "
       "23"},
      {"SELECT a = ANY (SELECT a FROM u LIMIT $1)", "ANY (SELECT ... LIMIT)"},
      {"SELECT a IS DISTINCT FROM b", "IS DISTINCT FROM (write NOT a <=> b) at character 13"},
      {"SELECT a IS NOT DISTINCT FROM b", "IS NOT DISTINCT FROM (write a <=> b)"},
      {"WITH w AS (DELETE FROM t RETURNING a) SELECT a FROM w", "WITH ... AS (DELETE ...)"},
  };
  for (const auto& [sql, expected] : cases) {
    const Rewritten made = rewrite(sql);
    ASSERT_EQ(made.errors.size(), 1U) << sql;
    EXPECT_NE(made.errors.front().find(expected), std::string::npos) << made.errors.front();
  }
}

// spec S-30
TEST(MysqlRewrite, LeavesWhatMariadbHas) {
  for (const char* sql :
       {"DELETE FROM t USING t JOIN u ON t.a = u.a WHERE u.b = 1",
        "DELETE FROM s.t USING u JOIN s.\"T\" ON t.a = u.a", "DELETE FROM t, u USING t JOIN u",
        "DELETE t FROM t JOIN u USING (a)",
        "UPDATE t SET a = (1 + 2), b = (3) WHERE (c, d) = (1, 2)",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) OVER (PARTITION BY b) FROM t",
        "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", "SHOW DATABASES",
        "SELECT insert('a', 1, 1, 'b'), lag(a, 1) OVER w FROM t WINDOW w AS (ORDER BY a)"}) {
    EXPECT_TRUE(rewrite(sql).errors.empty()) << sql << ": " << rewrite(sql).errors.front();
    EXPECT_TRUE(doubtsOfMariadb(tokenize(sql, Dialect::kMysql)).empty()) << sql;
  }
}

// spec S-30: MySQL has them, so that they are no errors
TEST(MysqlRewrite, DoubtsWhatMariadbAloneLacks) {
  const Pair cases[] = {
      {"WITH x AS (SELECT 1 AS a) DELETE FROM t WHERE b IN (SELECT a FROM x)",
       "WITH before DELETE at character 27 exists on MySQL, but not on every MariaDB"},
      {"WITH x AS (SELECT 1) UPDATE t SET a = 1", "WITH before UPDATE at character 22"},
      {"TABLE t", "TABLE t (write SELECT * FROM t) at character 1"},
      {"SELECT * FROM t, LATERAL (SELECT t.a) AS u", "LATERAL at character 18"},
      {"SELECT lag(a, 1, f(0, 1)) OVER (ORDER BY a) FROM t",
       "lag with three arguments (write COALESCE around it) at character 8"},
      {"VALUES ($1::int, 'a'), ($2, 'b')",
       "a parameter in VALUES at character 25 has MariaDB give no rows"},
      {"SELECT LEAD(a, 1, 0) OVER w FROM t", "LEAD with three arguments"},
  };
  for (const auto& [sql, expected] : cases) {
    const std::vector<std::string> doubts = doubtsOfMariadb(tokenize(sql, Dialect::kMysql));
    ASSERT_EQ(doubts.size(), 1U) << sql;
    EXPECT_NE(doubts.front().find(expected), std::string::npos) << doubts.front();
    EXPECT_TRUE(rewrite(sql).errors.empty()) << sql;
  }
}

// spec S-30: what else such a statement lacks is told beside it
TEST(MysqlAnalysis, ReadsOnBehindAnOperatorThatWouldBecomeAComment) {
  TokenList list = tokenize("SELECT a #>> '{b}' FROM t WHERE c -> 'd'", Dialect::kMysql);
  EXPECT_TRUE(list.is_whole);
  list.error.clear();
  const Rewritten made = rewriteForMysql(list);
  ASSERT_EQ(made.errors.size(), 1U);
  EXPECT_NE(made.errors.front().find("the operator -> "), std::string::npos);
  EXPECT_FALSE(tokenize("SELECT a #>> 'b", Dialect::kMysql).is_whole);
  EXPECT_FALSE(tokenize("SELECT a # b", Dialect::kMysql).is_whole);
  EXPECT_NE(tokenize("SELECT a #>> b #> c", Dialect::kMysql).error.find("#>> at character 10"),
            std::string::npos);
}

// spec S-30: # would hide what stands behind it
TEST(MysqlAnalysis, RefusesWhatWouldBecomeAComment) {
  const Pair cases[] = {
      {"DELETE FROM d WHERE data #>> '{a}' = 'x' AND id = 1",
       "the operator #>> at character 26 does not exist on MariaDB and MySQL"},
      {"SELECT a #> '{b}'", "the operator #> at character 10 does not exist on MariaDB and MySQL"},
      {"SELECT a#-'{b}'", "the operator #- at character 9 does not exist on MariaDB and MySQL"},
      {"SELECT a ## b", "the operator ## at character 10 does not exist on MariaDB and MySQL"},
      {"SELECT a +# it's\n 1",
       "the # at character 11 begins a comment on MariaDB and MySQL; write comments as -- or /* "
       "*/"},
      {"SELECT a # b",
       "the # at character 10 begins a comment on MariaDB and MySQL; write comments "
       "as -- or /* */"}};
  for (const auto& [sql, expected] : cases) {
    const Analysis analysis = analyse(tokenize(sql, Dialect::kMysql), Dialect::kMysql);
    ASSERT_EQ(analysis.errors.size(), 1U) << sql;
    EXPECT_EQ(analysis.errors.front(), expected);
  }
}

// spec S-30: what is done for parameters is not done for texts in the statement
TEST(MysqlRewrite, TextsWithAZoneAreTold) {
  const auto told = [](const std::string& sql) {
    return literalsWithZone(tokenize(sql, Dialect::kMysql));
  };
  const std::vector<std::string> doubts =
      told("SELECT a FROM t WHERE b BETWEEN $1 AND '2026-01-01T03:00:00+03:00'");
  ASSERT_EQ(doubts.size(), 1U);
  EXPECT_EQ(doubts[0],
            "MariaDB reads no zone in the text '2026-01-01T03:00:00+03:00' at character 40: "
            "beside a column of instants a call compares another time, or fails; there write "
            "'2026-01-01 00:00:00.000', "
            "which counts as UTC");
  EXPECT_TRUE(
      told("SELECT '2026-01-01', '2026-01-01 00:00:00', '', \"2026-01-01T00:00:00Z\"").empty());
}

// spec S-30: parameters in any order and reused, where the database knows them by place alone
TEST(MysqlRewrite, CountsPlaces) {
  const TokenList list = tokenize("SELECT $2, '$9', $1::text, $2", Dialect::kMysql);
  EXPECT_EQ(placeholderOrder(list), (std::vector<std::uint32_t>{2, 1, 2}));
}

// spec S-30
TEST(MysqlRewrite, LeavesRowCountsToTheBinding) {
  const std::string sql =
      "SELECT a FROM t WHERE b = $1 AND c IN (SELECT c FROM u WHERE d = $2) LIMIT $1::bigint "
      "OFFSET $3";
  const TokenList list = tokenize(sql, Dialect::kMysql);
  const Rewritten made = rewriteForMysql(list);
  EXPECT_TRUE(made.errors.empty());
  EXPECT_EQ(made.sql,
            "SELECT a FROM t WHERE b = ? AND c IN (SELECT c FROM u WHERE d = ?) LIMIT ? OFFSET ?");
  const std::vector<RowCount> counts = rowCountParameters(list);
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].place, 2U);
  EXPECT_FALSE(counts[0].is_offset);
  EXPECT_EQ(counts[1].place, 3U);
  EXPECT_TRUE(counts[1].is_offset);
}

// spec S-30: MySQL has columns and tables of that name
TEST(MysqlRewrite, TakesNoColumnForARowCount) {
  for (const char* sql :
       {"SELECT offset FROM t WHERE offset IN ($1, $2)", "INSERT INTO offset (offset) VALUES ($1)",
        "SELECT a FROM t WHERE offset BETWEEN $1 AND $2 ORDER BY offset DESC"}) {
    const TokenList list = tokenize(sql, Dialect::kMysql);
    EXPECT_TRUE(rewriteForMysql(list).errors.empty()) << sql;
    EXPECT_TRUE(rowCountParameters(list).empty()) << sql;
  }
  const TokenList postgres = tokenize("SELECT a FROM t OFFSET $2 LIMIT $1", Dialect::kPostgres);
  EXPECT_EQ(rowCountParameters(postgres).size(), 2U);
}

// spec S-30: of what is behind a driver nothing is known
TEST(OdbcRewrite, TouchesParametersAndCastsAlone) {
  const Rewritten made =
      rewriteForOdbc(tokenize("SELECT now(), $1::numeric(10,2), a ILIKE $1 -- $2", Dialect::kOdbc));
  EXPECT_TRUE(made.errors.empty());
  EXPECT_EQ(made.sql, "SELECT now(), CAST(? AS NUMERIC(10,2)), a ILIKE ? -- $2");
}

// spec S-35
TEST(MysqlAnalysis, RefusesWhatDoesNotBelongIntoAQuery) {
  for (const char* sql : {"SET NAMES utf8",
                          "LOCK TABLES t WRITE",
                          "UNLOCK TABLES",
                          "LOAD DATA INFILE 'a' INTO TABLE t",
                          "USE other",
                          "XA START 'a'",
                          "START TRANSACTION",
                          "BEGIN",
                          "COMMIT",
                          "HANDLER t OPEN",
                          "KILL 1",
                          "SHUTDOWN",
                          "PREPARE a FROM 'SELECT 1'",
                          "EXECUTE IMMEDIATE 'COMMIT'",
                          "SELECT 1; SELECT 2",
                          "SELECT 1 INTO OUTFILE '/tmp/a'",
                          "SELECT 1 INTO @a",
                          "SELECT @a := 1",
                          "/*!50000 SET a = 1 */",
                          "SELECT 1 /*M! , 2 */",
                          "SELECT 'open",
                          "INSTALL SONAME 'a'",
                          "CREATE PROCEDURE p() BEGIN SELECT 1; END; SELECT 2"}) {
    EXPECT_FALSE(analyse(tokenize(sql, Dialect::kMysql), Dialect::kMysql).errors.empty()) << sql;
  }
  for (const char* sql : {"SELECT 1;", "CALL p()", "SHOW TABLES", "REPLACE INTO t VALUES (1)",
                          "CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW BEGIN IF 1 THEN SET "
                          "NEW.a = 1; END IF; END",
                          "SELECT `set`, \"use\" FROM t -- ; SELECT 2"}) {
    EXPECT_TRUE(analyse(tokenize(sql, Dialect::kMysql), Dialect::kMysql).errors.empty()) << sql;
  }
  const TokenList locking = tokenize("SELECT a FROM t LOCK IN SHARE MODE", Dialect::kMysql);
  EXPECT_FALSE(analyse(locking, Dialect::kMysql).reads_only);
}

// spec S-41: where the database can
TEST(MysqlAnalysis, AddsReturningWhereMariadbReturnsRows) {
  const Pair cases[] = {
      {"INSERT INTO t (a) VALUES (1);", "INSERT INTO t (a) VALUES (1) RETURNING *;"},
      {"DELETE FROM t", "DELETE FROM t RETURNING *"},
      {"REPLACE INTO t VALUES (1)", "REPLACE INTO t VALUES (1) RETURNING *"},
      {"UPDATE t SET a = 1", "UPDATE t SET a = 1"}};
  for (const auto& [sql, expected] : cases) {
    const TokenList list = tokenize(sql, Dialect::kMysql);
    EXPECT_EQ(withReturningAll(list, analyse(list, Dialect::kMysql)), expected);
  }
  const TokenList list = tokenize("DELETE FROM t", Dialect::kOdbc);
  EXPECT_EQ(withReturningAll(list, analyse(list, Dialect::kOdbc)), "DELETE FROM t");
}

// spec S-34
TEST(MysqlRowTimes, KnowsDuplicateKeysAndOneTableAlone) {
  const auto made = [](RowTimes (*rewriter)(const TokenList&, const Analysis&),
                       const std::string& sql) {
    const TokenList list = tokenize(sql, Dialect::kMysql);
    return rewriter(list, analyse(list, Dialect::kMysql));
  };
  EXPECT_EQ(
      made(withTimestamps,
           "INSERT IGNORE INTO t (`A`) VALUES ($1) ON DUPLICATE KEY UPDATE a = $1 RETURNING a")
          .sql,
      "INSERT IGNORE INTO t (`A`, created_at, updated_at) VALUES ($1, CURRENT_TIMESTAMP, "
      "CURRENT_TIMESTAMP) ON DUPLICATE KEY UPDATE updated_at = CURRENT_TIMESTAMP, a = $1 "
      "RETURNING a");
  EXPECT_EQ(made(withSoftDelete, "DELETE FROM `t` WHERE a = $1").sql,
            "UPDATE `t` SET deleted_at = CURRENT_TIMESTAMP WHERE (a = $1) AND deleted_at IS NULL");
  EXPECT_NE(made(withSoftDelete, "DELETE FROM t USING t JOIN u ON a = b").error, "");
  EXPECT_NE(made(withSoftDelete, "DELETE FROM t WHERE a = 1 LIMIT 1").error, "");
  EXPECT_NE(made(withTimestamps, "INSERT INTO t SET a = 1").error, "");
}

}  // namespace
}  // namespace sub0::query::mysql_rewrite_test
