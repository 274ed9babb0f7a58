// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_rewrite.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sub0::query::sqlite_rewrite_test {
namespace {

Rewritten rewrite(const std::string& sql) {
  return rewriteForSqlite(tokenize(sql, Dialect::kSqlite));
}

// spec S-30
TEST(SqliteRewrite, SpellsPostgresqlTheWaySqliteReadsIt) {
  const std::string now = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))";
  const std::pair<std::string, std::string> cases[] = {
      {"SELECT $2 - $1, '$3', \"$4\"", "SELECT ?2 - ?1, '$3', \"$4\""},
      {"SELECT $1::int", "SELECT CAST(sub0_whole(?1) AS INTEGER)"},
      // No casts: nothing of them may be lost, so that SQLite refuses them.
      {"SELECT CAST(now() AS int $1)",
       "SELECT CAST((strftime('%Y-%m-%dT%H:%M:%fZ','now')) AS int ?1)"},
      {"SELECT CAST(1 AS int $1", "SELECT CAST(1 AS int ?1"},
      {"SELECT CAST(1 AS int", "SELECT CAST(1 AS int"},
      {"SELECT $1 :: float8 + 1", "SELECT CAST(sub0_number(?1 ) AS REAL) + 1"},
      {"SELECT a.b::text, c", "SELECT CAST(a.b AS TEXT), c"},
      {"SELECT (a + b)::numeric(10,2)", "SELECT CAST(sub0_decimal((a + b),10,2) AS NUMERIC)"},
      {"SELECT count(*)::int FROM t", "SELECT CAST(sub0_whole(count(*)) AS INTEGER) FROM t"},
      {"SELECT s.f(a, (b))::text", "SELECT CAST(s.f(a, (b)) AS TEXT)"},
      {"SELECT '5'::int::text", "SELECT CAST(CAST(sub0_whole('5') AS INTEGER) AS TEXT)"},
      {"SELECT x::numeric(10,2)::text",
       "SELECT CAST(CAST(sub0_decimal(x,10,2) AS NUMERIC) AS TEXT)"},
      {"SELECT x::double precision::text", "SELECT CAST(CAST(sub0_number(x) AS REAL) AS TEXT)"},
      {"SELECT $1::json::text", "SELECT CAST(json(?1) AS TEXT)"},
      {"SELECT $1::jsonb", "SELECT json(?1)"},
      {"SELECT a WHERE (b)::int = 1", "SELECT a WHERE CAST(sub0_whole((b)) AS INTEGER) = 1"},
      {"SELECT CASE WHEN a THEN 1 END::int",
       "SELECT CAST(sub0_whole(CASE WHEN a THEN 1 END) AS INTEGER)"},
      {"SELECT $1::timestamp with time zone", "SELECT CAST(?1 AS TEXT)"},
      {"SELECT $1::character varying(20)", "SELECT substr(CAST(?1 AS TEXT),1,20)"},
      {"SELECT $1::timestamptz(3)", "SELECT CAST(?1 AS TEXT)"},
      {"SELECT $1::status", "SELECT CAST(?1 AS TEXT)"},
      {"SELECT $1::date", "SELECT date(sub0_day(?1))"},
      {"SELECT $1::bool", "SELECT sub0_boolean(?1)"},
      {"SELECT -1::int", "SELECT -CAST(sub0_whole(1) AS INTEGER)"},
      {"SELECT sum(a) OVER (PARTITION BY b)::int",
       "SELECT CAST(sub0_whole(sum(a) OVER (PARTITION BY b)) AS INTEGER)"},
      {"SELECT CAST($1 AS jsonb)", "SELECT json(?1 )"},
      {"SELECT CAST(f($1::int) AS timestamptz)",
       "SELECT CAST(f(CAST(sub0_whole(?1) AS INTEGER))  AS TEXT)"},
      {"SELECT now(), NOW ( )", "SELECT " + now + ", " + now},
      {"SELECT CURRENT_TIMESTAMP", "SELECT " + now},
      {"SELECT t.now, 'now()'", "SELECT t.now, 'now()'"},
      {"SELECT a->>'b' FROM t", "SELECT a->>'b' FROM t"},
      {"INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO NOTHING",
       "INSERT INTO t (a) VALUES (?1) ON CONFLICT (a) DO NOTHING"},
      {"SELECT [a b], t.[c] FROM [t] WHERE [a b] = [c]",
       "SELECT [a b], t.[c] FROM [t] WHERE [a b] = [c]"},
      {"INSERT INTO [t] SELECT 1 AS [x]", "INSERT INTO [t] SELECT 1 AS [x]"},
      {"INSERT INTO age (a) VALUES (1)", "INSERT INTO age (a) VALUES (1)"},
      {"WITH position(n) AS (SELECT 1), right (m) AS MATERIALIZED (SELECT 2) SELECT n FROM "
       "position",
       "WITH position(n) AS (SELECT 1), right (m) AS MATERIALIZED (SELECT 2) SELECT n FROM "
       "position"},
      {"SELECT a::numeric, b::decimal(5), c::real, d::varchar, e::numeric(3,-2)",
       "SELECT CAST(sub0_number(a) AS NUMERIC), CAST(sub0_decimal(b,5,0) AS NUMERIC), "
       "CAST(sub0_number(c) AS REAL), CAST(d AS TEXT), CAST(sub0_number(e) AS NUMERIC)"},
      {"CREATE INDEX i ON age (a)", "CREATE INDEX i ON age (a)"},
      // what stays in the file is read without functions of ours
      {"SELECT 1; CREATE VIEW v AS SELECT a::int, b::bool, c::date, d::numeric(5,2) FROM t",
       "SELECT 1; CREATE VIEW v AS SELECT CAST(a AS INTEGER), (lower(b) IN "
       "('true','t','yes','y','on','1')), date(c), CAST(d AS NUMERIC) FROM t"},
      // texts, with whatever is joined to them
      {"SELECT name || ' ' || $1::text, a->>'x' || 'y', a || b, a - 1, -1, b - c::int",
       "SELECT name || ' ' || CAST(?1 AS TEXT), a->>'x' || 'y', a || b, a - 1, -1, b - "
       "CAST(sub0_whole(c) AS INTEGER)"},
      {"SELECT name || ' ' || a::json, b->>'x' || $1::jsonb, (a::jsonb)::text || 'x', $2::text || "
       "a::jsonb::text, a::jsonb, -(b::int)",
       "SELECT name || ' ' || json(a), b->>'x' || json(?1), CAST((json(a)) AS TEXT) || 'x', "
       "CAST(?2 AS TEXT) || CAST(json(a) AS TEXT), json(a), -(CAST(sub0_whole(b) AS INTEGER))"},
      {"SELECT a.age, position FROM a LEFT JOIN b", "SELECT a.age, position FROM a LEFT JOIN b"},
      {"SELECT a FROM ONLY t JOIN only u", "SELECT a FROM  t JOIN  u"},
      {"UPDATE ONLY t SET a = 1", "UPDATE  t SET a = 1"},
      {"SELECT only, a FROM only WHERE b", "SELECT only, a FROM only WHERE b"},
      {"SELECT ~1, 2 WHERE ~ a = 1", "SELECT ~1, 2 WHERE ~ a = 1"},
  };
  for (const auto& [sql, expected] : cases) {
    const Rewritten rewritten = rewrite(sql);
    EXPECT_EQ(rewritten.sql, expected);
    EXPECT_TRUE(rewritten.errors.empty()) << sql << ": " << rewritten.errors[0];
  }
}

