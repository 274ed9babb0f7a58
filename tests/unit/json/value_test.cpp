// SPDX-License-Identifier: Apache-2.0
#include "json/value.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "json/parser.hpp"
#include "json/text_reader.hpp"
#include "json/writer.hpp"

namespace sub0::json {
namespace {

Value parsed(std::string_view text, Arena& arena) {
  Parser parser;
  return parser.parseCopy(text, arena).value();
}

TEST(Value, MembersAndItemsAreFound) {
  Arena arena;
  const Value value = parsed(R"({"a":[1,2],"b":null})", arena);
  ASSERT_NE(find(value, "a"), nullptr);
  ASSERT_NE(at(*find(value, "a"), 1), nullptr);
  EXPECT_EQ(at(*find(value, "a"), 1)->as.i, 2);
  EXPECT_EQ(at(*find(value, "a"), 2), nullptr);
  EXPECT_EQ(find(value, "c"), nullptr);
  EXPECT_EQ(find(text("a"), "a"), nullptr);
  EXPECT_EQ(at(value, 0), nullptr);
}

TEST(Value, RealsThatAreNotFiniteBecomeNull) {
  EXPECT_TRUE(isNull(real(std::numeric_limits<double>::infinity())));
  EXPECT_TRUE(isNull(real(std::nan(""))));
  EXPECT_EQ(real(1.5).type, SUB0_DOUBLE);
}

TEST(Value, CopyLivesInItsArenaAlone) {
  Arena kept;
  Value copied{};
  {
    Arena arena;
    copied = copy(parsed(R"({"a":["text",18446744073709551615,{"b":1.5}],"c":true})", arena), kept);
  }
  EXPECT_EQ(toString(copied), R"({"a":["text",18446744073709551615,{"b":1.5}],"c":true})");
}

TEST(Value, EqualityIsThatOfJson) {
  struct Case {
    const char* a;
    const char* b;
    bool are_equal;
  };
  const std::vector<Case> cases = {
      {"1", "1.0", true},
      {"1", "2", false},
      {"100", "1e2", true},
      {"0", "-0.0", true},
      {"9007199254740993", "9007199254740992.0", false},
      {"18446744073709551615", "18446744073709551615", true},
      {"18446744073709551615", "18446744073709551614", false},
      {"18446744073709551615", "1", false},
      {"1", "\"1\"", false},
      {"1", "true", false},
      {"null", "null", true},
      {"[1,2]", "[1,2]", true},
      {"[1,2]", "[2,1]", false},
      {"[1,2]", "[1]", false},
      {R"({"a":1,"b":2})", R"({"b":2,"a":1})", true},
      {R"({"a":1,"b":2})", R"({"a":1,"c":2})", false},
      {R"({"a":1})", R"({"a":1,"b":2})", false},
  };
  Arena arena;
  for (const auto& item : cases) {
    EXPECT_EQ(equals(parsed(item.a, arena), parsed(item.b, arena)), item.are_equal)
        << item.a << " " << item.b;
  }
  EXPECT_TRUE(equals(number("1.50"), real(1.5)));
  EXPECT_FALSE(equals(number("1e99999999999999999999"), integer(1)));
  EXPECT_FALSE(equals(number("1e-99999999999999999999"), integer(1)));
  EXPECT_TRUE(equals(number("-12.0"), integer(-12)));
  EXPECT_FALSE(equals(number("0.1000000000000000000001"), real(0.1)));
  EXPECT_TRUE(equals(raw("{}"), raw("{}")));
  EXPECT_FALSE(equals(raw("1"), integer(1)));
}

TEST(Value, NumbersAreReadAsReals) {
  EXPECT_TRUE(toReal(integer(INT64_MAX)) > toReal(integer(INT64_MAX - 1)));
  EXPECT_TRUE(toReal("9223372036854775807") > toReal("9223372036854775806"));
  EXPECT_EQ(toReal(real(-2.5)), -2.5L);
  EXPECT_EQ(toReal(number("18446744073709551616")), 18446744073709551616.0L);
  EXPECT_EQ(toReal("-1.5e3"), -1500.0L);
  EXPECT_EQ(toReal("-0"), 0.0L);
  constexpr long double kInfinite = std::numeric_limits<long double>::infinity();
  EXPECT_EQ(toReal("1e999"), kInfinite);
  EXPECT_EQ(toReal("-1e99999999999999999999"), -kInfinite);
  EXPECT_EQ(toReal("1" + std::string(400, '0') + "e-1"), kInfinite);
  EXPECT_EQ(toReal("1e-999"), 0.0L);
  EXPECT_EQ(toReal("1e-99999999999999999999"), 0.0L);
  EXPECT_EQ(toReal("-0." + std::string(400, '0') + "1e1"), 0.0L);
}

TEST(Value, ValuesOfPluginsAreInspected) {
  const auto accepts = [](const Value& value) { return isWellFormed(value, 10'000); };
  EXPECT_TRUE(accepts(text("\xC3\xA9")));
  EXPECT_TRUE(accepts(raw(R"({"a":[1]})")));
  const std::string long_integer(400, '9');  // kept, though beyond a double
  for (const char* digits : {"-12.50e3", "0", "-0.0", "10.05", long_integer.c_str()}) {
    EXPECT_TRUE(accepts(number(digits))) << digits;
  }
  const std::string long_real = long_integer + ".5";
  for (const char* digits :
       {"", "-", "abc", "01", "-01.5", "1 ", " 1", "1,2", "NaN", "true", "\"1\"", "1.", ".5", "-.5",
        "1.2.3", "1.5x", "1e999", long_real.c_str()}) {
    EXPECT_FALSE(accepts(number(digits))) << digits;
  }
  for (const char* json : {"", "{", "{} {}", "tru", "\"\xFF\""}) {
    EXPECT_FALSE(accepts(raw(json))) << json;
  }
  EXPECT_FALSE(accepts(text("\xFF")));
  Value wrong = integer(1);
  wrong.type = 9;
  EXPECT_FALSE(accepts(wrong));
  wrong = real(1);
  wrong.as.d = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(accepts(wrong));
  wrong = boolean(true);
  wrong.as.i = 2;
  EXPECT_FALSE(accepts(wrong));
  EXPECT_FALSE(accepts(array(nullptr, 1)));
  EXPECT_FALSE(accepts(object(nullptr, 1)));
  wrong = text("");
  wrong.count = 3;
  wrong.as.text = nullptr;
  EXPECT_FALSE(accepts(wrong));
  const Member bad_key{toView("\xFF"), null()};
  EXPECT_FALSE(accepts(object(&bad_key, 1)));
}

// What came in by the parser may go out through a plugin.
TEST(Value, DepthAndSizeOfPluginsValuesAreLimited) {
  constexpr std::size_t kMost = kMaxDepth + 4;
  std::vector<Value> levels(kMost + 2, null());
  for (std::size_t depth = 1; depth < levels.size(); ++depth) {
    levels[depth] = array(&levels[depth - 1], 1);
  }
  EXPECT_TRUE(isWellFormed(levels[kMost], 100'000));
  EXPECT_FALSE(isWellFormed(levels[kMost + 1], 100'000));
  const std::string long_text(1'000, 'a');
  EXPECT_TRUE(isWellFormed(text(long_text), 1'000));
  EXPECT_FALSE(isWellFormed(text(long_text), 999));
  const std::vector<Value> many(10, null());
  EXPECT_TRUE(isWellFormed(array(many.data(), 10), 160));
  EXPECT_FALSE(isWellFormed(array(many.data(), 10), 159));
}

}  // namespace
}  // namespace sub0::json
