// SPDX-License-Identifier: Apache-2.0
#include "dialect/template.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

std::optional<std::string_view> header(void* /*context*/, std::string_view name) {
  if (name == "x-app") return "mobile";
  return std::nullopt;
}

void countUp(void* context, std::uint8_t* out, std::size_t size) {
  auto* next = static_cast<std::uint8_t*>(context);
  for (std::size_t i = 0; i < size; ++i) out[i] = (*next)++;
}

const EnvironmentLookup kEnvironment = [](std::string_view name) -> std::optional<std::string> {
  if (name == "CITY") return "Rome";
  if (name == "TRAP") return "$PAYLOAD.a";
  if (name == "LATIN")
    return "Gr\xfc\xdf"
           "e";
  return std::nullopt;
};

class TemplateTest : public testing::Test {
 protected:
  TemplateTest() {
    names_.extracted = {"user"};
    names_.generated = {"order_id"};
    payload_ = valueOf(R"({"a":1,"b":{"c":[10,{"d":"x"}]},"t":"hi","n":null,"id":"u1",)"
                       R"("user":"the client's","order_id":"the client's","big":1.5,)"
                       R"("evil":"$ENV.CITY $PAYLOAD.a"})");
    claims_ = valueOf(R"({"id":7,"role":"admin"})");
    extracted_[0] = {"user", valueOf(R"({"name":"Ann"})")};
    scope_.payload = &payload_;
    scope_.payload_json = R"({"a":1})";
    scope_.claims = &claims_;
    scope_.extracted = extracted_;
    scope_.extracted_count = 1;
    scope_.generated = &generated_;
    scope_.header = header;
    scope_.ip = "10.0.0.9";
    scope_.connection_uid = "u1";
    scope_.connection_id = "42";
    scope_.wall_ms = 1769860800123;
    scope_.random = countUp;
    scope_.random_context = &random_;
    scope_.generator_state = &generator_state_;
  }

  Template compile(const std::string& json) {
    CompileContext context;
    context.names = &names_;
    context.environment = &kEnvironment;
    context.problems = &problems_;
    return Template::compile(valueOf(json), "/value", context);
  }
  std::string evaluate(const std::string& json, bool allow_raw = false) {
    return json::toString(compile(json).evaluate(scope_, arena_, allow_raw));
  }

  Names names_;
  Problems problems_;
  Arena arena_;
  json::Value payload_;
  json::Value claims_;
  NamedValue extracted_[1];
  GeneratedValues generated_;
  Scope scope_;
  std::uint8_t random_ = 0;
  GeneratorState generator_state_;
};

