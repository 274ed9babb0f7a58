// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "postgres/postgres_arrays.hpp"
#include "postgres/postgres_form.hpp"
#include "tests/unit/query/postgres_fixture.hpp"

namespace sub0::query {
namespace {

// spec S-30
TEST(PostgresArrays, AreWrittenAsTheServerReadsThem) {
  const auto literal = [](std::string_view json, bool of_json = false) {
    return arrayLiteral(json, of_json).value_or("none");
  };
  EXPECT_EQ(literal("[]"), "{}");
  EXPECT_EQ(literal(" [ 1 , -2.5 , 1e2 , true , null ] "), "{1,-2.5,100,true,NULL}");
  EXPECT_EQ(literal(R"(["a","","NULL","x,y{}","q\"b\\"])"), R"({"a","","NULL","x,y{}","q\"b\\"})");
  EXPECT_EQ(literal(R"(["\u0041\u00e9\ud83d\ude00\n\/"])"), "{\"Aé😀\n/\"}");
  EXPECT_EQ(literal("[[1,2],[3,null]]"), "{{1,2},{3,NULL}}");
  EXPECT_EQ(literal(R"([{"a":["]"]}])"), R"({"{\"a\":[\"]\"]}"})");
  EXPECT_EQ(literal(R"(["a",[1,{"b":2}],1,null,false])", true),
            R"({"\"a\"","[1,{\"b\":2}]","1",NULL,"false"})");
  EXPECT_EQ(literal("[[[[[[1]]]]]]"), "{{{{{{1}}}}}}");
  for (const char* none : {"[[[[[[[1]]]]]]]", R"(["a\u0000b"])", R"(["\ud800"])", R"(["\ud800x"])",
                           R"(["\ude00"])", R"(["\ud800\u0041"])", "{}", "1", "[1", "[1 2]", "["}) {
    EXPECT_EQ(literal(none), "none") << none;
  }
}

template <typename... Items>
Tree list(Items... items) {
  Tree made = Tree::array();
  (made.push(items), ...);
  return made;
}

class PostgresParametersTest : public PostgresTest {
 protected:
  std::unique_ptr<LoopHost> makeHost(std::int64_t result_limit) override {
    return std::make_unique<LoopHost>(
        sub0_plugin_v0(), Tree{{"DATABASE_URL", cluster().url()},
                               {"SUB0_RESULT_LIMIT", result_limit},
                               {"SUB0_POSTGRES_NAMED_STATEMENTS", Literal(keeps_statements_)}});
  }
  // As the only statement of a transaction.
  std::string inCall(const std::string& sql, const std::vector<Tree>& values) {
    const auto action = prepare(sql, values.size());
    startedHost();
    const LoopEnd ended = host().wait(host().beginInCall(7, *action, values));
    if (ended.code != SUB0_OK) {
      host().rollback(7);
      return ended.log;
    }
    EXPECT_EQ(host().wait(host().beginCommit(7)).code, SUB0_OK);
    return ended.json;
  }

  const Tree one_ = Tree(Literal(1)), text_ = Tree(Literal("x")), none_ = Tree(Literal(nullptr));
  bool keeps_statements_ = true;
};

