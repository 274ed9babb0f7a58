// SPDX-License-Identifier: Apache-2.0
#include "dialect/validation.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect::validation_test {
namespace {

using Failures = std::vector<std::string>;

// The rules of a text, with the file that they point into.
struct Rules {
  explicit Rules(const std::string& json) : file("a.json", json) {
    validation = Validation::compile(file.document().root(), "", file, problems);
    EXPECT_TRUE(problems.empty()) << problems.toText();
  }

  Failures failuresOf(const std::string& payload, bool is_from_query = false) const {
    Failures failures;
    const std::string_view names[] = {"a"};
    const bool passes = validation.validate(
        valueOf(payload), {names, is_from_query ? std::size_t{1} : std::size_t{0}}, failures);
    EXPECT_EQ(passes, failures.empty());
    return failures;
  }

  SourceFile file;
  Problems problems;
  Validation validation;
};

Failures failuresOf(const std::string& rules, const std::string& payload,
                    bool is_from_query = false) {
  return Rules(rules).failuresOf(payload, is_from_query);
}

/// A field "a" of this type.
std::string fieldA(const std::string& type) {
  return R"([{"field": {"a": {"type": )" + type + "}}}]";
}

struct Row {
  const char* value;    // of "a"
  const char* failure;  // behind the name; "": it passes
};

void expectRows(const std::string& type, const std::vector<Row>& rows, bool is_from_query = false) {
  const Rules rules(fieldA(type));
  for (const Row& row : rows) {
    const std::string failure(row.failure);
    const Failures expected = failure.empty() ? Failures() : Failures{"a" + failure};
    EXPECT_EQ(rules.failuresOf(R"({"a": )" + std::string(row.value) + "}", is_from_query), expected)
        << type << " " << row.value;
  }
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
  for (const char* const text :
       {"", " 5", "5 ", "05", "+5", ".5", "5.", "1e", "0x1", "NaN", "-", "1e400", "-1e400"}) {
    EXPECT_EQ(failuresOf(rule, R"({"a":")" + std::string(text) + R"("})", true),
              Failures{"a must be a number"})
        << text;
  }
  EXPECT_EQ(failuresOf(rule, R"({"a":true})", true), Failures{"a must be a number"});
}

// spec S-80: of a top-level text the limits stand beside "field", of a nested one in its type
TEST(Validation, LengthsHoldAtTheirEdges) {
  const std::string nested =
      R"("OBJECT", "fields": {"b": {"type": "EMAIL", "min_length": 6, "max_length": 8}})";
  expectRows(nested, {{R"({"b": "a@b.c"})", ".b must have at least 6 characters"},
                      {R"({"b": "a@b.cd"})", ""},
                      {R"({"b": "a@b.cdef"})", ""},
                      {R"({"b": "a@b.cdefg"})", ".b must have at most 8 characters"},
                      {R"({"b": "abcdefg"})", ".b is not a valid email"}});
  const std::string beside =
      R"([{"field": {"a": {"type": "UUID"}}, "min_length": 36, "max_length": 36}])";
  EXPECT_EQ(failuresOf(beside, R"({"a": "0123abcd-0123-0123-0123-0123456789AB"})"), Failures());
}

// spec S-80
TEST(Validation, ABooleanIsTrueOrFalseAndItsTextOnlyInQueryParameters) {
  const char* const failure = " must be true or false";
  expectRows(R"("BOOLEAN")", {{"true", ""},
                              {"false", ""},
                              {"null", " is required"},
                              {"0", failure},
                              {"1", failure},
                              {"[]", failure},
                              {R"("true")", failure},
                              {R"("")", failure}});
  expectRows(R"("BOOLEAN")",
             {{R"("true")", ""}, {R"("false")", ""}, {R"("True")", failure}, {R"("1")", failure}},
             true);
}

// spec S-80
TEST(Validation, DateTimesAndUuidsAreTextsOfTheirForm) {
  const char* const no_time = " must be a date and time such as 2026-01-31T12:00:00Z";
  expectRows(R"("DATETIME")", {{R"("2026-01-31T12:00:00.123+02:00")", ""},
                               {R"("2026-02-29T12:00:00Z")", no_time},
                               {R"("")", no_time},
                               {"1767225600", no_time}});
  expectRows(R"("UUID")", {{R"("01234567-89ab-CDEF-0123-456789abcdef")", ""},
                           {R"("01234567-89ab-cdef-0123-456789abcdeg")", " must be a UUID"},
                           {"5", " must be a UUID"}});
}

// spec S-80: one of the values, as JSON values are equal
TEST(Validation, AnEnumIsOneOfItsValues) {
  const char* const failure = " must be one of: a, B c, 1, 2.5, true";
  expectRows(R"("ENUM", "values": ["a", "B c", 1, 2.5, true])", {{R"("a")", ""},
                                                                 {R"("B c")", ""},
                                                                 {"1", ""},
                                                                 {"1.0", ""},
                                                                 {"2.5", ""},
                                                                 {"true", ""},
                                                                 {R"("A")", failure},
                                                                 {R"("1")", failure},
                                                                 {"2", failure},
                                                                 {"false", failure},
                                                                 {R"("")", failure},
                                                                 {R"(["a"])", failure}});
  const char* const whole = " must be one of: 9007199254740993, 0.1";
  expectRows(R"("ENUM", "values": [9007199254740993, 0.1])", {{"9007199254740993", ""},
                                                              {"9007199254740992.0", whole},
                                                              {"9007199254740992", whole},
                                                              {"1e-1", ""},
                                                              {"0.10000000000000002", whole}});
  std::string many = "0";
  for (int i = 1; i <= 22; ++i) many += ", " + std::to_string(i);
  const Failures cut = failuresOf(fieldA(R"("ENUM", "values": [)" + many + "]"), R"({"a": -1})");
  ASSERT_EQ(cut.size(), 1u);
  EXPECT_NE(cut[0].find(", 19 and 3 more"), std::string::npos) << cut[0];
}

// spec S-80
TEST(Validation, LimitsOfNumbersAreInclusive) {
  expectRows(R"("NUMBER", "min": -1, "max": 2.5)", {{"-2", " must be at least -1"},
                                                    {"-1.0000001", " must be at least -1"},
                                                    {"-1", ""},
                                                    {"-1.0", ""},
                                                    {"2.5", ""},
                                                    {"2.5000001", " must be at most 2.5"},
                                                    {"3", " must be at most 2.5"},
                                                    {"1e300", " must be at most 2.5"},
                                                    {"true", " must be a number"}});
  expectRows(R"("NUMBER", "max": 9007199254740993)",
             {{"9007199254740993", ""}, {"9007199254740994", " must be at most 9007199254740993"}});
}

// spec S-80, S-81: also of numbers that came as text
TEST(Validation, LimitsOfNumbersHoldForTextsInQueryParameters) {
  expectRows(R"("NUMBER", "min": 1, "max": 10)",
             {{R"("0")", " must be at least 1"},
              {R"("0.99")", " must be at least 1"},
              {R"("1")", ""},
              {R"("10.0")", ""},
              {R"("11")", " must be at most 10"},
              {R"("99999999999999999999999")", " must be at most 10"},
              {R"("1e999")", " must be a number"},
              {R"("-1e999")", " must be a number"},
              {R"("1e-999")", " must be at least 1"},
              {R"("ten")", " must be a number"}},
             true);
}

// spec S-80: nested members have rules of their own, at any depth
TEST(Validation, MembersOfObjectsAreNamedWithDots) {
  const std::string rules = R"("OBJECT", "fields": {
    "city": {"type": "STRING", "min_length": 2},
    "at": {"type": "OBJECT", "optional": true, "fields": {"lat": {"type": "NUMBER", "max": 90}}}})";
  expectRows(rules, {{"null", " is required"},
                     {"[]", " must be an object"},
                     {R"("x")", " must be an object"},
                     {"{}", ".city is required"},
                     {R"({"city": null})", ".city is required"},
                     {R"({"city": 5})", ".city must be a string"},
                     {R"({"city": "x"})", ".city must have at least 2 characters"},
                     {R"({"city": "xy", "more": 1})", ""},
                     {R"({"city": "xy", "at": null})", ""},
                     {R"({"city": "xy", "at": {}})", ".at.lat is required"},
                     {R"({"city": "xy", "at": {"lat": "5"}})", ".at.lat must be a number"},
                     {R"({"city": "xy", "at": {"lat": 91}})", ".at.lat must be at most 90"},
                     {R"({"city": "xy", "at": {"lat": 90}})", ""}});
  expectRows(R"("OBJECT")", {{"{}", ""}, {R"({"x": 1})", ""}, {"[]", " must be an object"}});
}

