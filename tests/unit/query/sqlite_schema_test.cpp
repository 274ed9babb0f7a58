// SPDX-License-Identifier: Apache-2.0
// What sub0.schema/1 does on SQLite alone; what it does on all databases: schema_test.cpp.
#include <gtest/gtest.h>

#include "tests/unit/query/schema_fixture.hpp"
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query::sqlite_schema_test {
namespace {

using SqliteSchema = Schema<SqliteTest>;

constexpr const char* kAdd = "INSERT INTO t (a) VALUES ('x') RETURNING id";

Tree numbered() {
  Tree id = key();
  id.set("auto_increment", Literal(true));
  return id;
}

std::vector<Tree> table(const Tree& id, bool optional = true) {
  return {model("t", {id, field("a", "String", "", optional)})};
}

// spec S-104: who had a number has it for good: a token of a deleted user is nobody else's
TEST_F(SqliteSchema, TheNumberOfADeletedRowIsNotGivenAgain) {
  make(table(numbered(), false));
  run("INSERT INTO t (id, a) VALUES (7, 'x')");
  run("DELETE FROM t");
  EXPECT_EQ(query(kAdd), R"({"id":8})");
  run("DELETE FROM t");
  make(table(numbered(), true));  // made anew, without a row
  EXPECT_EQ(query(kAdd), R"({"id":9})");
  run("DELETE FROM t WHERE id = 9");
  make({model("t", {numbered(), field("b", "String", "", true)})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(query("INSERT INTO t (b) VALUES ('x') RETURNING id"), R"({"id":10})");
  run("INSERT INTO t (id) VALUES (3)");
}

// spec S-104: also of a table that was made without, with its rows, and no rows are lost
TEST_F(SqliteSchema, AKeyThatIsThereGivesNoNumberAgainFromThenOn) {
  make(table(key()));
  run("INSERT INTO t (id, a) VALUES (1, 'x'), (2, 'y')");
  outside("CREATE TABLE t_made_anew (kept)");
  EXPECT_EQ(make(table(numbered())).steps,
            "change t: number new rows in column id, and give no number twice\n");
  run("DELETE FROM t WHERE id = 2");
  EXPECT_EQ(query(kAdd), R"({"id":3})");
  EXPECT_EQ(valueOutside("SELECT count(*) FROM t_made_anew"), "0");
}

// spec S-104: a table that no migration can make anew serves as it is, and the plan says so
TEST_F(SqliteSchema, AKeyOfSomebodyElsesTableIsNoted) {
  startedHost();
  outside(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, created_at DATETIME, updated_at DATETIME, "
      "deleted_at DATETIME)");
  const End end = migrate(table(numbered()), SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(end.code, SUB0_OK) << end.message;
  EXPECT_EQ(end.steps.find("note t: column id may give the number of a deleted row"), 0U)
      << end.steps;
  EXPECT_EQ(end.steps.find('\n'), end.steps.size() - 1) << end.steps;
}

// spec S-100: words are found by SQLite's own number of a row
TEST_F(SqliteSchema, AFieldThatHidesTheNumbersOfRowsIsRefusedWithWords) {
  make({model("plain", {key(), field("rowid", "Number", "", true)})});
  const End end = migrate({model("t", {field("rowid", "Number"), field("a", "String", "fts")})});
  EXPECT_EQ(end.code, SUB0_CONSTRAINT);
  EXPECT_NE(end.message.find("(model t): field rowid hides"), std::string::npos) << end.message;
}

Tree text(const char* name, std::int64_t length) {
  Tree tree = field(name, "String", "", true);
  tree.set("max_length", Literal(length));
  return tree;
}

// spec S-100, S-103: SQLite leaves the CHECK its old name, which says nothing of what it holds
TEST_F(SqliteSchema, TheCheckOfARenamedColumnFollowsTheModel) {
  make({model("t", {key(), text("title", 3)})});
  outside("ALTER TABLE t RENAME COLUMN title TO headline");
  EXPECT_EQ(make({model("t", {key(), text("headline", 5)})}).steps,
            "change t: change column headline from TEXT(3) to TEXT(5)\n");
  run("INSERT INTO t (id, headline) VALUES (1, 'abcde')");
  const std::string refused = std::to_string(SUB0_CONSTRAINT) + " Operation Failed: ";
  EXPECT_EQ(query("INSERT INTO t (id, headline) VALUES (2, 'abcdef')"),
            refused + "headline is not allowed");
  outside("ALTER TABLE t RENAME COLUMN headline TO line");
  make({model("t", {key(), text("line", 5), text("headline", 2)})});       // another of that name
  make({model("t", {numbered(), text("line", 5), text("headline", 2)})});  // the table anew
  EXPECT_EQ(query("INSERT INTO t (line) VALUES ('abcdef')"), refused + "line is not allowed");
  EXPECT_EQ(query("INSERT INTO t (headline) VALUES ('abc')"), refused + "headline is not allowed");
  EXPECT_EQ(query("INSERT INTO t (line, headline) VALUES ('abcde', 'ab') RETURNING id"),
            R"({"id":2})");
}

// spec S-103: a trigger that reads what is gone would fail every call
TEST_F(SqliteSchema, ATriggerOrAViewThatWouldFailStopsTheWhole) {
  const std::vector<Tree> wanted = {model("t", {key()}), model("u", {key()})};
  const std::pair<const char*, const char*> readers[] = {
      {"CREATE TRIGGER tell AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END",
       "trigger tell of t, at INSERT"},
      {"CREATE TRIGGER tell AFTER UPDATE ON u BEGIN UPDATE t SET a = 1; END",
       "trigger tell of u, at UPDATE"},
      {"CREATE TRIGGER tell AFTER DELETE ON u BEGIN DELETE FROM gone; END",
       "trigger tell of u, at DELETE"},
      {"CREATE VIEW tell AS SELECT a FROM t", "view tell"}};
  outside("CREATE TABLE log (a); CREATE VIEW broken AS SELECT x FROM nowhere");
  make({model("t", {key(), field("a", "Number", "", true)}), model("u", {key()}),
        model("gone", {key()})});
  for (const auto& [reader, what] : readers) {
    outside(reader);
    const End end = migrate(wanted, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
    EXPECT_EQ(end.code, SUB0_CONSTRAINT) << end.message;
    EXPECT_NE(end.message.find(std::string(what) + " would fail from now on"), std::string::npos)
        << end.message;
    EXPECT_EQ(valueOutside("SELECT count(*) FROM pragma_table_info('t') WHERE name = 'a'"), "1");
    outside(std::string(*what == 'v' ? "DROP VIEW" : "DROP TRIGGER") + " tell");
  }
  make(wanted, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
}

// spec S-100: no column that a migration makes holds the text; one made before keeps what it took
TEST_F(SqliteSchema, ABooleanIsANumber) {
  const std::vector<Tree> wanted = {model("t", {key(), field("ok", "Boolean", "", true)})};
  make({model("t", {key(), field("ok", "String", "", true)})});
  run("INSERT INTO t (id, ok) VALUES (1, 'True'), (2, 'false'), (3, '1'), (4, NULL)");
  make(wanted, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(valueOutside("SELECT group_concat(quote(ok)) FROM (SELECT ok FROM t ORDER BY id)"),
            "1,0,1,NULL");
  const std::string checks =
      "SELECT replace(sql, 'IN (0, 1)', 'IN (0, 1) OR lower(\"ok\") IN "
      "(''true'', ''false'')') FROM sqlite_schema WHERE name = 't'";
  const std::string before = valueOutside(checks);
  outside("DROP TABLE t; " + before + "; INSERT INTO t (id, ok) VALUES (1, 'true')");
  EXPECT_EQ(make(wanted).steps, "");
  make({model("t", {key(), field("ok", "Boolean")})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(valueOutside("SELECT ok FROM t"), "true");
}

}  // namespace
}  // namespace sub0::query::sqlite_schema_test