// spec S-30
TEST_F(PostgresParametersTest, AnArrayOfJsonIsAnArrayWhereTheServerWantsOne) {
  cluster().execute(
      "CREATE TYPE mood AS ENUM ('ok', 'not so'); CREATE DOMAIN short AS text CHECK (length(value) "
      "< 5); CREATE DOMAIN few AS int[]; CREATE DOMAIN fewer AS few; CREATE TABLE t (i int[], s "
      "text[], m mood[], d short[], f few, g fewer, u uuid[], n numeric[], j jsonb, k jsonb[], at "
      "timestamptz[])");
  const std::string id = "0192a0b4-0000-7000-8000-000000000001";
  const Tree texts = list(Literal("a\"b\\c"), Literal("NULL"), Literal(nullptr), Literal(", {}"));
  EXPECT_EQ(
      query("INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *",
            {list(list(Literal(1), Literal(2)), list(Literal(3), Literal(nullptr))), texts,
             list(Literal("not so")), list(Literal("abc")), list(Literal(1)), list(Literal(2)),
             list(Literal(id)), list(Literal::number("1.50")), list(Literal(1), text_),
             list(text_, Tree{{"a", Literal(1)}}, list(Literal(2)), none_),
             list(Literal("2024-01-02T03:04:05Z"))}),
      R"({"i":[[1,2],[3,null]],"s":["a\"b\\c","NULL",null,", {}"],"m":["not so"],)"
      R"("d":["abc"],"f":[1],"g":[2],"u":[")" +
          id +
          R"("],"n":[1.50],"j":[1, "x"],"k":["x",{"a": 1},[2],null],)"
          R"("at":["2024-01-02T03:04:05.000Z"]})");
  const std::string any = "SELECT array_agg(i) AS a FROM generate_series(1, 5) i WHERE i = ANY($1)";
  EXPECT_EQ(query(any, {list(Literal(2), Literal(4))}), R"({"a":[2,4]})");
  EXPECT_EQ(query(any, {list()}), R"({"a":null})");
  EXPECT_EQ(query(any, {Tree(Literal("{1,2}"))}), R"({"a":[1,2]})");
  EXPECT_EQ(query(any, {none_}), R"({"a":null})");
  EXPECT_EQ(query("SELECT v FROM unnest($1::text[]) v", {list(text_)}), R"({"v":"x"})");
  EXPECT_EQ(query("SELECT 3 = ANY($1::bigint[]) AS a", {list(Literal(3))}), R"({"a":true})");
  EXPECT_EQ(query("SELECT s && $2 AS a FROM t WHERE $1 = ANY(s)",
                  {Tree(Literal(", {}")), list(Literal("NULL"))}),
            R"({"a":true})");
  EXPECT_EQ(query("SELECT $1::text AS a", {list(Literal(1), text_)}), R"({"a":"[1,\"x\"]"})");
  EXPECT_EQ(query("SELECT 1 = ANY($1) AS a", {list(text_)}).substr(0, 5), "20 Op");
  EXPECT_EQ(query("SELECT 1 = ANY($1) AS a", {list(Literal(1))}), R"({"a":true})");
}

// spec S-30: a type may be younger than the connection, and a column's type may change.
TEST_F(PostgresParametersTest, WhichTypesAreArraysIsAskedWhenOneIsGiven) {
  cluster().execute("CREATE TABLE t (a jsonb)");
  const auto add = prepare("INSERT INTO t VALUES ($1) RETURNING a", 1);
  ASSERT_TRUE(becomesReady());
  EXPECT_EQ(host().run(*add, {list(text_)}).json, R"({"a":["x"]})");
  cluster().execute("CREATE TYPE mood AS ENUM ('x', 'y')");
  EXPECT_EQ(query("SELECT $1::mood[] AS a", {list(text_)}), R"({"a":["x"]})");
  cluster().execute("DELETE FROM t; ALTER TABLE t ALTER a TYPE mood[] USING NULL");
  EXPECT_EQ(host().run(*add, {list(text_)}).json, R"({"a":["x"]})");
  // What the transaction does not know it learns when it has failed.
  cluster().execute("DELETE FROM t; ALTER TABLE t ALTER a TYPE jsonb USING NULL");
  const std::string sql = "INSERT INTO t VALUES ($1) RETURNING a AS b";
  const auto kept = prepare(sql, 1);
  EXPECT_EQ(inCall(sql, {list(text_)}), R"({"b":["x"]})");
  cluster().execute("DELETE FROM t; ALTER TABLE t ALTER a TYPE mood[] USING NULL");
  EXPECT_NE(inCall(sql, {list(text_)}).find("22P02"), std::string::npos);
  EXPECT_EQ(inCall(sql, {list(text_)}), R"({"b":["x"]})");
}

// A value of a client that fits no parameter looks like a type that has changed.
TEST_F(PostgresParametersTest, ValuesThatDoNotFitHaveTheirStatementPreparedOnceMore) {
  cluster().execute("CREATE TABLE t (id int, s text); INSERT INTO t VALUES (1, 'x')");
  const auto find = prepare("SELECT s FROM t WHERE id = $1", 1);
  const auto times = prepare(
      "SELECT count(*) AS n, max(substring(name from '[0-9]+$')::int) <= 3 AS few FROM "
      "pg_prepared_statements WHERE statement LIKE 'SELECT s FROM t%'");
  ASSERT_TRUE(becomesReady());
  const auto is_kept = [&] {
    EXPECT_EQ(host().run(*find, {one_}).json, R"({"s":"x"})");
    return host().run(*times).json == R"({"n":1,"few":true})";
  };
  ASSERT_TRUE(host().turnUntil(is_kept));
  std::vector<sub0_ticket> tickets;
  for (int i = 0; i < 40; ++i) {
    tickets.push_back(host().begin(*find, {text_}));
  }
  for (const sub0_ticket ticket : tickets) {
    EXPECT_NE(host().wait(ticket).log.find("22P02"), std::string::npos);
  }
  EXPECT_TRUE(is_kept());
}

