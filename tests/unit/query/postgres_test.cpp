// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/unit/query/postgres_fixture.hpp"

namespace sub0::query {
namespace {

// spec S-31
TEST_F(PostgresTest, OneRowIsAnObjectSeveralAnArrayNoneNull) {
  cluster().execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)");
  EXPECT_EQ(query("SELECT a FROM t WHERE a = 1"), R"({"a":1})");
  EXPECT_EQ(query("SELECT a FROM t ORDER BY a"), R"([{"a":1},{"a":2}])");
  EXPECT_EQ(query("SELECT a FROM t WHERE a = 3"), "null");
  EXPECT_EQ(query("INSERT INTO t VALUES (3)"), "null");
  EXPECT_EQ(query("SELECT 1 AS a, 2 AS b, 3 AS a"), R"({"a":3,"b":2})");
}

// spec S-32
TEST_F(PostgresTest, ColumnsKeepTheirMeaning) {
  cluster().execute(
      "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN age AS int; "
      "CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN late AS moment");
  struct Case {
    const char* type;
    const char* value;
    const char* json;
  };
  const Case cases[] = {
      {"int2", "-32768", "-32768"},
      {"int4", "2147483647", "2147483647"},
      {"int8", "9223372036854775807", "9223372036854775807"},
      {"age", "7", "7"},
      {"numeric", "12345678901234567890.123456789012345", "12345678901234567890.123456789012345"},
      {"numeric(10,2)", "1.5", "1.50"},
      {"numeric", "'NaN'", "null"},
      {"numeric", "'Infinity'", "null"},
      {"float4", "1.1", "1.1"},
      {"float8", "0.1", "0.1"},
      {"float8", "1e300", "1e+300"},
      {"float8", "'NaN'", "null"},
      {"float8", "'-Infinity'", "null"},
      {"bool", "true", "true"},
      {"bool", "false", "false"},
      {"text", "'é\"'", "\"é\\\"\""},
      {"text", "''", "\"\""},
      {"varchar(5)", "'12'", "\"12\""},
      {"uuid", "'0B0E8A3C-0000-4000-8000-000000000001'",
       "\"0b0e8a3c-0000-4000-8000-000000000001\""},
      {"date", "'2024-02-29'", "\"2024-02-29\""},
      {"time", "'03:04:05.5'", "\"03:04:05.5\""},
      {"timestamp", "'2024-01-02 03:04:05'", "\"2024-01-02T03:04:05.000Z\""},
      {"timestamp", "'2024-01-02 03:04:05.123456'", "\"2024-01-02T03:04:05.123456Z\""},
      {"timestamptz", "'2024-01-02 03:04:05.5+02'", "\"2024-01-02T01:04:05.500Z\""},
      {"timestamptz", "'infinity'", "\"infinity\""},
      {"interval", "'1 day 2 hours'", "\"1 day 02:00:00\""},
      {"json", "'{\"a\": [1, null]}'", "{\"a\": [1, null]}"},
      {"jsonb", "'{\"b\":1.50,\"a\":\"x\"}'", "{\"a\": \"x\", \"b\": 1.50}"},
      {"jsonb", "'null'", "null"},
      {"bytea", "'\\x00ff10'", "\"AP8Q\""},
      {"bytea", "''", "\"\""},
      {"int[]", "'{1,NULL,-3}'", "[1,null,-3]"},
      {"int[]", "'{{1,2},{3,4}}'", "[[1,2],[3,4]]"},
      {"int[]", "'[0:1]={5,6}'", "[5,6]"},
      {"int[]", "'{}'", "[]"},
      {"text[]", R"('{a,"b,\"c\\","NULL",NULL,""}')", R"(["a","b,\"c\\","NULL",null,""])"},
      {"jsonb[]", R"('{"{\"a\": 1}",NULL}')", R"([{"a": 1},null])"},
      {"timestamptz[]", "'{2024-01-02 03:04:05+00}'", "[\"2024-01-02T03:04:05.000Z\"]"},
      {"bool[]", "'{t,f}'", "[true,false]"},
      {"mood", "'ok'", "\"ok\""},
      {"mood[]", "'{ok,sad}'", "[\"ok\",\"sad\"]"},
      {"age[]", "'{1,2}'", "[1,2]"},
      {"late[]", "'{2024-01-02 03:04:05+00}'", "[\"2024-01-02T03:04:05.000Z\"]"},
      {"inet", "'10.0.0.1/8'", "\"10.0.0.1/8\""},
  };
  for (const Case& one : cases) {
    const std::string sql = std::string("SELECT (") + one.value + ")::" + one.type + " AS c";
    EXPECT_EQ(query(sql), std::string("{\"c\":") + one.json + "}") << sql;
    EXPECT_EQ(query(std::string("SELECT NULL::") + one.type + " AS c"), R"({"c":null})")
        << one.type;
  }
  EXPECT_EQ(query("SELECT pg_sleep(0) AS c"), R"({"c":null})");
}

// spec S-32
TEST_F(PostgresTest, JsonThatTheHostDoesNotTakeIsText) {
  const std::string deep = std::string(300, '[') + std::string(300, ']');
  EXPECT_EQ(query("SELECT '" + deep + "'::json AS c"), "{\"c\":\"" + deep + "\"}");
  EXPECT_EQ(query(R"(SELECT '"\ud800"'::json AS c)"), R"({"c":"\"\\ud800\""})");
  EXPECT_EQ(query("SELECT '[1e999]'::json AS c"), R"({"c":"[1e999]"})");
  EXPECT_EQ(query(R"(SELECT '{"a":1,"a":2}'::json AS c)"), R"({"c":{"a":1,"a":2}})");
  EXPECT_EQ(query(R"(SELECT '"\ud83d\ude00"'::json AS c)"), R"({"c":"\ud83d\ude00"})");
}

// spec S-30, Q-60
TEST_F(PostgresTest, ParametersAreTextWhoseTypeTheServerTells) {
  cluster().execute(
      "CREATE TABLE t (i bigint, n numeric, f float8, b boolean, s text, j jsonb, at timestamptz)");
  const auto insert = prepare("INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *", 7);
  startedHost();
  const Tree json{{"a", Literal::array({1, "x\"", nullptr})}};
  EXPECT_EQ(
      host()
          .run(*insert, {Tree(Literal(1e15)), Tree(Literal::number("1.5e3")), Tree(Literal(1e-7)),
                         Tree(Literal(true)), Tree(Literal("'; DROP TABLE t; --")), json,
                         Tree(Literal("2024-01-02T03:04:05Z"))})
          .json,
      R"({"i":1000000000000000,"n":1500,"f":1e-07,"b":true,"s":"'; DROP TABLE t; --",)"
      R"("j":{"a": [1, "x\"", null]},"at":"2024-01-02T03:04:05.000Z"})");
  EXPECT_EQ(host().run(*insert, std::vector<Tree>(7)).code, SUB0_OK);
  EXPECT_EQ(query("SELECT $2::int - $1::int AS d", {Tree(Literal(1)), Tree(Literal(10))}),
            R"({"d":9})");
  const LoopEnd nul = end("SELECT $1::text AS v", {Tree(Literal(std::string_view("a\0b", 3)))});
  EXPECT_EQ(nul.code, SUB0_BAD_REQUEST);
  EXPECT_NE(nul.client.find("NUL"), std::string::npos);
  EXPECT_EQ(query("SELECT length($1) AS n", {Tree(Literal(std::string(1 << 20, 'x')))}),
            R"({"n":1048576})");
}

