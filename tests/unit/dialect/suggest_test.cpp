// SPDX-License-Identifier: Apache-2.0
#include "dialect/suggest.hpp"

#include <gtest/gtest.h>

#include "dialect/keys.hpp"

namespace sub0::dialect {
namespace {

struct Typo {
  const char* word;
  const char* meant;  // "": nothing is near
};

std::vector<std::string_view> namesOf(const ObjectDeclaration& object) {
  std::vector<std::string_view> names;
  for (const KeyDeclaration& key : object) names.push_back(key.name);
  return names;
}

void expectSuggestions(const ObjectDeclaration& object, const std::vector<Typo>& typos) {
  for (const Typo& typo : typos) EXPECT_EQ(suggest(typo.word, namesOf(object)), typo.meant);
}

const ObjectDeclaration& named(std::string_view name) {
  for (const ObjectDeclaration* object : allDeclarations()) {
    if (object->name == name) return *object;
  }
  return resourceDeclaration();
}

// spec S-2: typos of keys as people make them
TEST(Suggest, KeysOfActionablesAreFoundThroughUsualTypos) {
  expectSuggestions(actionableDeclaration(),
                    {
                        {"dependsOn", "depends_on"},  // the customs of other languages
                        {"DependsOn", "depends_on"},
                        {"depends-on", "depends_on"},
                        {"DEPENDS_ON", "depends_on"},
                        {"dependson", "depends_on"},
                        {"dpeends_on", "depends_on"},   // swapped
                        {"depennds_on", "depends_on"},  // doubled
                        {"depend_on", "depends_on"},
                        {"noOp", "no_op"},
                        {"no_opp", "no_op"},
                        {"on_op", "no_op"},
                        {"returnable", "returnables"},  // singular and plural
                        {"returnabels", "returnables"},
                        {"retrunables", "returnables"},
                        {"mainReturnable", "main_returnable"},
                        {"main_returnables", "main_returnable"},
                        {"payloadValidation", "payload_validation"},
                        {"payload_validations", "payload_validation"},
                        {"paylaod_validation", "payload_validation"},
                        {"validation", ""},  // two keys end so
                        {"sqlQuery", "sql_query"},
                        {"sqlquery", "sql_query"},
                        {"slq_query", "sql_query"},
                        {"sql", "sql_query"},
                        {"mustReturnValue", "must_return_value"},
                        {"must_return_vaule", "must_return_value"},
                        {"broadcast_message", "broadcast"},
                        {"boradcast", "broadcast"},
                        {"modes", "mode"},
                        {"mod", "mode"},
                        {"vlaue", "value"},
                        {"values", "value"},
                        {"hashable", "hashables"},
                        {"cronJob", "cron_job"},
                        {"softDelete", "soft_delete"},
                        {"withTimestamp", "with_timestamps"},
                        {"comment", ""},
                        {"x", ""},
                        {"", ""},
                        {"_", ""},
                    });
}

// spec S-2
TEST(Suggest, KeysOfOtherObjectsAreFoundTheSameWay) {
  expectSuggestions(resourceDeclaration(),
                    {{"actionable", "actionables"},
                     {"actions", "actionables"},
                     {"actoinables", "actionables"},
                     {"Resource", "resource"},
                     {"resources", "resource"},
                     {"tokenise", "tokenize"},
                     {"protect", "protected"},
                     {"combineReturnedResultsFrom", "combine_returned_results_from"},
                     {"rateLimit", "rate_limit"},
                     {"webhooks", "webhook"}});
  expectSuggestions(named("tokenize"), {{"encryptionKey", "encryption_key"},
                                        {"key", "encryption_key"},
                                        {"algoritm", "algorithm"},
                                        {"expires", ""},
                                        {"expiraton", "expiration"},
                                        {"claims", ""},
                                        {"customClaimFields", "custom_claim_fields"}});
  expectSuggestions(named("sql_query"), {{"params", "parameters"},
                                         {"parameter", "parameters"},
                                         {"paramters", "parameters"},
                                         {"qeury", "query"},
                                         {"Query", "query"},
                                         {"sql", ""}});
  expectSuggestions(named("element of depends_on"), {{"resource", "resource_id"},
                                                     {"resourceId", "resource_id"},
                                                     {"actionIds", "action_ids"},
                                                     {"action_id", "action_ids"},
                                                     {"extract_response", "extract_response_for"}});
  expectSuggestions(named("element of payload_validation"), {{"minLength", "min_length"},
                                                             {"min_lenght", "min_length"},
                                                             {"fields", "field"},
                                                             {"length", ""}});
}

// spec S-2
TEST(Suggest, AnExactNameInAnotherCaseComesBeforeAnotherThatIsOneLetterAway) {
  EXPECT_EQ(suggest("userid", {"userif", "user_id"}), "user_id");
  EXPECT_EQ(suggest("UUDI", {"UUID", "UUIDV7", "ULID"}), "UUID");
  EXPECT_EQ(suggest("PAYLAOD", {"ENV", "PAYLOAD", "PROTECTED"}), "PAYLOAD");
}

}  // namespace
}  // namespace sub0::dialect
