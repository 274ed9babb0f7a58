// SPDX-License-Identifier: Apache-2.0
#include "dialect/keys.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "dialect/suggest.hpp"
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
    case SUB0_DOUBLE:
    case SUB0_NUMBER:
      return kReal;
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
    case SUB0_DOUBLE: {  // 1.0 is no whole number, and is not shown as one
      const std::string number = json::toString(value);
      return number + (number.find_first_of(".eE") == std::string::npos ? ".0" : "");
    }
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
  add(types & kAnyNumber, (types & kReal) != 0 ? "a number" : "a whole number");
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

// Whether the member is as if it was not there. Never what could have been meant as something, or a
// wrong value would take a protection away: no 0, no empty text or list, and no false for what
// bounds a payload (`fields`).
bool isAbsent(const json::Value& value, const KeyDeclaration& key) {
  if (json::isNull(value)) return !key.may_be_null;
  if (key.is_off_when_empty && json::isObject(value) && value.count == 0) return true;
  return value.type == SUB0_BOOL && value.as.i == 0 && key.types == kObject && key.of_types.empty();
}

// As withoutAbsent, of a value that may hold objects of the declaration, in an array too.
json::Value settled(const json::Value& value, const ObjectDeclaration* declaration, Arena& memory) {
  if (declaration == nullptr) return value;
  if (json::isObject(value)) return withoutAbsent(value, *declaration, memory);
  if (!json::isArray(value)) return value;
  auto* items = memory.array<json::Value>(value.count);
  for (std::size_t i = 0; i < value.count; ++i) {
    items[i] = settled(value.as.items[i], json::isObject(value.as.items[i]) ? declaration : nullptr,
                       memory);
  }
  return json::array(items, value.count);
}

bool accepts(JsonTypes types, const json::Value& value) {
  return types == kAnyType || (typeOf(value) & types) != 0;
}

std::string below(const std::string& pointer, std::string_view key) {
  std::string out = pointer;
  json::appendPointerSegment(out, key);
  return out;
}

bool isWholeNumber(std::string_view text) {
  const std::string_view digits = text.substr(!text.empty() && text.front() == '-' ? 1 : 0);
  constexpr std::size_t kSurelyFits = 18;  // digits of 64 bits
  return !digits.empty() && digits.size() <= kSurelyFits &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

// How a value of a wrong type was probably meant, to be put behind the message; or nothing.
std::string mendOf(const json::Value& value, JsonTypes types, JsonTypes item_types) {
  if (value.type == SUB0_DOUBLE && (types & kWhole) != 0) {
    const std::string number = json::toString(value);
    if (isWholeNumber(number)) return "; write " + number;
  }
  if (json::isText(value)) {
    const std::string_view word = json::chars(value);
    if ((types & kBool) != 0 && (word == "true" || word == "false")) {
      return "; write " + std::string(word) + " without quotes";
    }
    if ((types & kWhole) != 0 && isWholeNumber(word)) {
      return "; write " + std::string(word) + " without quotes";
    }
  }
  if (types == kArray && item_types != kAnyType && accepts(item_types, value)) {
    return json::isObject(value) ? "; put it into [ ]" : "; write [" + json::toString(value) + "]";
  }
  return {};
}

// "; it is a key of sql_query" for a key that other objects of the dialect have.
std::string homesOf(std::string_view name) {
  std::string homes;
  for (const ObjectDeclaration* const object : allDeclarations()) {
    const KeyDeclaration* const key = object->find(name);
    if (key == nullptr || key->support == Support::kNever) continue;
    homes += (homes.empty() ? "; it is a key of " : " and ") + std::string(object->name);
  }
  return homes;
}

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
  std::string suggestion = suggest(key, candidates);
  std::string message = "unknown key " + inQuotes(key) + " in " + std::string(declaration.name);
  if (suggestion.empty()) message += homesOf(key);
  check.problems.strictWarning(check.strict, check.file.atKey(pointer), "S-2", std::move(message),
                               std::move(suggestion));
}

