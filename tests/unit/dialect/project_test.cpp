// SPDX-License-Identifier: Apache-2.0
#include "dialect/project.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

const char* const kFetchBalance = R"({
  // the documentation's own case
  "id": "fetch-balance",
  "resource": "fetch-balance",
  "tokenize": {
    "type": "JWT",
    "algorithm": "HS256",
    "encryption_key": "$ENV.JWT_SECRET",
  },
  "protected": {"provide_as": "x-access-token", "extract_claims": ["id"]},
  "returnables": ["wallet_balance"],
  "actionables": [
    {
      "id": 1,
      "mode": "QUERY",
      "sql_query": {
        "query": "SELECT wallet_balance FROM users WHERE id = $1",
        "parameters": ["$PROTECTED.id"], /* a claim */
      },
    },
  ],
})";
const char* const kKey = "0123456789abcdef0123456789abcdef";

LoadOptions optionsWithKey() {
  LoadOptions options = usualOptions();
  options.environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "JWT_SECRET") return kKey;
    return std::nullopt;
  };
  return options;
}

// spec S-2, S-3, S-70, S-72
TEST(Project, TheDocumentedExampleLoadsWithoutAnyProblem) {
  const Loaded loaded = loadText(kFetchBalance, optionsWithKey());
  EXPECT_EQ(loaded.problems.toText(), "");
  ASSERT_EQ(loaded.project->resources().size(), 1u);
  const Resource& resource = loaded.project->resources()[0];
  EXPECT_EQ(resource.id, "fetch-balance");
  EXPECT_EQ(resource.tokenize->encryption_key, kKey);
  EXPECT_EQ(resource.tokenize->expiration_s, 86400);
  EXPECT_EQ(resource.tokenize->property_name, "token");
  EXPECT_EQ(resource.protection->provide_as, "x-access-token");
  EXPECT_FALSE(resource.issuesToken());
  ASSERT_EQ(resource.actionables.size(), 1u);
  const Actionable& action = resource.actionables[0];
  EXPECT_EQ(action.mode, "QUERY");
  EXPECT_EQ(action.config_key, "sql_query");
  EXPECT_EQ(action.pointer, "/actionables/0");
  EXPECT_EQ(action.names.extracted_claims, std::vector<std::string>{"id"});
  EXPECT_TRUE(action.is_sound);
  EXPECT_EQ(resource.result_action, 0u);
  EXPECT_EQ(loaded.project->find("fetch-balance"), &resource);
}

// spec S-61
TEST(Project, ReadingClaimsWithoutProtectionWarns) {
  const std::string action = R"({"id": 1, "mode": "VALUE", "value": "$PROTECTED.id"})";
  const std::string tokenize = R"("tokenize": {"encryption_key": ")" + std::string(kKey) + "\"}, ";
  for (const bool is_protected : {false, true}) {
    const Loaded loaded =
        loadText(resourceText(action, tokenize + (is_protected ? R"("protected": {}, )" : "")));
    const Resource& resource = loaded.project->resources().at(0);
    const Actionable& model = resource.actionables.at(0);
    Problems problems;
    (void)Template::compile(*model.config, "/actionables/0/value",
                            loaded.project->contextOf(model, problems));
    EXPECT_EQ(problems.warningCount(), is_protected ? 0u : 1u) << problems.toText();
    if (is_protected) continue;
    EXPECT_EQ(problems.all()[0].rule, "S-61");
    EXPECT_EQ(problems.all()[0].place.pointer, "/actionables/0/value");
  }
}

// spec S-3
TEST(Project, AnUnsetKeyIsAWarningInCheckAndAnErrorAtStartOrStrictly) {
  const std::string pointer = "/tokenize/encryption_key";
  EXPECT_TRUE(loadText(kFetchBalance).hasWarning("S-3", pointer));
  LoadOptions starting = usualOptions();
  starting.starting = true;
  const Loaded at_start = loadText(kFetchBalance, starting);
  EXPECT_TRUE(at_start.hasError("S-3", pointer));
  EXPECT_EQ(at_start.find("S-3", pointer)->place.position.line, 8u);
  EXPECT_EQ(at_start.find("S-3", pointer)->place.position.column, 23u);
  LoadOptions strict = usualOptions();
  strict.strict = true;
  EXPECT_TRUE(loadText(kFetchBalance, strict).hasError("S-3", pointer));
}

