// SPDX-License-Identifier: Apache-2.0
// SQL: tokens lie in order within the statement, what is between them is no token, and joined again
// they are the same tokens. The rewriting for SQLite gives whole SQL, which SQLite itself may
// refuse but reads; RETURNING is added once, and the times of rows are. What SQLite takes, it takes
// with them.
#include <sqlite3.h>

#include "row_times.hpp"
#include "sql_analysis.hpp"
#include "sql_tokens.hpp"
#include "sqlite/sqlite_rewrite.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0::query {
namespace {

std::string shown(const TokenList& list) {
  if (!list.error.empty()) return "error";
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    out += std::to_string(static_cast<int>(list.tokens[i].kind)) + "<";
    out.append(list.text(i)) += "> ";
  }
  return out;
}

void judgeTokens(const TokenList& list, Dialect dialect) {
  std::size_t end = 0;
  std::string joined;
  for (const Token& token : list.tokens) {
    FUZZ_CHECK(token.begin >= end && token.end > token.begin && token.end <= list.sql.size());
    const std::string_view gap = list.sql.substr(end, token.begin - end);
    FUZZ_CHECK(tokenize(gap, dialect).tokens.empty());
    // Right behind another token a bracket is a subscript, elsewhere SQLite's quote of a name.
    const bool is_subscript = token.begin == end && list.sql[token.begin] == '[';
    joined.append(is_subscript ? "" : "\n")
        .append(list.sql.substr(token.begin, token.end - token.begin));
    end = token.end;
  }
  FUZZ_CHECK(tokenize(list.sql.substr(end), dialect).tokens.empty());
  fuzz::checkEqual(shown(tokenize(joined, dialect)), shown(list), "tokens joined again");
}

/// Every bracket is closed; else the database refuses the statement, whatever is added.
bool isBalanced(const TokenList& list) {
  std::string open;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.isSign(i, "(") || list.isSign(i, "[")) {
      open += list.text(i) == "(" ? ')' : ']';
    } else if (list.isSign(i, ")") || list.isSign(i, "]")) {
      if (open.empty() || open.back() != list.text(i)[0]) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

void judgeReturning(const TokenList& list, const Analysis& analysis, Dialect dialect) {
  const std::string sql = withReturningAll(list, analysis);
  const TokenList again = tokenize(sql, dialect);
  FUZZ_CHECK(again.error.empty());
  const Analysis other = analyse(again, dialect);
  FUZZ_CHECK(other.errors.empty() && other.verb == analysis.verb);
  FUZZ_CHECK(other.parameter_count == analysis.parameter_count);
  FUZZ_CHECK(other.reads_only == analysis.reads_only);
  fuzz::checkEqual(withReturningAll(again, other), sql, "RETURNING twice");
}

struct Database {
  Database() {
    FUZZ_CHECK(sqlite3_open(":memory:", &handle) == SQLITE_OK);
    sqlite3_exec(handle,
                 "CREATE TABLE t (a INTEGER, b TEXT, c REAL, created_at TEXT, updated_at TEXT, "
                 "deleted_at TEXT)",
                 nullptr, nullptr, nullptr);
  }
  ~Database() { sqlite3_close(handle); }
  bool takes(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr);
    sqlite3_finalize(statement);
    return code == SQLITE_OK;
  }
  sqlite3* handle = nullptr;
};

/// SQLite must find one statement in it, as we did, and as many parameters.
void judgeRewrite(const TokenList& list, const Analysis& analysis) {
  if (list.sql.find('\0') != std::string_view::npos) return;  // refused at load, before this
  const Rewritten rewritten = rewriteForSqlite(list);
  if (!rewritten.errors.empty()) return;
  const TokenList again = tokenize(rewritten.sql, Dialect::kSqlite);
  FUZZ_CHECK(again.error.empty());
  static const Database database;
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(database.handle, rewritten.sql.c_str(), -1, &statement, &rest) ==
          SQLITE_OK &&
      statement != nullptr) {
    const TokenList behind = tokenize(rest, Dialect::kSqlite);
    for (std::size_t i = 0; i < behind.size(); ++i) FUZZ_CHECK(behind.isSign(i, ";"));
    FUZZ_CHECK(static_cast<std::uint32_t>(sqlite3_bind_parameter_count(statement)) ==
               analysis.parameter_count);
    FUZZ_CHECK(!analysis.reads_only || sqlite3_stmt_readonly(statement) != 0);
  }
  sqlite3_finalize(statement);
}

using Rewrite = RowTimes (*)(const TokenList&, const Analysis&);

void judgeTimes(const TokenList& list, const Analysis& analysis, Dialect dialect, Rewrite rewrite) {
  const RowTimes made = rewrite(list, analysis);
  if (!made.error.empty() || !made.is_meant) return;
  const TokenList again = tokenize(made.sql, dialect);
  FUZZ_CHECK(again.error.empty());
  const Analysis other = analyse(again, dialect);
  FUZZ_CHECK(other.errors.empty() && other.parameter_count == analysis.parameter_count);
  FUZZ_CHECK(!other.reads_only && other.returns_rows == analysis.returns_rows);
  fuzz::checkEqual(rewrite(again, other).sql, made.sql, "times twice");
  if (dialect != Dialect::kSqlite || list.sql.find('\0') != std::string_view::npos) return;
  const Rewritten before = rewriteForSqlite(list);
  const Rewritten after = rewriteForSqlite(again);
  static const Database database;
  if (before.errors.empty() && database.takes(before.sql)) {
    FUZZ_CHECK(after.errors.empty() && database.takes(after.sql));
  }
}

}  // namespace
}  // namespace sub0::query

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0::query;
  const sub0::fuzz::Input input(data, size);
  // Exactly as long as it is: a step beside it is seen.
  const std::unique_ptr<char[]> memory(new char[input.bytes.size()]);
  if (!input.bytes.empty()) std::memcpy(memory.get(), input.bytes.data(), input.bytes.size());
  const std::string_view sql(memory.get(), input.bytes.size());
  for (const Dialect dialect : {Dialect::kPostgres, Dialect::kSqlite}) {
    const TokenList list = tokenize(sql, dialect);
    if (list.error.empty()) judgeTokens(list, dialect);
    const Analysis analysis = analyse(list, dialect);
    if (!analysis.errors.empty()) continue;
    if (isBalanced(list)) {
      judgeReturning(list, analysis, dialect);
      judgeTimes(list, analysis, dialect, withTimestamps);
      judgeTimes(list, analysis, dialect, withSoftDelete);
    }
    if (dialect == Dialect::kSqlite) judgeRewrite(list, analysis);
  }
  return 0;
}
