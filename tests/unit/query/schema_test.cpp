// SPDX-License-Identifier: Apache-2.0
// What sub0.schema/1 does to tables that are there already, on all databases alike; how new ones
// look is shown by tests/functional/scenarios/models.scenario.
#include <gtest/gtest.h>

#include "tests/unit/query/mariadb_fixture.hpp"
#include "tests/unit/query/postgres_fixture.hpp"
#include "tests/unit/query/schema_fixture.hpp"
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query {
namespace {

using Databases = ::testing::Types<SqliteTest, PostgresTest, MariadbTest>;
TYPED_TEST_SUITE(Schema, Databases);

// spec S-103: additive
TYPED_TEST(Schema, AFieldThatIsNewBecomesAColumnAndRowsStay) {
  this->make({model("t", {key()})});
  this->run("INSERT INTO t (id) VALUES (1)");
  const End end = this->make({model("t", {key(), field("name", "String", "indexable", true)})});
  EXPECT_EQ(end.steps.find("destructive"), std::string::npos) << end.steps;
  EXPECT_EQ(this->query("SELECT id, name FROM t"), R"({"id":1,"name":null})");
}

// spec S-103: a failed migration leaves the old schema
TYPED_TEST(Schema, ARequiredFieldIsRefusedWhereThereAreRowsAndNothingIsDone) {
  this->make({model("t", {key()})});
  this->make({model("t", {key(), field("size", "Number")})});  // no rows yet
  this->run("INSERT INTO t (id, size) VALUES (1, 1)");
  const End end = this->migrate(
      {model("a", {key()}), model("t", {key(), field("size", "Number"), field("age", "Number")})});
  EXPECT_EQ(end.code, SUB0_CONSTRAINT);
  EXPECT_NE(end.message.find("column age cannot be added"), std::string::npos) << end.message;
  EXPECT_EQ(this->query("SELECT * FROM a").substr(0, 2), std::to_string(SUB0_ACTION_FAILED));
}

// spec S-103: drops, type changes and narrowing
TYPED_TEST(Schema, DestructiveChangesAreNamedAndDoneOnlyWhereAllowed) {
  this->make({model("t", {key(), field("a", "String", "", true), field("b", "String", "", true),
                          field("c", "String", "indexable", true)}),
              model("gone", {key()})});
  this->run("INSERT INTO t (id, a, b, c) VALUES (1, 'x', '7', 'z')");
  const std::vector<Tree> wanted = {
      model("t", {key(), field("b", "Number", "", true), field("c", "String", "indexable")})};
  const End refused = this->migrate(wanted);
  EXPECT_EQ(refused.code, SUB0_OK) << refused.message;
  for (const char* step :
       {"destructive t: drop column a", "destructive t: change column b",
        "destructive t: column c must not be null", "destructive gone: drop the table"}) {
    EXPECT_NE(refused.steps.find(step), std::string::npos) << step << "\n" << refused.steps;
  }
  EXPECT_EQ(this->query("SELECT a, b, c FROM t"), R"({"a":"x","b":"7","c":"z"})");
  this->make(wanted, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(this->query("SELECT id, b, c, deleted_at FROM t"),
            R"({"id":1,"b":7,"c":"z","deleted_at":null})");
  EXPECT_EQ(this->query("SELECT a FROM t").substr(0, 2), std::to_string(SUB0_ACTION_FAILED));
  EXPECT_EQ(this->query("INSERT INTO t (id, b) VALUES (2, 3)").substr(0, 2),
            std::to_string(SUB0_CONSTRAINT));
  EXPECT_EQ(this->query("SELECT * FROM gone").substr(0, 2), std::to_string(SUB0_ACTION_FAILED));
}

// spec S-103
TYPED_TEST(Schema, AFieldThatBecomesOptionalMayBeNullAtOnce) {
  this->make({model("t", {key(), field("a", "String")})});
  this->run("INSERT INTO t (id, a) VALUES (1, 'x')");
  const End end = this->make({model("t", {key(), field("a", "String", "", true)})});
  EXPECT_EQ(end.steps.find("destructive"), std::string::npos) << end.steps;
  this->run("INSERT INTO t (id, a) VALUES (2, NULL)");
  EXPECT_EQ(this->query("SELECT count(*) AS n FROM t"), R"({"n":2})");
}

// spec S-103, S-100: models that refer to each other, and to themselves, made late
TYPED_TEST(Schema, ReferencesAreAddedToTablesThatAreThere) {
  this->make({model("a", {key(), field("b", "Number", "", true)}),
              model("b", {key(), field("a", "Number", "", true)})});
  this->run("INSERT INTO a (id) VALUES (1)");
  Tree to_b = field("b", "Number", "", true);
  to_b.set("foreign_key", {{"model", "b"}, {"key", "id"}});
  Tree to_a = field("a", "Number", "", true);
  to_a.set("foreign_key", {{"model", "a"}, {"key", "id"}});
  this->make({model("a", {key(), to_b}), model("b", {key(), to_a})});
  EXPECT_EQ(this->query("UPDATE a SET b = 5").substr(0, 2), std::to_string(SUB0_CONSTRAINT));
  this->run("INSERT INTO b (id, a) VALUES (5, 1)");
  this->run("UPDATE a SET b = 5");
}

// spec S-103
TYPED_TEST(Schema, AReferenceThatRowsViolateFailsTheWhole) {
  this->make({model("a", {key()}), model("b", {key(), field("a", "Number", "", true)})});
  this->run("INSERT INTO b (id, a) VALUES (5, 1)");
  Tree to_a = field("a", "Number", "", true);
  to_a.set("foreign_key", {{"model", "a"}, {"key", "id"}});
  const End end =
      this->migrate({model("a", {key()}), model("b", {key(), to_a}), model("c", {key()})});
  EXPECT_EQ(end.code, SUB0_CONSTRAINT) << end.message;
  EXPECT_EQ(this->query("SELECT * FROM c").substr(0, 2), std::to_string(SUB0_ACTION_FAILED));
}

// spec S-102: of a table that somebody else made, with rows
TYPED_TEST(Schema, TimesAreAddedToATableThatNoMigrationMade) {
  this->startedHost();
  this->run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  this->run("INSERT INTO t (id) VALUES (1)");
  this->make({model("t", {key(), field("name", "String", "", true)})});
  const std::string row = this->query("SELECT * FROM t");
  EXPECT_NE(row.find(R"("created_at":"2)"), std::string::npos) << row;
  EXPECT_NE(row.find(R"("updated_at":"2)"), std::string::npos) << row;
  EXPECT_NE(row.find(R"("deleted_at":null)"), std::string::npos) << row;
}

// spec S-101: a candidate that an earlier migration created stays, with a warning
TYPED_TEST(Schema, TheTableOfAnEarlierMigrationStays) {
  Tree user = model("_user", {key()}, false);
  user.set("table", Literal("users"));
  this->make({user});
  this->run("INSERT INTO users (id) VALUES (1)");
  user.set("table", Literal("_user"));  // no SQL uses it any more
  const End unused = this->migrate({user});
  EXPECT_EQ(unused.steps,
            "note users: stays the table of model _user: an earlier migration made it, and no SQL "
            "uses \"_user\"\n");
  user.set("is_used", Literal(true));
  const End used = this->migrate({user});
  EXPECT_NE(used.steps.find("note users: stays:"), std::string::npos) << used.steps;
  EXPECT_NE(used.steps.find("change _user: create"), std::string::npos) << used.steps;
  EXPECT_EQ(this->query("SELECT id FROM users"), R"({"id":1})");
}

// spec S-103, S-101: a table whose model is gone is that of the project that made it
TYPED_TEST(Schema, TablesOfAnotherProjectAreLeftAlone) {
  const auto shared = [](bool optional) {
    return model("shared", {key(), field("x", "Number", "", optional)});
  };
  Tree user = model("_user", {key()}, false);
  user.set("table", Literal("users"));
  this->make({user, shared(false)});
  this->endHost();
  this->project_ = "theirs";
  user.set("table", Literal("_user"));
  EXPECT_EQ(
      this->make({user, model("b", {key()}), shared(true)}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE).steps,
      "change _user: create the table of model _user\n"
      "change b: create the table of model b\n"
      "change shared: column x may be null\n");
  EXPECT_EQ(this->migrate({user, model("b", {key()})}).steps, "");
  this->endHost();
  this->project_ = "ours";
  const End end = this->migrate({model("c", {key()})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_NE(end.steps.find("destructive users: drop the table"), std::string::npos) << end.steps;
  EXPECT_NE(end.steps.find("destructive shared: drop the table"), std::string::npos) << end.steps;
  EXPECT_EQ(this->query("SELECT * FROM b"), "null");
  EXPECT_EQ(this->query("SELECT * FROM _user"), "null");
}

// spec S-33: where a model owns the table this is a unique index
TYPED_TEST(Schema, UniqueColumnsGetAnIndexAndDoublesFailTheWhole) {
  Tree email = field("email", "String");
  email.set("max_length", Literal(80));
  this->make({model("t", {key(), email})});
  this->run("INSERT INTO t (id, email) VALUES (1, 'a'), (2, 'a')");
  Tree unique = model("t", {key(), email});
  unique.set("unique", Literal::array({Literal::array({Literal("email")})}));
  EXPECT_EQ(this->migrate({unique}).code, SUB0_CONSTRAINT);
  this->run("DELETE FROM t WHERE id = 2");
  this->make({unique});
  const std::string answer = this->query("INSERT INTO t (id, email) VALUES (3, 'a')");
  EXPECT_NE(answer.find("Operation Failed: email already exists"), std::string::npos) << answer;
}

// spec S-103: --plan
TYPED_TEST(Schema, APlanChangesNothing) {
  this->startedHost();
  const End plan = this->migrate({model("t", {key()})}, SUB0_SCHEMA_PLAN_ONLY);
  EXPECT_EQ(plan.steps, "change t: create the table of model t\n");
  EXPECT_EQ(this->query("SELECT * FROM t").substr(0, 2), std::to_string(SUB0_ACTION_FAILED));
}

// spec S-104: an existing key is numbered behind its greatest number
TYPED_TEST(Schema, AKeyThatBecomesAutoIncrementGoesOn) {
  this->make({model("t", {key()})});
  this->run("INSERT INTO t (id) VALUES (41)");
  Tree numbered = key();
  numbered.set("auto_increment", Literal(true));
  this->make({model("t", {numbered, field("a", "String", "", true)})});
  EXPECT_EQ(this->query("INSERT INTO t (a) VALUES ('x') RETURNING id"), R"({"id":42})");
}

// The host asks before start, so that statements find their tables.
TEST_F(SqliteTest, SchemaIsMadeBeforeStart) {
  const auto created = createHost();
  EXPECT_EQ(migrateOn(*created, models({model("t", {key()})}), 0).code, SUB0_OK);
  EXPECT_EQ(valueOutside("SELECT count(*) FROM t"), "0");
}

// spec S-103: of a table that no migration made, nobody knows what would be lost
TEST_F(SqliteTest, ForeignTablesAreNotMadeAnew) {
  startedHost();
  outside("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE CHECK (a <> ''))");
  const Tree wanted = models({model("t", {key(), field("a", "Number", "", true)})});
  const End end = migrateOn(host(), wanted, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(end.code, SUB0_CONSTRAINT);
  EXPECT_NE(end.message.find("table t (model t)"), std::string::npos) << end.message;
}

// spec S-103: what fts made goes when the model has it no longer, where that is allowed, and stays
// in order until then
TYPED_TEST(Schema, WordsThatAreNotSearchedAnyMoreGo) {
  const auto with = [](const char* a, const char* b, bool optional) {
    return std::vector<Tree>{
        model("t", {key(), field("a", "String", a, optional), field("b", "String", b, optional)})};
  };
  this->make(with("fts", "fts", false));
  const End told = this->migrate(with("", "fts", true));  // SQLite makes the table anew
  EXPECT_EQ(
      told.steps.find("destructive t: drop the index of the words of a: field a has no fts\n"), 0U)
      << told.steps;
  EXPECT_EQ(this->make(with("fts", "fts", true)).steps, "");
  const auto dropped = [](const std::string& name) {
    return "destructive t: drop the index of the words of " + name + ": field " + name +
           " has no fts\n";
  };
  EXPECT_EQ(this->make(with("", "fts", true), SUB0_SCHEMA_ALLOW_DESTRUCTIVE).steps, dropped("a"));
  this->run("INSERT INTO t (id, a, b) VALUES (1, 'x', 'y')");
  EXPECT_EQ(this->make(with("", "", true), SUB0_SCHEMA_ALLOW_DESTRUCTIVE).steps, dropped("b"));
  this->run("INSERT INTO t (id, a, b) VALUES (2, 'x', 'y')");
  EXPECT_EQ(this->make(with("", "fts", true)).steps, "change t: index the words of b\n");
}

// spec S-103: the index of words is no obstacle to another type
TYPED_TEST(Schema, WordsGoBeforeTheirColumnBecomesANumber) {
  this->make({model("t", {key(), field("a", "String", "fts")})});
  this->run("INSERT INTO t (id, a) VALUES (1, '7')");
  this->make({model("t", {key(), field("a", "Number")})}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
  EXPECT_EQ(this->query("SELECT a FROM t"), R"({"a":7})");
}

// spec S-100: fts; a table that is made anew keeps its words and indexes
TEST_F(SqliteTest, WordsAreFoundAndKept) {
  startedHost();
  const Tree wanted = models({model("t", {key(), field("text", "String", "fts")})});
  EXPECT_EQ(migrateOn(host(), wanted, 0).code, SUB0_OK);
  EXPECT_EQ(end("INSERT INTO t (id, text) VALUES (1, 'a red boat'), (2, 'a blue car')").code,
            SUB0_OK);
  EXPECT_EQ(end("UPDATE t SET text = 'a green boat' WHERE id = 2").code, SUB0_OK);
  EXPECT_EQ(end("DELETE FROM t WHERE id = 1").code, SUB0_OK);
  const std::string search =
      "SELECT id FROM t WHERE rowid IN (SELECT rowid FROM t_fts WHERE t_fts MATCH 'boat')";
  EXPECT_EQ(query(search), R"({"id":2})");
  const Tree relaxed = models({model("t", {key(), field("text", "String", "fts", true)})});
  EXPECT_EQ(migrateOn(host(), relaxed, 0).code, SUB0_OK);
  EXPECT_EQ(migrateOn(host(), relaxed, 0).steps, "");
  EXPECT_EQ(end("INSERT INTO t (id, text) VALUES (3, 'another boat')").code, SUB0_OK);
  EXPECT_EQ(query(search), R"([{"id":2},{"id":3}])");
}

// spec S-103: what others hung on a table that is made anew is there again
TEST_F(SqliteTest, TriggersAndIndexesOfATableThatIsMadeAnewStay) {
  startedHost();
  const auto wanted = [](bool optional) {
    return models({model("t", {key(), field("a", "String", "indexable", optional)})});
  };
  EXPECT_EQ(migrateOn(host(), wanted(false), 0).code, SUB0_OK);
  outside(
      "CREATE TABLE log (a); CREATE TRIGGER tell AFTER INSERT ON t BEGIN INSERT INTO log VALUES "
      "(new.a); END; CREATE INDEX small ON t (lower(a)); CREATE INDEX few ON t (a) WHERE id > 5");
  EXPECT_EQ(migrateOn(host(), wanted(true), 0).code, SUB0_OK);
  EXPECT_EQ(end("INSERT INTO t (id, a) VALUES (1, 'x')").code, SUB0_OK);
  EXPECT_EQ(valueOutside("SELECT a FROM log"), "x");
  EXPECT_EQ(
      valueOutside("SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type "
                   "= 'index' AND tbl_name = 't' AND sql IS NOT NULL ORDER BY name)"),
      "few,small,t_a_idx");
}

// spec S-103: one node at a time
TEST_F(PostgresTest, AMigrationWaitsForThatOfAnotherNode) {
  startedHost();
  PGconn* const other = PQconnectdb(cluster().url().c_str());
  PQclear(PQexec(other, "BEGIN; SELECT pg_advisory_xact_lock(1937072688)"));
  std::promise<End> promise;
  auto future = promise.get_future();
  const auto& schema = *static_cast<const sub0_schema*>(host().extension(SUB0_SCHEMA_EXTENSION));
  const Tree wanted = models({model("t", {key()})});
  EXPECT_EQ(schema.migrate(host().self(), &wanted.raw(), 0, &onDone, &promise), SUB0_OK);
  EXPECT_EQ(schema.migrate(host().self(), &wanted.raw(), 0, &onDone, &promise), SUB0_BUSY);
  const char* const waiting =
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
  while (cluster().execute(waiting) != "1") {
    std::this_thread::yield();
  }
  EXPECT_EQ(cluster().execute("SELECT count(*) FROM pg_class WHERE relname = 't'"), "0");
  PQclear(PQexec(other, "COMMIT"));
  PQfinish(other);
  EXPECT_EQ(future.get().code, SUB0_OK);
  EXPECT_EQ(cluster().execute("SELECT count(*) FROM pg_class WHERE relname = 't'"), "1");
}

// spec S-100: lengths grow at once, and shrink where that is allowed
TEST_F(PostgresTest, LengthsOfStringsFollowTheModel) {
  startedHost();
  const auto of_length = [](std::int64_t length) {
    Tree text = field("a", "String");
    if (length > 0) {
      text.set("max_length", Literal(length));
    }
    return models({model("t", {key(), text})});
  };
  EXPECT_EQ(migrateOn(host(), of_length(5), 0).code, SUB0_OK);
  EXPECT_EQ(migrateOn(host(), of_length(9), 0).steps,
            "change t: change column a from varchar(5) to varchar(9)\n");
  EXPECT_EQ(migrateOn(host(), of_length(0), 0).steps,
            "change t: change column a from varchar(9) to text\n");
  EXPECT_EQ(migrateOn(host(), of_length(3), 0).steps.substr(0, 11), "destructive");
  EXPECT_EQ(migrateOn(host(), of_length(0), 0).steps, "");
}

// spec S-100: fts
TEST_F(PostgresTest, WordsHaveAnIndexThatQueriesUse) {
  startedHost();
  const Tree wanted = models({model("t", {key(), field("text", "String", "fts")})});
  EXPECT_EQ(migrateOn(host(), wanted, 0).code, SUB0_OK);
  EXPECT_EQ(migrateOn(host(), wanted, 0).steps, "");
  const std::string plan = cluster().execute(
      "SET enable_seqscan = off; EXPLAIN (FORMAT JSON) SELECT 1 FROM t WHERE to_tsvector('simple', "
      "text) @@ plainto_tsquery('simple', 'boat')");
  EXPECT_NE(plan.find("t_text_fts"), std::string::npos) << plan;
}

}  // namespace
}  // namespace sub0::query