// spec S-3
TEST(Project, TheProcessComesBeforeDotEnv) {
  const std::map<std::string, std::string> files{
      {"project/resources/a.json", kFetchBalance},
      {"project/.env", "JWT_SECRET=from-the-file-from-the-file-1234\nOTHER=1\n"}};
  const Loaded from_file = loadFiles(files);
  EXPECT_EQ(from_file.project->resources()[0].tokenize->encryption_key,
            "from-the-file-from-the-file-1234");
  EXPECT_EQ(from_file.project->dotEnv().at("OTHER"), "1");
  const Loaded from_process = loadFiles(files, optionsWithKey());
  EXPECT_EQ(from_process.project->resources()[0].tokenize->encryption_key, kKey);
}

struct Case {
  const char* what;
  std::string text;
  const char* rule;
  const char* pointer;
};

void expectErrors(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const Loaded loaded = loadText(one.text);
    EXPECT_TRUE(loaded.hasError(one.rule, one.pointer))
        << one.what << ": wanted " << one.rule << " at " << one.pointer << ", got\n"
        << loaded.problems.toText();
  }
}

const char* const kValue = R"({"id": 1, "mode": "VALUE", "value": 1})";

// spec S-1, S-2
TEST(Project, AFileThatHoldsNoResourceIsRefusedWithItsPlace) {
  expectErrors({{"a number", "7", "S-1", ""},
                {"a number in an array", "[7]", "S-1", "/0"},
                {"no JSON", "{\"id\": }", "S-2", ""},
                {"a key twice", R"({"id": "a", "id": "b"})", "S-2", "/id"}});
  const Loaded broken = loadText("{\n  \"id\": tru\n}");
  ASSERT_EQ(broken.problems.errorCount(), 1u);
  EXPECT_EQ(broken.problems.all()[0].place.position.line, 2u);
}

// spec S-2
TEST(Project, AllErrorsOfAllFilesAreReportedAtOnceInOrder) {
  const Loaded loaded = loadFiles(
      {{"project/resources/b.json", R"({"id": 5, "resource": "b"})"},
       {"project/resources/a.json", "{,}"},
       {"project/resources/deep/c.json",
        R"([{"id": "c", "resource": "c", "actionables": [{"id": 1, "mode": "NONE"}]}])"}});
  std::vector<std::string> files;
  for (const Problem& problem : loaded.problems.all()) files.push_back(problem.place.file);
  const std::vector<std::string> expected{"project/resources/a.json", "project/resources/b.json",
                                          "project/resources/b.json",
                                          "project/resources/deep/c.json"};
  EXPECT_EQ(files, expected) << loaded.problems.toText();
}

// spec S-11
TEST(Project, RoutesMustBeUniqueAndNotOnlyDifferentInCase) {
  const auto two = [](const std::string& first, const std::string& second) {
    const std::string rest = R"(, "maintenance": true, "actionables": []})";
    return "[{" + first + rest + ", {" + second + rest + "]";
  };
  expectErrors({
      {"the same id", two(R"("id": "a", "resource": "b")", R"("id": "a", "resource": "c")"), "S-11",
       "/1/id"},
      {"the same route", two(R"("id": "a", "resource": "x")", R"("id": "b", "resource": "x")"),
       "S-11", "/1/resource"},
      {"an id that is another's route",
       two(R"("id": "a", "resource": "x")", R"("id": "x", "resource": "y")"), "S-11", "/1/id"},
      {"case only", two(R"("id": "a", "resource": "Pay")", R"("id": "b", "resource": "pay")"),
       "S-11", "/1/resource"},
  });
  EXPECT_EQ(loadText(two(R"("id": "a", "resource": "a")", R"("id": "b", "resource": "x/b")"))
                .problems.toText(),
            "");
}

// spec S-50
TEST(Project, RoutesOfTheHostAreTaken) {
  for (const char* const route :
       {"ws", "healthz", "readyz", "metrics", "files", "_sub0", "files/a", "_sub0/x", ""}) {
    const std::string text =
        R"({"id": "a", "resource": ")" + std::string(route) + R"(", "actionables": []})";
    EXPECT_TRUE(loadText(text).hasError("S-50", "/resource")) << route;
  }
  LoadOptions options = usualOptions();
  options.websocket_endpoint = "socket";
  EXPECT_TRUE(loadText(R"({"id": "socket", "resource": "a", "actionables": []})", options)
                  .hasError("S-50", "/id"));
  const Loaded slash = loadText(R"({"id": "a", "resource": "/pay", "actionables": []})");
  EXPECT_EQ(slash.find("S-50", "/resource")->suggestion, "pay");
}

