// SPDX-License-Identifier: Apache-2.0
// Where a script's statements begin.
#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

// Whether semicolons alone do not tell where the statement ends that begins at `first`, or it may
// have several results. Of MariaDB and MySQL: what is stored there, CALL, BEGIN NOT ATOMIC.
bool isOpenEnded(const TokenList& script, std::size_t first) {
  constexpr std::array<std::string_view, 8> kAlone = {"CALL", "IF",     "CASE",  "LOOP",
                                                      "FOR",  "REPEAT", "WHILE", "EXECUTE"};
  constexpr std::array<std::string_view, 5> kStored = {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT",
                                                       "PACKAGE"};
  constexpr std::array<std::string_view, 3> kOthers = {"TABLE", "VIEW", "INDEX"};
  if (script.dialect != Dialect::kMysql) {
    return false;
  }
  if (!script.isWord(first, "CREATE") && !script.isWord(first, "ALTER")) {
    const bool is_labelled = script.isSign(first + 1, ":");
    const bool is_compound = script.isWord(first, "BEGIN") && script.isWord(first + 1, "NOT");
    return is_labelled || is_compound ||
           (first < script.size() && isOneOf(capitals(script.text(first)), kAlone));
  }
  for (std::size_t i = first + 1; i < script.size() && !script.isSign(i, ";"); ++i) {
    const std::string word =
        script.tokens[i].kind == TokenKind::kWord ? capitals(script.text(i)) : std::string();
    if (isOneOf(word, kStored) || isOneOf(word, kOthers)) {
      return isOneOf(word, kStored);
    }
  }
  return false;
}

// The semicolon behind the statement that begins at `first`, or size().
std::size_t endOfStatement(const TokenList& script, std::size_t first) {
  const bool may_have_body = script.dialect == Dialect::kPostgres && script.isWord(first, "CREATE");
  std::size_t at = first;
  while (at < script.size() && !script.isSign(at, ";")) {
    if (may_have_body && script.isWord(at, "BEGIN") && script.isWord(at + 1, "ATOMIC")) {
      const std::size_t behind = behindBody(script, at);
      at = behind == 0 ? script.size() : behind;
    } else {  // CREATE RULE ... DO (a; b)
      at = script.isSign(at, "(") ? behindBracket(script, at) : at + 1;
    }
  }
  return at;
}

}  // namespace

std::string lineOfStatement(const TokenList& script, std::size_t offset) {
  const auto token = std::find_if(script.tokens.begin(), script.tokens.end(),
                                  [&](const Token& one) { return one.begin >= offset; });
  if (token == script.tokens.end() || script.sql.find('\n') == std::string_view::npos) {
    return {};
  }
  const auto line = std::count(script.sql.begin(), script.sql.begin() + token->begin, '\n') + 1;
  return "the statement at line " + std::to_string(line) + ": ";
}

std::size_t offsetBehind(const TokenList& script, std::size_t count) {
  std::size_t first = 0;
  for (; count > 0; --count) {
    const std::size_t end =
        isOpenEnded(script, first) ? script.size() : endOfStatement(script, first);
    if (end >= script.size()) {
      return script.sql.size();
    }
    first = end + 1;
    while (script.isSign(first, ";")) {  // no statement
      ++first;
    }
  }
  return first == 0 ? 0 : script.tokens[first - 1].end;
}

}  // namespace sub0::query
