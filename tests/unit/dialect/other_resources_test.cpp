// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dialect/parameter.hpp"
#include "dialect/project.hpp"
#include "tests/unit/dialect/memory_files.hpp"

// Dependencies on actions of other resources, and what else bounds or empties them.
namespace sub0::dialect {
namespace {

std::string dependsOnOf(const std::string& resource, const std::string& ids) {
  return R"(, "depends_on": [{"resource_id": ")" + resource + R"(", "action_ids": )" + ids + "}]";
}

// spec S-86: with what they need themselves, each once, behind the resource's own
TEST(OtherResources, ActionsOfOtherResourcesAreTakenInWithTheirHome) {
  const Loaded loaded = loadText(
      R"([{"id": "r", "resource": "r", "actionables": [)" +
      actionText(1, dependsOnOf("s", "[1, 2]")) + "," + actionText(2, dependsOnOf("s", "[2]")) +
      R"(]}, {"id": "s", "resource": "s/s", "returnables": ["a"], "actionables": [)" +
      actionText(1, dependsOnOf("self", "[3]") + R"(, "main_returnable": true)") + "," +
      actionText(2, dependsOnOf("t", "[1]")) + "," + actionText(3, "") +
      R"(]}, {"id": "t", "resource": "t", "actionables": [)" +
      actionText(1, dependsOnOf("r", "[3]")) + "]}]");
  // The last is what no resource has: nothing else is wrong, and it is said once.
  ASSERT_EQ(loaded.problems.errorCount(), 1u) << loaded.problems.toText();
  EXPECT_EQ(loaded.problems.all()[0].place.pointer, "/2/actionables/0/depends_on/0/action_ids/0");
  const Resource& resource = loaded.project->resources()[0];
  const Resource& other = loaded.project->resources()[1];
  ASSERT_EQ(resource.actionables.size(), 6u);
  EXPECT_EQ(resource.result_action, 1u);
  EXPECT_EQ(resource.actionables[0].depends_on[0].actions, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(resource.actionables[1].depends_on[0].actions, std::vector<std::size_t>{3});
  EXPECT_EQ(resource.actionables[2].depends_on[0].actions, std::vector<std::size_t>{4});
  EXPECT_EQ(resource.actionables[3].depends_on[0].actions, std::vector<std::size_t>{5});
  EXPECT_EQ(resource.actionables[0].home, nullptr);
  EXPECT_EQ(resource.actionables[2].home, &other);
  EXPECT_TRUE(resource.actionables[2].no_op);
  EXPECT_FALSE(resource.actionables[2].main_returnable);
  EXPECT_TRUE(resource.actionables[2].result_is_read);  // by the returnables of its home
  EXPECT_EQ(other.actionables.size(), 4u);
  EXPECT_FALSE(other.actionables[0].no_op);
}

// spec S-21, S-86: a helper that only another resource needs does run
TEST(OtherResources, AHelperThatAnotherResourceNeedsIsNotIdle) {
  const Loaded loaded =
      loadText(R"([{"id": "h", "resource": "h", "actionables": [)" +
               actionText(7, R"(, "no_op": true)") + "," + actionText(8, R"(, "no_op": true)") +
               R"(]}, {"id": "r", "resource": "r", "actionables": [)" +
               actionText(1, dependsOnOf("h", "[7]")) + "]}]");
  EXPECT_EQ(loaded.find("S-21", "/0/actionables/0/no_op"), nullptr) << loaded.problems.toText();
  EXPECT_TRUE(loaded.hasWarning("S-21", "/0/actionables/1/no_op")) << loaded.problems.toText();
}

// spec S-24, S-86: said in each resource that has a part in it
TEST(OtherResources, ACircleMayLeadThroughOtherResources) {
  const Loaded loaded = loadText(R"([{"id": "r", "resource": "r", "actionables": [)" +
                                 actionText(1, dependsOnOf("s", "[7]")) +
                                 R"(]}, {"id": "s", "resource": "s", "actionables": [)" +
                                 actionText(7, dependsOnOf("r", "[1]")) + "]}]");
  ASSERT_EQ(loaded.problems.errorCount(), 2u) << loaded.problems.toText();
  EXPECT_EQ(loaded.problems.all()[1].message, "circular dependency: r/1 -> s/7 -> r/1");
  EXPECT_EQ(loaded.problems.all()[1].place.pointer, "/1/actionables/0/depends_on/0/action_ids/0");
  EXPECT_EQ(loaded.problems.all()[0].message, "circular dependency: s/7 -> r/1 -> s/7");
}

// A bare word that is a claim at home must not become the client's word here.
TEST(OtherResources, AClaimOfTheHomeIsNoWordOfTheClient) {
  const auto project = [](const std::string& protection) {
    const std::string tokenize =
        R"("tokenize": {"type": "JWT", "encryption_key": "k23456789012345678901234567890123"}, )";
    return R"([{"id": "r", "resource": "r", )" + (protection.empty() ? "" : tokenize + protection) +
           R"("actionables": [)" + actionText(1, dependsOnOf("s", "[1]")) +
           R"(]}, {"id": "s", "resource": "s", )" + tokenize +
           R"("protected": {"extract_claims": ["id"]}, "actionables": [{"id": 1, "mode": "VALUE",
              "value": "x"}]}])";
  };
  const auto judged = [&](const std::string& protection) {
    const Loaded loaded = loadText(project(protection));
    EXPECT_EQ(loaded.problems.errorCount(), 0u) << loaded.problems.toText();
    const Actionable& taken = loaded.project->resources()[0].actionables[1];
    Problems problems;
    const json::Value word = json::text("id");
    (void)Parameter::compile(word, taken.pointer + "/value",
                             loaded.project->contextOf(taken, problems));
    return problems.errorCount();
  };
  EXPECT_EQ(judged(""), 1u);
  EXPECT_EQ(judged(R"("protected": {"extract_claims": ["role"]}, )"), 1u);
  EXPECT_EQ(judged(R"("protected": {"extract_claims": ["role", "id"]}, )"), 0u);
}

