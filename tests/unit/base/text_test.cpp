// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace sub0::text {
namespace {

TEST(Text, Utf8IsThatOfRfc3629) {
  for (const std::string good :
       {"", "plain", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(isUtf8(good)) << escapeControl(good);
    EXPECT_TRUE(isUtf8(std::string(40, 'a') + good)) << escapeControl(good);
  }
  EXPECT_TRUE(isUtf8(std::string(3, '\0')));
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, 'a');
    EXPECT_TRUE(isUtf8(text));
    for (char& byte : text) {
      byte = '\xC3';
      EXPECT_FALSE(isUtf8(text)) << size << ": " << &byte - text.data();
      byte = 'a';
    }
  }
  for (const std::string bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xE1\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xF1\x80\x80", "\xFE", "\xFF"}) {
    EXPECT_FALSE(isUtf8(bad)) << escapeControl(bad);
    EXPECT_FALSE(isUtf8(std::string(40, 'a') + bad)) << escapeControl(bad);
    EXPECT_FALSE(isUtf8("\xC3\xA9" + bad + "a")) << escapeControl(bad);
  }
}

TEST(Text, CodePointsAreCounted) {
  EXPECT_EQ(countCodePoints(""), 0u);
  EXPECT_EQ(countCodePoints("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), 4u);
}

TEST(Text, ABeginningCutsNoCharacter) {
  EXPECT_EQ(beginning("abc", 3), "abc");
  EXPECT_EQ(beginning("abcd", 3), "abc...");
  EXPECT_EQ(beginning("a\xE2\x82\xAC!", 3), "a...");
  EXPECT_EQ(beginning("a\xE2\x82\xAC!", 4), "a\xE2\x82\xAC...");
}

TEST(Text, ControlCharactersAndBadBytesAreEscaped) {
  EXPECT_EQ(escapeControl("a\r\nb\tc"), "a\\r\\nb\\tc");
  EXPECT_EQ(escapeControl(std::string("\x1b[31m\0\x7f", 7)), "\\x1b[31m\\x00\\x7f");
  EXPECT_EQ(escapeControl("\xC2\x9B"), "\\xc2\\x9b");  // a terminal takes it for an escape
  EXPECT_EQ(escapeControl("\xFF\xC3\xA9\xC3"), "\\xff\xC3\xA9\\xc3");
}

TEST(Text, JsonStringsAreAlwaysValid) {
  const auto quoted = [](std::string_view source) {
    std::string out;
    appendJsonString(out, source);
    return out;
  };
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("a\"b\\c\n\x1f"), "\"a\\\"b\\\\c\\u000a\\u001f\"");
  EXPECT_EQ(quoted("\xC3\xA9\xFF\xC3"), "\"\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(Text, PercentEncodingIsDecodedOnce) {
  EXPECT_EQ(percentDecode("a%20b+c", false), "a b+c");
  EXPECT_EQ(percentDecode("a%20b+c", true), "a b c");
  EXPECT_EQ(percentDecode("%2541%C3%a9", false), "%41\xC3\xA9");
  EXPECT_EQ(percentDecode("", false), "");
  EXPECT_EQ(percentDecode("%00", false), std::string(1, '\0'));
  for (const char* bad : {"%", "%4", "a%", "%4g", "%g4", "%%41", "% 41", "%-1"}) {
    EXPECT_EQ(percentDecode(bad, false), std::nullopt) << bad;
  }
}

TEST(Text, Base64IsThatOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {"\xFB\xFF\xFE", "+//+"}};
  for (const auto& [bytes, encoded] : cases) EXPECT_EQ(base64Encode(bytes), encoded);
  EXPECT_EQ(base64UrlEncode("\xFB\xFF\xFE"), "-__-");
  EXPECT_EQ(base64UrlEncode("f"), "Zg");
}

TEST(Text, Base64UrlIsReadBackForAllLengths) {
  std::string bytes;
  for (int size = 0; size < 300; ++size) {
    EXPECT_EQ(base64UrlDecode(base64UrlEncode(bytes)), bytes);
    bytes.push_back(static_cast<char>(size * 37));
  }
}

TEST(Text, Base64UrlIsReadStrictly) {
  for (const char* bad : {"Zg==", "Zg=", "Z", "Zm9vZ", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9 v",
                          "Zm9v\n", " Zm9v", "Zm9v.", "\xC3\xA9\xC3\xA9"}) {
    EXPECT_EQ(base64UrlDecode(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(base64UrlDecode("Zg"), "f");
  EXPECT_EQ(base64UrlDecode("Zm8"), "fo");
  EXPECT_EQ(base64UrlDecode("-__-"), "\xFB\xFF\xFE");
}

TEST(Text, CaseIsIgnoredInAsciiOnly) {
  EXPECT_TRUE(equalsIgnoreCase("Content-Type", "content-TYPE"));
  EXPECT_FALSE(equalsIgnoreCase("a", "ab"));
  EXPECT_FALSE(equalsIgnoreCase("[", "{"));
  EXPECT_FALSE(equalsIgnoreCase("\xC3\x89", "\xC3\xA9"));
  EXPECT_EQ(toLower("AbZ-\xC3\x89"), "abz-\xC3\x89");
}

TEST(Text, TextsAreTrimmedAndSplit) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(split("a, b|c", ",|"), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(split("", ","), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split(",", ","), (std::vector<std::string_view>{"", ""}));
}

TEST(Text, TheNearestNameIsFound) {  // spec S-2
  const std::vector<std::string_view> names = {"actionables", "resource", "protected", "id"};
  EXPECT_EQ(nearest("actionable", names), "actionables");
  EXPECT_EQ(nearest("resuorce", names), "resource");
  EXPECT_EQ(nearest("PROTECTED", names), "protected");
  EXPECT_EQ(nearest("ix", names), "id");
  EXPECT_EQ(nearest("di", names), "id");  // swapped
  EXPECT_EQ(nearest("something", names), "");
  EXPECT_EQ(nearest("", names), "");
}

}  // namespace
}  // namespace sub0::text
