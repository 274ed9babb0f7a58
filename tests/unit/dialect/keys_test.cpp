// SPDX-License-Identifier: Apache-2.0
#include "dialect/keys.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

const std::string kPlain = R"({"id": 1, "mode": "VALUE", "value": 1)";

// spec S-2
TEST(Keys, UnknownKeysWarnWithTheirPlaceAndTheNearestName) {
  struct Row {
    std::string text;
    const char* pointer;
    const char* suggestion;
  };
  const Row rows[] = {
      {resourceText(kPlain + "}", R"("returnable": [], )"), "/returnable", "returnables"},
      {resourceText(kPlain + R"(, "no_opp": true})"), "/actionables/0/no_opp", "no_op"},
      {resourceText(kPlain + "}", R"("tokenize": {"encryption_key": "k", "Algorithm": "HS256"}, )"),
       "/tokenize/Algorithm", "algorithm"},
      {resourceText(R"({"id": 1, "mode": "QUERY", "sql_query": {"query": "q", "params": []}})"),
       "/actionables/0/sql_query/params", "parameters"},
      {resourceText(
           kPlain +
           R"(, "payload_validation": [{"field": {"a": {"type": "EMAIL"}}, "min_lenght": 1}]})"),
       "/actionables/0/payload_validation/0/min_lenght", "min_length"},
      {resourceText(kPlain + R"(, "zzz": 1})"), "/actionables/0/zzz", ""},
  };
  for (const Row& row : rows) {
    const Loaded loaded = loadText(row.text);
    ASSERT_TRUE(loaded.hasWarning("S-2", row.pointer)) << loaded.problems.toText();
    EXPECT_EQ(loaded.find("S-2", row.pointer)->suggestion, row.suggestion);
    EXPECT_FALSE(loaded.problems.hasErrors()) << loaded.problems.toText();
    LoadOptions strict = usualOptions();
    strict.strict = true;
    EXPECT_TRUE(loadText(row.text, strict).hasError("S-2", row.pointer));
  }
}

// spec S-2
TEST(Keys, ThePlaceOfAnUnknownKeyIsThatOfTheKey) {
  const Loaded loaded = loadText("{\n  \"id\": \"a\",\n    \"rezource\": \"a\"\n}");
  const Problem* problem = loaded.find("S-2", "/rezource");
  ASSERT_NE(problem, nullptr);
  EXPECT_EQ(problem->place.position.line, 3u);
  EXPECT_EQ(problem->place.position.column, 5u);
  EXPECT_EQ(problem->suggestion, "resource");
}

// spec S-2
TEST(Keys, AKeyOfAnotherModeDoesNothingAndWarns) {
  const Loaded loaded = loadText(resourceText(kPlain + R"(, "sql_query": {"query": "SELECT 1"}})"));
  EXPECT_TRUE(loaded.hasWarning("S-2", "/actionables/0/sql_query"));
}

// spec S-38, S-115
TEST(Keys, BothBroadcastsMayLeaveOutTheSender) {
  const Loaded loaded = loadText(resourceText(
      R"({"id": 1, "mode": "BROADCAST", "broadcast": {"broadcast_type": "ALL", "action": "a",)"
      R"( "exclude_sender": true}, "broadcast_websocket_message": {"broadcast_type": "ALL",)"
      R"( "action": "a", "exclude_sender": true}})"));
  EXPECT_EQ(loaded.problems.toText(), "");
}

// spec S-24
TEST(Keys, AWrongNumberIsShownAndShortenedIfItIsLong) {
  const std::string long_number = "1" + std::string(60, '2');
  for (const auto& [number, shown] : {std::pair<std::string, std::string>{"1.5", "1.5"},
                                      {"-7.25", "-7.25"},
                                      {"1.0", "1.0; write 1"},
                                      {long_number, long_number.substr(0, 32) + "..."}}) {
    const Loaded loaded =
        loadText(resourceText(R"({"id": )" + number + R"(, "mode": "VALUE", "value": 1})"));
    const Problem* problem = loaded.find("S-24", "/actionables/0/id");
    ASSERT_NE(problem, nullptr) << loaded.problems.toText();
    EXPECT_EQ(problem->message, "\"id\" must be a whole number, not " + shown);
  }
}

struct Refused {
  std::string text;
  std::string pointer;
};

