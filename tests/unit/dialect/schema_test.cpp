// SPDX-License-Identifier: Apache-2.0
#include "dialect/schema.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "dialect/keys.hpp"
#include "json/placed_document.hpp"
#include "tests/unit/dialect/memory_files.hpp"

#if __has_include(<valijson/validator.hpp>)
#include <Poco/JSON/Parser.h>

#include <valijson/adapters/poco_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace sub0::dialect::schema_test {
namespace {

SchemaOptions usualSchema(bool strict = false) {
  const LoadOptions usual = usualOptions();
  return {usual.modes, usual.effects, strict};
}

// Poco's parser takes objects and arrays alone.
Poco::Dynamic::Var parsed(const std::string& text) {
  return Poco::JSON::Parser().parse("[" + text + "]").extract<Poco::JSON::Array::Ptr>()->get(0);
}

class Judge {
 public:
  explicit Judge(const std::string& schema_text) : text_(parsed(schema_text)) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::PocoJsonAdapter(text_), schema_);
  }
  explicit Judge(const SchemaOptions& options) : Judge(resourceSchema(options)) {}

  /// What the schema has against the document; empty: nothing.
  std::string refusal(const std::string& document) const {
    const Poco::Dynamic::Var value = parsed(document);
    const valijson::adapters::PocoJsonAdapter target(value);
    valijson::ValidationResults results;
    valijson::Validator validator;
    if (validator.validate(schema_, target, &results)) return {};
    std::string text = "refused:";
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
      text += "\n  ";
      for (const auto& step : error.context) text += step;
      text += ": " + error.description;
    }
    return text;
  }

 private:
  Poco::Dynamic::Var text_;
  valijson::Schema schema_;
};

std::string contentOf(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// Strict JSON of a resource file, without comments and trailing commas.
std::string strictJson(const std::string& text) {
  const json::PlacedDocument document(text);
  EXPECT_TRUE(document.problems().empty()) << text;
  return json::toString(document.root());
}

const std::string kSource = SUB0_SOURCE_DIR;

// spec S-2: every sample and every example of the documentation is what the schema describes
TEST(Schema, AllSamplesAndDocumentedExamplesAreAccepted) {
  SchemaOptions options = usualSchema(true);
  options.modes.push_back({"GREETING", "greeting", R"({"type":"object"})"});
  const Judge judge(options);
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(kSource + "/sample-resources")) {
    const auto path = entry.path();
    if (path.extension() != ".json" || path.string().find("/resources/") == std::string::npos) {
      continue;
    }
    ++count;
    EXPECT_EQ(judge.refusal(strictJson(contentOf(path))), "") << path;
  }
  EXPECT_GE(count, 4u);
}

// spec S-100: and of the files of models
TEST(Schema, ModelsOfSamplesAreAcceptedAndOthersRefused) {
  const Judge judge(modelSchema(usualSchema(true)));
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(kSource + "/sample-resources")) {
    const auto path = entry.path();
    if (path.extension() != ".json" || path.parent_path().filename() != "models") continue;
    ++count;
    EXPECT_EQ(judge.refusal(strictJson(contentOf(path))), "") << path;
  }
  EXPECT_GE(count, 6u);
  EXPECT_EQ(judge.refusal(R"({"$schema": "x.json", "id": {"type": "Number", "fts": null}})"), "");
  for (const std::string text :
       {R"([])", R"({})", R"({"first-name": {"type": "String"}})", R"({"2nd": {"type": "String"}})",
        R"({"id": "Number"})", R"({"id": {}})", R"({"id": {"type": "Text"}})",
        R"({"id": {"type": "String", "max_length": 0}})",
        R"({"id": {"type": "Number", "primary": true}})",
        R"({"id": {"type": "Number", "foreign_key": {"of": "a"}}})"}) {
    EXPECT_NE(judge.refusal(text), "") << text;
  }
}

struct Row {
  const char* what;
  std::string document;
};

std::string value(const std::string& more, const std::string& of_resource = "") {
  return resourceText(R"({"id": 1, "mode": "VALUE", "value": 1)" + more + "}", of_resource);
}

std::string tokenize(const std::string& more) {
  return value(
      "", R"("tokenize": {"encryption_key": "0123456789abcdef0123456789abcdef")" + more + "}, ");
}

std::string validation(const std::string& element) {
  return value(R"(, "payload_validation": [)" + element + "]");
}

std::string dependsOn(const std::string& element) {
  return value(R"(, "depends_on": [)" + element + "]");
}

std::string query(const std::string& members) {
  return resourceText(R"({"id": 1, "mode": "QUERY", "sql_query": {)" + members + "}}");
}