TEST(PostgresForm, ForgetsItsArraysAtMostOnceASecond) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const PostgresForm form("SELECT $1");
  form.learnElements({23});
  form.forgetElements(5 * kSecond);
  EXPECT_FALSE(form.elements());
  form.learnElements({23});
  form.forgetElements(6 * kSecond - 1);
  EXPECT_TRUE(form.elements());
  form.forgetElements(6 * kSecond);
  EXPECT_FALSE(form.elements());
}

// What a function raises is not about the statement that was prepared.
TEST_F(PostgresParametersTest, AStateOfPreparedStatementsMayBeAFunctions) {
  cluster().execute(
      "CREATE FUNCTION f(state text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'x' USING "
      "ERRCODE = state; END $$");
  const auto raise = prepare("SELECT f($1) AS g", 1);
  const auto times = prepare("SELECT count(*) AS n FROM pg_prepared_statements");
  ASSERT_TRUE(becomesReady());
  for (const char* state : {"26000", "42P05"}) {
    const Tree value{Literal(state)};
    EXPECT_NE(inCall("SELECT f($1)", {value}).find(state), std::string::npos);
    EXPECT_NE(host().run(*raise, {value}).log.find(state), std::string::npos);
  }
  EXPECT_EQ(host().wait(host().beginInCall(7, *times)).json, R"({"n":1})");
  host().rollback(7);
}

// Which is how a value is taken out of one.
TEST_F(PostgresParametersTest, AnEnumMayBeMadeAnew) {
  cluster().execute(
      "CREATE TYPE mood AS ENUM ('x', 'y'); CREATE TABLE t (a mood); INSERT INTO t VALUES ('x')");
  std::vector<std::unique_ptr<LoopAction>> actions;
  for (const char* condition : {"a = $1", "a = $1::mood", "a::text = $1::mood::text"}) {
    actions.push_back(prepare(std::string("SELECT a FROM t WHERE ") + condition, 1));
  }
  const auto any = prepare("SELECT a FROM t WHERE a = ANY($1)", 1);
  const auto add = prepare("INSERT INTO t VALUES ($1) RETURNING a", 1);
  ASSERT_TRUE(becomesReady());
  for (int round = 0; round < 4; ++round) {
    for (const auto& action : actions) {
      EXPECT_EQ(host().run(*action, {text_}).json, R"({"a":"x"})");
    }
    EXPECT_EQ(host().run(*any, {list(text_)}).json, R"({"a":"x"})");
    EXPECT_EQ(host().run(*add, {text_}).json, R"({"a":"x"})");
    cluster().execute("DELETE FROM t; INSERT INTO t VALUES ('x')");
    if (round == 1) {
      cluster().execute(
          "ALTER TYPE mood RENAME TO old; CREATE TYPE mood AS ENUM ('x', 'z'); ALTER TABLE t ALTER "
          "a TYPE mood USING a::text::mood; DROP TYPE old");
    }
  }
}

// spec S-30: one place needs a number, another a text.
TEST_F(PostgresParametersTest, EachPlaceOfAParameterHasATypeOfItsOwnWhereItMust) {
  cluster().execute(
      "CREATE TABLE t (id bigint, at timestamptz, n int, total numeric, s text); INSERT INTO t "
      "VALUES (1, '2024-01-01', 5, 6, 's')");
  const auto found = [&](const std::string& condition, const std::vector<Tree>& values) {
    return query("SELECT id FROM t WHERE " + condition, values);
  };
  const std::string yes = R"({"id":1})", no = "null";
  const Tree two(Literal(2)), day(Literal("2024-01-01T00:00:00Z")), empty(Literal(""));
  EXPECT_EQ(found("($1 IS NULL OR id = $1)", {one_}), yes);
  EXPECT_EQ(found("($1 IS NULL OR id = $1)", {two}), no);
  EXPECT_EQ(found("($1 IS NULL OR id = $1)", {none_}), yes);
  EXPECT_EQ(found("($2 IS NULL OR at >= $2) AND ($1 IS NULL OR s = $1) AND '$2' <> $3",
                  {none_, day, text_}),
            yes);
  EXPECT_EQ(found("$1 = '' OR id::text = $1 OR id = $1", {one_}), yes);
  EXPECT_EQ(found("NOT $1 = '' AND id = $1", {one_}), yes);
  EXPECT_EQ(found("$1 IS NULL OR id = ANY($1)", {list(Literal(1), Literal(7))}), yes);
  EXPECT_EQ(found("$1 IS NULL OR id = ANY($1)", {none_}), yes);
  EXPECT_EQ(query("INSERT INTO t (id, n, total) VALUES ($1, $2, $2 * $3::numeric) RETURNING total",
                  {two, two, Tree(Literal(1.5))}),
            R"({"total":3.0})");
  const std::string update =
      "UPDATE t SET n = CASE WHEN $2 IS NOT NULL THEN $2 ELSE n END WHERE id = $1 RETURNING n";
  EXPECT_EQ(query(update, {one_, none_}), R"({"n":5})");
  EXPECT_EQ(query(update, {one_, two}), R"({"n":2})");
  // One parameter is taken apart, and another, whose places must be one, is not.
  EXPECT_EQ(
      query("SELECT date_trunc($2, at)::text AS a FROM t WHERE $1 IS NULL OR id = $1 GROUP BY "
            "date_trunc($2, at)",
            {one_, Tree(Literal("year"))}),
      R"({"a":"2024-01-01 00:00:00+00"})");
}