// spec S-30
TEST_F(PostgresTest, AParameterWithoutATypeIsPreparedOnceMoreAsText) {
  EXPECT_EQ(query("SELECT jsonb_build_object('a', $1) AS j", {Tree(Literal("x"))}),
            R"({"j":{"a": "x"}})");  // 42P18
  EXPECT_EQ(query("SELECT $1 AS a, $2 AS b, $3::int AS c",
                  {Tree(Literal("x")), Tree(Literal(5)), Tree(Literal(6))}),
            R"({"a":"x","b":"5","c":6})");
  cluster().execute("CREATE TABLE t (v varchar(9), s text, i int)");
  // 42P08
  EXPECT_EQ(query("INSERT INTO t (v, s) SELECT $1::varchar, $1 WHERE $2 IS NOT NULL RETURNING s",
                  {Tree(Literal("x")), Tree(Literal("y"))}),
            R"({"s":"x"})");
  EXPECT_EQ(query("SELECT 1 AS a WHERE $1 IS NULL OR 'x' = $1", {Tree(Literal("x"))}),
            R"({"a":1})");
}

// spec S-30: ? is an operator here, and no parameter
TEST_F(PostgresTest, AQuestionMarkThatWasMeantAsAParameterIsNamed) {
  const Tree one = Tree::array().push(Literal("$PAYLOAD.a"));
  const auto action =
      startedHost().prepare(Tree{{"query", "SELECT 1 WHERE 2 = ?"}, {"parameters", one}});
  EXPECT_EQ(action->errors,
            "/parameters/0: there is 1 parameter, but the query uses none; write $1 for ?\n");
}

