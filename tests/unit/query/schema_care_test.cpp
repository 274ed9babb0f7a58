// SPDX-License-Identifier: Apache-2.0
// What a migration leaves alone, what it does not wait for, and what it says when it cannot know:
// tables, indexes and triggers of others, violations that were there, locks, a lost commit.
#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <utility>

#include "poco_data/mysql_source.hpp"
#include "postgres/postgres_ddl.hpp"
#include "postgres/postgres_session.hpp"
#include "schema/migration.hpp"
#include "sqlite/sqlite_ddl.hpp"
#include "tests/unit/query/mariadb_fixture.hpp"
#include "tests/unit/query/postgres_fixture.hpp"
#include "tests/unit/query/schema_fixture.hpp"
#include "tests/unit/query/sqlite_fixture.hpp"

namespace sub0::query::schema_care_test {
namespace {

Tree referring(const char* name, const char* to) {
  return query::referring(field(name, "Number", "", true), to);
}

template <typename Base>
class SchemaCare : public Schema<Base> {};
using Databases = ::testing::Types<SqliteTest, PostgresTest, MariadbTest>;
TYPED_TEST_SUITE(SchemaCare, Databases);

// spec S-103: order's index on item_price and order_item's on price
TYPED_TEST(SchemaCare, IndexesOfTwoTablesDoNotTakeOneName) {
  this->make({model("order", {key(), field("item_price", "Number", "indexable")}),
              model("order_item", {key(), field("price", "Number", "indexable")})});
}

// spec S-103: destructive changes are left out, and so is what cannot be done without them
TYPED_TEST(SchemaCare, WhatNeedsATypeThatIsNotChangedWaitsWithIt) {
  this->startedHost();
  this->run("CREATE TABLE users (id VARCHAR(20) NOT NULL PRIMARY KEY)");
  this->run("CREATE TABLE posts (id INTEGER NOT NULL PRIMARY KEY, user_id VARCHAR(20))");
  Tree numbered = key();
  numbered.set("auto_increment", Literal(true));
  const std::vector<Tree> wanted = {model("users", {numbered}),
                                    model("posts", {key(), referring("user_id", "users")}),
                                    model("notes", {key(), referring("user_id", "users")})};
  const End end = this->migrate(wanted);
  EXPECT_EQ(end.code, SUB0_OK) << end.message << end.steps;
  for (const char* step :
       {"destructive users: change column id", "destructive posts: change column user_id",
        "destructive posts: column user_id refers to users (id), once",
        "destructive notes: column user_id refers to users (id), once"}) {
    EXPECT_NE(end.steps.find(step), std::string::npos) << step << "\n" << end.steps;
  }
  const End again = this->migrate(wanted);
  EXPECT_EQ(again.code, SUB0_OK) << again.message;
  EXPECT_EQ(again.steps.find("change "), again.steps.find("change column id")) << again.steps;
}

class SqliteCare : public SqliteTest {
 protected:
  End migrate(const std::vector<Tree>& list, std::uint32_t flags = 0) {
    return migrateOn(startedHost(), models(list), flags);
  }
  void make(const std::vector<Tree>& list) {
    const End end = migrate(list);
    EXPECT_EQ(end.code, SUB0_OK) << end.message;
  }
  void expectConflict(const std::vector<Tree>& list, const std::string& text) {
    const End end = migrate(list, SUB0_SCHEMA_ALLOW_DESTRUCTIVE);
    EXPECT_EQ(end.code, SUB0_CONSTRAINT);
    EXPECT_NE(end.message.find(text), std::string::npos) << end.message;
  }
  std::string tables() {
    return valueOutside(
        "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'table' AND "
        "name NOT LIKE '%\\_fts\\__%' ESCAPE '\\' ORDER BY name)");
  }
};

// spec S-103, S-100: what has the name of an index of words, and is none of ours
TEST_F(SqliteCare, ATableOfSomebodyElseIsNotReplacedByWords) {
  startedHost();
  outside("CREATE TABLE notes_fts (id, secret); INSERT INTO notes_fts VALUES (1, 'kept')");
  const Tree with_words = model("notes", {key(), field("text", "String", "fts", true)});
  expectConflict({with_words}, "table notes_fts is there, and no migration made it");
  EXPECT_EQ(tables(), "notes_fts");
  make({model("notes", {key(), field("text", "String", "", true)})});
  expectConflict({with_words}, "table notes_fts is there, and no migration made it");
  EXPECT_EQ(valueOutside("SELECT secret FROM notes_fts"), "kept");
}

// spec S-103: words of another table are not ours either
TEST_F(SqliteCare, WordsOfAnotherTableAreNotReplaced) {
  startedHost();
  outside(
      "CREATE TABLE other (a); CREATE VIRTUAL TABLE t_fts USING fts5(a, content='other'); INSERT "
      "INTO t_fts (rowid, a) VALUES (1, 'kept')");
  expectConflict({model("t", {key(), field("a", "String", "fts")})}, "table t_fts is there");
  EXPECT_EQ(valueOutside("SELECT rowid FROM t_fts WHERE t_fts MATCH 'kept'"), "1");
}

// spec S-103: a table that is dropped takes its own words with it, and nobody else's
TEST_F(SqliteCare, TablesThatGoTakeTheirOwnWordsOnly) {
  make({model("gone", {key(), field("a", "String", "", true)}),
        model("searched", {key(), field("a", "String", "fts")})});
  outside("CREATE TABLE gone_fts (a); INSERT INTO gone_fts VALUES ('kept')");
  EXPECT_EQ(migrate({}, SUB0_SCHEMA_ALLOW_DESTRUCTIVE).code, SUB0_OK);
  EXPECT_EQ(tables(), "gone_fts");
  EXPECT_EQ(valueOutside("SELECT a FROM gone_fts"), "kept");
}

// spec S-103
TEST_F(SqliteCare, AModelThatIsTheTableOfWordsOfAnotherIsRefused) {
  const std::vector<Tree> both = {model("item", {key(), field("text", "String", "fts")}),
                                  model("item_fts", {key()})};
  expectConflict(both, "table item_fts (model item_fts) has the name of the table of words");
  EXPECT_EQ(tables(), "null");
  const std::vector<Tree> behind = {both[0], model("item_fts_data", {key()})};
  expectConflict(behind, "table item_fts_data (model item_fts_data) has the name");
}

// spec S-103: FTS5 gives a table of its own the name that the index would have
TEST_F(SqliteCare, AnIndexHasAnotherNameThanWhatWordsTake) {
  const std::vector<Tree> models = {
      model("post", {key(), field("fts", "String", "indexable"), field("text", "String", "fts")})};
  make(models);
  EXPECT_EQ(migrate(models).steps, "");
}

// spec S-103: indexes come back as they were made, under their names
TEST_F(SqliteCare, IndexesAndTriggersComeBackAsTheyWereMade) {
  const auto wanted = [](bool optional) {
    return std::vector<Tree>{
        model("b", {key()}),
        model("t", {key(), field("a", "String", "fts", optional), referring("b", "b")})};
  };
  make(wanted(false));
  const char* const made = "CREATE UNIQUE INDEX by_hand ON t (a COLLATE NOCASE, id DESC)";
  outside(made);
  outside("CREATE INDEX first ON t (a); CREATE INDEX second ON t (a)");
  outside("CREATE TABLE log (a)");
  outside("CREATE TRIGGER t_fts_log AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END");
  make(wanted(true));
  EXPECT_EQ(valueOutside("SELECT sql FROM sqlite_master WHERE name = 'by_hand'"), made);
  EXPECT_EQ(valueOutside("SELECT count(*) FROM sqlite_master WHERE name IN ('first', 'second')"),
            "2");
  EXPECT_EQ(valueOutside("SELECT \"to\" FROM pragma_foreign_key_list('t')"), "id");
  EXPECT_EQ(end("INSERT INTO t (id, a) VALUES (1, 'x')").code, SUB0_OK);
  EXPECT_EQ(valueOutside("SELECT count(*) FROM log"), "1");
  EXPECT_EQ(migrate(wanted(true)).steps, "");
}

// spec S-103: what a new table would lose
TEST_F(SqliteCare, TablesWithWhatNoMigrationWritesAreNotMadeAnew) {
  const std::pair<const char*, const char*> added[] = {
      {"n TEXT COLLATE NOCASE", "COLLATE"},
      {"n INTEGER CHECK (n > 0)", "CHECK"},
      {"n TEXT AS (upper(a))", "AS"},
      {"n INTEGER REFERENCES t (id) ON DELETE CASCADE", "ON"}};
  for (const auto& [column, word] : added) {
    make({model("t", {key(), field("a", "String")})});
    outside(std::string("ALTER TABLE t ADD COLUMN ") + column);
    expectConflict({model("t", {key(), field("a", "String", "", true), field("n", "String")})},
                   std::string("what no migration writes (") + word + ")");
    outside("DROP TABLE t");
  }
}

// spec S-103: an index by hand that has the name of ours
TEST_F(SqliteCare, AnIndexGetsAnotherNameWhereItsOwnIsTaken) {
  make({model("item", {key(), field("name", "String")})});
  outside("CREATE INDEX ITEM_name_idx ON item (lower(name))");
  make({model("item", {key(), field("name", "String", "indexable")})});
  EXPECT_EQ(
      valueOutside("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"),
      "2");
  EXPECT_EQ(migrate({model("item", {key(), field("name", "String", "indexable")})}).steps, "");
}

// spec S-100: REPLACE deletes a row, whose words go
TEST_F(SqliteCare, WordsOfRowsThatAreReplacedGo) {
  make({model("t", {key(), field("a", "String", "fts")})});
  for (const char* const word : {"alpha", "beta", "gamma"}) {
    EXPECT_EQ(end(std::string("INSERT OR REPLACE INTO t (id, a) VALUES (1, '") + word + "')").code,
              SUB0_OK);
  }
  const std::string count = "SELECT count(*) FROM t_fts WHERE t_fts MATCH ";
  EXPECT_EQ(valueOutside(count + "'alpha OR beta'"), "0");
  EXPECT_EQ(valueOutside(count + "'gamma'"), "1");
  outside("INSERT INTO t_fts (t_fts, rank) VALUES ('integrity-check', 1)");
}

// spec S-103: only what this migration breaks
TEST_F(SqliteCare, ReferencesThatWereBrokenBeforeDoNotStopIt) {
  const auto wanted = [](bool optional) {
    return std::vector<Tree>{
        model("b", {key()}),
        model("t", {key(), field("a", "String", "", optional), referring("b", "b")})};
  };
  make(wanted(false));
  outside(
      "CREATE TABLE by_hand (x REFERENCES b (id)); INSERT INTO by_hand VALUES (7); INSERT INTO t "
      "(id, a, b) VALUES (1, 'x', 8)");
  make(wanted(false));
  make(wanted(true));
  EXPECT_EQ(migrate(wanted(true)).steps, "");
}

// spec S-103: nothing is looked at where nothing is done
TEST_F(SqliteCare, ReferencesAreNotCountedWhereNothingIsDone) {
  const std::vector<Tree> wanted = {model("t", {key()})};
  make(wanted);
  watch_.forget();
  make(wanted);
  for (const SqliteWatch::Seen& one : watch_.seen()) {
    EXPECT_EQ(one.sql.find("foreign_key_check"), std::string::npos) << one.sql;
  }
}

class PostgresCare : public PostgresTest {
 protected:
  std::future<End> begin(const Tree& wanted, std::uint32_t flags = 0) {
    const auto& schema = *static_cast<const sub0_schema*>(host().extension(SUB0_SCHEMA_EXTENSION));
    EXPECT_EQ(schema.migrate(host().self(), &wanted.raw(), flags, &onDone, &promise_), SUB0_OK);
    return promise_.get_future();
  }
  void waitForLock() {
    while (cluster().execute("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") {
      std::this_thread::yield();
    }
  }

  std::promise<End> promise_;
};

// spec S-103: a plugin that stops does not wait for a lock of somebody else
TEST_F(PostgresCare, AMigrationThatWaitsEndsWithThePlugin) {
  for (const std::uint32_t flags : {0U, SUB0_SCHEMA_PLAN_ONLY}) {
    promise_ = {};
    startedHost();
    cluster().execute("CREATE TABLE t (id bigint PRIMARY KEY)");
    OtherSession other(cluster().url());
    other.execute("BEGIN");
    other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    std::future<End> future = begin(models({model("t", {key()})}), flags);
    waitForLock();
    endHost();
    EXPECT_EQ(future.get().code, SUB0_UNAVAILABLE);
    other.execute("DROP TABLE t");
    other.execute("COMMIT");
  }
}

// spec S-103: one node at a time, whatever transactions are there by default
TEST_F(PostgresCare, TheCatalogueIsReadBehindTheWaitForAnotherNode) {
  cluster().execute(
      "ALTER DATABASE postgres SET default_transaction_isolation = 'repeatable read'");
  startedHost();
  OtherSession other(cluster().url());
  other.execute("BEGIN");
  other.execute("SELECT pg_advisory_xact_lock(1937072688)");
  std::future<End> future = begin(models({model("t", {key()})}));
  waitForLock();
  other.execute("CREATE TABLE t (id bigint PRIMARY KEY)");
  other.execute("COMMIT");
  const End end = future.get();
  EXPECT_EQ(end.code, SUB0_OK) << end.message;
  cluster().execute("ALTER DATABASE postgres RESET default_transaction_isolation");
}

// A database that answers nothing, and is gone at the commit.
class LostSession final : public SqlSession {
 public:
  std::unique_ptr<ResultTree> execute(std::string_view sql, bool, const sub0_value&,
                                      Failure& failure) override {
    if (sql == "COMMIT") {
      failure = Failure{SUB0_UNAVAILABLE, "gone", ""};
      return nullptr;
    }
    return std::make_unique<ResultTree>(0);
  }
  void cancel() override {}
};

// spec S-103: whether a commit that is not answered was done, nobody knows
TEST(Migrations, ALostCommitIsNotToldAsNothingChanged) {
  LostSession session;
  Table table;
  table.model = table.name = "t";
  const MigrationEnd end = migrate(session, SqliteDdl(), {table}, {});
  EXPECT_EQ(end.failure.code, SUB0_UNAVAILABLE);
  ASSERT_EQ(end.steps.size(), 2U);
  EXPECT_EQ(end.steps[1].kind, MigrationStep::Kind::kDone);
  EXPECT_EQ(end.steps[1].text, "may have been changed: the connection ended at the commit");
}

// A session whose connection somebody ends just before a table is made.
class CutSession final : public SqlSession {
 public:
  CutSession(SqlSession& session, std::function<void()> cut)
      : session_(session), cut_(std::move(cut)) {}

