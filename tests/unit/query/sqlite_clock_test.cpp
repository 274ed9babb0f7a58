// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_clock.hpp"

#include <gtest/gtest.h>

#include "sqlite/sqlite_rewrite.hpp"

namespace sub0::query {
namespace {

std::vector<std::string> doubts(const std::string& sql) {
  return doubtfulInstants(tokenize(sql, Dialect::kSqlite));
}

// spec S-30: what datetime() gives does not compare with instants
TEST(SqliteClock, ADatetimeThatIsComparedOrStoredIsDoubtful) {
  const std::pair<const char*, std::size_t> cases[] = {
      {"SELECT a FROM t WHERE at > datetime('now','-1 hour')", 1},
      {"SELECT a FROM t WHERE datetime('now') <= at AND b = 1", 1},
      {"SELECT a FROM t WHERE at BETWEEN datetime($1) AND datetime('now')", 1},
      {"SELECT a FROM t WHERE at = coalesce(b, datetime('now'))", 1},
      {"INSERT INTO t (a, at) VALUES (1, datetime('now'), datetime())", 2},
      {"INSERT INTO t SELECT datetime('now'), 1", 1},
      {"UPDATE t SET at = DATETIME ('now'), b = 2", 1},
      {"CREATE TABLE t (at DATETIME(3) DEFAULT (datetime('now')))", 1},
  };
  for (const auto& [sql, count] : cases) {
    EXPECT_EQ(doubts(sql).size(), count) << sql;
  }
  EXPECT_EQ(doubts(cases[0].first).at(0),
            "datetime( at character 28 gives '2026-01-31 09:30:00', which does not compare with "
            "the instants that columns hold, '2026-01-31T09:30:00.000Z'; write "
            "strftime('%Y-%m-%dT%H:%M:%fZ', 'now','-1 hour')");
}

TEST(SqliteClock, OneThatIsComparedWithItsLikeOrShownIsNot) {
  for (const char* sql :
       {"SELECT a FROM t WHERE datetime(at) > datetime('now','-1 hour')",
        "SELECT a FROM t WHERE datetime(at) BETWEEN datetime($1) AND datetime($2)",
        "SELECT datetime(at), datetime(b, 'localtime') AS c FROM t ORDER BY datetime(at) DESC",
        "SELECT a FROM t WHERE at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        "SELECT a FROM t WHERE at >= date('now')", "SELECT CAST(a AS DATETIME(3)) = 1",
        "INSERT INTO t (at) VALUES ($1) RETURNING datetime(at)"}) {
    EXPECT_TRUE(doubts(sql).empty()) << sql;
  }
}

// spec S-30
TEST(SqliteClock, AnIntervalSaysWhatToWrite) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT now() - interval '1 hour'", "('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour'))"},
      {"SELECT CURRENT_TIMESTAMP + INTERVAL '2 days'", "('%Y-%m-%dT%H:%M:%fZ', 'now', '+2 days'))"},
      {"SELECT at - INTERVAL '1 month'", "('%Y-%m-%dT%H:%M:%fZ', at, '-1 month'))"},
      {"SELECT now() - $1::interval", "('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour'))"},
  };
  for (const auto& [sql, expected] : cases) {
    const Rewritten rewritten = rewriteForSqlite(tokenize(sql, Dialect::kSqlite));
    ASSERT_EQ(rewritten.errors.size(), 1U) << sql;
    EXPECT_NE(rewritten.errors[0].find(expected), std::string::npos) << rewritten.errors[0];
  }
}

}  // namespace
}  // namespace sub0::query
