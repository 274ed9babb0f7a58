// SPDX-License-Identifier: Apache-2.0
#include "dialect/claims_of_none.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/contains.hpp"

namespace sub0::dialect {

namespace {

// Others are never looked up in the payload (Parameter).
bool isAllNameCharacters(std::string_view word) {
  return std::all_of(word.begin(), word.end(), isNameCharacter);
}

class WordChecker {
 public:
  WordChecker(const std::vector<std::string>& claims, const ReadContext& context)
      : claims_(claims), context_(context) {}

  void check(const json::Value* word, const Names& names, const Place& place) {
    if (word == nullptr || !json::isText(*word)) return;
    const std::string name(json::chars(*word));
    const bool is_another = name == "id" || contains(names.declared_payload, name) ||
                            contains(names.extracted, name) || contains(names.generated, name);
    if (is_another || !isAllNameCharacters(name) || !contains(claims_, name)) return;
    context_.problems.warning(place, "S-63",
                              "no \"tokenize\" of this project puts the claim \"" + name +
                                  "\" into a token: what a client sends as \"" + name +
                                  "\" would be taken; write $PROTECTED." + name +
                                  ", or add it to custom_claim_fields");
  }

 private:
  const std::vector<std::string>& claims_;
  const ReadContext& context_;
};

}  // namespace

std::vector<std::string> claimsOfNone(const Resource& resource,
                                      const std::vector<Resource>& resources) {
  if (!resource.protection || !resource.tokenize) return {};
  std::vector<std::string> issued{"iat", "exp", "jti"};
  bool is_issued = false;
  for (const Resource& other : resources) {
    if (!other.issuesToken() || other.actionables.empty() ||
        other.tokenize->encryption_key.empty() ||
        other.tokenize->encryption_key != resource.tokenize->encryption_key) {
      continue;
    }
    is_issued = true;
    const auto& fields = other.tokenize->custom_claim_fields;
    for (const std::string& field : fields.value_or(std::vector<std::string>{"id"})) {
      issued.push_back(field);
    }
  }
  std::vector<std::string> claims;
  if (!is_issued) return claims;
  for (const std::string& claim : resource.protection->extract_claims) {
    if (!contains(issued, claim)) claims.push_back(claim);
  }
  return claims;
}

void warnOfClaimsOfNone(const Resource& resource, const std::vector<Resource>& resources,
                        const ReadContext& context) {
  const std::vector<std::string> claims = claimsOfNone(resource, resources);
  if (claims.empty()) return;
  WordChecker words(claims, context);
  if (resource.rate_limit) {
    const auto& identifier = resource.rate_limit->identifier;
    words.check(identifier.value, resource.names, resource.file->at(identifier.pointer));
  }
  for (const Actionable& action : resource.actionables) {
    const json::Value* query = json::find(*action.source, "sql_query");
    const json::Value* list = query == nullptr ? nullptr : json::find(*query, "parameters");
    if (list == nullptr || !json::isArray(*list) || action.place.file == nullptr) continue;
    for (std::uint32_t i = 0; i < list->count; ++i) {
      const std::string pointer = action.pointer + "/sql_query/parameters/" + std::to_string(i);
      words.check(list->as.items + i, action.names, action.place.file->at(pointer));
    }
  }
}

}  // namespace sub0::dialect