  std::unique_ptr<ResultTree> execute(std::string_view sql, bool is_script,
                                      const sub0_value& parameters, Failure& failure) override {
    if (sql.substr(0, 13) == "CREATE TABLE ") {
      cut_();
    }
    return session_.execute(sql, is_script, parameters, failure);
  }
  void cancel() override { session_.cancel(); }

 private:
  SqlSession& session_;
  std::function<void()> cut_;
};

void expectNoTableWithoutLock(SqlSession& session, const Ddl& ddl, std::function<void()> cut) {
  CutSession cut_session(session, std::move(cut));
  Table table;
  table.model = table.name = "t";
  table.columns.emplace_back();
  table.columns.back().name = "id";
  const MigrationEnd end = migrate(cut_session, ddl, {table}, {});
  EXPECT_EQ(end.failure.code, SUB0_UNAVAILABLE) << end.failure.log;
}

// spec S-103: the lock went with the connection, so another one must not go on
TEST_F(PostgresCare, AMigrationThatLosesItsConnectionBetweenStatementsEnds) {
  PostgresAddress address;
  std::string error;
  ASSERT_TRUE(address.parse(cluster().url(), false, error)) << error;
  PostgresSession session(address, 1U << 20U, AfterLoss::kFails);
  expectNoTableWithoutLock(session, PostgresDdl(), [] {
    cluster().execute(
        "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE pid <> "
        "pg_backend_pid() AND state = 'idle in transaction'");
  });
  EXPECT_EQ(cluster().execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}

using MariadbCare = MariadbTest;

// spec S-103
TEST_F(MariadbCare, AMigrationThatLosesItsConnectionBetweenStatementsEnds) {
  MysqlAddress address;
  std::string error;
  ASSERT_TRUE(address.parse(server().url(), error)) << error;
  const MysqlSource source(address, 1U << 20U);
  const auto session = source.openSqlSession(AfterLoss::kFails);
  expectNoTableWithoutLock(*session, *source.ddl(), [] {
    const std::string id =
        server().execute("SELECT id FROM information_schema.processlist WHERE user = 'tests'");
    server().execute("KILL CONNECTION " + id);
    while (server().execute("SELECT count(*) FROM information_schema.processlist WHERE id = " +
                            id) != "0") {
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(server().execute("SHOW TABLES"), "");
}

}  // namespace
}  // namespace sub0::query::schema_care_test
