// SPDX-License-Identifier: Apache-2.0
// What rows that are there have against a migration, on all databases alike: nothing is done, no
// value is cut, and the place and the way out are told.
#include <gtest/gtest.h>

#include "tests/unit/query/mariadb_fixture.hpp"
#include "tests/unit/query/postgres_fixture.hpp"
#include "tests/unit/query/schema_fixture.hpp"
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query::schema_obstacles_test {
namespace {

Tree text(const char* name, std::int64_t length) {
  Tree tree = field(name, "String", "", true);
  if (length > 0) {
    tree.set("max_length", Literal(length));
  }
  return tree;
}

template <typename Base>
class SchemaObstacles : public Schema<Base> {
 protected:
  // Nothing is done, and the message has all of that.
  void expectRefused(const std::vector<Tree>& wanted, const std::vector<std::string>& parts) {
    const End end = this->migrate(wanted, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
    EXPECT_EQ(end.code, SUB0_CONSTRAINT) << end.message;
    EXPECT_EQ(end.steps.find("done "), std::string::npos) << end.steps;
    for (const std::string& part : parts) {
      EXPECT_NE(end.message.find(part), std::string::npos) << part << "\n" << end.message;
    }
  }
};
using Databases = ::testing::Types<SqliteTest, PostgresTest, MariadbTest>;
TYPED_TEST_SUITE(SchemaObstacles, Databases);

// spec S-103: no stored text is cut, be it of blanks
TYPED_TEST(SchemaObstacles, TextsThatAreTooLongAreNotCut) {
  for (const std::int64_t before : {0, 20}) {
    this->make({model("t", {key(), text("code", before)})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
    this->run("DELETE FROM t");
    this->run("INSERT INTO t (id, code) VALUES (1, 'abcdefghij'), (2, 'abcd  '), (3, 'abc')");
    this->expectRefused({model("t", {key(), text("code", 4)})},
                        {"table t (model t): 2 rows have in column code values of more than 4",
                         "SELECT * FROM \"t\" WHERE ", "max_length"});
    EXPECT_EQ(this->query("SELECT code FROM t ORDER BY id"),
              R"([{"code":"abcdefghij"},{"code":"abcd  "},{"code":"abc"}])");
  }
  this->run("DELETE FROM t WHERE id < 3");
  this->make({model("t", {key(), text("code", 4)})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(this->query("SELECT code FROM t"), R"({"code":"abc"})");
}

// spec S-103: what is no text is told so too
TYPED_TEST(SchemaObstacles, NumbersThatAreTooLongForATextAreNotCut) {
  this->make({model("t", {key(), field("code", "Number", "", true)})});
  this->run("INSERT INTO t (id, code) VALUES (1, 12345)");
  this->expectRefused({model("t", {key(), text("code", 4)})}, {"1 row has in column code values"});
  EXPECT_EQ(this->query("SELECT code FROM t"), R"({"code":12345})");
  this->make({model("t", {key(), text("code", 5)})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(this->query("SELECT code FROM t"), R"({"code":"12345"})");
}

// spec S-103: MariaDB would round them
TYPED_TEST(SchemaObstacles, FractionsAreNotRounded) {
  this->make({model("t", {key(), field("price", "Float", "", true)})});
  this->run("INSERT INTO t (id, price) VALUES (1, 1.5), (2, 3), (3, NULL)");
  this->expectRefused({model("t", {key(), field("price", "Number", "", true)})},
                      {"table t (model t): 1 row has in column price values with a fraction"});
  EXPECT_EQ(this->query("SELECT price FROM t WHERE id = 1"), R"({"price":1.5})");
  this->run("UPDATE t SET price = 2 WHERE id = 1");
  this->make({model("t", {key(), field("price", "Number", "", true)})},
             SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(this->query("SELECT price FROM t ORDER BY id"),
            R"([{"price":2},{"price":3},{"price":null}])");
}

// spec S-103: as what the other databases keep them
TYPED_TEST(SchemaObstacles, BooleansBecomeNumbers) {
  this->make({model("t", {key(), field("seen", "Boolean", "", true)})});
  this->run("INSERT INTO t (id, seen) VALUES (1, TRUE), (2, FALSE), (3, NULL)");
  this->make({model("t", {key(), field("seen", "Number", "", true)})},
             SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(this->query("SELECT seen FROM t ORDER BY id"),
            R"([{"seen":1},{"seen":0},{"seen":null}])");
}

// spec S-103: MariaDB would keep a 2 as it is
TYPED_TEST(SchemaObstacles, OnlyZeroAndOneBecomeBooleans) {
  this->make({model("t", {key(), field("seen", "Number", "", true)})});
  this->run("INSERT INTO t (id, seen) VALUES (1, 1), (2, 0), (3, 2)");
  this->expectRefused({model("t", {key(), field("seen", "Boolean", "", true)})},
                      {"table t (model t): 1 row has in column seen values other than 0 and 1"});
  this->run("UPDATE t SET seen = NULL WHERE id = 3");
  this->make({model("t", {key(), field("seen", "Boolean", "", true)})},
             SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(this->query("SELECT seen FROM t ORDER BY id"),
            R"([{"seen":true},{"seen":false},{"seen":null}])");
}

// spec S-103
TYPED_TEST(SchemaObstacles, NullsInTheWayOfARequiredColumnAreTold) {
  this->make({model("t", {key(), field("size", "Number", "", true)})});
  this->run("INSERT INTO t (id, size) VALUES (1, NULL), (2, 5), (3, NULL)");
  this->expectRefused({model("a", {key()}), model("t", {key(), field("size", "Number")})},
                      {"table t (model t): 2 rows have no value in column size",
                       R"(sub0-host sql 'SELECT * FROM "t" WHERE "size" IS NULL')",
                       R"(UPDATE "t" SET "size" = ... WHERE "size" IS NULL)"});
  this->run("UPDATE t SET size = 0 WHERE size IS NULL");
  this->make({model("t", {key(), field("size", "Number")})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
}

// spec S-103, S-33
TYPED_TEST(SchemaObstacles, DuplicatesInTheWayOfAUniqueColumnAreTold) {
  const auto wanted = [](bool is_unique) {
    Tree tree = model("t", {key(), field("a", "Number", "", true), text("b", 20)});
    if (is_unique) {
      tree.set("unique", Literal::array({Literal::array({Literal("a"), Literal("b")})}));
    }
    return std::vector<Tree>{tree};
  };
  this->make(wanted(false));
  this->run(
      "INSERT INTO t (id, a, b) VALUES (1, 1, 'secret'), (2, 1, 'secret'), (3, 2, 'secret'), (4, "
      "NULL, 'x'), (5, NULL, 'x')");
  this->expectRefused(wanted(true),
                      {"table t (model t): 1 value of a, b is in several rows",
                       R"(sub0-host sql 'SELECT "a", "b", count(*) AS found FROM "t" WHERE)"});
  const End end = this->migrate(wanted(true));
  EXPECT_EQ(end.message.find("secret"), std::string::npos) << end.message;
  EXPECT_EQ(
      this->query(R"(SELECT "a", "b", count(*) AS found FROM "t" WHERE "a" IS NOT NULL AND "b" )"
                  R"(IS NOT NULL GROUP BY "a", "b" HAVING count(*) > 1)"),
      R"({"a":1,"b":"secret","found":2})");
  this->run("DELETE FROM t WHERE id = 2");
  this->make(wanted(true));
}

// spec S-103, Q-18: the column is told, and no value of it
TYPED_TEST(SchemaObstacles, AValueThatCannotBeConvertedIsNotShown) {
  this->make({model("t", {key(), text("price", 0), text("other", 9)})});
  this->run("INSERT INTO t (id, price) VALUES (1, 'in secret'), (2, '7')");
  const End end =
      this->migrate({model("t", {key(), field("price", "Number", "", true), text("other", 5)})},
                    SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(end.code, SUB0_CONSTRAINT) << end.message;
  EXPECT_EQ(end.message.find("table t: change column price from "), 0U) << end.message;
  EXPECT_NE(end.message.find("a value that is there cannot be converted"), std::string::npos)
      << end.message;
  EXPECT_EQ(end.message.find("secret"), std::string::npos) << end.message;
  EXPECT_EQ(this->query("SELECT price FROM t ORDER BY id"),
            R"([{"price":"in secret"},{"price":"7"}])");
}

}  // namespace
}  // namespace sub0::query::schema_obstacles_test
