// SPDX-License-Identifier: Apache-2.0
#include "dialect/dotenv.hpp"

#include <utility>
#include <vector>

#include "base/text.hpp"
#include "dialect/suggest.hpp"

namespace sub0::dialect {

namespace {

bool isName(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-') return false;
  }
  return true;
}

bool isBlankOrComment(std::string_view rest) {
  const auto trimmed = text::trim(rest);
  return trimmed.empty() || trimmed.front() == '#';
}

// The text between double quotes; nullopt if they are not closed or something follows.
std::optional<std::string> unescape(std::string_view quoted) {
  std::string out;
  for (std::size_t i = 1; i < quoted.size(); ++i) {
    if (quoted[i] == '"') {
      if (!isBlankOrComment(quoted.substr(i + 1))) return std::nullopt;
      return out;
    }
    if (quoted[i] != '\\' || i + 1 == quoted.size()) {
      out += quoted[i];
      continue;
    }
    const char next = quoted[++i];
    switch (next) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case '"':
      case '\\':
      case '$':
        out += next;
        break;
      default:
        out += '\\';
        out += next;
    }
  }
  return std::nullopt;
}

/// The text begins with a quote that nothing ends: what stands on the next lines is lost, too.
bool isOpenQuote(std::string_view text) {
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == text.front()) return false;
    if (text[i] == '\\' && text.front() == '"') ++i;
  }
  return true;
}

std::optional<std::string> valueOf(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.front() == '"') return unescape(text);
  if (text.front() == '\'') {
    const std::size_t end = text.find('\'', 1);
    if (end == std::string_view::npos || !isBlankOrComment(text.substr(end + 1))) {
      return std::nullopt;
    }
    return std::string(text.substr(1, end - 1));
  }
  if (text.front() == '#') return std::string();
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '#' && (text[i - 1] == ' ' || text[i - 1] == '\t')) {
      text = text.substr(0, i);
      break;
    }
  }
  return std::string(text::trim(text));
}

}  // namespace

EnvironmentValues parseDotEnv(std::string_view content, const std::string& file,
                              Problems& problems) {
  EnvironmentValues values;
  if (content.substr(0, 3) == "\xEF\xBB\xBF") content.remove_prefix(3);
  std::size_t line_number = 0;
  while (!content.empty()) {
    ++line_number;
    const std::size_t end = content.find('\n');
    std::string_view line = text::trim(content.substr(0, end));
    content = end == std::string_view::npos ? std::string_view() : content.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.substr(0, 7) == "export ") line = text::trim(line.substr(7));
    const std::size_t equals = line.find('=');
    const std::string_view name = text::trim(line.substr(0, equals));
    std::optional<std::string> value;
    // The content is never shown: it may be a secret.
    if (equals != std::string_view::npos && isName(name)) {
      const std::string_view written = text::trim(line.substr(equals + 1));
      if (isOpenQuote(written)) {
        problems.error({file, "", {line_number, 1}}, "S-3",
                       "a quote is not closed on this line; a value stands on one line, where \\n "
                       "between double quotes is a line break");
        continue;
      }
      value = valueOf(written);
    }
    if (!value) {
      problems.warning({file, "", {line_number, 1}}, "S-3",
                       "this line is no NAME=value and is ignored");
      continue;
    }
    values.insert_or_assign(std::string(name), std::move(*value));
  }
  return values;
}

std::string nearestVariable(std::string_view name, const EnvironmentValues& values) {
  std::vector<std::string_view> names;
  for (const auto& [known, value] : values) names.push_back(known);
  return suggest(name, names);
}

EnvironmentLookup layeredEnvironment(EnvironmentLookup process, EnvironmentValues values) {
  return [process = std::move(process),
          values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    if (process) {
      if (auto value = process(name)) return value;
    }
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

}  // namespace sub0::dialect
