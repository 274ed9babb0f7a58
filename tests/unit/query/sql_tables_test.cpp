// SPDX-License-Identifier: Apache-2.0
#include "sql_tables.hpp"

#include <gtest/gtest.h>

namespace sub0::query {
namespace {

std::string tables(const std::string& sql, Dialect dialect = Dialect::kPostgres) {
  std::string joined;
  const char* const usual_schema = dialect == Dialect::kPostgres ? "public"
                                   : dialect == Dialect::kSqlite ? "main"
                                                                 : "app";
  for (const std::string& name : tablesOf(tokenize(sql, dialect), usual_schema)) {
    joined += (joined.empty() ? "" : " ") + name;
  }
  return joined;
}

// spec S-101: only table positions of the SQL count
TEST(SqlTables, NamesInThePlacesOfTablesAreFound) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT * FROM users WHERE id = $1", "users"},
      {"select u.id from Users as u join orders o on o.user_id = u.id", "users orders"},
      {"SELECT 1 FROM a, b x, c AS y(z, w), d WHERE e = f, g", "a b c d"},
      {"SELECT 1 FROM a JOIN b ON a.id = b.id, c WHERE 1 = 1", "a b c"},
      {"SELECT 1 FROM a NATURAL LEFT OUTER JOIN b USING (id) ORDER BY x, y", "a b"},
      {"INSERT INTO users (email, name) VALUES ($1, $2) RETURNING id", "users"},
      {"INSERT INTO users AS u (email) SELECT email FROM invited ON CONFLICT (email) DO UPDATE SET "
       "email = excluded.email",
       "users invited"},
      {"UPDATE ONLY users SET name = $1 FROM teams t, groups WHERE t.id = team_id",
       "users teams groups"},
      {"DELETE FROM users USING teams, groups WHERE teams.id = team_id", "users teams groups"},
      {"SELECT 1 FROM (SELECT 2 FROM a, b) x, c", "a b c"},
      {"SELECT 1 FROM (a CROSS JOIN b), c", "a b c"},
      {"SELECT (SELECT max(x) FROM a), 1 FROM b", "a b"},
      {"SELECT 1 FROM public.users, \"Public\".x, other.users", "users Public.x other.users"},
      {"SELECT 1 FROM \"userRoles\" r, \"a\"\"b\"", "userRoles a\"b"},
      {"SELECT 1 FROM a UNION ALL SELECT 2 FROM b", "a b"},
      {"MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE", "a b"},
      {"TRUNCATE TABLE a", "a"},
      {"TABLE a", "a"},
      {"SELECT 1 FROM a, LATERAL (SELECT 1 FROM b WHERE b.id = a.id) x", "a b"},
      {"CREATE TABLE IF NOT EXISTS a (id int)", "a"},
      {"SELECT 1 FROM db.public.users, db.other.users", "users other.users"},
      {"UPDATE ONLY (users) SET name = $1", "users"},
      {"DELETE FROM users USING (teams t JOIN groups g ON g.id = t.id), x WHERE t.id = team_id",
       "users teams groups x"},
      {"DELETE FROM users USING (SELECT 1 FROM a) s, x", "users a x"},
      {"MERGE INTO a AS t USING (SELECT 1 FROM b) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT "
       "(x, y) VALUES (1, (SELECT max(z) FROM c))",
       "a b c"},
      {"INSERT INTO users (a, b) SELECT x, y FROM a, b", "users a b"},
      {"SELECT 1 FROM a LEFT JOIN LATERAL (SELECT 2 FROM b) x ON true, c", "a b c"},
      {"SELECT 1 FROM ((a JOIN b ON a.id = b.id) JOIN (c CROSS JOIN d) ON true), e", "a b c d e"},
      {"SELECT 1 FROM a JOIN b USING (id, x) JOIN c USING (id), d", "a b c d"},
      {"SELECT 1 FROM (TABLE users) x, (TABLE ONLY teams UNION TABLE groups) y",
       "users teams groups"},
      {"TRUNCATE a, ONLY b", "a b"},
      {"DROP TABLE IF EXISTS a, b", "a b"},
      {"SELECT (SELECT 1 FROM a), CASE WHEN EXISTS (SELECT 1 FROM b) THEN 1 END FROM c JOIN d ON "
       "d.id IN (SELECT 1 FROM e), f WHERE x = ANY (SELECT 1 FROM g) GROUP BY (SELECT 1 FROM h), i "
       "HAVING 1 < (SELECT 1 FROM j) ORDER BY (SELECT 1 FROM k), l LIMIT (SELECT 1 FROM m)",
       "a b c d e f g h j k m"},
      {"UPDATE a SET x = (SELECT 1 FROM b), y = 2 FROM c WHERE true RETURNING (SELECT 1 FROM d), z",
       "a b c d"},
      {"WITH x AS (DELETE FROM a USING b RETURNING id, n) INSERT INTO c SELECT id, n FROM x",
       "a b c"},
      {"SELECT 1 FROM f(1) WITH ORDINALITY AS x (n, o), a", "a"},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(tables(sql), expected) << sql;
  }
}

