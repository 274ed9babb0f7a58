// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "dialect/resource_reader.hpp"

namespace sub0::dialect {

namespace {

// What the words of each action may mean (S-63).
class NameCollector {
 public:
  NameCollector(Resource& resource, const ReadContext& context)
      : resource_(resource), context_(context) {}

  void collectNames() {
    std::vector<std::string> declared;
    addDeclared(resource_, declared);
    collectOfResource(declared);
    for (std::size_t i = 0; i < resource_.actionables.size(); ++i) {
      Names& names = resource_.actionables[i].names;
      names = Names();
      names.declared_payload = declared;
      if (resource_.actionables[i].home != nullptr) {
        addDeclared(*resource_.actionables[i].home, names.declared_payload);
        addClaimsOfHome(*resource_.actionables[i].home, names);
      }
      collectTypes(resource_.actionables[i], names);
      // S-95: a field that is missing has no hash; it is never the word itself.
      for (const Hashable& one : resource_.actionables[i].hashables) {
        addName(names.declared_payload, one.property);
      }
      names.has_no_claims = !resource_.protection;
      if (resource_.protection) names.extracted_claims = resource_.protection->extract_claims;
      names.payload_id_is_uid = context_.options.sockets;
      for (const Dependency& dependency : resource_.actionables[i].depends_on) {
        for (const Extraction& one : dependency.extractions) addName(names.extracted, one.name);
      }
      std::vector<bool> is_earlier(resource_.actionables.size(), false);
      for (std::size_t earlier = 0; earlier <= i; ++earlier) markEarlier(earlier, is_earlier);
      for (std::size_t k = 0; k < is_earlier.size(); ++k) {
        if (is_earlier[k]) collectOfAction(*resource_.actionables[k].source, names.generated);
      }
      if (resource_.actionables[i].home == nullptr) warnOfDeclaredId(resource_.actionables[i]);
    }
  }

 private:
  // What the resource's own values may read, which belong to no action.
  void collectOfResource(const std::vector<std::string>& declared) {
    Names& names = resource_.names;
    names = Names();
    names.declared_payload = declared;
    names.has_no_claims = !resource_.protection;
    if (resource_.protection) names.extracted_claims = resource_.protection->extract_claims;
    names.payload_id_is_uid = context_.options.sockets;
  }

  static void addName(std::vector<std::string>& names, std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }

  static void collectGenerated(const json::Value& value, std::vector<std::string>& names) {
    if (json::isArray(value)) {
      for (std::size_t i = 0; i < value.count; ++i) collectGenerated(value.as.items[i], names);
    }
    if (!json::isObject(value)) return;
    const json::Value* kind = json::find(value, "generate");
    const json::Value* name = json::find(value, "for");
    if (value.count == 2 && kind != nullptr && name != nullptr && json::isText(*kind) &&
        json::isText(*name)) {
      addName(names, json::chars(*name));
      return;
    }
    for (std::size_t i = 0; i < value.count; ++i) {
      collectGenerated(value.as.members[i].value, names);
    }
  }

  // A literal parameter makes nothing, whatever it looks like (S-63).
  static void collectOfParameter(const json::Value& value, std::vector<std::string>& names) {
    const bool is_literal =
        json::isObject(value) && value.count == 1 && json::find(value, "literal") != nullptr;
    if (!is_literal) collectGenerated(value, names);
  }

  static void collectOfAction(const json::Value& action, std::vector<std::string>& names) {
    for (std::size_t i = 0; i < action.count; ++i) {
      const json::Value& value = action.as.members[i].value;
      const bool is_query = json::toText(action.as.members[i].key) == "sql_query";
      const json::Value* parameters = is_query ? json::find(value, "parameters") : nullptr;
      if (parameters == nullptr || !json::isArray(*parameters)) {
        collectGenerated(value, names);
        continue;
      }
      for (std::size_t k = 0; k < parameters->count; ++k) {
        collectOfParameter(parameters->as.items[k], names);
      }
    }
  }

  // All that may have run before `action`: itself, those before it, and what these depend on.
  void markEarlier(std::size_t action, std::vector<bool>& is_earlier) const {
    if (is_earlier[action]) return;
    is_earlier[action] = true;
    for (const Dependency& dependency : resource_.actionables[action].depends_on) {
      for (const std::size_t next : dependency.actions) markEarlier(next, is_earlier);
    }
  }

  // What the validation of a resource's actions declares, those of others that it runs too.
  static void addDeclared(const Resource& resource, std::vector<std::string>& names) {
    for (const Actionable& action : resource.actionables) {
      for (const FieldRule& field : action.validation.fields()) addName(names, field.name);
    }
  }

  // Fields whose texts are bound as numbers and booleans: what the action's own validation says
  // counts, else what the others say with one voice. A validation that may not be done says
  // nothing.
  void collectTypes(const Actionable& action, Names& names) const {
    std::vector<std::string> known;
    if (!action.bypass_payload_validation) addTypes(action.validation, known, names);
    std::vector<std::pair<std::string_view, FieldType>> types;
    for (const Actionable& other : resource_.actionables) {
      if (!other.validatesFirst()) continue;
      for (const FieldRule& field : other.validation.fields()) {
        types.emplace_back(field.name, field.type);
      }
    }
    for (const auto& [name, type] : types) {
      const bool is_doubtful =
          std::any_of(types.begin(), types.end(), [&, same = name, as = type](const auto& other) {
            return other.first == same && other.second != as;
          });
      if (!is_doubtful && !contains(known, name)) addType(name, type, names);
    }
  }

  static bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  static void addTypes(const Validation& validation, std::vector<std::string>& known,
                       Names& names) {
    for (const FieldRule& field : validation.fields()) {
      known.push_back(field.name);
      addType(field.name, field.type, names);
    }
  }

  static void addType(std::string_view name, FieldType type, Names& names) {
    if (type == FieldType::kNumber) addName(names.declared_numbers, name);
    if (type == FieldType::kBoolean) addName(names.declared_booleans, name);
  }

  // What its author meant as a claim, and would be the client's word here.
  void addClaimsOfHome(const Resource& home, Names& names) const {
    if (!home.protection) return;
    for (const std::string& claim : home.protection->extract_claims) {
      const auto& own =
          resource_.protection ? resource_.protection->extract_claims : std::vector<std::string>();
      if (std::find(own.begin(), own.end(), claim) == own.end()) {
        names.claims_of_home.push_back(claim);
      }
    }
    names.taken_by = resource_.id;
  }

  void warnOfDeclaredId(const Actionable& action) {
    if (!context_.options.sockets) return;
    const json::Value* list = json::find(*action.source, "payload_validation");
    for (std::size_t i = 0; list != nullptr && json::isArray(*list) && i < list->count; ++i) {
      const json::Value* field = json::find(list->as.items[i], "field");
      if (field == nullptr || json::find(*field, "id") == nullptr) continue;
      context_.problems.warning(resource_.file->atKey(action.pointer + "/payload_validation/" +
                                                      std::to_string(i) + "/field/id"),
                                "S-113",
                                "payload \"id\" is the caller's uid when this comes over a socket");
    }
  }

  Resource& resource_;
  const ReadContext& context_;
};

}  // namespace

void collectNames(Resource& resource, const ReadContext& context) {
  NameCollector(resource, context).collectNames();
}

}  // namespace sub0::dialect
