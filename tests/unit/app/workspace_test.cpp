// SPDX-License-Identifier: Apache-2.0
#include "app/workspace.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/call/call_rig.hpp"

namespace sub0::app {
namespace {

namespace fs = std::filesystem;

/// A folder that is gone after the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "sub0-workspace-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string folder(const std::string& name) const {
    fs::create_directories(path / name);
    return (path / name).string();
  }
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << content;
  }

  fs::path path;
};

/// $STATE_DIRECTORY for the time of a test.
class StateDirectory {
 public:
  explicit StateDirectory(const char* value) {
    if (value == nullptr) {
      ::unsetenv("STATE_DIRECTORY");
    } else {
      ::setenv("STATE_DIRECTORY", value, 1);
    }
  }
  ~StateDirectory() { ::unsetenv("STATE_DIRECTORY"); }
};

/// The words of a command line; the machine's own properties file is not read.
Arguments argumentsOf(std::vector<std::string> words) {
  words.insert(words.end(), {"--config", "/dev/null"});
  const CommandDeclaration command{"test", "", "", projectOptions()};
  return parseArguments(command, words).arguments;
}

TEST(Workspace, PluginFoldersOfTheCommandLineComeFirstEachOnce) {
  const TemporaryFolder temporary;
  const std::string first = temporary.folder("first"), second = temporary.folder("second");
  const Workspace workspace(
      argumentsOf({"--plugins", first, "--plugins", second, "--plugins", second + "/../first"}), "",
      false);
  const auto& folders = workspace.pluginFolders();
  ASSERT_GE(folders.size(), 2u);
  EXPECT_LE(folders.size(), 3u);  // the one beside the program or the packaged one
  EXPECT_EQ(folders[0].path, first);
  EXPECT_EQ(folders[1].path, second);
  EXPECT_FALSE(folders[0].is_packaged || folders[1].is_packaged);
}

TEST(Workspace, TheStateFolderIsTheFlagsThenSystemdsThenOneHere) {
  {
    const StateDirectory given("/var/lib/one:/var/lib/two");
    EXPECT_EQ(Workspace(argumentsOf({"--state", "/mine"}), "", false).stateFolder(), "/mine");
    EXPECT_EQ(Workspace(argumentsOf({}), "", false).stateFolder(), "/var/lib/one");
  }
  for (const char* none : {static_cast<const char*>(nullptr), ""}) {
    const StateDirectory given(none);
    EXPECT_EQ(Workspace(argumentsOf({}), "", false).stateFolder(), "./.sub0");
  }
}

std::string resource(const std::string& route, const std::string& step) {
  return R"({"id": ")" + route + R"(", "resource": ")" + route +
         R"(", "actionables": [{"id": 1, "mode": "STEP", "step": {"name": ")" + step + R"("}}]})";
}

/// A workspace with a project and a plugin that is linked into the test.
class Reloaded : public ::testing::Test {
 protected:
  Reloaded() {
    temporary.write("resources/a.json", resource("a", "first"));
    workspace = std::make_unique<Workspace>(argumentsOf({}), temporary.path.string(), true);
    EXPECT_TRUE(workspace->registry().add(&script.descriptor));
    workspace->loadProject();
    workspace->createPluginsOffline();
    workspace->compile();
    EXPECT_FALSE(workspace->sortedProblems().hasErrors()) << workspace->sortedProblems().toText();
    plans = workspace->takePlans();
  }
  ~Reloaded() override { plans.reset(); }

  TemporaryFolder temporary;
  call::test::ScriptPlugin script;
  std::unique_ptr<Workspace> workspace;
  std::shared_ptr<const call::PlanSet> plans;
};

TEST_F(Reloaded, FilesAreReadAnew) {
  temporary.write("resources/a.json", resource("a", "second"));
  temporary.write("resources/b.json", resource("b", "third"));
  dialect::Problems problems;
  const auto next = workspace->recompile(problems);
  ASSERT_NE(next, nullptr) << problems.toText();
  EXPECT_TRUE(problems.empty());
  EXPECT_NE(next->find("b"), nullptr);
  EXPECT_EQ(plans->find("b"), nullptr);
  plans.reset();
  EXPECT_EQ(script.released["first"], 1);
  EXPECT_EQ(script.released["second"], 0);
}

// Q-90: all errors of all files, and nothing of what is right is kept
TEST_F(Reloaded, ErrorsOfAllFilesAreFoundAndNothingIsKept) {
  temporary.write("resources/a.json", resource("a", "second"));
  temporary.write("resources/b.json", R"({"id": "b", "resource": )");
  temporary.write("resources/c.json",
                  R"({"id": "c", "resource": "c", "actionables": [{"id": 1, "mode": "STEPS"}]})");
  dialect::Problems problems;
  EXPECT_EQ(workspace->recompile(problems), nullptr);
  EXPECT_GE(problems.errorCount(), 2u) << problems.toText();
  EXPECT_NE(problems.toText().find("b.json"), std::string::npos);
  EXPECT_NE(problems.toText().find("c.json"), std::string::npos);
  EXPECT_EQ(script.released["second"], 1);
  EXPECT_EQ(script.released["first"], 0);
  EXPECT_FALSE(workspace->sortedProblems().hasErrors());
}

// S-3: as at start, a secret that is not there is an error
TEST_F(Reloaded, AMissingSecretIsAnError) {
  temporary.write("resources/a.json",
                  R"({"id": "a", "resource": "a", "tokenize": {"type": "JWT",)"
                  R"( "encryption_key": "$ENV.SUB0_TEST_OF_A_KEY_THAT_IS_NOT_SET"},)"
                  R"( "actionables": [{"id": 1, "mode": "STEP", "step": {"name": "x"}}]})");
  dialect::Problems problems;
  EXPECT_EQ(workspace->recompile(problems), nullptr);
  temporary.write(".env", "SUB0_TEST_OF_A_KEY_THAT_IS_NOT_SET=0123456789abcdef0123456789abcdef\n");
  dialect::Problems later;
  EXPECT_NE(workspace->recompile(later), nullptr) << later.toText();
}

}  // namespace
}  // namespace sub0::app