// spec S-30: null is no limit, and leaves out no row
TEST(SqliteRewrite, TakesNullForARowCount) {
  const std::pair<std::string, std::string> cases[] = {
      {"SELECT a FROM t LIMIT $1 OFFSET $2",
       "SELECT a FROM t LIMIT ifnull( ?1,-1) OFFSET ifnull( ?2,0)"},
      {"SELECT (SELECT a FROM t LIMIT $1), b", "SELECT (SELECT a FROM t LIMIT ifnull( ?1,-1)), b"},
      {"SELECT a FROM t LIMIT $1 -- ;", "SELECT a FROM t LIMIT ifnull( ?1,-1) -- ;"},
      {"SELECT a FROM t LIMIT $1::int",
       "SELECT a FROM t LIMIT ifnull( CAST(sub0_whole(?1) AS INTEGER),-1)"},
      {"SELECT a FROM t LIMIT ($1) UNION SELECT 1",
       "SELECT a FROM t LIMIT ifnull( (?1),-1) UNION SELECT 1"},
      {"SELECT a FROM t LIMIT coalesce($1, 2) * 2 OFFSET 1",
       "SELECT a FROM t LIMIT ifnull( coalesce(?1, 2) * 2,-1) OFFSET 1"},
      {"SELECT a FROM t LIMIT $1, $2", "SELECT a FROM t LIMIT ifnull( ?1,0), ifnull( ?2,-1)"},
      {"SELECT a FROM t LIMIT 10", "SELECT a FROM t LIMIT 10"},
      {"SELECT offset, t.offset FROM t WHERE offset = $1 AND a AS offset",
       "SELECT offset, t.offset FROM t WHERE offset = ?1 AND a AS offset"},
      {"SELECT a FROM t LIMIT -$1 OFFSET -$2",
       "SELECT a FROM t LIMIT ifnull( -?1,-1) OFFSET ifnull( -?2,0)"},
      {"SELECT offset FROM t ORDER BY offset LIMIT $1 OFFSET $2",
       "SELECT offset FROM t ORDER BY offset LIMIT ifnull( ?1,-1) OFFSET ifnull( ?2,0)"},
      {"SELECT 1 LIMIT (SELECT offset FROM t WHERE offset IN ($1)) OFFSET $2",
       "SELECT 1 LIMIT ifnull( (SELECT offset FROM t WHERE offset IN (?1)),-1) OFFSET ifnull( "
       "?2,0)"},
  };
  for (const auto& [sql, expected] : cases) {
    const Rewritten rewritten = rewrite(sql);
    EXPECT_EQ(rewritten.sql, expected);
    EXPECT_TRUE(rewritten.errors.empty()) << sql;
  }
}

