// SPDX-License-Identifier: Apache-2.0
#include "dialect/parameter.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

class ParameterTest : public testing::Test {
 protected:
  ParameterTest() {
    names_.declared_payload = {"email", "role", "missing", "id"};
    names_.extracted = {"user_id", "gone"};
    names_.generated = {"order_id"};
    names_.extracted_claims = {"id", "role", "tenant", "absent"};
    claims_ = valueOf(R"({"id":7,"role":"admin","tenant":"t1","hidden":"h"})");
    extracted_[0] = {"user_id", valueOf("5")};
    setPayload(R"({"email":"a@b.co","role":"user","id":"client","tenant":"client","other":3,)"
               R"("user_id":"client","gone":"client","order_id":"client","hidden":"p"})");
    scope_.claims = &claims_;
    scope_.extracted = extracted_;
    scope_.extracted_count = 1;
    scope_.generated = &generated_;
  }

  void setPayload(const std::string& text) {
    payload_ = valueOf(text);
    scope_.payload = &payload_;
  }
  Parameter compile(const std::string& json, bool strict = false) {
    CompileContext context;
    context.names = &names_;
    context.problems = &problems_;
    context.strict = strict;
    return Parameter::compile(valueOf(json), "/p", context);
  }
  std::string evaluate(const std::string& json) {
    return json::toString(compile(json).evaluate(scope_, arena_));
  }

  Names names_;
  Problems problems_;
  Arena arena_;
  json::Value payload_;
  json::Value claims_;
  NamedValue extracted_[1];
  GeneratedValues generated_;
  Scope scope_;
};

