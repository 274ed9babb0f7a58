// SPDX-License-Identifier: Apache-2.0
#include "column_names.hpp"

#include <gtest/gtest.h>

namespace sub0::query {
namespace {

// The names, each behind the item that gets it.
std::string named(const std::string& sql) {
  const TokenList list = tokenize(sql, Dialect::kSqlite);
  std::string made = sql;
  const std::vector<ColumnName> columns = unnamedColumns(list);
  for (auto column = columns.rbegin(); column != columns.rend(); ++column) {
    made.insert(list.tokens[column->last].end, " {" + column->name + "}");
  }
  return made;
}

// spec S-32
TEST(ColumnNames, AreThoseOfPostgresql) {
  const char* const cases[] = {
      "SELECT count(*) {count}, Max(at) {max}, app.Lower(a) {lower} FROM t",
      "SELECT count(*) FILTER (WHERE a) OVER (PARTITION BY b) {count}, rank() OVER w {rank} FROM t",
      "SELECT id::text {id}, t.Name::varchar(20) {name}, \"Name\"::text {Name}, max(a)::int {max}",
      "SELECT CAST(id AS text) {id}, CAST($1 AS bigint) {int8}, CAST(a + 1 AS text) {text}",
      "SELECT $1::text {text}, 1::bigint::text {text}, 'a'::timestamp with time zone "
      "{timestamptz}",
      "SELECT a::double precision {a}, 1::double precision {float8}, '1'::character varying(3) "
      "{varchar}",
      "SELECT coalesce(a, 'x') {coalesce}, nullif(a, b) {nullif}, TRIM(a) {btrim}",
      "SELECT CASE WHEN a THEN 1 END {case}, CASE a WHEN 1 THEN b ELSE t.c END {c}",
      "SELECT CASE WHEN a THEN 1 ELSE CASE WHEN b THEN 2 END END {case}",
      "SELECT EXISTS(SELECT 1 FROM t) {exists}, (SELECT max(a) FROM t) {max}, (SELECT 1) "
      "{?column?}",
      "SELECT (SELECT a AS b FROM t) {b}, (SELECT a FROM t) {a}",
      "SELECT 1 {?column?}, 'a' {?column?}, $1 {?column?}, -a {?column?}, NULL {?column?}, true "
      "{?column?}",
      "SELECT a + 1 {?column?}, a || 'x' {?column?}, (a + 1) {?column?}, a = 1 {?column?}",
      "SELECT a IS NULL {?column?}, a AND b {?column?}, a IN (1, 2) {?column?}, a BETWEEN 1 AND "
      "2 {?column?}",
      "SELECT CURRENT_DATE {current_date}, now() {now}, current_timestamp(3) {current_timestamp}",
      "SELECT DISTINCT lower(a) {lower} FROM t ORDER BY lower(a)",
      "SELECT count(*) {count} FROM a UNION SELECT count(*) FROM b",
      "WITH w AS (SELECT count(*) FROM t) SELECT sum(1) {sum} FROM w",
      "INSERT INTO t (a) SELECT count(*) FROM u RETURNING id::text {id}, a + 1 {?column?}",
      "UPDATE t SET a = count(b) WHERE c RETURNING lower(a) {lower};",
      "DELETE FROM t RETURNING t.id::text {id}, *",
      "SELECT a COLLATE nocase {a} FROM t",
  };
  for (const std::string with_names : cases) {
    std::string sql = with_names;
    for (std::size_t at = sql.find(" {"); at != std::string::npos; at = sql.find(" {")) {
      sql.erase(at, sql.find('}', at) + 1 - at);
    }
    EXPECT_EQ(named(sql), with_names);
  }
}

TEST(ColumnNames, StayWhereThereIsOneOrNothingIsCertain) {
  const char* const cases[] = {
      "SELECT a, t.b, \"C\", t.*, * FROM t",
      "SELECT count(*) AS n, count(*) n, count(*) \"n\", a + 1 b, a::text b FROM t",
      "SELECT CASE WHEN a THEN 1 END b, (SELECT 1) c, a + b AS c FROM t",
      "SELECT count(*) FROM",
      "CREATE VIEW v AS SELECT count(*) FROM t",
      "INSERT INTO t (a) SELECT count(*) FROM u",
      "SELECT a + , b",
      "SELECT a::",
      "SELECT CAST(a",
      "SELECT CASE a",
      "SELECT (a",
      "SELECT",
      "VALUES (1)",
      "",
  };
  for (const std::string sql : cases) {
    const std::string made = named(sql);
    EXPECT_EQ(made, sql == "SELECT count(*) FROM" ? "SELECT count(*) {count} FROM" : sql);
  }
}

// spec S-32
TEST(ColumnNames, AreGivenToValuesOnMariadb) {
  const std::pair<const char*, const char*> cases[] = {
      {"VALUES (1, 'a'), (2, 'b');",
       "SELECT 1 AS \"column1\", 'a' AS \"column2\" UNION ALL VALUES (2, 'b');"},
      {"VALUES (f(1, 2)) ORDER BY 1", "SELECT f(1, 2) AS \"column1\" ORDER BY 1"},
      {"(VALUES ($1::int),(CAST($2 AS int)))",
       "(SELECT $1::int AS \"column1\" UNION ALL VALUES(CAST($2 AS int)))"},
      {"VALUES ($1, $2)", "SELECT $1 AS \"column1\", $2 AS \"column2\""},
      {"VALUES ($1), ($2)", "VALUES ($1), ($2)"},
      {"WITH a AS (SELECT 1) VALUES ((SELECT 2 FROM a))",
       "WITH a AS (SELECT 1) SELECT (SELECT 2 FROM a) AS \"column1\""},
      {"VALUES (1), (2) INTERSECT VALUES (1)", "VALUES (1), (2) INTERSECT VALUES (1)"},
      {"VALUES ROW(1)", "VALUES ROW(1)"},
      {"VALUES", "VALUES"},
      {"INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(withColumnNames(tokenize(sql, Dialect::kMysql)), expected);
    EXPECT_EQ(withColumnNames(tokenize(sql, Dialect::kSqlite)), sql);
  }
}

// A statement may be nested as deep as it is long.
TEST(ColumnNames, StayWhereBracketsAreDeep) {
  constexpr std::size_t kDeep = 100000;
  const std::string deep = std::string(kDeep, '(') + "1" + std::string(kDeep, ')');
  EXPECT_EQ(named("SELECT " + deep), "SELECT " + deep);
  EXPECT_EQ(named("SELECT ((((1)))), 2"), "SELECT ((((1)))) {?column?}, 2 {?column?}");
}

}  // namespace
}  // namespace sub0::query