// Keys, types, values, ranges: what declarations say.
std::vector<Row> brokenDocuments() {
  return {
      {"a text", R"("a")"},
      {"an empty key", value("", R"("tokenize": {"encryption_key": ""}, "protected": {}, )")},
      {"an empty query", query(R"("query": "")")},
      {"a list of texts", R"(["a"])"},
      {"no key at all", "{}"},
      {"no id", R"({"resource": "a", "actionables": []})"},
      {"no route", R"({"id": "a", "actionables": []})"},
      {"no actionables", R"({"id": "a", "resource": "a"})"},
      {"an id that is a number", R"({"id": 1, "resource": "a", "actionables": []})"},
      {"an empty id", R"({"id": "", "resource": "a", "actionables": []})"},
      {"the second of two is broken",
       R"([{"id": "a", "resource": "a", "actionables": []}, {"id": "b"}])"},
      {"actionables that are an object", R"({"id": "a", "resource": "a", "actionables": {}})"},
      {"an actionable that is a text", resourceText(R"("x")")},
      {"maintenance that is a text", value("", R"("maintenance": "yes", )")},
      {"returnables that are a text", value("", R"("returnables": "a", )")},
      {"a returnable that is a number", value(R"(, "returnables": ["a", 1])")},
      {"combine with a text", value("", R"("combine_returned_results_from": ["1"], )")},
      {"an actionable without id", resourceText(R"({"mode": "VALUE", "value": 1})")},
      {"an actionable without mode", resourceText(R"({"id": 1, "value": 1})")},
      {"an id that is a text", resourceText(R"({"id": "1", "mode": "VALUE", "value": 1})")},
      {"an id with a fraction", resourceText(R"({"id": 1.5, "mode": "VALUE", "value": 1})")},
      {"an unknown mode", resourceText(R"({"id": 1, "mode": "SHELL", "value": 1})")},
      {"a mode of a later version", resourceText(R"({"id": 1, "mode": "UPLOAD", "uploads": {}})")},
      {"a mode in small letters", resourceText(R"({"id": 1, "mode": "value", "value": 1})")},
      {"an empty mode", resourceText(R"({"id": 1, "mode": "", "value": 1})")},
      {"a mode without its key", resourceText(R"({"id": 1, "mode": "QUERY"})")},
      {"VALUE without value", resourceText(R"({"id": 1, "mode": "VALUE"})")},
      {"no_op that is a text", value(R"(, "no_op": "true")")},
      {"must_return_value that is 1", value(R"(, "must_return_value": 1)")},
      {"bypass that is 0", value(R"(, "bypass_payload_validation": 0)")},
      {"protected that is 0", tokenize(R"(}, "protected": 0, "rate_limit": {"limit": 1,)"
                                       R"( "identifier": "a", "expires_after": 1)")},
      {"mongo_query", value(R"(, "mongo_query": {})")},
      {"eleven retries", value(R"(, "retries": 11)")},
      {"hashables", value(R"(, "hashables": [{}])")},
      {"transaction that is a text", value("", R"("transaction": "yes", )")},
      {"webhook", value("", R"("webhook": {}, )")},
      {"sql_query that is a text",
       resourceText(R"({"id": 1, "mode": "QUERY", "sql_query": "SELECT 1"})")},
      {"sql_query without query", query(R"("parameters": [])")},
      {"a query that is a number", query(R"("query": 5)")},
      {"parameters that are an object", query(R"("query": "SELECT 1", "parameters": {})")},
      {"unique", query(R"("query": "SELECT 1", "unique": [5])")},
      {"a broadcast without type",
       resourceText(R"({"id": 1, "mode": "BROADCAST", "broadcast": {"action": "x"}})")},
      {"a broadcast to somebody",
       value(R"(, "broadcast_websocket_message": {"broadcast_type": "ONE", "action": "x"})")},
      {"a broadcast without action",
       value(R"(, "broadcast_websocket_message": {"broadcast_type": "ALL"})")},
      {"tokenize that is true", value("", R"("tokenize": true, )")},
      {"tokenize without key", value("", R"("tokenize": {}, )")},
      {"an algorithm that is none", tokenize(R"(, "algorithm": "none")")},
      {"an algorithm of JWT that is none of ours", tokenize(R"(, "algorithm": "PS256")")},
      {"paseto in small letters", tokenize(R"(, "type": "paseto")")},
      {"expiration 0", tokenize(R"(, "expiration": 0)")},
      {"expiration of 101 years", tokenize(R"(, "expiration": 3193603201)")},
      {"expiration 1h", tokenize(R"(, "expiration": "1h")")},
      {"an empty property_name", tokenize(R"(, "property_name": "")")},
      {"protected without tokenize", value("", R"("protected": {}, )")},
      {"validation that is an object", value(R"(, "payload_validation": {})")},
      {"a validation without field", validation(R"({"email": {"type": "EMAIL"}})")},
      {"a field without a name", validation(R"({"field": {}})")},
      {"a field whose type is a text", validation(R"({"field": {"email": "EMAIL"}})")},
      {"a field without type", validation(R"({"field": {"email": {}}})")},
      {"an unknown type", validation(R"({"field": {"email": {"type": "MAIL"}}})")},
      {"an optional that is 1",
       validation(R"({"field": {"n": {"type": "STRING", "optional": 1}}})")},
      {"an empty pattern", validation(R"({"field": {"n": {"type": "STRING", "pattern": ""}}})")},
      {"an ENUM without values", validation(R"({"field": {"n": {"type": "ENUM"}}})")},
      {"an ENUM of null", validation(R"({"field": {"n": {"type": "ENUM", "values": [null]}}})")},
      {"a min that is a text", validation(R"({"field": {"n": {"type": "NUMBER", "min": "1"}}})")},
      {"arr_length -1", validation(R"({"field": {"n": {"type": "ARRAY", "arr_length": -1}}})")},
      {"a nested type that is unknown", validation(R"({"field": {"n": {"type": "OBJECT",
         "fields": {"m": {"type": "ARRAY", "fields": {"o": {"type": "MAIL"}}}}}}})")},
      {"a nested ENUM without values", validation(R"({"field": {"n": {"type": "OBJECT",
         "fields": {"m": {"type": "ENUM"}}}}})")},
      {"fields that are false",
       validation(R"({"field": {"n": {"type": "OBJECT", "fields": false}}})")},
      {"a mode that is null", resourceText(R"({"id": 1, "mode": null, "value": 1})")},
      {"min_length -1", validation(R"({"field": {"n": {"type": "STRING"}}, "min_length": -1})")},
      {"depends_on without resource_id", dependsOn(R"({"action_ids": [2]})")},
      {"depends_on on no action", dependsOn(R"({"resource_id": "self", "action_ids": []})")},
      {"action ids that are texts", dependsOn(R"({"resource_id": "self", "action_ids": ["2"]})")},
      {"an extraction without for", dependsOn(R"({"resource_id": "self", "action_ids": [2],
                     "extract_response_for": [{"extract": "a"}]})")},
  };
}

