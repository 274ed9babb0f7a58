// SPDX-License-Identifier: Apache-2.0
#include "sqlite/sqlite_clock.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "sql_analysis.hpp"

namespace sub0::query {
namespace {

constexpr const char* kFunction = "strftime('%Y-%m-%dT%H:%M:%fZ', ";
constexpr std::array<std::string_view, 9> kComparisons = {"=",  "==", "<>", "!=",     "<",
                                                          "<=", ">",  ">=", "BETWEEN"};

bool isCall(const TokenList& list, std::size_t i) {
  const bool is_type = i + 2 < list.size() && list.tokens[i + 2].kind == TokenKind::kNumber &&
                       list.isSign(i + 3, ")");
  return list.isWord(i, "DATETIME") && list.isSign(i + 1, "(") && !list.isSign(i - 1, ".") &&
         !is_type;
}

// Whether token `i` stands between two values that are compared.
bool compares(const TokenList& list, std::size_t i) {
  return i < list.size() &&
         std::any_of(kComparisons.begin(), kComparisons.end(),
                     [&](std::string_view sign) { return capitals(list.text(i)) == sign; });
}

// Whether the token before `i` ends a call of datetime().
bool isBehindCall(const TokenList& list, std::size_t i) {
  if (i == 0 || !list.isSign(i - 1, ")")) {
    return false;
  }
  std::size_t depth = 0;
  for (std::size_t at = i; at-- > 0;) {
    if (list.isSign(at, ")")) {
      ++depth;
    } else if (list.isSign(at, "(") && --depth == 0) {
      return at > 0 && isCall(list, at - 1);
    }
  }
  return false;
}

// A column of the result, or an order: nothing is compared.
bool isShown(const TokenList& list, std::size_t i, std::size_t behind) {
  static constexpr std::array<std::string_view, 6> kBehind = {"AS",   "FROM",  "ASC",
                                                              "DESC", "LIMIT", "UNION"};
  const bool begins = list.isWord(i - 1, "SELECT") || list.isWord(i - 1, "BY") ||
                      list.isWord(i - 1, "DISTINCT") || list.isWord(i - 1, "RETURNING") ||
                      list.isSign(i - 1, ",");
  const bool ends = behind == list.size() || list.isSign(behind, ",") || list.isSign(behind, ";") ||
                    std::any_of(kBehind.begin(), kBehind.end(),
                                [&](std::string_view word) { return list.isWord(behind, word); });
  return begins && ends;
}

bool isDoubtful(const TokenList& list, std::size_t i, bool stores) {
  const std::size_t behind = behindBracket(list, i + 1);
  // The AND of BETWEEN: what stands before it tells.
  const bool is_compared = compares(list, i - 1) || list.isWord(i - 1, "AND");
  const bool has_partner = (is_compared && isBehindCall(list, i - 1)) ||
                           (compares(list, behind) && isCall(list, behind + 1));
  return !has_partner && (stores || !isShown(list, i, behind));
}

std::string withoutQuotes(std::string_view text) {
  return std::string(text.size() < 2 ? text : text.substr(1, text.size() - 2));
}

}  // namespace

std::vector<std::string> doubtfulInstants(const TokenList& list) {
  std::vector<std::string> doubts;
  const Analysis analysis = analyse(list, Dialect::kSqlite);
  bool stores = analysis.verb == "INSERT" || analysis.verb == "REPLACE";
  for (std::size_t i = 1; i < list.size(); ++i) {
    stores = stores && !list.isWord(i, "RETURNING");
    if (!isCall(list, i) || !isDoubtful(list, i, stores)) {
      continue;
    }
    const std::size_t open = list.tokens[i + 1].end;
    const std::size_t close = list.tokens[behindBracket(list, i + 1) - 1].begin;
    doubts.push_back("datetime(" + placeOf(list, i) +
                     " gives '2026-01-31 09:30:00', which does not compare with the instants that "
                     "columns hold, '2026-01-31T09:30:00.000Z'; write " +
                     kFunction + std::string(list.sql.substr(open, close - open)) + ")");
  }
  return analysis.errors.empty() ? doubts : std::vector<std::string>();
}

std::string insteadOfInterval(const TokenList& list, std::size_t i) {
  const bool is_added = i >= 2 && list.isSign(i - 1, "+");
  std::string from = "'now'";
  if (i >= 2 && !list.isSign(i - 2, ")") && !list.isWord(i - 2, "CURRENT_TIMESTAMP") &&
      (is_added || list.isSign(i - 1, "-"))) {
    from = std::string(list.text(i - 2));
  }
  std::string span = i + 1 < list.size() ? withoutQuotes(list.text(i + 1)) : std::string();
  if (span.empty() || span[0] < '0' || span[0] > '9') {
    span = "1 hour";
  }
  return kFunction + from + ", '" + (is_added ? "+" : "-") + span + "')";
}

}  // namespace sub0::query