// spec S-113: the declaration of an action that is taken asks for a number, too
TEST(OtherResources, AnIdThatATakenActionDeclaresIsANumber) {
  const Loaded loaded = loadText(
      R"([{"id": "r", "resource": "r", "actionables": [)" + actionText(1, dependsOnOf("s", "[1]")) +
      R"(]}, {"id": "s", "resource": "s", "actionables": [)" +
      actionText(1, R"(, "payload_validation": [{"field": {"id": {"type": "NUMBER"}}}])") + "]}]");
  EXPECT_TRUE(loaded.project->resources()[0].id_is_number);
}

// Hostile files: neither the stack nor the time of a check grows without bound.
TEST(OtherResources, ChainsAndActionsOfOthersAreBounded) {
  std::string chain, resources;
  for (int i = 1; i <= 3000; ++i) {
    chain += (i == 1 ? "" : ",") +
             actionText(i, i == 3000 ? "" : dependsOn("[" + std::to_string(i + 1) + "]"));
  }
  EXPECT_TRUE(loadText(resourceText(chain)).hasError("S-24", "/actionables"));
  for (int i = 1; i <= 400; ++i) {
    const std::string name = "r" + std::to_string(i);
    resources += (i == 1 ? "[" : ",") + (R"({"id": ")" + name) + R"(", "resource": ")" + name +
                 R"(", "actionables": [)" +
                 actionText(1, i == 400 ? "" : dependsOnOf("r" + std::to_string(i + 1), "[1]")) +
                 "]}";
  }
  const Loaded loaded = loadText(resources + "]");
  EXPECT_TRUE(loaded.hasError("S-86", "/0/actionables"));
  EXPECT_FALSE(loaded.hasError("S-86", "/200/actionables"));
}

// spec S-91: nothing comes of a background action
TEST(OtherResources, WhoExtractsFromTheBackgroundIsTold) {
  const Loaded loaded = loadText(resourceText(
      actionText(1, R"(, "run_in_background": true)") + "," +
      actionText(2,
                 dependsOn("[1]", R"(, "extract_response_for": [{"extract": "a", "for": "x"}])"))));
  ASSERT_EQ(loaded.problems.warningCount(), 1u) << loaded.problems.toText();
  EXPECT_EQ(loaded.problems.all()[0].rule, "S-91");
}

// spec S-86, S-63: the claims are the caller's, the fields those of both
TEST(OtherResources, ActionsOfOtherResourcesKnowTheNamesOfBoth) {
  const auto declares = [](const std::string& field) {
    return R"(, "payload_validation": [{"field": {")" + field + R"(": {"type": "STRING"}}}])";
  };
  const Loaded loaded =
      loadText(R"([{"id": "r", "resource": "r", "actionables": [)" +
               actionText(1, dependsOnOf("s", "[1]") + declares("mine")) +
               R"(]}, {"id": "s", "resource": "s", "actionables": [)" +
               actionText(1, declares("its")) + "," + actionText(2, declares("beside")) + "]}]");
  EXPECT_EQ(loaded.problems.errorCount(), 0u) << loaded.problems.toText();
  const Resource& resource = loaded.project->resources()[0];
  ASSERT_EQ(resource.actionables.size(), 2u);
  EXPECT_EQ(resource.actionables[1].names.declared_payload,
            (std::vector<std::string>{"mine", "its", "beside"}));
  EXPECT_EQ(resource.actionables[0].names.declared_payload,
            (std::vector<std::string>{"mine", "its"}));
}

}  // namespace
}  // namespace sub0::dialect