// The same where a statement has a connection of its own, in a transaction and behind a pooler.
TEST_F(PostgresParametersTest, EveryConnectionPutsTheStatementSo) {
  cluster().execute(
      "CREATE TABLE t (id int, tags text[]); INSERT INTO t VALUES (1, '{}'); CREATE FUNCTION own() "
      "RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const std::string read = "SELECT id FROM t WHERE ($1 IS NULL OR id = $1) AND 'x' = ANY($2)";
  const std::string own = "SELECT own() AS o FROM t WHERE $1 IS NULL OR id = ANY($1)";
  const std::string write =
      "UPDATE t SET tags = $2 WHERE $1 IS NULL OR id = $1 OR id::text = ANY($2) RETURNING tags";
  for (const bool keeps : {true, false}) {
    keeps_statements_ = keeps;
    is_started_ = false;
    host_.reset();
    ASSERT_TRUE(becomesReady());
    EXPECT_EQ(query(read, {one_, list(text_)}), R"({"id":1})");
    EXPECT_EQ(end(read, {one_, list(text_)}, SUB0_RUN_READ_ONLY).json, R"({"id":1})");
    EXPECT_EQ(query(own, {list(Literal(1))}), R"({"o":1})");
    EXPECT_EQ(query(own, {none_}), R"({"o":1})");
    EXPECT_EQ(query(write, {one_, list(text_)}), R"({"tags":["x"]})");
    EXPECT_EQ(inCall(write + " AS t", {one_, list(text_)}), R"({"t":["x"]})");
  }
}

// spec S-30: the server's first word tells what to write.
TEST_F(PostgresParametersTest, WhatFitsInNoWayIsToldAsTheServerSaidItFirst) {
  cluster().execute("CREATE TABLE t (id int)");
  const std::string sql = "SELECT $1 IS NULL AS a, $1 + id AS b FROM t GROUP BY $1 + id";
  const auto looked_at = prepare(sql, 1);
  startedHost();
  ASSERT_TRUE(host().turnUntil([&] { return host().hasLogged("its calls fail until"); }));
  EXPECT_TRUE(host().hasLogged("parameter $1 (42P08)")) << host().allLogs();
  for (int i = 0; i < 3; ++i) {
    const LoopEnd ended = host().run(*looked_at, {one_});
    EXPECT_EQ(ended.code, SUB0_ACTION_FAILED);
    EXPECT_NE(ended.log.find("parameter $1 (42P08)"), std::string::npos) << ended.log;
    EXPECT_NE(ended.log.find("$1::integer"), std::string::npos) << ended.log;
  }
  EXPECT_NE(inCall(sql, {one_}).find("42P08"), std::string::npos);
}

// spec S-33: everyday, and nothing of how the statement looks for it
TEST_F(PostgresParametersTest, ADuplicateReadsAsOneInTheLog) {
  cluster().execute("CREATE TABLE t (email text)");
  const auto add = host().prepare(Tree{{"query", "INSERT INTO t (email) VALUES ($1)"},
                                       {"unique", list(Literal("email"))},
                                       {"parameters", list(Literal("$PAYLOAD.email"))}});
  startedHost();
  EXPECT_EQ(host().run(*add, {text_}).code, SUB0_OK);
  const LoopEnd ended = host().run(*add, {text_});
  EXPECT_EQ(ended.client, "Operation Failed: email already exists");
  EXPECT_NE(ended.log.find(": email already exists"), std::string::npos) << ended.log;
  EXPECT_EQ(ended.log.find("INSERT"), std::string::npos) << ended.log;
}

}  // namespace
}  // namespace sub0::query
