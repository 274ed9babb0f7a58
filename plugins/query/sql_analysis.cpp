// SPDX-License-Identifier: Apache-2.0
#include "sql_analysis.hpp"

#include <algorithm>
#include <array>

namespace sub0::query {
namespace {

constexpr std::array<std::string_view, 22> kRefused = {
    "BEGIN",   "START",   "COMMIT", "END",      "ROLLBACK", "ABORT",   "SAVEPOINT", "RELEASE",
    "SET",     "RESET",   "LISTEN", "UNLISTEN", "COPY",     "PREPARE", "EXECUTE",   "DEALLOCATE",
    "DISCARD", "DECLARE", "FETCH",  "MOVE",     "CLOSE",    "LOAD"};
constexpr std::array<std::string_view, 4> kRefusedOnSqlite = {"ATTACH", "DETACH", "PRAGMA",
                                                              "VACUUM"};
constexpr std::array<std::string_view, 8> kRefusedOnMysql = {
    "USE", "XA", "UNLOCK", "HANDLER", "KILL", "SHUTDOWN", "INSTALL", "UNINSTALL"};
constexpr std::size_t kMostShown = 60;            // bytes of a text in a warning
constexpr std::uint32_t kMostParameters = 32766;  // SQLite's bound; PostgreSQL's is 65535

bool isWriteVerb(const TokenList& list, std::size_t index) {
  return list.isWord(index, "INSERT") || list.isWord(index, "UPDATE") ||
         list.isWord(index, "DELETE") || list.isWord(index, "MERGE") ||
         list.isWord(index, "REPLACE");
}

bool isVerb(const TokenList& list, std::size_t index) {
  return isWriteVerb(list, index) || list.isWord(index, "SELECT") || list.isWord(index, "VALUES") ||
         list.isWord(index, "TABLE") || list.isSign(index, "(");
}

// The index of the main verb of `WITH name (columns) AS MATERIALIZED (...), ... verb`.
std::size_t behindWith(const TokenList& list) {
  std::size_t at = list.isWord(1, "RECURSIVE") ? 2 : 1;
  while (at < list.size()) {
    ++at;  // the name
    if (list.isSign(at, "(")) {
      at = behindBracket(list, at);
    }
    while (at < list.size() && !list.isSign(at, "(")) {
      ++at;  // AS, NOT, MATERIALIZED
    }
    at = behindBracket(list, at);
    while (at < list.size() && !list.isSign(at, ",") && !isVerb(list, at)) {
      ++at;  // SEARCH and CYCLE clauses
    }
    if (!list.isSign(at, ",")) {
      return at;
    }
    ++at;
  }
  return list.size();
}

// The place of a verb that stands in brackets: (SELECT 1) UNION (SELECT 2).
std::size_t insideBrackets(const TokenList& list, std::size_t at) {
  while (list.isSign(at, "(")) {
    ++at;
  }
  return at;
}

bool hasWritingPart(const TokenList& list) {
  for (std::size_t i = 1; i + 1 < list.size(); ++i) {
    const bool opens_part = list.isWord(i - 1, "AS") || list.isWord(i - 1, "MATERIALIZED");
    if (opens_part && list.isSign(i, "(") && isWriteVerb(list, i + 1)) {
      return true;
    }
  }
  return false;
}

struct TopLevel {
  bool returning = false;
  bool into = false;
  bool locks_rows = false;
};

TopLevel lookAtTopLevel(const TokenList& list) {
  TopLevel found;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.isSign(i, "(")) {
      ++depth;
    } else if (list.isSign(i, ")") && depth > 0) {
      --depth;
    }
    if (list.isWord(i, "FOR") && (list.isWord(i + 1, "UPDATE") || list.isWord(i + 1, "SHARE") ||
                                  list.isWord(i + 1, "NO") || list.isWord(i + 1, "KEY"))) {
      found.locks_rows = true;
    }
    found.locks_rows = found.locks_rows || (list.isWord(i, "LOCK") && list.isWord(i + 1, "IN"));
    if (depth == 0) {
      found.returning = found.returning || list.isWord(i, "RETURNING");
      found.into = found.into || list.isWord(i, "INTO");
    }
  }
  return found;
}

// EXPLAIN ANALYZE, EXPLAIN (ANALYZE, ...)
bool executesToExplain(const TokenList& list) {
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (list.isWord(i, "ANALYZE") || list.isWord(i, "ANALYSE")) {
      return true;
    }
  }
  return false;
}

