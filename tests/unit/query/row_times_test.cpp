// SPDX-License-Identifier: Apache-2.0
#include "row_times.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "sqlite/sqlite_rewrite.hpp"

// spec S-34: what a statement becomes; where SQLite knows it, SQLite must take it, and as many
// parameters as before.
namespace sub0::query::row_times_test {
namespace {

using Rewrite = RowTimes (*)(const TokenList&, const Analysis&);

struct Case {
  std::string before;
  std::string after;
  bool is_of_both = true;  // false: PostgreSQL alone knows it
};

class Database {
 public:
  Database() {
    sqlite3_open(":memory:", &handle_);
    sqlite3_exec(handle_,
                 "CREATE TABLE t (a, b, c, deleted_at, created_at, updated_at, \"Odd \" UNIQUE);"
                 "CREATE TABLE u (a, b, c); CREATE TABLE \"set\" (a, updated_at); CREATE UNIQUE "
                 "INDEX i ON t (a)",
                 nullptr, nullptr, nullptr);
  }
  ~Database() { sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // The number of parameters, or what is wrong.
  std::string look(const std::string& sql) {
    const Rewritten rewritten = rewriteForSqlite(tokenize(sql, Dialect::kSqlite));
    if (!rewritten.errors.empty()) return rewritten.errors.front();
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_, rewritten.sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      return sqlite3_errmsg(handle_);
    }
    const int count = sqlite3_bind_parameter_count(statement);
    sqlite3_finalize(statement);
    return std::to_string(count);
  }

