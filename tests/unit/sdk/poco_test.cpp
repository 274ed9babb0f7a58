// SPDX-License-Identifier: Apache-2.0
#include <sub0/poco.hpp>

#include <gtest/gtest.h>

#include <sstream>

namespace {

using Poco::Dynamic::Var;
using sub0::ExactNumber;
using sub0::Literal;
using sub0::Tree;
using sub0::Value;
using std::string_literals::operator""s;

std::string json(const Var& var) {
  std::ostringstream out;
  Poco::JSON::Stringifier::condense(var, out);
  return out.str();
}

Var varOf(const Tree& tree) { return sub0::toVar(tree.view()); }

// S-88: values keep their type on the way to Poco
TEST(PocoValues, ScalarsKeepTheirType) {
  EXPECT_TRUE(varOf(Tree()).isEmpty());
  EXPECT_TRUE(sub0::toVar(Value()).isEmpty());
  EXPECT_TRUE(varOf(Literal(true)).isBoolean());
  EXPECT_EQ(varOf(Literal(INT64_MIN)).extract<Poco::Int64>(), INT64_MIN);
  EXPECT_EQ(varOf(Literal(0.1)).extract<double>(), 0.1);
  EXPECT_EQ(varOf(Literal::number("18446744073709551615")).extract<Poco::UInt64>(), UINT64_MAX);
  EXPECT_EQ(varOf(Literal::number("7")).extract<Poco::Int64>(), 7);
  EXPECT_EQ(varOf(Literal("a\0b"s)).extract<std::string>(), "a\0b"s);
}

// S-32: all digits of a number
TEST(PocoValues, ExactNumbersKeepTheirDigits) {
  const std::string digits = "12345678901234567890.1234567890";
  const Var var = varOf(Literal::number(digits));
  EXPECT_TRUE(var.isNumeric());
  EXPECT_FALSE(var.isInteger());
  EXPECT_FALSE(var.isString());
  EXPECT_EQ(var.extract<ExactNumber>().digits(), digits);
  EXPECT_EQ(var.convert<std::string>(), digits);
  EXPECT_DOUBLE_EQ(var.convert<double>(), 12345678901234567890.0);
  EXPECT_EQ(json(var), digits);
  const Tree back = sub0::fromVar(var);
  EXPECT_EQ(back.raw().type, SUB0_NUMBER);
  EXPECT_EQ(back.view().asText(), digits);
}

TEST(PocoValues, ContainersKeepTheirOrder) {
  Tree list = Tree::array();
  list.push(Literal(1)).push(Tree()).push(Tree{{"z", 1}, {"a", Literal::number("0.10")}});
  Tree tree = Tree::object();
  tree.set("list", list)
      .set("empty", Tree::object())
      .set("b", Literal(nullptr))
      .set("none", Tree::array());
  const Var var = varOf(tree);
  EXPECT_EQ(json(var), R"({"list":[1,null,{"z":1,"a":0.10}],"empty":{},"b":null,"none":[]})");
  const Tree back = sub0::fromVar(var);
  EXPECT_EQ(json(sub0::toVar(back.view())), json(var));
  EXPECT_EQ(back.find("list")[2].find("a").type(), SUB0_NUMBER);
  EXPECT_EQ(sub0::toObject(tree.view())->size(), 4U);
  EXPECT_EQ(sub0::toArray(list.view())->size(), 3U);
}

TEST(PocoValues, RawJsonIsRead) {
  const Var var = varOf(Literal::rawJson(R"({"a":[1,"x"]})"));
  EXPECT_EQ(json(var), R"({"a":[1,"x"]})");
  EXPECT_THROW(varOf(Literal::rawJson("{")), Poco::Exception);
}

TEST(PocoValues, EveryNumberOfPocoComesBack) {
  EXPECT_EQ(sub0::fromVar(Poco::Int8{-5}).view().asInt(), -5);
  EXPECT_EQ(sub0::fromVar(Poco::UInt32{4000000000U}).view().asInt(), 4000000000);
  EXPECT_EQ(sub0::fromVar(Poco::Int64{INT64_MIN}).view().asInt(), INT64_MIN);
  const Tree large = sub0::fromVar(Poco::UInt64{UINT64_MAX});
  EXPECT_EQ(large.raw().type, SUB0_NUMBER);
  EXPECT_EQ(large.view().asText(), "18446744073709551615");
  EXPECT_EQ(sub0::fromVar(1.5F).view().asDouble(), 1.5);
  EXPECT_TRUE(sub0::fromVar(std::numeric_limits<double>::infinity()).view().isNull());
  EXPECT_TRUE(sub0::fromVar(true).view().isBool());
  EXPECT_EQ(sub0::fromVar('x').view().asText(), "x");
}

TEST(PocoValues, OtherTypesOfPocoComeBack) {
  EXPECT_TRUE(sub0::fromVar(Var()).view().isNull());
  EXPECT_EQ(sub0::fromVar("a\0b"s).view().asText(), "a\0b"s);
  const Poco::DateTime instant(2024, 2, 29, 13, 14, 15, 123);
  EXPECT_EQ(sub0::fromVar(instant).view().asText(), "2024-02-29T13:14:15.123Z");
  EXPECT_EQ(sub0::fromVar(Poco::LocalDateTime(7200, instant, true)).view().asText(),
            "2024-02-29T13:14:15.123Z");
  EXPECT_EQ(sub0::fromVar(instant.timestamp()).view().asText(), "2024-02-29T13:14:15.123Z");
  EXPECT_EQ(sub0::fromVar(std::vector<Var>{1, "x"s}).view().size(), 2U);
  EXPECT_EQ(sub0::fromVar(Poco::JSON::Array()).view().type(), SUB0_ARRAY);
  EXPECT_TRUE(sub0::fromVar(Poco::JSON::Object::Ptr()).view().isNull());
  Poco::JSON::Object object;
  object.set("a", 1);
  EXPECT_EQ(sub0::fromObject(object).find("a").asInt(), 1);
}

}  // namespace
