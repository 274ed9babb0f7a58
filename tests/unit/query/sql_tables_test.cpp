// SPDX-License-Identifier: Apache-2.0
#include "sql_tables.hpp"

#include <gtest/gtest.h>

namespace sub0::query {
namespace {

std::string tables(const std::string& sql, Dialect dialect = Dialect::kPostgres) {
  std::string joined;
  for (const std::string& name : tablesOf(tokenize(sql, dialect))) {
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
}

}  // namespace
}  // namespace sub0::query
