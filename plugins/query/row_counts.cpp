// SPDX-License-Identifier: Apache-2.0
#include "row_counts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "parameter_text.hpp"

namespace sub0::query {
namespace {

constexpr std::size_t kSurelyFits = 18;
constexpr std::array<std::string_view, 23> kBehind = {
    "LIMIT", "OFFSET", "FETCH", "FOR",   "ROW",  "ROWS",      "ONLY",   "UNION",
    "FROM",  "WHERE",  "AS",    "ORDER", "WITH", "INTERSECT", "EXCEPT", "RETURNING",
    "ON",    "LOCK",   "INTO",  "GROUP", "SET",  "END",       "WINDOW"};
constexpr std::array<std::string_view, 6> kWholeTypes = {"INT",  "INTEGER", "BIGINT",
                                                         "INT4", "INT8",    "SMALLINT"};

bool isAnyOf(const TokenList& list, std::size_t at, const std::string_view* first,
             const std::string_view* last) {
  return std::any_of(first, last, [&](std::string_view word) { return list.isWord(at, word); });
}

std::size_t endOfCount(const TokenList& list, std::size_t at) {
  while (at < list.size() && !list.isSign(at, ")") && !list.isSign(at, ",") &&
         !list.isSign(at, ";") && !isAnyOf(list, at, kBehind.begin(), kBehind.end())) {
    at = list.isSign(at, "(") ? behindBracket(list, at) : at + 1;
  }
  return std::min(at, list.size());
}

RowCountClause clauseBehind(const TokenList& list, std::size_t keyword, bool is_offset) {
  RowCountClause clause{keyword, keyword + 1, endOfCount(list, keyword + 1), is_offset, 0};
  const std::size_t length = clause.end - clause.begin;
  const bool is_cast = length == 3 && list.isSign(clause.begin + 1, "::") &&
                       isAnyOf(list, clause.begin + 2, kWholeTypes.begin(), kWholeTypes.end());
  if ((length == 1 || is_cast) && list.tokens[clause.begin].kind == TokenKind::kParameter) {
    clause.parameter = list.tokens[clause.begin].number;
  }
  return clause;
}

bool isDigits(std::string_view text) {
  return !text.empty() && text.size() <= kSurelyFits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Whether OFFSET begins a clause, and is no column: behind LIMIT, and where the database knows it
// without that, or says that it does not, before a number or parameter.
bool isOffsetClause(const TokenList& list, std::size_t at, bool is_behind_limit) {
  const TokenKind next = list.tokens[at + 1].kind;
  return is_behind_limit || (list.dialect != Dialect::kSqlite &&
                             (next == TokenKind::kParameter || next == TokenKind::kNumber));
}

}  // namespace

std::vector<RowCountClause> rowCountsOf(const TokenList& list) {
  std::vector<RowCountClause> clauses;
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    const bool is_name = i > 0 && (list.isSign(i - 1, ".") || list.isWord(i - 1, "AS"));
    const bool is_limit = list.isWord(i, "LIMIT");
    const bool is_fetch =
        (list.isWord(i, "FIRST") || list.isWord(i, "NEXT")) && i > 0 && list.isWord(i - 1, "FETCH");
    const bool is_offset = list.isWord(i, "OFFSET") &&
                           isOffsetClause(list, i, !clauses.empty() && clauses.back().end == i);
    if (is_name || !(is_limit || is_fetch || is_offset)) {
      continue;
    }
    RowCountClause clause = clauseBehind(list, i, is_offset);
    if (clause.begin == clause.end) {
      continue;
    }
    const bool has_two = is_limit && list.isSign(clause.end, ",");  // LIMIT offset, count
    clause.is_offset = clause.is_offset || has_two;
    clauses.push_back(clause);
    if (has_two) {
      clauses.push_back(clauseBehind(list, clause.end, false));
    }
  }
  return clauses;
}

std::vector<RowCount> rowCountParameters(const TokenList& list) {
  std::vector<RowCount> counts;
  for (const RowCountClause& clause : rowCountsOf(list)) {
    if (clause.parameter == 0) {
      continue;
    }
    const auto before = std::count_if(
        list.tokens.begin(), list.tokens.begin() + static_cast<std::ptrdiff_t>(clause.begin),
        [](const Token& token) { return token.kind == TokenKind::kParameter; });
    counts.push_back({hasPlacesForParameters(list.dialect) ? static_cast<std::uint32_t>(before)
                                                           : clause.parameter - 1,
                      clause.is_offset});
  }
  return counts;
}

bool hasZeroFraction(const sub0_value& value) {
  if (value.type != SUB0_NUMBER) {
    return false;
  }
  const std::string_view digits(value.as.text, value.count);
  const std::size_t point = digits.find('.');
  return point != std::string_view::npos &&
         digits.find_first_not_of('0', point + 1) == std::string_view::npos;
}

sub0_value withoutZeroFraction(sub0_value value) {
  const std::size_t point = std::string_view(value.as.text, value.count).find('.');
  value.count = static_cast<std::uint32_t>(point);
  return value;
}

bool isRowCount(const sub0_value& value) {
  switch (value.type) {
    case SUB0_NULL:
      return true;
    case SUB0_INT:
      return value.as.i >= 0;
    case SUB0_DOUBLE:
      return value.as.d >= 0 && value.as.d < kExactWhole && std::floor(value.as.d) == value.as.d;
    case SUB0_NUMBER:
    case SUB0_TEXT:
      if (hasZeroFraction(value)) {
        return isRowCount(withoutZeroFraction(value));
      }
      return value.count > 0 && isDigits(std::string_view(value.as.text, value.count));
    default:
      return false;
  }
}

}  // namespace sub0::query
