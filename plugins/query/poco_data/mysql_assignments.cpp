// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_assignments.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "sql_tokens.hpp"

namespace sub0::query {
namespace {

constexpr std::array<std::string_view, 4> kBeforeTable = {"LOW_PRIORITY", "HIGH_PRIORITY",
                                                          "DELAYED", "INTO"};
constexpr std::array<std::string_view, 5> kBehindAssignments = {"WHERE", "RETURNING", "ORDER",
                                                                "LIMIT", "ON"};

// The statement's words; those that are operators beside a ? come apart: `=?` is two.
class Words {
 public:
  explicit Words(std::string_view sql) : list_(tokenize(sql, Dialect::kMysql)) {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      std::string_view text = list_.text(i);
      const bool is_operator = list_.tokens[i].kind == TokenKind::kOperator;
      while (is_operator && text.size() > 1 && text.find('?') != std::string_view::npos) {
        const std::size_t length = std::max<std::size_t>(text.find('?'), 1);
        words_.push_back(text.substr(0, length));
        text.remove_prefix(length);
      }
      words_.push_back(text);
    }
  }

  bool is(std::size_t i, std::string_view expected) const {
    return i < words_.size() && capitals(words_[i]) == expected;
  }
  template <std::size_t N>
  bool isOneOf(std::size_t i, const std::array<std::string_view, N>& expected) const {
    return std::any_of(expected.begin(), expected.end(),
                       [&](std::string_view word) { return is(i, word); });
  }
  std::size_t size() const { return words_.size(); }

  std::string name(std::size_t i) const {
    const std::string_view word = i < words_.size() ? words_[i] : std::string_view();
    const bool is_quoted = word.size() > 2 && (word[0] == '`' || word[0] == '"');
    return std::string(is_quoted ? word.substr(1, word.size() - 2) : word);
  }
  // Behind a bracket, or behind one word.
  std::size_t next(std::size_t i) const {
    std::size_t depth = 0;
    do {
      depth += is(i, "(") ? 1 : 0;
      depth -= depth > 0 && is(i, ")") ? 1 : 0;
      ++i;
    } while (depth > 0 && i < size());
    return i;
  }
  // Behind the value that begins at `i`: at a comma, the closing bracket, or the next clause.
  std::size_t behindValue(std::size_t i) const {
    while (i < size() && !is(i, ",") && !is(i, ")") && !is(i, ";") &&
           !isOneOf(i, kBehindAssignments)) {
      i = next(i);
    }
    return i;
  }
  std::uint32_t place(std::size_t i) const {
    return static_cast<std::uint32_t>(std::count(
        words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(i), std::string_view("?")));
  }

 private:
  TokenList list_;
  std::vector<std::string_view> words_;
};

class AssignmentReader {
 public:
  explicit AssignmentReader(std::string_view sql) : words_(sql) {}

  std::vector<MysqlAssignment> read() {
    if (words_.is(0, "UPDATE")) {
      readUpdate();
    } else if (words_.is(0, "INSERT") || words_.is(0, "REPLACE")) {
      readInsert();
    }
    return std::move(found_);
  }

 private:
  void add(std::size_t at, std::size_t behind, std::string column, std::uint32_t ordinal) {
    if (behind == at + 1 && words_.is(at, "?")) {
      found_.push_back({words_.place(at), std::move(column), ordinal});
    }
  }

  std::size_t behindTable(std::size_t at) const {
    while (words_.isOneOf(at, kBeforeTable)) {
      ++at;
    }
    ++at;
    while (words_.is(at, ".")) {
      at += 2;
    }
    return at;
  }

  void readUpdate() {
    std::size_t at = behindTable(1);
    at += words_.is(at, "AS") ? 2 : 0;
    at += words_.is(at, "SET") ? 0 : 1;
    if (words_.is(at, "SET")) {
      readSet(at + 1);
    }
  }

  void readInsert() {
    std::size_t at = behindTable(1);
    std::vector<std::string> columns;
    if (words_.is(at, "(") && !words_.is(at + 1, "SELECT")) {
      const std::size_t behind = words_.next(at);
      for (std::size_t i = at + 1; i + 1 < behind; i += 2) {
        columns.push_back(words_.name(i));
      }
      at = behind;
    }
    if (words_.is(at, "VALUES") || words_.is(at, "VALUE")) {
      at = readRows(at + 1, columns);
    } else if (words_.is(at, "SET")) {
      readSet(at + 1);
    }
    while (at < words_.size() && !(words_.is(at, "KEY") && words_.is(at + 1, "UPDATE"))) {
      ++at;
    }
    readSet(at + 2);
  }

  std::size_t readRows(std::size_t at, const std::vector<std::string>& columns) {
    while (words_.is(at, "(")) {
      const std::size_t end = words_.next(at) - 1;
      std::uint32_t ordinal = 1;
      for (++at; at < end; ++at, ++ordinal) {
        const std::size_t behind = std::min(words_.behindValue(at), end);
        const bool is_named = ordinal <= columns.size();
        add(at, behind, is_named ? columns[ordinal - 1] : "", ordinal);
        at = behind;
      }
      at = words_.is(end + 1, ",") ? end + 2 : end + 1;
    }
    return at;
  }

  // column = value, ...
  void readSet(std::size_t at) {
    while (at + 2 < words_.size()) {
      while (words_.is(at + 1, ".")) {
        at += 2;
      }
      if (!words_.is(at + 1, "=")) {
        return;
      }
      const std::size_t behind = words_.behindValue(at + 2);
      add(at + 2, behind, words_.name(at), 0);
      if (!words_.is(behind, ",")) {
        return;
      }
      at = behind + 1;
    }
  }

  Words words_;
  std::vector<MysqlAssignment> found_;
};

}  // namespace

std::vector<MysqlAssignment> assignmentsOf(std::string_view sql) {
  return AssignmentReader(sql).read();
}

bool hasFraction(const DataParameter& parameter) {
  double number = 0;
  switch (parameter.kind) {
    case DataParameter::Kind::kReal:
      number = parameter.real;
      break;
    case DataParameter::Kind::kDecimal: {  // as many digits as it likes
      const std::size_t point = parameter.text.find('.');
      return point != std::string::npos &&
             parameter.text.find_first_not_of('0', point + 1) != std::string::npos;
    }
    case DataParameter::Kind::kText: {
      const std::string& text = parameter.text;
      const std::size_t first = std::min(text.find_first_not_of(" +"), text.size());
      const auto read = std::from_chars(text.data() + first, text.data() + text.size(), number);
      if (read.ec != std::errc()) {
        return false;
      }
      break;
    }
    default:
      return false;
  }
  return std::isfinite(number) && std::floor(number) != number;
}

}  // namespace sub0::query
