// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>
#include <sub0/plugin/value.hpp>

namespace {

using sub0::Literal;
using sub0::Tree;
using sub0::Value;

TEST(Value, AMissingValueReadsAsNullAndIsFalse) {
  const Value missing;
  EXPECT_FALSE(missing);
  EXPECT_TRUE(missing.isNull());
  EXPECT_EQ(missing.size(), 0U);
  EXPECT_EQ(missing.asText(), "");
  EXPECT_FALSE(missing.find("x"));
  EXPECT_EQ(missing.items().count, 0U);
}

TEST(Value, ANullThatStandsThereIsFound) {
  const Tree tree({{"x", nullptr}});
  EXPECT_TRUE(tree.find("x"));
  EXPECT_TRUE(tree.find("x").isNull());
  EXPECT_FALSE(tree.find("y"));
}

TEST(Value, ScalarsReadAsTextAndNumbers) {
  const struct {
    Tree value;
    std::string text;
    int64_t integer;
    double number;
  } rows[] = {
      {Literal(7), "7", 7, 7.0},
      {Literal(-1.5), "-1.5", 99, -1.5},
      {Literal(0.1), "0.1", 99, 0.1},
      {Literal(3.0), "3", 3, 3.0},
      {Literal::number("12345678901234567890.5"), "12345678901234567890.5", 99,
       12345678901234567890.5},
      {Literal::number("1e3"), "1e3", 1000, 1000.0},
      {Literal(true), "true", 99, 98.0},
      {Literal("text"), "text", 99, 98.0},
      {Literal(nullptr), "", 99, 98.0},
      {Literal::rawJson("[1]"), "[1]", 99, 98.0},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(row.value.view().toText(), row.text);
    EXPECT_EQ(row.value.view().asInt(99), row.integer) << row.text;
    EXPECT_DOUBLE_EQ(row.value.view().asDouble(98.0), row.number) << row.text;
  }
}

TEST(Literal, IntegersThatInt64CannotHoldAndInfinitiesAreNotWrapped) {
  EXPECT_EQ(Literal(uint64_t{1} << 63U).raw().type, SUB0_DOUBLE);
  EXPECT_EQ(Literal(INT64_MIN).raw().as.i, INT64_MIN);
  EXPECT_EQ(Literal(std::numeric_limits<double>::infinity()).raw().type, SUB0_NULL);
  EXPECT_EQ(Literal(std::numeric_limits<double>::quiet_NaN()).raw().type, SUB0_NULL);
}

TEST(Literal, PointersDoNotBecomeBooleans) {
  static_assert(!std::is_constructible_v<Literal, void*>);
  static_assert(!std::is_constructible_v<Literal, int*>);
  EXPECT_EQ(Literal("x").raw().type, SUB0_TEXT);
  EXPECT_EQ(Literal(true).raw().type, SUB0_BOOL);
}

TEST(Literal, TextsLongerThanTheAbiCarriesAreRefused) {
  static const char byte = 'x';
  EXPECT_THROW(Literal(std::string_view(&byte, size_t{1} << 31U)), std::length_error);
}

// What complete() does: reads within the expression.
size_t countOf(const Literal& value) { return Value(value.raw()).size(); }

TEST(Literal, ObjectsAndArraysAreWrittenInOneExpression) {
  EXPECT_EQ(countOf({{"a", 1}, {"b", std::string("two") + "!"}, {"c", {{"d", nullptr}}}}), 3U);
  EXPECT_EQ(countOf(Literal::array({1, "b", 2.5, true})), 4U);
  EXPECT_EQ(countOf({{"a", "b"}}), 1U);  // an object with one text, not a text of two iterators
  EXPECT_EQ(countOf({{"a", "b"}, {"c", "d"}}), 2U);
}

TEST(Tree, OwnsADeepCopy) {
  Tree copy;
  {
    const std::string text = "a text too long for the small string optimisation";
    const Tree original({{"text", text}, {"list", Literal::array({1, {{"x", text}}})}});
    copy = original;
  }
  EXPECT_EQ(copy.find("text").asText(), "a text too long for the small string optimisation");
  EXPECT_EQ(copy.find("list")[1].find("x").asText().size(), 49U);
  const Tree moved = std::move(copy);
  EXPECT_EQ(moved.find("list")[0].asInt(), 1);
}

TEST(Tree, IsBuiltUpMemberByMember) {
  Tree rows = Tree::array();
  for (int i = 0; i < 3; ++i) rows.push(Tree().set("id", Literal(i)).set("name", Literal("n")));
  rows.push(Tree().set("id", Literal(1)).set("id", Literal(9)));
  std::string seen;
  for (Value row : rows.view().items())
    for (sub0::Member member : row.members())
      seen += std::string(member.key) + member.value.toText();
  EXPECT_EQ(seen, "id0namenid1namenid2namenid9");
  EXPECT_THROW(rows.set("x", Tree()), std::logic_error);
}

}  // namespace
