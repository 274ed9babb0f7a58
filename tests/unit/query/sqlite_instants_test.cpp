// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_instants.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace sub0::query::sqlite_instants_test {
namespace {

std::string found(const std::string& sql) {
  std::string numbers;
  const auto is_at = [](const std::vector<std::string>&, const std::string& column) {
    return column == "at" || column == "until" ? ColumnOf::kInstants
           : column == "a" || column == "name" ? ColumnOf::kOthers
                                               : ColumnOf::kNone;
  };
  for (const std::uint32_t place : instantParameters(sql, is_at)) {
    numbers += std::to_string(place + 1) + " ";
  }
  return numbers;
}

// spec S-30
TEST(SqliteInstants, AreParametersBesideAColumnOfInstants) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 1 FROM t WHERE at >= ?1 AND at < ?2", "1 2 "},
      {"SELECT 1 FROM t WHERE at>=?1 AND ?2<=t.at", "1 2 "},
      {"SELECT 1 FROM t WHERE \"at\" BETWEEN ?1 AND ?2 AND a = ?3", "1 2 "},
      {"SELECT 1 FROM t WHERE at NOT BETWEEN ?1 AND ?2", "1 2 "},
      {"SELECT 1 FROM t WHERE x.at IN (?1, ?2, ?3)", "1 2 3 "},
      {"SELECT 1 FROM t WHERE at NOT IN (?1) OR ?2 IS NULL", "1 "},
      {"SELECT 1 FROM t WHERE (?1 IS NULL OR at > ?1) AND (?2 IS NOT NULL)", "1 "},
      {"SELECT 1 FROM t WHERE at > CAST(?1 AS TEXT)", "1 "},
      {"UPDATE t SET at = ?1, a = ?2, until = coalesce(?3, until) WHERE a = ?4", "1 3 "},
      {"INSERT INTO t (a, at, until) VALUES (?1, ?2, ifnull(CAST(?3 AS TEXT), ?4)), (1, ?5, ?6)",
       "2 3 4 5 6 "},
      {"INSERT INTO t (a) VALUES (?1) ON CONFLICT (a) DO UPDATE SET at = ?2", "2 "},
      // an INSERT's SELECT, and what it asks
      {"INSERT INTO t (a, at, until) SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM t WHERE at "
       "< "
       "?3 AND until > ?2)",
       "2 3 "},
      {"INSERT INTO t (at) SELECT DISTINCT ?1 AS x FROM u UNION ALL SELECT ?2 RETURNING a", "1 2 "},
      // rows, and functions that give one of their values
      {"SELECT 1 FROM t WHERE (at, a) > (?1, ?2)", "1 "},
      {"SELECT 1 FROM t WHERE (?1, 0) < (t.at, b)", "1 "},
      {"SELECT 1 FROM t WHERE coalesce(at, ?1) >= ?1", "1 "},
      {"SELECT 1 FROM t WHERE at >= coalesce(?1, at) AND ?2 > max(t.until, b)", "1 2 "},
      {"SELECT 1 FROM t HAVING max(at) >= ?1", "1 "},
      // where nothing tells what it is, it is what it is elsewhere
      {"SELECT ?1 FROM t WHERE at = ?1", "1 "},
      {"SELECT 1 FROM t, w WHERE at >= ?1 AND w.x < ?1 AND f(?1)", "1 "},
      // beside others too, or within something else
      {"SELECT 1 FROM t WHERE at = ?1 AND name = ?1", ""},
      {"SELECT 1 FROM t WHERE at = ?1 AND b LIKE ?1", ""},
      {"SELECT ?1 || 'x' FROM t WHERE at = ?1", ""},
      {"SELECT 1 FROM t WHERE coalesce(name, ?1) = at AND at > ?1", ""},
      {"SELECT 1 FROM t WHERE f(at, a) > (?1, 0) OR (at, a, b) > (?1, 0)", ""},
      {"INSERT INTO t (name, at) SELECT ?1, ?1", ""},
      {"SELECT 1 FROM t WHERE at > ?1 || 'Z' AND at > ?2 COLLATE nocase", ""},
      {"SELECT 1 FROM t WHERE b || at > ?1 AND at < substr(?2, 1)", ""},
      {"SELECT 1 FROM t WHERE a = ?1 AND at LIKE ?2", ""},
      {"INSERT INTO t (a, at) VALUES (?1, ?2 || 'Z')", ""},
      {"INSERT INTO t VALUES (?1)", ""},
      {"SELECT ?1", ""},
      {"coalesce(?1,", ""},
      {"INSERT INTO t (at) VALUES (?1", ""},
      {"SELECT '?1' = at", ""},
      {"", ""},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(found(sql), expected) << sql;
  }
}

