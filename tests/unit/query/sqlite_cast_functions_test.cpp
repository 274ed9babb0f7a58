// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_cast_functions.hpp"

#include <gtest/gtest.h>

#include "sqlite/sqlite_rewrite.hpp"

namespace sub0::query::sqlite_cast_functions_test {
namespace {

class SqliteCastFunctions : public ::testing::Test {
 protected:
  SqliteCastFunctions() {
    sqlite3_open(":memory:", &database_);
    addCastFunctions(database_);
  }
  ~SqliteCastFunctions() override { sqlite3_close(database_); }

  // The first value of what PostgreSQL's SQL answers: quoted, as quote() shows it.
  std::string answer(const std::string& expression) {
    const std::string sql =
        rewriteForSqlite(tokenize("SELECT quote(" + expression + ")", Dialect::kSqlite)).sql;
    return run(sql, 0);
  }
  std::string run(const std::string& sql, int column) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr);
    std::string text;
    if (sqlite3_step(statement) == SQLITE_ROW) {
      text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    } else {
      text = isErrorOfCast(sqlite3_errmsg(database_)) ? "refused" : sqlite3_errmsg(database_);
    }
    sqlite3_finalize(statement);
    return text;
  }

  sqlite3* database_ = nullptr;
};

using Case = std::pair<const char*, const char*>;

// spec S-30
TEST_F(SqliteCastFunctions, NumbersAreRoundedAsPostgresqlDoes) {
  const Case cases[] = {
      {"(3.5 * 2.5)::int", "9"},
      {"2.7::integer", "3"},
      {"(-2.5)::int", "-3"},
      {"0.49999::int", "0"},
      {"(1.005 * 100)::int", "101"},
      {"9007199254740993::bigint", "9007199254740993"},
      {"'9223372036854775807'::bigint", "9223372036854775807"},
      {"9e18::bigint", "9000000000000000000"},
      {"' +12 '::int", "12"},
      {"'-7'::int", "-7"},
      {"true::int", "1"},
      {"(19.99 * 3.5)::numeric(10,2)", "69.97"},
      {"(-0.001)::numeric(10,2)", "0.0"},
      {"'1.005'::numeric(10,2)", "1.01"},
      {"'-1e2'::numeric(5,1)", "-100"},
      {"9.995::numeric(4,2)", "10.0"},
      {"9007199254740993::numeric(20,2)", "9007199254740993"},
      {"'.5'::numeric", "0.5"},
      {"'007.50'::float8", "7.5"},
      {"3::float8", "3.0"},
      {"12.5::numeric(3)", "13.0"},
  };
  for (const auto& [expression, expected] : cases) {
    EXPECT_EQ(answer(expression), expected) << expression;
  }
}

TEST_F(SqliteCastFunctions, TextsAreCutReadOrRefused) {
  const Case cases[] = {
      {"'abcdef'::varchar(3)", "'abc'"},
      {"'äöü'::char(2)", "'äö'"},
      {"12345::character varying(2)", "'12'"},
      {"'abc'::boolean", "refused"},
      {"'o'::boolean", "refused"},
      {"''::boolean", "refused"},
      {"' TRUE'::boolean", "1"},
      {"'of'::bool", "0"},
      {"'n'::bool", "0"},
      {"2::bool", "1"},
      {"'2026-02-28'::date", "'2026-02-28'"},
      {"'2024-02-29T23:30:00.000Z'::date", "'2024-02-29'"},
      {"'2026-01-31 23:30:00-05:00'::date", "'2026-02-01'"},
      {"'today'::date = date('now')", "1"},
      {"'2026-02-29'::date", "refused"},
      {"'2026-13-45'::date", "refused"},
      {"'7.6'::date", "refused"},
      {"7::date", "refused"},
  };
  for (const auto& [expression, expected] : cases) {
    EXPECT_EQ(answer(expression), expected) << expression;
  }
}

TEST_F(SqliteCastFunctions, WhatIsNoNumberIsRefused) {
  for (const std::string expression :
       {"'12abc'::int", "'abc'::int", "''::int", "'7.6'::int", "1e19::bigint",
        "'9223372036854775808'::bigint", "'1e5x'::numeric", "'.'::float8", "'--1'::numeric",
        "'1e999999'::numeric(10,2)", "1000.0::numeric(5,2)", "999.995::numeric(5,2)",
        "1000::numeric(5,2)", "9e999::numeric(5,2)"}) {
    EXPECT_EQ(answer(expression), "refused") << expression;
  }
}

TEST_F(SqliteCastFunctions, NullStaysNull) {
  for (const std::string type :
       {"int", "numeric", "numeric(5,2)", "float8", "bool", "date", "varchar(3)", "text"}) {
    EXPECT_EQ(answer("NULL::" + type), "NULL") << type;
  }
}

TEST_F(SqliteCastFunctions, AKeyIsFoundByItsIndex) {
  sqlite3_exec(database_, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n BIGINT UNIQUE)",
               nullptr, nullptr, nullptr);
  for (const std::string column : {"id", "n"}) {
    const Rewritten rewritten = rewriteForSqlite(
        tokenize("SELECT a FROM t WHERE " + column + " = $1::int", Dialect::kSqlite));
    EXPECT_EQ(run("EXPLAIN QUERY PLAN " + rewritten.sql, 3).substr(0, 8), "SEARCH t") << column;
  }
}

TEST(SqliteRoundedDecimal, HalvesGoAwayFromZero) {
  const std::pair<std::string, std::string> cases[] = {
      {"1.005", "1.01"}, {"-1.005", "-1.01"}, {"9.995", "10.00"}, {"-99.999", "-100.00"},
      {"1.004", "1.00"}, {"7", "7"},          {"7.5", "7.5"}};
  for (const auto& [given, expected] : cases) {
    EXPECT_EQ(roundedDecimal(given, 2), expected);
  }
  EXPECT_EQ(roundedDecimal("0.5", 0), "1");
  EXPECT_EQ(roundedDecimal("-9.5", 0), "-10");
}

}  // namespace
}  // namespace sub0::query::sqlite_cast_functions_test
