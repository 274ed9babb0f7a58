// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_casts.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "sql_analysis.hpp"
#include "sql_tables.hpp"
#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

constexpr std::array<std::string_view, 11> kBehindColumns = {
    "FROM",  "WHERE", "GROUP",  "HAVING",    "WINDOW", "ORDER",
    "LIMIT", "UNION", "EXCEPT", "INTERSECT", "OFFSET"};

// The first token of what a statement answers.
std::size_t columnsOf(const TokenList& list, const Analysis& analysis) {
  std::size_t at = analysis.verb_index + 1;
  if (analysis.verb == "SELECT") {
    return list.isWord(at, "DISTINCT") || list.isWord(at, "ALL") ? at + 1 : at;
  }
  while (at < list.size() && !list.isWord(at, "RETURNING")) {
    at = list.isSign(at, "(") ? behindBracket(list, at) : at + 1;
  }
  return at + 1;
}

bool endsColumn(const TokenList& list, std::size_t at) {
  if (at >= list.size() || list.isSign(at, ",") || list.isSign(at, ";")) {
    return true;
  }
  return list.tokens[at].kind == TokenKind::kWord &&
         isOneOf(capitals(list.text(at)), kBehindColumns);
}

// json(...), json(...) AS name, json(...) name: from `begin` to before `end`.
bool isJsonCast(const TokenList& list, std::size_t begin, std::size_t end) {
  if (!list.isWord(begin, "JSON") || !list.isSign(begin + 1, "(")) {
    return false;
  }
  const std::size_t behind = behindBracket(list, begin + 1);
  const std::size_t name = list.isWord(behind, "AS") ? behind + 1 : behind;
  return behind == end || (name + 1 == end && isName(list, name));
}

}  // namespace

std::vector<bool> jsonCastsOf(std::string_view sql) {
  const TokenList list = tokenize(sql, Dialect::kSqlite);
  std::vector<bool> casts;
  std::size_t begin = columnsOf(list, analyse(list, Dialect::kSqlite));
  for (std::size_t at = begin; begin < list.size(); at = begin) {
    while (!endsColumn(list, at)) {
      at = list.isSign(at, "(") ? behindBracket(list, at) : at + 1;
    }
    if (at > begin && list.isSign(at - 1, "*")) {
      return {};
    }
    casts.push_back(isJsonCast(list, begin, at));
    if (!list.isSign(at, ",")) {
      break;
    }
    begin = at + 1;
  }
  return std::find(casts.begin(), casts.end(), true) == casts.end() ? std::vector<bool>() : casts;
}

}  // namespace sub0::query
