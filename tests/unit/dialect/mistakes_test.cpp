// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/dialect/memory_files.hpp"

// mistakes.scenario is the table of what check says of every mistake, one file each, named for its
// rule; it runs with the real binary and its plugins. Here: that no rule is forgotten in it, what
// cannot stand in a text file, and that nobody's mistake is met with silence or a crash.
namespace sub0::dialect::mistakes_test {
namespace {

const std::string kSource = SUB0_SOURCE_DIR;

// Rules that a project cannot break in a way that can be known without running it.
const std::map<int, const char*> kWithoutMistakes = {
    {31, "says what rows become"},
    {32, "says what columns become"},
    {41, "says what is added to statements"},
    {51, "the form of an answer"},
    {52, "the form of a failure"},
    {53, "the form of an answer"},
    {54, "a setting of the host, not of the project"},
    {60, "any JSON value is a template"},
};

struct Table {
  std::set<std::string> files;  // "s24_circle"
  std::set<std::string> with_lines;
};

Table readTable() {
  Table table;
  std::ifstream scenario(kSource + "/tests/functional/scenarios/mistakes.scenario");
  const std::regex declared("^file (?:resources|models)/(\\w+)\\.json$");
  const std::regex line(
      R"(^\| \./(?:resources|models)/(\w+)\.json:.*(?:error|warning): .* \(\w-\d+\)$)");
  std::string text;
  std::smatch match;
  while (std::getline(scenario, text)) {
    if (std::regex_match(text, match, declared)) table.files.insert(match[1]);
    if (std::regex_match(text, match, line)) table.with_lines.insert(match[1]);
  }
  return table;
}

// The rules that the pages of the reference state.
std::set<int> statedRules() {
  std::set<int> rules;
  const std::regex head("^- \\*\\*S-(\\d+)\\*\\*.*");
  for (const auto& page : std::filesystem::directory_iterator(kSource + "/docs/reference")) {
    std::ifstream file(page.path());
    std::string text;
    std::smatch match;
    while (std::getline(file, text)) {
      if (std::regex_match(text, match, head)) rules.insert(std::stoi(match[1]));
    }
  }
  return rules;
}

// spec S-1...S-64: every rule that a project can break has its rows
TEST(Mistakes, EveryRuleThatAProjectCanBreakHasRowsAndEveryRowHasItsLine) {
  const Table table = readTable();
  std::set<int> shown;
  for (const std::string& file : table.files) {
    EXPECT_TRUE(table.with_lines.count(file) == 1) << "check says nothing of " << file;
    std::smatch match;
    if (std::regex_match(file, match, std::regex("s(\\d+)_\\w+"))) {
      shown.insert(std::stoi(match[1]));
    }
  }
  const std::set<int> rules = statedRules();
  for (const int rule : rules) {
    if (rule > 64) break;
    const bool is_exempt = kWithoutMistakes.count(rule) == 1;
    EXPECT_NE(shown.count(rule) == 1, is_exempt) << "S-" << rule;
  }
  EXPECT_GE(std::distance(rules.begin(), rules.upper_bound(64)), 28);
}

struct Row {
  const char* what;
  std::string text;
  const char* line;
};

std::string utf16(const std::string& ascii, bool is_big, bool has_mark) {
  std::string out = has_mark ? (is_big ? "\xFE\xFF" : "\xFF\xFE") : "";
  for (const char c : ascii) out += is_big ? std::string{'\0', c} : std::string{c, '\0'};
  return out;
}

// spec S-2
TEST(Mistakes, FilesThatAreNoTextAtAllAreRefusedWithHowToMendThem) {
  const std::string ascii = R"({"id": "a"})";
  const std::string utf16_line =
      ":1:1: error: this file looks like UTF-16; save it as UTF-8 (S-2)\n";
  const std::vector<Row> rows = {
      {"UTF-16 LE", utf16(ascii, false, true), utf16_line.c_str()},
      {"UTF-16 BE", utf16(ascii, true, true), utf16_line.c_str()},
      {"UTF-16 LE without a mark", utf16(ascii, false, false), utf16_line.c_str()},
      {"UTF-16 BE without a mark", utf16(ascii, true, false), utf16_line.c_str()},
      {"zero bytes", std::string("\0\1\2", 3),
       ":1:1: error: this file is no text: it holds zero bytes (S-2)\n"},
      {"Latin-1", "{\"id\": \"\xE9\"}",
       ":1:9: error: not valid UTF-8; save the file as UTF-8 (S-2)\n"},
      {"10,000 levels", std::string(10000, '[') + std::string(10000, ']'),
       ":1:257: error: nested too deeply (more than 256 levels) (S-2)\n"},
      {"more than 16 MiB", "{" + std::string(16u << 20, ' '),
       ":1:1: error: the file is larger than 16 MiB (S-2)\n"},
      {"a key twice", "{\"a\": [{\"b\": 1}, {\"c/d\": 1,\n \"c\\/d\": 2}]}",
       ":2:2: error: the key \"c/d\" stands here twice (first at line 1, column 19); keep one of "
       "them [/a/1/c~1d] (S-2)\n"},
  };
  for (const Row& row : rows) {
    const std::string text = loadText(row.text).problems.toText();
    EXPECT_NE(text.find("project/resources/a.json" + std::string(row.line)), std::string::npos)
        << row.what << ": " << text;
  }
}

// spec S-2: a byte order mark in front of UTF-8 is accepted
TEST(Mistakes, AMarkInFrontOfUtf8IsFine) {
  const std::string resource =
      R"({"id": "a", "resource": "a", "actionables": [{"id": 1, "mode": "VALUE", "value": 1}]})";
  EXPECT_EQ(loadText("\xEF\xBB\xBF" + resource).problems.toText(), "");
}

std::string contentOf(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(kSource + path).rdbuf();
  return content.str();
}

// A sample of the repository, with some mistake in it.
class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string mutate(std::string text) {
    switch (below(5)) {
      case 0:
        text.erase(below(text.size()), 1);
        break;
      case 1:
        text.insert(below(text.size()), 1, static_cast<char>(below(256)));
        break;
      case 2: {
        const std::size_t begin = below(text.size());
        text.erase(begin, below(40));
        break;
      }
      case 3: {  // two tokens change places
        const auto tokens = tokensOf(text);
        std::size_t a = below(tokens.size());
        std::size_t b = below(tokens.size());
        if (b < a) std::swap(a, b);
        const auto [a_begin, a_size] = tokens[a];
        const auto [b_begin, b_size] = tokens[b];
        const std::string first = text.substr(a_begin, a_size);
        const std::string second = text.substr(b_begin, b_size);
        text.replace(b_begin, b_size, first);
        text.replace(a_begin, a_size, second);
        break;
      }
      default: {  // a value of another type
        const auto tokens = tokensOf(text);
        const auto [begin, size] = tokens[below(tokens.size())];
        static const char* const kValues[] = {"null", "true", "-1",   "1e400", "\"\"",
                                              "[]",   "{}",   "[{}]", "0.5",   "{\"a\": 1}"};
        text.replace(begin, size, kValues[below(std::size(kValues))]);
      }
    }
    return text;
  }