 private:
  sqlite3* handle_ = nullptr;
};

RowTimes made(Rewrite rewrite, const std::string& sql, Dialect dialect = Dialect::kPostgres) {
  const TokenList list = tokenize(sql, dialect);
  const Analysis analysis = analyse(list, dialect);
  EXPECT_TRUE(analysis.errors.empty()) << sql;
  return rewrite(list, analysis);
}

std::uint32_t countOf(const std::string& sql) {
  const TokenList list = tokenize(sql, Dialect::kSqlite);
  return analyse(list, Dialect::kSqlite).parameter_count;
}

void expectAll(Rewrite rewrite, const std::vector<Case>& cases) {
  Database database;
  for (const Case& one : cases) {
    const RowTimes got = made(rewrite, one.before);
    EXPECT_EQ(got.error, "") << one.before;
    EXPECT_EQ(got.sql, one.after);
    // Done again, nothing changes.
    EXPECT_EQ(made(rewrite, got.sql).sql, one.after) << one.before;
    if (one.is_of_both) {
      EXPECT_EQ(database.look(one.after), std::to_string(countOf(one.before))) << one.after;
      EXPECT_EQ(made(rewrite, one.before, Dialect::kSqlite).sql, one.after);
    }
  }
}

const std::string kTouched = "updated_at = CURRENT_TIMESTAMP, ";

TEST(RowTimes, AnUpdateSetsUpdatedAtFirst) {
  expectAll(
      withTimestamps,
      {
          {"UPDATE t SET a = $1 WHERE b = $2", "UPDATE t SET " + kTouched + "a = $1 WHERE b = $2"},
          {"update t set a = 1", "update t set " + kTouched + "a = 1"},
          {"UPDATE t SET a = 1;", "UPDATE t SET " + kTouched + "a = 1;"},
          {"UPDATE t AS x SET a = 1 WHERE x.b = 2 RETURNING a",
           "UPDATE t AS x SET " + kTouched + "a = 1 WHERE x.b = 2 RETURNING a"},
          {"UPDATE t x SET a = 1", "UPDATE t x SET " + kTouched + "a = 1", false},
          {"UPDATE ONLY public.t SET a = 1", "UPDATE ONLY public.t SET " + kTouched + "a = 1",
           false},
          {"UPDATE t SET a = u.a FROM u WHERE u.b = t.b",
           "UPDATE t SET " + kTouched + "a = u.a FROM u WHERE u.b = t.b"},
          {"UPDATE t SET (a, b) = ($1, $2)", "UPDATE t SET " + kTouched + "(a, b) = ($1, $2)"},
          {"UPDATE t SET a = (SELECT max(b) FROM u WHERE updated_at = 1)",
           "UPDATE t SET " + kTouched + "a = (SELECT max(b) FROM u WHERE updated_at = 1)"},
          {"UPDATE t SET a = 'updated_at = 1', b = 2",
           "UPDATE t SET " + kTouched + "a = 'updated_at = 1', b = 2"},
          {"UPDATE t SET a = updated_at WHERE updated_at < $1",
           "UPDATE t SET " + kTouched + "a = updated_at WHERE updated_at < $1"},
          {"UPDATE t SET -- updated_at\n a = 1",
           "UPDATE t SET -- updated_at\n " + kTouched + "a = 1"},
          {"UPDATE t SET\"a\"=1", "UPDATE t SET " + kTouched + "\"a\"=1"},
          {"UPDATE t SET/**/a = 1", "UPDATE t SET/**/" + kTouched + "a = 1"},
          {"UPDATE t SET a = b IS DISTINCT FROM c",
           "UPDATE t SET " + kTouched + "a = b IS DISTINCT FROM c"},
          {"WITH x AS (SELECT a FROM u) UPDATE t SET a = x.a FROM x",
           "WITH x AS (SELECT a FROM u) UPDATE t SET " + kTouched + "a = x.a FROM x"},
          {"UPDATE \"t\" SET \"a\" = 1", "UPDATE \"t\" SET " + kTouched + "\"a\" = 1"},
          {"UPDATE \"set\" SET a = 1", "UPDATE \"set\" SET " + kTouched + "a = 1"},
          // It does so itself.
          {"UPDATE t SET updated_at = now() WHERE a = 1",
           "UPDATE t SET updated_at = now() WHERE a = 1"},
          {"UPDATE t SET a = 1, UPDATED_AT = $1", "UPDATE t SET a = 1, UPDATED_AT = $1"},
          {"UPDATE t SET a = 1, \"updated_at\" = $1", "UPDATE t SET a = 1, \"updated_at\" = $1"},
          {"UPDATE t SET (a, updated_at) = ($1, $2)", "UPDATE t SET (a, updated_at) = ($1, $2)"},
      });
}

TEST(RowTimes, AnInsertGivesBoth) {
  const std::string columns = ", created_at, updated_at)";
  const std::string values = ", CURRENT_TIMESTAMP, CURRENT_TIMESTAMP";
  expectAll(
      withTimestamps,
      {
          {"INSERT INTO t (a) VALUES ($1)",
           "INSERT INTO t (a" + columns + " VALUES ($1" + values + ")"},
          {"INSERT INTO t (a, b) VALUES ($1, 'x)'), (f(2), (3)), (4, 5);",
           "INSERT INTO t (a, b" + columns + " VALUES ($1, 'x)'" + values + "), (f(2), (3)" +
               values + "), (4, 5" + values + ");",
           false},
          {"insert into public.t(a) values(1)returning a",
           "insert into public.t(a" + columns + " values(1" + values + ")returning a", false},
          {"INSERT INTO t AS x (a) VALUES (1)",
           "INSERT INTO t AS x (a" + columns + " VALUES (1" + values + ")"},
          {"INSERT OR IGNORE INTO t (a) VALUES (1)",
           "INSERT OR IGNORE INTO t (a" + columns + " VALUES (1" + values + ")"},
          {"REPLACE INTO t (a) VALUES (1)",
           "REPLACE INTO t (a" + columns + " VALUES (1" + values + ")"},
          {"INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES (1)",
           "INSERT INTO t (a" + columns + " OVERRIDING SYSTEM VALUE VALUES (1" + values + ")",
           false},
          {"INSERT INTO t DEFAULT VALUES RETURNING a",
           "INSERT INTO t (created_at, updated_at) VALUES (CURRENT_TIMESTAMP, CURRENT_TIMESTAMP) "
           "RETURNING a"},
          {"INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING",
           "INSERT INTO t (a" + columns + " VALUES (1" + values + ") ON CONFLICT (a) DO NOTHING"},
          {"INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE "
           "t.c = 1 RETURNING *",
           "INSERT INTO t (a, b" + columns + " VALUES (1, 2" + values +
               ") ON CONFLICT (a) DO UPDATE SET " + kTouched +
               "b = excluded.b WHERE t.c = 1 RETURNING *"},
          {"INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET updated_at = 5",
           "INSERT INTO t (a" + columns + " VALUES (1" + values +
               ") ON CONFLICT (a) DO UPDATE SET updated_at = 5"},
          {"INSERT INTO t (a) SELECT a FROM u WHERE b = $1",
           "INSERT INTO t (a" + columns + " SELECT a" + values + " FROM u WHERE b = $1"},
          {"INSERT INTO t (a) SELECT $1", "INSERT INTO t (a" + columns + " SELECT $1" + values},
          {"INSERT INTO t (a) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM u)",
           "INSERT INTO t (a" + columns + " SELECT $1" + values +
               " WHERE NOT EXISTS (SELECT 1 FROM u)"},
          {"INSERT INTO t (a, b) SELECT a IS DISTINCT FROM b, c AS \"from\" FROM u JOIN u AS v ON "
           "u.a = v.a GROUP BY 1",
           "INSERT INTO t (a, b" + columns + " SELECT a IS DISTINCT FROM b, c AS \"from\"" +
               values + " FROM u JOIN u AS v ON u.a = v.a GROUP BY 1",
           false},
          {"INSERT INTO t (a, b) SELECT DISTINCT ON (a) a, b FROM u ORDER BY a",
           "INSERT INTO t (a, b" + columns + " SELECT DISTINCT ON (a) a, b" + values +
               " FROM u ORDER BY a",
           false},
          {"INSERT INTO t (a) SELECT DISTINCT a FROM u",
           "INSERT INTO t (a" + columns + " SELECT DISTINCT a" + values + " FROM u"},
          {"INSERT INTO t (a) SELECT a AS offset FROM u",
           "INSERT INTO t (a" + columns + " SELECT a AS offset" + values + " FROM u"},
          {"INSERT INTO t (a) SELECT (SELECT b FROM u LIMIT 1) FROM u ON CONFLICT DO NOTHING",
           "INSERT INTO t (a" + columns + " SELECT (SELECT b FROM u LIMIT 1)" + values +
               " FROM u ON CONFLICT DO NOTHING",
           false},
          {"INSERT INTO t (a) SELECT a FROM u UNION ALL SELECT b FROM u ORDER BY 1 LIMIT 3",
           "INSERT INTO t (a" + columns + " SELECT a" + values + " FROM u UNION ALL SELECT b" +
               values + " FROM u ORDER BY 1 LIMIT 3"},
          {"INSERT INTO t (a) WITH x AS (SELECT a FROM u) SELECT a FROM x",
           "INSERT INTO t (a" + columns + " WITH x AS (SELECT a FROM u) SELECT a" + values +
               " FROM x"},
          {"WITH x AS (INSERT INTO u (a) VALUES (1) RETURNING a) INSERT INTO t (a) SELECT a FROM x",
           "WITH x AS (INSERT INTO u (a) VALUES (1) RETURNING a) INSERT INTO t (a" + columns +
               " SELECT a" + values + " FROM x",
           false},
          {"INSERT INTO t (a) VALUES (1) -- (created_at)",
           "INSERT INTO t (a" + columns + " VALUES (1" + values + ") -- (created_at)"},
          // It does so itself, in part or in full.
          {"INSERT INTO t (a, created_at) VALUES (1, $1)",
           "INSERT INTO t (a, created_at, updated_at) VALUES (1, $1, CURRENT_TIMESTAMP)"},
          {"INSERT INTO t (\"updated_at\", a) VALUES ($1, 1)",
           "INSERT INTO t (\"updated_at\", a, created_at) VALUES ($1, 1, CURRENT_TIMESTAMP)"},
          {"INSERT INTO t (Created_At, updated_at) TABLE u",
           "INSERT INTO t (Created_At, updated_at) TABLE u", false},
      });
  // To PostgreSQL alone OFFSET is no name.
  EXPECT_EQ(made(withTimestamps, "INSERT INTO t (a, b) SELECT a + offset, offset FROM u",
                 Dialect::kSqlite)
                .sql,
            "INSERT INTO t (a, b" + columns + " SELECT a + offset, offset" + values + " FROM u");
  EXPECT_EQ(made(withTimestamps, "INSERT INTO t (a) SELECT $1 OFFSET 0").sql,
            "INSERT INTO t (a" + columns + " SELECT $1" + values + " OFFSET 0");
}

TEST(RowTimes, ADeleteBecomesAnUpdate) {
  const std::string set = " SET deleted_at = CURRENT_TIMESTAMP";
  expectAll(withSoftDelete,
            {
                {"UPDATE t SET a = 1", "UPDATE t SET a = 1"},  // is not meant: see below
                {"UPDATE t" + set + " WHERE (a = 1) AND deleted_at IS NULL",
                 "UPDATE t" + set + " WHERE (a = 1) AND deleted_at IS NULL"},
            });
  Database database;
  const std::vector<Case> cases = {
      {"DELETE FROM t WHERE a = $1", "UPDATE t" + set + " WHERE (a = $1) AND deleted_at IS NULL"},
      {"DELETE FROM t", "UPDATE t" + set + " WHERE deleted_at IS NULL"},
      {"delete from t ;", "UPDATE t" + set + " WHERE deleted_at IS NULL ;"},
      {"DELETE FROM t WHERE a = 1 OR b = 2",
       "UPDATE t" + set + " WHERE (a = 1 OR b = 2) AND deleted_at IS NULL"},
      {"DELETE FROM t WHERE a = 1 RETURNING a, b;",
       "UPDATE t" + set + " WHERE (a = 1) AND deleted_at IS NULL RETURNING a, b;"},
      {"DELETE FROM t WHERE(a=1)RETURNING a",
       "UPDATE t" + set + " WHERE((a=1)) AND deleted_at IS NULL RETURNING a"},
      {"DELETE FROM\"t\"WHERE\"a\"=1",
       "UPDATE\"t\"" + set + " WHERE(\"a\"=1) AND deleted_at IS NULL"},
      {"DELETE FROM t RETURNING *", "UPDATE t" + set + " WHERE deleted_at IS NULL RETURNING *"},
      {"DELETE FROM t AS x WHERE x.a = 1",
       "UPDATE t AS x" + set + " WHERE (x.a = 1) AND deleted_at IS NULL"},
      {"DELETE FROM t x WHERE x.a = 1",
       "UPDATE t x" + set + " WHERE (x.a = 1) AND deleted_at IS NULL", false},
      {"DELETE FROM ONLY s.t * WHERE a = 1",
       "UPDATE ONLY s.t *" + set + " WHERE (a = 1) AND deleted_at IS NULL", false},
      {"DELETE FROM t USING u WHERE t.a = u.a AND u.b = $1",
       "UPDATE t" + set + " FROM u WHERE (t.a = u.a AND u.b = $1) AND t.deleted_at IS NULL", false},
      {"DELETE FROM t AS x USING u AS y JOIN u ON true WHERE x.a = y.a",
       "UPDATE t AS x" + set +
           " FROM u AS y JOIN u ON true WHERE (x.a = y.a) AND x.deleted_at IS NULL",
       false},
      {"DELETE FROM t WHERE a IN (SELECT a FROM u WHERE b = 1 ORDER BY 1 LIMIT 2)",
       "UPDATE t" + set +
           " WHERE (a IN (SELECT a FROM u WHERE b = 1 ORDER BY 1 LIMIT 2)) AND "
           "deleted_at IS NULL"},
      {"WITH x AS (SELECT a FROM u) DELETE FROM t WHERE a IN (SELECT a FROM x)",
       "WITH x AS (SELECT a FROM u) UPDATE t" + set +
           " WHERE (a IN (SELECT a FROM x)) AND deleted_at IS NULL"},
      {"DELETE FROM t WHERE a = 1 -- deleted_at IS NULL\n",
       "UPDATE t" + set + " WHERE (a = 1) AND deleted_at IS NULL -- deleted_at IS NULL\n"},
      {"DELETE /* x */ FROM \"t\" WHERE b = 'RETURNING'",
       "UPDATE \"t\"" + set + " WHERE (b = 'RETURNING') AND deleted_at IS NULL"},
      // Of another table, or not of all rows: it does not ask.
      {"DELETE FROM t USING u WHERE t.a = u.a AND u.deleted_at IS NULL",
       "UPDATE t" + set +
           " FROM u WHERE (t.a = u.a AND u.deleted_at IS NULL) AND t.deleted_at IS NULL",
       false},
      {"DELETE FROM t AS x USING t AS y WHERE x.a = y.b AND deleted_at IS NULL",
       "UPDATE t AS x" + set +
           " FROM t AS y WHERE (x.a = y.b AND deleted_at IS NULL) AND x.deleted_at IS NULL",
       false},
      {"DELETE FROM t WHERE CASE WHEN a = 1 AND deleted_at IS NULL AND b = 2 THEN 0 ELSE 1 END",
       "UPDATE t" + set +
           " WHERE (CASE WHEN a = 1 AND deleted_at IS NULL AND b = 2 THEN 0 ELSE 1 END) AND "
           "deleted_at IS NULL"},
      {"DELETE FROM t WHERE a BETWEEN 1 AND deleted_at IS NULL",
       "UPDATE t" + set + " WHERE (a BETWEEN 1 AND deleted_at IS NULL) AND deleted_at IS NULL"},
      {"DELETE FROM t WHERE \"Deleted_At\" IS NULL",
       "UPDATE t" + set + " WHERE (\"Deleted_At\" IS NULL) AND deleted_at IS NULL"},
      // It asks itself.
      {"DELETE FROM t USING u WHERE t.deleted_at IS NULL AND t.a = u.a",
       "UPDATE t" + set + " FROM u WHERE t.deleted_at IS NULL AND t.a = u.a", false},
      {"DELETE FROM t WHERE a = 1 AND deleted_at IS NULL",
       "UPDATE t" + set + " WHERE a = 1 AND deleted_at IS NULL"},
      {"DELETE FROM t WHERE Deleted_At is null AND a = 1",
       "UPDATE t" + set + " WHERE Deleted_At is null AND a = 1"},
      {"DELETE FROM t WHERE t.deleted_at IS NULL",
       "UPDATE t" + set + " WHERE t.deleted_at IS NULL"},
      {"DELETE FROM t WHERE a = 1 OR deleted_at IS NULL",
       "UPDATE t" + set + " WHERE (a = 1 OR deleted_at IS NULL) AND deleted_at IS NULL"},
      {"DELETE FROM t WHERE deleted_at IS NOT NULL",
       "UPDATE t" + set + " WHERE (deleted_at IS NOT NULL) AND deleted_at IS NULL"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(made(withSoftDelete, one.before).sql, one.after);
    if (one.is_of_both) {
      EXPECT_EQ(database.look(one.after), std::to_string(countOf(one.before))) << one.after;
    }
  }
}

// To PostgreSQL "Updated_At" is another column; to SQLite it is the same.
TEST(RowTimes, NamesInQuotesAreTheDatabases) {
  const std::string sql = "UPDATE t SET a = 1, \"Updated_At\" = 2";
  EXPECT_EQ(made(withTimestamps, sql).sql,
            "UPDATE t SET " + kTouched + "a = 1, \"Updated_At\" = 2");
  EXPECT_EQ(made(withTimestamps, sql, Dialect::kSqlite).sql, sql);
}

TEST(RowTimes, ASoftDeleteMayKeepTheTimeOfItsUpdateToo) {
  const RowTimes soft = made(withSoftDelete, "DELETE FROM t WHERE a = 1");
  EXPECT_EQ(made(withTimestamps, soft.sql).sql,
            "UPDATE t SET updated_at = CURRENT_TIMESTAMP, deleted_at = CURRENT_TIMESTAMP WHERE (a "
            "= 1) AND deleted_at IS NULL");
}

TEST(RowTimes, WhatCannotBeReadThroughIsRefused) {
  for (const char* sql : {
           "INSERT INTO t VALUES (1)",
           "INSERT INTO t SELECT 1",
           "INSERT INTO t (SELECT 1)",
           "INSERT INTO t ((SELECT 1))",
           "INSERT INTO t (a) TABLE u",
           "INSERT INTO t (a) (SELECT a FROM u)",
           "INSERT INTO t (a) VALUES (1) UNION SELECT 2",
           "INSERT INTO t (a) SELECT a FROM u UNION VALUES (1)",
           "INSERT INTO t (a) SELECT a FROM u UNION (SELECT 1)",
           "INSERT INTO t (a, b) SELECT a, offset FROM u",
           "INSERT INTO t (a) SELECT FROM u",
           "INSERT INTO t (a) VALUES",
           "INSERT INTO",
           "INSERT t",
           "UPDATE t",
       }) {
    EXPECT_NE(made(withTimestamps, sql).error, "") << sql;
  }
  for (const char* sql : {
           "DELETE FROM t WHERE CURRENT OF c",
           "DELETE FROM t WHERE a = 1 ORDER BY a LIMIT 1",
           "DELETE FROM t INDEXED BY i WHERE a = 1",
           "DELETE FROM t NOT INDEXED",
           "DELETE FROM t AS x INDEXED BY i WHERE a = 1",
           "DELETE FROM t AS [x] WHERE a = 1",
           "DELETE FROM t LIMIT 1",
           "DELETE FROM t WHERE",
           "DELETE FROM",
           "DELETE t",
           "DELETE",
       }) {
    EXPECT_NE(made(withSoftDelete, sql).error, "") << sql;
  }
}

TEST(RowTimes, OtherStatementsStayAndAreSaidToBeNotMeant) {
  for (const char* sql : {"SELECT 1", "UPDATE t SET a = 1", "INSERT INTO t (a) VALUES (1)"}) {
    EXPECT_FALSE(made(withSoftDelete, sql).is_meant);
    EXPECT_EQ(made(withSoftDelete, sql).sql, sql);
  }
  for (const char* sql : {"SELECT 1", "DELETE FROM t", "WITH x AS (UPDATE t SET a = 1) SELECT 1"}) {
    EXPECT_FALSE(made(withTimestamps, sql).is_meant);
    EXPECT_EQ(made(withTimestamps, sql).sql, sql);
  }
}

}  // namespace
}  // namespace sub0::query::row_times_test