TEST(SqliteInstants, ThoseBesideNoColumnAreTold) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 1 FROM t WHERE at >= (SELECT ?1)", "1 "},
      {"WITH p AS (SELECT ?1 AS d) SELECT 1 FROM t, p WHERE at >= p.d AND a = ?2", "1 "},
      {"INSERT INTO t VALUES (?1, ?2)", "1 2 "},
      {"SELECT 1 FROM t WHERE at >= ?1 AND (?1 IS NULL OR (SELECT ?1))", ""},
      {"SELECT 1 FROM t WHERE date(at) = date(?1) AND b LIKE ?2 AND ?3 IS NOT NULL", ""},
      {"INSERT INTO t (at) VALUES (?1)", ""},
  };
  for (const auto& [sql, expected] : cases) {
    std::string numbers;
    for (const std::uint32_t place : parametersBesideNothing(sql)) {
      numbers += std::to_string(place + 1) + " ";
    }
    EXPECT_EQ(numbers, expected) << sql;
  }
}

SqliteParameter text(const char* written) {
  SqliteParameter parameter;
  parameter.type = SQLITE_TEXT;
  parameter.text = written;
  return parameter;
}

TEST(SqliteInstants, ThoseWithAZoneGetTheFormOfColumns) {
  const SqliteParameters given = {text("2026-01-31T03:00:00+03:00"), text("2026-01-31T00:00:00Z"),
                                  text("2026-01-31T00:00:00Z")};
  SqliteParameters made;
  ASSERT_TRUE(putInForm({{0, 2}, {}}, given, made));
  EXPECT_EQ(made[0].text, "2026-01-31T00:00:00.000Z");
  EXPECT_EQ(made[1].text, "2026-01-31T00:00:00Z");
  EXPECT_EQ(made[2].text, "2026-01-31T00:00:00.000Z");
}

TEST(SqliteInstants, OthersStayAsTheyAre) {
  SqliteParameters made;
  for (const char* written : {"2026-01-31T00:00:00.000Z", "2026-01-31", "2026-01-31 00:00:00",
                              "2026-01-31T00:00:00", "yesterday, or never Z", ""}) {
    EXPECT_FALSE(putInForm({{0}, {}}, {text(written)}, made)) << written;
  }
  EXPECT_FALSE(putInForm({{0, 7}, {0, 7}}, {SqliteParameter{}}, made));
  EXPECT_FALSE(putInForm({{}, {}}, {text("2026-01-31T00:00:00Z")}, made));
}

// spec S-100
TEST(SqliteInstants, TextsBesideAColumnOfBooleansBecomeNumbers) {
  const auto look = [](const std::vector<std::string>&, const std::string& column) {
    return column == "ok" ? ColumnOf::kBooleans : ColumnOf::kOthers;
  };
  const std::string sql = "INSERT INTO t (a, ok) VALUES (?1, ?2), (?3, coalesce(?4, 0))";
  EXPECT_EQ(booleanParameters(sql, look), (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(instantParameters(sql, look), std::vector<std::uint32_t>());
  EXPECT_EQ(booleanParameters("UPDATE t SET ok = ?1 WHERE a = ?1 AND ok = ?2", look),
            std::vector<std::uint32_t>{1});
  SqliteParameters made;
  ASSERT_TRUE(putInForm({{}, {0, 1, 2, 3}},
                        {text("True"), text(" off"), text("maybe"), SqliteParameter{}}, made));
  EXPECT_EQ(made[0].type, static_cast<std::uint32_t>(SQLITE_INTEGER));
  EXPECT_EQ(made[0].integer, 1);
  EXPECT_EQ(made[1].type, static_cast<std::uint32_t>(SQLITE_INTEGER));
  EXPECT_EQ(made[1].integer, 0);
  EXPECT_EQ(made[2].text, "maybe");
  EXPECT_EQ(made[3].type, static_cast<std::uint32_t>(SQLITE_NULL));
}

}  // namespace
}  // namespace sub0::query::sqlite_instants_test
