// SPDX-License-Identifier: Apache-2.0
#include "json/writer.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

namespace sub0::json {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr std::uint64_t kOnes = 0x0101010101010101u;
constexpr std::uint64_t kHighs = 0x8080808080808080u;

bool needsEscape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

/// A high bit for each byte of `word` that is zero (bytes above the first may be false alarms).
std::uint64_t zeroBytes(std::uint64_t word) { return (word - kOnes) & ~word & kHighs; }

/// Bytes from `data` on that can be written as they are: eight at a time, then one by one.
std::size_t plainLength(const char* data, std::size_t size) {
  std::size_t index = 0;
  for (; index + 8 <= size; index += 8) {
    std::uint64_t word;
    std::memcpy(&word, data + index, 8);
    const std::uint64_t quotes = zeroBytes(word ^ kOnes * '"');
    const std::uint64_t backslashes = zeroBytes(word ^ kOnes * '\\');
    const std::uint64_t controls = (word - kOnes * 0x20) & ~word & kHighs;
    if ((quotes | backslashes | controls) != 0) break;
  }
  while (index < size && !needsEscape(data[index])) ++index;
  return index;
}

void writeEscape(char c, std::string& out) {
  constexpr std::string_view kShort = "\b\f\n\r\t\"\\";
  constexpr std::string_view kLetters = "bfnrt\"\\";
  const std::size_t which = kShort.find(c);
  if (which != std::string_view::npos) {
    out.push_back('\\');
    out.push_back(kLetters[which]);
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  const char escape[] = {'\\', 'u', '0', '0', kHexDigits[byte >> 4], kHexDigits[byte & 15u]};
  out.append(escape, sizeof escape);
}

}  // namespace

void writeString(std::string_view text, std::string& out) {
  out.push_back('"');
  while (true) {
    const std::size_t plain = plainLength(text.data(), text.size());
    out.append(text.data(), plain);
    if (plain == text.size()) break;
    writeEscape(text[plain], out);
    text.remove_prefix(plain + 1);
  }
  out.push_back('"');
}

void writeInteger(int64_t value, std::string& out) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}

void writeDouble(double value, std::string& out) {
  constexpr double kWholeLimit = 1e15;
  if (!std::isfinite(value)) {
    out.append("null");
    return;
  }
  const double magnitude = std::fabs(value);
  if (magnitude < kWholeLimit && !(std::trunc(value) < value) && !(std::trunc(value) > value)) {
    writeInteger(static_cast<int64_t>(value), out);
    return;
  }
  char buffer[40];
  // Large ones never as a bare row of digits: that would read back as an integer beyond 64 bits.
  const auto end = magnitude < kWholeLimit ? std::to_chars(buffer, buffer + sizeof buffer, value)
                                           : std::to_chars(buffer, buffer + sizeof buffer, value,
                                                           std::chars_format::scientific);
  out.append(buffer, static_cast<std::size_t>(end.ptr - buffer));
}

void write(const Value& value, std::string& out) {
  switch (value.type) {
    case SUB0_BOOL:
      out.append(value.as.i != 0 ? "true" : "false");
      return;
    case SUB0_INT:
      writeInteger(value.as.i, out);
      return;
    case SUB0_DOUBLE:
      writeDouble(value.as.d, out);
      return;
    case SUB0_NUMBER:
    case SUB0_RAW:
      out.append(chars(value));
      return;
    case SUB0_TEXT:
      writeString(chars(value), out);
      return;
    case SUB0_ARRAY:
      out.push_back('[');
      for (std::uint32_t index = 0; index < value.count; ++index) {
        if (index > 0) out.push_back(',');
        write(value.as.items[index], out);
      }
      out.push_back(']');
      return;
    case SUB0_OBJECT:
      out.push_back('{');
      for (std::uint32_t index = 0; index < value.count; ++index) {
        if (index > 0) out.push_back(',');
        writeString(toText(value.as.members[index].key), out);
        out.push_back(':');
        write(value.as.members[index].value, out);
      }
      out.push_back('}');
      return;
    default:
      out.append("null");
      return;
  }
}

}  // namespace sub0::json
