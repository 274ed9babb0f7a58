// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_arrays.hpp"

#include <algorithm>
#include <cstdint>

#include "parameter_text.hpp"
#include "postgres/postgres_form.hpp"
#include "postgres/postgres_request.hpp"
#include "postgres/postgres_values.hpp"

namespace sub0::query {
namespace {

constexpr int kMostDimensions = 6;  // MAXDIM of the server
constexpr std::string_view kSpaces = " \t\r\n";

void appendElement(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  out.push_back('"');
}

void appendUtf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  const auto rest = [&](int shift) { put(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    rest(0);
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    rest(6);
    rest(0);
  } else {
    put(0xF0U | (code >> 18U));
    rest(12);
    rest(6);
    rest(0);
  }
}

// Reads JSON that is known to be valid, and ends early where it is not.
class ArrayWriter {
 public:
  ArrayWriter(std::string_view json, bool of_json) : json_(json), of_json_(of_json) {}

  bool write(std::string& out) {
    skipSpaces();
    return array(out, 1);
  }

 private:
  char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  void skipSpaces() { at_ = std::min(json_.find_first_not_of(kSpaces, at_), json_.size()); }

  bool array(std::string& out, int depth) {
    if (peek() != '[' || depth > kMostDimensions) {
      return false;
    }
    ++at_;
    out.push_back('{');
    skipSpaces();
    bool is_first = true;
    while (peek() != ']') {
      if (!is_first) {
        if (peek() != ',') {
          return false;
        }
        ++at_;
        skipSpaces();
        out.push_back(',');
      }
      if (!element(out, depth)) {
        return false;
      }
      is_first = false;
      skipSpaces();
    }
    ++at_;
    out.push_back('}');
    return true;
  }

  bool element(std::string& out, int depth) {
    if (peek() == '[' && !of_json_) {
      return array(out, depth + 1);
    }
    const std::string_view json = skipValue();
    if (json.empty()) {
      return false;
    }
    if (json == "null") {
      out += "NULL";
    } else if (of_json_ || json[0] == '{') {
      appendElement(out, json);
    } else if (json[0] == '"') {
      std::string text;
      if (!decode(json.substr(1, json.size() - 2), text)) {
        return false;
      }
      appendElement(out, text);
    } else {
      out += plainDecimal(json);  // true and false stay as they are
    }
    return true;
  }

  // The value that begins here, which need not be looked into.
  std::string_view skipValue() {
    const std::size_t begin = at_;
    int depth = 0;
    do {
      const char c = peek();
      if (c == '"') {
        skipString();
      } else if (c == '[' || c == '{') {
        ++depth;
        ++at_;
      } else if (c == ']' || c == '}') {
        --depth;
        ++at_;
      } else if (depth > 0) {
        ++at_;
      } else {
        at_ = std::min(json_.find_first_of(",]} \t\r\n", at_), json_.size());
      }
    } while (depth > 0 && at_ < json_.size());
    return depth == 0 ? json_.substr(begin, at_ - begin) : std::string_view();
  }

  void skipString() {
    for (++at_; at_ < json_.size() && json_[at_] != '"'; ++at_) {
      at_ += json_[at_] == '\\' ? 1 : 0;
    }
    at_ = std::min(at_ + 1, json_.size());
  }

  static bool decode(std::string_view quoted, std::string& text) {
    static constexpr std::string_view kShort = "bfnrt", kMeant = "\b\f\n\r\t";
    for (std::size_t i = 0; i < quoted.size(); ++i) {
      if (quoted[i] != '\\') {
        text.push_back(quoted[i]);
        continue;
      }
      const char c = ++i < quoted.size() ? quoted[i] : '\\';
      if (c == 'u') {
        if (!decodeUnit(quoted, i, text)) {
          return false;
        }
        continue;
      }
      const std::size_t found = kShort.find(c);
      text.push_back(found == std::string_view::npos ? c : kMeant[found]);
    }
    return true;
  }

  // \u0041, or two of them; `i` is at the first u and is left at the last digit.
  static bool decodeUnit(std::string_view quoted, std::size_t& i, std::string& text) {
    std::uint32_t code = 0;
    if (!unitAt(quoted, i + 1, code) || code == 0) {
      return false;
    }
    i += 4;
    if (code >= 0xD800 && code < 0xE000) {
      std::uint32_t low = 0;
      if (code >= 0xDC00 || quoted.substr(i + 1, 2) != "\\u" || !unitAt(quoted, i + 3, low) ||
          low < 0xDC00 || low >= 0xE000) {
        return false;
      }
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
      i += 6;
    }
    appendUtf8(text, code);
    return true;
  }

  static bool unitAt(std::string_view quoted, std::size_t at, std::uint32_t& code) {
    if (at + 4 > quoted.size()) {
      return false;
    }
    for (const char c : quoted.substr(at, 4)) {
      const char lower = static_cast<char>(c | 0x20);
      const bool is_digit = c >= '0' && c <= '9';
      if (!is_digit && (lower < 'a' || lower > 'f')) {
        return false;
      }
      code = code * 16 + static_cast<std::uint32_t>(is_digit ? c - '0' : lower - 'a' + 10);
    }
    return true;
  }

  std::string_view json_;
  bool of_json_;
  std::size_t at_ = 0;
};

}  // namespace

bool isJsonArray(const sub0_value& value) {
  if (value.type != SUB0_RAW) {
    return value.type == SUB0_ARRAY;
  }
  const std::string_view json(value.as.text, value.count);
  const std::size_t begin = json.find_first_not_of(kSpaces);
  return begin != std::string_view::npos && json[begin] == '[';
}

std::optional<std::string> arrayLiteral(std::string_view json, bool of_json) {
  std::string literal;
  if (!ArrayWriter(json, of_json).write(literal)) {
    return std::nullopt;
  }
  return literal;
}

PostgresBinding::PostgresBinding(const PostgresRequest& request)
    : values_(request.parameters.data()), count_(request.parameters.count()) {
  const PostgresForm& form = *request.form;
  if (!form.isRenumbered() && request.arrays == nullptr) {
    return;
  }
  const auto element_of = [&](std::size_t parameter) {
    const PostgresArrays* const arrays = request.arrays.get();
    const bool is_given =
        arrays != nullptr && std::find(arrays->given.begin(), arrays->given.end(),
                                       form.sourceOf(parameter)) != arrays->given.end();
    return is_given && parameter < arrays->elements.size() ? arrays->elements[parameter] : Oid{0};
  };
  for (std::size_t i = 0; i < form.count(); ++i) {
    const char* value = request.parameters.data()[form.sourceOf(i)];
    const Oid element = element_of(i);
    if (element != 0) {
      std::optional<std::string> literal = arrayLiteral(value, isJsonType(element));
      if (literal.has_value()) {  // else the server refuses what it is
        value = literals_.emplace_back(std::move(*literal)).c_str();
      }
    }
    own_.push_back(value);
  }
  values_ = own_.data();
  count_ = static_cast<int>(own_.size());
}

}  // namespace sub0::query