std::vector<Row> soundDocuments() {
  return {
      {"an empty list of actions", R"({"id": "a", "resource": "a", "actionables": []})"},
      {"two resources",
       R"([{"id": "a", "resource": "a", "actionables": []},
           {"id": "b", "resource": "b", "actionables": []}])"},
      {"no resource", "[]"},
      {"switched off",
       value(R"(, "retries": 0, "queue": null, "hashables": [], "cacheable": false)",
             R"("transaction": false, "parallel": false, )")},
      {"null and false of exported files",
       value(R"(, "payload_validation": null, "broadcast_websocket_message": null, "queue": null,
             "cron_job": {}, "mongo_query": null, "bypass_payload_validation": null)",
             R"("$schema": "x.json", "protected": false, "invalidate_tokenize": null, )")},
      {"no fields", validation(R"({"field": {"n": {"type": "OBJECT", "fields": {}}}})")},
      {"expiration 1", tokenize(R"(, "expiration": 1)")},
      {"expiration of 100 years", tokenize(R"(, "expiration": 3162240000)")},
      {"min_length 0", validation(R"({"field": {"n": {"type": "STRING"}}, "min_length": 0})")},
      {"an optional that is off",
       validation(R"({"field": {"n": {"type": "STRING", "optional": false}}})")},
      {"a nested field", validation(R"({"field": {"n": {"type": "OBJECT", "optional": true,
         "fields": {"m": {"type": "ARRAY", "arr_length": 0, "fields": {
           "o": {"type": "STRING", "pattern": "^a", "min_length": 1, "max_length": 2}}}}}}})")},
      {"limits of a number",
       validation(R"({"field": {"n": {"type": "NUMBER", "min": -1.5, "max": 2}}})")},
      {"an ENUM", validation(R"({"field": {"n": {"type": "ENUM", "values": ["a", 1.5, true]}}})")},
      {"a list of texts", validation(R"({"field": {"n": {"type": "STRINGARRAY",
         "items_min_length": 1, "items_max_length": 2}}})")},
      {"any value", resourceText(R"({"id": 1, "mode": "VALUE", "value": {"a": [null, 1.5]}})")},
  };
}

