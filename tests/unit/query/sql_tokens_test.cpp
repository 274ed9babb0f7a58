// SPDX-License-Identifier: Apache-2.0
#include "sql_tokens.hpp"

#include <gtest/gtest.h>

namespace sub0::query::sql_tokens_test {
namespace {

// Every token as kind:text, separated by blanks: w word, n quoted name, s string, 1 number, $
// parameter, : named, o operator, p punctuation.
std::string shown(const std::string& sql, Dialect dialect) {
  const TokenList list = tokenize(sql, dialect);
  if (!list.error.empty()) {
    return "error " + list.error;
  }
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    out += i > 0 ? " " : "";
    out += "wns1$:op"[static_cast<std::size_t>(list.tokens[i].kind)];
    out += "<" + std::string(list.text(i)) + ">";
  }
  return out;
}

struct Case {
  const char* sql;
  const char* tokens;
};

// spec S-30
TEST(SqlTokens, PostgresWordsEndWhereTheServerEndsThem) {
  const Case cases[] = {
      {"select $1", "w<select> $<$1>"},
      {"$1,$2", "$<$1> p<,> $<$2>"},
      {"'$1'", "s<'$1'>"},
      {"'it''s $1'", "s<'it''s $1'>"},
      {R"('a\')", R"(s<'a\'>)"},
      {R"(E'a\'$1' $2)", R"(s<E'a\'$1'> $<$2>)"},
      {R"(e'\\' $1)", R"(s<e'\\'> $<$1>)"},
      {"B'01' x'ff'", "s<B'01'> s<x'ff'>"},
      {"U&'d\\0061' $1", "s<U&'d\\0061'> $<$1>"},
      {"U&\"d\" $1", "n<U&\"d\"> $<$1>"},
      {"\"$1\"", "n<\"$1\">"},
      {"\"a\"\"$1\" $2", "n<\"a\"\"$1\"> $<$2>"},
      {"a -- $1\n$2", "w<a> $<$2>"},
      {"a -- $1", "w<a>"},
      {"/* $1 */ $2", "$<$2>"},
      {"/* a /* $1 */ $2 */ $3", "$<$3>"},
      {"$$ $1 $$", "s<$$ $1 $$>"},
      {"$a$ $$ $1 $a$ $2", "s<$a$ $$ $1 $a$> $<$2>"},
      {"$1$2", "$<$1> $<$2>"},
      {"a$1", "w<a$1>"},
      {"a.$1", "w<a> p<.> $<$1>"},
      {"$5::float8", "$<$5> o<::> w<float8>"},
      {"x::numeric(10,2)", "w<x> o<::> w<numeric> p<(> 1<10> p<,> 1<2> p<)>"},
      {"a->>'b'", "w<a> o<->>> s<'b'>"},
      {"a ? 'b'", "w<a> o<?> s<'b'>"},
      {"a ?| $1", "w<a> o<?|> $<$1>"},
      {"a ?& $1", "w<a> o<?&> $<$1>"},
      {"a @> $1", "w<a> o<@>> $<$1>"},
      {"a@>$1", "w<a> o<@>> $<$1>"},
      {"a#>>'{b}'", "w<a> o<#>>> s<'{b}'>"},
      {"x=-1", "w<x> o<=> o<-> 1<1>"},
      {"x<>-$1", "w<x> o<<>> o<-> $<$1>"},
      {"a*-1", "w<a> o<*> o<-> 1<1>"},
      {"a@-1", "w<a> o<@-> 1<1>"},
      {"a--$1", "w<a>"},
      {"a+/* $1 */$2", "w<a> o<+> $<$2>"},
      {"1.5 .5 1. 1e3 1.5E-3 0xFf", "1<1.5> 1<.5> 1<1.> 1<1e3> 1<1.5E-3> 1<0xFf>"},
      {"a[1:2]", "w<a> p<[> 1<1> p<:> 1<2> p<]>"},
      {"a[1:$2]", "w<a> p<[> 1<1> p<:> $<$2> p<]>"},
      {"f(a := $1)", "w<f> p<(> w<a> o<:=> $<$1> p<)>"},
      {"déjà = 'é'", "w<déjà> o<=> s<'é'>"},
      {"SELECT 1;", "w<SELECT> 1<1> p<;>"},
      {"", ""},
      {"  -- nothing", ""},
      {"'open", "error the string that begins at character 1 is not closed"},
      {"a \"open", "error the quoted name that begins at character 3 is not closed"},
      {"/* /* */", "error the comment that begins at character 1 is not closed"},
      {"$x$ open $y$", "error the dollar-quoted string that begins at character 1 is not closed"},
      {"E'open\\'", "error the string that begins at character 1 is not closed"},
      {"E'\\", "error the string that begins at character 1 is not closed"},
      {"$", "p<$>"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(shown(one.sql, Dialect::kPostgres), one.tokens) << one.sql;
  }
}

// spec S-30
TEST(SqlTokens, SqliteDiffersInCommentsDollarsAndNamedParameters) {
  const Case cases[] = {
      {"/* a /* $1 */ $2", "$<$2>"},
      {"/* open $1", ""},
      {":name @name $name", ":<:name> :<@name> :<$name>"},
      {"`a$1` $2", "n<`a$1`> $<$2>"},
      {"x::text", "w<x> o<::> w<text>"},
      {"$$ $a$b $1$ $ $", ":<$$> :<$a$b> $<$1> p<$> p<$> p<$>"},
      {"$$it's$$ $1 $a$ $$ $a$", "s<$$it's$$> $<$1> s<$a$ $$ $a$>"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(shown(one.sql, Dialect::kSqlite), one.tokens) << one.sql;
  }
}

TEST(SqlTokens, EveryPrefixOfAStatementIsRead) {
  const std::string sql =
      "WITH a AS (SELECT E'\\'' || $1::text, $x$ ; $x$, \"q\"\"\", 1e-3 /* /* */ */) SELECT 1.5;";
  for (std::size_t size = 0; size <= sql.size(); ++size) {
    const std::string prefix = sql.substr(0, size);
    for (const Dialect dialect : {Dialect::kPostgres, Dialect::kSqlite}) {
      const TokenList list = tokenize(prefix, dialect);
      std::size_t last = 0;
      for (const Token& token : list.tokens) {
        EXPECT_GE(token.begin, last);
        EXPECT_GT(token.end, token.begin);
        EXPECT_LE(token.end, prefix.size());
        last = token.end;
      }
    }
  }
}

// By line, where each statement of the script begins; 0: it cannot be told.
std::string lines(const std::string& script, Dialect dialect) {
  const TokenList list = tokenize(script, dialect);
  std::string made;
  for (std::size_t count = 0; count < 4; ++count) {
    const std::string said = lineOfStatement(list, offsetBehind(list, count));
    made += said.empty() ? "0" : said.substr(22, said.find(':') - 22);
  }
  return made;
}

TEST(SqlTokens, AStatementOfAScriptIsFoundBehindOthers) {
  const char* const words =
      "SELECT event, function;\nSELECT call\n FROM trigger;;\nSELECT (';');\n1";
  EXPECT_EQ(lines(words, Dialect::kPostgres), "1245");
  EXPECT_EQ(lines(words, Dialect::kMysql), "1245");
  const char* const routine =
      "CREATE PROCEDURE p() BEGIN ATOMIC\n SELECT CASE WHEN a THEN 1 END; SELECT 2; END;\n"
      "CREATE RULE r AS ON INSERT TO t DO (SELECT 1;\n SELECT 2);\nDO $$ BEGIN; END $$;\nSELECT 1";
  EXPECT_EQ(lines(routine, Dialect::kPostgres), "1356");
  EXPECT_EQ(lines("CREATE FUNCTION f() BEGIN ATOMIC\n SELECT 1; SELECT 2", Dialect::kPostgres),
            "1000");
  EXPECT_EQ(lines("CREATE TABLE t (event int);\nCREATE VIEW v AS SELECT event FROM t;\n"
                  "CREATE DEFINER = a@b PROCEDURE p() BEGIN SELECT 1; END;\nSELECT 2",
                  Dialect::kMysql),
            "1230");
  for (const char* first :
       {"CALL p()", "BEGIN NOT ATOMIC SELECT 1", "a: LOOP SELECT 1", "ALTER EVENT e DO x"}) {
    EXPECT_EQ(lines(first + std::string(";\nSELECT 1;\nSELECT 2"), Dialect::kMysql), "1000");
  }
}

TEST(SqlTokens, APieceOfATextIsWholeCharacters) {
  EXPECT_EQ(pieceOf("abc", 3), "abc");
  EXPECT_EQ(pieceOf("a\u00e9b", 2), "a");
  EXPECT_EQ(pieceOf("a\u00e9b", 3), "a\u00e9");
}

}  // namespace
}  // namespace sub0::query::sql_tokens_test