// `$PAYLOAD`, and whatever follows.
bool isAccessor(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kRoots = {
      "$ENV", "$PAYLOAD", "$PROTECTED", "$HEADER", "$DATETIME", "$GENERATOR", "$CONNECTION"};
  return std::any_of(kRoots.begin(), kRoots.end(), [&](std::string_view root) {
    const std::string_view behind = text.substr(std::min(root.size(), text.size()));
    const bool goes_on =
        !behind.empty() &&
        ((behind[0] >= 'A' && behind[0] <= 'Z') || (behind[0] >= 'a' && behind[0] <= 'z') ||
         (behind[0] >= '0' && behind[0] <= '9') || behind[0] == '_');
    return text.substr(0, root.size()) == root && !goes_on;
  });
}

std::string beginOf(std::string_view text) {
  return std::string(pieceOf(text, kMostShown)) + (text.size() > kMostShown ? "..." : "");
}

void countParameters(const TokenList& list, Analysis& analysis) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Token& token = list.tokens[i];
    if (token.kind == TokenKind::kParameter) {
      if (token.number == 0 || token.number > kMostParameters) {
        analysis.errors.push_back(std::string(list.text(i)) + placeOf(list, i) +
                                  " is no parameter: they are counted from $1");
      } else {
        analysis.parameter_count = std::max(analysis.parameter_count, token.number);
      }
    } else if (token.kind == TokenKind::kNamed) {
      analysis.errors.push_back(std::string(list.text(i)) + placeOf(list, i) +
                                " is a named parameter; write $1, $2, ..." +
                                (isAccessor(list.text(i)) ? " and put it into parameters" : ""));
    }
  }
}

// The tokens of a body that holds statements of its own: BEGIN ATOMIC ... END of a function, BEGIN
// ... END of SQLite's triggers and of all that MariaDB and MySQL store. Both 0: there is none.
struct Body {
  std::size_t begin = 0;
  std::size_t behind = 0;
};

// Within such a body of MariaDB and MySQL a lot ends with END; the last is its own.
Body findStoredBody(const TokenList& list) {
  static constexpr std::array<std::string_view, 4> kStored = {"TRIGGER", "PROCEDURE", "FUNCTION",
                                                              "EVENT"};
  bool is_stored = false;
  for (std::size_t i = 1; i < list.size(); ++i) {
    is_stored = is_stored || std::any_of(kStored.begin(), kStored.end(),
                                         [&](auto word) { return list.isWord(i, word); });
    if (!is_stored || !list.isWord(i, "BEGIN")) {
      continue;
    }
    for (std::size_t end = list.size() - 1; end > i; --end) {
      if (list.isWord(end, "END")) {
        return Body{i, end + 1};
      }
    }
  }
  return {};
}

Body findBody(const TokenList& list, Dialect dialect) {
  if (!list.isWord(0, "CREATE")) {
    return {};
  }
  if (dialect == Dialect::kMysql) {
    return findStoredBody(list);
  }
  bool is_trigger = false;
  for (std::size_t i = 1; i < list.size(); ++i) {
    is_trigger = is_trigger || (i < 3 && dialect == Dialect::kSqlite && list.isWord(i, "TRIGGER"));
    if (!list.isWord(i, "BEGIN") || !(is_trigger || list.isWord(i + 1, "ATOMIC"))) {
      continue;
    }
    const std::size_t behind = behindBody(list, i);
    return behind == 0 ? Body{} : Body{i, behind};
  }
  return {};
}

bool refuseOnMysql(const TokenList& list, const std::string& first, Analysis& analysis) {
  for (const std::string_view word : kRefusedOnMysql) {
    if (first == word) {
      analysis.errors.push_back(first + " is not allowed in a query");
      return true;
    }
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.isWord(i, "INTO") &&
        (list.isWord(i + 1, "OUTFILE") || list.isWord(i + 1, "DUMPFILE"))) {
      analysis.errors.push_back("INTO " + capitals(list.text(i + 1)) + placeOf(list, i) +
                                " is not allowed in a query");
      return true;
    }
  }
  return false;
}

