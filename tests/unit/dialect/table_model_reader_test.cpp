// SPDX-License-Identifier: Apache-2.0
#include "dialect/table_model_reader.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

const std::string kResource = resourceText(R"({"id": 1, "mode": "VALUE", "value": 1})");

Loaded loadModels(std::map<std::string, std::string> models) {
  std::map<std::string, std::string> files{{"project/resources/a.json", kResource}};
  for (auto& [name, text] : models) files["project/models/" + name + ".json"] = text;
  return loadFiles(std::move(files));
}

// spec S-100
TEST(TableModelReader, EveryKeyOfAFieldIsRead) {
  const Loaded loaded =
      loadModels({{"_user", R"({
    // a comment
    "id": {"type": "Number", "primary_key": true, "auto_increment": true},
    "email": {"type": "String", "max_length": 120, "indexable": true, "fts": true},
    "team": {"type": "String", "optional": true, "foreign_key": {"of": "teams", "key": "code"}},
    "a": {"type": "Float"}, "b": {"type": "Boolean"}, "c": {"type": "DateTime"},
    "d": {"type": "JSON_OBJECT", "properties": {"x": {"type": "String"}}},
    "e": {"type": "JSON_ARRAY", "property_type": "String"},
  })"},
                  {"_team", R"({"code": {"type": "String", "primary_key": true}})"},
                  {"_names", R"({"_team": "squads"})"}});
  EXPECT_EQ(loaded.problems.toText(), "");
  const auto& models = loaded.project->models();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "_team");
  EXPECT_EQ(models[0].settled_table, "squads");
  const TableModel& user = models[1];
  ASSERT_EQ(user.fields.size(), 8u);
  EXPECT_TRUE(user.find("id")->primary_key && user.find("id")->auto_increment);
  EXPECT_EQ(user.find("email")->max_length, 120);
  EXPECT_TRUE(user.find("email")->indexable && user.find("email")->fts);
  EXPECT_FALSE(user.find("email")->optional);
  EXPECT_TRUE(user.find("team")->optional);
  EXPECT_EQ(user.find("team")->foreign_key->model, 0u);
  EXPECT_EQ(user.find("team")->foreign_key->key, "code");
  EXPECT_EQ(nameOf(user.find("e")->type), "JSON_ARRAY");
  EXPECT_EQ(user.find("f"), nullptr);
}

// spec S-1, S-100
TEST(TableModelReader, OnlyJsonFilesRightInTheFolderAreModels) {
  std::map<std::string, std::string> files{
      {"project/resources/a.json", kResource},
      {"project/models/notes.txt", "x"},
      {"project/models/.hidden.json", "x"},
      {"project/models/deep/b.json", "x"},
      {"project/models/a.json", R"({"a": {"type": "Float"}})"}};
  const Loaded loaded = loadFiles(std::move(files));
  EXPECT_EQ(loaded.problems.toText(), "");
  EXPECT_EQ(loaded.project->models().size(), 1u);
}

// spec S-100, S-104, S-101
TEST(TableModelReader, WhatIsWrongIsToldWithItsPlace) {
  struct Row {
    const char* model;
    const char* rule;
    const char* pointer;
  };
  const Row rows[] = {
      {R"([])", "S-100", ""},
      {R"({})", "S-100", ""},
      {R"({"a": {"type": "Text"}})", "S-100", "/a/type"},
      {R"({"a": {"type": "String", "max_length": 0}})", "S-100", "/a/max_length"},
      {R"({"a": {"type": "String", "auto_increment": true, "primary_key": true}})", "S-104",
       "/a/auto_increment"},
      {R"({"a": {"type": "Number", "auto_increment": true}})", "S-104", "/a/auto_increment"},
      {R"({"a": {"type": "Number", "primary_key": true}, "b": {"type": "Number", "primary_key": true}})",
       "S-100", "/b/primary_key"},
      {R"({"a": {"type": "Number", "primary_key": true, "optional": true}})", "S-100",
       "/a/optional"},
      {R"({"a b": {"type": "Number"}})", "S-100", "/a b"},
      {R"({"a": {"type": "Number"}, "A": {"type": "Number"}})", "S-100", "/A"},
      {R"({"a": {"type": "Number", "foreign_key": {"of": "x", "key": "a"}}})", "S-100",
       "/a/foreign_key/of"},
      {R"({"a": {"type": "Number", "foreign_key": {"of": "model", "key": "b"}}})", "S-100",
       "/a/foreign_key/key"},
      {R"({"a": {"type": "Number", "foreign_key": {"of": "models", "key": "a"}}})", "S-100",
       "/a/foreign_key/key"},
      {R"({"a": {"type": "Number", "primary_key": true},
           "b": {"type": "Float", "foreign_key": {"of": "model", "key": "a"}}})",
       "S-100", "/b/foreign_key"},
  };
  for (const Row& row : rows) {
    const Loaded loaded = loadModels({{"model", row.model}});
    EXPECT_TRUE(loaded.hasError(row.rule, row.pointer)) << row.model << loaded.problems.toText();
    EXPECT_EQ(loaded.problems.errorCount(), 1u) << loaded.problems.toText();
  }
}

// spec S-100, S-101
TEST(TableModelReader, NamesOfTablesAreIdentifiers) {
  const std::string text = R"({"a": {"type": "Number"}})";
  EXPECT_EQ(loadModels({{"user-role", text}}).problems.errorCount(), 1u);
  EXPECT_EQ(
      loadModels({{"user-role", text}, {"_names", R"({"user-role": "roles"})"}}).problems.toText(),
      "");
  const Loaded bad = loadModels({{"user", text}, {"_names", R"({"user": "a b", "usre": "x"})"}});
  EXPECT_TRUE(bad.hasError("S-101", "/user"));
  EXPECT_TRUE(bad.hasError("S-101", "/usre"));
}

// spec S-100
TEST(TableModelReader, AReferenceMeansAModelByAnyNameOfItsTable) {
  const std::string team = R"({"id": {"type": "Number", "primary_key": true}})";
  for (const char* name : {"_team", "team", "_teams", "teams"}) {
    const Loaded loaded =
        loadModels({{"_team", team},
                    {"user", R"({"t": {"type": "Number", "foreign_key": {"of": ")" +
                                 std::string(name) + R"(", "key": "id"}}})"}});
    EXPECT_EQ(loaded.problems.toText(), "") << name;
  }
  const Loaded both = loadModels(
      {{"_team", team},
       {"team", team},
       {"user", R"({"t": {"type": "Number", "foreign_key": {"of": "teams", "key": "id"}}})"}});
  EXPECT_TRUE(both.hasError("S-100", "/t/foreign_key/of"));
}

}  // namespace
}  // namespace sub0::dialect
