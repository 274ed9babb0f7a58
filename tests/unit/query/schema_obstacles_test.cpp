// SPDX-License-Identifier: Apache-2.0
// What rows that are there have against a migration, on all databases alike: nothing is done, no
// value is cut, and the place and the way out are told.
#include <gtest/gtest.h>

#include "tests/unit/query/mariadb_fixture.hpp"
#include "tests/unit/query/postgres_fixture.hpp"
#include "tests/unit/query/schema_fixture.hpp"
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query {
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
    EXPECT_EQ(this->query("SELECT code FROM t"),
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

}  // namespace
}  // namespace sub0::query
