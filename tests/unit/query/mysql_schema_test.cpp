// SPDX-License-Identifier: Apache-2.0
// What sub0.schema/1 does on MariaDB alone; what it does on all databases: schema_test.cpp.
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/query/mariadb_fixture.hpp"
#include "tests/unit/query/schema_fixture.hpp"

namespace sub0::query::mysql_schema_test {
namespace {

Tree texts(const char* name, std::int64_t length, const char* flag = "") {
  Tree text = field(name, "String", flag, true);
  if (length > 0) {
    text.set("max_length", Literal(length));
  }
  return text;
}

Tree withUnique(Tree model, const std::vector<const char*>& columns) {
  Tree group = Tree::array();
  for (const char* const column : columns) {
    group.push(Literal(column));
  }
  Tree groups = Tree::array();
  groups.push(group);
  model.set("unique", groups);
  return model;
}

using MariadbSchema = Schema<MariadbTest>;

// spec S-100: a text without max_length has its beginning in an index only
TEST_F(MariadbSchema, LengthsOfStringsFollowTheModel) {
  const auto of_length = [](std::int64_t length) {
    return std::vector<Tree>{model("t", {key(), texts("a", length, "indexable")})};
  };
  make(of_length(5));
  EXPECT_EQ(make(of_length(9)).steps, "change t: change column a from varchar(5) to varchar(9)\n");
  EXPECT_EQ(make(of_length(0)).steps, "change t: change column a from varchar(9) to text\n");
  run("INSERT INTO t (id, a) VALUES (1, 'a much longer text')");
  EXPECT_EQ(migrate(of_length(3)).steps.substr(0, 11), "destructive");
  EXPECT_EQ(migrate(of_length(3), SUB0_SCHEMA_ALLOW_DESTRUCTIVE).code, SUB0_CONSTRAINT);
  EXPECT_EQ(query("SELECT a FROM t"), R"({"a":"a much longer text"})");
  make(of_length(50), SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  make(of_length(20000));
  run("UPDATE t SET a = REPEAT('\xF0\x9F\x98\x80', 20000)");
  make(of_length(0));
}

// spec S-100: texts are compared by code point, as on the other databases, and hold any character
TEST_F(MariadbSchema, KeysDifferByCaseInADatabaseOfAnyCharacterSet) {
  make({withUnique(model("t", {field("code", "String", "primary_key"), texts("a", 0)}), {"a"})});
  run("INSERT INTO t (code, a) VALUES ('x', '\xF0\x9F\x98\x80'), ('X', 'a'), ('y', 'A')");
  EXPECT_EQ(query("SELECT code FROM t WHERE a = 'A'"), R"({"code":"y"})");
  EXPECT_EQ(query("INSERT INTO t (code, a) VALUES ('z', 'a')"),
            std::to_string(SUB0_CONSTRAINT) + " Operation Failed: a already exists");
}

// spec S-100: fts, from the start and later, without regard to case
TEST_F(MariadbSchema, WordsAreFound) {
  make({model("t", {key(), texts("a", 0, "fts"), texts("b", 80)})});
  make({model("t", {key(), texts("a", 0, "fts"), texts("b", 80, "fts")})});
  run("INSERT INTO t (id, a, b) VALUES (1, 'a red Boat', 'an Island'), (2, 'a blue car', NULL)");
  EXPECT_EQ(query("SELECT id FROM t WHERE MATCH (a) AGAINST ($1)", {Literal("boat")}),
            R"({"id":1})");
  EXPECT_EQ(query("SELECT id FROM t WHERE MATCH (b) AGAINST ('island')"), R"({"id":1})");
}

// spec S-100, S-103: case counts again
TEST_F(MariadbSchema, AColumnThatIsNotSearchedAnyMoreIsAnOrdinaryText) {
  make({model("t", {key(), texts("a", 9, "fts")})});
  run("INSERT INTO t (id, a) VALUES (1, 'Boat')");
  EXPECT_EQ(query("SELECT id FROM t WHERE a = 'boat'"), R"({"id":1})");
  make({model("t", {key(), texts("a", 9)})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(query("SELECT id FROM t WHERE a = 'boat'"), "null");
  EXPECT_EQ(server().execute("SHOW INDEX FROM t WHERE Key_name <> 'PRIMARY'"), "");
}

// spec S-103: a column is said anew as a whole where one thing of it changes
TEST_F(MariadbSchema, WhatElseIsSaidOfAColumnStays) {
  startedHost();
  server().execute(
      "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(5) CHARACTER SET latin1 NOT NULL DEFAULT "
      "'it''s' COMMENT 'its' CHECK (a <> 'no'), at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP "
      "ON UPDATE CURRENT_TIMESTAMP, twice INT AS (id * 2))");
  make({model("t", {key(), texts("a", 5), field("at", "DateTime", "", true),
                    field("twice", "Number", "", true)})});
  const std::string made = server().execute(
      "SHOW CREATE TABLE t; SELECT GROUP_CONCAT(column_name, "
      "' ', column_type, ' ', is_nullable, ' ', COALESCE(column_default, ''), ' ', extra, "
      "column_comment ORDER BY ordinal_position) FROM information_schema.columns WHERE "
      "table_schema = 'app' AND column_name IN ('a', 'at')");
  EXPECT_EQ(made,
            "a varchar(5) YES 'it''s' its,at timestamp YES current_timestamp() on update "
            "current_timestamp()");
  EXPECT_EQ(query("INSERT INTO t (id, a) VALUES (1, 'no')").substr(0, 2),
            std::to_string(SUB0_CONSTRAINT));
}

// Q-93, spec S-103: MariaDB takes no definition back; what is done is told, and gone on from
TEST_F(MariadbSchema, AMigrationThatFailsInTheMiddleIsGoneOnFrom) {
  make({model("a", {key()}), model("b", {key(), field("x", "Number", "", true)})});
  run("INSERT INTO b (id, x) VALUES (1, 7), (2, 7)");
  const std::vector<Tree> wanted = {
      model("a", {key(), field("y", "Number", "", true)}),
      model("b", {key(), referring(field("x", "Number", "", true), "a")}), model("c", {key()})};
  const End failed = migrate(wanted);
  EXPECT_EQ(failed.code, SUB0_CONSTRAINT) << failed.message;
  EXPECT_NE(failed.steps.find("done a: was changed before that, and stays so\n"), std::string::npos)
      << failed.steps;
  EXPECT_EQ(failed.steps.find("done b"), std::string::npos) << failed.steps;
  EXPECT_EQ(failed.steps.find("done c"), std::string::npos) << failed.steps;
  EXPECT_NE(failed.message.find("table b: column x refers to a (id): rows stand in the way"),
            std::string::npos)
      << failed.message;
  run("DELETE FROM b");
  EXPECT_EQ(make(wanted).steps,
            "change c: create the table of model c\nchange b: column x refers to a (id)\n");
}

// spec S-100: what no key and no row can hold is refused before anything is made
TEST_F(MariadbSchema, KeysAndRowsThatAreTooLongAreRefusedFirst) {
  const std::vector<std::pair<Tree, const char*>> wrong = {
      {withUnique(model("t", {key(), texts("a", 700), texts("b", 700)}), {"a", "b"}),
       "unique a, b: a key has at most 3072 bytes, and a character counts 4: give it a max_length "
       "of 384 or less"},
      {withUnique(model("t", {key(), field("j", "JSON_OBJECT")}), {"j"}), "unique j is JSON"},
      {model("t", {key(), texts("a", 9000), texts("b", 9000)}), "bytes in a row"}};
  for (const auto& [table, text] : wrong) {
    const End end = migrate({model("first", {key()}), table});
    EXPECT_EQ(end.code, SUB0_CONSTRAINT);
    EXPECT_NE(end.message.find(text), std::string::npos) << end.message;
  }
  EXPECT_EQ(query("SELECT * FROM first").substr(0, 2), std::to_string(SUB0_ACTION_FAILED));
  make({model("t", {key(), texts("a", 0)})});
  const End late = migrate({withUnique(model("t", {key(), texts("a", 0)}), {"a"})});
  EXPECT_NE(late.message.find("column a is a text, which cannot be unique"), std::string::npos)
      << late.message;
  make({withUnique(model("t", {key(), texts("a", 0)}), {"a"})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(migrate({model("t", {key(), texts("a", 0)})}).steps,  // and so does what it needs
            "destructive t: drop unique index t_a_key: nothing says any more that a is unique\n");
}

// spec S-103: columns and tables that others refer to
TEST_F(MariadbSchema, ReferencesGoWithTheirColumnsAndTables) {
  make({withUnique(model("a", {key(), referring(field("b", "Number", "", true), "b"),
                               field("x", "Number", "", true)}),
                   {"b", "x"}),
        model("b", {key(), referring(field("a", "Number", "", true), "a")})});
  const auto count = [&](const char* table) {
    return server().execute(std::string("SELECT count(*) FROM information_schema.") + table +
                            " WHERE constraint_schema = 'app' AND table_name IN ('a', 'b')");
  };
  EXPECT_EQ(count("referential_constraints"), "2");
  make({model("a", {key(), field("x", "Number", "", true)}),
        model("b", {key(), referring(field("a", "Number", "", true), "a")})},
       SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(count("referential_constraints"), "1");
  run("INSERT INTO a (id, x) VALUES (1, 1), (2, 1)");
  make({model("a", {key(), referring(field("b", "Number", "", true), "b")}),
        model("b", {key(), referring(field("a", "Number", "", true), "a")})},
       SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  make({model("c", {key()})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(count("table_constraints"), "0");
}

// spec S-104: the number 0 stays 0, though others refer to it
TEST_F(MariadbSchema, AKeyThatOthersReferToBecomesAutoIncrement) {
  const Tree other = model("b", {key(), referring(field("a", "Number"), "a")});
  make({model("a", {key()}), other});
  run("INSERT INTO a (id) VALUES (0), (41)");
  run("INSERT INTO b (id, a) VALUES (1, 0)");
  Tree numbered = key();
  numbered.set("auto_increment", Literal(true));
  make({model("a", {numbered}), other});
  EXPECT_EQ(query("INSERT INTO a (id) VALUES (NULL) RETURNING id"), R"({"id":42})");
  EXPECT_EQ(query("SELECT a FROM b JOIN a ON a.id = b.a"), R"({"a":0})");
}

// spec S-103: names of references are the whole database's, and stay where their table is renamed
TEST_F(MariadbSchema, ReferencesOfTwoTablesDoNotTakeOneName) {
  startedHost();
  const auto reference = [](const char* name) {
    return referring(field(name, "Number", "", true), "t");
  };
  server().execute(
      "CREATE TABLE old (x BIGINT PRIMARY KEY, y BIGINT, CONSTRAINT a_b_c_fkey FOREIGN KEY (y) "
      "REFERENCES old (x), CONSTRAINT t_late_fkey FOREIGN KEY (y) REFERENCES old (x))");
  make({model("t", {key()}), model("a", {key(), reference("b_c")}),
        model("a_b", {key(), reference("c")})});
  make({model("t", {key(), reference("late")}), model("a", {key(), reference("b_c")}),
        model("a_b", {key(), reference("c")})});
  EXPECT_EQ(server().execute("SELECT count(DISTINCT constraint_name) FROM "
                             "information_schema.table_constraints WHERE constraint_schema = 'app' "
                             "AND constraint_type = 'FOREIGN KEY'"),
            "5");
}

// spec S-103: one node at a time
TEST_F(MariadbSchema, AMigrationWaitsForThatOfAnotherNode) {
  startedHost();
  sub0::testing::MariadbSession other = server().session();
  other.execute("DO GET_LOCK(CONCAT('sub0.', MD5(DATABASE())), 0)");
  std::promise<End> promise;
  auto future = promise.get_future();
  const auto& schema = *static_cast<const sub0_schema*>(host().extension(SUB0_SCHEMA_EXTENSION));
  const Tree wanted = models({model("t", {key()})});
  EXPECT_EQ(schema.migrate(host().self(), &wanted.raw(), 0, &onDone, &promise), SUB0_OK);
  const char* const waiting =
      "SELECT count(*) FROM information_schema.processlist WHERE state = 'User lock'";
  while (server().execute(waiting) != "1") {
    std::this_thread::yield();
  }
  EXPECT_EQ(migrateOn(host(), models({}), SUB0_SCHEMA_PLAN_ONLY).code, SUB0_BUSY);
  EXPECT_EQ(server().execute("SHOW TABLES"), "");
  other.execute("DO RELEASE_ALL_LOCKS()");
  EXPECT_EQ(future.get().code, SUB0_OK);
  EXPECT_EQ(server().execute("SHOW TABLES"), "t");
}

}  // namespace
}  // namespace sub0::query::mysql_schema_test