// spec S-30: to SQLite OFFSET is a name, but behind LIMIT
TEST(SqliteRewrite, TakesNoColumnForARowCount) {
  for (const std::string sql :
       {"SELECT offset FROM t WHERE offset IN ($1, $2)",
        "SELECT offset FROM t WHERE offset BETWEEN $1 AND $2", "SELECT a FROM t WHERE offset IS $1",
        "SELECT a FROM t WHERE offset NOT IN ($1) AND offset NOTNULL",
        "SELECT a FROM t WHERE offset LIKE $1 ESCAPE $2",
        "SELECT a FROM t WHERE offset GLOB $1 OR offset REGEXP $2",
        "SELECT a FROM t WHERE offset COLLATE nocase = $1",
        "SELECT a FROM t WHERE offset = $1 AND $2 < offset AND a = $3",
        "SELECT offset, a FROM t WHERE (offset) = $1 OR t.offset IN ($2)",
        "SELECT CASE offset WHEN $1 THEN offset ELSE $2 END FROM t",
        "SELECT abs(offset) || $1 FROM t ORDER BY offset DESC, $2",
        "SELECT sum(offset) FILTER (WHERE a = $1) FROM t GROUP BY offset HAVING a = $2",
        "SELECT offset name FROM t offset WHERE offset.a = $1",
        "SELECT a FROM t JOIN offset USING (offset) WHERE a = $1",
        "SELECT a FROM offset WHERE a IN (SELECT offset FROM t UNION SELECT $1)",
        "UPDATE t SET offset = $1 WHERE a = $2 RETURNING offset",
        "INSERT INTO t (a, offset) VALUES ($1, $2) RETURNING offset"}) {
    std::string numbered = sql;
    std::replace(numbered.begin(), numbered.end(), '$', '?');
    EXPECT_EQ(rewrite(sql).sql, numbered);
  }
  EXPECT_EQ(rewrite("SELECT a FROM t WHERE offset::text = $1").sql,
            "SELECT a FROM t WHERE CAST(offset AS TEXT) = ?1");
}

