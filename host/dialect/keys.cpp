// SPDX-License-Identifier: Apache-2.0
#include "dialect/keys.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "json/writer.hpp"

namespace sub0::dialect {

namespace {

JsonTypes typeOf(const json::Value& value) {
  switch (value.type) {
    case SUB0_TEXT:
      return kText;
    case SUB0_INT:
      return kWhole;
    case SUB0_BOOL:
      return kBool;
    case SUB0_ARRAY:
      return kArray;
    case SUB0_OBJECT:
      return kObject;
    default:
      return 0;
  }
}

std::string shortened(std::string number) {
  constexpr std::size_t kMaxShownDigits = 32;
  if (number.size() > kMaxShownDigits) number.replace(kMaxShownDigits, std::string::npos, "...");
  return number;
}

std::string describe(const json::Value& value) {
  switch (value.type) {
    case SUB0_NULL:
      return "null";
    case SUB0_TEXT:
      return "a string";
    case SUB0_BOOL:
      return value.as.i != 0 ? "true" : "false";
    case SUB0_ARRAY:
      return "an array";
    case SUB0_OBJECT:
      return "an object";
    default:
      return shortened(json::toString(value));
  }
}

std::string describe(JsonTypes types) {
  std::string out;
  const auto add = [&](JsonTypes type, std::string_view name) {
    if ((types & type) == 0) return;
    if (!out.empty()) out += " or ";
    out += name;
  };
  add(kText, "a string");
  add(kWhole, "a whole number");
  add(kBool, "true or false");
  add(kArray, "an array");
  add(kObject, "an object");
  return out;
}

bool isOff(const json::Value& value) {
  switch (value.type) {
    case SUB0_NULL:
      return true;
    case SUB0_BOOL:
    case SUB0_INT:
      return value.as.i == 0;
    case SUB0_ARRAY:
      return value.count == 0;
    default:
      return false;
  }
}

bool accepts(JsonTypes types, const json::Value& value) {
  return types == kAnyType || (typeOf(value) & types) != 0;
}

std::string below(const std::string& pointer, std::string_view key) {
  std::string out = pointer;
  json::appendPointerSegment(out, key);
  return out;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

void reportUnknown(std::string_view key, const ObjectDeclaration& declaration,
                   const std::string& pointer, const KeyCheck& check) {
  std::vector<std::string_view> candidates;
  for (std::size_t i = 0; i < declaration.key_count; ++i) {
    if (declaration.keys[i].support != Support::kNever) {
      candidates.push_back(declaration.keys[i].name);
    }
  }
  if (check.more_keys != nullptr) {
    candidates.insert(candidates.end(), check.more_keys->begin(), check.more_keys->end());
  }
  check.problems.strictWarning(
      check.strict, check.file.atKey(pointer), "S-2",
      "unknown key " + quoted(key) + " in " + std::string(declaration.name),
      suggest(key, candidates));
}

// Whether the version can run the key with this value; reports if not.
bool isSupported(const json::Value& value, const KeyDeclaration& key, const std::string& pointer,
                 const KeyCheck& check) {
  if (key.support == Support::kYes || (key.support == Support::kOffOnly && isOff(value))) {
    return true;
  }
  std::string message = quoted(key.name) + " is not supported";
  if (key.support != Support::kNever) message += " yet";
  message += " (" + std::string(key.rule) + ": " + std::string(key.text) + ")";
  check.problems.error(check.file.atKey(pointer), "S-40", std::move(message));
  return false;
}

void checkText(const json::Value& value, const KeyDeclaration& key, const std::string& pointer,
               const KeyCheck& check) {
  if (key.values.empty()) return;
  const std::string_view word = json::chars(value);
  const auto allowed = text::split(key.values, "|");
  if (std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return;
  const auto later = text::split(key.later_values, "|");
  if (std::find(later.begin(), later.end(), word) != later.end()) {
    check.problems.error(check.file.at(pointer), "S-40",
                         std::string(key.name) + " " + quoted(word) + " is not supported yet");
    return;
  }
  std::string list;
  for (const auto one : allowed) list += (list.empty() ? "" : ", ") + std::string(one);
  check.problems.error(check.file.at(pointer), key.rule,
                       quoted(key.name) + " must be one of " + list + ", not " + quoted(word),
                       suggest(word, allowed));
}

void checkValue(const json::Value& value, const KeyDeclaration& key, const std::string& pointer,
                const KeyCheck& inner) {
  if (!accepts(key.types, value)) {
    inner.problems.error(
        inner.file.at(pointer), key.rule,
        quoted(key.name) + " must be " + describe(key.types) + ", not " + describe(value));
    return;
  }
  if (json::isText(value)) {
    checkText(value, key, pointer, inner);
  } else if (json::isObject(value) && key.members != nullptr) {
    (void)checkObject(value, *key.members, pointer, inner);
  } else if (json::isArray(value)) {
    for (std::size_t i = 0; i < value.count; ++i) {
      const json::Value& item = value.as.items[i];
      const std::string here = pointer + "/" + std::to_string(i);
      if (!accepts(key.item_types, item)) {
        inner.problems.error(inner.file.at(here), key.rule,
                             "an element of " + quoted(key.name) + " must be " +
                                 describe(key.item_types) + ", not " + describe(item));
      } else if (key.members != nullptr) {
        (void)checkObject(item, *key.members, here, inner);
      }
    }
  }
}

void checkEach(const json::Value& object, const ObjectDeclaration& each, const std::string& pointer,
               const KeyCheck& inner) {
  for (std::size_t i = 0; i < object.count; ++i) {
    const json::Member& member = object.as.members[i];
    const std::string here = below(pointer, json::toText(member.key));
    if (json::isObject(member.value)) {
      (void)checkObject(member.value, each, here, inner);
    } else {
      inner.problems.error(inner.file.at(here), "S-80",
                           "the " + std::string(each.name) +
                               " must be an object such as "
                               "{\"type\": \"STRING\"}, not " +
                               describe(member.value));
    }
  }
}

}  // namespace

const KeyDeclaration* ObjectDeclaration::find(std::string_view key) const {
  const auto* const found = std::find_if(
      keys, keys + key_count, [&](const KeyDeclaration& one) { return one.name == key; });
  return found == keys + key_count ? nullptr : found;
}

bool checkObject(const json::Value& object, const ObjectDeclaration& declaration,
                 const std::string& pointer, const KeyCheck& check) {
  const std::size_t errors_before = check.problems.errorCount();
  const KeyCheck inner{check.file, check.problems, check.strict, nullptr};
  if (declaration.each != nullptr) {
    checkEach(object, *declaration.each, pointer, inner);
    return check.problems.errorCount() == errors_before;
  }
  for (std::size_t i = 0; i < object.count; ++i) {
    const json::Member& member = object.as.members[i];
    const std::string_view name = json::toText(member.key);
    const std::string here = below(pointer, name);
    const KeyDeclaration* key = declaration.find(name);
    const bool is_of_plugin =
        check.more_keys != nullptr &&
        std::find(check.more_keys->begin(), check.more_keys->end(), name) != check.more_keys->end();
    if (key != nullptr && is_of_plugin && key->support == Support::kOffOnly) continue;
    if (key != nullptr) {
      if (isSupported(member.value, *key, here, check) && key->support == Support::kYes) {
        checkValue(member.value, *key, here, inner);
      }
    } else if (!is_of_plugin) {
      reportUnknown(name, declaration, here, check);
    }
  }
  for (std::size_t i = 0; i < declaration.key_count; ++i) {
    const KeyDeclaration& key = declaration.keys[i];
    if (key.required && json::find(object, key.name) == nullptr) {
      check.problems.error(check.file.at(pointer), key.rule,
                           std::string(declaration.name) + " needs " + quoted(key.name) + ": " +
                               std::string(key.text));
    }
  }
  return check.problems.errorCount() == errors_before;
}

std::string_view ruleAt(std::string_view pointer) {
  std::string_view rule = "S-20";
  const ObjectDeclaration* object = &actionableDeclaration();
  for (const auto segment : text::split(pointer, "/")) {
    const KeyDeclaration* key = object == nullptr ? nullptr : object->find(segment);
    if (key != nullptr) {
      rule = key->rule;
      object = key->members;
    }
  }
  return rule;
}

std::string suggest(std::string_view word, const std::vector<std::string_view>& candidates) {
  for (const auto candidate : candidates) {
    if (text::equalsIgnoreCase(word, candidate)) return std::string(candidate);
  }
  return std::string(text::nearest(word, candidates));
}

}  // namespace sub0::dialect