// spec S-63
TEST_F(ParameterTest, ABareWordIsLookedUpInOrder) {
  const std::pair<const char*, const char*> rows[] = {
      {R"("user_id")", "5"},          // extracted wins over the payload
      {R"("gone")", "null"},          // a `for` without a value, never the client's
      {R"("order_id")", "null"},      // a generator's name that has no value yet
      {R"("id")", "7"},               // claim id wins over a declared id
      {R"("email")", R"("a@b.co")"},  // declared
      {R"("role")", R"("user")"},     // declared wins over a claim that is not id
      {R"("missing")", "null"},       // declared, not sent
      {R"("tenant")", R"("t1")"},     // an extracted claim wins over an undeclared field
      {R"("absent")", "null"},        // an extracted claim that the token has not
      {R"("other")", "3"},            // the rest of the payload
      {R"("hidden")", R"("p")"},      // a claim that is not extracted is not looked at
      {R"("new")", R"("new")"},       // found nowhere: the text
      {R"("100")", R"("100")"},
      {R"("a whole sentence.")", R"("a whole sentence.")"},
      {R"("{\"a\":1}")", R"("{\"a\":1}")"},
      {R"("")", R"("")"},
  };
  for (const auto& [source, expected] : rows) EXPECT_EQ(evaluate(source), expected) << source;
}

// spec S-63: no client can put its own values in the place of what is no name
TEST_F(ParameterTest, ATextThatIsNoNameIsNeverLookedUpWhereNobodyDeclaredIt) {
  names_.declared_payload.push_back("first name");
  names_.extracted_claims.push_back("tenant-id");
  setPayload(R"({"100":1000000,"to be announced":"x","{\"a\":1}":"x","":"x","a-b":"x","é":"x",)"
             R"("first name":"Zoe","tenant-id":"client"})");
  for (const char* const text :
       {R"("100")", R"("to be announced")", R"("{\"a\":1}")", R"("")", R"("a-b")", R"("é")"}) {
    EXPECT_EQ(evaluate(text), text);
    EXPECT_TRUE(compile(text).isConstant()) << text;
    EXPECT_FALSE(compile(text).needs().payload_fields) << text;
  }
  EXPECT_EQ(evaluate(R"("first name")"), R"("Zoe")");  // declared
  EXPECT_EQ(evaluate(R"("tenant-id")"), "null");       // a claim that the token has not
  EXPECT_TRUE(problems_.empty()) << problems_.toText();
}

// spec S-63
TEST_F(ParameterTest, AGeneratedNameIsFoundWhenItWasMade) {
  generated_.add("order_id", json::integer(9), arena_);
  EXPECT_EQ(evaluate(R"("order_id")"), "9");
}

// spec S-63
TEST_F(ParameterTest, WithoutTheClaimTheDeclaredFieldServesButNeverAsIdentity) {
  claims_ = valueOf("{}");
  EXPECT_EQ(evaluate(R"("role")"), R"("user")");
  EXPECT_EQ(evaluate(R"("tenant")"), R"("client")");
  EXPECT_EQ(evaluate(R"("id")"), "null");
  names_.declared_payload = {"email"};
  EXPECT_EQ(evaluate(R"("id")"), "null");
  EXPECT_FALSE(compile(R"("id")").needs().payload_fields);
  scope_.claims = nullptr;
  EXPECT_EQ(evaluate(R"("id")"), "null");
  setPayload("[1,2]");
  EXPECT_EQ(evaluate(R"("email")"), "null");
  EXPECT_EQ(evaluate(R"("other")"), R"("other")");
}

// spec S-63, S-88
TEST_F(ParameterTest, OtherValuesAreThemselvesAndLiteralsAlwaysLiteral) {
  const std::pair<const char*, const char*> rows[] = {
      {"5", "5"},
      {"true", "true"},
      {"null", "null"},
      {"1.5", "1.5"},
      {R"({"literal": "email"})", R"("email")"},
      {R"({"literal": "$PAYLOAD.other"})", R"("$PAYLOAD.other")"},
      {R"({"literal": {"literal": 1}})", R"({"literal":1})"},
      {R"("$PAYLOAD.other")", "3"},
      {R"("n=$PAYLOAD.other")", R"("n=3")"},
      {R"("$PROTECTED.id")", "7"},
      {R"({"a": "$PAYLOAD.other"})", R"({"a":3})"},
  };
  for (const auto& [source, expected] : rows) EXPECT_EQ(evaluate(source), expected) << source;
}

// spec S-81, S-63: query parameters and forms have texts alone
TEST_F(ParameterTest, ATextOfAFieldThatIsDeclaredNumberOrBooleanIsBoundAsThat) {
  names_.declared_numbers = {"n", "id", "tenant", "user_id"};
  names_.declared_booleans = {"open"};
  for (const auto* const types : {&names_.declared_numbers, &names_.declared_booleans}) {
    for (const std::string& name : *types) names_.declared_payload.push_back(name);
  }
  const std::pair<const char*, const char*> numbers[] = {
      {R"("2")", "2"},
      {R"("-12")", "-12"},
      {R"("0.10")", "0.1"},
      {R"("12345678901234567.89")", "12345678901234567.89"},  // an exact column keeps them all
      {R"("1e1")", "1e1"},
      {R"("18446744073709551616")", "18446744073709551616"},
      {"2", "2"},
      {"2.5", "2.5"},
      {"null", "null"},
      {R"("")", R"("")"},  // where nothing validates, a text that is none stays one
      {R"("2x")", R"("2x")"},
      {R"("NaN")", R"("NaN")"},
  };
  for (const auto& [given, bound] : numbers) {
    setPayload(std::string(R"({"n":)") + given + "}");
    EXPECT_EQ(evaluate(R"("n")"), bound) << given;
    EXPECT_EQ(evaluate(R"("$PAYLOAD.n")"), bound) << given;
  }
  const std::pair<const char*, const char*> booleans[] = {
      {R"("true")", "true"}, {R"("false")", "false"}, {"true", "true"}, {R"("1")", R"("1")"}};
  for (const auto& [given, bound] : booleans) {
    setPayload(std::string(R"({"open":)") + given + "}");
    EXPECT_EQ(evaluate(R"("open")"), bound) << given;
    EXPECT_EQ(evaluate(R"("$PAYLOAD.open")"), bound) << given;
  }
  setPayload(R"({"n":"2","id":"3","tenant":"4","email":"5","user_id":"6"})");
  EXPECT_EQ(evaluate(R"("email")"), R"("5")");           // declared, but as a text
  EXPECT_EQ(evaluate(R"("n=$PAYLOAD.n")"), R"("n=2")");  // not exactly the field
  EXPECT_EQ(evaluate(R"({"a":"$PAYLOAD.n"})"), R"({"a":"2"})");
  EXPECT_EQ(evaluate(R"("$PAYLOAD.n.x")"), "null");
  claims_ = valueOf(R"({"id":"7"})");
  extracted_[0] = {"user_id", valueOf(R"("8")")};
  EXPECT_EQ(evaluate(R"("id")"), R"("7")");  // a claim and an extracted value are what they are
  EXPECT_EQ(evaluate(R"("user_id")"), R"("8")");
  EXPECT_EQ(evaluate(R"("$PAYLOAD.user_id")"), R"("8")");
  EXPECT_EQ(evaluate(R"("tenant")"), "4");
}

// spec S-64
TEST_F(ParameterTest, AWordThatIsDeclaredNowhereWarnsAndIsRefusedStrictly) {
  for (const char* const fine :
       {R"("100")", R"("a b")", R"("email")", R"("user_id")", R"("tenant")", R"("order_id")",
        R"({"literal": "word"})", R"("$PAYLOAD.word")", R"("")", R"("{}")"}) {
    (void)compile(fine);
  }
  EXPECT_TRUE(problems_.empty()) << problems_.toText();
  (void)compile(R"("emai")");
  ASSERT_EQ(problems_.warningCount(), 1u);
  EXPECT_EQ(problems_.all()[0].rule, "S-64");
  EXPECT_EQ(problems_.all()[0].suggestion, "email");
  (void)compile(R"("new")", true);
  EXPECT_EQ(problems_.errorCount(), 1u);
}

// spec S-63
TEST_F(ParameterTest, ANameThatIsBothAFieldAndAClaimWarns) {
  (void)compile(R"("id")");
  (void)compile(R"("role")");
  ASSERT_EQ(problems_.warningCount(), 2u) << problems_.toText();
  EXPECT_EQ(problems_.all()[0].rule, "S-63");
  EXPECT_EQ(problems_.all()[1].rule, "S-63");
}

// spec S-113
TEST_F(ParameterTest, TheBareWordIdWarnsWhereItIsTheCallersUid) {
  names_ = Names();
  names_.declared_payload = {"id"};
  names_.payload_id_is_uid = true;
  const Parameter parameter = compile(R"("id")");
  EXPECT_TRUE(parameter.needs().payload_id);
  ASSERT_EQ(problems_.warningCount(), 1u);
  EXPECT_EQ(problems_.all()[0].rule, "S-113");
}

// spec S-63
TEST_F(ParameterTest, NeedsAreThoseOfTheLookUp) {
  EXPECT_FALSE(compile(R"("user_id")").needs().payloadParsed(false));
  EXPECT_TRUE(compile(R"("email")").needs().payload_fields);
  EXPECT_TRUE(compile(R"("tenant")").needs().claims);
  EXPECT_FALSE(compile(R"("$PROTECTED.id")").needs().payloadParsed(false));
  EXPECT_TRUE(compile("5").isConstant());
  EXPECT_TRUE(compile(R"("email")").isBareWord());
}

// Q-62
TEST_F(ParameterTest, AValueThatLooksLikeAnAccessorStaysText) {
  setPayload(R"({"email":"$ENV.SECRET","other":"$PROTECTED.id"})");
  EXPECT_EQ(evaluate(R"("email")"), R"("$ENV.SECRET")");
  EXPECT_EQ(evaluate(R"("other")"), R"("$PROTECTED.id")");
}

// spec S-63, S-64
TEST_F(ParameterTest, PlacesAreThoseOfTheElement) {
  const Loaded loaded = loadText(resourceText(
      R"({"id": 1, "mode": "QUERY", "sql_query": {"query": "q", "parameters": [1, "name"]}})"));
  const Resource& resource = loaded.project->resources()[0];
  const Actionable& action = resource.actionables[0];
  Problems problems;
  const CompileContext context = loaded.project->contextOf(action, problems);
  const std::string pointer = Project::pointerBelow(action, "sql_query", "/parameters/1");
  (void)Parameter::compile(action.config->as.members[1].value.as.items[1], pointer, context);
  ASSERT_EQ(problems.warningCount(), 1u);
  EXPECT_EQ(problems.all()[0].place.pointer, "/actionables/0/sql_query/parameters/1");
  EXPECT_EQ(problems.all()[0].place.file, "project/resources/a.json");
  EXPECT_EQ(problems.all()[0].place.position.column, 123u);
}

}  // namespace
}  // namespace sub0::dialect