// spec S-101: not literals, aliases, columns or CTE names
TEST(SqlTables, WhatOnlyLooksLikeATableIsNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 'FROM a', $$ JOIN b $$ /* FROM c */ -- FROM d\n FROM e", "e"},
      {"SELECT extract(year FROM born), substring(name FROM 2), trim(both 'x' FROM y) FROM a", "a"},
      {"SELECT 1 FROM a WHERE x IS NOT DISTINCT FROM y", "a"},
      {"SELECT 1 FROM a FOR UPDATE OF a", "a"},
      {"SELECT 1 FROM a FOR NO KEY UPDATE", "a"},
      {"SELECT 1 FROM generate_series(1, 3) g, a", "a"},
      {"WITH x AS (SELECT 1 FROM a), y (n) AS MATERIALIZED (SELECT 2 FROM x) SELECT 3 FROM x, y, b",
       "a b"},
      {"WITH users AS (SELECT 1 FROM users) SELECT 2 FROM users", "users"},
      {"WITH RECURSIVE t AS (SELECT 1 UNION SELECT 2 FROM t) SELECT 3 FROM t", ""},
      {"SELECT 1 FROM (WITH x AS (SELECT 1) SELECT 2 FROM x) y, x", "x"},
      {"SELECT t.\"from\", u.update FROM t", "t"},
      {"CREATE INDEX i ON a USING gin (b)", ""},
      {"SELECT 1 FROM (WITH x AS (SELECT 1), y AS (SELECT 2) SELECT 3 FROM x, y) z", ""},
      {"CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f()", ""},
      {"ALTER TABLE a ADD x int, ADD y int", "a"},
      {"SELECT ARRAY[x, y] FROM a ORDER BY x USING >, z", "a"},
      {"SELECT now() AT TIME ZONE 'x', b FROM", ""},
      {"SELECT 1 FROM a WHERE id IN ($1, $2) AND (x, y) = (1, 2)", "a"},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(tables(sql), expected) << sql;
  }
}

// spec S-101
TEST(SqlTables, SqliteNamesAreInSmallLettersHoweverTheyAreWritten) {
  EXPECT_EQ(tables("SELECT 1 FROM \"Users\", main.Teams, `Groups`", Dialect::kSqlite),
            "users teams groups");
  EXPECT_EQ(tables("UPDATE OR IGNORE Users SET a = 1", Dialect::kSqlite), "users");
  EXPECT_EQ(tables("INSERT OR REPLACE INTO Users VALUES (1)", Dialect::kSqlite), "users");
  EXPECT_EQ(tables("SELECT [from].[a, b] FROM [Users] JOIN main.[order s] o ON [select] = 1, 'x'",
                   Dialect::kSqlite),
            "users order s x");
  EXPECT_EQ(tables("SELECT 1 FROM users INDEXED BY i, b NOT INDEXED", Dialect::kSqlite), "users b");
}

// spec S-101: to MariaDB and MySQL Users and users are two tables, whether quoted or not
TEST(SqlTables, MysqlHasWaysOfItsOwnToNameTables) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 1 FROM `Users`, Teams, app.groups, `app`.`a``b`, other.x",
       "Users Teams groups a`b other.x"},
      {"INSERT users (id, name) VALUES (1, 2)", "users"},
      {"INSERT LOW_PRIORITY IGNORE users SELECT x, y FROM a", "users a"},
      {"INSERT IGNORE INTO users (id) VALUES (1) ON DUPLICATE KEY UPDATE id = 2", "users"},
      {"REPLACE users VALUES (REPLACE('a', 'b', 'c'))", "users"},
      {"UPDATE LOW_PRIORITY IGNORE a, b AS x SET a.n = 1, x.n = 2", "a b"},
      {"DELETE QUICK x, y FROM a AS x JOIN b AS y", "a b"},
      {"DELETE FROM a, b USING a JOIN b JOIN c", "a b c"},
      {"SELECT 1 FROM a STRAIGHT_JOIN b", "a b"},
      {"SELECT 1 FROM a USE INDEX FOR JOIN (i), b FORCE INDEX FOR ORDER BY (j), c", "a b c"},
      {"SELECT 1 FROM a FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01', b", "a b"},
      {"SELECT CONVERT(x USING utf8mb4), y FROM a", "a"},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(tables(sql, Dialect::kMysql), expected) << sql;
  }
}

}  // namespace
}  // namespace sub0::query
