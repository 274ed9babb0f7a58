// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

// The root of the source tree: above this file, or above the build that stands in it.
std::filesystem::path sourceRoot() {
  for (std::filesystem::path start :
       {std::filesystem::path(__FILE__), std::filesystem::read_symlink("/proc/self/exe")}) {
    for (; start.is_absolute() && start != start.root_path(); start = start.parent_path())
      if (std::filesystem::exists(start / "sdk" / "abi.txt")) return start;
  }
  return {};
}

std::string readFile(const std::string& path) {
  std::ifstream file(sourceRoot() / path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The thread words of a comment: "[loop] or [pool]" is "loop|pool"; empty if it has none.
std::string threadsOf(const std::string& comment) {
  std::string threads;
  size_t first = comment.npos;
  for (size_t open = comment.find('['); open != comment.npos; open = comment.find('[', open + 1)) {
    const std::string word = comment.substr(open + 1, comment.find(']', open) - open - 1);
    if (word != "control" && word != "loop" && word != "pool" && word != "any") continue;
    if (first == comment.npos) {
      threads = word;
      first = open + word.size() + 2;
    } else if (comment.substr(first, open - first) == " or ") {
      threads += "|" + word;
    }
  }
  return threads;
}

// "header struct function threads" of every function pointer in the structs of a header.
std::vector<std::string> functionsOfHeader(const std::string& header) {
  const std::string text = readFile("sdk/include/sub0/" + header + ".h");
  const std::string opening = "typedef struct sub0_";
  std::vector<std::string> found;
  for (size_t at = text.find(opening); at != text.npos; at = text.find(opening, at + 1)) {
    const size_t name = at + std::string("typedef struct ").size();
    const std::string structure = text.substr(name, text.find(' ', name) - name);
    const std::string body = text.substr(at, text.find("\n}", at) - at);
    for (size_t slot = body.find("(*"); slot != body.npos; slot = body.find("(*", slot + 1)) {
      const size_t end = body.find(';', slot);
      std::string threads = threadsOf(body.substr(end, body.find('\n', end) - end));
      const size_t before = body.rfind("/*", slot);
      if (threads.empty() && before != body.npos)
        threads = threadsOf(body.substr(before, slot - before));
      const std::string function = body.substr(slot + 2, body.find(')', slot) - slot - 2);
      found.push_back(header + " " + structure + " " + function + " " + threads);
    }
  }
  return found;
}

struct Row {
  std::string header, structure, function, since, threads, states;
};

std::vector<Row> rowsOfTable() {
  std::vector<Row> rows;
  std::istringstream text(readFile("sdk/abi.txt"));
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line[0] == '#') continue;
    Row row;
    std::istringstream(line) >> row.header >> row.structure >> row.function >> row.since >>
        row.threads >> row.states;
    rows.push_back(row);
  }
  return rows;
}

TEST(AbiTable, ListsEveryFunctionOfTheHeadersInTheirOrderWithItsThreads) {
  std::vector<std::string> expected, listed;
  for (const char* header : {"plugin", "loop", "pool", "broadcast", "call", "sql", "schema"}) {
    const std::vector<std::string> found = functionsOfHeader(header);
    expected.insert(expected.end(), found.begin(), found.end());
  }
  for (const Row& row : rowsOfTable()) {
    listed.push_back(row.header + " " + row.structure + " " + row.function + " " + row.threads);
  }
  ASSERT_GT(expected.size(), 30U);
  EXPECT_EQ(expected, listed);
}

TEST(AbiTable, EveryFunctionHasAVersionAndKnownStates) {
  const std::set<std::string> known = {"any",      "create",  "created", "started",
                                       "stopping", "stopped", "prepare", "run"};
  ASSERT_FALSE(rowsOfTable().empty());
  for (const Row& row : rowsOfTable()) {
    EXPECT_EQ(row.since, "0.9") << row.function;
    std::istringstream states(row.states);
    for (std::string state; std::getline(states, state, ',');)
      EXPECT_TRUE(known.count(state)) << row.function << " " << state;
    EXPECT_FALSE(row.states.empty()) << row.function;
  }
}

}  // namespace
