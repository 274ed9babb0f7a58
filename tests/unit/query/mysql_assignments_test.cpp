// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_assignments.hpp"

#include <gtest/gtest.h>

namespace sub0::query {
namespace {

std::string shown(const std::string& sql) {
  std::string text;
  for (const MysqlAssignment& one : assignmentsOf(sql)) {
    text += std::to_string(one.place) + "=" +
            (one.column.empty() ? std::to_string(one.ordinal) : one.column) + " ";
  }
  return text;
}

// spec S-30
TEST(MysqlAssignments, AParameterByItselfBelongsToItsColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"INSERT INTO t (a, `b`, \"c\") VALUES (?, 1, ?), (f(?), ?, ? + 1)", "0=a 1=c 3=b "},
      {"INSERT INTO s.t VALUES (?, (SELECT ?), ?)", "0=1 2=3 "},
      {"REPLACE t (a) VALUE (?)", "0=a "},
      {"INSERT INTO t SET a=?,b = ?", "0=a 1=b "},
      {"INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE b = ?, c = c + ?", "0=a 1=b "},
      {"INSERT INTO t (a) SELECT ? FROM u", ""},
      {"INSERT IGNORE INTO t (a) VALUES (?)", ""},
      {"UPDATE t SET a = ?, b = ?-1, t.c=? WHERE d = ?", "0=a 2=c "},
      {"UPDATE LOW_PRIORITY t AS x SET x.a = ? ORDER BY b LIMIT ?", "0=a "},
      {"UPDATE t x SET a = ?", "0=a "},
      {"UPDATE t JOIN u ON t.a = u.a SET t.b = ?", ""},
      {"UPDATE t, u SET t.b = ?", ""},
      {"DELETE FROM t WHERE a = ?", ""},
      {"INSERT INTO t (a", ""},
      {"INSERT INTO t VALUES (?", ""},
      {"UPDATE", ""},
      {"UPDATE t SET", ""},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(shown(sql), expected) << sql;
  }
}

TEST(MysqlAssignments, TellsFractions) {
  const auto has = [](DataParameter::Kind kind, const char* text, double real = 0) {
    DataParameter parameter;
    parameter.kind = kind;
    parameter.text = text;
    parameter.real = real;
    return hasFraction(parameter);
  };
  using Kind = DataParameter::Kind;
  EXPECT_TRUE(has(Kind::kDecimal, "4.5"));
  EXPECT_TRUE(has(Kind::kDecimal, "123456789012345678.9"));
  EXPECT_FALSE(has(Kind::kDecimal, "4.00"));
  EXPECT_FALSE(has(Kind::kDecimal, "4"));
  EXPECT_TRUE(has(Kind::kText, " 4.5"));
  EXPECT_TRUE(has(Kind::kText, "1e-3"));
  EXPECT_FALSE(has(Kind::kText, "4.0"));
  EXPECT_FALSE(has(Kind::kText, "abc"));
  EXPECT_FALSE(has(Kind::kText, ""));
  EXPECT_TRUE(has(Kind::kReal, "", 0.25));
  EXPECT_FALSE(has(Kind::kReal, "", 1e300));
  EXPECT_FALSE(has(Kind::kInteger, ""));
  EXPECT_FALSE(has(Kind::kNull, ""));
}

}  // namespace
}  // namespace sub0::query