Loaded checked(const std::string& document, bool strict = false) {
  LoadOptions options = usualOptions();
  options.strict = strict;
  return loadText(document, options);
}

// spec S-2, S-40
TEST(Schema, RefusesExactlyWhatCheckCallsAnErrorOfKeysTypesAndValues) {
  const Judge judge(usualSchema());
  for (const Row& row : brokenDocuments()) {
    EXPECT_TRUE(checked(row.document).problems.hasErrors()) << row.what;
    EXPECT_NE(judge.refusal(row.document), "") << row.what;
  }
  for (const Row& row : soundDocuments()) {
    EXPECT_FALSE(checked(row.document).problems.hasErrors())
        << row.what << checked(row.document).problems.toText();
    EXPECT_EQ(judge.refusal(row.document), "") << row.what;
  }
}

// spec S-2: unknown keys are warnings, and errors with --strict
TEST(Schema, UnknownKeysAreRefusedByTheStrictOneAlone) {
  const Judge judge(usualSchema());
  const Judge strict(usualSchema(true));
  for (const std::string& document :
       {value(R"(, "no_opp": true)"), value("", R"("returnable": [], )"),
        query(R"("query": "SELECT 1", "params": [])"), tokenize(R"(, "alg": "HS256")"),
        validation(R"({"field": {"n": {"type": "STRING", "len": 5}}})")}) {
    EXPECT_FALSE(checked(document).problems.hasErrors()) << document;
    EXPECT_EQ(judge.refusal(document), "");
    EXPECT_TRUE(checked(document, true).problems.hasErrors()) << document;
    EXPECT_NE(strict.refusal(document), "") << document;
  }
}

// spec S-40: a key of a plugin is known, with the schema that the plugin gives
TEST(Schema, KeysAndModesOfPluginsAreDescribedByThePlugin) {
  SchemaOptions options = usualSchema(true);
  options.modes.push_back({"SHELL", "shell", R"({"type":"string"})"});
  options.effects.push_back({"cron_job", R"({"type":"integer","maximum":5})"});
  const Judge judge(options);
  const auto shell = [](const std::string& more) {
    return resourceText(R"({"id": 1, "mode": "SHELL")" + more + "}");
  };
  EXPECT_EQ(judge.refusal(shell(R"(, "shell": "ls", "cron_job": 3)")), "");
  EXPECT_NE(judge.refusal(shell("")), "");
  EXPECT_NE(judge.refusal(shell(R"(, "shell": 1)")), "");
  EXPECT_NE(judge.refusal(shell(R"(, "shell": "ls", "cron_job": 6)")), "");
  options.effects = {{"cron_job", ""}};
  EXPECT_NE(Judge(options).refusal(value(R"(, "broadcast_websocket_message":
      {"broadcast_type": "ALL", "action": "x"})")),
            "");
}

TEST(Schema, WithoutPluginsItHasTheModesOfThisVersion) {
  const Judge judge(SchemaOptions{});
  EXPECT_EQ(judge.refusal(query(R"("query": "SELECT 1")")), "");
  EXPECT_NE(judge.refusal(resourceText(R"({"id": 1, "mode": "UPLOAD", "uploads": {}})")), "");
}

// spec S-40: every key of every declaration is described, with its rule
TEST(Schema, DescribesEveryDeclaredKeyWithItsRule) {
  const std::string schema = resourceSchema(usualSchema());
  for (const ObjectDeclaration* object : allDeclarations()) {
    for (const KeyDeclaration& key : *object) {
      EXPECT_NE(schema.find("\"" + std::string(key.name) + "\": {"), std::string::npos) << key.name;
      EXPECT_NE(schema.find(" (" + std::string(key.rule) + ")"), std::string::npos) << key.rule;
    }
  }
  EXPECT_EQ(schema.find("\"description\": \" ("), std::string::npos) << "a key without a text";
}

// The meta-schema that Debian's python3-jsonschema brings.
TEST(Schema, IsItselfValidByTheMetaSchemaOfDraft07) {
  const std::string meta = "/usr/lib/python3/dist-packages/jsonschema/schemas/draft7.json";
  if (!std::filesystem::exists(meta)) FAIL() << "python3-jsonschema is not installed";
  const Judge judge(contentOf(meta));
  EXPECT_EQ(judge.refusal(resourceSchema(usualSchema())), "");
  EXPECT_EQ(judge.refusal(resourceSchema(usualSchema(true))), "");
  EXPECT_NE(judge.refusal(R"({"type": "strung"})"), "") << "it refuses nothing";
}

}  // namespace
}  // namespace sub0::dialect::schema_test

#else

TEST(Schema, IsJudgedByValijson) { FAIL() << "libvalijson-dev is not installed"; }

#endif