 private:
  using Token = std::pair<std::size_t, std::size_t>;

  static std::vector<Token> tokensOf(const std::string& text) {
    static const std::regex kToken(R"("[^"\n]*"|[{}\[\],:]|[^\s{}\[\],:"]+)");
    std::vector<Token> tokens;
    for (std::sregex_iterator i(text.begin(), text.end(), kToken), end; i != end; ++i) {
      tokens.emplace_back(static_cast<std::size_t>(i->position()),
                          static_cast<std::size_t>(i->length()));
    }
    return tokens.empty() ? std::vector<Token>{{0, text.size()}} : tokens;
  }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  std::mt19937 random_;
};

std::size_t countLines(const std::string& text) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void expectUsefulProblems(const Problems& problems, const std::string& text) {
  for (const Problem& problem : problems.all()) {
    EXPECT_FALSE(problem.message.empty());
    EXPECT_FALSE(problem.rule.empty()) << problem.message;
    EXPECT_EQ(problem.place.file, "project/resources/a.json") << problem.message;
    EXPECT_GE(problem.place.position.line, 1u) << toLine(problem);
    EXPECT_LE(problem.place.position.line, countLines(text)) << toLine(problem);
    EXPECT_GE(problem.place.position.column, 1u) << toLine(problem);
    EXPECT_LE(problem.place.position.column, text.size() + 1) << toLine(problem);
  }
}

// spec S-2: whatever is done to a sample, check lives, and each finding has a place in the file
TEST(Mistakes, MutatedSamplesAreCheckedWithPlacesAndWithoutACrash) {
  const std::string samples[] = {contentOf("/sample-resources/wallet/resources/notify.json"),
                                 contentOf("/sample-resources/wallet/resources/fetch-balance.json"),
                                 contentOf("/sample-resources/wallet/resources/echo.json")};
  constexpr unsigned kSeeds = 900;
  std::size_t refused = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    Mutator mutator(seed);
    std::string text = mutator.mutate(samples[seed % std::size(samples)]);
    if (seed % 4 == 0) text = mutator.mutate(text);
    const Loaded loaded = loadText(text);
    expectUsefulProblems(loaded.problems, text);
    if (loaded.problems.hasErrors()) ++refused;
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << ":\n" << text;
  }
  EXPECT_GT(refused, kSeeds / 2) << "the mutations do no harm";
}

// spec S-2: a bracket, colon or quote that is missing is never overlooked
TEST(Mistakes, ASignThatIsMissingIsAlwaysAnErrorNotFarFromIt) {
  const std::string sample = contentOf("/sample-resources/wallet/resources/echo.json");
  const std::size_t body = sample.find("\"id\"");
  for (std::size_t i = body; i < sample.size(); ++i) {
    if (std::string("{}[]:\"").find(sample[i]) == std::string::npos) continue;
    std::string text = sample;
    text.erase(i, 1);
    const Loaded loaded = loadText(text);
    EXPECT_TRUE(loaded.problems.hasErrors()) << text;
    expectUsefulProblems(loaded.problems, text);
  }
}

}  // namespace
}  // namespace sub0::dialect::mistakes_test
