// SPDX-License-Identifier: Apache-2.0
#include "dialect/validation.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "dialect/text_formats.hpp"

namespace sub0::dialect {

namespace {

// What all patterns together may cost in one walk: about a second, were both the patterns and the
// texts made for it. A pattern of 20 steps has 5 MB.
constexpr std::uint64_t kMaxPatternSteps = 100'000'000;

// The way to a value, innermost first; it becomes text when something fails.
struct Step {
  const Step* outer;
  std::string_view name;  // declared; empty data: an index
  std::size_t index = 0;

  std::string text() const {
    std::string path = outer == nullptr ? std::string() : outer->text() + ".";
    return path += name.data() == nullptr ? std::to_string(index) : std::string(name);
  }
};

std::string countFailure(std::uint64_t count, const CountLimits& limits, const char* what) {
  if (limits.least && count < *limits.least) {
    return " must have at least " + std::to_string(*limits.least) + what;
  }
  if (limits.most && count > *limits.most) {
    return " must have at most " + std::to_string(*limits.most) + what;
  }
  return {};
}

std::string lengthFailure(std::string_view text, const CountLimits& limits) {
  if (!limits.least && !limits.most) return {};
  return countFailure(text::countCodePoints(text), limits, " characters");
}

// The form of a text, by its type; null: it has it.
const char* formFailure(FieldType type, std::string_view text) {
  switch (type) {
    case FieldType::kEmail:
      return isEmail(text) ? nullptr : " is not a valid email";
    case FieldType::kDateTime:
      return isDateTime(text) ? nullptr : " must be a date and time such as 2026-01-31T12:00:00Z";
    case FieldType::kUuid:
      return isUuid(text) ? nullptr : " must be a UUID";
    default:
      return nullptr;
  }
}

const char* noTextFailure(FieldType type) {
  return type == FieldType::kString ? " must be a string" : formFailure(type, {});
}

std::string textFailure(const FieldRule& rule, const json::Value& value) {
  if (!json::isText(value)) return noTextFailure(rule.type);
  const std::string_view text = json::chars(value);
  if (const char* const failure = formFailure(rule.type, text)) return failure;
  return lengthFailure(text, rule.length);
}

std::string numberFailure(const FieldRule& rule, const json::Value& value, bool is_from_text) {
  const bool is_text_of_one =
      is_from_text && json::isText(value) && isNumberText(json::chars(value));
  if (!is_text_of_one && !json::isNumber(value)) return " must be a number";
  if (!rule.min && !rule.max) return {};
  const long double number =
      is_text_of_one ? json::toReal(json::chars(value)) : json::toReal(value);
  if (rule.min && number < rule.min->value) return " must be at least " + rule.min->text;
  if (rule.max && number > rule.max->value) return " must be at most " + rule.max->text;
  return {};
}

bool isTrueOrFalse(const json::Value& value, bool is_from_text) {
  if (value.type == SUB0_BOOL) return true;
  if (!is_from_text || !json::isText(value)) return false;
  return json::chars(value) == "true" || json::chars(value) == "false";
}

// Equal as JSON; without memory but for digits that are kept as text.
bool isEqual(const json::Value& a, const json::Value& b) {
  if (a.type != SUB0_INT && a.type != SUB0_DOUBLE) return json::equals(a, b);
  if (b.type != SUB0_INT && b.type != SUB0_DOUBLE) return json::equals(a, b);
  return !(json::toReal(a) < json::toReal(b)) && !(json::toReal(a) > json::toReal(b));
}

bool isOneOf(const std::vector<json::Value>& values, const json::Value& value) {
  return std::any_of(values.begin(), values.end(),
                     [&](const json::Value& one) { return isEqual(one, value); });
}

// What is wrong with one present value that has no elements or members of its own, as the text
// behind the field's name, but for its pattern; empty: nothing.
std::string failureOf(const FieldRule& rule, const json::Value& value, bool is_from_text) {
  switch (rule.type) {
    case FieldType::kNumber:
      return numberFailure(rule, value, is_from_text);
    case FieldType::kBoolean:
      return isTrueOrFalse(value, is_from_text) ? "" : " must be true or false";
    case FieldType::kEnum:
      return isOneOf(rule.values, value) ? "" : " must be one of: " + rule.values_text;
    default:
      return textFailure(rule, value);
  }
}

// One walk through a payload.
class PayloadWalk {
 public:
  explicit PayloadWalk(std::vector<std::string>& failures) : failures_(failures) {}