// Whether the version can run the key with this value; reports if not.
bool isSupported(const json::Value& value, const KeyDeclaration& key, const std::string& pointer,
                 const KeyCheck& check) {
  if (key.support == Support::kYes || (key.support == Support::kOffOnly && isOff(value))) {
    return true;
  }
  std::string message = inQuotes(key.name) + " is not supported";
  if (key.support != Support::kNever) message += " yet";
  message += " (" + std::string(key.text) + ")";
  message += key.support == Support::kOffOnly ? "; take it away, or write false" : "; take it away";
  check.problems.error(check.file.atKey(pointer), "S-40", std::move(message));
  return false;
}

// Range and emptiness of a value of the right type; reports if they are wrong.
bool isWithinLimits(const json::Value& value, const KeyDeclaration& key, const std::string& pointer,
                    const KeyCheck& check) {
  std::string message;
  if (value.type == SUB0_INT && (value.as.i < key.least || value.as.i > key.most)) {
    message = inQuotes(key.name) + " must be at least " + std::to_string(key.least);
    if (key.most != INT64_MAX) message += " and at most " + std::to_string(key.most);
    message += ", not " + describe(value) + ": " + std::string(key.text);
  } else if (!key.may_be_empty && value.count == 0 &&
             (json::isText(value) || json::isArray(value) || json::isObject(value))) {
    message = inQuotes(key.name) + " is empty: " + std::string(key.text);
  }
  if (message.empty()) return true;
  check.problems.error(check.file.at(pointer), key.rule, std::move(message));
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
                         std::string(key.name) + " " + inQuotes(word) +
                             " is not supported yet; this version has " + listOf(allowed));
    return;
  }
  check.problems.error(
      check.file.at(pointer), key.rule,
      inQuotes(key.name) + " must be one of " + listOf(allowed) + ", not " + inQuotes(word),
      suggest(word, allowed));
}

void checkValue(const json::Value& value, const KeyDeclaration& key, const std::string& pointer,
                const KeyCheck& inner) {
  if (!accepts(key.types, value)) {
    inner.problems.error(inner.file.at(pointer), key.rule,
                         inQuotes(key.name) + " must be " + describe(key.types) + ", not " +
                             describe(value) + mendOf(value, key.types, key.item_types));
    return;
  }
  if (!isWithinLimits(value, key, pointer, inner)) return;
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
                             "an element of " + inQuotes(key.name) + " must be " +
                                 describe(key.item_types) + ", not " + describe(item) +
                                 mendOf(item, key.item_types, kAnyType));
      } else if (key.members != nullptr && key.members != &actionableDeclaration()) {
        (void)checkObject(item, *key.members, here, inner);
      }
    }
  }
}

void checkEach(const json::Value& object, const ObjectDeclaration& each, const std::string& pointer,
               const KeyCheck& inner) {
  for (std::size_t i = 0; i < object.count; ++i) {
    const json::Member& member = object.as.members[i];
    const bool is_of_editors = pointer.empty() && json::toText(member.key) == "$schema";
    if (is_of_editors && json::isText(member.value)) continue;
    const std::string here = below(pointer, json::toText(member.key));
    if (json::isObject(member.value)) {
      (void)checkObject(member.value, each, here, inner);
    } else {
      const KeyDeclaration& first = each.keys[0];
      const std::string example =
          json::isText(member.value) ? json::toString(member.value) : "\"STRING\"";
      inner.problems.error(
          inner.file.at(here), first.rule,
          "the " + std::string(each.name) + " must be an object such as {" + inQuotes(first.name) +
              ": " + example + "}, not " + describe(member.value) +
              (json::isText(member.value) ? "" : homesOf(json::toText(member.key))));
    }
  }
}

