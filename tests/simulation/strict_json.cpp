// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/strict_json.hpp"

#include <cstdint>
#include <cstdio>

namespace sub0::simulation {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::optional<Json> document() {
    Json value;
    skipSpace();
    if (!readValue(value, 0)) return std::nullopt;
    skipSpace();
    return rest_.empty() ? std::optional<Json>(std::move(value)) : std::nullopt;
  }

 private:
  static constexpr int kMaxDepth = 200;

  void skipSpace() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != rest_.npos) {
      rest_.remove_prefix(1);
    }
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool takeWord(std::string_view word) {
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool readValue(Json& value, int depth) {
    if (rest_.empty() || depth > kMaxDepth) return false;
    switch (rest_.front()) {
      case '{':
        return readObject(value, depth);
      case '[':
        return readArray(value, depth);
      case '"':
        value.type = Json::Type::kText;
        return readText(value.text);
      case 'n':
        return takeWord("null");
      case 't':
        value.type = Json::Type::kTrue;
        return takeWord("true");
      case 'f':
        value.type = Json::Type::kFalse;
        return takeWord("false");
      default:
        value.type = Json::Type::kNumber;
        return readNumber(value.text);
    }
  }

  bool readObject(Json& value, int depth) {
    value.type = Json::Type::kObject;
    take('{');
    skipSpace();
    if (take('}')) return true;
    do {
      skipSpace();
      std::string name;
      if (!readText(name) || value.find(name) != nullptr) return false;
      skipSpace();
      if (!take(':')) return false;
      skipSpace();
      value.members.emplace_back(std::move(name), Json());
      if (!readValue(value.members.back().second, depth + 1)) return false;
      skipSpace();
    } while (take(','));
    return take('}');
  }

  bool readArray(Json& value, int depth) {
    value.type = Json::Type::kArray;
    take('[');
    skipSpace();
    if (take(']')) return true;
    do {
      skipSpace();
      if (!readValue(value.items.emplace_back(), depth + 1)) return false;
      skipSpace();
    } while (take(','));
    return take(']');
  }

  std::size_t takeDigits(std::string& out) {
    std::size_t count = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      out.push_back(rest_.front());
      rest_.remove_prefix(1);
      ++count;
    }
    return count;
  }
  bool readNumber(std::string& out) {
    if (take('-')) out.push_back('-');
    const bool begins_with_zero = !rest_.empty() && rest_.front() == '0';
    const std::size_t whole = takeDigits(out);
    if (whole == 0 || (begins_with_zero && whole > 1)) return false;
    if (take('.')) {
      out.push_back('.');
      if (takeDigits(out) == 0) return false;
    }
    if (!rest_.empty() && (rest_.front() == 'e' || rest_.front() == 'E')) {
      out.push_back('e');
      rest_.remove_prefix(1);
      if (!rest_.empty() && (rest_.front() == '+' || rest_.front() == '-')) {
        out.push_back(rest_.front());
        rest_.remove_prefix(1);
      }
      if (takeDigits(out) == 0) return false;
    }
    return true;
  }

  bool readText(std::string& out) {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out.push_back(c);
      } else if (!readEscape(out)) {
        return false;
      }
    }
    return false;
  }

  bool readEscape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (const auto at = kNames.find(c); at != kNames.npos) {
      out.push_back(kValues[at]);
      return true;
    }
    std::uint32_t point = 0;
    if (c != 'u' || !readUnit(point)) return false;
    if (point >= 0xDC00 && point <= 0xDFFF) return false;
    if (point >= 0xD800 && point <= 0xDBFF) {
      std::uint32_t low = 0;
      if (!takeWord("\\u") || !readUnit(low) || low < 0xDC00 || low > 0xDFFF) return false;
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    append(point, out);
    return true;
  }
  bool readUnit(std::uint32_t& unit) {
    if (rest_.size() < 4) return false;
    for (int i = 0; i < 4; ++i) {
      const char c = rest_[static_cast<std::size_t>(i)];
      const auto digit = std::string_view("0123456789abcdef")
                             .find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit == std::string_view::npos) return false;
      unit = unit << 4 | static_cast<std::uint32_t>(digit);
    }
    rest_.remove_prefix(4);
    return true;
  }
  static void append(std::uint32_t point, std::string& out) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | point >> 6);
      put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
      put(0xE0 | point >> 12);
      put(0x80 | (point >> 6 & 0x3F));
      put(0x80 | (point & 0x3F));
    } else {
      put(0xF0 | point >> 18);
      put(0x80 | (point >> 12 & 0x3F));
      put(0x80 | (point >> 6 & 0x3F));
      put(0x80 | (point & 0x3F));
    }
  }

  std::string_view rest_;
};

}  // namespace

std::optional<Json> Json::parse(std::string_view text) {
  if (!isStrictUtf8(text)) return std::nullopt;
  return Reader(text).document();
}

const Json* Json::find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string Json::toString() const {
  std::string out;
  switch (type) {
    case Type::kNull:
      return "null";
    case Type::kFalse:
      return "false";
    case Type::kTrue:
      return "true";
    case Type::kNumber:
      return text;
    case Type::kText:
      return quoted(text);
    case Type::kArray:
      for (const Json& item : items) out += (out.empty() ? "" : ",") + item.toString();
      return "[" + out + "]";
    case Type::kObject:
      for (const auto& [name, value] : members) {
        out += (out.empty() ? "" : ",") + quoted(name) + ":" + value.toString();
      }
      return "{" + out + "}";
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

bool isStrictUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t size = 1;
    std::uint32_t point = lead;
    if (lead >= 0x80) {
      if (lead < 0xC2 || lead > 0xF4) return false;
      size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      point = lead & (0xFFU >> (size + 1));
      if (i + size > text.size()) return false;
      for (std::size_t k = 1; k < size; ++k) {
        const auto next = static_cast<unsigned char>(text[i + k]);
        if ((next & 0xC0) != 0x80) return false;
        point = point << 6 | (next & 0x3F);
      }
      if ((size == 3 && point < 0x800) || (size == 4 && point < 0x10000) || point > 0x10FFFF ||
          (point >= 0xD800 && point <= 0xDFFF)) {
        return false;
      }
    }
    i += size;
  }
  return true;
}

}  // namespace sub0::simulation
