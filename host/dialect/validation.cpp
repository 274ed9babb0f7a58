// SPDX-License-Identifier: Apache-2.0
#include "dialect/validation.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace sub0::dialect {

namespace {

constexpr std::string_view kForbiddenDomains[] = {"test", "localhost"};

bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool isDomainCharacter(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Dotted: at least two labels, none empty, none with a hyphen at an end.
bool isDottedDomain(std::string_view domain) {
  std::size_t label_count = 0;
  while (true) {
    const std::size_t dot = domain.find('.');
    const std::string_view label = domain.substr(0, dot);
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), isDomainCharacter)) return false;
    ++label_count;
    if (dot != std::string_view::npos) {
      domain.remove_prefix(dot + 1);
      continue;
    }
    return label_count > 1 &&
           std::none_of(std::begin(kForbiddenDomains), std::end(kForbiddenDomains),
                        [&](std::string_view name) { return text::equalsIgnoreCase(label, name); });
  }
}

std::optional<FieldType> typeOf(std::string_view name) {
  if (name == "STRING") return FieldType::kString;
  if (name == "NUMBER") return FieldType::kNumber;
  if (name == "EMAIL") return FieldType::kEmail;
  return std::nullopt;
}

// A length limit; nullopt where there is none or its declaration has refused it.
std::optional<std::uint64_t> limitOf(const json::Value& element, std::string_view key) {
  const json::Value* limit = json::find(element, key);
  if (limit == nullptr || limit->type != SUB0_INT || limit->as.i < 0) return std::nullopt;
  return static_cast<std::uint64_t>(limit->as.i);
}

// What is wrong with one present value, as the text behind the field's name; empty: nothing.
std::string failureOf(const FieldRule& rule, const json::Value& value, bool is_from_text) {
  if (rule.type == FieldType::kNumber) {
    const bool is_number = json::isNumber(value) || (is_from_text && json::isText(value) &&
                                                     isNumberText(json::chars(value)));
    return is_number ? "" : " must be a number";
  }
  if (rule.type == FieldType::kEmail) {
    if (!json::isText(value) || !isEmail(json::chars(value))) return " is not a valid email";
  } else if (!json::isText(value)) {
    return " must be a string";
  }
  if (!rule.min_length && !rule.max_length) return "";
  const std::uint64_t length = text::countCodePoints(json::chars(value));
  if (rule.min_length && length < *rule.min_length) {
    return " must have at least " + std::to_string(*rule.min_length) + " characters";
  }
  if (rule.max_length && length > *rule.max_length) {
    return " must have at most " + std::to_string(*rule.max_length) + " characters";
  }
  return "";
}

}  // namespace

Validation Validation::compile(const json::Value& source, std::string_view pointer,
                               const SourceFile& file, Problems& problems) {
  Validation validation;
  for (std::size_t i = 0; json::isArray(source) && i < source.count; ++i) {
    const json::Value& element = source.as.items[i];
    const std::string here = std::string(pointer) + "/" + std::to_string(i);
    const json::Value* field = json::find(element, "field");
    if (field == nullptr || !json::isObject(*field)) continue;  // reported by its declaration
    const auto min_length = limitOf(element, "min_length");
    const auto max_length = limitOf(element, "max_length");
    if (min_length && max_length && *min_length > *max_length) {
      problems.error(file.at(here + "/min_length"), "S-80",
                     "min_length " + std::to_string(*min_length) + " is above max_length " +
                         std::to_string(*max_length) + ": no text is both");
    }
    for (std::size_t m = 0; m < field->count; ++m) {
      const json::Member& member = field->as.members[m];
      std::string at = here + "/field";
      json::appendPointerSegment(at, json::toText(member.key));
      const json::Value* type = json::find(member.value, "type");
      const auto known = type != nullptr && json::isText(*type) ? typeOf(json::chars(*type))
                                                                : std::optional<FieldType>();
      if (!known) continue;
      FieldRule rule{std::string(json::toText(member.key)), *known, min_length, max_length};
      if (rule.type == FieldType::kNumber && (min_length || max_length)) {
        problems.warning(
            file.atKey(at), "S-80",
            "lengths are limits of texts; they do nothing for the number \"" + rule.name + "\"");
      }
      if (validation.find(rule.name) != nullptr) {
        problems.error(
            file.atKey(at), "S-80",
            "field \"" + rule.name + "\" is declared twice in this action; keep one of them");
      } else {
        validation.fields_.push_back(std::move(rule));
      }
    }
  }
  return validation;
}

bool Validation::validate(const json::Value& payload, std::span<const std::string_view> from_texts,
                          std::vector<std::string>& failures) const {
  bool passes = true;
  for (const FieldRule& rule : fields_) {
    const json::Value* value = json::find(payload, rule.name);
    std::string failure;
    if (value == nullptr || json::isNull(*value)) {
      failure = " is required";
    } else {
      const bool is_from_text =
          std::find(from_texts.begin(), from_texts.end(), rule.name) != from_texts.end();
      failure = failureOf(rule, *value, is_from_text);
    }
    if (failure.empty()) continue;
    passes = false;
    failures.push_back(rule.name + failure);
  }
  return passes;
}

const FieldRule* Validation::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const FieldRule& rule) { return rule.name == name; });
  return found == fields_.end() ? nullptr : &*found;
}

bool isEmail(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || text.find('@', at + 1) != std::string_view::npos) {
    return false;
  }
  const std::string_view local = text.substr(0, at);
  const bool is_printable = std::all_of(local.begin(), local.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) != 0x7F;
  });
  return is_printable && isDottedDomain(text.substr(at + 1));
}

bool isNumberText(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && isDigit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t whole_begin = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[whole_begin] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

}  // namespace sub0::dialect