// spec S-41
TEST_F(PostgresTest, AWriteReturnsItsRowWhereReturnablesAreNamed) {
  cluster().execute("CREATE TABLE t (a serial, b text)");
  startedHost();
  Tree resource = Tree::object();
  resource.set("returnables", Tree::array().push(Literal("a")));
  Tree config{{"query", "INSERT INTO t (b) VALUES ('x');"}};
  const auto insert = host().prepare(config, Tree::object(), resource);
  EXPECT_EQ(host().run(*insert).json, R"({"a":1,"b":"x"})");
}

// spec S-52
TEST_F(PostgresTest, ConstraintsAreToldWithoutSql) {
  cluster().execute(
      "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, org int, \"fullName\" text NOT "
      "NULL, age int CHECK (age > 0), UNIQUE (org, \"fullName\"));"
      "CREATE TABLE notes (id int PRIMARY KEY, user_id int REFERENCES users (id) DEFERRABLE "
      "INITIALLY DEFERRED);"
      "INSERT INTO users VALUES (1, 'a@b.c', 7, 'Ada', 1);"
      "CREATE TABLE shy (a text, \"we\"\"ird\" text, ü int, UNIQUE (\"we\"\"ird\", ü));"
      "CREATE UNIQUE INDEX ON shy (lower(a)); CREATE UNIQUE INDEX ON shy ((ü * 2 + 7));"
      "INSERT INTO shy VALUES ('a', 'x', 2), ('z', 'x', 1)");
  const std::pair<const char*, const char*> cases[] = {
      {"INSERT INTO users VALUES (2, 'a@b.c', 8, 'Bob', 1)",
       "Operation Failed: email already exists"},
      {"INSERT INTO users VALUES (2, 'b@b.c', 7, 'Ada', 1)",
       "Operation Failed: org, fullName already exists"},
      {"INSERT INTO users VALUES (2, 'b@b.c', 8, NULL, 1)",
       "Operation Failed: fullName is required"},
      {"INSERT INTO users VALUES (2, 'b@b.c', 8, 'Bob', 0)",
       "Operation Failed: the value is not allowed"},
      {"INSERT INTO notes VALUES (1, 99)", "Operation Failed: user_id refers to nothing"},
      {"INSERT INTO shy VALUES ('A', 'b', 3)", "Operation Failed: the value already exists"},
      {"INSERT INTO shy VALUES ('b', 'y', 1)", "Operation Failed: the value already exists"},
      {"INSERT INTO shy VALUES ('c', 'x', 2)", "Operation Failed: we\"ird, ü already exists"},
  };
  for (const auto& [sql, text] : cases) {
    const LoopEnd done = end(sql);
    EXPECT_EQ(done.code, SUB0_CONSTRAINT) << sql << " " << done.log;
    EXPECT_EQ(done.client, text) << sql;
  }
  EXPECT_EQ(query("SELECT count(*) AS n FROM notes"), R"({"n":0})");
  const LoopEnd other = end("SELECT 1 / (SELECT 0) AS secret_column");
  EXPECT_EQ(other.code, SUB0_ACTION_FAILED);
  EXPECT_EQ(other.client, "");
  EXPECT_NE(other.log.find("division by zero"), std::string::npos);
}

