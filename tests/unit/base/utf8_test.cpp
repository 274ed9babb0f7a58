// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0 {
namespace {

TEST(Utf8Validator, ATextMayBeCutAnywhere) {
  const std::string text =
      "plain text that is long enough for blocks \xC3\xA9\xE2\x82\xAC"
      "\xF0\x9F\x98\x80 and more of it behind, also more than a block";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Validator validator;
    EXPECT_TRUE(validator.feed(std::string_view(text).substr(0, cut))) << cut;
    EXPECT_TRUE(validator.feed(std::string_view(text).substr(cut))) << cut;
    EXPECT_TRUE(validator.isComplete()) << cut;
  }
}

TEST(Utf8Validator, TheFirstBadByteIsRefusedAtOnce) {
  for (const char* bad : {"\xC0", "\xF5", "\xE0\x80", "\xED\xA0", "\xF0\x80", "\xF4\x90", "\x80",
                          "\xC3\x28", "\xE2\x82\x28"}) {
    Utf8Validator validator;
    const std::string text(bad);
    for (std::size_t index = 0; index + 1 < text.size(); ++index) {
      EXPECT_TRUE(validator.feed(text.substr(index, 1)));
    }
    EXPECT_FALSE(validator.feed(text.substr(text.size() - 1)));
  }
}

TEST(Utf8Validator, AnUnfinishedCodePointIsNotComplete) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.feed("\xF0\x9F\x98"));
  EXPECT_FALSE(validator.isComplete());
  validator.reset();
  EXPECT_TRUE(validator.isComplete());
  EXPECT_TRUE(validator.feed("a"));
}

}  // namespace
}  // namespace sub0
