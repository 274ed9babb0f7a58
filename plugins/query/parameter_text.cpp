// SPDX-License-Identifier: Apache-2.0
#include "parameter_text.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace sub0::query {
namespace {

constexpr long kMostPlainDigits = 20000;

void appendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out.append(escape.data());
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

std::string_view textOf(const sub0_value& value) { return {value.as.text, value.count}; }

}  // namespace

std::string plainDecimal(double number) {
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return plainDecimal(
      std::string_view(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())));
}

std::string plainDecimal(std::string_view json_number) {
  const std::size_t exponent_at = json_number.find_first_of("eE");
  if (exponent_at == std::string_view::npos) {
    return std::string(json_number);
  }
  std::string_view mantissa = json_number.substr(0, exponent_at);
  std::string_view exponent_text = json_number.substr(exponent_at + 1);
  if (!exponent_text.empty() && exponent_text[0] == '+') {
    exponent_text.remove_prefix(1);
  }
  long exponent = 0;
  const auto parsed =
      std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  if (parsed.ec != std::errc() || exponent > kMostPlainDigits || exponent < -kMostPlainDigits) {
    return std::string(json_number);  // the database decides
  }
  std::string result;
  if (!mantissa.empty() && mantissa[0] == '-') {
    result = "-";
    mantissa.remove_prefix(1);
  }
  const std::size_t point = mantissa.find('.');
  std::string digits(mantissa.substr(0, point));
  long point_at = static_cast<long>(digits.size()) + exponent;
  if (point != std::string_view::npos) {
    digits.append(mantissa.substr(point + 1));
  }
  if (point_at <= 0) {
    digits.insert(0, static_cast<std::size_t>(1 - point_at), '0');
    point_at = 1;
  }
  if (point_at >= static_cast<long>(digits.size())) {
    digits.append(static_cast<std::size_t>(point_at) - digits.size(), '0');
  } else {
    digits.insert(static_cast<std::size_t>(point_at), 1, '.');
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') {
      digits.pop_back();
    }
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty() || digits[0] == '.') {
    digits.insert(0, 1, '0');
  }
  return result + digits;
}

void appendJson(std::string& out, const sub0_value& value) {
  switch (value.type) {
    case SUB0_BOOL:
      out.append(value.as.i != 0 ? "true" : "false");
      break;
    case SUB0_INT:
      out.append(std::to_string(value.as.i));
      break;
    case SUB0_DOUBLE:
      out.append(plainDecimal(value.as.d));
      break;
    case SUB0_NUMBER:
    case SUB0_RAW:
      out.append(textOf(value));
      break;
    case SUB0_TEXT:
      appendQuoted(out, textOf(value));
      break;
    case SUB0_ARRAY:
      out.push_back('[');
      for (std::uint32_t i = 0; i < value.count; ++i) {
        if (i > 0) {
          out.push_back(',');
        }
        appendJson(out, value.as.items[i]);
      }
      out.push_back(']');
      break;
    case SUB0_OBJECT:
      out.push_back('{');
      for (std::uint32_t i = 0; i < value.count; ++i) {
        if (i > 0) {
          out.push_back(',');
        }
        const sub0_member& member = value.as.members[i];
        appendQuoted(out, std::string_view(member.key.data, member.key.size));
        out.push_back(':');
        appendJson(out, member.value);
      }
      out.push_back('}');
      break;
    default:
      out.append("null");
      break;
  }
}

bool holdsNul(const sub0_value& value) {
  if (value.type == SUB0_TEXT) {
    return textOf(value).find('\0') != std::string_view::npos;
  }
  if (value.type == SUB0_ARRAY) {
    for (std::uint32_t i = 0; i < value.count; ++i) {
      if (holdsNul(value.as.items[i])) {
        return true;
      }
    }
  }
  if (value.type == SUB0_OBJECT) {
    for (std::uint32_t i = 0; i < value.count; ++i) {
      if (holdsNul(value.as.members[i].value)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace sub0::query