  bool isFull() const { return failures_.size() > kMaxFailures; }

  void members(const std::vector<FieldRule>& rules, const json::Value& object, const Step* outer,
               std::span<const std::string_view> from_texts) {
    for (const FieldRule& rule : rules) {
      if (isFull()) return;
      const Step step{outer, rule.name};
      const json::Value* const value = json::find(object, rule.name);
      if (value == nullptr || json::isNull(*value)) {
        if (!rule.is_optional) fail(step, " is required");
        continue;
      }
      const bool is_from_text =
          std::find(from_texts.begin(), from_texts.end(), rule.name) != from_texts.end();
      check(rule, *value, step, is_from_text);
    }
  }

 private:
  void check(const FieldRule& rule, const json::Value& value, const Step& step, bool is_from_text) {
    switch (rule.type) {
      case FieldType::kRecord:
        object(rule, value, step);
        return;
      case FieldType::kRecords:
      case FieldType::kStrings:
        array(rule, value, step);
        return;
      default:
        break;
    }
    const std::string failure = failureOf(rule, value, is_from_text);
    if (!failure.empty()) return fail(step, failure);
    if (rule.pattern) fail(step, patternFailure(*rule.pattern, json::chars(value)));
  }

  void object(const FieldRule& rule, const json::Value& value, const Step& step) {
    if (json::isObject(value)) {
      members(rule.fields, value, &step, {});
    } else {
      fail(step, " must be an object");
    }
  }

  // The elements of an array that is too long are not looked at.
  void array(const FieldRule& rule, const json::Value& value, const Step& step) {
    if (!json::isArray(value)) return fail(step, " must be an array");
    const std::string failure = countFailure(value.count, rule.elements, " elements");
    if (!failure.empty()) return fail(step, failure);
    const bool has_texts = rule.type == FieldType::kStrings;
    if (!has_texts && rule.fields.empty()) return;
    for (std::size_t i = 0; i < value.count && !isFull(); ++i) {
      const Step element{&step, {}, i};
      if (has_texts) {
        text(rule, value.as.items[i], element);
      } else {
        object(rule, value.as.items[i], element);
      }
    }
  }

  void text(const FieldRule& rule, const json::Value& value, const Step& step) {
    fail(step,
         json::isText(value) ? lengthFailure(json::chars(value), rule.items) : " must be a string");
  }

  std::string patternFailure(const Pattern& pattern, std::string_view text) {
    const std::uint64_t cost = pattern.costOf(text.size());
    if (cost > pattern_steps_left_) return " is too long for its pattern";
    pattern_steps_left_ -= cost;
    return pattern.isIn(text) ? std::string() : " must match the pattern " + pattern.source();
  }

  // Nothing of an empty failure.
  void fail(const Step& step, const std::string& failure) {
    if (failure.empty() || isFull()) return;
    failures_.push_back(failures_.size() < kMaxFailures
                            ? step.text() + failure
                            : "more than " + std::to_string(kMaxFailures) +
                                  " fields fail; the others are not listed");
  }

  std::vector<std::string>& failures_;
  std::uint64_t pattern_steps_left_ = kMaxPatternSteps;
};

}  // namespace

bool Validation::validate(const json::Value& payload, std::span<const std::string_view> from_texts,
                          std::vector<std::string>& failures) const {
  const std::size_t failures_before = failures.size();
  PayloadWalk walk(failures);
  if (walk.isFull()) return false;
  walk.members(fields_, payload, nullptr, from_texts);
  return failures.size() == failures_before;
}

const FieldRule* Validation::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const FieldRule& rule) { return rule.name == name; });
  return found == fields_.end() ? nullptr : &*found;
}

}  // namespace sub0::dialect