// spec S-60, S-61
TEST_F(TemplateTest, AccessorsAreReplacedAndOneAloneKeepsItsType) {
  const std::pair<const char*, const char*> rows[] = {
      {R"("$PAYLOAD.a")", "1"},
      {R"("$PAYLOAD.b.c.0")", "10"},
      {R"("$PAYLOAD.b.c.1.d")", R"("x")"},
      {R"("$PAYLOAD.b")", R"({"c":[10,{"d":"x"}]})"},
      {R"("$PAYLOAD.none")", "null"},
      {R"("$PAYLOAD.a.deeper")", "null"},
      {R"("$PAYLOAD.b.c.9")", "null"},
      {R"("a is $PAYLOAD.a, big $PAYLOAD.big, t $PAYLOAD.t")", R"("a is 1, big 1.5, t hi")"},
      {R"("[$PAYLOAD.none][$PAYLOAD.n]")", R"("[][]")"},
      {R"("c=$PAYLOAD.b.c")", R"("c=[10,{\"d\":\"x\"}]")"},
      {R"("$PAYLOAD.a$PAYLOAD.t")", R"("1hi")"},
      {R"("$PAYLOAD.t.")", R"("hi.")"},
      {R"("$PROTECTED.id")", "7"},
      {R"("$PROTECTED")", R"({"id":7,"role":"admin"})"},
      {R"("$HEADER.X-App")", R"("mobile")"},
      {R"("$HEADER.x-none")", "null"},
      {R"("$HEADER.ip")", R"("10.0.0.9")"},
      {R"("$DATETIME")", R"("2026-01-31T12:00:00.123Z")"},
      {R"("$CONNECTION.uid/$CONNECTION.id")", R"("u1/42")"},
      {R"("$ENV.CITY")", R"("Rome")"},
      {R"("in $ENV.CITY.")", R"("in Rome.")"},
      {R"({"k":["$PAYLOAD.a",{"x":"$PAYLOAD.t"}],"plain":true})",
       R"({"k":[1,{"x":"hi"}],"plain":true})"},
      {"[1,2.5,null,\"text\"]", "[1,2.5,null,\"text\"]"},
      {R"("$PAYLOAD.user.name")", R"("Ann")"},
  };
  for (const auto& [source, expected] : rows) EXPECT_EQ(evaluate(source), expected) << source;
  EXPECT_TRUE(problems_.empty()) << problems_.toText();
}

// spec S-61
TEST_F(TemplateTest, TheWholePayloadIsSplicedAsTextWhereRawIsAllowed) {
  const Template whole = compile(R"("$PAYLOAD")");
  EXPECT_TRUE(whole.isWholePayload());
  EXPECT_FALSE(whole.needs().payloadParsed(true));
  EXPECT_TRUE(whole.needs().payloadParsed(false));
  scope_.payload = nullptr;
  const json::Value raw = whole.evaluate(scope_, arena_, true);
  EXPECT_EQ(raw.type, SUB0_RAW);
  EXPECT_EQ(json::chars(raw), R"({"a":1})");
  EXPECT_EQ(evaluate(R"({"data":"$PAYLOAD"})", true), R"({"data":{"a":1}})");
  scope_.payload_json = {};
  EXPECT_EQ(json::chars(whole.evaluate(scope_, arena_, true)), "{}");
}

// spec S-60: within a longer text a payload that is a text stands as one, without quotes
TEST_F(TemplateTest, TheWholePayloadInALongerTextIsParsed) {
  const Template within = compile(R"(["p: $PAYLOAD", "$PAYLOAD"])");
  EXPECT_TRUE(within.needs().payloadParsed(true));
  for (const auto& [payload, text] :
       {std::pair(R"({"a": 1})", R"({\"a\":1})"), std::pair(R"("x")", "x")}) {
    payload_ = valueOf(payload);
    scope_.payload_json = payload;
    const std::string expected = "[\"p: " + std::string(text) + "\"," + payload + "]";
    EXPECT_EQ(json::toString(within.evaluate(scope_, arena_, true)), expected);
  }
}

// Q-62, spec S-60
TEST_F(TemplateTest, ValuesFromOutsideAreNeverScanned) {
  EXPECT_EQ(evaluate(R"("$PAYLOAD.evil")"), R"("$ENV.CITY $PAYLOAD.a")");
  EXPECT_EQ(evaluate(R"("<$PAYLOAD.evil>")"), R"("<$ENV.CITY $PAYLOAD.a>")");
  EXPECT_EQ(evaluate(R"("$ENV.TRAP")"), R"("$PAYLOAD.a")");
  EXPECT_EQ(evaluate(R"("<$ENV.TRAP>")"), R"("<$PAYLOAD.a>")");
}

// spec S-61
TEST_F(TemplateTest, AnUnknownNameStaysTextAndWarns) {
  EXPECT_EQ(evaluate(R"("$PAYLAOD.a costs $5 in $ENV")"), R"("$PAYLAOD.a costs $5 in $ENV")");
  ASSERT_EQ(problems_.warningCount(), 2u) << problems_.toText();
  EXPECT_EQ(problems_.all()[0].rule, "S-61");
  EXPECT_EQ(problems_.all()[0].suggestion, "$PAYLOAD");
  EXPECT_EQ(evaluate(R"("$PAYLOADS $CONNECTION.x $HEADER")"),
            R"("$PAYLOADS $CONNECTION.x $HEADER")");
  EXPECT_FALSE(problems_.hasErrors());
}

// spec S-61: the longest name is read
TEST_F(TemplateTest, ANameThatRunsOnIntoASeparatorWarns) {
  names_.declared_payload = {"class_"};
  const std::pair<const char*, const char*> rows[] = {
      {R"("chat-$PAYLOAD.from-$PAYLOAD.to")",
       R"("$PAYLOAD.from-" reads a member "from-": - and _ belong to names; put : or / behind the name)"},
      {R"("$PROTECTED.id_$DATETIME")",
       R"("$PROTECTED.id_" reads a member "id_": - and _ belong to names; put : or / behind the name)"},
      {R"({"a": ["x $PAYLOAD.user.name-."]})",
       R"("$PAYLOAD.user.name-" reads a member "name-": - and _ belong to names; put : or / behind the name)"},
  };
  for (const auto& [source, message] : rows) {
    problems_ = Problems();
    (void)compile(source);
    ASSERT_EQ(problems_.warningCount(), 1u) << source << problems_.toText();
    EXPECT_EQ(problems_.all()[0].message, message);
    EXPECT_EQ(problems_.all()[0].rule, "S-61");
  }
  problems_ = Problems();
  for (const char* const fine :
       {R"("$PAYLOAD.from_")", R"("$PAYLOAD.from:$PAYLOAD.to")", R"("$PAYLOAD.a$PAYLOAD.t")",
        R"("x-$PAYLOAD.class_$PAYLOAD.t")", R"("$PAYLOAD.first-name x")"}) {
    (void)compile(fine);
  }
  EXPECT_EQ(problems_.toText(), "");
}

// spec S-61: it is read up to the letter, so that what goes out may be the whole payload
TEST_F(TemplateTest, ALetterThatNoNameHasWarns) {
  const std::string why = " stays as text: names in accessors are of a-z, A-Z, 0-9, _ and -";
  const std::pair<const char*, const char*> rows[] = {
      {R"("$PAYLOAD.ü")", R"("$PAYLOAD.ü" reads $PAYLOAD, and ".ü")"},
      {R"({"a": ["x $PAYLOAD.größe.b, y"]})",
       R"("$PAYLOAD.größe.b" reads $PAYLOAD.gr, and "öße.b")"},
      {R"("$PROTECTED.имя")", R"("$PROTECTED.имя" reads $PROTECTED, and ".имя")"},
      {R"("$PAYLOAD.名前")", R"("$PAYLOAD.名前" reads $PAYLOAD, and ".名前")"},
      {R"("$PAYLOADü")", R"("$PAYLOADü" reads $PAYLOAD, and "ü")"},
  };
  for (const auto& [source, message] : rows) {
    problems_ = Problems();
    (void)compile(source);
    ASSERT_EQ(problems_.warningCount(), 1u) << source << problems_.toText();
    EXPECT_EQ(problems_.all()[0].message, message + why);
    EXPECT_EQ(problems_.all()[0].rule, "S-61");
  }
  problems_ = Problems();
  for (const char* const fine :
       {R"("„$PAYLOAD.a.“")", R"("$PAYLOAD.a–$PAYLOAD.t")", R"("$PAYLOAD.a€ · $PAYLOAD.t…")",
        R"("$PAYLOAD.aさん")", R"("$PAYLOAD.a: ü")", R"("$DATETIME.ü")", R"("$PAYLOAD.a×2")"}) {
    (void)compile(fine);
  }
  EXPECT_EQ(problems_.toText(), "");
}

// spec S-3
TEST_F(TemplateTest, AnUnsetVariableIsNullAndWarns) {
  EXPECT_EQ(evaluate(R"("$ENV.NOT_SET")"), "null");
  EXPECT_EQ(evaluate(R"("<$ENV.NOT_SET>")"), R"("<>")");
  ASSERT_EQ(problems_.warningCount(), 2u);
  EXPECT_EQ(problems_.all()[0].rule, "S-3");
}

// spec S-3: replies and frames are UTF-8
TEST_F(TemplateTest, AVariableInAnotherEncodingIsAnError) {
  (void)compile(R"("$ENV.LATIN, you")");
  ASSERT_EQ(problems_.errorCount(), 1u);
  EXPECT_EQ(problems_.all()[0].message, "$ENV.LATIN is no UTF-8: write its value in that encoding");
}

// spec S-61, S-85
TEST_F(TemplateTest, ExtractedAndGeneratedNamesWinOverTheClientsPayload) {
  EXPECT_EQ(evaluate(R"("$PAYLOAD.user.name")"), R"("Ann")");
  EXPECT_EQ(evaluate(R"("$PAYLOAD.order_id")"), "null");  // not made yet: never the client's
  scope_.extracted_count = 0;
  EXPECT_EQ(evaluate(R"("$PAYLOAD.user")"), "null");
}

// spec S-62
TEST_F(TemplateTest, GeneratorsAreFreshForEachUseAndNamedValuesStay) {
  EXPECT_EQ(evaluate(R"(["$GENERATOR.UUID", {"generate": "UUID"}])"),
            R"(["40414243-4445-4647-8849-4a4b4c4d4e4f","60616263-6465-4667-a869-6a6b6c6d6e6f"])");
  const Template named = compile(R"({"key": {"generate": "NANOID", "for": "order_id"}})");
  EXPECT_TRUE(named.needs().generators);
  const std::string made = json::toString(named.evaluate(scope_, arena_));
  EXPECT_EQ(R"({"key":)" + evaluate(R"("$PAYLOAD.order_id")") + "}", made);
  EXPECT_TRUE(problems_.empty()) << problems_.toText();
  EXPECT_EQ(evaluate(R"({"generate": "x", "for": "y", "more": 1})"),
            R"({"generate":"x","for":"y","more":1})");
}

// spec S-62: kinds that count go on counting from one use to the next, whatever the spelling
TEST_F(TemplateTest, EveryKindIsMadeByBothSpellings) {
  for (const std::string_view kind : kGeneratorKinds) {
    const std::string name(kind);
    const std::string first = evaluate(R"({"generate": ")" + name + R"("})");
    const std::string second = evaluate(R"("$GENERATOR.)" + name + "\"");
    const std::string third = evaluate(R"("<$GENERATOR.)" + name + ">\"");
    EXPECT_GT(first.size(), 18u) << name << ": " << first;
    EXPECT_EQ(first.size(), second.size()) << name;
    EXPECT_EQ(first.size() + 2, third.size()) << name;
    EXPECT_NE(first, second) << name;
  }
  EXPECT_TRUE(problems_.empty()) << problems_.toText();
  scope_.generator_state = nullptr;
  EXPECT_EQ(evaluate(R"("$GENERATOR.BSON")"), "null");
}

