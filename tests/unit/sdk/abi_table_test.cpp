// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string readFile(const std::string& path) {
  const std::string test = __FILE__;  // <root>/tests/unit/sdk/abi_table_test.cpp
  const std::string root = test.substr(0, test.rfind("tests/unit/"));
  std::ifstream file(root + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The thread words of a comment: "[loop] or [pool]" is "loop|pool"; empty if it has none.
std::string threadsOf(const std::string& comment) {
  static const std::regex words(
      R"(\[(control|loop|pool|any)\](?: or \[(control|loop|pool|any)\])?)");
  std::smatch match;
  if (!std::regex_search(comment, match, words)) return {};
  return match[2].matched ? match[1].str() + "|" + match[2].str() : match[1].str();
}

// "header struct function threads" of every function pointer in the structs of a header.
std::vector<std::string> functionsOfHeader(const std::string& header) {
  const std::string text = readFile("sdk/include/sub0/" + header + ".h");
  static const std::regex structs(R"(typedef struct (\w+) \{[\s\S]*?\n\} \w+;)");
  static const std::regex slots(R"(\(\*(\w+)\)\([^;]*;([^\n]*))");
  std::vector<std::string> found;
  for (std::sregex_iterator s(text.begin(), text.end(), structs), end; s != end; ++s) {
    const std::string body = s->str();
    for (std::sregex_iterator f(body.begin(), body.end(), slots); f != end; ++f) {
      std::string threads = threadsOf((*f)[2].str());
      const size_t before = body.rfind("/*", static_cast<size_t>(f->position()));
      if (threads.empty() && before != body.npos) threads = threadsOf(body.substr(before));
      found.push_back(header + " " + (*s)[1].str() + " " + (*f)[1].str() + " " + threads);
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
  for (const char* header : {"plugin", "loop", "pool", "broadcast", "sql"}) {
    const std::vector<std::string> found = functionsOfHeader(header);
    expected.insert(expected.end(), found.begin(), found.end());
  }
  for (const Row& row : rowsOfTable()) {
    listed.push_back(row.header + " " + row.structure + " " + row.function + " " + row.threads);
  }
  EXPECT_GT(expected.size(), 30U);
  EXPECT_EQ(expected, listed);
}

TEST(AbiTable, EveryFunctionHasAVersionAndKnownStates) {
  static const std::regex states(
      "any|(create|created|started|stopping|stopped|prepare|run)"
      "(,(create|created|started|stopping|stopped|prepare|run))*");
  for (const Row& row : rowsOfTable()) {
    EXPECT_TRUE(std::regex_match(row.since, std::regex(R"(\d+\.\d+)"))) << row.function;
    EXPECT_TRUE(std::regex_match(row.states, states)) << row.function << " " << row.states;
  }
}

}  // namespace