std::vector<Refused> refusedKeys() {
  std::vector<Refused> rows;
  for (const char* const member : {R"("queue": {"delay": 1})", R"("webhook": {})"}) {
    const std::string text(member);
    rows.push_back(
        {resourceText(kPlain + "}", text + ","), "/" + text.substr(1, text.find('"', 1) - 1)});
  }
  for (const char* const member :
       {R"("queue": {"delay": 1})", R"("cron_job": {"execution_interval": "0"})",
        R"("mongo_query": {})"}) {
    const std::string text(member);
    rows.push_back({resourceText(kPlain + "," + text + "}"),
                    "/actionables/0/" + text.substr(1, text.find('"', 1) - 1)});
  }
  return rows;
}

// spec S-40
TEST(Keys, WhatThisVersionCannotRunIsAnErrorAndNeverIgnored) {
  for (const Refused& row : refusedKeys()) {
    EXPECT_TRUE(loadText(row.text).hasError("S-40", row.pointer)) << row.text;
  }
}

// spec S-93
TEST(Keys, WhatOnlyDropsCachedResultsNeedsNoKeyOfItsOwn) {
  const std::string only =
      R"(, "cacheable": {"read_from_cache": false, "duration": 5, "invalidate_cache_keys": ["k"]}})";
  EXPECT_EQ(loadText(resourceText(kPlain + only)).problems.toText(), "");
  EXPECT_TRUE(loadText(resourceText(kPlain + R"(, "cacheable": {"duration": 5}})"))
                  .hasError("S-93", "/actionables/0/cacheable/duration"));
}

// spec S-74
TEST(Keys, OnlyAResourceThatRevokesTokensMayHaveNoActions) {
  const std::string head = R"({"id": "r", "resource": "r")";
  EXPECT_EQ(
      loadText(head + R"(, "invalidate_tokenize": {"tokens": ["$PAYLOAD.a"]}})").problems.toText(),
      "");
  EXPECT_TRUE(loadText(head + "}").hasError("S-20", ""));
  for (const char* const constant : {R"("t")", R"([])", R"(["a", "b"])", R"("$payload.a")"}) {
    const Loaded loaded =
        loadText(head + R"(, "invalidate_tokenize": {"tokens": )" + constant + "}}");
    EXPECT_TRUE(loaded.hasError("S-74", "/invalidate_tokenize/tokens")) << constant;
  }
}

// spec S-40
TEST(Keys, ValuesThatMeanOffAreAccepted) {
  const Loaded loaded = loadText(resourceText(
      kPlain +
          R"(, "retries": 0, "run_in_background": false, "hashables": [], "cacheable": false})",
      R"("parallel": false, "transaction": false, "queue": null, "run_in_background": false,)"
      R"("cacheable": null, "rate_limit": false,)"));
  EXPECT_EQ(loaded.problems.toText(), "");
}

// spec S-2: exported files hold both
TEST(Keys, NullIsAMissingKeyAndSoIsFalseWhereAnObjectIsMeant) {
  const Loaded loaded = loadText(resourceText(
      R"({"id": 1, "mode": "QUERY", "payload_validation": null, "depends_on": null, "no_op": null,)"
      R"("broadcast_websocket_message": null, "verify_hashables": null, "hashables": null,)"
      R"("value": null, "broadcast": false, "http": null, "uploads": null, "mongo_query": null,)"
      R"("cron_job": {}, "queue": null, "cacheable": {"invalidate_cache_keys": ["a"],)"
      R"("cache_key": null, "duration": null}, "returnables": null, "with_timestamps": null,)"
      R"("sql_query": {"query": "SELECT 1", "parameters": null, "unique": null}},)"
      R"({"id": 2, "mode": "VALUE", "value": null, "sql_query": null, "broadcast_websocket_message":)"
      R"({"broadcast_type": "SINGLE", "action": "x", "broadcast_to": null}})",
      R"("tokenize": null, "protected": false, "invalidate_tokenize": false, "returnables": null,)"
      R"("maintenance": null, "rate_limit": null, "webhook": null, "cron_job": {},)"
      R"("combine_returned_results_from": null, )"));
  EXPECT_EQ(loaded.problems.toText(), "");
  const Resource& resource = loaded.project->resources()[0];
  EXPECT_FALSE(resource.protection || resource.tokenize || resource.invalidation ||
               resource.returnables || resource.combine);
  EXPECT_TRUE(resource.actionables[0].effects.empty());
  EXPECT_EQ(json::find(*resource.actionables[0].config, "unique"), nullptr);  // as plugins see it
  ASSERT_NE(resource.actionables[1].config, nullptr);  // null is a value of VALUE
}

