// SPDX-License-Identifier: Apache-2.0
#include "json/placed_document.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "json/writer.hpp"

namespace sub0::json {
namespace {

std::string place(const PlacedDocument& document, std::size_t offset) {
  const Position position = document.positionOf(offset);
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

TEST(PlacedDocument, CommentsAndTrailingCommasAreAccepted) {  // spec S-2
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"// c\n{\"a\":1}", R"({"a":1})"},
      {"{/* , ] */\"a\":[1,2,],}", R"({"a":[1,2]})"},
      {"{\"a\":\"// no /* comment */ ,]\" , // yes, }\n }", R"({"a":"// no /* comment */ ,]"})"},
      {"[1, /* a */ // b\r\n /* c */ ]", "[1]"},
      {"{\"u\":\"http://x\\\"//\",}//", R"({"u":"http://x\"//"})"},
      {"\xEF\xBB\xBF{\"a\":1}\r\n", R"({"a":1})"},
      {"18446744073709551616", "18446744073709551616"},
      {"[-123456789012345678901234567890]", "[-123456789012345678901234567890]"},
      {"[1/*\xC3\xA9*/,2]", "[1,2]"},
  };
  for (const auto& [text, expected] : cases) {
    const PlacedDocument document{std::string(text)};
    ASSERT_TRUE(document.problems().empty()) << text << document.problems()[0].message;
    EXPECT_EQ(toString(document.root()), expected) << text;
  }
}

TEST(PlacedDocument, SyntaxErrorsKnowTheirPlace) {  // spec S-2
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "1:1"},
      {"{\n  \"a\": tru\n}", "2:8"},
      {"{\"a\":1 \"b\":2}", "1:8"},
      {"{\"a\" 1}", "1:6"},
      {"{a:1}", "1:2"},
      {"[1,,2]", "1:4"},
      {"[,]", "1:2"},
      {"{,}", "1:2"},
      {"[1,,]", "1:4"},
      {"\n\n  [1, 2", "3:3"},
      {"{\"\xC3\xA9\xF0\x9F\x98\x80\": x}", "1:8"},
      {"[1] /* never", "1:5"},
      {"\"abc", "1:1"},
      {"[\"a\\q\"]", "1:4"},
      {"[\"\\ud800\"]", "1:3"},
      {"[\"\\u12\"]", "1:3"},
      {"[1e999]", "1:2"},
      {"[01]", "1:2"},
      {"[1.]", "1:2"},
      {"[-]", "1:2"},
      {"[1] 2", "1:5"},
      {"[\"\xFF\"]", "1:3"},
      {"[\"a\tb\"]", "1:4"},
      {"\xEF\xBB\xBF[x]", "1:2"},
      {std::string(257, '['), "1:257"},
      {std::string(1'000'000, '['), "1:257"},
  };
  for (const auto& [text, expected] : cases) {
    const PlacedDocument document{text};
    ASSERT_EQ(document.problems().size(), 1u) << text.substr(0, 40);
    EXPECT_EQ(place(document, document.problems()[0].offset), expected) << text.substr(0, 40);
    EXPECT_TRUE(isNull(document.root()));
    EXPECT_EQ(document.offsetOf("/a"), document.offsetOf(""));
  }
}

TEST(PlacedDocument, DuplicateKeysAreReportedWithBothPlaces) {
  const PlacedDocument document{"{\"a\":1,\n \"b\":{\"c\":1,\n\"\\u0063\":2},\n \"a\":3, \"a\":4}"};
  ASSERT_EQ(document.problems().size(), 3u);
  EXPECT_EQ(place(document, document.problems()[0].offset), "3:1");
  EXPECT_NE(document.problems()[0].message.find("line 2, column 7"), std::string::npos);
  EXPECT_EQ(place(document, document.problems()[1].offset), "4:2");
  EXPECT_NE(document.problems()[2].message.find("line 1, column 2"), std::string::npos);
  EXPECT_EQ(toString(document.root()), R"({"a":1,"b":{"c":1}})");
}

TEST(PlacedDocument, PointersFindValuesAndKeys) {
  const PlacedDocument document{
      "[ // list\n"
      "  {\"id\": 1, \"a/b\": {\"~x\": [10, \"}\", {\"\\u006b\": true}]}},\r\n"
      "  /* \xC3\xA9 */ {\"id\": [],},\n"
      "]"};
  ASSERT_TRUE(document.problems().empty());
  struct Case {
    const char* pointer;
    const char* value;
    const char* key;
  };
  const std::vector<Case> cases = {
      {"", "1:1", "1:1"},
      {"/0", "2:3", "2:3"},
      {"/0/id", "2:10", "2:4"},
      {"/0/a~1b", "2:20", "2:13"},
      {"/0/a~1b/~0x/0", "2:28", "2:28"},
      {"/0/a~1b/~0x/2/k", "2:48", "2:38"},
      {"/1", "3:11", "3:11"},
      {"/1/id", "3:18", "3:12"},
      {"/1/id/0", "3:18", "3:12"},      // nearest ancestor
      {"/1/none/x", "3:11", "3:11"},    // nearest ancestor
      {"/7", "1:1", "1:1"},             // nearest ancestor
      {"/0/id/deeper", "2:10", "2:4"},  // nearest ancestor
  };
  for (const auto& item : cases) {
    EXPECT_EQ(place(document, document.offsetOf(item.pointer)), item.value) << item.pointer;
    EXPECT_EQ(place(document, document.offsetOfKey(item.pointer)), item.key) << item.pointer;
  }
}

TEST(PlacedDocument, PointersAreEscapedAndResolved) {
  std::string pointer;
  appendPointerSegment(pointer, "a/b~c");
  appendPointerSegment(pointer, "1");
  EXPECT_EQ(pointer, "/a~1b~0c/1");
  const PlacedDocument document{R"({"a/b~c":[1,{"":5}]})"};
  ASSERT_NE(resolvePointer(document.root(), "/a~1b~0c/0"), nullptr);
  EXPECT_EQ(resolvePointer(document.root(), "/a~1b~0c/0")->as.i, 1);
  EXPECT_EQ(resolvePointer(document.root(), "/a~1b~0c/1/")->as.i, 5);
  EXPECT_EQ(resolvePointer(document.root(), "")->type, SUB0_OBJECT);
  for (const char* missing : {"/a", "/a~1b~0c/2", "/a~1b~0c/01", "/a~1b~0c/-1", "a"}) {
    EXPECT_EQ(resolvePointer(document.root(), missing), nullptr) << missing;
  }
}

}  // namespace
}  // namespace sub0::json
