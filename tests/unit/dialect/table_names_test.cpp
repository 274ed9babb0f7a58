// SPDX-License-Identifier: Apache-2.0
#include "dialect/table_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

using testing::ElementsAre;

// spec S-101
TEST(TableNames, CandidatesAreTheNameWithoutUnderscoreAndThePluralsOfBoth) {
  EXPECT_THAT(tableCandidates("_user"), ElementsAre("_user", "user", "_users", "users"));
  EXPECT_THAT(tableCandidates("user"), ElementsAre("user", "users"));
  EXPECT_THAT(tableCandidates("_inquiry"),
              ElementsAre("_inquiry", "inquiry", "_inquiries", "inquiries"));
  EXPECT_THAT(tableCandidates("news"), ElementsAre("news"));
}

// spec S-101
TEST(TableNames, PluralsAreEnglish) {
  const std::pair<const char*, const char*> cases[] = {
      {"user", "users"},
      {"inquiry", "inquiries"},
      {"day", "days"},
      {"bus", "buses"},
      {"box", "boxes"},
      {"match", "matches"},
      {"dish", "dishes"},
      {"buzz", "buzzes"},
      {"person", "people"},
      {"child", "children"},
      {"user_address", "user_addresses"},
      {"sales_person", "sales_people"},
      {"UserRole", "UserRoles"},
      {"Category", "Categories"},
      {"Person", "People"},
      {"status", "statuses"},
      {"_", "_"},
      {"quiz", "quizzes"},
  };
  for (const auto& [word, plural] : cases) EXPECT_THAT(pluralsOf(word), ElementsAre(plural));
}

// spec S-101
TEST(TableNames, SomeWordsHaveTwoPlurals) {
  EXPECT_THAT(tableCandidates("_index"),
              ElementsAre("_index", "index", "_indexes", "_indices", "indexes", "indices"));
  EXPECT_THAT(pluralsOf("Sub_Matrix"), ElementsAre("Sub_Matrixes", "Sub_Matrices"));
  EXPECT_THAT(pluralsOf("textAppendix"), ElementsAre("textAppendixes", "textAppendices"));
  EXPECT_THAT(pluralsOf("salesman"), ElementsAre("salesmans", "salesmen"));
  EXPECT_THAT(pluralsOf("SalesMan"), ElementsAre("SalesMans", "SalesMen"));
  for (const char* one : {"human", "german", "talisman", "shaman", "prefix", "complex"}) {
    EXPECT_EQ(pluralsOf(one).size(), 1u) << one;
  }
  EXPECT_THAT(pluralsOf("man"), ElementsAre("men"));
  EXPECT_THAT(pluralsOf("woman"), ElementsAre("women"));
}

TEST(TableNames, IdentifiersAreWhatEveryDatabaseTakes) {
  for (const char* good : {"a", "_a1", "userId", "A"}) EXPECT_TRUE(isIdentifier(good)) << good;
  for (const char* bad : {"", "1a", "a-b", "a b", "é", "a\"", "a;"}) {
    EXPECT_FALSE(isIdentifier(bad)) << bad;
  }
  EXPECT_TRUE(isIdentifier(std::string(63, 'a')));
  EXPECT_FALSE(isIdentifier(std::string(64, 'a')));
}

struct Chosen {
  std::vector<std::string> tables;
  Problems problems;
};

Chosen choose(const std::vector<std::string>& names, const std::vector<std::string>& used) {
  static const SourceFile file("project/resources/a.json", "{}");
  std::vector<TableModel> models;
  for (const std::string& name : names) {
    models.emplace_back();
    models.back().name = name;
    models.back().place = Spot{&file, ""};
  }
  std::vector<TableUse> uses;
  for (const std::string& table : used) uses.push_back({table, Spot{&file, ""}});
  Chosen chosen;
  for (const TableChoice& choice : chooseTables(models, uses, chosen.problems)) {
    chosen.tables.push_back(choice.table + (choice.is_used ? "" : "?"));
  }
  return chosen;
}

// spec S-101
TEST(TableNames, TheCandidateThatTheSqlUsesIsChosenElseTheModelsName) {
  EXPECT_THAT(choose({"_user"}, {"users", "orders"}).tables, ElementsAre("users"));
  EXPECT_THAT(choose({"_inquiry"}, {"_inquiry"}).tables, ElementsAre("_inquiry"));
  EXPECT_THAT(choose({"_user"}, {}).tables, ElementsAre("_user?"));
  EXPECT_THAT(choose({"User"}, {"users", "users"}).tables, ElementsAre("users"));
  EXPECT_EQ(choose({"_user", "team"}, {"users", "team"}).problems.toText(), "");
}

// spec S-101: PostgreSQL cuts longer names, and would find no such table again
TEST(TableNames, TablesWhoseNamesNoDatabaseKeepsAreErrors) {
  const std::string longest(63, 'a');
  EXPECT_EQ(choose({longest}, {longest}).problems.errorCount(), 0u);
  EXPECT_EQ(choose({longest}, {longest + "s"}).problems.errorCount(), 1u);
  for (const char* taken : {"sqlite_users", "SQLite_x", "_sub0_tokens"}) {
    const Chosen chosen = choose({taken}, {});
    ASSERT_EQ(chosen.problems.errorCount(), 1u) << taken;
    EXPECT_NE(chosen.problems.all()[0].message.find("_names.json"), std::string::npos);
  }
  EXPECT_EQ(choose({"sub0_x"}, {}).problems.errorCount(), 0u);
}

// spec S-101
TEST(TableNames, SeveralCandidatesAndTwoModelsOfOneTableAreErrors) {
  const Chosen several = choose({"_user"}, {"users", "_user"});
  ASSERT_EQ(several.problems.errorCount(), 1u);
  EXPECT_NE(several.problems.all()[0].message.find("\"users\""), std::string::npos);
  EXPECT_NE(several.problems.all()[0].message.find("\"_user\""), std::string::npos);
  EXPECT_NE(several.problems.all()[0].message.find("_names.json"), std::string::npos);
  EXPECT_EQ(choose({"_user", "users"}, {"users"}).problems.errorCount(), 1u);
}

// spec S-100, S-101: fts takes the table TABLE_fts on some databases
TEST(TableNames, AModelIsNotTheTableOfTheWordsOfAnother) {
  static const SourceFile file("project/models/item.json", "{}");
  std::vector<TableModel> models(2);
  models[0].name = "item";
  models[1].name = "Item_fts";
  for (TableModel& model : models) model.place = Spot{&file, ""};
  ModelField text;
  text.name = "text";
  models[0].fields = {text};
  Problems none;
  chooseTables(models, {}, none);
  EXPECT_EQ(none.errorCount(), 0u) << none.toText();
  models[0].fields[0].fts = true;
  Problems problems;
  chooseTables(models, {}, problems);
  ASSERT_EQ(problems.errorCount(), 1u);
  EXPECT_NE(problems.all()[0].message.find("holds the words of model item"), std::string::npos);
}

}  // namespace
}  // namespace sub0::dialect