// spec S-62
TEST_F(TemplateTest, UnknownKindsAreErrors) {
  (void)compile(R"("$GENERATOR.UUID7")");
  ASSERT_EQ(problems_.errorCount(), 1u);
  EXPECT_EQ(problems_.all()[0].rule, "S-62");
  EXPECT_FALSE(problems_.all()[0].suggestion.empty());
}

// spec S-61
TEST_F(TemplateTest, NeedsTellWhatAnEvaluationReads) {
  const Template constant = compile(R"({"a": "$ENV.CITY", "b": [1]})");
  EXPECT_TRUE(constant.isConstant());
  const Template all = compile(
      R"(["$PAYLOAD.a", "$PROTECTED.id", "$HEADER.X-App", "$HEADER.x-app", "$HEADER.IP", "$DATETIME"])");
  EXPECT_FALSE(all.isConstant());
  EXPECT_TRUE(all.needs().payload_fields);
  EXPECT_TRUE(all.needs().claims);
  EXPECT_TRUE(all.needs().ip);
  EXPECT_TRUE(all.needs().datetime);
  EXPECT_FALSE(all.needs().generators);
  EXPECT_EQ(all.needs().headers, std::vector<std::string>{"x-app"});
  const Template claim = compile(R"("$PROTECTED.id")");
  EXPECT_TRUE(claim.isOneAccessor());
  EXPECT_FALSE(claim.needs().payloadParsed(false));
  Needs merged = constant.needs();
  merged.merge(all.needs());
  EXPECT_TRUE(merged.claims && merged.payload_fields && merged.headers.size() == 1);
}