bool refuse(const TokenList& list, Dialect dialect, Analysis& analysis) {
  if (list.size() == 0) {
    analysis.errors.emplace_back("the query is empty");
    return true;
  }
  const Body body = findBody(list, dialect);
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    const bool is_inside = i > body.begin && i < body.behind;
    if (!is_inside && list.isSign(i, ";") && !list.isSign(i + 1, ";")) {
      analysis.errors.push_back("a query holds one statement; another begins" +
                                placeOf(list, i + 1));
      return true;
    }
  }
  const std::string first = capitals(list.text(0));
  const auto is_first = [&](std::string_view word) { return list.isWord(0, word); };
  const bool locks_session = is_first("LOCK") && dialect != Dialect::kPostgres;
  if (locks_session || std::any_of(kRefused.begin(), kRefused.end(), is_first)) {
    analysis.errors.push_back(
        first + " is not allowed in a query: transactions and sessions belong to the server");
    return true;
  }
  if (dialect == Dialect::kSqlite &&
      std::any_of(kRefusedOnSqlite.begin(), kRefusedOnSqlite.end(), is_first)) {
    analysis.errors.push_back(first + " is not allowed in a query");
    return true;
  }
  return dialect == Dialect::kMysql && refuseOnMysql(list, first, analysis);
}

}  // namespace

Analysis analyse(const TokenList& full_list, Dialect dialect) {
  Analysis analysis;
  if (!full_list.error.empty()) {
    analysis.errors.push_back(full_list.error);
    return analysis;
  }
  TokenList list = full_list;
  while (!list.tokens.empty() && list.isSign(list.size() - 1, ";")) {
    list.tokens.pop_back();
  }
  if (refuse(list, dialect, analysis)) {
    return analysis;
  }
  countParameters(list, analysis);
  std::size_t verb = list.isWord(0, "WITH") ? behindWith(list) : 0;
  verb = insideBrackets(list, verb);
  analysis.verb_index = verb;
  analysis.verb = verb < list.size() ? capitals(list.text(verb)) : std::string();
  const TopLevel top = lookAtTopLevel(list);
  const bool writes = hasWritingPart(list);
  const bool is_query = analysis.verb == "SELECT" || analysis.verb == "VALUES" ||
                        analysis.verb == "TABLE" || analysis.verb == "WITH";
  analysis.returns_rows = is_query || top.returning;
  const bool only_explains = analysis.verb == "EXPLAIN" && !executesToExplain(list);
  const bool changes_nothing = is_query && !top.into && !writes;
  analysis.reads_only =
      analysis.verb == "SHOW" || only_explains || (changes_nothing && !top.locks_rows);
  analysis.only_locks = (changes_nothing && top.locks_rows) || analysis.verb == "LOCK";
  return analysis;
}

std::string withReturningAll(const TokenList& list, const Analysis& analysis) {
  // MariaDB returns rows of everything but an UPDATE; what a driver leads to is not known.
  const bool writes = analysis.verb == "INSERT" || analysis.verb == "DELETE" ||
                      analysis.verb == "REPLACE" ||
                      (analysis.verb == "UPDATE" && list.dialect != Dialect::kMysql);
  std::string sql(list.sql);
  if (!writes || analysis.returns_rows || list.dialect == Dialect::kOdbc) {
    return sql;
  }
  std::size_t last = list.size();
  while (last > 0 && list.isSign(last - 1, ";")) {
    --last;
  }
  return sql.insert(list.tokens[last - 1].end, " RETURNING *");
}

std::vector<std::string> literalAccessors(const TokenList& list) {
  std::vector<std::string> doubts;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const TokenKind kind = list.tokens[i].kind;
    if (kind != TokenKind::kString && kind != TokenKind::kQuotedName) {
      continue;
    }
    const std::string_view text = list.text(i);
    for (std::size_t at = text.find('$'); at != std::string_view::npos;
         at = text.find('$', at + 1)) {
      if (isAccessor(text.substr(at))) {
        doubts.push_back("the accessor in " + beginOf(text) + placeOf(list, i) +
                         " is not replaced, it stays these letters; write $1 there, without "
                         "quotes, and put the accessor into parameters");
        break;
      }
    }
  }
  return doubts;
}

std::string whyNoRow(const Analysis& analysis, Dialect dialect, bool was_delete) {
  static constexpr std::array<std::string_view, 5> kWrites = {"INSERT", "UPDATE", "DELETE",
                                                              "REPLACE", "MERGE"};
  if (analysis.returns_rows || dialect == Dialect::kOdbc ||
      std::find(kWrites.begin(), kWrites.end(), analysis.verb) == kWrites.end()) {
    return {};
  }
  if (dialect == Dialect::kMysql && analysis.verb == "UPDATE") {
    return (was_delete ? "soft_delete makes an UPDATE of the DELETE, and an UPDATE"
                       : std::string("an UPDATE")) +
           " gives no rows on MariaDB and MySQL: read them with a SELECT, in an action that "
           "depends on this one";
  }
  return analysis.verb + " gives rows by RETURNING alone: add it" +
         (analysis.verb == "MERGE" ? "" : ", or name the columns in returnables");
}

}  // namespace sub0::query