// spec S-80
TEST(Validation, ElementsOfArraysAreNamedWithTheirIndex) {
  const std::string rules = R"("ARRAY", "arr_length": 3, "fields": {"price": {"type": "NUMBER"}})";
  expectRows(rules,
             {{"{}", " must be an array"},
              {"[]", ""},
              {"[1]", ".0 must be an object"},
              {"[null]", ".0 must be an object"},
              {R"([{"price": 1}, {"price": 2}, {"price": 3}])", ""},
              {R"([{"price": 1}, {"price": 2}, {"price": "3"}])", ".2.price must be a number"},
              {R"([{"price": 1}, {}])", ".1.price is required"},
              {"[1, 2, 3, 4]", " must have at most 3 elements"}});
  expectRows(R"("ARRAY", "arr_length": 2)",
             {{R"([1, "x"])", ""}, {"[1, 2, 3]", " must have at most 2 elements"}});
  expectRows(R"("ARRAY", "arr_length": 0)", {{"[]", ""}, {"[1]", " must have at most 0 elements"}});
}

// spec S-80: lengths of the elements in code points
TEST(Validation, AStringArrayHoldsTextsOfItsLengths) {
  const std::string rules =
      R"("STRINGARRAY", "arr_length": 2, "items_min_length": 2, "items_max_length": 3)";
  expectRows(rules, {{R"("ab")", " must be an array"},
                     {"[]", ""},
                     {R"(["ab", "abc"])", ""},
                     {"[\"\xC3\xA9\xC3\xA9\xC3\xA9\"]", ""},
                     {"[\"\xC3\xA9\"]", ".0 must have at least 2 characters"},
                     {R"(["ab", "abcd"])", ".1 must have at most 3 characters"},
                     {R"(["ab", 5])", ".1 must be a string"},
                     {R"([null])", ".0 must be a string"},
                     {R"(["ab", "ab", "ab"])", " must have at most 2 elements"}});
}