// spec S-52
TEST_F(PostgresTest, ARowThatIsReferredToMayNotGo) {
  cluster().execute(
      "CREATE TABLE users (id int PRIMARY KEY);"
      "CREATE TABLE notes (id int PRIMARY KEY, user_id int REFERENCES users);"
      "CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree);"
      "INSERT INTO users VALUES (1), (2); INSERT INTO notes VALUES (1, 1), (2, NULL);"
      "INSERT INTO tree VALUES (1, NULL), (2, 1);"
      "CREATE FUNCTION drop_users() RETURNS void LANGUAGE sql AS 'DELETE FROM users'");
  const std::pair<const char*, const char*> cases[] = {
      {"DELETE FROM users WHERE id = 1", "id is not allowed"},
      {"UPDATE users SET id = 7 WHERE id = 1", "id is not allowed"},
      {"WITH a AS (SELECT 1) DELETE FROM users", "id is not allowed"},
      {"SELECT drop_users()", "id is not allowed"},
      {"UPDATE notes SET user_id = 9", "user_id refers to nothing"},
      {"INSERT INTO notes VALUES (3, 9)", "user_id refers to nothing"},
      {"DELETE FROM tree WHERE id = 1", "id is not allowed"},
      {"UPDATE tree SET id = 7 WHERE id = 1", "id is not allowed"},
      {"UPDATE tree SET parent = 9", "parent refers to nothing"},
  };
  for (const auto& [sql, text] : cases) {
    const LoopEnd done = end(sql);
    EXPECT_EQ(done.code, SUB0_CONSTRAINT) << sql << " " << done.log;
    EXPECT_EQ(done.client, std::string("Operation Failed: ") + text) << sql;
  }
}

// spec S-52
TEST_F(PostgresTest, AValueOfTheWrongTypeIsNamedAsSuch) {
  cluster().execute("CREATE TABLE t (a int, b varchar(2), c timestamptz, d uuid)");
  const std::pair<const char*, Tree> cases[] = {
      {"INSERT INTO t (a) VALUES ($1)", Tree(Literal("x"))},
      {"INSERT INTO t (a) VALUES ($1)", Tree(Literal(99999999999))},
      {"INSERT INTO t (b) VALUES ($1)", Tree(Literal("long"))},
      {"INSERT INTO t (c) VALUES ($1)", Tree(Literal("soon"))},
      {"INSERT INTO t (c) VALUES ($1)", Tree(Literal("2024-13-01"))},
      {"INSERT INTO t (d) VALUES ($1)", Tree(Literal("1"))},
  };
  for (const auto& [sql, value] : cases) {
    const LoopEnd done = end(sql, {value});
    EXPECT_EQ(done.code, SUB0_ACTION_FAILED) << sql << " " << done.log;
    EXPECT_EQ(done.client, "Operation Failed: a value does not fit its column's type") << sql;
  }
}