// spec S-40
TEST(Project, AModeThatNobodyOffersNamesTheResourceTheKeyAndTheFolders) {
  LoadOptions options = usualOptions();
  options.modes = {{"VALUE", "value"}};
  const Loaded loaded = loadText(
      resourceText(R"({"id": 1, "mode": "QUERY", "sql_query": {"query": "SELECT 1"}})"), options);
  ASSERT_TRUE(loaded.hasError("S-40", "/actionables/0/mode")) << loaded.problems.toText();
  const std::string message = loaded.find("S-40", "/actionables/0/mode")->message;
  EXPECT_NE(message.find("resource \"r\""), std::string::npos);
  EXPECT_NE(message.find("QUERY"), std::string::npos);
  EXPECT_NE(message.find("\"sql_query\" is at line 1"), std::string::npos);
  EXPECT_NE(message.find("searched: /plugins"), std::string::npos);
  EXPECT_EQ(loaded.problems.errorCount(), 1u);
  EXPECT_FALSE(loaded.project->resources()[0].actionables[0].is_sound);

  const Loaded misspelt = loadText(resourceText(R"({"id": 1, "mode": "QUERRY"})"));
  EXPECT_EQ(misspelt.find("S-40", "/actionables/0/mode")->suggestion, "QUERY");
}

// spec S-40
TEST(Project, AnEffectOrAConfigurationThatIsNotThereIsAnError) {
  LoadOptions options = usualOptions();
  options.effects.clear();
  const std::string effect = resourceText(
      R"({"id": 1, "mode": "VALUE", "value": 1,
          "broadcast_websocket_message": {"broadcast_type": "ALL", "action": "a"}})");
  EXPECT_TRUE(
      loadText(effect, options).hasError("S-40", "/actionables/0/broadcast_websocket_message"));
  const Loaded offered = loadText(effect);
  EXPECT_EQ(offered.problems.toText(), "");
  ASSERT_EQ(offered.project->resources()[0].actionables[0].effects.size(), 1u);
  EXPECT_TRUE(
      loadText(resourceText(R"({"id": 1, "mode": "QUERY"})")).hasError("S-30", "/actionables/0"));
}

// spec S-40
TEST(Project, KeysOfAnotherPluginAreKnownAndItsModeLoads) {
  LoadOptions options = usualOptions();
  options.modes.push_back({"GREETING", "greeting"});
  options.effects.push_back({"audit"});
  const Loaded loaded = loadText(
      resourceText(R"({"id": 1, "mode": "GREETING", "greeting": {"name": "x"}, "audit": true})"),
      options);
  EXPECT_EQ(loaded.problems.toText(), "");
  EXPECT_EQ(loaded.project->resources()[0].actionables[0].effects[0].first, "audit");
}

