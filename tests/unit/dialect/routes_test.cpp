// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/dialect/memory_files.hpp"

// What is said of names that were meant as something else: routes, and the project's folder.
namespace sub0::dialect {
namespace {

// spec S-11: a route is an address, not a pattern
TEST(Routes, ARouteThatOtherServersTakeForAPatternWarns) {
  const auto load = [](const std::string& route) {
    return loadText(R"({"id": "a", "maintenance": true, "resource": ")" + route +
                    R"(", "actionables": []})");
  };
  for (const char* const route : {"users/:id", ":id", "users/{id}/posts", "files-of/*", "**"}) {
    EXPECT_TRUE(load(route).hasWarning("S-11", "/resource")) << route;
    EXPECT_FALSE(load(route).problems.hasErrors()) << route;
  }
  for (const char* const route : {"users/id", "a:b", "users/{}", "a*", "users/:"}) {
    EXPECT_EQ(load(route).problems.toText(), "") << route;
  }
}

// spec S-1
TEST(Project, AFileInThePlaceOfTheFolderIsCalledOne) {
  const Loaded file =
      loadFiles({{"project/resources/a.json", "{}"}}, usualOptions(), "project/resources/a.json");
  EXPECT_EQ(file.problems.toText(),
            "project/resources/a.json: error: this is a file; name the project's folder (S-1)\n");
  const Loaded none = loadFiles({{"project/resources/a.json", "{}"}}, usualOptions(), "elsewhere");
  EXPECT_EQ(none.problems.toText(),
            "elsewhere: error: there is no such folder; name the project's, which holds "
            "resources/ (S-1)\n");
}

}  // namespace
}  // namespace sub0::dialect