// spec S-30
TEST(SqliteRewrite, NamesWhatOnlyPostgresqlCanDo) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT a @> $1", "@>"},
      {"SELECT a ? 'b'", "?"},
      {"SELECT a ?| $1", "?|"},
      {"SELECT a #>> '{b}'", "#>>"},
      {"SELECT a ~ 'b'", "~"},
      {"SELECT a ~* 'b'", "~*"},
      {"SELECT a ILIKE 'b'", "ILIKE"},
      {"SELECT a = ANY($1)", "ANY(...)"},
      {"SELECT a <> ALL ($1)", "ALL(...)"},
      {"SELECT DISTINCT ON (a) b FROM t", "DISTINCT ON"},
      {"SELECT * FROM t FOR UPDATE", "FOR UPDATE"},
      {"SELECT * FROM t, LATERAL (SELECT 1) x", "LATERAL"},
      {"SELECT ARRAY[1]", "ARRAY"},
      {"SELECT $1::text[]", "TEXT[]"},
      {"SELECT $1::interval", "INTERVAL"},
      {"SELECT now() - INTERVAL '1 day'", "INTERVAL"},
      {"SELECT a AT TIME ZONE 'utc'", "AT TIME ZONE"},
      {"SELECT E'a'", "E'"},
      {"SELECT $$it's$$", "the dollar-quoted string at character 8"},
      {"SELECT $a$it's$a$", "the dollar-quoted string at character 8"},
      {"UPDATE d SET p = p || $1::jsonb",
       "the operator || of jsonb (write json_patch(a, b)) at character 20"},
      {"UPDATE d SET p = $1::jsonb || p", "the operator || of jsonb"},
      {"SELECT d.p || CAST($1 AS jsonb)", "the operator || of jsonb"},
      {"SELECT p || ($1::json)", "the operator || of jsonb"},
      {"SELECT p->'a' || $1::jsonb", "the operator || of jsonb"},
      {"SELECT p || q || '{\"a\":1}'::jsonb", "the operator || of jsonb"},
      {"SELECT p || (f($1))::jsonb", "the operator || of jsonb"},
      {"SELECT $1::jsonb - 'a'",
       "the operator - of jsonb (write json_remove(a, '$.key')) at character 18"},
      {"SELECT (p::jsonb) - 'a'", "the operator - of jsonb"},
      {"SELECT CAST(f(a AS x) AS jsonb) - 'a'", "the operator - of jsonb"},
      {"SELECT unnest($1)", "unnest"},
      {"SELECT gen_random_uuid()", "gen_random_uuid"},
      {"SELECT date_trunc('day', a)", "date_trunc"},
      {"INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT c DO NOTHING", "ON CONSTRAINT"},
      {"SELECT a SIMILAR TO 'b'", "SIMILAR TO"},
      {"SELECT a[1] FROM t", "the subscript [1]"},
      {"SELECT a [ $1 ] FROM t", "the subscript [ $1 ]"},
      {"SELECT (a)[b]", "the subscript [b]"},
      {"SELECT \"a\"[1:2]", "the subscript [1:2]"},
      {"SELECT JSONB_path_query(a, '$')", "JSONB_path_query"},
      {"WITH w AS (UPDATE t SET a = 1 RETURNING a) SELECT a FROM w", "WITH ... AS (UPDATE ...)"},
      {"WITH w AS MATERIALIZED (DELETE FROM t RETURNING a) SELECT a FROM w",
       "WITH ... AS (DELETE ...)"},
      {"DELETE FROM t USING u WHERE t.a = u.a", "DELETE ... USING"},
      {"SELECT current_database()", "the function current_database"},
      {"SELECT timezone('utc', a) FROM t", "the function timezone"},
      {"SELECT '2026-01-31'::date + 1",
       "the + of dates (write date(a, '+1 day'), julianday(a) - julianday(b))"},
      {"SELECT a::date - b::date FROM t", "the - of dates"},
      {"SELECT a FROM t WHERE a::date = current_date - 1", "the - of dates"},
      {"SELECT now() - a FROM t", "the - of dates"},
  };
  for (const auto& [sql, name] : cases) {
    const Rewritten rewritten = rewrite(sql);
    ASSERT_EQ(rewritten.errors.size(), 1U) << sql;
    EXPECT_NE(rewritten.errors[0].find(name), std::string::npos) << rewritten.errors[0];
    EXPECT_NE(rewritten.errors[0].find("at character"), std::string::npos) << rewritten.errors[0];
  }
}