// Q-18, spec S-52: what a client sends may be a secret: the log names the error, its place in the
// server and the statement
TEST_F(PostgresTest, NoValueOfACallStandsInTheLog) {
  cluster().execute(
      "CREATE TYPE mood AS ENUM ('good');"
      "CREATE TABLE t (a int, b varchar(2), c timestamptz, d uuid, e jsonb, f mood, g text UNIQUE, "
      "CHECK (g <> 'hunter2x')); INSERT INTO t (g) VALUES ('hunter2'), ('hunter2y');"
      "CREATE VIEW v AS SELECT g FROM t WHERE g = '' WITH CHECK OPTION;"
      "CREATE FUNCTION made(a text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE a; END'");
  const std::pair<const char*, std::string> cases[] = {
      {"INSERT INTO t (a) VALUES ($1)", "hunter2"},
      {"INSERT INTO t (c) VALUES ($1)", "hunter2"},
      {"INSERT INTO t (d) VALUES ($1)", "hunter2"},
      {"INSERT INTO t (e) VALUES ($1)", "{hunter2"},
      {"INSERT INTO t (f) VALUES ($1)", "hunter2"},
      {"INSERT INTO t (g) VALUES ($1)", "hunter2"},
      {"INSERT INTO t (g) VALUES ($1)", "hunter2x"},
      {"INSERT INTO v (g) VALUES ($1)", "hunter2z"},
      {"SELECT 1 AS a WHERE 'x' ~ $1", "hunter2["},
      {"SELECT to_tsquery('simple', $1) AS a", "hunter2 hunter2"},
      {"SELECT $1::regclass AS a", "hunter2"},
      {"SELECT $1::numeric::int AS a", "92233720368547758070"},
      {"SELECT set_config('statement_timeout', $1, true) AS a", "hunter2"},
      {"SELECT $1::text::regclass::text AS a", "hunter2.tab"},
      {"SELECT $1::text::regclass::text AS a", "other.hunter2.tab"},
      {"SELECT $1::text::regtype::text AS a", "hunter2 hunter2"},
      {"SELECT $1::tsquery::text AS a", "hunter2" + std::string(3000, 'x')},
      {"SELECT pg_read_file($1) AS a", "hunter2"},
      {"SELECT pg_read_file($1) AS a", "/proc/1/fd/hunter2"},
      {"SELECT current_setting($1) AS a", "hunter2"},
      {"SELECT query_to_xml($1, true, true, '')::text AS a", "SELECT hunter2"},
      {"SELECT made($1) AS a", "SELECT hunter2"},
  };
  for (const auto& [sql, value] : cases) {
    const LoopEnd done = end(sql, {Tree(Literal(value))});
    EXPECT_NE(done.code, SUB0_OK) << sql;
    EXPECT_EQ(done.log.find("hunter2"), std::string::npos) << done.log;
    EXPECT_EQ(done.log.find("92233"), std::string::npos) << done.log;
    EXPECT_NE(done.log.find(sql), std::string::npos) << done.log;
  }
  EXPECT_NE(end("SELECT $1::int AS a", {Tree(Literal("x"))}).log.find("(22P02, "),
            std::string::npos);
}

// Q-18: what cannot be a value is told in the server's words: an operator finds what is missing
TEST_F(PostgresTest, TheLogNamesWhatAStatementLacks) {
  cluster().execute(
      "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE ROLE poor; GRANT ALL ON SCHEMA public TO "
      "poor;"
      "CREATE FUNCTION count_t() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS "
      "'SELECT count(*) FROM t'; ALTER FUNCTION count_t OWNER TO poor;"
      "CREATE FUNCTION refuse(state text) RETURNS void LANGUAGE plpgsql AS $$BEGIN "
      "RAISE EXCEPTION 'the account is closed' USING ERRCODE = state; END$$");
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT a FROM missing", R"(relation "missing" does not exist)"},
      {"SELECT a, t.nothing FROM t", "t.nothing does not exist"},
      {"SELECT missing(a) FROM t", "function missing(integer) does not exist"},
      {"SELECT 'x'::int AS a", R"(type integer: "x" (22P02))"},  // of the statement's own text
      {"SELECT count_t() AS a", "permission denied for table t (42501)"},
      {"INSERT INTO t VALUES (1) ON CONFLICT (b) DO NOTHING", "ON CONFLICT specification"},
      {"SELECT (SELECT a FROM (VALUES (1), (2)) AS v (a)) AS a", "more than one row returned"},
      {"INSERT INTO t VALUES (NULL)", R"(null value in column "a")"},
      {"SELECT refuse('P0001') AS a", "the account is closed (P0001)"},
      {"SELECT refuse('AB123') AS a", "the account is closed (AB123)"},
  };
  for (const auto& [sql, words] : cases) {
    const LoopEnd done = end(sql);
    EXPECT_NE(done.log.find(words), std::string::npos) << sql << ": " << done.log;
  }
  cluster().execute("DROP OWNED BY poor; DROP ROLE poor");
}

