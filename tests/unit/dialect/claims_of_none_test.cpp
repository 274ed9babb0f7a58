// SPDX-License-Identifier: Apache-2.0
#include "dialect/claims_of_none.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

// spec S-63
TEST(ClaimsOfNone, AreThoseThatNoTokenOfTheKeyHas) {
  const auto unknown = [](const std::string& others) {
    const Loaded loaded = loadText(R"([{"id": "r", "resource": "r",
        "tokenize": {"encryption_key": "0123456789abcdef0123456789abcdef"},
        "protected": {"extract_claims": ["id", "role", "exp"]},
        "actionables": [{"id": 1, "mode": "VALUE", "value": 1}]})" +
                                   others + "]");
    const auto& resources = loaded.project->resources();
    return claimsOfNone(resources[0], resources);
  };
  const auto other = [](const std::string& tokenize, const std::string& more = "") {
    return R"(, {"id": "s", "resource": "s", "tokenize": {)" + tokenize + "}" + more +
           R"(, "actionables": [{"id": 1, "mode": "VALUE", "value": 1}]})";
  };
  const std::string key = R"("encryption_key": "0123456789abcdef0123456789abcdef")";
  using Names = std::vector<std::string>;
  EXPECT_EQ(unknown(""), Names{});  // tokens come from elsewhere
  EXPECT_EQ(unknown(other(key, R"(, "protected": {})")), Names{});
  EXPECT_EQ(unknown(other(R"("encryption_key": "another key of thirty-two bytes.")")), Names{});
  EXPECT_EQ(unknown(other(key)), Names{"role"});
  EXPECT_EQ(unknown(other(key + R"(, "custom_claim_fields": ["role"])")), Names{"id"});
  EXPECT_EQ(unknown(other(key + R"(, "custom_claim_fields": ["id", "role"])")), Names{});
}

}  // namespace
}  // namespace sub0::dialect