// spec S-113
TEST_F(TemplateTest, ReadingPayloadIdWarnsWhereItIsTheCallersUid) {
  EXPECT_TRUE(compile(R"("$PAYLOAD.id")").needs().payload_id);
  EXPECT_TRUE(problems_.empty());
  names_.payload_id_is_uid = true;
  (void)compile(R"("$PAYLOAD.id")");
  ASSERT_EQ(problems_.warningCount(), 1u);
  EXPECT_EQ(problems_.all()[0].rule, "S-113");
}

// spec S-61
TEST_F(TemplateTest, WhatTheScopeDoesNotHoldIsNull) {
  const Scope empty;
  for (const char* const source :
       {R"("$PAYLOAD.a")", R"("$PAYLOAD")", R"("$PROTECTED.id")", R"("$HEADER.a")",
        R"("$HEADER.ip")", R"("$CONNECTION.uid")", R"("$GENERATOR.UUID")", R"("$PAYLOAD.user")"}) {
    EXPECT_EQ(json::toString(compile(source).evaluate(empty, arena_)), "null") << source;
  }
}

// spec S-61
TEST(TemplateText, ProblemsOfTextThatStandsInNoFileAreReportedAtItsAction) {
  const Loaded loaded = loadText(resourceText(R"({"id": 1, "mode": "VALUE", "value": 1})"));
  const Resource& resource = loaded.project->resources()[0];
  Problems problems;
  (void)Template::compileText("$PAYLAOD",
                              loaded.project->contextOf(resource.actionables[0], problems));
  ASSERT_EQ(problems.warningCount(), 1u);
  EXPECT_EQ(problems.all()[0].place.pointer, "/actionables/0");
  EXPECT_EQ(problems.all()[0].place.file, "project/resources/a.json");
}

TEST_F(TemplateTest, ATemplateOutlivesItsSource) {
  Template kept;
  {
    Arena short_lived;
    json::Parser parser;
    auto source = parser.parseCopy(R"({"greeting": "hello $PAYLOAD.t", "x": "y"})", short_lived);
    kept = Template::compile(*source, "", CompileContext());
  }
  EXPECT_EQ(json::toString(kept.evaluate(scope_, arena_)), R"({"greeting":"hello hi","x":"y"})");
  EXPECT_EQ(json::toString(Template().evaluate(scope_, arena_)), "null");
}

}  // namespace
}  // namespace sub0::dialect