// spec S-24, S-85, S-21, S-23
TEST(Project, WhatActionsSayAboutEachOtherMustHold) {
  const std::string other = R"({"id": "s", "resource": "s", "actionables": []})";
  expectErrors({
      {"unknown action", resourceText(actionText(1, dependsOn("[2]"))), "S-24",
       "/actionables/0/depends_on/0/action_ids/0"},
      {"itself", resourceText(actionText(1, dependsOn("[1]"))), "S-24",
       "/actionables/0/depends_on/0/action_ids/0"},
      {"a circle of three",
       resourceText(actionText(1, dependsOn("[2]")) + "," + actionText(2, dependsOn("[3]")) + "," +
                    actionText(3, dependsOn("[1]"))),
       "S-24", "/actionables/2/depends_on/0/action_ids/0"},
      {"the same id", resourceText(actionText(1, "") + "," + actionText(1, "")), "S-24",
       "/actionables/1/id"},
      {"two results",
       resourceText(actionText(1, R"(, "main_returnable": true)") + "," +
                    actionText(2, R"(, "main_returnable": true)")),
       "S-24", "/actionables/1/main_returnable"},
      {"a result that never is",
       resourceText(actionText(1, R"(, "main_returnable": true, "no_op": true)")), "S-21",
       "/actionables/0/main_returnable"},
      {"combination", resourceText(kValue, R"("combine_returned_results_from": [1, 9],)"), "S-24",
       "/combine_returned_results_from/1"},
      {"unknown resource",
       resourceText(
           actionText(1, R"(, "depends_on": [{"resource_id": "nobody", "action_ids": [1]}])")),
       "S-24", "/actionables/0/depends_on/0/resource_id"},
      {"no such action of another resource",
       "[" +
           resourceText(
               actionText(1, R"(, "depends_on": [{"resource_id": "s", "action_ids": [1]}])")) +
           "," + other + "]",
       "S-24", "/0/actionables/0/depends_on/0/action_ids/0"},
      {"a name twice",
       resourceText(actionText(1, "") + "," +
                    actionText(2, dependsOn("[1]", R"(, "extract_response_for": [
                        {"extract": "a", "for": "x"}, {"extract": "b", "for": "x"}])"))),
       "S-85", "/actionables/1/depends_on/0/extract_response_for/1/for"},
      {"no for",
       resourceText(
           actionText(1, "") + "," +
           actionText(2, dependsOn("[1]", R"(, "extract_response_for": [{"extract": "a"}])"))),
       "S-85", "/actionables/1/depends_on/0/extract_response_for/0"},
      {"no actions", resourceText(actionText(1, dependsOn("[]"))), "S-85",
       "/actionables/0/depends_on/0/action_ids"},
  });
}

// spec S-24
TEST(Project, ACircleIsReportedOnceWithItsChain) {
  const Loaded loaded = loadText(
      resourceText(actionText(1, dependsOn("[2]")) + "," + actionText(2, dependsOn("[1]"))));
  ASSERT_EQ(loaded.problems.errorCount(), 1u) << loaded.problems.toText();
  EXPECT_NE(loaded.problems.all()[0].message.find("1 -> 2 -> 1"), std::string::npos);
}

// spec S-20, S-85
TEST(Project, DependenciesAreResolvedAlsoToLaterActionsAndByTheOwnId) {
  const Loaded loaded = loadText(
      resourceText(actionText(7, R"(, "depends_on": [{"resource_id": "r", "action_ids": [9],
                 "extract_response_for": [{"extract": "id", "for": "user_id"}]}])") +
                   "," + actionText(9, R"(, "no_op": true)")));
  EXPECT_EQ(loaded.problems.toText(), "");
  const Resource& resource = loaded.project->resources()[0];
  const Actionable& first = resource.actionables[0];
  ASSERT_EQ(first.depends_on.size(), 1u);
  EXPECT_EQ(first.depends_on[0].actions, std::vector<std::size_t>{1});
  EXPECT_EQ(first.names.extracted, std::vector<std::string>{"user_id"});
  EXPECT_TRUE(resource.actionables[1].result_is_read);
  EXPECT_FALSE(first.result_is_read);
}

// spec S-23, S-21
TEST(Project, TheResultIsTheMainElseTheCombinationElseTheLastThatIsNoNoOp) {
  const std::string plain =
      actionText(1, "") + "," + actionText(2, "") + "," + actionText(3, R"(,"no_op":true)");
  EXPECT_EQ(loadText(resourceText(plain)).project->resources()[0].result_action, 1u);
  const std::string main = actionText(1, R"(, "main_returnable": true)") + "," + actionText(2, "");
  const Loaded with_main =
      loadText(resourceText(main, R"("combine_returned_results_from": [1, 2],)"));
  EXPECT_EQ(with_main.project->resources()[0].result_action, 0u);
  EXPECT_FALSE(with_main.project->resources()[0].combine.has_value());
  const Loaded combined =
      loadText(resourceText(plain, R"("combine_returned_results_from": [2, 1],)"));
  const std::vector<std::size_t> expected{1, 0};
  EXPECT_EQ(combined.project->resources()[0].combine, expected);
  EXPECT_EQ(loadText(resourceText(actionText(1, R"(,"no_op":true)")))
                .project->resources()[0]
                .result_action,
            std::nullopt);
}

// spec S-25, S-22
TEST(Project, TheSwitchesOfActionsAndResourcesAreRead) {
  const Loaded loaded = loadText(
      resourceText(actionText(1, R"(, "must_return_value": true, "bypass_payload_validation": true,
          "returnables": ["a"], "payload_validation": [{"field": {"id": {"type": "NUMBER"}}}])"),
                   R"("maintenance": true, "transaction": true,)"));
  EXPECT_EQ(loaded.problems.toText(), "");
  const Resource& resource = loaded.project->resources()[0];
  EXPECT_TRUE(resource.maintenance);
  EXPECT_TRUE(resource.transaction);
  EXPECT_TRUE(resource.id_is_number);
  const Actionable& one = resource.actionables[0];
  EXPECT_TRUE(one.must_return_value);
  EXPECT_TRUE(one.result_is_read);
  EXPECT_FALSE(one.validatesFirst());
  EXPECT_EQ(one.returnables, std::vector<std::string>{"a"});
}

