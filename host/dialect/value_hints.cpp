// SPDX-License-Identifier: Apache-2.0
#include "dialect/value_hints.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/text.hpp"
#include "dialect/generators.hpp"
#include "dialect/suggest.hpp"

namespace sub0::dialect {

namespace {

constexpr std::string_view kStandardClaims[] = {"iss", "sub", "aud", "exp",
                                                "nbf", "iat", "jti", "id"};

std::vector<std::string_view> candidatesOf(const Names& names, bool with_claims) {
  std::vector<std::string_view> candidates;
  for (const auto* list : {&names.extracted, &names.generated, &names.declared_payload}) {
    candidates.insert(candidates.end(), list->begin(), list->end());
  }
  if (with_claims) {
    candidates.insert(candidates.end(), names.extracted_claims.begin(),
                      names.extracted_claims.end());
  }
  return candidates;
}

bool isPathCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// `items.0.name` of `items[0].name`; the rest begins behind an accessor.
std::string indexForm(std::string_view text, const WrittenAccessor& accessor) {
  std::size_t at = accessor.end;
  std::string path(text.substr(accessor.begin, at - accessor.begin));
  bool has_index = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const bool is_open =
        c == '[' && at + 1 < text.size() && text[at + 1] >= '0' && text[at + 1] <= '9';
    if (is_open) {
      std::size_t end = text.find_first_not_of("0123456789", at + 1);
      if (end == std::string_view::npos || text[end] != ']') break;
      path += "." + std::string(text.substr(at + 1, end - at - 1));
      at = end;
      has_index = true;
    } else if (has_index && isPathCharacter(c) && (c != '.' || at + 1 < text.size())) {
      path += c;
    } else {
      break;
    }
  }
  if (!has_index) return {};
  return inQuotes(text.substr(accessor.begin, at - accessor.begin)) +
         " is read up to the bracket, " + "which stays as text; write " + path;
}

bool isContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The character at `at`, of valid UTF-8.
std::uint32_t characterAt(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  std::uint32_t character = first < 0xE0   ? first & 0x1Fu
                            : first < 0xF0 ? first & 0x0Fu
                                           : first & 0x07u;
  for (++at; at < text.size() && isContinuation(text[at]); ++at) {
    character = character << 6 | (static_cast<unsigned char>(text[at]) & 0x3Fu);
  }
  return character;
}

// Latin, Greek, Cyrillic, and the marks above them.
bool isAlphabetic(std::uint32_t c) {
  return (c >= 0xC0 && c < 0x530 && c != 0xD7 && c != 0xF7) || (c >= 0x1E00 && c < 0x2000);
}

// A letter of any script; not the punctuation and the symbols that end a sentence.
bool isLetter(std::uint32_t c) {
  return isAlphabetic(c) || (c >= 0x530 && c < 0x1E00) || (c >= 0x3040 && c < 0xE000);
}

// `$PAYLOAD.ü` and `$PAYLOAD.größe` are read up to the letter that no name of an accessor has.
std::string foreignLetter(std::string_view text, const WrittenAccessor& accessor) {
  const std::size_t at = accessor.end;
  const bool has_dot = at < text.size() && text[at] == '.';
  const std::size_t letter = at + (has_dot ? 1 : 0);
  if (letter >= text.size() || static_cast<unsigned char>(text[letter]) < 0x80) return {};
  const std::uint32_t character = characterAt(text, letter);
  // Right behind a name, scripts without spaces go on with the sentence.
  if (!(has_dot ? isLetter(character) : isAlphabetic(character))) return {};
  std::size_t end = letter;
  while (end < text.size() &&
         (static_cast<unsigned char>(text[end]) >= 0x80 || isPathCharacter(text[end])))
    ++end;
  return inQuotes(text.substr(accessor.begin, end - accessor.begin)) + " reads " +
         std::string(text.substr(accessor.begin, at - accessor.begin)) + ", and " +
         inQuotes(text.substr(at, end - at)) +
         " stays as text: names in accessors are of a-z, A-Z, 0-9, _ and -";
}

// The path between `open` at `at` and `close`; empty: there is none.
std::string_view pathWithin(std::string_view text, std::size_t begin, std::string_view close) {
  const std::size_t end = text.find(close, begin);
  if (end == std::string_view::npos) return {};
  const std::string_view path = text::trim(text.substr(begin, end - begin));
  const bool is_path = !path.empty() && std::all_of(path.begin(), path.end(), isPathCharacter) &&
                       (path.front() < '0' || path.front() > '9');
  return is_path ? path : std::string_view();
}

bool isAccessor(std::string_view path) {
  return !findAccessors("$" + std::string(path), nullptr).empty();
}

}  // namespace

