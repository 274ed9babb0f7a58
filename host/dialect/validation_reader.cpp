// SPDX-License-Identifier: Apache-2.0
// From the value of payload_validation to the rules of a Validation.
#include <algorithm>
#include <utility>

#include "dialect/validation.hpp"
#include "json/writer.hpp"

namespace sub0::dialect {

namespace {

constexpr std::pair<std::string_view, FieldType> kFieldTypes[] = {
    {"STRING", FieldType::kString},   {"NUMBER", FieldType::kNumber},
    {"EMAIL", FieldType::kEmail},     {"OBJECT", FieldType::kRecord},
    {"ARRAY", FieldType::kRecords},   {"STRINGARRAY", FieldType::kStrings},
    {"BOOLEAN", FieldType::kBoolean}, {"DATETIME", FieldType::kDateTime},
    {"UUID", FieldType::kUuid},       {"ENUM", FieldType::kEnum},
};

bool isOfText(FieldType type) {
  return type == FieldType::kString || type == FieldType::kEmail || type == FieldType::kDateTime ||
         type == FieldType::kUuid;
}

// What has a wrong type has been reported by its declaration, and counts as missing here.
const json::Value* findOf(const json::Value& object, std::string_view key, std::uint32_t type) {
  const json::Value* const value = json::find(object, key);
  return value == nullptr || value->type != type ? nullptr : value;
}

std::optional<std::uint64_t> countOf(const json::Value& object, std::string_view key) {
  const json::Value* const limit = findOf(object, key, SUB0_INT);
  if (limit == nullptr || limit->as.i < 0) return std::nullopt;
  return static_cast<std::uint64_t>(limit->as.i);
}

std::optional<NumberLimit> numberOf(const json::Value& object, std::string_view key) {
  const json::Value* const limit = json::find(object, key);
  if (limit == nullptr || !json::isNumber(*limit)) return std::nullopt;
  return NumberLimit{json::toReal(*limit), json::toString(*limit)};
}

std::string valuesList(const std::vector<json::Value>& values) {
  constexpr std::size_t kMaxShown = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(values.size(), kMaxShown); ++i) {
    list += list.empty() ? "" : ", ";
    list +=
        json::isText(values[i]) ? std::string(json::chars(values[i])) : json::toString(values[i]);
  }
  const bool is_longer = values.size() > kMaxShown;
  return is_longer ? list + " and " + std::to_string(values.size() - kMaxShown) + " more" : list;
}

// Both limits at once.
CountLimits tighter(const CountLimits& a, const CountLimits& b) {
  CountLimits both = a;
  if (b.least && (!both.least || *b.least > *both.least)) both.least = b.least;
  if (b.most && (!both.most || *b.most < *both.most)) both.most = b.most;
  return both;
}

bool isCrossed(const CountLimits& limits) {
  return limits.least && limits.most && *limits.least > *limits.most;
}

class RuleReader {
 public:
  RuleReader(const SourceFile& file, Problems& problems) : file_(file), problems_(problems) {}

  /// An element of payload_validation.
  void readElement(const json::Value& element, const std::string& pointer,
                   std::vector<FieldRule>& rules) {
    const json::Value* const field = findOf(element, "field", SUB0_OBJECT);
    if (field == nullptr) return;
    const CountLimits length{countOf(element, "min_length"), countOf(element, "max_length")};
    for (std::size_t i = 0; i < field->count; ++i) {
      const json::Member& member = field->as.members[i];
      const std::string at = below(pointer + "/field", json::toText(member.key));
      auto rule = read(member, at, 0);
      if (!rule) continue;
      const CountLimits inner = rule->length;
      rule->length = tighter(length, inner);
      checkTopLevel(*rule, length, member.value, at);
      if (isCrossed(rule->length) && !isCrossed(length) && !isCrossed(inner)) {
        problems_.error(file_.atKey(at), "S-80",
                        "min_length " + std::to_string(*rule->length.least) +
                            " is above max_length " + std::to_string(*rule->length.most) +
                            ": nothing is both");
      }
      const bool is_known = std::any_of(
          rules.begin(), rules.end(), [&](const FieldRule& one) { return one.name == rule->name; });
      if (is_known) {
        problems_.error(
            file_.atKey(at), "S-80",
            "field \"" + rule->name + "\" is declared twice in this action; keep one of them");
      } else {
        rules.push_back(std::move(*rule));
      }
    }
  }

 private:
  static std::string below(std::string pointer, std::string_view key) {
    json::appendPointerSegment(pointer, key);
    return pointer;
  }