// spec S-2, S-72: nothing that could have been meant takes a protection away
TEST(Keys, OtherWrongValuesAreNoMissingKeys) {
  const char* const tokenize =
      R"("tokenize": {"encryption_key": "0123456789abcdef0123456789abcdef"},)";
  for (const char* const wrong : {"0", R"("")", "[]", "true", R"("false")"}) {
    EXPECT_TRUE(loadText(resourceText(kPlain + "}",
                                      tokenize + (R"("protected": )" + std::string(wrong) + ",")))
                    .hasError("S-72", "/protected"))
        << wrong;
  }
  EXPECT_TRUE(loadText(resourceText(kPlain + "}", R"("protected": {}, "tokenize": null, )"))
                  .hasError("S-72", "/protected"));
  EXPECT_TRUE(
      loadText(resourceText(kPlain + "}", R"("webhook": {}, )")).hasError("S-40", "/webhook"));
  for (const char* const key : {"payload_validation", "verify_hashables", "hashables"}) {
    EXPECT_TRUE(loadText(resourceText(kPlain + ", \"" + key + "\": false}")).problems.hasErrors())
        << key;
  }
  EXPECT_TRUE(loadText(R"({"id": null, "resource": "r", "actionables": []})").hasError("S-11", ""));
  EXPECT_TRUE(loadText(resourceText(R"({"id": 1, "mode": "QUERY", "sql_query": null})"))
                  .hasError("S-30", "/actionables/0"));
}

// spec S-38: null is what is sent, not the payload
TEST(Keys, NullAsTheDataOfABroadcastIsAValue) {
  const Loaded loaded = loadText(resourceText(
      R"({"id": 1, "mode": "BROADCAST", "broadcast": {"broadcast_type": "ALL", "action": "a",)"
      R"("data": null}})"));
  EXPECT_EQ(loaded.problems.toText(), "");
  const json::Value& config = *loaded.project->resources()[0].actionables[0].config;
  EXPECT_NE(json::find(config, "data"), nullptr);
}

// spec S-2: README tells editors of the schema so
TEST(Keys, AFileMayNameItsSchema) {
  LoadOptions strict = usualOptions();
  strict.strict = true;
  const std::string named = R"("$schema": "../sub0.schema.json", )";
  const Loaded loaded =
      loadFiles({{"project/resources/a.json", resourceText(kPlain + "}", named)},
                 {"project/models/_user.json", "{" + named + R"("id": {"type": "Number"}})"},
                 {"project/models/_names.json", "{" + named + R"("_user": "people"})"}},
                strict);
  EXPECT_EQ(loaded.problems.toText(), "");
  ASSERT_EQ(loaded.project->models().size(), 1u);
  EXPECT_EQ(loaded.project->models()[0].fields.size(), 1u);
}

// spec S-90
TEST(Keys, RetriesAreAFewAndBelongToTheResourceOfATransaction) {
  for (const char* const good : {"0", "1", "10"}) {
    const std::string member = R"("retries": )" + std::string(good);
    EXPECT_EQ(loadText(resourceText(kPlain + "," + member + "}")).problems.toText(), "");
    EXPECT_EQ(loadText(resourceText(kPlain + "}", member + ",")).problems.toText(), "");
  }
  for (const char* const bad : {"-1", "11", "1.5", "true", R"("3")", "[1]"}) {
    const std::string member = R"("retries": )" + std::string(bad);
    EXPECT_TRUE(loadText(resourceText(kPlain + "," + member + "}"))
                    .hasError("S-90", "/actionables/0/retries"))
        << bad;
    EXPECT_TRUE(loadText(resourceText(kPlain + "}", member + ",")).hasError("S-90", "/retries"))
        << bad;
  }
  const auto in_transaction = [](const char* own) {
    return resourceText(kPlain + R"(, "retries": )" + own + "}",
                        R"("transaction": true, "retries": 2,)");
  };
  EXPECT_TRUE(loadText(in_transaction("1")).hasError("S-90", "/actionables/0/retries"));
  const Loaded loaded = loadText(in_transaction("0"));
  EXPECT_EQ(loaded.problems.errorCount(), 0u) << loaded.problems.toText();
  EXPECT_EQ(loaded.project->resources()[0].retries, 2u);
  EXPECT_EQ(loaded.project->resources()[0].actionables[0].retries, 0u);
}

// spec S-91
TEST(Keys, NothingIsMadeOfWhatRunsInTheBackground) {
  const std::string on = R"("run_in_background": true)";
  EXPECT_EQ(loadText(resourceText(kPlain + "}", on + ",")).problems.toText(), "");
  const Loaded one = loadText(resourceText(kPlain + "," + on + "}"));
  EXPECT_EQ(one.problems.toText(), "");
  EXPECT_EQ(one.project->resources()[0].result_action, std::nullopt);
  for (const std::string more :
       {R"("must_return_value": true)", R"("main_returnable": true)", R"("retries": 1)"}) {
    const std::string key = more.substr(1, more.find('"', 1) - 1);
    EXPECT_TRUE(loadText(resourceText(kPlain + "," + on + "," + more + "}"))
                    .hasError("S-91", "/actionables/0/" + key))
        << key;
  }
}