// spec S-10
TEST(Project, OnlyActionsThatAreNotNoOpValidateBeforeTheCallRuns) {
  const std::string rule = R"(, "payload_validation": [{"field": {"a": {"type": "STRING"}}}])";
  const Loaded loaded = loadText(
      resourceText(actionText(1, rule) + "," + actionText(2, rule + R"(, "no_op": true)")));
  EXPECT_TRUE(loaded.project->resources()[0].actionables[0].validatesFirst());
  EXPECT_FALSE(loaded.project->resources()[0].actionables[1].validatesFirst());
}

// spec S-70, S-72
TEST(Project, TokensAreCheckedWhereTheyStand) {
  const auto tokenize = [](const std::string& members) {
    return resourceText("", R"("tokenize": {)" + members + "},");
  };
  expectErrors({
      {"protected alone", resourceText("", R"("protected": {},)"), "S-72", "/protected"},
      {"no key", tokenize(""), "S-70", "/tokenize"},
      {"an empty key", tokenize(R"("encryption_key": "")"), "S-70", "/tokenize/encryption_key"},
      {"a key from the caller", tokenize(R"("encryption_key": "$PAYLOAD.key")"), "S-70",
       "/tokenize/encryption_key"},
      {"RS512", tokenize(R"("encryption_key": "k", "algorithm": "RS512")"), "S-70",
       "/tokenize/algorithm"},
      {"no key of RS256", tokenize(R"("encryption_key": "", "algorithm": "RS256")"), "S-70",
       "/tokenize/encryption_key"},
      {"a key of ES256 from the caller",
       tokenize(R"("encryption_key": "$PAYLOAD.key", "algorithm": "ES256")"), "S-70",
       "/tokenize/encryption_key"},
      {"another type", tokenize(R"("encryption_key": "k", "type": "BRANCA")"), "S-70",
       "/tokenize/type"},
      {"PASETO with an algorithm of JWT",
       tokenize(R"("encryption_key": "k", "type": "PASETO", "algorithm": "HS256")"), "S-70",
       "/tokenize/algorithm"},
      {"none", tokenize(R"("encryption_key": "k", "algorithm": "none")"), "S-70",
       "/tokenize/algorithm"},
      {"no time", tokenize(R"("encryption_key": "k", "expiration": 0)"), "S-70",
       "/tokenize/expiration"},
      {"for ever", tokenize(R"("encryption_key": "k", "expiration": 9223372036854775807)"), "S-70",
       "/tokenize/expiration"},
      {"no header", resourceText("", R"("protected": {"provide_as": ""},)"), "S-72",
       "/protected/provide_as"},
  });
}

// Q-41
TEST(Project, APemKeyAsHmacSecretIsRefused) {
  const Loaded loaded = loadText(
      resourceText("", R"("tokenize": {"encryption_key": "-----BEGIN PUBLIC KEY-----\nMFkw\n"},)"));
  EXPECT_TRUE(loaded.hasError("Q-41", "/tokenize/encryption_key"));
  EXPECT_EQ(loaded.problems.toText().find("MFkw"), std::string::npos);
}

// spec S-70: what a key of PASETO holds is judged where the key is made, too
TEST(Project, PasetoIsV4Local) {
  const Loaded loaded =
      loadText(resourceText("", R"("tokenize": {"type": "PASETO", "encryption_key": "short"},)"));
  EXPECT_EQ(loaded.problems.toText(), "");
  EXPECT_EQ(loaded.project->resources()[0].tokenize->algorithm, TokenAlgorithm::kV4Local);
  EXPECT_EQ(loaded.project->resources()[0].tokenize->encryption_key, "short");
}

