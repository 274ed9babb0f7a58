// SPDX-License-Identifier: Apache-2.0
#include "dialect/files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "dialect/dotenv.hpp"
#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

using Paths = std::vector<std::string>;

// spec S-1
TEST(Files, AProjectFolderIsReadAtAnyDepthWithoutWhatIsNoResource) {
  MemoryFiles files({{"p/resources/a.json", ""},
                     {"p/resources/x/y/b.json", ""},
                     {"p/resources/models/m.json", ""},
                     {"p/resources/.hidden/h.json", ""},
                     {"p/resources/node_modules/n.json", ""},
                     {"p/resources/package.json", ""},
                     {"p/resources/tsconfig.json", ""},
                     {"p/resources/readme.md", ""},
                     {"p/other.json", ""},
                     {"p/models/m.json", ""},
                     {"p/.env", ""}});
  const ProjectLayout layout = findProject(files, "p/");
  EXPECT_EQ(layout.project_folder, "p");
  EXPECT_EQ(layout.resource_folder, "p/resources");
  EXPECT_EQ(layout.models_folder, "p/models");
  EXPECT_EQ(layout.env_file, "p/.env");
  Problems problems;
  EXPECT_EQ(listResourceFiles(files, layout, problems),
            (Paths{"p/resources/a.json", "p/resources/x/y/b.json"}));
}

// spec S-1
TEST(Files, AFolderOfResourceFilesFindsModelsAndEnvInsideOrBesideIt) {
  MemoryFiles beside({{"p/resources/a.json", ""}, {"p/models/m.json", ""}, {"p/.env", ""}});
  const ProjectLayout outer = findProject(beside, "p/resources");
  EXPECT_EQ(outer.resource_folder, "p/resources");
  EXPECT_EQ(outer.project_folder, "p");
  EXPECT_EQ(outer.models_folder, "p/models");
  EXPECT_EQ(outer.env_file, "p/.env");
  MemoryFiles inside({{"q/a.json", ""}, {"q/deep/b.json", ""}, {"q/models/m.json", ""}});
  const ProjectLayout inner = findProject(inside, "q");
  EXPECT_EQ(inner.project_folder, "q");
  EXPECT_EQ(inner.models_folder, "q/models");
  EXPECT_EQ(inner.env_file, "");
  Problems problems;
  EXPECT_EQ(listResourceFiles(inside, inner, problems), (Paths{"q/a.json", "q/deep/b.json"}));
}

// spec S-1
TEST(Files, AMissingOrEmptyFolderIsAnError) {
  const Loaded missing = loadFiles({{"elsewhere/a.json", "{}"}});
  EXPECT_EQ(missing.problems.errorCount(), 1u);
  const Loaded empty = loadFiles({{"project/readme.md", ""}});
  ASSERT_EQ(empty.problems.errorCount(), 1u);
  EXPECT_EQ(empty.problems.all()[0].rule, "S-1");
}

// spec S-1
TEST(Files, TheFileSystemIsReadTheSameWay) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("sub0-files-test-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "resources" / "deep");
  std::ofstream(folder / "resources" / "deep" / "a.json") << "{}";
  std::ofstream(folder / "resources" / "empty.json");
  FileSystemReader files;
  const ProjectLayout layout = findProject(files, folder.string());
  Problems problems;
  const Paths found = listResourceFiles(files, layout, problems);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(files.read(found[0]), "{}");
  EXPECT_EQ(files.read(found[1]), "");
  EXPECT_EQ(files.read(folder.string()), std::nullopt);
  EXPECT_EQ(files.list((folder / "none").string()), std::nullopt);
  std::filesystem::remove_all(folder);
}

// spec S-1
TEST(Files, LinksThatLeadBackOrNowhereAndFoldersThatLookLikeFilesAreNamed) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("sub0-links-test-" + std::to_string(::getpid()));
  const auto resources = folder / "resources";
  std::filesystem::create_directories(resources / "folder.json");
  std::ofstream(resources / "folder.json" / "a.json")
      << R"({"id": "a", "resource": "a", "maintenance": true, "actionables": []})";
  std::filesystem::create_directory_symlink(".", resources / "back");
  std::filesystem::create_symlink("itself.json", resources / "itself.json");
  FileSystemReader files;
  Problems problems;
  const auto project = Project::load(files, folder.string(), usualOptions(), problems);
  EXPECT_EQ(project->resources().size(), 1u);
  const std::string at = resources.string() + "/";
  EXPECT_EQ(problems.toText(),
            at +
                "back: warning: this link leads back to a folder that it stands in; it is not "
                "followed (S-1)\n" +
                at +
                "folder.json: warning: this is a folder, in spite of its name; resources are "
                "read inside it (S-1)\n" +
                at +
                "itself.json: error: this file cannot be read: Too many levels of symbolic "
                "links (S-1)\n");
  std::filesystem::remove_all(folder);
}

