// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/utf8.hpp"

namespace sub0::text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

constexpr char kHexDigits[] = "0123456789abcdef";

std::uint8_t byteAt(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

bool isContinuation(std::string_view bytes, std::size_t index) {
  return index < bytes.size() && (byteAt(bytes, index) & 0xC0u) == 0x80u;
}

/// Length of the well-formed code point at `index`, or 0.
std::size_t codePointLength(std::string_view bytes, std::size_t index) {
  const std::uint8_t lead = byteAt(bytes, index);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || !isContinuation(bytes, index + 1)) return 0;
  const std::uint8_t second = byteAt(bytes, index + 1);
  if (lead < 0xE0) return 2;
  if (!isContinuation(bytes, index + 2)) return 0;
  if (lead < 0xF0) {
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
    return 3;
  }
  if (lead > 0xF4 || !isContinuation(bytes, index + 3)) return 0;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
  return 4;
}

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string encode64(std::string_view bytes, const char* alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t index = 0;
  for (; index + 3 <= bytes.size(); index += 3) {
    const std::uint32_t group = static_cast<std::uint32_t>(byteAt(bytes, index)) << 16 |
                                static_cast<std::uint32_t>(byteAt(bytes, index + 1)) << 8 |
                                byteAt(bytes, index + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out.push_back(alphabet[(group >> shift) & 63u]);
  }
  const std::size_t rest = bytes.size() - index;
  if (rest == 0) return out;
  std::uint32_t group = static_cast<std::uint32_t>(byteAt(bytes, index)) << 16;
  if (rest == 2) group |= static_cast<std::uint32_t>(byteAt(bytes, index + 1)) << 8;
  out.push_back(alphabet[(group >> 18) & 63u]);
  out.push_back(alphabet[(group >> 12) & 63u]);
  if (rest == 2) out.push_back(alphabet[(group >> 6) & 63u]);
  if (pad) out.append(rest == 2 ? "=" : "==");
  return out;
}

int base64UrlValue(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return -1;
}

/// Letters inserted, left out, changed, or swapped with their neighbour (optimal string alignment).
std::size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  const auto same = [](char left, char right) { return lowerAscii(left) == lowerAscii(right); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

template <typename Word>
Word loadWord(const char* data) {
  Word word;
  std::memcpy(&word, data, sizeof word);
  return word;
}

/// What most texts are: two words that overlap cover them, or three bytes.
bool isShortAscii(std::string_view bytes) {
  if (bytes.size() > 16) return false;
  if (bytes.empty()) return true;
  const char* const end = bytes.data() + bytes.size();
  if (bytes.size() < 4) {
    return ((bytes.front() | bytes[bytes.size() / 2] | bytes.back()) & 0x80) == 0;
  }
  if (bytes.size() < 8) {
    const auto both = loadWord<std::uint32_t>(bytes.data()) | loadWord<std::uint32_t>(end - 4);
    return (both & 0x80808080u) == 0;
  }
  const auto both = loadWord<std::uint64_t>(bytes.data()) | loadWord<std::uint64_t>(end - 8);
  return (both & 0x8080808080808080u) == 0;
}

}  // namespace

bool isUtf8(std::string_view bytes) {
  if (isShortAscii(bytes)) return true;
  Utf8Validator validator;
  return validator.feed(bytes) && validator.isComplete();
}

std::string beginning(std::string_view utf8, std::size_t max_bytes) {
  if (utf8.size() <= max_bytes) return std::string(utf8);
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(utf8[end]) & 0xC0) == 0x80) --end;
  return std::string(utf8.substr(0, end)) + "...";
}

std::size_t countCodePoints(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<std::uint8_t>(c) & 0xC0u) != 0x80u;
  }));
}

std::string escapeControl(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  std::size_t index = 0;
  while (index < bytes.size()) {
    const std::uint8_t byte = byteAt(bytes, index);
    const std::size_t length = codePointLength(bytes, index);
    const bool is_c1 = length == 2 && byte == 0xC2 && byteAt(bytes, index + 1) < 0xA0;
    if (length > 0 && byte >= 0x20 && byte != 0x7F && !is_c1) {
      out.append(bytes.substr(index, length));
      index += length;
      continue;
    }
    if (byte == '\n') {
      out.append("\\n");
    } else if (byte == '\r') {
      out.append("\\r");
    } else if (byte == '\t') {
      out.append("\\t");
    } else {
      out.append("\\x").append(1, kHexDigits[byte >> 4]).append(1, kHexDigits[byte & 15u]);
    }
    ++index;
  }
  return out;
}

std::string wellFormed(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t index = 0; index < bytes.size();) {
    const std::size_t length = codePointLength(bytes, index);
    out.append(length == 0 ? kReplacement : bytes.substr(index, length));
    index += std::max<std::size_t>(length, 1);
  }
  return out;
}

void appendJsonString(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t index = 0;
  while (index < text.size()) {
    const char c = text[index];
    const std::size_t length = codePointLength(text, index);
    if (length == 0) {
      out.append(kReplacement);
      ++index;
      continue;
    }
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byteAt(text, index) < 0x20) {
      out.append("\\u00").append(1, kHexDigits[(c >> 4) & 15]).append(1, kHexDigits[c & 15]);
    } else {
      out.append(text.substr(index, length));
    }
    index += length;
  }
  out.push_back('"');
}

std::optional<std::string> percentDecode(std::string_view encoded, bool plus_is_space) {
  std::string out;
  out.reserve(encoded.size());
  for (std::size_t index = 0; index < encoded.size(); ++index) {
    const char c = encoded[index];
    if (c == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (c == '%') {
      if (index + 2 >= encoded.size()) return std::nullopt;
      const int high = hexValue(encoded[index + 1]);
      const int low = hexValue(encoded[index + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      index += 2;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string base64Encode(std::string_view bytes) {
  return encode64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

std::string base64UrlEncode(std::string_view bytes) {
  return encode64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

std::optional<std::string> base64UrlDecode(std::string_view encoded) {
  if (encoded.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(encoded.size() * 3 / 4);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : encoded) {
    const int value = base64UrlValue(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      out.push_back(static_cast<char>((bits >> bit_count) & 0xFFu));
    }
  }
  if ((bits & ((1u << bit_count) - 1u)) != 0) return std::nullopt;
  return out;
}

bool equalsIgnoreCase(std::string_view a, std::string_view b) {
  // The usual spelling is compared as a whole.
  return a.size() == b.size() &&
         (a == b || std::equal(a.begin(), a.end(), b.begin(),
                               [](char x, char y) { return lowerAscii(x) == lowerAscii(y); }));
}

std::string toLower(std::string_view ascii) {
  std::string out(ascii);
  std::transform(out.begin(), out.end(), out.begin(), lowerAscii);
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto position = text.find_first_of(separators);
    parts.push_back(trim(text.substr(0, position)));
    if (position == std::string_view::npos) return parts;
    text.remove_prefix(position + 1);
  }
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto candidate : candidates) {
    const std::size_t distance = editDistance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace sub0::text