// spec S-34: beside sql_query, or in it
TEST(Keys, RowTimesAreSwitchesOfAQuery) {
  for (const std::string key : {"with_timestamps", "soft_delete"}) {
    const std::string on = "\"" + key + "\": true";
    EXPECT_EQ(loadText(resourceText(R"({"id": 1, "mode": "QUERY", "sql_query": {"query": "q", )" +
                                    on + "}}"))
                  .problems.toText(),
              "");
    EXPECT_EQ(loadText(resourceText(R"({"id": 1, "mode": "QUERY", "sql_query": {"query": "q"}, )" +
                                    on + "}"))
                  .problems.toText(),
              "");
    EXPECT_TRUE(
        loadText(resourceText(kPlain + "," + on + "}")).hasError("S-34", "/actionables/0/" + key));
    EXPECT_TRUE(
        loadText(resourceText(R"({"id": 1, "mode": "QUERY", "sql_query": {"query": "q", ")" + key +
                              R"(": "yes"}})"))
            .hasError("S-34", "/actionables/0/sql_query/" + key));
  }
}

// spec S-80
TEST(Keys, ATypeOfAFieldIsSuggestedAndIsNoText) {
  const auto field = [](const std::string& type) {
    return resourceText(kPlain + R"(, "payload_validation": [{"field": {"f": )" + type + "}}]}");
  };
  const std::string pointer = "/actionables/0/payload_validation/0/field/f";
  const Loaded lower = loadText(field(R"({"type": "string"})"));
  EXPECT_TRUE(lower.hasError("S-80", pointer + "/type"));
  EXPECT_EQ(lower.find("S-80", pointer + "/type")->suggestion, "STRING");
  EXPECT_TRUE(loadText(field(R"("STRING")")).hasError("S-80", pointer));
  EXPECT_TRUE(loadText(field("{}")).hasError("S-80", pointer));
}

// spec S-2, S-38, S-115
TEST(Keys, TypesAndValuesAreCheckedAgainstTheDeclaration) {
  const Refused rows[] = {
      {resourceText(kPlain + "}", R"("maintenance": "yes",)"), "/maintenance"},
      {resourceText(kPlain + "}", R"("returnables": "a",)"), "/returnables"},
      {resourceText(kPlain + "}", R"("returnables": [1],)"), "/returnables/0"},
      {resourceText(kPlain + "}", R"("tokenize": [],)"), "/tokenize"},
      {resourceText(R"({"id": "1", "mode": "VALUE", "value": 1})"), "/actionables/0/id"},
      {resourceText(R"({"id": 1.5, "mode": "VALUE", "value": 1})"), "/actionables/0/id"},
      {resourceText("7"), "/actionables/0"},
      {resourceText(R"({"id": 1, "value": 1})"), "/actionables/0"},
      {R"({"id": "a", "resource": "b"})", ""},
      {resourceText(R"({"id": 1, "mode": "BROADCAST",
          "broadcast": {"broadcast_type": "EVERYONE", "action": "a"}})"),
       "/actionables/0/broadcast/broadcast_type"},
      {resourceText(kPlain + R"(, "broadcast_websocket_message": {"broadcast_type": "ALL"}})"),
       "/actionables/0/broadcast_websocket_message"},
  };
  for (const Refused& row : rows) {
    const Loaded loaded = loadText(row.text);
    bool found = false;
    for (const Problem& problem : loaded.problems.all()) {
      found =
          found || (problem.severity == Severity::kError && problem.place.pointer == row.pointer);
    }
    EXPECT_TRUE(found) << row.text << "\n" << loaded.problems.toText();
  }
}

TEST(Keys, EveryDeclaredKeyHasARuleATextAndIsDeclaredOnce) {
  for (const ObjectDeclaration* object : allDeclarations()) {
    for (std::size_t i = 0; i < object->key_count; ++i) {
      const KeyDeclaration& key = object->keys[i];
      EXPECT_FALSE(key.rule.empty()) << key.name;
      EXPECT_FALSE(key.text.empty()) << key.name;
      EXPECT_EQ(object->find(key.name), &key) << key.name;
    }
  }
}

}  // namespace
}  // namespace sub0::dialect
