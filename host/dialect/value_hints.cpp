// SPDX-License-Identifier: Apache-2.0
#include "dialect/value_hints.hpp"

#include <algorithm>
#include <vector>

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

}  // namespace

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
