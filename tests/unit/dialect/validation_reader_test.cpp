// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dialect/validation.hpp"
#include "tests/unit/dialect/memory_files.hpp"

// What check says of payload_validation: by its declaration, and by what is read from it.
namespace sub0::dialect::validation_reader_test {
namespace {

const std::string kList = "/actionables/0/payload_validation";

Loaded loadList(const std::string& elements) {
  return loadText(resourceText(R"({"id": 1, "mode": "VALUE", "value": 1, "payload_validation": [)" +
                               elements + "]}"));
}

/// A field "a" of this type, and more beside it.
Loaded loadType(const std::string& type, const std::string& beside = "") {
  return loadList(R"({"field": {"a": )" + type + "}" + beside + "}");
}

struct Row {
  std::string type;
  std::string pointer;  // below that of the field
};

// spec S-80: every wrong shape is an error with its place
TEST(ValidationReader, WrongShapesAreErrorsWithTheirPlaces) {
  const Row rows[] = {
      {R"({"type": "OBJET"})", "/type"},
      {R"({"type": "ENUM"})", ""},
      {R"({"type": "ENUM", "values": []})", "/values"},
      {R"({"type": "ENUM", "values": "a"})", "/values"},
      {R"({"type": "ENUM", "values": ["a", null]})", "/values/1"},
      {R"({"type": "ENUM", "values": [["a"]]})", "/values/0"},
      {R"({"type": "NUMBER", "min": 2, "max": 1})", "/min"},
      {R"({"type": "NUMBER", "min": 1.5, "max": 1.25})", "/min"},
      {R"({"type": "NUMBER", "min": "1"})", "/min"},
      {R"({"type": "STRINGARRAY", "items_min_length": 3, "items_max_length": 2})",
       "/items_min_length"},
      {R"({"type": "STRINGARRAY", "items_min_length": -1})", "/items_min_length"},
      {R"({"type": "STRINGARRAY", "items_max_length": -1})", "/items_max_length"},
      {R"({"type": "STRINGARRAY", "arr_length": -1})", "/arr_length"},
      {R"({"type": "ARRAY", "arr_length": 1.5})", "/arr_length"},
      {R"({"type": "STRING", "optional": 1})", "/optional"},
      {R"({"type": "STRING", "pattern": 1})", "/pattern"},
      {R"({"type": "STRING", "pattern": ""})", "/pattern"},
      {R"({"type": "STRING", "pattern": "(a"})", "/pattern"},
      {R"x({"type": "STRING", "pattern": "(?=a)"})x", "/pattern"},
      {R"({"type": "OBJECT", "fields": []})", "/fields"},
      {R"({"type": "OBJECT", "fields": false})", "/fields"},
      {R"({"type": "OBJECT", "fields": {"b": "STRING"}})", "/fields/b"},
      {R"({"type": "OBJECT", "fields": {"b": {}}})", "/fields/b"},
      {R"({"type": "OBJECT", "fields": {"b": {"type": "TEXT"}}})", "/fields/b/type"},
      {R"({"type": "OBJECT", "fields": {"b": {"type": "STRING", "min_length": 3, "max_length": 2}}})",
       "/fields/b/min_length"},
      {R"({"type": "OBJECT", "fields": {"b": {"type": "STRING", "min_length": -1}}})",
       "/fields/b/min_length"},
      {R"({"type": "OBJECT", "fields": {"b": {"type": "STRING", "pattern": "["}}})",
       "/fields/b/pattern"},
      {R"({"type": "ARRAY", "fields": {"b/c": {"type": "ENUM"}}})", "/fields/b~1c"},
  };
  for (const Row& row : rows) {
    const Loaded loaded = loadType(row.type);
    EXPECT_TRUE(loaded.hasError("S-80", kList + "/0/field/a" + row.pointer))
        << row.type << "\n"
        << loaded.problems.toText();
    EXPECT_EQ(loaded.problems.errorCount(), 1u) << row.type << "\n" << loaded.problems.toText();
  }
  EXPECT_EQ(loadType(rows[0].type).find("S-80", kList + "/0/field/a/type")->suggestion, "OBJECT");
}

// spec S-80: at the edges nothing is said
TEST(ValidationReader, LimitsMayBeEqual) {
  for (
      const char* const type :
      {R"({"type": "NUMBER", "min": 1, "max": 1.0})",
       R"({"type": "STRINGARRAY", "items_min_length": 0, "items_max_length": 0, "arr_length": 0})",
       R"({"type": "OBJECT", "fields": {"b": {"type": "EMAIL", "min_length": 2, "max_length": 2}}})",
       R"({"type": "STRING", "optional": true, "pattern": "^a$"})",
       R"({"type": "ENUM", "values": ["a", 1, 1.5, true]})", R"({"type": "OBJECT"})",
       R"({"type": "OBJECT", "fields": {}})", R"({"type": "NUMBER", "max": null})",
       R"({"type": "ARRAY"})", R"({"type": "BOOLEAN"})", R"({"type": "UUID"})",
       R"({"type": "DATETIME", "pattern": "Z$"})"}) {
    EXPECT_EQ(loadType(type).problems.toText(), "") << type;
  }
  EXPECT_EQ(
      loadType(R"({"type": "UUID"})", R"(, "min_length": 1, "max_length": 1)").problems.toText(),
      "");
}

// spec S-80: what has no meaning for a type is a warning
TEST(ValidationReader, KeysThatDoNothingForATypeWarn) {
  const Row rows[] = {
      {R"({"type": "STRING", "fields": {"b": {"type": "STRING"}}})", "/fields"},
      {R"({"type": "NUMBER", "pattern": "1"})", "/pattern"},
      {R"({"type": "ENUM", "values": ["a"], "pattern": "a"})", "/pattern"},
      {R"({"type": "STRING", "min": 1})", "/min"},
      {R"({"type": "STRING", "max": 1})", "/max"},
      {R"({"type": "STRING", "values": ["a"]})", "/values"},
      {R"({"type": "STRING", "arr_length": 1})", "/arr_length"},
      {R"({"type": "ARRAY", "items_min_length": 1})", "/items_min_length"},
      {R"({"type": "ARRAY", "items_max_length": 1})", "/items_max_length"},
      {R"({"type": "NUMBER", "min_length": 1})", "/min_length"},
      {R"({"type": "OBJECT", "fields": {"b": {"type": "BOOLEAN", "max_length": 1}}})",
       "/fields/b/max_length"},
  };
  for (const Row& row : rows) {
    const Loaded loaded = loadType(row.type);
    EXPECT_TRUE(loaded.hasWarning("S-80", kList + "/0/field/a" + row.pointer))
        << row.type << "\n"
        << loaded.problems.toText();
    EXPECT_EQ(loaded.problems.all().size(), 1u) << loaded.problems.toText();
  }
  const Loaded beside = loadType(R"({"type": "NUMBER"})", R"(, "min_length": 3)");
  EXPECT_TRUE(beside.hasWarning("S-80", kList + "/0/field/a")) << beside.problems.toText();
}

// spec S-80, S-2
TEST(ValidationReader, AFieldIsDeclaredOnceInItsObject) {
  const Loaded top =
      loadList(R"({"field": {"a": {"type": "STRING"}}}, {"field": {"a": {"type": "EMAIL"}}})");
  EXPECT_TRUE(top.hasError("S-80", kList + "/1/field/a")) << top.problems.toText();
  const Loaded nested = loadType(
      R"({"type": "OBJECT", "fields": {"b": {"type": "STRING"}, "b": {"type": "STRING"}}})");
  EXPECT_TRUE(nested.hasError("S-2", kList + "/0/field/a/fields/b")) << nested.problems.toText();
  const Loaded apart = loadType(R"({"type": "OBJECT", "fields": {"a": {"type": "STRING"}}})");
  EXPECT_EQ(apart.problems.toText(), "");
}

// spec S-80: what stands inside the type bounds the text all the same
TEST(ValidationReader, LengthsInTheTypeOfATopLevelTextHoldWithAWarning) {
  struct {
    const char *type, *beside;
    std::optional<std::uint64_t> least, most;
  } const rows[] = {
      {R"({"type": "STRING", "max_length": 4})", "", std::nullopt, 4},
      {R"({"type": "STRING", "min_length": 2, "max_length": 4})", R"(, "max_length": 9)", 2, 4},
      {R"({"type": "EMAIL", "min_length": 2, "max_length": 9})",
       R"(, "min_length": 3, "max_length": 4)", 3, 4},
  };
  for (const auto& row : rows) {
    const Loaded loaded = loadType(row.type, row.beside);
    EXPECT_FALSE(loaded.problems.hasErrors()) << loaded.problems.toText();
    EXPECT_TRUE(loaded.hasWarning("S-80", kList + "/0/field/a/max_length")) << row.type;
    const FieldRule* rule = loaded.project->resources()[0].actionables[0].validation.find("a");
    ASSERT_NE(rule, nullptr);
    EXPECT_EQ(rule->length.least, row.least) << row.type;
    EXPECT_EQ(rule->length.most, row.most) << row.type;
  }
  const Loaded crossed = loadType(R"({"type": "STRING", "max_length": 2})", R"(, "min_length": 3)");
  EXPECT_TRUE(crossed.hasError("S-80", kList + "/0/field/a")) << crossed.problems.toText();
}

// spec S-80: lengths of a top-level text
TEST(ValidationReader, CrossedLimitsBesideAFieldAreAnError) {
  const Loaded loaded = loadType(R"({"type": "STRING"})", R"(, "min_length": 3, "max_length": 2)");
  EXPECT_TRUE(loaded.hasError("S-80", kList + "/0/min_length")) << loaded.problems.toText();
}

// spec S-80: 32 levels, and no more
TEST(ValidationReader, TheNestingOfFieldsIsBounded) {
  const auto nested = [](std::size_t levels) {
    std::string type = R"({"type": "STRING"})";
    for (std::size_t i = 0; i < levels; ++i) {
      type = R"({"type": "OBJECT", "fields": {"b": )" + type + "}}";
    }
    return loadType(type);
  };
  EXPECT_EQ(nested(kMaxFieldDepth).problems.toText(), "");
  std::string pointer = kList + "/0/field/a";
  for (std::size_t i = 0; i < kMaxFieldDepth; ++i) pointer += "/fields/b";
  const Loaded loaded = nested(kMaxFieldDepth + 1);
  EXPECT_TRUE(loaded.hasError("S-80", pointer + "/fields")) << loaded.problems.toText();
  EXPECT_EQ(nested(kMaxFieldDepth + 20).problems.errorCount(), 1u);
}

// spec S-63: declared names are those of the top level
TEST(ValidationReader, DeclaredNamesAreThoseOfTheTopLevel) {
  const Loaded loaded =
      loadList(R"({"field": {"outer": {"type": "OBJECT", "fields": {"inner": {"type": "STRING"}}}}},
                  {"field": {"other": {"type": "STRING", "optional": true}}})");
  ASSERT_EQ(loaded.problems.toText(), "");
  const auto& action = loaded.project->resources().at(0).actionables.at(0);
  EXPECT_EQ(action.names.declared_payload, (std::vector<std::string>{"outer", "other"}));
}

// spec S-113: a top-level `id` that is a NUMBER, whatever else is said of it
TEST(ValidationReader, AnIdThatIsANumberIsKnown) {
  const auto id_is_number = [](const std::string& fields) {
    const Loaded loaded = loadList(R"({"field": )" + fields + "}");
    EXPECT_EQ(loaded.problems.toText(), "");
    return loaded.project->resources().at(0).id_is_number;
  };
  EXPECT_TRUE(id_is_number(R"({"id": {"type": "NUMBER", "min": 1, "optional": true}})"));
  EXPECT_FALSE(id_is_number(R"({"id": {"type": "UUID"}})"));
  EXPECT_FALSE(id_is_number(R"({"o": {"type": "OBJECT", "fields": {"id": {"type": "NUMBER"}}}})"));
}

}  // namespace
}  // namespace sub0::dialect::validation_reader_test