TEST_F(PostgresTest, ADatabaseThatTakesNoWritesIsUnavailable) {
  cluster().execute(
      "CREATE TABLE t (a int); ALTER DATABASE postgres SET default_transaction_read_only = on");
  const LoopEnd done = end("INSERT INTO t VALUES (1)");
  cluster().execute(
      "BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT");
  EXPECT_EQ(done.code, SUB0_UNAVAILABLE) << done.log;
  EXPECT_EQ(done.client, "the database takes no changes at the moment");
}

// spec S-35
TEST_F(PostgresTest, AFunctionWithABodyIsOneStatement) {
  EXPECT_EQ(query("CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; "
                  "SELECT CASE WHEN a > 0 THEN a END; END;"),
            "null");
  EXPECT_EQ(query("SELECT f(5) AS a"), R"({"a":5})");
}

// spec S-50
TEST_F(PostgresTest, AReadOnlyRunRefusesAWriteThatOnlyTheDatabaseSees) {
  cluster().execute(
      "CREATE TABLE t (a int); CREATE SEQUENCE s;"
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING a'");
  startedHost();
  const auto function = prepare("SELECT f() AS a");
  EXPECT_EQ(function->facts["reads_only"], "true");
  const auto plain = prepare("SELECT 1 AS a");
  std::vector<sub0_ticket> refused, answered;
  for (int i = 0; i < 5; ++i) {  // all in one turn
    refused.push_back(host().begin(*function, {}, SUB0_RUN_READ_ONLY));
    answered.push_back(host().begin(*plain, {}, i % 2 == 0 ? 0 : SUB0_RUN_READ_ONLY));
  }
  for (const sub0_ticket ticket : refused) {
    const LoopEnd done = host().wait(ticket);
    EXPECT_EQ(done.code, SUB0_METHOD_NOT_ALLOWED);
    EXPECT_EQ(done.client, "GET is not allowed: the resource does more than read; use POST");
  }
  for (const sub0_ticket ticket : answered) {
    EXPECT_EQ(host().wait(ticket).json, R"({"a":1})");
  }
  EXPECT_EQ(end("SELECT nextval('s')", {}, SUB0_RUN_READ_ONLY).code, SUB0_METHOD_NOT_ALLOWED);
  EXPECT_EQ(query("SELECT count(*) AS n FROM t"), R"({"n":0})");
  EXPECT_EQ(query("SELECT f() AS a"), R"({"a":1})");
}

TEST_F(PostgresTest, AnErrorConcernsItsStatementAlone) {
  startedHost();
  const auto good = prepare("SELECT $1::int AS a", 1);
  const auto missing = prepare("SELECT a FROM missing");
  const auto zero = prepare("SELECT 1 / $1::int AS a", 1);
  std::vector<std::pair<sub0_ticket, std::string>> runs;
  for (int i = 0; i < 20; ++i) {
    runs.emplace_back(host().begin(*good, {Tree(Literal(i))}), "{\"a\":" + std::to_string(i) + "}");
    runs.emplace_back(host().begin(*missing), "");
    runs.emplace_back(host().begin(*zero, {Tree(Literal(0))}), "");
  }
  for (const auto& [ticket, json] : runs) {
    const LoopEnd done = host().wait(ticket);
    EXPECT_EQ(done.json, json);
    EXPECT_EQ(done.code, json.empty() ? SUB0_ACTION_FAILED : SUB0_OK) << done.log;
  }
}

TEST_F(PostgresTest, AStatementForAMissingTableWarnsAtStartAndFailsUntilTheTableIsThere) {
  const auto action = prepare("SELECT a FROM later");
  const auto good = prepare("SELECT $1 AS a", 1);
  ASSERT_TRUE(becomesReady());
  ASSERT_TRUE(host().turnUntil([&] { return host().hasLogged("\"later\" does not exist"); }));
  EXPECT_EQ(host().run(*action).code, SUB0_ACTION_FAILED);
  cluster().execute("CREATE TABLE later (a int); INSERT INTO later VALUES (5)");
  EXPECT_EQ(host().run(*action).json, R"({"a":5})");
  EXPECT_FALSE(host().hasLogged("$1"));
  cluster().execute(
      "DROP TABLE later; CREATE TABLE later (b text, a text);"
      "INSERT INTO later VALUES ('x', 'y')");
  EXPECT_EQ(host().run(*action).json, R"({"a":"y"})");  // prepared anew: the type has changed
  EXPECT_EQ(host().run(*good, {Tree(Literal("x"))}).json, R"({"a":"x"})");
}

// Q-72
TEST_F(PostgresTest, AResultPastItsLimitNamesTheSetting) {
  host(100000);
  const LoopEnd many = end("SELECT i FROM generate_series(1, 300000) i");
  EXPECT_EQ(many.code, SUB0_RESULT_TOO_LARGE);
  EXPECT_NE(many.client.find("SUB0_RESULT_LIMIT"), std::string::npos);
  EXPECT_EQ(end("SELECT repeat('x', 200000) AS a").code, SUB0_RESULT_TOO_LARGE);
  EXPECT_EQ(end("SELECT repeat('x', 100000000) AS a").code, SUB0_RESULT_TOO_LARGE);
  EXPECT_EQ(query("SELECT 1 AS a"), R"({"a":1})");
}

TEST_F(PostgresTest, ValuesOfTheSessionAreFixed) {
  EXPECT_EQ(query("SELECT current_setting('TimeZone') AS z, current_setting('DateStyle') AS d, "
                  "current_setting('client_encoding') AS e, "
                  "current_setting('application_name') AS n"),
            R"({"z":"UTC","d":"ISO, MDY","e":"UTF8","n":"sub0"})");
}

TEST_F(PostgresTest, TheHostExecutesSqlOfItsOwn) {
  startedHost();
  const auto& sql = *static_cast<const sub0_sql*>(host().extension(SUB0_SQL_EXTENSION));
  SqlEnd script, rows, broken;
  const sub0_text_view script_text =
      textView("CREATE TABLE t (a int, b jsonb); INSERT INTO t VALUES (1, '[1]');");
  sql.execute_script(host().self(), &script_text, &onSqlDone, &script);
  host().turnUntil([&] { return script.came.load(); });
  EXPECT_EQ(script.code, SUB0_OK) << script.message;
  const sub0_text_view select = textView("SELECT a, b FROM t WHERE a = $1");
  const Tree one(Literal::array({1}));
  sql.execute(host().self(), &select, &one.raw(), &onSqlDone, &rows);
  host().turnUntil([&] { return rows.came.load(); });
  EXPECT_EQ(rows.json, R"([{"a":1,"b":[1]}])");
  const sub0_text_view bad = textView("SELECT * FROM missing");
  sql.execute(host().self(), &bad, nullptr, &onSqlDone, &broken);
  host().turnUntil([&] { return broken.came.load(); });
  EXPECT_EQ(broken.code, SUB0_ACTION_FAILED);
  EXPECT_NE(broken.message.find("missing"), std::string::npos);
}

// Q-91: what a reload left behind is forgotten, by the server as well
TEST_F(PostgresTest, StatementsThatNoActionHasAnyMoreAreForgotten) {
  ASSERT_TRUE(becomesReady());
  const auto kept = prepare("SELECT 'kept' AS a");
  const auto count = prepare("SELECT count(*)::int AS n FROM pg_prepared_statements");
  const auto behind = prepare("NOTIFY looked_at");  // by the connection that looks at statements
  host().run(*kept);
  int most = 0;
  for (int i = 0; i < 300; ++i) {
    const auto action = prepare("SELECT " + std::to_string(i) + " AS a");
    EXPECT_EQ(host().run(*action).json, "{\"a\":" + std::to_string(i) + "}");
    EXPECT_EQ(host().run(*behind).code, SUB0_OK);  // so nobody has the action any more below
    const std::string json = host().run(*count).json;
    most = std::max(most, std::stoi(json.substr(json.find(':') + 1)));
  }
  EXPECT_GT(most, 10);
  EXPECT_LE(most, 65);
  EXPECT_EQ(host().run(*kept).json, R"({"a":"kept"})");
}

}  // namespace
}  // namespace sub0::query
