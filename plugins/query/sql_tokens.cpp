// SPDX-License-Identifier: Apache-2.0
#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

bool isNamePart(char c) { return isNameStart(c) || isDigit(c) || c == '$'; }

bool isSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool isOperatorChar(char c) {
  return std::string_view("+-*/<>=~!@#%^&|?").find(c) != std::string_view::npos;
}

class Lexer {
 public:
  Lexer(std::string_view sql, Dialect dialect) : sql_(sql), dialect_(dialect) {
    list_.sql = sql;
    list_.dialect = dialect;
  }

  TokenList run() {
    while (at_ < sql_.size() && list_.error.empty()) {
      step();
    }
    if (!hash_error_.empty()) {
      list_.is_whole = list_.error.empty();
      list_.error = hash_error_;
    }
    return std::move(list_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }

  void add(TokenKind kind, std::size_t begin, std::uint32_t number = 0) {
    list_.tokens.push_back(Token{kind, number, begin, at_});
  }

  void unclosed(const char* what, std::size_t begin) {
    list_.error = std::string("the ") + what + " that begins at character " +
                  std::to_string(begin + 1) + " is not closed";
    at_ = sql_.size();
  }

  void step() {
    const char c = peek();
    if (isSpace(c)) {
      ++at_;
    } else if (beginsLineComment()) {
      const std::size_t line_end = sql_.find('\n', at_);
      at_ = line_end == std::string_view::npos ? sql_.size() : line_end;
    } else if (c == '/' && peek(1) == '*') {
      comment();
    } else if (beginsHash()) {
      hash();
    } else if (c == '\'') {
      string(at_, false);
    } else if (c == '"' || c == '`') {
      quotedName(at_, c);
    } else if (beginsBracketedName()) {
      bracketedName();
    } else if (isNameStart(c)) {
      word();
    } else if (isDigit(c) || (c == '.' && isDigit(peek(1)))) {
      number();
    } else if (c == '$') {
      dollar();
    } else if (isOperatorChar(c)) {
      sign();
    } else {
      other(c);
    }
  }

  // To MariaDB and MySQL `a--1` is arithmetic.
  bool beginsLineComment() const {
    if (dialect_ != Dialect::kMysql) {
      return peek() == '-' && peek(1) == '-';
    }
    const bool is_over = at_ + 2 >= sql_.size();
    return peek() == '-' && peek(1) == '-' && (is_over || isSpace(peek(2)));
  }

  // MariaDB and MySQL read # as a comment, which would hide the rest of a line behind PostgreSQL's
  // operators of that sign: `data #>> '{a}' = 'x' AND id = 1`.
  bool beginsHash() const { return dialect_ == Dialect::kMysql && peek() == '#'; }

  void hash() {
    const std::string place = std::to_string(at_ + 1);
    std::string sign = "#";
    if (peek(1) == '>' || peek(1) == '-' || peek(1) == '#') {
      sign.push_back(peek(1));
      sign.append(peek(1) == '>' && peek(2) == '>' ? ">" : "");
      const std::size_t begin = at_;
      at_ += sign.size();
      add(TokenKind::kOperator, begin);
      hash_error_ += hash_error_.empty() ? "the operator " + sign + " at character " + place +
                                               " does not exist on MariaDB and MySQL"
                                         : "";
    } else {
      list_.error = "the # at character " + place +
                    " begins a comment on MariaDB and MySQL; write comments as -- or /* */";
      at_ = sql_.size();
    }
  }

  void comment() {
    if (dialect_ == Dialect::kMysql && (peek(2) == '!' || (peek(2) == 'M' && peek(3) == '!'))) {
      list_.error = "the comment at character " + std::to_string(at_ + 1) +
                    " is executed by the database; write what it holds as it is";
      at_ = sql_.size();
      return;
    }
    const std::size_t begin = at_;
    std::size_t depth = 1;
    at_ += 2;
    while (at_ < sql_.size()) {
      if (peek() == '*' && peek(1) == '/') {
        at_ += 2;
        if (--depth == 0) {
          return;
        }
      } else if (peek() == '/' && peek(1) == '*' && dialect_ == Dialect::kPostgres) {
        at_ += 2;
        ++depth;
      } else {
        ++at_;
      }
    }
    if (dialect_ != Dialect::kSqlite) {  // which lets the end of the text close a comment
      unclosed("comment", begin);
    }
  }

  void string(std::size_t begin, bool escapes) {
    ++at_;
    while (at_ < sql_.size()) {
      if (escapes && peek() == '\\') {
        at_ += 2;
      } else if (peek() != '\'') {
        ++at_;
      } else if (peek(1) == '\'') {
        at_ += 2;
      } else {
        ++at_;
        add(TokenKind::kString, begin);
        return;
      }
    }
    unclosed("string", begin);
  }

  void quotedName(std::size_t begin, char quote) {
    ++at_;
    while (at_ < sql_.size()) {
      if (peek() != quote) {
        ++at_;
      } else if (peek(1) == quote) {
        at_ += 2;
      } else {
        ++at_;
        add(TokenKind::kQuotedName, begin);
        return;
      }
    }
    unclosed("quoted name", begin);
  }

  // To SQLite [x] is a name; PostgreSQL's x[1], ARRAY[x] and text[] stay what they are there, so
  // that they are refused by their names.
  bool beginsBracketedName() const {
    if (dialect_ != Dialect::kSqlite || peek() != '[') {
      return false;
    }
    std::size_t ahead = 1;
    while (isSpace(peek(ahead))) {
      ++ahead;
    }
    const char inside = peek(ahead);
    const char before = at_ > 0 ? sql_[at_ - 1] : ' ';
    const bool is_array = list_.isWord(list_.size() - 1, "ARRAY");
    return !is_array && !isNamePart(before) && before != ')' && before != ']' && before != '"' &&
           !isDigit(inside) && inside != '$' && inside != ']';
  }

  void bracketedName() {
    const std::size_t begin = at_;
    const std::size_t close = sql_.find(']', at_);
    if (close == std::string_view::npos) {
      unclosed("quoted name", begin);
      return;
    }
    at_ = close + 1;
    add(TokenKind::kQuotedName, begin);
  }

  void word() {
    const std::size_t begin = at_;
    const char first = peek();
    if (peek(1) == '\'' && std::string_view("eEbBxXnN").find(first) != std::string_view::npos) {
      ++at_;
      string(begin, first == 'e' || first == 'E');
      return;
    }
    if ((first == 'u' || first == 'U') && peek(1) == '&' && (peek(2) == '\'' || peek(2) == '"')) {
      at_ += 2;
      if (peek() == '\'') {
        string(begin, false);
      } else {
        quotedName(begin, '"');
      }
      return;
    }
    while (at_ < sql_.size() && isNamePart(peek())) {
      ++at_;
    }
    add(TokenKind::kWord, begin);
  }

  void number() {
    const std::size_t begin = at_;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      at_ += 2;
      while (isDigit(peek()) || (isNameStart(peek()) && peek() != '_')) {
        ++at_;
      }
      add(TokenKind::kNumber, begin);
      return;
    }
    while (isDigit(peek())) {
      ++at_;
    }
    if (peek() == '.' && peek(1) != '.') {
      ++at_;
      while (isDigit(peek())) {
        ++at_;
      }
    }
    const std::size_t sign_size = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && isDigit(peek(1 + sign_size))) {
      at_ += 1 + sign_size;
      while (isDigit(peek())) {
        ++at_;
      }
    }
    add(TokenKind::kNumber, begin);
  }

  // To SQLite $$ is a parameter, too; one that is closed is PostgreSQL's all the same, so that it
  // is refused by its name.
  bool beginsDollarQuote() const {
    std::size_t tag_end = at_ + 1;
    while (tag_end < sql_.size() && sql_[tag_end] != '$' && isNamePart(sql_[tag_end])) {
      ++tag_end;
    }
    const bool is_closed =
        sql_.find(sql_.substr(at_, tag_end + 1 - at_), tag_end + 1) != std::string_view::npos;
    return dialect_ == Dialect::kPostgres || (dialect_ != Dialect::kOdbc && tag_end < sql_.size() &&
                                              sql_[tag_end] == '$' && is_closed);
  }

  void dollar() {
    const std::size_t begin = at_;
    if (isDigit(peek(1))) {
      std::uint64_t value = 0;
      ++at_;
      while (isDigit(peek())) {
        value = value > 1000000 ? value : value * 10 + static_cast<std::uint64_t>(peek() - '0');
        ++at_;
      }
      add(TokenKind::kParameter, begin, static_cast<std::uint32_t>(value));
      return;
    }
    const bool is_quote = beginsDollarQuote();
    std::size_t tag_end = at_ + 1;
    while (tag_end < sql_.size() && (!is_quote || sql_[tag_end] != '$') &&
           isNamePart(sql_[tag_end])) {
      ++tag_end;
    }
    if (is_quote && tag_end < sql_.size() && sql_[tag_end] == '$') {
      const std::string_view tag = sql_.substr(begin, tag_end + 1 - begin);
      const std::size_t close = sql_.find(tag, tag_end + 1);
      if (close == std::string_view::npos) {
        unclosed("dollar-quoted string", begin);
        return;
      }
      at_ = close + tag.size();
      add(TokenKind::kString, begin);
      return;
    }
    if (tag_end > at_ + 1) {
      at_ = tag_end;
      add(TokenKind::kNamed, begin);
    } else {
      ++at_;
      add(TokenKind::kPunctuation, begin);
    }
  }

  // The longest run of operator characters that holds no start of a comment; a sign of several
  // characters ends in + or
  // - only if it also holds one of the characters that plain arithmetic does not use.
  void sign() {
    const std::size_t begin = at_;
    const bool has_named = dialect_ == Dialect::kSqlite || dialect_ == Dialect::kMysql;
    if (peek() == '@' && isNamePart(peek(1)) && has_named) {
      named(begin);
      return;
    }
    while (isOperatorChar(peek()) && !beginsLineComment() && !beginsHash() &&
           !(peek() == '/' && peek(1) == '*') &&
           !(at_ > begin && peek() == '?' && hasPlacesForParameters(dialect_))) {
      ++at_;
    }
    const std::string_view run = sql_.substr(begin, at_ - begin);
    if (run.find_first_of("~!@#%^&|?") == std::string_view::npos) {
      while (at_ - begin > 1 && (sql_[at_ - 1] == '+' || sql_[at_ - 1] == '-')) {
        --at_;
      }
    }
    add(TokenKind::kOperator, begin);
  }

  void named(std::size_t begin) {
    ++at_;
    while (isNamePart(peek())) {
      ++at_;
    }
    add(TokenKind::kNamed, begin);
  }

  void other(char c) {
    const std::size_t begin = at_;
    if (c == ':' && (peek(1) == ':' || peek(1) == '=')) {
      at_ += 2;
      add(TokenKind::kOperator, begin);
    } else if (c == ':' && isNamePart(peek(1)) && dialect_ == Dialect::kSqlite) {
      named(begin);
    } else {
      ++at_;
      add(TokenKind::kPunctuation, begin);
    }
  }

  std::string_view sql_;
  Dialect dialect_;
  std::size_t at_ = 0;
  TokenList list_;
  std::string hash_error_;  // of the first operator with #; what follows is read all the same
};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