// spec S-70: what a PEM key holds is judged where the key is made
TEST(Project, AKeyOfRs256AndEs256IsKeptAsItStands) {
  const std::string pem = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n";
  for (const auto& [name, algorithm] :
       {std::pair{"RS256", TokenAlgorithm::kRs256}, std::pair{"ES256", TokenAlgorithm::kEs256}}) {
    const Loaded loaded = loadText(resourceText(
        "", R"("tokenize": {"algorithm": ")" + std::string(name) + R"(", "encryption_key": )" +
                R"("-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"},)"));
    EXPECT_EQ(loaded.problems.toText(), "");
    EXPECT_EQ(loaded.project->resources()[0].tokenize->algorithm, algorithm);
    EXPECT_EQ(loaded.project->resources()[0].tokenize->encryption_key, pem);
  }
}

// Q-45
TEST(Project, AKeyShorterThanItsHashWarnsAndIsRefusedStrictly) {
  const std::string text =
      resourceText("", R"("tokenize": {"encryption_key": "0123456789abcdef0123456789abcdef"},)");
  EXPECT_EQ(loadText(text).problems.toText(), "");
  const std::string longer = resourceText("", R"("tokenize": {"algorithm": "HS512",
      "encryption_key": "0123456789abcdef0123456789abcdef"},)");
  EXPECT_TRUE(loadText(longer).hasWarning("Q-45", "/tokenize/encryption_key"));
  LoadOptions strict = usualOptions();
  strict.strict = true;
  EXPECT_TRUE(loadText(longer, strict).hasError("Q-45", "/tokenize/encryption_key"));
}

// spec S-71
TEST(Project, ATokenIsIssuedWithoutProtectionOrWhereClaimsOrAPropertyAreNamed) {
  const auto issues = [](const std::string& members, bool is_protected) {
    const std::string text = R"("tokenize": {"encryption_key": "k")" + members + "},";
    const Loaded loaded =
        loadText(resourceText("", text + (is_protected ? R"("protected": {},)" : "")));
    return loaded.project->resources()[0].issuesToken();
  };
  EXPECT_TRUE(issues("", false));
  EXPECT_FALSE(issues("", true));
  EXPECT_TRUE(issues(R"(, "custom_claim_fields": ["id"])", true));
  EXPECT_TRUE(issues(R"(, "property_name": "token")", true));
}

// spec S-113
TEST(Project, ADeclaredPayloadIdWarnsWhereSocketsAreOn) {
  const std::string text = resourceText(
      actionText(1, R"(, "payload_validation": [{"field": {"id": {"type": "STRING"}}}])"));
  const std::string pointer = "/actionables/0/payload_validation/0/field/id";
  EXPECT_FALSE(loadText(text).hasWarning("S-113", pointer));
  LoadOptions options = usualOptions();
  options.sockets = true;
  EXPECT_TRUE(loadText(text, options).hasWarning("S-113", pointer));
}

// spec S-63
TEST(Project, NamesOfGeneratorsAreKnownToThisAndLaterActionsOnly) {
  const std::string make = R"(, "returnables": ["x"], "depends_on": [])";
  const Loaded loaded = loadText(resourceText(actionText(1, "") + R"(, {"id": 2, "mode": "VALUE",
        "value": {"key": {"generate": "UUID", "for": "order_id"}}}, )" +
                                              actionText(3, make)));
  const auto& actions = loaded.project->resources()[0].actionables;
  EXPECT_TRUE(actions[0].names.generated.empty());
  EXPECT_EQ(actions[1].names.generated, std::vector<std::string>{"order_id"});
  EXPECT_EQ(actions[2].names.generated, std::vector<std::string>{"order_id"});
}

// spec S-62, S-63: what a literal parameter holds is no generator; within a template it is one
TEST(Project, GeneratorsWithinLiteralParametersMakeNoNames) {
  const Loaded loaded = loadText(resourceText(R"({"id": 1, "mode": "QUERY", "sql_query":
      {"query": "q", "parameters": [{"literal": {"generate": "UUID", "for": "not_made"}},
        {"generate": "UUID", "for": "made"}, {"in": [{"generate": "UUID", "for": "inside"}]}]}},
      {"id": 2, "mode": "VALUE", "value": {"literal": {"generate": "UUID", "for": "member"}}})"));
  const auto& actions = loaded.project->resources()[0].actionables;
  const std::vector<std::string> first{"made", "inside"};
  const std::vector<std::string> second{"made", "inside", "member"};
  EXPECT_EQ(actions[0].names.generated, first);
  EXPECT_EQ(actions[1].names.generated, second);
}

}  // namespace
}  // namespace sub0::dialect