// spec S-80: missing and null pass, anything else is looked at
TEST(Validation, WhatIsOptionalMayBeMissingOrNullOnEveryType) {
  const char* const types[] = {R"("STRING")",   R"("NUMBER")",
                               R"("EMAIL")",    R"("OBJECT")",
                               R"("ARRAY")",    R"("STRINGARRAY")",
                               R"("BOOLEAN")",  R"("UUID")",
                               R"("DATETIME")", R"("ENUM", "values": ["x"])"};
  for (const std::string type : types) {
    const Rules required(fieldA(type));
    const Rules switched_off(fieldA(type + R"(, "optional": false)"));
    const Rules optional(fieldA(type + R"(, "optional": true)"));
    for (const char* const payload : {"{}", R"({"a": null})"}) {
      EXPECT_EQ(required.failuresOf(payload), Failures{"a is required"}) << type;
      EXPECT_EQ(switched_off.failuresOf(payload), Failures{"a is required"}) << type;
      EXPECT_EQ(optional.failuresOf(payload), Failures()) << type;
    }
    EXPECT_EQ(
        optional.failuresOf(type == R"("BOOLEAN")" ? R"({"a": 0})" : R"({"a": false})").size(), 1u)
        << type;
  }
}

// spec S-80: found anywhere in the text, unless it is anchored; after the length
TEST(Validation, APatternIsFoundInTheText) {
  const char* const failure = " must match the pattern b+";
  expectRows(R"("STRING", "pattern": "b+")",
             {{R"("abc")", ""}, {R"("b")", ""}, {R"("ac")", failure}, {R"("")", failure}});
  expectRows(R"("STRING", "pattern": "^[A-Z]{3}$")",
             {{R"("ABC")", ""},
              {R"("ABCD")", " must match the pattern ^[A-Z]{3}$"},
              {R"("ABC\n")", " must match the pattern ^[A-Z]{3}$"},
              {"5", " must be a string"}});
  EXPECT_EQ(failuresOf(R"([{"field": {"a": {"type": "STRING", "pattern": "b"}}, "max_length": 2}])",
                       R"({"a": "aaa"})"),
            Failures{"a must have at most 2 characters"});
}

