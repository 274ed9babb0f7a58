// SPDX-License-Identifier: Apache-2.0
#include "json/parser.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <chrono>
#include <string>
#include <vector>

#include "json/writer.hpp"
#include "tests/unit/json/padded.hpp"

namespace sub0::json {
namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

/// The value of `text` written again, or "error <offset or reason>".
std::string again(std::string_view text) {
  Parser parser;
  Arena arena;
  const auto value = parser.parse(Padded(text).view(), arena);
  return value ? toString(*value) : "error";
}

TEST(Parser, EveryKindOfValueIsRead) {
  EXPECT_EQ(again(" null "), "null");
  EXPECT_EQ(again("true"), "true");
  EXPECT_EQ(again("[1,-2,3.5,\"a\\u00e9\\n\",{},[],{\"k\":false}]"),
            "[1,-2,3.5,\"a\xC3\xA9\\n\",{},[],{\"k\":false}]");
}

TEST(Parser, IntegersKeepAllDigits) {  // Q-73
  EXPECT_EQ(again("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(again("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(again("9223372036854775808"), "9223372036854775808");
  EXPECT_EQ(again("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(again("9007199254740993"), "9007199254740993");
  Parser parser;
  Arena arena;
  EXPECT_EQ(parser.parseCopy("9223372036854775807", arena)->type, SUB0_INT);
  EXPECT_EQ(parser.parseCopy("18446744073709551615", arena)->type, SUB0_NUMBER);
}

TEST(Parser, HostileTextsAreRefused) {  // Q-61, Q-73
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "{\"a\":tru}",
                                          "\"\\q\"",
                                          "{} x",
                                          "{}{}",
                                          "[1,]",
                                          "{\"a\":1,}",
                                          "{a:1}",
                                          "'a'",
                                          "1e999",
                                          "-1e999",
                                          "18446744073709551616",
                                          "-9223372036854775809",
                                          "01",
                                          "1.",
                                          ".5",
                                          "+1",
                                          "NaN",
                                          "Infinity",
                                          "\"\\ud800\"",
                                          "\"\\ud800x\"",
                                          "\"\\udc00\"",
                                          "\"\\ud800\\u0041\"",
                                          "\xEF\xBB\xBF{}",
                                          "\"\xC0\x80\"",
                                          "\"\xED\xA0\x80\"",
                                          "\"\xFF\"",
                                          "\"a\nb\"",
                                          "\"a",
                                          "{\"a\":1",
                                          "[",
                                          "]",
                                          "// c\n1",
                                          std::string("\"\0\"", 3),
                                          std::string("1\0", 2),
                                          nested(258),
                                          nested(10'000),
                                          std::string(100'000, '['),
                                          std::string(100'000, '{')};
  for (const auto& text : texts) {
    Parser parser;
    Arena arena;
    const Padded padded(text);
    const auto value = parser.parse(padded.view(), arena);
    ASSERT_FALSE(value) << text.substr(0, 40);
    EXPECT_EQ(value.error().code, Code::kBadRequest);
    EXPECT_FALSE(parser.validate(padded.view())) << text.substr(0, 40);
    EXPECT_FALSE(parser.parseCopy(text, arena)) << text.substr(0, 40);
    EXPECT_FALSE(parser.parseEnvelope(Padded("{\"payload\":" + text + "}").view()))
        << text.substr(0, 40);
    EXPECT_TRUE(parser.parse(Padded("[1]").view(), arena)) << "the parser is usable afterwards";
  }
}

TEST(Parser, DepthOf256IsAcceptedAnd257Refused) {  // Q-73
  const auto filled = [](std::size_t depth) {
    return std::string(depth, '[') + "1" + std::string(depth, ']');
  };
  EXPECT_EQ(again(filled(256)), filled(256));
  EXPECT_EQ(again(filled(257)), "error");
}

TEST(Parser, TinyNumbersAreZero) { EXPECT_EQ(again("1e-999"), "0"); }

TEST(Parser, ErrorNamesTheOffsetAndRepeatsNoByteOfTheText) {  // Q-61
  Parser parser;
  const auto result = parser.validate(Padded("{\"secret\": tru}").view());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("byte 11"), std::string::npos) << result.error().message;
  EXPECT_EQ(result.error().message.find("tru}"), std::string::npos);
  EXPECT_EQ(result.error().message.find("secret"), std::string::npos);
}

TEST(Parser, OfEqualKeysTheLastValueStaysAtTheFirstPlace) {  // Q-73
  EXPECT_EQ(again(R"({"a":1,"b":2,"a":3,"\u0061":4,"c":5,"b":6})"), R"({"a":4,"b":6,"c":5})");
  std::string many = "{";
  for (int round = 0; round < 2; ++round) {
    for (int key = 0; key < 50; ++key) {
      many += "\"k" + std::to_string(key) + "\":" + std::to_string(round) + ",";
    }
  }
  many.back() = '}';
  Parser parser;
  Arena arena;
  const auto value = parser.parseCopy(many, arena);
  ASSERT_TRUE(value);
  ASSERT_EQ(value->count, 50u);
  EXPECT_EQ(toText(value->as.members[49].key), "k49");
  EXPECT_EQ(value->as.members[49].value.as.i, 1);
}

TEST(Parser, EqualKeysAreNoticedWhereverTheyStand) {  // Q-73
  Parser parser;
  Arena arena;
  for (const char* text :
       {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", R"([{"b":{"a":1,"a":2}},{"c":1}])",
        R"({"a":{"a":1,"b":{"":1,"":2}}})"}) {
    ASSERT_TRUE(parser.parseCopy(text, arena)) << text;
    EXPECT_TRUE(parser.metEqualKeys()) << text;
  }
  for (const char* text : {R"({"a":1,"A":2})", R"({"a":{"a":{"a":1}}})", R"([{"a":1},{"a":1}])",
                           R"(["a","a"])", "1"}) {
    ASSERT_TRUE(parser.parseCopy(text, arena)) << text;
    EXPECT_FALSE(parser.metEqualKeys()) << text;
  }
}

TEST(Parser, AMegabyteOfKeysTakesNoQuadraticTime) {  // Q-73
  std::string text = "{";
  while (text.size() < (1u << 20)) text += "\"" + std::to_string(text.size()) + "\":1,";
  text.back() = '}';
  Parser parser;
  Arena arena;
  const auto value = parser.parseCopy(text, arena);
  ASSERT_TRUE(value);
  EXPECT_GT(value->count, 80'000u);  // 80,000 squared comparisons would run into the time limit
}

TEST(Parser, ValuesDoNotPointIntoTheTextOrTheParser) {
  Parser parser;
  Arena arena;
  Result<Value> value = makeError(Code::kInternal);
  {
    const Padded padded(R"({"key":"text"})");
    value = parser.parse(padded.view(), arena);
  }
  ASSERT_TRUE(parser.validate(Padded(R"(["other text here"])").view()));
  EXPECT_EQ(toString(*value), R"({"key":"text"})");
}

struct EnvelopeCase {
  const char* text;
  const char* resource;
  const char* action;
  const char* id;
  const char* payload;
};

const std::vector<EnvelopeCase> kEnvelopes = {
    {R"({"resource":"r","action":"a","payload":{"x":1}})", "r", "\"a\"", "", R"({"x":1})"},
    {R"({"resource":"r"})", "r", "", "", ""},
    {R"({})", "", "", "", ""},
    {" {\t\"payload\" : [ 1 , {\"a\":\"}]\"} ] \n, \"resource\"\r\n:\"r\" } \n", "r", "", "",
     "[ 1 , {\"a\":\"}]\"} ]"},
    {R"({"id":12,"resource":"r","payload":null})", "r", "", "12", "null"},
    {R"({"id":-1.5e3 ,"payload":  12  })", "", "", "-1.5e3", "12"},
    {R"({"id":"x\"y","action":"\u0041\\","payload":"{\"id\":1}"})", "", R"("\u0041\\")",
     R"("x\"y")", R"("{\"id\":1}")"},
    {R"({"\u0069d":7,"\u0072esource":"a\/b\u00e9\n"})", "a/b\xC3\xA9\n", "", "7", ""},
    {R"({"other":{"id":1,"payload":[2]},"id":3,"deep":[[[]]],"payload":{"id":{"id":4}},"z":1.5})",
     "", "", "3", R"({"id":{"id":4}})"},
    {R"({"payload":{},"resource":"r"})", "r", "", "", "{}"},
    {R"({"payload":[],"other":18446744073709551615,"a":-1,"resource":"r","payload ":1})", "r", "",
     "", "[]"},
    {R"({"resource":5,"action":"a"})", "", "\"a\"", "", ""},
    {R"({"resource":"","payload":true})", "", "", "", "true"},
    {R"({"id":"","payload":{"a":[1,{"b":[]}],"c":"}"}})", "", "", "\"\"",
     R"({"a":[1,{"b":[]}],"c":"}"})"},
};

TEST(Parser, EnvelopeMembersAreFoundAsSpans) {  // spec S-111, spec S-118
  for (const auto& item : kEnvelopes) {
    Parser parser;
    const Padded padded(item.text);
    const auto envelope = parser.parseEnvelope(padded.view());
    ASSERT_TRUE(envelope) << item.text << envelope.error().message;
    EXPECT_EQ(envelope->resource, item.resource) << item.text;
    EXPECT_EQ(envelope->action_json, item.action) << item.text;
    EXPECT_EQ(envelope->id_json, item.id) << item.text;
    EXPECT_EQ(envelope->payload_json, item.payload) << item.text;
  }
}

TEST(Parser, EnvelopeIsTheSameWithEveryImplementationOfSimdjson) {
  auto& active = simdjson::get_active_implementation();
  const simdjson::implementation* const before = active;
  for (const auto* implementation : simdjson::get_available_implementations()) {
    if (!implementation->supported_by_runtime_system()) continue;
    active = implementation;
    for (const auto& item : kEnvelopes) {
      Parser parser;
      const Padded padded(item.text);
      const auto envelope = parser.parseEnvelope(padded.view());
      ASSERT_TRUE(envelope) << implementation->name() << item.text;
      EXPECT_EQ(envelope->id_json, item.id) << implementation->name() << item.text;
      EXPECT_EQ(envelope->payload_json, item.payload) << implementation->name() << item.text;
    }
  }
  active = before;
}

TEST(Parser, EmptyResourceIsThereMissingOneIsNot) {  // spec S-118
  Parser parser;
  EXPECT_TRUE(parser.parseEnvelope(Padded(R"({"resource":""})").view())->has_resource);
  EXPECT_FALSE(parser.parseEnvelope(Padded(R"({"action":""})").view())->has_resource);
  EXPECT_FALSE(parser.parseEnvelope(Padded(R"({"resource":null})").view())->has_resource);
  EXPECT_FALSE(parser.parseEnvelope(Padded(R"({"resource":5})").view())->has_resource);
}

TEST(Parser, BadEnvelopesAreRefused) {  // spec S-111, spec S-118, Q-61
  const std::vector<std::string> texts = {"[]",
                                          "1",
                                          "\"a\"",
                                          "null",
                                          "[{\"resource\":\"r\"}]",
                                          R"({"resource":"a","resource":"b"})",
                                          R"({"action":"a","\u0061ction":"b"})",
                                          R"({"id":1,"x":2,"id":1})",
                                          R"({"payload":{},"payload":{}})",
                                          R"({"action":1})",
                                          R"({"action":null})",
                                          R"({"action":["a"]})",
                                          R"({"id":null})",
                                          R"({"id":true})",
                                          R"({"id":{}})",
                                          R"({"id":[1]})",
                                          R"({"payload":{"a":tru}})",
                                          R"({"payload":"\q"})",
                                          R"({"payload":1}x)",
                                          R"({"payload":1},)",
                                          R"({"payload":{"a":"\ud800"}})",
                                          R"({"other":{"deep":[1e999]}})",
                                          "{\"payload\":1",
                                          "",
                                          "\xEF\xBB\xBF{}"};
  for (const auto& text : texts) {
    Parser parser;
    const auto envelope = parser.parseEnvelope(Padded(text).view());
    ASSERT_FALSE(envelope) << text;
    EXPECT_EQ(envelope.error().code, Code::kBadRequest) << text;
  }
}

TEST(Parser, PayloadOfAMegabyteIsFoundAlsoBeforeOtherMembers) {
  std::string payload = "{\"list\":[";
  while (payload.size() < (1u << 20)) payload += R"({"a":"]}","b":[1,2]},)";
  payload.back() = ']';
  payload += "}";
  Parser parser;
  const Padded padded("{\"payload\":" + payload + ",\"resource\":\"r\",\"id\":1}");
  const auto envelope = parser.parseEnvelope(padded.view());
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->payload_json, payload);
  EXPECT_EQ(envelope->id_json, "1");
}

}  // namespace
}  // namespace sub0::json