// spec S-3
TEST(DotEnv, LinesAreReadInTheFormsThatPeopleWrite) {
  Problems problems;
  const EnvironmentValues values = parseDotEnv(
      "# comment\n"
      "PLAIN=a b c  # note\r\n"
      "export EXPORTED = x=y#z\n"
      "SINGLE='a \\n $B' # note\n"
      "DOUBLE=\"a\\n\\\"b\\\" \\$C # kept\"\n"
      "EMPTY=\n"
      "\n"
      "PLAIN2=last",
      ".env", problems);
  const EnvironmentValues expected{{"PLAIN", "a b c"},     {"EXPORTED", "x=y#z"},
                                   {"SINGLE", "a \\n $B"}, {"DOUBLE", "a\n\"b\" $C # kept"},
                                   {"EMPTY", ""},          {"PLAIN2", "last"}};
  EXPECT_EQ(values, expected);
  EXPECT_TRUE(problems.empty());
}

// spec S-3
TEST(DotEnv, ALineThatIsNoAssignmentWarnsWithoutShowingIt) {
  Problems problems;
  const auto values = parseDotEnv("A=1\nsecret stuff\n1X=2\nQ=\"ended\" x\n", "x/.env", problems);
  EXPECT_EQ(values.size(), 1u);
  ASSERT_EQ(problems.warningCount(), 3u);
  EXPECT_EQ(problems.all()[0].place.position.line, 2u);
  EXPECT_EQ(problems.toText().find("secret stuff"), std::string::npos);
}

// spec S-3: what was meant to be in a quote that nothing ends is on other lines
TEST(DotEnv, AQuoteThatIsNotClosedIsAnErrorOfItsLine) {
  for (const std::string open : {"\"secret", "'secret", "\"", "\"secret\\\"", "'secret\" # \""}) {
    Problems problems;
    const auto values = parseDotEnv("A=1\nQ=" + open + "\nB=2\n", "x/.env", problems);
    EXPECT_EQ(values, (EnvironmentValues{{"A", "1"}, {"B", "2"}})) << open;
    EXPECT_EQ(problems.toText().find("x/.env:2:1: error: a quote is not closed on this line"), 0u)
        << open << problems.toText();
    EXPECT_EQ(problems.toText().find("secret"), std::string::npos);
  }
}

TEST(Problems, AreSortedByPlaceAndWrittenAsLinesAndJson) {
  Problems problems;
  problems.warning({"b.json", "/x", {2, 3}}, "S-2", "unknown key \"x\"", "y");
  problems.error({"a.json", "", {9, 1}}, "S-1", "bad\x1b[0m");
  problems.error({"settings", "", {}}, "", "no place");
  problems.error({"a.json", "/i", {1, 1}}, "S-24", "circle");
  problems.error({"a.json", "/i", {1, 1}}, "S-24", "circle");
  problems.sort();
  EXPECT_EQ(problems.errorCount(), 3u);
  EXPECT_EQ(problems.warningCount(), 1u);
  EXPECT_EQ(problems.toText(),
            "a.json:1:1: error: circle [/i] (S-24)\n"
            "a.json:9:1: error: bad\\x1b[0m (S-1)\n"
            "b.json:2:3: warning: unknown key \"x\"; did you mean \"y\"? [/x] (S-2)\n"
            "settings: error: no place\n");
  const json::Value parsed = valueOf(problems.toJson());
  ASSERT_EQ(parsed.count, 4u);
  EXPECT_EQ(json::toString(parsed.as.items[2]),
            R"({"severity":"warning","file":"b.json","line":2,"column":3,"pointer":"/x",)"
            R"("rule":"S-2","message":"unknown key \"x\"","suggestion":"y"})");
  EXPECT_EQ(
      json::toString(parsed.as.items[3]),
      R"({"severity":"error","file":"settings","line":null,"column":null,"pointer":"","rule":"","message":"no place",)"
      R"("suggestion":""})");
}

}  // namespace
}  // namespace sub0::dialect
