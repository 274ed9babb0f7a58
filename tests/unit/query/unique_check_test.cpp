// SPDX-License-Identifier: Apache-2.0
#include "unique_check.hpp"

#include <gtest/gtest.h>

namespace sub0::query {
namespace {

struct Made {
  UniqueCheck check;
  std::vector<std::string> of_payload;
};

Made make(const std::string& sql, const std::vector<std::string>& columns,
          Dialect dialect = Dialect::kSqlite) {
  Made made;
  const TokenList tokens = tokenize(sql, dialect);
  made.check = withUniqueCheck(tokens, analyse(tokens, dialect), columns, 9, made.of_payload);
  return made;
}

// spec S-33: the value is the parameter bound to that column
TEST(UniqueCheck, TheValueOfTheColumnIsLookedForWhereItStands) {
  const Made made = make("INSERT INTO t (a, b) VALUES ($1, lower($2)) RETURNING a", {"b"});
  EXPECT_EQ(made.check.sql,
            "INSERT INTO t (a, b) VALUES ($1, CASE WHEN EXISTS (SELECT 1 FROM t AS sub0_other "
            "WHERE sub0_other.\"b\" = (lower($2))) THEN sub0_already_exists('sub0 unique: b ') "
            "ELSE lower($2) END) RETURNING a");
  EXPECT_EQ(made.check.table, "t");
  EXPECT_TRUE(made.of_payload.empty());
  EXPECT_NE(make("INSERT INTO t (userId) VALUES ($1)", {"userId"})
                .check.sql.find("sub0_other.\"userid\" = ($1)) THEN "
                                "sub0_already_exists('sub0 unique: userId ')"),
            std::string::npos);
  EXPECT_TRUE(make("INSERT INTO s.t (a) VALUES (1)", {"a"}).check.sql.find("FROM s.t AS") !=
              std::string::npos);
}

// spec S-33: else the payload field of that name
TEST(UniqueCheck, WhereTheValueIsNoPlainOneThePayloadsIsLookedFor) {
  for (const char* sql : {"INSERT INTO t VALUES ($1, $2)", "INSERT INTO t (a) VALUES ($1)",
                          "INSERT INTO t (a, b) VALUES ($1, random())",
                          "INSERT INTO t (a, b) VALUES ($1, (SELECT 1))",
                          "INSERT INTO t (a, b) VALUES ($1, DEFAULT)"}) {
    const Made made = make(sql, {"b"});
    EXPECT_EQ(made.of_payload, std::vector<std::string>{"b"}) << sql;
    EXPECT_NE(made.check.sql.find("sub0_other.\"b\" = ($9)) THEN"), std::string::npos)
        << made.check.sql;
  }
}

// spec S-33: PostgreSQL wants to know of what type the value is that is not given
TEST(UniqueCheck, OnPostgresTheGuardHasTheTypeOfTheColumnThatItStandsIn) {
  const std::string sql =
      make("INSERT INTO t (id, b) VALUES ($1, md5($2))", {"b"}, Dialect::kPostgres).check.sql;
  EXPECT_NE(sql.find("THEN (SELECT sub0_other.\"id\" FROM t"), std::string::npos) << sql;
  const Made made = make("INSERT INTO t VALUES ($1, $2)", {"b"}, Dialect::kPostgres);
  EXPECT_FALSE(made.check.warning.empty());
  EXPECT_TRUE(made.of_payload.empty());
}

// spec S-33
TEST(UniqueCheck, WhatCannotBeLookedForIsToldAndOnlyAnInsertIsTaken) {
  EXPECT_FALSE(make("UPDATE t SET a = 1", {"a"}).check.error.empty());
  EXPECT_FALSE(make("INSERT INTO t (a) VALUES (1)", {"a'"}).check.error.empty());
  for (const char* sql :
       {"INSERT INTO t (a) SELECT 1", "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT OR REPLACE INTO t (a) VALUES (1)"}) {
    const Made made = make(sql, {"a"});
    EXPECT_FALSE(made.check.warning.empty()) << sql;
    EXPECT_EQ(made.check.sql, sql);
    EXPECT_EQ(made.check.table, "t");
  }
  const std::string sql = "INSERT INTO t (a) VALUES ($1)";
  EXPECT_EQ(make(sql, {"a"}, Dialect::kMysql).check.sql, sql);
}

// spec S-52, S-33: what a client sends is no message
TEST(UniqueCheck, OnlyTheMarksOfTheStatementAreBelieved) {
  const std::string sql = make("INSERT INTO t (a) VALUES ($1)", {"a"}).check.sql;
  EXPECT_EQ(columnThatExists("sub0 unique: a ", sql), "a");
  EXPECT_EQ(columnThatExists("invalid input syntax for type integer: \"sub0 unique: a 0.5\"", sql),
            "a");
  EXPECT_EQ(columnThatExists("invalid: \"sub0 unique: b 0.5\"", sql), "");
  EXPECT_EQ(columnThatExists("something else", sql), "");
}

}  // namespace
}  // namespace sub0::query