// spec S-30: SQLite wants an AS, and its RETURNING knows the table by its own name alone
TEST(SqliteRewrite, SettlesTheAliasOfTheTableThatIsWrittenTo) {
  const std::pair<std::string, std::string> cases[] = {
      {"UPDATE t n SET a = n.b WHERE n.c", "UPDATE t AS n SET a = n.b WHERE n.c"},
      {"UPDATE main.t \"N\" SET a = 1", "UPDATE main.t AS \"N\" SET a = 1"},
      {"UPDATE OR IGNORE t n SET a = 1", "UPDATE OR IGNORE t AS n SET a = 1"},
      {"DELETE FROM t n WHERE n.a = 1 RETURNING n.*",
       "DELETE FROM t AS n WHERE n.a = 1 RETURNING *"},
      {"DELETE FROM t AS n RETURNING N.a, b.n, (n.c)",
       "DELETE FROM t AS n RETURNING t.a, b.n, (t.c)"},
      {"INSERT INTO t AS n (a) VALUES (1) RETURNING n.a",
       "INSERT INTO t AS n (a) VALUES (1) RETURNING t.a"},
      {"WITH u AS (SELECT 1) UPDATE t n SET a = 1 RETURNING (SELECT n.a FROM u n), n.a",
       "WITH u AS (SELECT 1) UPDATE t AS n SET a = 1 RETURNING (SELECT n.a FROM u n), t.a"},
      {"UPDATE t SET a = 1 RETURNING t.*", "UPDATE t SET a = 1 RETURNING *"},
      {"UPDATE t SET a = 1", "UPDATE t SET a = 1"},
      {"DELETE FROM t INDEXED BY i WHERE a", "DELETE FROM t INDEXED BY i WHERE a"},
      {"DELETE FROM t", "DELETE FROM t"},
      {"INSERT INTO t DEFAULT VALUES", "INSERT INTO t DEFAULT VALUES"},
  };
  for (const auto& [sql, expected] : cases) {
    const Rewritten rewritten = rewrite(sql);
    EXPECT_EQ(rewritten.sql, expected);
    EXPECT_TRUE(rewritten.errors.empty()) << sql;
  }
}

// spec S-30
TEST(SqliteRewrite, NamesFunctionsThatSqliteHasNot) {
  for (const std::string name : {"greatest",
                                 "least",
                                 "concat",
                                 "concat_ws",
                                 "split_part",
                                 "left",
                                 "right",
                                 "lpad",
                                 "rpad",
                                 "position",
                                 "strpos",
                                 "initcap",
                                 "md5",
                                 "age",
                                 "bool_and",
                                 "bool_or",
                                 "array_agg",
                                 "string_agg",
                                 "to_char",
                                 "to_timestamp",
                                 "date_trunc",
                                 "extract",
                                 "generate_series",
                                 "jsonb_set",
                                 "json_agg",
                                 "json_build_object",
                                 "gen_random_uuid",
                                 "regexp_replace",
                                 "set_config",
                                 "pg_advisory_lock"}) {
    const Rewritten rewritten = rewrite("SELECT " + name + " (a) FROM t WHERE a AND b");
    ASSERT_EQ(rewritten.errors.size(), 1U) << name;
    EXPECT_EQ(rewritten.errors[0],
              "the function " + name + " at character 8 exists on PostgreSQL only");
  }
}

// spec S-30
TEST(SqliteRewrite, ACastOfNothingIsAnError) {
  for (const char* sql : {"::int", "SELECT a)::int", "SELECT (b)::int[a)::t", "OVER (a)::int",
                          "SELECT END::int", "SELECT ,::int"}) {
    const Rewritten rewritten = rewrite(sql);
    ASSERT_FALSE(rewritten.errors.empty()) << sql;
    EXPECT_NE(rewritten.errors.back().find("casts nothing"), std::string::npos)
        << rewritten.errors.back();
  }
}

TEST(SqliteRewrite, NoParameterMayStandWithinAType) {
  for (const char* sql : {"SELECT x::numeric($1)", "SELECT CAST(x AS varchar($1))"}) {
    const Rewritten rewritten = rewrite(sql);
    ASSERT_EQ(rewritten.errors.size(), 1U) << sql;
    EXPECT_NE(rewritten.errors[0].find("stands within a type"), std::string::npos);
  }
}

}  // namespace
}  // namespace sub0::query::sqlite_rewrite_test
