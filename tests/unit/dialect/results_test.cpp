// SPDX-License-Identifier: Apache-2.0
#include "dialect/results.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

// spec S-85, S-87, S-31
TEST(ExtractPath, ReadsRowsAsTheyCome) {
  struct Row {
    const char* path;
    const char* result;
    const char* expected;
  };
  const Row rows[] = {
      {"id", R"({"id":5})", "5"},
      {"id", R"([{"id":1},{"id":2}])", "1"},
      {"0.id", R"({"id":5})", "5"},
      {"0.id", R"([{"id":1},{"id":2}])", "1"},
      {"1.id", R"([{"id":1},{"id":2}])", "2"},
      {"1.id", R"({"id":5})", "null"},
      {"2.id", R"([{"id":1},{"id":2}])", "null"},
      {"0", R"({"id":5})", R"({"id":5})"},
      {"0", R"({"0":"named"})", R"("named")"},
      {"a.b.1", R"({"a":{"b":[7,8]}})", "8"},
      {"a.b.x", R"({"a":{"b":[7,8]}})", "null"},
      {"none", R"({"id":5})", "null"},
      {"id", R"({"id":null})", "null"},
      {"id.deeper", R"({"id":5})", "null"},
      {"self_", R"([{"id":1},{"id":2}])", R"([{"id":1},{"id":2}])"},
      {"self_", R"({"id":5})", R"({"id":5})"},
      {"id", "\"text\"", "null"},
      {"id", "[]", "null"},
      {"id", "null", "null"},
      {"id", R"({"id":"007"})", R"("007")"},
      {"id", R"({"id":9223372036854775807})", "9223372036854775807"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(json::toString(ExtractPath(row.path).read(valueOf(row.result))), row.expected)
        << row.path << " of " << row.result;
  }
}

// spec S-87
TEST(Extract, NoRowAtAllIsToldFromANullInARow) {
  Dependency dependency;
  dependency.actions = {1};
  dependency.extractions = {{ExtractPath("id"), "user_id"}};
  NamedValue out[1];
  json::Value results[] = {json::null(), valueOf(R"({"id":null})")};
  EXPECT_TRUE(extract(dependency, results, out));
  EXPECT_EQ(out[0].name, "user_id");
  EXPECT_TRUE(json::isNull(out[0].value));
  results[1] = json::null();
  EXPECT_FALSE(extract(dependency, results, out));
  results[1] = valueOf("[]");
  EXPECT_FALSE(extract(dependency, results, out));
  dependency.extractions.clear();
  EXPECT_TRUE(extract(dependency, results, out));
}

// spec S-85
TEST(Extract, WithSeveralActionsTheFirstThatHasTheValueServes) {
  Dependency dependency;
  dependency.actions = {0, 1};
  dependency.extractions = {{ExtractPath("b"), "x"}};
  const json::Value results[] = {valueOf(R"({"a":1})"), valueOf(R"({"b":2})")};
  NamedValue out[1];
  EXPECT_TRUE(extract(dependency, results, out));
  EXPECT_EQ(json::toString(out[0].value), "2");
}

// spec S-23
TEST(Returnables, KeepTheNamedMembersOfAnObjectOrOfEachRow) {
  Arena arena;
  const auto keep = [&](const char* result, std::string_view also = {}) {
    return json::toString(keepMembers(valueOf(result), {"c", "a"}, arena, also));
  };
  EXPECT_EQ(keep(R"({"a":1,"b":2,"c":3})"), R"({"a":1,"c":3})");
  EXPECT_EQ(keep(R"([{"a":1,"b":2},{"b":2},5])"), R"([{"a":1},{},5])");
  EXPECT_EQ(keep("null"), "null");
  EXPECT_EQ(keep("\"text\""), "\"text\"");
  EXPECT_EQ(keep(R"({"a":1,"token":"t","b":2})", "token"), R"({"a":1,"token":"t"})");
}

// spec S-23
TEST(Combine, MergesObjectsInOrderOrConcatenatesRows) {
  struct Row {
    std::vector<const char*> results;
    const char* expected;
  };
  const Row rows[] = {
      {{R"({"a":1,"b":1})", R"({"b":2,"c":3})"}, R"({"a":1,"b":2,"c":3})"},
      {{R"({"a":1})", R"([{"b":2},{"c":3}])"}, R"([{"a":1},{"b":2},{"c":3}])"},
      {{R"([{"a":1}])", "null", R"({"b":2})"}, R"([{"a":1},{"b":2}])"},
      {{R"({"a":1})", "null"}, R"({"a":1})"},
      {{"null", "null"}, "null"},
      {{"[]", "null"}, "[]"},
      {{}, "null"},
  };
  for (const Row& row : rows) {
    Arena arena;
    std::vector<json::Value> results;
    for (const char* const text : row.results) results.push_back(valueOf(text));
    EXPECT_EQ(json::toString(combine(results.data(), results.size(), arena)), row.expected);
  }
}

// Q-73: clients can make results large
TEST(Combine, MergesLargeObjects) {
  Arena arena;
  std::string one = "{", two = "{";
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = (i == 0 ? "\"k" : ",\"k") + std::to_string(i);
    one += key + "\":1";
    two += key + (i % 2 == 0 ? "\":2" : "x\":2");
  }
  const json::Value results[] = {valueOf(one + "}"), valueOf(two + "}")};
  const json::Value merged = combine(results, 2, arena);
  ASSERT_EQ(merged.count, 30'000u);
  EXPECT_EQ(json::toText(merged.as.members[2].key), "k2");
  EXPECT_EQ(merged.as.members[2].value.as.i, 2);
  EXPECT_EQ(merged.as.members[3].value.as.i, 1);
  EXPECT_EQ(json::toText(merged.as.members[29'999].key), "k19999x");
}

// spec S-95
TEST(DropMembers, OfAnObjectAndOfEachRow) {
  Arena arena;
  const struct {
    const char* result;
    const char* expected;
  } rows[] = {
      {R"({"id":1,"password":"h","pin":"p"})", R"({"id":1})"},
      {R"([{"password":"h"},{"id":2},7,null])", R"([{},{"id":2},7,null])"},
      {R"({"Password":"h","in":{"password":"h"}})", R"({"Password":"h","in":{"password":"h"}})"},
      {"null", "null"},
      {"\"password\"", "\"password\""},
      {"[]", "[]"},
  };
  for (const auto& row : rows) {
    const json::Value dropped = dropMembers(valueOf(row.result), {"password", "pin"}, arena);
    EXPECT_EQ(json::toString(dropped), row.expected);
  }
}

}  // namespace
}  // namespace sub0::dialect