  std::optional<FieldRule> read(const json::Member& member, const std::string& at,
                                std::size_t depth) {
    const json::Value* const type = findOf(member.value, "type", SUB0_TEXT);
    if (type == nullptr) return std::nullopt;
    const auto* const known =
        std::find_if(std::begin(kFieldTypes), std::end(kFieldTypes),
                     [&](const auto& one) { return one.first == json::chars(*type); });
    if (known == std::end(kFieldTypes)) return std::nullopt;
    FieldRule rule;
    rule.name = std::string(json::toText(member.key));
    if (rule.name.find(',') != std::string::npos) {
      problems_.warning(file_.atKey(at), "S-80",
                        "this declares one field, whose name is \"" + rule.name +
                            "\"; of several fields each has a name and a type of its own");
    }
    rule.type = known->second;
    const json::Value* const optional = findOf(member.value, "optional", SUB0_BOOL);
    rule.is_optional = optional != nullptr && optional->as.i != 0;
    readLimits(member.value, rule);
    readPattern(member.value, at, rule);
    readValues(member.value, rule);
    readFields(member.value, at, depth, rule);
    return rule;
  }

  static void readLimits(const json::Value& source, FieldRule& rule) {
    if (isOfText(rule.type)) {
      rule.length = {countOf(source, "min_length"), countOf(source, "max_length")};
    }
    rule.elements.most = countOf(source, "arr_length");
    rule.items = {countOf(source, "items_min_length"), countOf(source, "items_max_length")};
    rule.min = numberOf(source, "min");
    rule.max = numberOf(source, "max");
  }

  void readPattern(const json::Value& source, const std::string& at, FieldRule& rule) {
    const json::Value* const pattern = findOf(source, "pattern", SUB0_TEXT);
    if (pattern == nullptr || pattern->count == 0 || !isOfText(rule.type)) return;
    std::string problem;
    rule.pattern = Pattern::compile(json::chars(*pattern), problem);
    if (rule.pattern == nullptr) {
      problems_.error(file_.at(at + "/pattern"), "S-80", "the pattern cannot be used: " + problem);
    }
  }

  static void readValues(const json::Value& source, FieldRule& rule) {
    const json::Value* const values = findOf(source, "values", SUB0_ARRAY);
    if (values == nullptr) return;
    rule.values.assign(values->as.items, values->as.items + values->count);
    rule.values_text = valuesList(rule.values);
  }

  void readFields(const json::Value& source, const std::string& at, std::size_t depth,
                  FieldRule& rule) {
    const json::Value* const fields = findOf(source, "fields", SUB0_OBJECT);
    if (fields == nullptr) return;
    if (depth >= kMaxFieldDepth) {
      problems_.error(file_.atKey(at + "/fields"), "S-80",
                      "more than " + std::to_string(kMaxFieldDepth) +
                          " \"fields\" stand within each other here");
      return;
    }
    for (std::size_t i = 0; i < fields->count; ++i) {
      const json::Member& member = fields->as.members[i];
      auto inner = read(member, below(at + "/fields", json::toText(member.key)), depth + 1);
      if (inner) rule.fields.push_back(std::move(*inner));
    }
  }

  // Lengths of a top-level text stand beside "field"; where they stand in its type, they hold too.
  void checkTopLevel(const FieldRule& rule, const CountLimits& beside, const json::Value& source,
                     const std::string& at) {
    if (!isOfText(rule.type)) {
      if (!beside.least && !beside.most) return;
      problems_.warning(file_.atKey(at), "S-80",
                        "lengths are limits of texts; they do nothing for \"" + rule.name +
                            "\" of type " + std::string(json::chars(*json::find(source, "type"))));
      return;
    }
    for (const char* const key : {"min_length", "max_length"}) {
      if (json::find(source, key) == nullptr) continue;
      problems_.warning(file_.atKey(below(at, key)), "S-80",
                        "the " + std::string(key) +
                            " of a top-level text stands beside \"field\"; it holds here too");
    }
  }

  const SourceFile& file_;
  Problems& problems_;
};

}  // namespace

Validation Validation::compile(const json::Value& source, std::string_view pointer,
                               const SourceFile& file, Problems& problems) {
  Validation validation;
  RuleReader reader(file, problems);
  for (std::size_t i = 0; json::isArray(source) && i < source.count; ++i) {
    reader.readElement(source.as.items[i], std::string(pointer) + "/" + std::to_string(i),
                       validation.fields_);
  }
  return validation;
}

}  // namespace sub0::dialect
