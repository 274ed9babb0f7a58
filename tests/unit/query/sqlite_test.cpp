// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sub0/health.h>
#include <sub0/sql.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "result_tree.hpp"
#include "tests/unit/query/sqlite_fixture.hpp"

// Longer than most, and one file because all cases stand on the same database and its fixture.
namespace sub0::query {
namespace {

class Sqlite : public SqliteTest {};

// spec S-31
TEST_F(Sqlite, OneRowIsAnObjectSeveralAnArrayNoneNull) {
  outside("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2)");
  EXPECT_EQ(query("SELECT a FROM t WHERE a = 1"), R"({"a":1})");
  EXPECT_EQ(query("SELECT a FROM t ORDER BY a"), R"([{"a":1},{"a":2}])");
  EXPECT_EQ(query("SELECT a FROM t WHERE a = 3"), "null");
  EXPECT_EQ(query("INSERT INTO t VALUES (3)"), "null");
  EXPECT_EQ(query("SELECT 1 AS a, 2 AS b, 3 AS a"), R"({"a":3,"b":2})");
}

// spec S-32
TEST_F(Sqlite, ColumnsKeepTheirDeclaredMeaning) {
  struct Case {
    const char* type;
    const char* value;
    const char* json;
  };
  const Case cases[] = {
      {"INTEGER", "9223372036854775807", "9223372036854775807"},
      {"BIGINT", "-5", "-5"},
      {"REAL", "1.5", "1.5"},
      {"REAL", "9e999", "null"},
      {"TEXT", "'é\"'", "\"é\\\"\""},
      {"VARCHAR(10)", "'12'", "\"12\""},
      {"BOOLEAN", "1", "true"},
      {"BOOLEAN", "0", "false"},
      {"BOOL", "TRUE", "true"},
      {"BOOLEAN", "7", "7"},
      {"JSON", "'{\"a\": [1]}'", "{\"a\": [1]}"},
      {"JSON", "'{broken'", "\"{broken\""},
      {"JSONB", "'null'", "null"},
      {"TIMESTAMP", "'2024-01-02 03:04:05'", "\"2024-01-02T03:04:05.000Z\""},
      {"TIMESTAMPTZ", "'2024-01-02T03:04:05.123456+02:00'", "\"2024-01-02T01:04:05.123456Z\""},
      {"DATETIME", "'2024-03-01T00:30:00.5+01:00'", "\"2024-02-29T23:30:00.500Z\""},
      {"DATETIME", "'soon'", "\"soon\""},
      {"DATE", "'2024-01-02'", "\"2024-01-02\""},
      {"NUMERIC(20,2)", "12.5", "12.5"},
      {"DECIMAL", "3", "3"},
      {"NUMERIC", "1e21", "1000000000000000000000"},
      {"UUID", "'0b0e8a3c-0000-4000-8000-000000000001'",
       "\"0b0e8a3c-0000-4000-8000-000000000001\""},
      {"UUID", "x'0b0e8a3c000040008000000000000001'", "\"0b0e8a3c-0000-4000-8000-000000000001\""},
      {"BLOB", "x'00ff10'", "\"AP8Q\""},
      {"BLOB", "x''", "\"\""},
  };
  for (const Case& one : cases) {
    outside(std::string("DROP TABLE IF EXISTS t; CREATE TABLE t (c ") + one.type +
            "); INSERT INTO t VALUES (" + one.value + ")");
    EXPECT_EQ(query("SELECT c FROM t"), std::string("{\"c\":") + one.json + "}")
        << one.type << " " << one.value;
    outside("UPDATE t SET c = NULL");
    EXPECT_EQ(query("SELECT c FROM t"), R"({"c":null})") << one.type;
  }
  EXPECT_EQ(query("SELECT 1 + 1 AS a, 'x' || 'y' AS b, 0.5 AS c, x'01' AS d"),
            R"({"a":2,"b":"xy","c":0.5,"d":"AQ=="})");
}

// spec S-32
TEST_F(Sqlite, WhatTheHostDoesNotTakeIsMended) {
  const std::string deep = std::string(201, '[') + std::string(201, ']');
  const std::string fits = std::string(200, '[') + std::string(200, ']');
  const std::pair<std::string, std::string> cases[] = {
      {"'" + deep + "'", "\"" + deep + "\""},
      {"'" + fits + "'", fits},
      {R"('["\ud800"]')", R"("[\"\\ud800\"]")"},
      {R"('["\udc00\ud800"]')", R"("[\"\\udc00\\ud800\"]")"},
      {R"('["\ud83d\ude00"]')", R"(["\ud83d\ude00"])"},
      {"'[1e999]'", "\"[1e999]\""},
      {"'{\"a\":1,\"a\":2}'", "{\"a\":1,\"a\":2}"},
      {"CAST(x'22ff22' AS TEXT)", "\"\\\"\uFFFD\\\"\""},
  };
  for (const auto& [value, json] : cases) {
    outside("DROP TABLE IF EXISTS t; CREATE TABLE t (c JSON); INSERT INTO t VALUES (" + value +
            ")");
    EXPECT_EQ(query("SELECT c FROM t"), "{\"c\":" + json + "}") << value;
  }
  EXPECT_EQ(query("SELECT CAST(x'61e282ff62c3a9eda080' AS TEXT) AS c"),
            "{\"c\":\"a\uFFFD\uFFFD\uFFFDb\u00E9\uFFFD\uFFFD\uFFFD\"}");
}

// spec S-30, Q-60
TEST_F(Sqlite, ParametersAreBoundByTheirJsonType) {
  const std::pair<Tree, const char*> cases[] = {
      {Tree(Literal(true)), R"({"t":"integer","v":1})"},
      {Tree(Literal(42)), R"({"t":"integer","v":42})"},
      {Tree(Literal(1.5)), R"({"t":"real","v":1.5})"},
      {Tree(Literal(5.0)), R"({"t":"integer","v":5})"},
      {Tree(Literal::number("12345678901234567890123")),
       R"({"t":"text","v":"12345678901234567890123"})"},
      {Tree(Literal::number("1.25")), R"({"t":"real","v":1.25})"},
      {Tree(Literal("'; DROP TABLE t; --")), R"({"t":"text","v":"'; DROP TABLE t; --"})"},
      {Tree(Literal("")), R"({"t":"text","v":""})"},
      {Tree(), R"({"t":"null","v":null})"},
      {Tree{{"a", Literal::array({1, "x", nullptr})}},
       R"({"t":"text","v":"{\"a\":[1,\"x\",null]}"})"},
  };
  for (const auto& [value, json] : cases) {
    EXPECT_EQ(query("SELECT typeof($1) AS t, $1 AS v", {value}), json);
  }
  EXPECT_EQ(query("SELECT $2 - $1 AS d", {Tree(Literal(1)), Tree(Literal(10))}), R"({"d":9})");
  const LoopEnd nul = end("SELECT $1 AS v", {Tree(Literal(std::string_view("a\0b", 3)))});
  EXPECT_EQ(nul.code, SUB0_BAD_REQUEST);
  EXPECT_NE(nul.client.find("NUL"), std::string::npos);
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(query("SELECT length($1) AS n", {Tree(Literal(large))}), R"({"n":1048576})");
}

// spec S-41
TEST_F(Sqlite, AWriteReturnsItsRowWhereReturnablesAreNamed) {
  outside("CREATE TABLE t (a INTEGER PRIMARY KEY, ok BOOLEAN, at TIMESTAMP)");
  Tree action = Tree::object();
  action.set("returnables", Tree::array().push(Literal("a")));
  const auto insert = prepare("INSERT INTO t (ok) VALUES ($1);", 1, action);
  EXPECT_EQ(host().run(*insert, {Tree(Literal(true))}).json, R"({"a":1,"ok":true,"at":null})");
  EXPECT_EQ(query("SELECT count(*) AS n FROM t"), R"({"n":1})");
}

// spec S-52
TEST_F(Sqlite, ConstraintsAreToldWithoutSql) {
  outside(
      "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, org INTEGER, name TEXT NOT "
      "NULL, age INTEGER CHECK (age > 0), UNIQUE (org, name));"
      "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) DEFERRABLE"
      " INITIALLY DEFERRED);"
      "INSERT INTO users VALUES (1, 'a@b.c', 7, 'Ada', 1)");
  const std::pair<const char*, const char*> cases[] = {
      {"INSERT INTO users VALUES (2, 'a@b.c', 8, 'Bob', 1)",
       "19 Operation Failed: email already exists"},
      {"INSERT INTO users VALUES (2, 'b@b.c', 7, 'Ada', 1)",
       "19 Operation Failed: org, name already exists"},
      {"INSERT INTO users VALUES (1, 'b@b.c', 8, 'Bob', 1)",
       "19 Operation Failed: id already exists"},
      {"INSERT INTO users VALUES (2, 'b@b.c', 8, NULL, 1)",
       "19 Operation Failed: name is required"},
      {"INSERT INTO users VALUES (2, 'b@b.c', 8, 'Bob', 0)",
       "19 Operation Failed: the value is not allowed"},
      {"INSERT INTO notes VALUES (1, 99)", "19 Operation Failed: a reference refers to nothing"},
  };
  for (const auto& [sql, text] : cases) {
    EXPECT_EQ(query(sql), text) << sql;
  }
  EXPECT_EQ(query("SELECT count(*) AS n FROM users"), R"({"n":1})");
  EXPECT_EQ(query("SELECT count(*) AS n FROM notes"), R"({"n":0})");
}

// spec S-52
TEST_F(Sqlite, ARowThatIsReferredToMayNotGo) {
  outside(
      "CREATE TABLE users (id INTEGER PRIMARY KEY);"
      "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id));"
      "CREATE TABLE late (user_id INTEGER REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED);"
      "INSERT INTO users VALUES (1), (2); INSERT INTO notes VALUES (1, 1);"
      "INSERT INTO late VALUES (2)");
  EXPECT_EQ(query("DELETE FROM users WHERE id = 1"),
            "19 Operation Failed: the deletion is not allowed");
  EXPECT_EQ(query("DELETE FROM users WHERE id = 2"),
            "19 Operation Failed: the deletion is not allowed");
  EXPECT_EQ(query("UPDATE notes SET user_id = 9"),
            "19 Operation Failed: a reference refers to nothing");
}

// spec S-35
TEST_F(Sqlite, ATriggerWithABodyIsOneStatement) {
  outside("CREATE TABLE t (a INTEGER)");
  EXPECT_EQ(query("CREATE TRIGGER doubled AFTER INSERT ON t BEGIN UPDATE t SET a = CASE WHEN 1 "
                  "THEN a END; UPDATE t SET a = a * 2; END;"),
            "null");
  EXPECT_EQ(query("INSERT INTO t VALUES (4)"), "null");
  EXPECT_EQ(query("SELECT a FROM t"), R"({"a":8})");
}

TEST_F(Sqlite, AStatementForAMissingTableFailsUntilTheTableIsThere) {
  const auto action = prepare("SELECT secret_column FROM later");
  EXPECT_TRUE(host().hasLogged("2 resource")) << host().allLogs();
  EXPECT_TRUE(host().hasLogged("no such table: later"));
  const LoopEnd refused = host().run(*action);
  EXPECT_EQ(refused.code, SUB0_ACTION_FAILED);
  EXPECT_EQ(refused.client, "");
  EXPECT_NE(refused.log.find("no such table"), std::string::npos);
  outside("CREATE TABLE later (secret_column INTEGER); INSERT INTO later VALUES (5)");
  EXPECT_EQ(host().run(*action).json, R"({"secret_column":5})");
}

// Q-18: what runs may quote a value; what is missing, and what a trigger of the project says, is
// told
TEST_F(Sqlite, TheLogHasNoWordsThatMayQuoteAValue) {
  outside(
      "CREATE TABLE t (a INTEGER, b TEXT CHECK (length(b) < 3)); INSERT INTO t VALUES (1, 'x');"
      "CREATE VIRTUAL TABLE w USING fts5(a); CREATE TRIGGER closed BEFORE DELETE ON t BEGIN "
      "SELECT RAISE(ABORT, 'the account is closed'); END");
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT a FROM w WHERE w MATCH $1", "hunter2:a"},
      {"SELECT a FROM w WHERE w MATCH $1", "\"hunter2"},
      {"SELECT json_extract('{}', $1) AS a", "hunter2"},
      {"INSERT INTO w (w, rank) VALUES ($1, 1)", "hunter2"},
      {"INSERT INTO t (b) VALUES ($1)", "hunter2"}};
  EXPECT_NE(end("SELECT abs($1) AS a", {Tree(Literal(INT64_MIN))}).log.find("integer overflow"),
            std::string::npos);
  for (const auto& [sql, value] : cases) {
    const LoopEnd done = end(sql, {Tree(Literal(value))});
    EXPECT_NE(done.code, SUB0_OK) << sql;
    EXPECT_EQ(done.log.find("hunter2"), std::string::npos) << done.log;
    EXPECT_NE(done.log.find(" in: "), std::string::npos) << done.log;
  }
  EXPECT_NE(end("DELETE FROM t").log.find("the account is closed"), std::string::npos);
  const auto action = prepare("SELECT a FROM t");
  EXPECT_EQ(host().run(*action).json, R"({"a":1})");
  outside("DROP TABLE t");
  EXPECT_NE(host().run(*action).log.find("no such table: t (1)"), std::string::npos);
}

TEST_F(Sqlite, AReadWaitsForALockWithoutBlockingTheLoop) {
  outside("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
  const auto select = prepare("SELECT a FROM t");
  const auto update = prepare("UPDATE t SET a = a + 1");
  host().run(*select);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  sqlite3_busy_timeout(other, 5000);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE; UPDATE t SET a = 10", nullptr, nullptr, nullptr),
            SQLITE_OK);
  // A write waits on the writer's thread, reads go on meanwhile and see the old row.
  const sub0_ticket waiting = host().begin(*update);
  EXPECT_EQ(host().run(*select).json, R"({"a":1})");
  EXPECT_EQ(host().end(waiting).times, 0);
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(host().wait(waiting).code, SUB0_OK);
  EXPECT_EQ(host().run(*select).json, R"({"a":11})");
  sqlite3_close(other);
}

TEST_F(Sqlite, ALockThatIsNeverReleasedFailsAsBusy) {
  outside("CREATE TABLE t (a INTEGER)");
  const auto update = prepare("UPDATE t SET a = 1");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  sqlite3_busy_timeout(other, 5000);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(host().wait(host().begin(*update, {}, 0, 100)).code, SUB0_BUSY);
  sqlite3_close(other);
}

// Another process holds the byte that every new reader of a database file must lock first, until it
// is told to end.
class LockingProcess {
 public:
  explicit LockingProcess(const std::string& file) {
    int pipe_ends[2];
    int ready[2];
    if (pipe(pipe_ends) != 0 || pipe(ready) != 0) {
      abort();
    }
    child_ = fork();
    if (child_ == 0) {
      close(pipe_ends[1]);
      struct flock lock {};
      lock.l_type = F_WRLCK;
      lock.l_whence = SEEK_SET;
      lock.l_start = 0x40000000;
      lock.l_len = 1;
      const int descriptor = open(file.c_str(), O_RDWR);
      char byte = fcntl(descriptor, F_SETLK, &lock) == 0 ? 'y' : 'n';
      if (write(ready[1], &byte, 1) == 1) {
        _exit(read(pipe_ends[0], &byte, 1) > 0 ? 1 : 0);
      }
      _exit(2);
    }
    close(pipe_ends[0]);
    close(ready[1]);
    char byte = 'n';
    has_lock = read(ready[0], &byte, 1) == 1 && byte == 'y';
    close(ready[0]);
    end_ = pipe_ends[1];
  }
  void release() {
    close(end_);
    waitpid(child_, nullptr, 0);
  }
  bool has_lock = false;

 private:
  pid_t child_;
  int end_ = -1;
};

TEST_F(Sqlite, StoppingDoesNotWaitForALockPastItsDeadline) {
  outside("CREATE TABLE t (a INTEGER)");
  const auto update = prepare("UPDATE t SET a = 1");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  sqlite3_busy_timeout(other, 5000);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const sub0_ticket first = host().begin(*update);
  const sub0_ticket second = host().begin(*update);
  host().stop(100);
  EXPECT_EQ(host().end(first).times, 1);
  EXPECT_EQ(host().end(second).times, 1);
  EXPECT_NE(host().end(second).code, SUB0_OK);
  sqlite3_close(other);
}

TEST_F(Sqlite, AReadThatMeetsALockIsTriedAgainByATimer) {
  outside("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
  host();
  LockingProcess other(file_);
  ASSERT_TRUE(other.has_lock);
  const auto select = prepare("SELECT a FROM t");
  const sub0_ticket waiting = host().begin(*select);
  const sub0_ticket impatient = host().begin(*select, {}, 0, 20);
  EXPECT_EQ(host().wait(impatient).code, SUB0_BUSY);
  EXPECT_EQ(host().end(waiting).times, 0);
  other.release();
  EXPECT_EQ(host().wait(waiting).json, R"({"a":1})");
}

// spec S-50
TEST_F(Sqlite, AReadOnlyRunRefusesAWrite) {
  outside("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
  const LoopEnd refused = end("UPDATE t SET a = 2", {}, SUB0_RUN_READ_ONLY);
  EXPECT_EQ(refused.code, SUB0_METHOD_NOT_ALLOWED);
  EXPECT_EQ(refused.client, "GET is not allowed: the resource does more than read; use POST");
  EXPECT_EQ(end("SELECT a FROM t", {}, SUB0_RUN_READ_ONLY).json, R"({"a":1})");
}

// Q-72
TEST_F(Sqlite, AResultPastItsLimitNamesTheSetting) {
  host(10000);
  const std::string rows =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT i FROM "
      "n";
  const LoopEnd many = end(rows);
  EXPECT_EQ(many.code, SUB0_RESULT_TOO_LARGE);
  EXPECT_NE(many.client.find("SUB0_RESULT_LIMIT"), std::string::npos);
  EXPECT_EQ(end("SELECT hex(zeroblob(20000)) AS a").code, SUB0_RESULT_TOO_LARGE);
  EXPECT_EQ(end("SELECT hex(zeroblob(200000000)) AS a").code, SUB0_RESULT_TOO_LARGE);
  outside("CREATE TABLE t (a TEXT)");
  EXPECT_EQ(end("INSERT INTO t VALUES (hex(zeroblob(20000))) RETURNING a").code,
            SUB0_RESULT_TOO_LARGE);
  EXPECT_EQ(query("SELECT count(*) AS n FROM t"), R"({"n":0})");
}

TEST_F(Sqlite, AResultWithoutMemoryIsBusyAndChangesNothing) {
  host(10'000'000);
  ResultTree::setBudget(200'000, 0);
  const LoopEnd many = end("SELECT hex(zeroblob(200000)) AS a");
  EXPECT_EQ(many.code, SUB0_BUSY);
  EXPECT_NE(many.client.find("SUB0_RESULT_BUDGET_BYTES"), std::string::npos) << many.client;
  outside("CREATE TABLE t (a TEXT)");
  EXPECT_EQ(end("INSERT INTO t VALUES (hex(zeroblob(200000))) RETURNING a").code, SUB0_BUSY);
  EXPECT_EQ(query("SELECT count(*) AS n FROM t"), R"({"n":0})");
  ResultTree::setBudget(1'000'000, 0);
  EXPECT_EQ(end("SELECT hex(zeroblob(200000)) AS a").code, SUB0_OK);
}

TEST_F(Sqlite, AStatementPastItsDeadlineIsStopped) {
  const auto endless = prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM "
      "n");
  EXPECT_EQ(host().wait(host().begin(*endless, {}, 0, 50)).code, SUB0_TIMEOUT);
  EXPECT_EQ(query("SELECT 1 AS a"), R"({"a":1})");
}

// spec S-30
TEST_F(Sqlite, TheClockIsIsoTextWithMilliseconds) {
  const std::string json = query("SELECT now() AS a, CURRENT_TIMESTAMP AS b");
  EXPECT_EQ(
      json.size(),
      std::string(R"({"a":"2024-01-02T03:04:05.678Z","b":"2024-01-02T03:04:05.678Z"})").size())
      << json;
  EXPECT_EQ(query("SELECT now() > '2024-01-02T03:04:05.678Z' AS a"), R"({"a":1})");
}

// spec S-30, S-35, S-40
TEST_F(Sqlite, FaultsOfAResourceAreReportedWithTheirPlace) {
  const auto errors = [&](const Tree& config) { return host().prepare(config)->errors; };
  Tree one = Tree::array();
  one.push(Literal("$PAYLOAD.a"));
  EXPECT_EQ(errors(Tree{{"query", "SELECT $2"}, {"parameters", one}}),
            "/query: the query uses $2, but there is 1 parameter\n");
  EXPECT_EQ(errors(Tree{{"query", "SELECT 1"}, {"parameters", one}}),
            "/parameters/0: there is 1 parameter, but the query uses none\n");
  EXPECT_NE(errors(Tree{{"query", "SELECT 1; SELECT 2"}}).find("/query: "), std::string::npos);
  EXPECT_NE(errors(Tree{{"query", "SELEC 1"}}).find("/query: near \"SELEC\""), std::string::npos);
  EXPECT_NE(errors(Tree{{"query", "SELECT a ILIKE 'b'"}}).find("ILIKE"), std::string::npos);
  EXPECT_NE(errors(Tree{{"query", 5}}).find("/query: "), std::string::npos);
  EXPECT_EQ(errors(Tree{{"query", "SELECT nowhere(1)"}}), "/query: no such function: nowhere\n");
  EXPECT_EQ(errors(Tree{{"query", "SELECT hex(1, 2)"}}),
            "/query: wrong number of arguments to function hex()\n");
  EXPECT_EQ(host().prepare(Tree{{"query", "SELECT 1"}, {"_note", 1}, {"more", 2}})->warnings, "");
  EXPECT_NE(errors(Tree::object()).find(": sql_query needs a query"), std::string::npos);
  EXPECT_NE(errors(Tree{{"query", "INSERT INTO t VALUES (1)"}, {"with_timestamps", true}})
                .find("/query: with_timestamps needs an INSERT that is read through"),
            std::string::npos);
  EXPECT_EQ(host().prepare(Tree{{"query", "SELECT 1"}, {"soft_delete", true}})->warnings,
            "/soft_delete: soft_delete does nothing for this statement\n");
  Tree columns = Tree::array();
  columns.push(Literal("email"));
  EXPECT_NE(errors(Tree{{"query", "SELECT 1"}, {"unique", columns}}).find("/unique: "),
            std::string::npos);
  EXPECT_EQ(host().prepare(Tree{{"query", "SELECT 1"}})->facts["reads_only"], "true");
  EXPECT_EQ(host().prepare(Tree{{"query", "DELETE FROM t"}})->facts["reads_only"], "false");
}

TEST_F(Sqlite, TheHostExecutesSqlOfItsOwn) {
  const auto& sql = *static_cast<const sub0_sql*>(host().extension(SUB0_SQL_EXTENSION));
  const auto wait = [&](SqlEnd& end) { host().turnUntil([&] { return end.came.load(); }); };
  SqlEnd script, rows, none, broken;
  const std::string text = "CREATE TABLE t (a INTEGER, b JSON); INSERT INTO t VALUES (1, '[1]'); ";
  const sub0_text_view script_text = textView(text);
  sql.execute_script(host().self(), &script_text, &onSqlDone, &script);
  wait(script);
  EXPECT_EQ(script.code, SUB0_OK) << script.message;
  const sub0_text_view select = textView("SELECT a, b FROM t WHERE a = $1");
  const Tree one(Literal::array({1}));
  sql.execute(host().self(), &select, &one.raw(), &onSqlDone, &rows);
  wait(rows);
  EXPECT_EQ(rows.json, R"([{"a":1,"b":[1]}])");
  const Tree two(Literal::array({2}));
  sql.execute(host().self(), &select, &two.raw(), &onSqlDone, &none);
  wait(none);
  EXPECT_EQ(none.json, "[]");
  const sub0_text_view bad = textView("SELECT * FROM missing");
  sql.execute(host().self(), &bad, nullptr, &onSqlDone, &broken);
  wait(broken);
  EXPECT_EQ(broken.code, SUB0_ACTION_FAILED);
  EXPECT_NE(broken.message.find("no such table"), std::string::npos);
}

TEST_F(Sqlite, TheDefaultDatabaseLiesInTheStateFolderAndIsLogged) {
  LoopHost plain(sub0_plugin_v0(), Tree{{"SUB0_STATE", folder_ + "/state"}});
  plain.start();
  EXPECT_TRUE(plain.hasLogged("sqlite:" + folder_ + "/state/sub0.db")) << plain.allLogs();
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/state/sub0.db"));
  const auto& health = *static_cast<const sub0_health*>(plain.extension(SUB0_HEALTH_EXTENSION));
  EXPECT_EQ(health.ready(plain.self()), 1);
}

TEST_F(Sqlite, ARelativePathCountsFromTheProject) {
  LoopHost plain(sub0_plugin_v0(),
                 Tree{{"SUB0_PROJECT", folder_}, {"DATABASE_URL", "sqlite:data.db"}});
  plain.start();
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/data.db"));
}

TEST_F(Sqlite, OtherDatabasesAreRefusedAtCreation) {
  LoopHost other(sub0_plugin_v0(), Tree{{"DATABASE_URL", "mongodb://root:hidden@db/app"}});
  EXPECT_NE(other.create_code, SUB0_OK);
  EXPECT_TRUE(other.hasLogged("of kind \"mongodb\"")) << other.allLogs();
  EXPECT_FALSE(other.hasLogged("hidden"));
}

TEST_F(Sqlite, ANumberBelowWhatTheTextOfItsSettingSaysIsRefused) {
  const sub0_plugin& plugin = *sub0_plugin_v0();
  for (std::uint32_t i = 0; i < plugin.setting_count; ++i) {
    const sub0_setting& setting = *plugin.settings[i];
    if (setting.type != SUB0_INT) {
      continue;
    }
    const std::string name(stringView(setting.name));
    const std::string text(stringView(setting.description));
    const std::size_t range = std::max(text.rfind("; at least ") + 1, text.rfind("; from ") + 1);
    ASSERT_GT(range, 0u) << name << ": " << text;
    const std::size_t digits = text.find_first_of("0123456789", range);
    const std::int64_t least = std::stoll(text.substr(digits));
    LoopHost other(sub0_plugin_v0(),
                   Tree{{"DATABASE_URL", "sqlite:" + folder_ + "/a.db"}, {name, least - 1}});
    EXPECT_NE(other.create_code, SUB0_OK);
    EXPECT_TRUE(other.hasLogged(name + "=" + std::to_string(least - 1) +
                                ": expected a whole number from " + std::to_string(least) + " to"))
        << other.allLogs();
    if (text[range + 1] == 'f') {
      EXPECT_TRUE(other.hasLogged(text.substr(digits))) << other.allLogs();
    }
  }
}

}  // namespace
}  // namespace sub0::query