bool TokenList::isWord(std::size_t index, std::string_view capitals_of_word) const {
  if (index >= tokens.size() || tokens[index].kind != TokenKind::kWord) {
    return false;
  }
  const std::string_view word = text(index);
  if (word.size() != capitals_of_word.size()) {
    return false;
  }
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (upper(word[i]) != capitals_of_word[i]) {
      return false;
    }
  }
  return true;
}

bool TokenList::isSign(std::size_t index, std::string_view sign) const {
  return index < tokens.size() &&
         (tokens[index].kind == TokenKind::kOperator ||
          tokens[index].kind == TokenKind::kPunctuation) &&
         text(index) == sign;
}

TokenList tokenize(std::string_view sql, Dialect dialect) { return Lexer(sql, dialect).run(); }

std::string capitals(std::string_view word) {
  std::string result(word);
  for (char& c : result) {
    c = upper(c);
  }
  return result;
}

std::string smallLetters(std::string_view word) {
  std::string made(word);
  for (char& c : made) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return made;
}

std::size_t behindBracket(const TokenList& list, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < list.size(); ++i) {
    if (list.isSign(i, "(") || list.isSign(i, "[")) {
      ++depth;
    } else if (list.isSign(i, ")") || list.isSign(i, "]")) {
      if (--depth == 0) {
        return i + 1;
      }
    }
  }
  return list.size();
}

std::string placeOf(const TokenList& list, std::size_t index) {
  const std::size_t at = index < list.size() ? list.tokens[index].begin : list.sql.size();
  return " at character " + std::to_string(at + 1);
}

std::size_t behindBody(const TokenList& list, std::size_t begin) {
  std::size_t depth = 0;
  for (std::size_t i = begin; i < list.size(); ++i) {
    if (i == begin || list.isWord(i, "CASE")) {
      ++depth;
    } else if (list.isWord(i, "END") && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

std::string_view pieceOf(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace sub0::query
