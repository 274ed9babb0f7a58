// SPDX-License-Identifier: Apache-2.0
#include "uids.hpp"

#include <algorithm>

namespace sub0::broadcast {
namespace {

class UidParser {
 public:
  explicit UidParser(std::string_view json) : rest_(json) {}

  bool parse(sub0::Tree& uids) {
    skipSpace();
    if (peek() != '[') return parseScalar(uids);
    uids = sub0::Tree::array();
    take();
    for (skipSpace(); peek() != ']'; skipSpace()) {
      sub0::Tree item;
      if (!parseScalar(item)) return false;
      uids.push(std::move(item));
      skipSpace();
      if (peek() == ',')
        take();
      else if (peek() != ']')
        return false;
    }
    return true;
  }

 private:
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  char take() {
    const char c = peek();
    if (!rest_.empty()) rest_.remove_prefix(1);
    return c;
  }
  void skipSpace() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') take();
  }

  bool parseScalar(sub0::Tree& uid) {
    if (peek() == '"') return parseText(uid);
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t\r\n,]"));
    rest_.remove_prefix(word.size());
    if (word == "null") return uid = sub0::Tree(), true;
    if (word.empty() || word.find_first_not_of("0123456789+-.eE") != word.npos) return false;
    uid = sub0::Tree(sub0::Literal::number(word));
    return true;
  }

  bool parseText(sub0::Tree& uid) {
    std::string text;
    take();
    while (!rest_.empty() && peek() != '"') {
      const char c = take();
      if (c != '\\')
        text += c;
      else if (peek() == 'u')
        appendUtf8(text, takeCodePoint());
      else
        text += plainEscape(take());
    }
    take();
    uid = sub0::Tree(sub0::Literal(text));
    return true;
  }

  static char plainEscape(char c) {
    switch (c) {
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      default:
        return c;
    }
  }
  uint32_t takeUnit() {  // "uXXXX"
    const std::string digits(rest_.substr(0, 5).substr(1));
    rest_.remove_prefix(std::min<size_t>(5, rest_.size()));
    return static_cast<uint32_t>(std::strtoul(digits.c_str(), nullptr, 16));
  }
  uint32_t takeCodePoint() {
    const uint32_t unit = takeUnit();
    if (unit < 0xD800 || unit > 0xDBFF || rest_.substr(0, 2) != "\\u") return unit;
    take();
    return 0x10000 + ((unit - 0xD800) << 10U) + (takeUnit() - 0xDC00);
  }
  static void appendUtf8(std::string& text, uint32_t point) {
    const auto put = [&text](uint32_t byte) { text += static_cast<char>(byte); };
    if (point < 0x80) return put(point);
    if (point < 0x800) return put(0xC0 | (point >> 6U)), put(0x80 | (point & 0x3F));
    if (point < 0x10000)
      put(0xE0 | (point >> 12U));
    else
      put(0xF0 | (point >> 18U)), put(0x80 | ((point >> 12U) & 0x3F));
    put(0x80 | ((point >> 6U) & 0x3F));
    put(0x80 | (point & 0x3F));
  }

  std::string_view rest_;
};

}  // namespace

bool parseUids(std::string_view json, sub0::Tree& uids) { return UidParser(json).parse(uids); }

}  // namespace sub0::broadcast