// spec S-80: the time is that of the text's length, whatever a client makes up
TEST(Validation, ACatastrophicPatternReturnsAtOnce) {
  for (const char* const pattern :
       {"(a+)+$", "^(a+)+$", "^(a|aa)+$", "(a*)*b$", "^(([a-z])+.)+[A-Z]$"}) {
    const Rules rules(fieldA(R"("STRING", "pattern": ")" + std::string(pattern) + '"'));
    EXPECT_EQ(rules.failuresOf(R"({"a": ")" + std::string(50'000, 'a') + R"(b!"})").size(), 1u);
  }
  EXPECT_EQ(failuresOf(fieldA(R"("STRING", "pattern": "(a+)+$")"),
                       R"({"a": ")" + std::string(50'000, 'a') + R"(b"})"),
            Failures{"a must match the pattern (a+)+$"});
}

// spec S-80: what cannot be matched in about a second is refused
TEST(Validation, TheCostOfAllPatternsOfAPayloadIsBounded) {
  const Rules rules(
      fieldA(R"("ARRAY", "fields": {"b": {"type": "STRING", "pattern": "^[xy]{450}"}})"));
  const std::string element = R"({"b": ")" + std::string(50'000, 'x') + R"("})";
  const std::string four = element + "," + element + "," + element + "," + element;
  EXPECT_EQ(rules.failuresOf(R"({"a": [)" + four + "]}"), Failures());
  EXPECT_EQ(rules.failuresOf(R"({"a": [)" + four + "," + element + "]}"),
            Failures{"a.4.b is too long for its pattern"});
}

// spec S-81: all failures at once, in the order in which they are declared
TEST(Validation, NestedFailuresAreReportedAtOnceInTheOrderOfTheirDeclaration) {
  const Rules rules(R"([
    {"field": {"tags": {"type": "STRINGARRAY", "items_min_length": 3}}},
    {"field": {"items": {"type": "ARRAY", "fields": {
      "price": {"type": "NUMBER"}, "kind": {"type": "ENUM", "values": ["a", "b"]}}}}},
    {"field": {"address": {"type": "OBJECT", "fields": {"city": {"type": "STRING"}}}}},
    {"field": {"a": {"type": "BOOLEAN"}}}])");
  EXPECT_EQ(
      rules.failuresOf(R"({"address": {}, "a": "no", "items": [{"kind": "c"}, {"price": 1,
              "kind": "a"}, {"kind": 1, "price": "2"}], "tags": ["x", "xyz", ""]})"),
      (Failures{"tags.0 must have at least 3 characters", "tags.2 must have at least 3 characters",
                "items.0.price is required", "items.0.kind must be one of: a, b",
                "items.2.price must be a number", "items.2.kind must be one of: a, b",
                "address.city is required", "a must be true or false"}));
}

// spec S-81: a client chooses how many elements it sends
TEST(Validation, AHundredFailuresAreListedAndThenThatThereAreMore) {
  const Rules rules(R"([{"field": {"a": {"type": "STRINGARRAY"}}},
                        {"field": {"b": {"type": "ARRAY", "fields": {"c": {"type": "NUMBER"}}}}}])");
  const auto texts = [](std::size_t count, const std::string& one) {
    std::string list = one;
    for (std::size_t i = 1; i < count; ++i) list += "," + one;
    return "[" + list + "]";
  };
  const auto failures = [&](std::size_t of_a, std::size_t of_b) {
    return rules.failuresOf(R"({"a": )" + texts(of_a, "1") + R"(, "b": )" + texts(of_b, "{}") +
                            "}");
  };
  EXPECT_EQ(failures(98, 1).size(), 99u);
  EXPECT_EQ(failures(99, 1).size(), 100u);
  EXPECT_EQ(failures(99, 1).back(), "b.0.c is required");
  for (const std::size_t of_b : {std::size_t{2}, std::size_t{3}, std::size_t{50'000}}) {
    const Failures all = failures(99, of_b);
    ASSERT_EQ(all.size(), 101u);
    EXPECT_EQ(all[99], "b.0.c is required");
    EXPECT_EQ(all[100], "more than 100 fields fail; the others are not listed");
  }
  Failures full = failures(200, 1);
  EXPECT_FALSE(rules.validation.validate(valueOf("{}"), {}, full));
  EXPECT_EQ(full.size(), 101u) << "the next action of the same call adds nothing";
}

// spec S-81: messages hold declared names and indexes alone
TEST(Validation, MessagesNeverRepeatWhatTheClientSent) {
  const Rules rules(R"([{"field": {"a": {"type": "ENUM", "values": ["x"]}, "b": {"type": "UUID"},
      "c": {"type": "STRING", "pattern": "^x$"}, "d": {"type": "NUMBER"}, "e": {"type": "EMAIL"},
      "f": {"type": "DATETIME"}, "g": {"type": "OBJECT"}}}])");
  const Failures failures = rules.failuresOf(R"({"a": "secret", "b": "secret", "c": "secret",
      "d": "secret", "e": "secret", "f": "secret", "g": "secret", "secret": 1})");
  EXPECT_EQ(failures.size(), 7u);
  for (const std::string& failure : failures) {
    EXPECT_EQ(failure.find("secret"), std::string::npos) << failure;
  }
}

}  // namespace
}  // namespace sub0::dialect::validation_test
