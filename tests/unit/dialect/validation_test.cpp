// SPDX-License-Identifier: Apache-2.0
#include "dialect/validation.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

using Failures = std::vector<std::string>;

Validation compile(const std::string& json, Problems& problems) {
  const SourceFile file("a.json", json);
  return Validation::compile(file.document().root(), "", file, problems);
}

Failures failuresOf(const std::string& rules, const std::string& payload,
                    bool is_from_query = false) {
  Problems problems;
  const Validation validation = compile(rules, problems);
  EXPECT_TRUE(problems.empty()) << problems.toText();
  Failures failures;
  const std::string_view names[] = {"a"};
  const bool passes = validation.validate(
      valueOf(payload), {names, is_from_query ? std::size_t{1} : std::size_t{0}}, failures);
  EXPECT_EQ(passes, failures.empty());
  return failures;
}

const char* const kSignUp = R"([
  {"field": {"email": {"type": "EMAIL"}}},
  {"field": {"name": {"type": "STRING"}}, "min_length": 2, "max_length": 4},
  {"field": {"age": {"type": "NUMBER"}, "size": {"type": "NUMBER"}}}])";

// spec S-80, S-81
TEST(Validation, AllFailuresAreReportedAtOnceOnePerField) {
  EXPECT_EQ(failuresOf(kSignUp, R"({"email":"x","name":"a","age":"5"})"),
            (Failures{"email is not a valid email", "name must have at least 2 characters",
                      "age must be a number", "size is required"}));
  EXPECT_EQ(failuresOf(kSignUp, R"({"email":"a@b.co","name":"abcd","age":5,"size":0.5,"x":1})"),
            Failures());
}

// spec S-81
TEST(Validation, DeclaredFieldsMustBePresentAndNotNullAndAnEmptyTextIsPresent) {
  const char* const rule = R"([{"field": {"a": {"type": "STRING"}}}])";
  EXPECT_EQ(failuresOf(rule, "{}"), Failures{"a is required"});
  EXPECT_EQ(failuresOf(rule, R"({"a":null})"), Failures{"a is required"});
  EXPECT_EQ(failuresOf(rule, "[]"), Failures{"a is required"});
  EXPECT_EQ(failuresOf(rule, R"({"a":""})"), Failures());
  EXPECT_EQ(failuresOf(rule, R"({"a":1})"), Failures{"a must be a string"});
  EXPECT_EQ(failuresOf(rule, R"({"a":{}})"), Failures{"a must be a string"});
}

// spec S-81
TEST(Validation, LengthsCountCodePoints) {
  const char* const rule =
      R"([{"field": {"a": {"type": "STRING"}}, "min_length": 3, "max_length": 3}])";
  EXPECT_EQ(failuresOf(rule, "{\"a\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"}"), Failures());
  EXPECT_EQ(failuresOf(rule, "{\"a\":\"\xC3\xA9\xC3\xA9\"}"),
            Failures{"a must have at least 3 characters"});
  EXPECT_EQ(failuresOf(rule, R"({"a":"abcd"})"), Failures{"a must have at most 3 characters"});
  EXPECT_EQ(failuresOf(rule, R"({"a":""})"), Failures{"a must have at least 3 characters"});
}

// spec S-81
TEST(Validation, ATextIsANumberOnlyWhereTextsMayBe) {
  const char* const rule = R"([{"field": {"a": {"type": "NUMBER"}}}])";
  for (const char* const text : {"5", "-0.5", "1e3", "18446744073709551615"}) {
    const std::string quoted = R"({"a":")" + std::string(text) + R"("})";
    EXPECT_EQ(failuresOf(rule, quoted), Failures{"a must be a number"}) << text;
    EXPECT_EQ(failuresOf(rule, quoted, true), Failures()) << text;
  }
  for (const char* const text : {"", " 5", "5 ", "05", "+5", ".5", "5.", "1e", "0x1", "NaN", "-"}) {
    EXPECT_EQ(failuresOf(rule, R"({"a":")" + std::string(text) + R"("})", true),
              Failures{"a must be a number"})
        << text;
  }
  EXPECT_EQ(failuresOf(rule, R"({"a":true})", true), Failures{"a must be a number"});
}

// spec S-81
TEST(Validation, AnEmailHasOneAtAndADottedDomain) {
  for (const char* const good : {"a@b.co", "first.last+tag@mail.example.com", "x@test.com",
                                 "x@localhost.org", "\xC3\xA9@b.co", "x@b-c.de"}) {
    EXPECT_TRUE(isEmail(good)) << good;
  }
  for (const char* const bad : {"", "a", "@b.co", "a@", "a@b", "a@@b.co", "a@b@c.co", "a@b..co",
                                "a@.co", "a@b.", "a b@c.co", "a@b c.co", "a@x.test", "a@x.TEST",
                                "a@x.localhost", "a@-b.co", "a@b_c.co", "a\n@b.co"}) {
    EXPECT_FALSE(isEmail(bad)) << bad;
  }
}

// spec S-80
TEST(Validation, WhatCannotHoldIsReportedAtLoad) {
  Problems problems;
  (void)compile(R"([{"field": {"a": {"type": "STRING"}}, "min_length": 3, "max_length": 2}])",
                problems);
  (void)compile(R"([{"field": {"a": {"type": "STRING"}}}, {"field": {"a": {"type": "EMAIL"}}}])",
                problems);
  EXPECT_EQ(problems.errorCount(), 2u) << problems.toText();
  (void)compile(R"([{"field": {"a": {"type": "NUMBER"}}, "min_length": 3}])", problems);
  EXPECT_EQ(problems.warningCount(), 1u);
  EXPECT_EQ(problems.all()[1].place.pointer, "/1/field/a");
}

}  // namespace
}  // namespace sub0::dialect
