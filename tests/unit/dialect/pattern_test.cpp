// SPDX-License-Identifier: Apache-2.0
#include "dialect/pattern.hpp"

#include <gtest/gtest.h>

namespace sub0::dialect {
namespace {

bool isIn(const std::string& pattern, const std::string& text) {
  std::string problem;
  const auto compiled = Pattern::compile(pattern, problem);
  if (compiled == nullptr) ADD_FAILURE() << pattern << ": " << problem;
  return compiled != nullptr && compiled->isIn(text);
}

std::string problemOf(const std::string& pattern) {
  std::string problem;
  EXPECT_EQ(Pattern::compile(pattern, problem), nullptr) << pattern;
  return problem;
}

// spec S-80
TEST(Pattern, IsSearchedForAndAnchorsCountAsWritten) {
  EXPECT_TRUE(isIn("b", "abc"));
  EXPECT_FALSE(isIn("^b", "abc"));
  EXPECT_FALSE(isIn("b$", "abc"));
  EXPECT_TRUE(isIn("^abc$", "abc"));
  EXPECT_FALSE(isIn("^abc$", "abc\n")) << "$ is the end of the text, not of a line";
  EXPECT_FALSE(isIn("^b", "a\nb"));
  EXPECT_TRUE(isIn("(?m)^b", "a\nb"));
  EXPECT_FALSE(isIn("B", "abc"));
  EXPECT_TRUE(isIn("(?i)B", "abc"));
}

// spec S-80
TEST(Pattern, CountsCharactersAndKnowsTheirClasses) {
  EXPECT_TRUE(isIn("^.{2}$", "\xC3\xA9\xF0\x9F\x98\x80"));
  EXPECT_TRUE(isIn("^\\p{L}+$",
                   "\xC3\xA9"
                   "a"));
  EXPECT_FALSE(isIn("^\\p{L}+$", "a1"));
  EXPECT_TRUE(isIn("^\\d{3}-\\w+$", "123-ab_1"));
  EXPECT_FALSE(isIn("^a.c$", "a\nc"));
  EXPECT_TRUE(isIn("^a.c$", std::string("a\0c", 3)));
}

// spec S-80
TEST(Pattern, WhatIsNoneOrCannotBeRunInLinearTimeIsRefusedWithItsReason) {
  EXPECT_NE(problemOf("(a"), "");
  EXPECT_NE(problemOf("[z-a]"), "");
  EXPECT_NE(problemOf("*"), "");
  EXPECT_NE(problemOf("(?=a)"), "");
  EXPECT_NE(problemOf("(a)\\1"), "");
  EXPECT_NE(problemOf("a{2000}"), "");
}

// spec S-80: every step may cost something at every byte of a hostile text
TEST(Pattern, ItsSizeIsBounded) {
  std::string problem;
  EXPECT_NE(Pattern::compile("^[a-z]{900}", problem), nullptr) << problem;
  EXPECT_NE(problemOf("^[a-z]{900}[a-z]{900}[a-z]{900}").find("too large"), std::string::npos);
  EXPECT_NE(problemOf("((a{100}){100}){100}"), "");
  EXPECT_NE(Pattern::compile(std::string(1000, 'a'), problem), nullptr) << problem;
  EXPECT_NE(problemOf(std::string(1001, 'a')), "");
}

}  // namespace
}  // namespace sub0::dialect
