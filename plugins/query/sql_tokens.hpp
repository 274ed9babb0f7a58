// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sub0::query {

// The one place that knows where SQL's words begin and end. Everything that looks at a statement
// (parameter counts, refusals, RETURNING, the rewriting for SQLite) works on these tokens and never
// on text, so that `'$1'` in a literal, a quoted name or a comment is left alone. The language is
// PostgreSQL's on every database; only what the servers lex differently (nested comments, E''
// strings, dollar quotes, #) depends on the dialect. Sessions of MariaDB and MySQL are set
// to read strings and quoted names as the standard does. Pure functions, any thread.
enum class Dialect : std::uint8_t {
  kPostgres,
  kSqlite,
  kMysql,  // MariaDB and MySQL
  kOdbc,   // whatever is behind a driver: nothing is known but the standard
};

// Whether the database knows parameters by their place alone: `?`.
inline bool hasPlacesForParameters(Dialect dialect) {
  return dialect == Dialect::kMysql || dialect == Dialect::kOdbc;
}

enum class TokenKind : std::uint8_t {
  kWord,         // select, users, déjà
  kQuotedName,   // "userId", `userId`; [userId] on SQLite
  kString,       // 'text', E'text', B'01', $$text$$
  kNumber,       // 1, .5, 1e3, 0x1F
  kParameter,    // $1
  kNamed,        // :name, @name, $name: parameters of other databases
  kOperator,     // =, ->>, ?|, ::
  kPunctuation,  // ( ) [ ] , ; . :
};

struct Token {
  TokenKind kind;
  std::uint32_t number;  // of a parameter
  std::size_t begin;     // bytes from the start of the statement
  std::size_t end;
};

struct TokenList {
  std::string_view sql;
  Dialect dialect = Dialect::kPostgres;
  std::vector<Token> tokens;  // comments and spaces left out
  std::string error;          // empty, or what is not closed, with its place
  bool is_whole = false;      // in spite of the error all tokens are there

  std::string_view text(std::size_t index) const {
    return sql.substr(tokens[index].begin, tokens[index].end - tokens[index].begin);
  }
  // Whether token `index` exists and is this unquoted word (given in capitals), in any case.
  bool isWord(std::size_t index, std::string_view capitals) const;
  // Whether token `index` exists and is this operator or punctuation.
  bool isSign(std::size_t index, std::string_view sign) const;
  std::size_t size() const { return tokens.size(); }
};

// The tokens of `sql`, which must outlive the list.
TokenList tokenize(std::string_view sql, Dialect dialect);

constexpr bool isDigit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t N>
bool isOneOf(std::string_view text, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// ASCII capitals of a word.
std::string capitals(std::string_view word);
// And in small letters, as PostgreSQL reads a name without quotes; what is not ASCII stays.
std::string smallLetters(std::string_view word);

// The index behind the bracket that closes the one at `open`, or size() if none does.
std::size_t behindBracket(const TokenList& list, std::size_t open);

// " at character N", counted from 1 in bytes.
std::string placeOf(const TokenList& list, std::size_t index);

// "the statement at line N: ", of the one that begins at `offset` of a script or behind it; empty
// where the script is one line.
std::string lineOfStatement(const TokenList& script, std::size_t offset);

// The index behind the END of the body whose BEGIN, of a routine or a trigger, is at `begin`; 0: it
// has none.
std::size_t behindBody(const TokenList& list, std::size_t begin);

// Its beginning: whole characters, `most` bytes at most.
std::string_view pieceOf(std::string_view text, std::size_t most);

// Where the statement behind `count` others begins; the script's end where that cannot be told,
// because on MariaDB and MySQL the body of a procedure may hold semicolons.
std::size_t offsetBehind(const TokenList& script, std::size_t count);

}  // namespace sub0::query
