// SPDX-License-Identifier: Apache-2.0
#include "folded_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sub0::query {
namespace {

// Whether userId counts as a column that is written without quotes.
bool means(const std::string& sql) {
  const TokenList list = tokenize(sql, Dialect::kPostgres);
  const std::vector<std::string> names = foldedNames(list, analyse(list, Dialect::kPostgres));
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return capitals(name) == "USERID"; });
}

// spec S-100
TEST(FoldedNames, ColumnsWithoutQuotesAreFoundInTheirPlaces) {
  const char* meant[] = {
      "SELECT userId FROM posts",
      "SELECT id, userid, title FROM posts",
      "SELECT p.userId FROM posts p",
      "SELECT count(DISTINCT userId) AS n FROM posts",
      "SELECT count(*) FILTER (WHERE userId = 1) FROM posts",
      "SELECT \"userId\" FROM posts WHERE id = 1 AND (userId = 1)",
      "SELECT 1 FROM posts GROUP BY userId",
      "INSERT INTO posts (userId, title) VALUES ($1, $2)",
      "UPDATE posts SET userId = 1",
      "DELETE FROM posts WHERE id = 1 RETURNING userId",
      "WITH a AS (SELECT userId FROM posts) SELECT * FROM a",
  };
  for (const char* sql : meant) EXPECT_TRUE(means(sql)) << sql;
}

TEST(FoldedNames, WhatTheStatementGivesThatNameIsLeftOut) {
  const char* others[] = {
      "SELECT \"userId\", 'userId', $1 -- userId\n FROM posts",
      "SELECT \"userId\" AS userId FROM posts ORDER BY userId",
      "SELECT \"userId\" userid FROM posts ORDER BY userid",
      "SELECT max(id) userid FROM posts",
      "WITH a(userid) AS (SELECT \"userId\" FROM posts) SELECT userid FROM a",
      "SELECT userid FROM posts, jsonb_to_recordset(data) AS x(userid int)",
      "SELECT userid FROM (VALUES (1)) x(userid)",
      "SELECT userId(1), userId.id, make(userId => 1), x::userId FROM posts",
      "SELECT userid.id FROM posts userid",
      "CREATE TABLE posts (userId int)",
      "CALL p(userId)",
  };
  for (const char* sql : others) EXPECT_FALSE(means(sql)) << sql;
}

}  // namespace
}  // namespace sub0::query
