// SPDX-License-Identifier: Apache-2.0
#include "dialect/syntax_hint.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace sub0::dialect {

namespace {

// The last character in front of `offset` that is no space; 0 if there is none.
char characterBefore(std::string_view text, std::size_t offset) {
  while (offset > 0 && isSpace(text[offset - 1])) --offset;
  return offset == 0 ? '\0' : text[offset - 1];
}

std::string_view wordAt(std::string_view text, std::size_t offset) {
  std::size_t end = offset;
  while (end < text.size() && isNameCharacter(text[end])) ++end;
  return text.substr(offset, end - offset);
}

std::string hintForWord(std::string_view word) {
  const std::string lower = text::toLower(word);
  for (const std::string_view literal : {"true", "false", "null"}) {
    if (lower == literal) return "; write " + lower;
  }
  if (lower == "none" || lower == "undefined" || lower == "nil") return "; write null";
  if (lower == "nan" || lower == "infinity") return "; JSON has no such number";
  return "; write \"" + std::string(word) + "\"";
}

bool isBlank(std::string_view text) { return std::all_of(text.begin(), text.end(), isSpace); }

}  // namespace

std::string encodingProblem(std::string_view text) {
  const std::string_view first = text.substr(0, 2);
  const bool has_utf16_mark = first == "\xFF\xFE" || first == "\xFE\xFF";
  const bool has_one_zero = first.size() == 2 && (first[0] == '\0') != (first[1] == '\0');
  const bool looks_like_utf16 =
      has_one_zero &&
      std::string_view("{[/ \t\r\n").find(std::max(first[0], first[1])) != std::string_view::npos;
  if (has_utf16_mark || looks_like_utf16) return "this file looks like UTF-16; save it as UTF-8";
  if (text.substr(0, 64).find('\0') != std::string_view::npos) {
    return "this file is no text: it holds zero bytes";
  }
  return {};
}

std::string syntaxHint(std::string_view text, std::size_t offset) {
  if (isBlank(text)) return ": the file is empty; a resource is an object {\"id\": ...}";
  if (offset >= text.size()) return {};
  const char here = text[offset];
  const char before = characterBefore(text, offset);
  if (!text::isUtf8(text.substr(offset, 1)) && !text::isUtf8(text))
    return "; save the file as UTF-8";
  if (here == '\'') return "; texts and keys stand in double quotes";
  if (here == '#') return "; a comment begins with //";
  if (here == ',' || ((here == ']' || here == '}') && before == ','))
    return "; a comma is too many";
  if (here == '\n' || here == '\r')
    return "; is a closing quote missing? A line break is written \\n";
  if (here == '\t') return "; a tab is written \\t";
  if (here == '\\' && text.substr(offset, 2) != "\\u") return "; a backslash is written \\\\";
  if (here == '{' && before == '}') {
    return "; is a comma missing? Several resources of a file stand in an array [ ]";
  }
  if (here == '+' || here == '.') return "; a number begins with a digit or -";
  if (here == '=') return "; a key and its value are separated by a colon";
  if (before == '0' && (here == 'x' || here == 'X' || isDigit(here))) {
    return "; numbers are decimal, without zeros in front";
  }
  if (isNameStart(here)) return hintForWord(wordAt(text, offset));
  if (here == '"' && before != ',' && before != '{' && before != '[') {
    return "; is a comma missing in front of it?";
  }
  return {};
}

}  // namespace sub0::dialect