// Whether the key, by the `type` beside it, belongs there at all; reports a key that does not.
bool belongs(const json::Value& object, const ObjectDeclaration& declaration,
             const KeyDeclaration& key, const std::string& pointer, const KeyCheck& check) {
  if (key.of_types.empty()) return true;
  const json::Value* const type = json::find(object, "type");
  if (type == nullptr || !json::isText(*type)) return false;
  const auto known = text::split(declaration.find("type")->values, "|");
  const auto fitting = text::split(key.of_types, "|");
  const std::string_view word = json::chars(*type);
  if (std::find(fitting.begin(), fitting.end(), word) != fitting.end()) return true;
  if (json::find(object, key.name) != nullptr &&
      std::find(known.begin(), known.end(), word) != known.end()) {
    check.problems.warning(check.file.atKey(below(pointer, key.name)), key.rule,
                           inQuotes(key.name) + " does nothing for type " + std::string(word) +
                               "; it is for " + listOf(fitting));
  }
  return false;
}

// What a key demands of those beside it.
void checkNeighbours(const json::Value& object, const ObjectDeclaration& declaration,
                     const KeyDeclaration& key, const std::string& pointer, const KeyCheck& check) {
  const json::Value* const value = json::find(object, key.name);
  if (!belongs(object, declaration, key, pointer, check)) return;
  const bool is_excused = !key.unless.empty() && json::find(object, key.unless) != nullptr;
  if (key.required && value == nullptr && !is_excused) {
    const std::string needing =
        key.of_types.empty() ? std::string(declaration.name)
                             : "type " + std::string(json::chars(*json::find(object, "type")));
    check.problems.error(check.file.at(pointer), key.rule,
                         needing + " needs " + inQuotes(key.name) + ": " + std::string(key.text));
  }
  if (value == nullptr) return;
  if (!key.needs.empty() && json::find(object, key.needs) == nullptr && !is_excused) {
    check.problems.error(check.file.atKey(below(pointer, key.name)), key.rule,
                         inQuotes(key.name) + " needs " + inQuotes(key.needs) +
                             " beside it: " + std::string(declaration.find(key.needs)->text));
  }
  const json::Value* const limit =
      key.not_above.empty() ? nullptr : json::find(object, key.not_above);
  if (limit == nullptr || !json::isNumber(*value) || !json::isNumber(*limit)) return;
  if (json::toReal(*value) > json::toReal(*limit)) {
    check.problems.error(check.file.at(below(pointer, key.name)), key.rule,
                         std::string(key.name) + " " + describe(*value) + " is above " +
                             std::string(key.not_above) + " " + describe(*limit) +
                             ": nothing is both");
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
    if (key != nullptr && key->may_be_off && isOff(member.value)) continue;
    if (key != nullptr) {
      if (isSupported(member.value, *key, here, check) && key->support == Support::kYes) {
        checkValue(member.value, *key, here, inner);
      }
    } else if (!is_of_plugin) {
      reportUnknown(name, declaration, here, check);
    }
  }
  for (std::size_t i = 0; i < declaration.key_count; ++i) {
    checkNeighbours(object, declaration, declaration.keys[i], pointer, check);
  }
  return check.problems.errorCount() == errors_before;
}

json::Value withoutAbsent(const json::Value& object, const ObjectDeclaration& declaration,
                          Arena& memory) {
  auto* members = memory.array<json::Member>(object.count);
  std::size_t count = 0;
  for (std::size_t i = 0; i < object.count; ++i) {
    const json::Member& member = object.as.members[i];
    const KeyDeclaration* const key = declaration.find(json::toText(member.key));
    if (key != nullptr && isAbsent(member.value, *key)) continue;
    const ObjectDeclaration* const inner = key == nullptr ? declaration.each : key->members;
    members[count++] = {member.key, settled(member.value, inner, memory)};
  }
  return json::object(members, count);
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

}  // namespace sub0::dialect