std::string foreignEnd(const WrittenAccessor& accessor, std::string_view text) {
  if (accessor.root != AccessorRoot::kPayload && accessor.root != AccessorRoot::kProtected) {
    return {};
  }
  std::string form = indexForm(text, accessor);
  return form.empty() ? foreignLetter(text, accessor) : form;
}

std::vector<std::string> foreignForms(std::string_view text,
                                      const std::vector<WrittenAccessor>& accessors) {
  std::vector<std::string> found;
  for (const WrittenAccessor& accessor : accessors) {
    std::string form = foreignEnd(accessor, text);
    if (!form.empty()) found.push_back(std::move(form));
  }
  for (std::size_t at = text.find("${"); at != std::string_view::npos;
       at = text.find("${", at + 2)) {
    const std::string_view path = pathWithin(text, at + 2, "}");
    if (!isAccessor(path)) continue;
    found.push_back(inQuotes("${" + std::string(path) + "}") +
                    " is no accessor and stays as text; write $" + std::string(path));
  }
  for (std::size_t at = text.find("{{"); at != std::string_view::npos;
       at = text.find("{{", at + 2)) {
    const std::string path(pathWithin(text, at + 2, "}}"));
    if (path.empty()) continue;
    found.push_back(inQuotes("{{" + path + "}}") + " is no accessor and stays as text; write $" +
                    (isAccessor(path) ? "" : "PAYLOAD.") + path);
  }
  return found;
}

bool isGenerator(const json::Value& object) {
  const json::Value* kind = json::find(object, "generate");
  if (kind == nullptr || !json::isText(*kind)) return false;
  const json::Value* name = json::find(object, "for");
  return object.count == (name == nullptr ? 1u : 2u);
}

std::string nearestName(std::string_view word, const Names& names) {
  return suggest(word, candidatesOf(names, true));
}

std::string misspelledField(std::string_view field, const Names& names) {
  const auto candidates = candidatesOf(names, false);
  if (std::find(candidates.begin(), candidates.end(), field) != candidates.end()) return {};
  std::string near = suggest(field, candidates);
  return near.size() == field.size() && field.size() > 3 ? near : std::string();
}

std::string runningEnd(const WrittenAccessor& accessor, std::string_view text, const Names* names) {
  if (accessor.root == AccessorRoot::kGenerator) return {};
  for (const std::string_view segment : accessor.segments) {
    if (segment.back() != '-' && segment.back() != '_') continue;
    if (accessor.root == AccessorRoot::kPayload && names != nullptr &&
        segment.data() == accessor.segments.front().data()) {
      const auto known = candidatesOf(*names, false);
      if (std::find(known.begin(), known.end(), segment) != known.end()) continue;
    }
    return "\"" + std::string(text.substr(accessor.begin, accessor.end - accessor.begin)) +
           "\" reads a member \"" + std::string(segment) + "\": - and _ belong to names";
  }
  return {};
}

std::string accessorHint(std::string_view written) {
  if (written == "$ENV") return "; write $ENV.NAME";
  if (written == "$HEADER") return "; write $HEADER.Name";
  if (written == "$GENERATOR") return "; write $GENERATOR.UUID or another kind";
  if (written.substr(0, 11) == "$CONNECTION") return "; there are $CONNECTION.uid and .id";
  return {};
}

std::string generatorKinds() {
  std::string list = "; there are ";
  for (const auto kind : kGeneratorKinds) {
    list += std::string(kind) + (kind == std::end(kGeneratorKinds)[-1] ? "" : ", ");
  }
  return list;
}

std::string almostSpecial(const json::Value& object) {
  const json::Value* kind = json::find(object, "generate");
  if (kind != nullptr && !json::isText(*kind)) {
    return "\"generate\" must be the name of a kind" + generatorKinds();
  }
  if (kind != nullptr && generatorKindOf(json::chars(*kind))) {
    return "a generator has \"generate\" and \"for\" and no other member";
  }
  if (json::find(object, "literal") != nullptr && object.count > 1) {
    return "a literal has the member \"literal\" alone";
  }
  if (object.count != 1) return {};
  const std::string_view only = json::toText(object.as.members[0].key);
  const std::string near = suggest(only, {"generate", "literal"});
  if (near.empty() || near == only) return {};
  return "\"" + std::string(only) + "\" is a member like any other; was \"" + near + "\" meant?";
}

bool isStandardClaim(std::string_view claim) {
  return std::find(std::begin(kStandardClaims), std::end(kStandardClaims), claim) !=
         std::end(kStandardClaims);
}

}  // namespace sub0::dialect
