// SPDX-License-Identifier: Apache-2.0
// What a migration does to references, indexes and keys that the models say otherwise, or no
// longer.
#include <gtest/gtest.h>

#include "tests/unit/query/mariadb_fixture.hpp"
#include "tests/unit/query/postgres_fixture.hpp"
#include "tests/unit/query/schema_fixture.hpp"
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query::schema_references_test {
namespace {

constexpr std::uint32_t kAll = SUB0_SCHEMA_ALLOW_DESTRUCTIVE;

Tree text(const char* name, std::int64_t length, const char* flag = "") {
  Tree made = field(name, "String", flag, *flag == '\0');
  made.set("max_length", Literal(length));
  return made;
}

Tree number(const char* name) { return field(name, "Number", "", true); }

Tree withUnique(Tree model, const char* column) {
  Tree group = Tree::array();
  group.push(Literal(column));
  Tree groups = Tree::array();
  groups.push(group);
  model.set("unique", groups);
  return model;
}

template <typename Base>
class SchemaReferences : public Schema<Base> {
 protected:
  bool isRefused(const std::string& sql) {
    return this->query(sql).substr(0, 2) == std::to_string(SUB0_CONSTRAINT);
  }
  void expectSteps(const End& end, const std::vector<std::string>& steps) {
    EXPECT_EQ(end.code, SUB0_OK) << end.message;
    for (const std::string& step : steps) {
      EXPECT_NE(end.steps.find(step), std::string::npos) << step << "\n" << end.steps;
    }
  }
};
using Databases = ::testing::Types<SqliteTest, PostgresTest, MariadbTest>;
TYPED_TEST_SUITE(SchemaReferences, Databases);

// spec S-103: a model that is renamed: its table is another, to which the references lead then
TYPED_TEST(SchemaReferences, ReferencesFollowAModelThatIsRenamed) {
  this->make(
      {model("author", {key()}), model("book", {key(), referring(number("owner"), "author")})});
  this->run("INSERT INTO author (id) VALUES (1)");
  this->run("INSERT INTO book (id, owner) VALUES (1, NULL)");
  const std::vector<Tree> renamed = {model("writer", {key()}),
                                     model("book", {key(), referring(number("owner"), "writer")})};
  this->expectSteps(
      this->migrate(renamed),
      {"change writer: create",
       "destructive book: take away that column owner refers to author (id): the model says writer",
       "destructive book: column owner refers to writer (id), once it does not refer to another",
       "destructive author: drop the table"});
  this->run("UPDATE book SET owner = 1");
  EXPECT_TRUE(this->isRefused("UPDATE book SET owner = 2"));
  this->run("UPDATE book SET owner = NULL");
  this->make(renamed, kAll);
  this->run("INSERT INTO writer (id) VALUES (5)");
  this->run("INSERT INTO book (id, owner) VALUES (2, 5)");
  EXPECT_TRUE(this->isRefused("INSERT INTO book (id, owner) VALUES (3, 1)"));
}

// spec S-103: references and indexes that the models have no longer stay until that is allowed
TYPED_TEST(SchemaReferences, WhatTheModelHasNoLongerIsNamedAndGoesWhereAllowed) {
  this->make(
      {model("a", {key()}), withUnique(model("t", {key(), referring(number("a"), "a"),
                                                   text("b", 80, "indexable"), text("c", 80)}),
                                       "c")});
  const std::vector<Tree> wanted = {model("a", {key()}),
                                    model("t", {key(), number("a"), text("b", 80), text("c", 80)})};
  this->expectSteps(this->migrate(wanted),
                    {"destructive t: take away that column a refers to a (id): the field has no",
                     "destructive t: drop index t_b_idx: field b is not indexable",
                     "destructive t: drop unique index t_c_key: nothing says any more that c is"});
  this->run("INSERT INTO t (id, c) VALUES (1, 'x')");
  EXPECT_TRUE(this->isRefused("INSERT INTO t (id, c) VALUES (2, 'x')"));
  EXPECT_TRUE(this->isRefused("UPDATE t SET a = 7"));
  this->make(wanted, kAll);
  this->run("INSERT INTO t (id, a, c) VALUES (2, 7, 'x')");
}

// spec S-103: a reference keeps an index where the database wants one
TYPED_TEST(SchemaReferences, AUniqueReferenceMayBecomeAPlainOne) {
  const Tree wanted = model("t", {key(), referring(number("a"), "a")});
  this->make({model("a", {key()}), withUnique(wanted, "a")});
  this->make({model("a", {key()}), wanted}, kAll);
  this->run("INSERT INTO a (id) VALUES (1)");
  this->run("INSERT INTO t (id, a) VALUES (1, 1), (2, 1)");
  EXPECT_TRUE(this->isRefused("UPDATE t SET a = 2"));
}

// spec S-103: indexes that somebody else made, in a table of a migration
TYPED_TEST(SchemaReferences, IndexesOfSomebodyElseStay) {
  const std::vector<Tree> wanted = {model("t", {key(), text("b", 80), text("c", 80)})};
  this->make(wanted);
  this->run("CREATE UNIQUE INDEX by_hand ON t (b)");
  this->run("CREATE INDEX other ON t (c)");
  EXPECT_EQ(this->make(wanted, kAll).steps, "");
  this->run("INSERT INTO t (id, b) VALUES (1, 'x')");
  EXPECT_TRUE(this->isRefused("INSERT INTO t (id, b) VALUES (2, 'x')"));
}

// spec S-103: a reference from outside the models would be broken for good
TYPED_TEST(SchemaReferences, ATableThatOthersReferToIsNotDropped) {
  const std::vector<Tree> wanted = {model("kept", {key()})};
  this->make({model("gone", {key()}), model("kept", {key()})});
  this->run(
      "CREATE TABLE log (id BIGINT NOT NULL PRIMARY KEY, what BIGINT, FOREIGN KEY (what) "
      "REFERENCES gone (id))");
  const char* const reason = "column what of table log refers to it";
  this->expectSteps(this->migrate(wanted), {std::string("gone is gone; it cannot be: ") + reason});
  const End end = this->migrate(wanted, kAll);
  EXPECT_EQ(end.code, SUB0_CONSTRAINT);
  EXPECT_NE(end.message.find(std::string("table gone: ") + reason), std::string::npos)
      << end.message;
  this->run("INSERT INTO gone (id) VALUES (1)");
  this->run("INSERT INTO log (id, what) VALUES (1, 1)");
  this->run("DROP TABLE log");
  this->make(wanted, kAll);
}

// spec S-103: tables that go refer to such as stay and change
TYPED_TEST(SchemaReferences, ATableThatRefersToOneThatChangesIsDropped) {
  this->make({model("gone", {key(), referring(number("kept"), "kept")}),
              model("kept", {key(), text("a", 9)})});
  this->make({model("kept", {key(), number("b")})}, kAll);
}

// spec S-103, S-104: a key of a table that is there is changed by nobody but its owner
TYPED_TEST(SchemaReferences, AKeyThatIsOneInTheModelOnlyIsNamed) {
  this->make({model("t", {field("a", "Number")}), model("moved", {key(), field("a", "Number")})});
  this->run("INSERT INTO t (a) VALUES (1)");
  Tree numbered = field("a", "Number", "primary_key");
  numbered.set("auto_increment", Literal(true));
  Tree to_t = number("t");
  to_t.set("foreign_key", {{"model", "t"}, {"key", "a"}});
  const std::vector<Tree> wanted = {
      model("t", {numbered}),
      model("moved", {field("id", "Number"), field("a", "Number", "primary_key")}),
      model("other", {key(), to_t})};
  const std::vector<std::string> named = {
      "destructive t: column a is not the primary key",
      "destructive moved: column a is not the primary key",
      "destructive moved: column id is the primary key",
      "destructive other: column t refers to t (a), once that is as its model says"};
  const End end = this->migrate(wanted);
  this->expectSteps(end, named);
  EXPECT_EQ(end.steps.find("number new rows"), std::string::npos) << end.steps;
  this->run("INSERT INTO other (id, t) VALUES (1, 1)");
  const End forced = this->migrate(wanted, kAll);
  EXPECT_EQ(forced.code, SUB0_CONSTRAINT);
  EXPECT_NE(forced.message.find("by SQL"), std::string::npos) << forced.message;
}

// spec S-103: a unique column that is never null names the row as well as a key
TYPED_TEST(SchemaReferences, AUniqueColumnServesAsTheKey) {
  this->startedHost();
  this->run("CREATE TABLE t (id BIGINT NOT NULL UNIQUE)");
  this->make({model("t", {key()})});
}

// spec S-103: texts made longer at both ends of a reference lose nothing, and the reference stays
TYPED_TEST(SchemaReferences, AKeyAndItsReferencesGrowTogether) {
  const auto of_length = [](std::int64_t length) {
    return std::vector<Tree>{model("a", {text("id", length, "primary_key")}),
                             model("b", {key(), referring(text("a", length), "a")})};
  };
  this->make(of_length(3));
  this->run("INSERT INTO a (id) VALUES ('one')");
  this->run("INSERT INTO b (id, a) VALUES (1, 'one')");
  const End end = this->make(of_length(90));
  EXPECT_EQ(end.steps.find("destructive"), std::string::npos) << end.steps;
  EXPECT_EQ(end.steps.find("refers"), std::string::npos) << end.steps;
  this->make(of_length(120));
  this->run("INSERT INTO a (id) VALUES ('" + std::string(100, 'x') + "')");
  this->run("UPDATE b SET a = '" + std::string(100, 'x') + "'");
  EXPECT_TRUE(this->isRefused("UPDATE b SET a = 'two'"));
}

using PostgresReferences = SchemaReferences<PostgresTest>;

// spec S-100: columns are made with just the letters of the fields
TEST_F(PostgresReferences, AFieldOfAnotherCaseIsAnotherColumn) {
  make({model("t", {key(), number("userid")})});
  const std::vector<Tree> wanted = {model("t", {key(), number("userId")})};
  expectSteps(migrate(wanted), {"change t: add column userId bigint, optional\n",
                                "destructive t: drop column userid: the model has no such field "
                                "(userId is another column on this database)\n"});
  run("INSERT INTO t (id, \"userId\", userid) VALUES (1, 2, 3)");
  make(wanted, kAll);
  EXPECT_EQ(query("SELECT id, \"userId\" FROM t"), R"({"id":1,"userId":2})");
}

// spec S-100
TEST_F(PostgresReferences, AFieldNamedAsAColumnOfEveryTableIsRefused) {
  const End end = migrate({model("t", {key(), number("xmin")})});
  EXPECT_EQ(end.code, SUB0_CONSTRAINT);
  EXPECT_NE(end.message.find("(model t): field xmin has the name"), std::string::npos)
      << end.message;
}

// spec S-103: what only SQL can say of a reference was not said by a migration
TEST_F(PostgresReferences, AReferenceOfSomebodyElseStays) {
  make({model("a", {key()}), model("t", {key(), number("a")})});
  run("ALTER TABLE t ADD CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE");
  EXPECT_EQ(make({model("a", {key()}), model("t", {key(), number("a")})}, kAll).steps, "");
  EXPECT_TRUE(isRefused("INSERT INTO t (id, a) VALUES (1, 7)"));
}

}  // namespace
}  // namespace sub0::query::schema_references_test
