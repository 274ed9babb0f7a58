// SPDX-License-Identifier: Apache-2.0
#include "sql_rewriter.hpp"

#include "sql_tables.hpp"

namespace sub0::query {
namespace {

constexpr std::array<std::string_view, 30> kNoFunctions = {
    "SELECT", "WHERE", "AND",    "OR",      "NOT",  "IN",    "ON",        "BY",
    "THEN",   "ELSE",  "WHEN",   "CASE",    "SET",  "FROM",  "RETURNING", "HAVING",
    "LIKE",   "AS",    "VALUES", "BETWEEN", "IS",   "LIMIT", "OFFSET",    "DISTINCT",
    "ALL",    "USING", "UNION",  "JOIN",    "GLOB", "EXCEPT"};

}  // namespace

Rewritten SqlRewriter::run() {
  while (next_ < list_.size()) {
    visit(next_++);
  }
  std::string sql;
  std::size_t copied = 0;
  for (const auto& [begin, edit] : edits_) {
    if (begin < copied) {
      continue;  // inside something that was replaced
    }
    sql.append(list_.sql.substr(copied, begin - copied));
    sql.append(edit.before).append(edit.replacement);
    copied = std::max(begin, edit.end);
  }
  sql.append(list_.sql.substr(copied));
  result_.sql = std::move(sql);
  return std::move(result_);
}

void SqlRewriter::visit(std::size_t i) {
  switch (list_.tokens[i].kind) {
    case TokenKind::kParameter:
      visitParameter(i);
      break;
    case TokenKind::kOperator:
      visitOperator(i);
      break;
    case TokenKind::kWord:
      if (i == 0 || !list_.isSign(i - 1, ".")) {
        visitWord(i, capitals(list_.text(i)), list_.isSign(i + 1, "("));
      }
      break;
    case TokenKind::kString:
      visitString(i);
      break;
    case TokenKind::kPunctuation:
      visitPunctuation(i);
      break;
    default:
      break;
  }
}

bool SqlRewriter::refuseQuestionMark(std::size_t i) {
  const bool has_one = list_.text(i).find('?') != std::string_view::npos;
  if (has_one) {
    result_.errors.push_back("the ?" + placeOf(list_, i) +
                             " is no parameter here; write $1, $2, ...");
  }
  return has_one;
}

void SqlRewriter::cannotReadString(std::size_t i) {
  if (list_.text(i)[0] == '$') {
    cannot(i, "the dollar-quoted string");
    return;
  }
  cannot(i, "the string form " + std::string(list_.text(i).substr(0, 2)));
}

bool isOfPostgresAlone(std::string_view type) {
  static constexpr std::array<std::string_view, 12> kTypes = {
      "INTERVAL", "REGCLASS", "REGTYPE", "REGPROC", "TSVECTOR", "TSQUERY",
      "POINT",    "BOX",      "HSTORE",  "RECORD",  "OID",      "INT4RANGE"};
  return isOneOf(type, kTypes);
}

bool isUnitOfTime(std::string_view word) {
  static constexpr std::array<std::string_view, 9> kUnits = {
      "MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"};
  static constexpr std::array<std::string_view, 4> kFirst = {"DAY_", "HOUR_", "MINUTE_", "YEAR_"};
  return isOneOf(word, kUnits) || word == "SECOND_MICROSECOND" ||
         std::any_of(kFirst.begin(), kFirst.end(),
                     [&](std::string_view first) { return word.substr(0, first.size()) == first; });
}

void SqlRewriter::replace(std::size_t from, std::size_t behind, const std::string& text) {
  Edit& edit = edits_[begin(from)];
  edit.replacement = text;
  edit.end = list_.tokens[behind - 1].end;
}

void SqlRewriter::insertBehind(std::size_t last, const std::string& text) {
  const std::size_t place = list_.tokens[last].end;
  Edit& edit = edits_[place];
  edit.before = text + edit.before;
  edit.end = std::max(edit.end, place);
}

void SqlRewriter::cannot(std::size_t at, const std::string& what) {
  result_.errors.push_back(what + placeOf(list_, at) + where_);
}

bool SqlRewriter::endsOperand(std::size_t i) const {
  const TokenKind kind = list_.tokens[i].kind;
  if (kind == TokenKind::kWord) {  // OFFSET: a column, where that is asked
    return list_.isWord(i, "OFFSET") || !isOneOf(capitals(list_.text(i)), kNoFunctions);
  }
  return kind == TokenKind::kQuotedName || kind == TokenKind::kString ||
         kind == TokenKind::kNumber || kind == TokenKind::kParameter || list_.isSign(i, ")") ||
         list_.isSign(i, "]");
}

SqlRewriter::TypeName SqlRewriter::typeAt(std::size_t i) const {
  TypeName type;
  type.name = i < list_.size() ? capitals(list_.text(i)) : std::string();
  type.behind = i + 1;
  while (list_.isSign(type.behind, ".") && type.behind + 1 < list_.size()) {  // pg_catalog.int4
    type.name = capitals(list_.text(type.behind + 1));
    type.behind += 2;
  }
  if ((type.name == "DOUBLE" && list_.isWord(type.behind, "PRECISION")) ||
      (type.name == "CHARACTER" && list_.isWord(type.behind, "VARYING"))) {
    type.name += " " + capitals(list_.text(type.behind));
    ++type.behind;
  }
  if (list_.isSign(type.behind, "(")) {
    const std::size_t open = type.behind;
    type.behind = behindBracket(list_, open);
    const std::size_t end = list_.tokens[type.behind - 1].end;
    type.arguments = list_.sql.substr(begin(open), end - begin(open));
  }
  const bool zoned = list_.isWord(type.behind, "WITH") || list_.isWord(type.behind, "WITHOUT");
  if (zoned && list_.isWord(type.behind + 1, "TIME")) {
    type.behind = std::min(type.behind + 3, list_.size());
  }
  while (list_.isSign(type.behind, "[")) {
    type.is_array = true;
    type.behind = behindBracket(list_, type.behind);
  }
  return type;
}

// Whether the cast at token `i` to the type from `begin` on can be had; else says why not.
bool SqlRewriter::canCast(std::size_t i, std::size_t begin, const TypeName& type,
                          const Cast& cast) {
  for (std::size_t at = begin; at < type.behind && at < list_.size(); ++at) {
    if (list_.tokens[at].kind != TokenKind::kParameter) continue;
    result_.errors.push_back("the parameter" + placeOf(list_, at) + " stands within a type");
    return false;
  }
  if (!cast.prefix.empty() && !type.is_array) return true;
  cannot(i, "the type " + shown(type));
  return false;
}

void SqlRewriter::castByColons(std::size_t i) {
  const std::size_t operand = i == 0 ? list_.size() : operandBefore(i);
  if (operand >= i || i + 1 >= list_.size()) {
    result_.errors.push_back("the cast ::" + placeOf(list_, i) + " casts nothing");
    return;
  }
  const TypeName type = typeAt(i + 1);
  const Cast cast = castTo(type);
  if (!canCast(i, i + 1, type, cast)) return;
  Edit& front = edits_[begin(operand)];
  front.before = cast.prefix + front.before;
  if (front.end == 0) {
    front.end = begin(operand);
  }
  replace(i, type.behind, cast.suffix);
  if (isTime(type)) refuseArithmeticOfDates(operand, type.behind);
}

void SqlRewriter::castByWord(std::size_t i) {
  const std::size_t behind = behindBracket(list_, i + 1);
  std::size_t as = i + 2;
  while (as < behind && !list_.isWord(as, "AS")) {
    as = list_.isSign(as, "(") ? behindBracket(list_, as) : as + 1;
  }
  if (as + 2 >= behind) {
    return;  // not a cast that is understood; SQLite will say so
  }
  const TypeName type = typeAt(as + 1);
  if (type.behind + 1 != behind || !list_.isSign(type.behind, ")")) {
    return;  // nor is this: more than a type, or the bracket is not closed
  }
  const Cast cast = castTo(type);
  if (!canCast(i, as + 1, type, cast)) return;
  replace(i, i + 2, cast.prefix);
  replace(as, behind, cast.suffix);
  if (isTime(type)) refuseArithmeticOfDates(i, behind);
}

bool SqlRewriter::isTime(const TypeName& type) const {
  return type.name == "DATE" || type.name == "TIME" || type.name == "TIMESTAMP" ||
         type.name == "TIMESTAMPTZ" || type.name == "TIMETZ";
}

// INTERVAL '1 day', '1 day'::interval: told by themselves, or known there.
bool SqlRewriter::isSpan(std::size_t i) const {
  return list_.isWord(i, "INTERVAL") ||
         (list_.isSign(i + 1, "::") && list_.isWord(i + 2, "INTERVAL"));
}

// A date is a text or a number there, which + and - make a number of.
void SqlRewriter::refuseArithmeticOfDates(std::size_t first, std::size_t behind) {
  const auto is_sum = [&](std::size_t i) { return list_.isSign(i, "+") || list_.isSign(i, "-"); };
  std::vector<std::size_t> signs;
  if (is_sum(behind) && !isSpan(behind + 1)) {
    signs.push_back(behind);
  }
  const bool is_second = first >= 2 && is_sum(first - 1) && endsOperand(first - 2);
  const std::string before = is_second ? capitals(list_.text(first - 2)) : std::string();
  const bool is_behind_span =
      isUnitOfTime(before) || before == "INTERVAL" || (first >= 3 && isSpan(first - 3));
  if (is_second && !is_behind_span) {
    signs.push_back(first - 1);
  }
  for (const std::size_t sign : signs) {
    if (refused_signs_.insert(sign).second) {
      cannot(sign, "the " + std::string(list_.text(sign)) + " of dates" + insteadOfDates());
    }
  }
}

// What the operand that ends before token `behind` is, as far as its last cast tells: ($1::jsonb),
// CAST($1 AS jsonb).
SqlRewriter::Operand SqlRewriter::kindOfOperand(std::size_t first, std::size_t behind) const {
  const std::size_t last = behind - 1;
  if (first + 1 == behind && list_.tokens[first].kind == TokenKind::kString) {
    const std::size_t begins = list_.text(first).find_first_not_of(" \t\n", 1);
    const char c = begins < list_.text(first).size() ? list_.text(first)[begins] : ' ';
    return c == '{' || c == '[' ? Operand::kUnknown : Operand::kText;
  }
  std::size_t type_at = list_.size();
  if (last > first && isTypeOfCast(last)) {
    type_at = colonsBefore(last) + 1;
  } else if (list_.isWord(first, "CAST") && list_.isSign(first + 1, "(") &&
             behindBracket(list_, first + 1) == behind) {
    for (type_at = first + 2; type_at < last && !list_.isWord(type_at, "AS");) {
      type_at = list_.isSign(type_at, "(") ? behindBracket(list_, type_at) : type_at + 1;
    }
    ++type_at;
  } else if (list_.isSign(first, "(") && behindBracket(list_, first) == behind) {
    const bool is_whole = last > first + 1 && operandBefore(last) == first + 1;
    return is_whole ? kindOfOperand(first + 1, last) : Operand::kUnknown;
  }
  const TypeName type = typeAt(type_at);
  static constexpr std::array<std::string_view, 6> kTexts = {
      "TEXT", "VARCHAR", "CHAR", "CHARACTER", "CHARACTER VARYING", "CITEXT"};
  if (type_at >= behind || type.is_array) return Operand::kUnknown;
  if (type.name == "JSONB") return Operand::kJsonb;
  if (type.name == "JSON") return Operand::kJson;
  return isOneOf(type.name, kTexts) ? Operand::kText : Operand::kUnknown;
}

// Behind the operand that begins at `first`, without operators.
std::size_t SqlRewriter::behindOperand(std::size_t first) const {
  std::size_t at = first;
  while (isName(list_, at) && list_.isSign(at + 1, ".")) {
    at += 2;
  }
  if (!list_.isSign(at, "(") && !list_.isSign(at + 1, "(")) {
    ++at;
  } else {
    at = behindBracket(list_, list_.isSign(at, "(") ? at : at + 1);
  }
  while (list_.isSign(at, "::")) {
    at = typeAt(at + 1).behind;
  }
  return std::min(at, list_.size());
}

// `||` and `-` that only PostgreSQL has, as a cast of an operand shows: of jsonb, which the others
// join as texts, or count as numbers. Text that is joined with JSON stays one.
bool SqlRewriter::isOfJson(std::size_t i) const {
  const bool joins = list_.isSign(i, "||");
  if ((!joins && !list_.isSign(i, "-")) || i == 0 || i + 1 >= list_.size() || !endsOperand(i - 1)) {
    return false;
  }
  bool has_jsonb = false;
  bool has_json = false;
  bool has_text = false;
  const auto take = [&](std::size_t first, std::size_t behind) {
    const Operand kind = first < behind ? kindOfOperand(first, behind) : Operand::kUnknown;
    has_jsonb = has_jsonb || kind == Operand::kJsonb;
    has_json = has_json || kind == Operand::kJson;
    has_text = has_text || kind == Operand::kText;
  };
  for (std::size_t behind = i; behind > 0;) {
    const std::size_t first = operandBefore(behind);
    const bool is_behind_sign = first > 0 && first < behind;
    has_text = has_text || (is_behind_sign && list_.isSign(first - 1, "->>"));
    if (!is_behind_sign || !list_.isSign(first - 1, "->")) take(first, behind);
    behind = is_behind_sign && joins && list_.isSign(first - 1, "||") ? first - 1 : 0;
  }
  if (!joins) return has_jsonb;
  take(i + 1, behindOperand(i + 1));
  return !has_text && (has_jsonb || has_json);
}

// The first token of what stands before the `::` at `colons`; at least `colons` if there is
// nothing.
std::size_t SqlRewriter::operandBefore(std::size_t colons) const {
  if (colons == 0) {
    return list_.size();
  }
  std::size_t at = colons - 1;
  if (list_.isSign(at, ")")) {
    at = openingOf(at);
    if (at == 0 || at == list_.size()) {
      return at;
    }
    const TokenKind before = list_.tokens[at - 1].kind;
    if (list_.isWord(at - 1, "OVER") || list_.isWord(at - 1, "FILTER")) {
      return operandBefore(at - 1);
    }
    if (before != TokenKind::kQuotedName &&
        (before != TokenKind::kWord || isOneOf(capitals(list_.text(at - 1)), kNoFunctions))) {
      return at;
    }
    --at;
  } else if (list_.isWord(at, "END")) {
    return caseOf(at);
  } else if (at >= 2 && isTypeOfCast(at)) {
    return operandBefore(colonsBefore(at));
  } else if (!endsOperand(at)) {
    return colons;
  }
  while (at >= 2 && list_.isSign(at - 1, ".")) {
    at -= 2;
  }
  return at >= 2 && list_.isSign(at - 1, "::") ? operandBefore(at - 1) : at;
}

// x::a::b: what stands before the second :: is the type of the first.
bool SqlRewriter::isTypeOfCast(std::size_t at) const { return colonsBefore(at) < list_.size(); }

std::size_t SqlRewriter::colonsBefore(std::size_t at) const {
  for (std::size_t back = 1; back <= 5 && back <= at; ++back) {
    if (list_.isSign(at - back, "::")) {
      return typeAt(at - back + 1).behind == at + 1 ? at - back : list_.size();
    }
  }
  return list_.size();
}

std::size_t SqlRewriter::openingOf(std::size_t close) const {
  std::size_t depth = 0;
  for (std::size_t i = close + 1; i-- > 0;) {
    if (list_.isSign(i, ")")) {
      ++depth;
    } else if (list_.isSign(i, "(") && --depth == 0) {
      return i;
    }
  }
  return list_.size();
}

std::size_t SqlRewriter::caseOf(std::size_t end) const {
  std::size_t depth = 0;
  for (std::size_t i = end + 1; i-- > 0;) {
    if (list_.isWord(i, "END")) {
      ++depth;
    } else if (list_.isWord(i, "CASE") && --depth == 0) {
      return i;
    }
  }
  return list_.size();
}

}  // namespace sub0::query
